"""Elementwise functions of several ops: against NumPy, both derivatives, kinks, types."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_kink, check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

X, Y, Z = separated(np.random.default_rng(0), (3, 4), (3, 4), (4,), avoid=[0.0])

FUNCTIONS = [
    (lambda x, y, z: tc.add(x, y, alpha=2), lambda x, y, z: x + 2 * y),
    (lambda x, y, z: tc.sub(x, y, alpha=0.5), lambda x, y, z: x - 0.5 * y),
    (lambda x, y, z: tc.rsub(x, y), lambda x, y, z: y - x),
    (lambda x, y, z: x.lerp(y, 0.3), lambda x, y, z: x + 0.3 * (y - x)),
    (lambda x, y, z: x.lerp(y, z), lambda x, y, z: x + z * (y - x)),
    (lambda x, y, z: x.addcmul(y, z, value=-2), lambda x, y, z: x - 2 * y * z),
    (lambda x, y, z: x.addcdiv(y, z), lambda x, y, z: x + y / z),
    (lambda x, y, z: tc.clamp(x, y - 1, z + 1),
     lambda x, y, z: np.minimum(np.maximum(x, y - 1), z + 1)),
    (lambda x, y, z: x.clamp(min=z), lambda x, y, z: np.maximum(x, z)),
    (lambda x, y, z: (3 * x).frac(), lambda x, y, z: np.modf(3 * x)[0]),
    (lambda x, y, z: x.sigmoid().logit(0.3),
     lambda x, y, z: np.clip(x, np.log(3 / 7), np.log(7 / 3))),
    (lambda x, y, z: x.norm(3, 1), lambda x, y, z: np.linalg.norm(x, 3, 1)),
    (lambda x, y, z: x.norm(1), lambda x, y, z: np.abs(x).sum()),
    (lambda x, y, z: x.norm(float("inf"), 0), lambda x, y, z: np.abs(x).max(0)),
    (lambda x, y, z: tc.where(x > 0, y, z), lambda x, y, z: np.where(x > 0, y, z)),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "formula"), FUNCTIONS)
def test_forward_and_both_derivatives(fn, formula):
    found = fn(tc.tensor(X), tc.tensor(Y), tc.tensor(Z))
    np.testing.assert_allclose(found.numpy(), formula(X, Y, Z), rtol=1e-12)
    check_vjp(fn, X, Y, Z)
    check_second_order(fn, X, Y, Z)


def test_at_a_bound_that_is_a_tensor_the_input_takes_the_gradient():
    bound = tc.tensor([0.0, 0.0], dtype=tc.float64, requires_grad=True)
    check_kink(lambda x: tc.clamp(x, bound), [0.0, 1.0], [1.0, 1.0])
    tc.clamp(tc.tensor([0.0, -1.0]), bound).sum().backward()
    assert bound.grad.tolist() == [0.0, 1.0]


def test_nan_to_num():
    x = tc.tensor([1.0, float("nan"), float("inf"), -float("inf")], requires_grad=True)
    y = x.nan_to_num(0.5, posinf=9.0)
    assert y.tolist() == [1.0, 0.5, 9.0, np.finfo(np.float32).min]
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 0.0, 0.0, 0.0]


def test_types():
    assert tc.where(tc.tensor([True]), 1, 0).dtype == tc.int64
    assert tc.where(tc.tensor([True]), 1.0, 0).dtype == tc.float32
    assert tc.clamp(tc.tensor([3]), 0.5, 2).dtype == tc.float32
    assert tc.clamp(tc.tensor([3]), 0, 2).tolist() == [2]
    assert tc.tensor([1.5]).long().requires_grad is False
    assert tc.tensor([1.5], requires_grad=True).long().requires_grad is False


def test_bits_and_logic():
    a, b = tc.tensor([True, True, False]), tc.tensor([True, False, False])
    assert (a & b).tolist() == [True, False, False]
    assert (a ^ b).tolist() == [False, True, False]
    assert (~a | b).tolist() == [True, False, True]
    assert tc.logical_xor(tc.tensor([1.0, 0.0]), tc.tensor([2, 3])).tolist() == [False, True]
    with pytest.raises(TypeError, match="only implemented on integer and Boolean"):
        ~tc.ones(1)
    with pytest.raises(NotImplementedError, match="floating point"):
        tc.ones(1) & tc.ones(1)


def test_closeness_wants_one_type():
    assert tc.isclose(tc.ones(2), tc.tensor([1.0, 1.1])).tolist() == [True, False]
    with pytest.raises(RuntimeError, match="did not match"):
        tc.allclose(tc.ones(1), tc.ones(1).double())


def test_results_have_names_and_print_as_pytorchs():
    text = repr(tc.tensor([[1.0, 2.0]]).max(1))
    assert text == "torch.return_types.max(\nvalues=tensor([2.]),\nindices=tensor([1]))"
    assert tc.tensor([2.0, 1.0]).aminmax().min.item() == 1.0
    mean = tc.var_mean(tc.tensor([1.0, 3.0]))[1]
    assert mean.item() == 2.0


# --- Special values and dtypes --------------------------------------------------------------------

NAN = float("nan")
INTEGER_DTYPES = [tc.bool, tc.uint8, tc.int64]


@pytest.mark.parametrize("bounds", [(NAN, None), (None, NAN), (NAN, 1.0), (0.0, NAN)])
def test_a_bound_that_is_nan_gives_nan_and_no_gradient(bounds):
    x = tc.tensor([-2.0, 0.5, 3.0], requires_grad=True)
    tensors = [None if b is None else tc.tensor([0.25, b, b]) for b in bounds]
    y = x.clamp(*tensors)
    assert y.isnan().tolist() == [False, True, True]
    (grad,) = tc.autograd.grad(y, x, tc.ones(3))
    assert grad[1:].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("a", INTEGER_DTYPES)
@pytest.mark.parametrize("b", INTEGER_DTYPES)
def test_functions_of_integers_give_the_default_dtype(a, b):
    x, y = tc.tensor([0, 1]).to(a), tc.tensor([1, 1]).to(b)
    for found in (tc.atan2(x, y), tc.logit(x), tc.logit(x, 0.1)):
        assert found.dtype == tc.float32


def test_squares_and_signs_of_bools():
    x = tc.tensor([True, False])
    assert tc.square(x).dtype == tc.int64
    assert tc.square(x).tolist() == [1, 0]
    for function in (tc.sign, tc.sgn):
        assert function(x).dtype == tc.bool
        assert function(x).tolist() == [True, False]


@pytest.mark.parametrize(
    "call",
    [
        lambda b: b - b, lambda b: -b, tc.neg, lambda b: tc.sub(b, b), lambda b: tc.rsub(b, b),
        lambda b: b.clone().sub_(b), tc.relu, tc.argmax, tc.argmin, lambda b: tc.topk(b, 1),
    ],
)  # fmt: skip
def test_bools_are_refused_where_pytorch_refuses_them(call):
    with pytest.raises(RuntimeError):
        call(tc.tensor([True, False]))


def test_a_factor_multiplies_in_the_dtype_of_the_result():
    large = tc.tensor([200], dtype=tc.uint8)
    x = tc.ones(1)
    assert tc.add(x, large, alpha=2).item() == 401.0
    assert tc.rsub(large, x, alpha=2).item() == -399.0
    assert x.clone().add_(large, alpha=2).item() == 401.0
    assert tc.add(tc.tensor([True]), tc.tensor([True]), alpha=2).dtype == tc.bool
    whole = tc.tensor([1])
    for call in (tc.add, tc.sub, tc.rsub):
        with pytest.raises(RuntimeError, match="must not be a floating point number"):
            call(whole, whole, alpha=0.5)
        with pytest.raises(RuntimeError, match="Boolean alpha"):
            call(x, x, alpha=True)


@pytest.mark.parametrize("weight", [0.0, 1.0, 0.25, 0.75])
@pytest.mark.parametrize("as_tensor", [False, True])
def test_lerp_is_exact_at_both_ends(weight, as_tensor):
    start, end = tc.tensor([1e20, 3.0]), tc.tensor([1.0, -1e20])
    y = start.lerp(end, tc.tensor([weight, weight]) if as_tensor else weight)
    if weight in (0.0, 1.0):
        assert tc.equal(y, end if weight else start)
    with pytest.raises(RuntimeError, match="expected dtype"):
        start.lerp(end.double(), weight)


@pytest.mark.parametrize("base", [-2, -1, 0, 1, 2, 3])
def test_integers_to_negative_powers_of_a_tensor(base):
    powers = tc.tensor([-3, -2, -1, 0, 1, 2])
    wanted = [int(float(base) ** p) if base or p >= 0 else 0 for p in powers.tolist()]
    assert (base**powers).tolist() == wanted
    assert (tc.full((6,), base) ** powers).tolist() == wanted


@pytest.mark.parametrize("divisor", [0.0, NAN, float("inf"), 2.0])
def test_a_truncated_quotient_has_the_gradient_0(divisor):
    x = tc.tensor([1.0, -7.0, 0.0], requires_grad=True)
    y = tc.full((3,), divisor, requires_grad=True)
    quotient = tc.div(x, y, rounding_mode="trunc")
    for grad in tc.autograd.grad(quotient, (x, y), tc.ones(3)):
        assert grad.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("tolerance", [-1e-3, NAN])
@pytest.mark.parametrize("name", ["rtol", "atol"])
def test_negative_tolerances_are_refused(name, tolerance):
    for function in (tc.isclose, tc.allclose):
        with pytest.raises(RuntimeError, match="greater than or equal to zero"):
            function(tc.ones(1), tc.ones(1), **{name: tolerance})


def test_a_number_takes_the_dtype_of_the_bits_that_it_meets():
    x = tc.tensor([255, 4], dtype=tc.uint8)
    for y in (x & 2, x | 2, x ^ 2, tc.bitwise_and(x, 2)):
        assert y.dtype == tc.uint8


def test_a_condition_of_uint8_selects():
    mask = tc.tensor([0, 2], dtype=tc.uint8)
    assert tc.where(mask, 1.0, tc.zeros(2)).tolist() == [0.0, 1.0]


def test_rounding_of_float16_does_not_overflow():
    x = tc.tensor([60000.0, 1.26], dtype=tc.float16)
    assert x.round(decimals=1).tolist() == pytest.approx([60000.0, 1.3], rel=1e-3)


@pytest.mark.parametrize("dtype", [tc.uint8, tc.int8, tc.int16, tc.int32])
@pytest.mark.parametrize("number", [-2, 300, 70000, 2**31 + 5, -(2**40)])
def test_a_number_that_integers_cannot_hold_wraps(dtype, number):
    x = tc.tensor([1, 100], dtype=dtype)
    n = np.int64(number).astype(dtype)
    for ufunc, operator in (
        (np.add, "__add__"), (np.subtract, "__sub__"), (np.multiply, "__mul__"),
        (np.bitwise_and, "__and__"),
    ):  # fmt: skip
        wanted = ufunc(x.numpy(), n)
        found = getattr(x, operator)(number)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found.numpy(), wanted)
        y = x.clone()
        getattr(y, operator.replace("__", "__i", 1))(number)
        np.testing.assert_array_equal(y.numpy(), wanted)
    found = tc.where(x > 1, x, number)
    np.testing.assert_array_equal(found.numpy(), np.where(x.numpy() > 1, x.numpy(), n))
