"""The ops of one formula and those with a remainder: signs, zeros, integers, NaN."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import ops

NAMES = ["square", "reciprocal", "rsqrt", "log2", "log10", "log1p", "expm1", "tan", "sinh", "cosh",
         "asin", "acos", "atan", "asinh", "acosh", "atanh"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_and_warnings_do_not_come(name):
    x = tc.tensor([0.5, 0.0, -1.0, 2.0, float("nan"), float("inf")], requires_grad=True)
    y = getattr(tc, name)(x)
    assert y.dtype == tc.float32
    assert getattr(ops, name)(np.array(0.5)).shape == ()


@pytest.mark.parametrize("name", [n for n in NAMES if n != "square"])
def test_integers_become_the_default_type(name):
    assert getattr(tc, name)(tc.tensor([1])).dtype == tc.float32


def test_what_rounds_leaves_integers_alone():
    for fn in (tc.floor, tc.ceil, tc.trunc, tc.round, tc.square):
        assert fn(tc.tensor([3])).dtype == tc.int64


@pytest.mark.parametrize(
    ("fn", "expected"),
    [
        (tc.remainder, [1.0, -2.0, 2.0, -1.0]),
        (tc.fmod, [1.0, 1.0, -1.0, -1.0]),
        (tc.floor_divide, [2.0, -3.0, -3.0, 2.0]),
        (lambda a, b: tc.div(a, b, rounding_mode="trunc"), [2.0, -2.0, -2.0, 2.0]),
    ],
)
def test_signs(fn, expected):
    a, b = np.array([7, 7, -7, -7]), np.array([3, -3, 3, -3])
    assert fn(tc.tensor(a), tc.tensor(b)).tolist() == expected
    assert fn(tc.tensor(a * 1.0), tc.tensor(b * 1.0)).tolist() == expected


def test_integers_refuse_to_divide_by_zero():
    for fn in (tc.remainder, tc.fmod, tc.floor_divide):
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            fn(tc.tensor([1]), 0)
    assert np.isnan(tc.remainder(tc.ones(1), 0.0).item())


def test_operators_with_a_number_on_the_left():
    x = tc.tensor([2.0, -2.0])
    assert (7 // x).tolist() == [3.0, -4.0]
    assert (7 % x).tolist() == [1.0, -1.0]
    assert (x % 1.5).tolist() == [0.5, 1.0]


def test_rounding_has_gradient_zero_and_goes_to_the_even():
    x = tc.tensor([0.5, 1.5, -0.5, 2.5], requires_grad=True)
    y = x.round()
    assert y.tolist() == [0.0, 2.0, 0.0, 2.0]
    y.sum().backward()
    assert x.grad.tolist() == [0.0] * 4
    assert tc.round(tc.tensor([1.234, 1.235]), decimals=1).tolist() == pytest.approx([1.2, 1.2])
    assert tc.round(tc.tensor([1234.0]), decimals=-2).tolist() == [1200.0]


def test_the_sign_of_nan_is_zero():
    assert tc.sign(tc.tensor([float("nan"), -2.0, 0.0])).tolist() == [0.0, -1.0, 0.0]


def test_integers_to_negative_powers_are_refused():
    with pytest.raises(RuntimeError, match="Integers to negative integer powers are not allowed"):
        tc.tensor([2]) ** -1


@pytest.mark.parametrize("seed", [float("inf"), float("nan"), 1.0])
@pytest.mark.parametrize(
    "fn",
    [
        tc.sign, tc.floor, tc.ceil, tc.trunc, tc.round, lambda x: tc.floor_divide(x, 2.0),
        lambda x: tc.floor_divide(2.0, x), lambda x: x**0, lambda x: x.norm(0, dim=0),
    ],
)  # fmt: skip
def test_a_constant_piece_has_the_gradient_zero_whatever_comes(fn, seed):
    x = tc.tensor([1.5, -2.5], requires_grad=True)
    y = fn(x)
    (g,) = tc.autograd.grad(y, x, tc.full(y.shape, seed), create_graph=True)
    assert g.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("dtype", [tc.float32, tc.float64])
def test_the_gradient_of_an_angle_is_zero_at_the_origin_and_does_not_overflow(dtype):
    size = float(tc.finfo(dtype).max) / 4
    for scale in (0.0, -0.0, 1 / size, 1e-20, 1e20, size):
        a = tc.tensor([scale, 0.0], dtype=dtype, requires_grad=True)
        b = tc.tensor([scale, scale], dtype=dtype, requires_grad=True)
        tc.atan2(a, b).sum().backward()
        wanted = 1 / np.array(scale, a.numpy(force=True).dtype) if scale else 0.0
        np.testing.assert_allclose(a.grad.numpy(), [wanted / 2, wanted], rtol=1e-6)
        np.testing.assert_allclose(b.grad.numpy(), [-wanted / 2, 0.0], rtol=1e-6)
