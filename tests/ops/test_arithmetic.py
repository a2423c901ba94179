"""Elementwise arithmetic: signs, zeros, infinities, integers, NaN."""

import math

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


# --- hypot and logaddexp ---

INF, NAN = float("inf"), float("nan")


def of_two(fn, a, b, dtype=tc.float32):
    """The values, and the gradients of their sum for both inputs, as lists."""
    x, y = (tc.tensor(v, dtype=dtype, requires_grad=True) for v in (a, b))
    z = fn(x, y)
    z.backward(tc.ones_like(z))
    assert z.dtype == x.grad.dtype == y.grad.dtype == dtype
    return z.tolist(), x.grad.tolist(), y.grad.tolist()


def test_hypot_neither_overflows_nor_underflows():
    half = math.sqrt(0.5)
    for dtype, huge, small in (
        (tc.float16, 3e4, 1e-4), (tc.float32, 1e38, 1e-38), (tc.float64, 1e308, 1e-308),
    ):  # fmt: skip
        y, da, db = of_two(tc.hypot, [huge, small], [-huge, small], dtype)
        assert y == pytest.approx([huge * 2**0.5, small * 2**0.5], rel=1e-2, abs=0)
        if dtype != tc.float16:
            assert da == pytest.approx([half, half])
            assert db == pytest.approx([-half, half])


def test_hypot_at_its_kink_and_at_infinity_is_pytorchs():
    y, da, db = of_two(tc.hypot, [0.0, -INF, 3.0, NAN], [0.0, 1.0, INF, INF])
    assert y == pytest.approx([0.0, INF, INF, INF], nan_ok=True)  # as in C: of NaN and ∞ it is ∞
    assert da == pytest.approx([NAN, NAN, 0.0, NAN], nan_ok=True)
    assert db == pytest.approx([NAN, 0.0, NAN, NAN], nan_ok=True)


def test_logaddexp_does_not_overflow():
    y, da, db = of_two(tc.logaddexp, [1000.0, -1000.0, 1000.0], [1000.0, -1000.0, -1000.0])
    assert y == pytest.approx([1000 + math.log(2), -1000 + math.log(2), 1000])
    assert da == [0.5, 0.5, 1.0]
    assert db == [0.5, 0.5, 0.0]
    assert of_two(tc.logaddexp, [3e4], [3e4], tc.float16) == ([3e4], [0.5], [0.5])


def test_logaddexp_at_infinity_is_pytorchs():
    y, da, db = of_two(
        tc.logaddexp, [-INF, INF, -INF, INF, 1.0, NAN], [-INF, INF, INF, 2.0, -INF, INF]
    )
    assert y == pytest.approx([-INF, INF, INF, INF, 1.0, NAN], nan_ok=True)
    assert da == pytest.approx([NAN, NAN, 0.0, 1.0, 1.0, NAN], nan_ok=True)
    assert db == pytest.approx([NAN, NAN, 1.0, 0.0, 0.0, NAN], nan_ok=True)


def test_the_second_derivative_of_logaddexp_is_0_where_one_input_wins():
    """PyTorch's is NaN there: it differentiates e^(b − a), which overflows."""
    x = tc.tensor([-1000.0, -INF], requires_grad=True)
    (first,) = tc.autograd.grad(tc.logaddexp(x, tc.zeros(2)).sum(), x, create_graph=True)
    (second,) = tc.autograd.grad(first.sum(), x)
    assert first.tolist() == second.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", ["hypot", "logaddexp"])
def test_large_arrays_and_slices_give_the_same(name):
    a, b = np.random.default_rng(0).normal(size=(2, 300, 400))
    whole = getattr(tc, name)(tc.tensor(a), tc.tensor(b))
    rows = [getattr(tc, name)(tc.tensor(a[k]), tc.tensor(b[k])).numpy() for k in range(300)]
    np.testing.assert_allclose(whole.numpy(), np.array(rows), rtol=0, atol=4e-15)


@pytest.mark.parametrize("name", ["hypot", "logaddexp"])
def test_one_input_must_be_of_floating_point(name):
    fn, one = getattr(tc, name), tc.tensor([1])
    for dtype in (tc.int64, tc.uint8, tc.bool):
        with pytest.raises(NotImplementedError, match=f'"{name}_cpu" not implemented for'):
            fn(one.to(dtype), one)
    assert fn(one, tc.ones(1)).dtype == tc.float32
    assert fn(one, tc.ones(1).half()).dtype == tc.float16
    assert fn(tc.ones(1), tc.tensor(2.0, dtype=tc.float64)).dtype == tc.float32


def test_hypot_in_place():
    x = tc.tensor([3.0, -5.0], requires_grad=True)
    y = x * 1
    assert y.hypot_(other=tc.tensor([4.0, 12.0])) is y
    y.sum().backward()
    assert y.tolist() == [5.0, 13.0]
    assert x.grad.tolist() == pytest.approx([3 / 5, -5 / 13])
    whole = tc.tensor([3])
    with pytest.raises(RuntimeError, match="result type torch.float32 can't be cast"):
        whole.hypot_(tc.tensor([4.0]))
    assert whole.tolist() == [3]
    assert not hasattr(x, "logaddexp_")  # PyTorch has none


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
