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
