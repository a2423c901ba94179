"""Methods of Tensor: none is forgotten, and in-place forms follow the functions."""

import inspect

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import functions
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

X, Y = separated(np.random.default_rng(0), (3, 4), (3, 4), low=0.2, high=0.9)
NO_METHODS = {"where", "tensordot", "concat", "tril_indices", "triu_indices",
              "std_mean", "var_mean"}  # fmt: skip


def test_every_function_of_a_tensor_is_a_method():
    missing = []
    modules = [m for m in vars(functions).values() if hasattr(m, "__all__")]
    assert modules
    for module in modules:
        for name in module.__all__:
            first = next(iter(inspect.signature(getattr(tc, name)).parameters), "")
            if first in ("input", "x", "a", "tensor") and name not in NO_METHODS:
                missing += [name] * (not hasattr(tc.Tensor, name))
    assert not missing


IN_PLACE = ["abs_", "neg_", "exp_", "expm1_", "log_", "log1p_", "log2_", "log10_", "sqrt_", "rsqrt_",
            "square_", "reciprocal_", "erf_", "erfinv_", "sin_", "cos_", "tan_", "sinh_", "cosh_",
            "tanh_", "atan_", "sigmoid_", "relu_", "frac_", "logit_", "tril_", "triu_"]  # fmt: skip


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_forms(name):
    def fn(x):
        y = x * 1.0
        assert getattr(y, name)() is y
        return y

    check_vjp(fn, X)
    check_second_order(fn, X)
    wanted = getattr(tc.tensor(X), name[:-1])()
    np.testing.assert_array_equal(fn(tc.tensor(X)).numpy(), wanted.numpy())


@pytest.mark.parametrize(
    "fn",
    [
        lambda a, y: a.lerp_(y, 0.3),
        lambda a, y: a.addcmul_(y, y, value=2),
        lambda a, y: a.addcdiv_(y, y + 1),
        lambda a, y: a.clamp_(0.4, 0.7),
        lambda a, y: a.clamp_(y, y + 0.1),
        lambda a, y: a.div_(y, rounding_mode="trunc"),
        lambda a, y: a.masked_fill_(y > 0.5, y[0, 0]),
        lambda a, y: a.index_add_(0, tc.tensor([2, 2, 0]), y),
        lambda a, y: a.scatter_(1, tc.tensor([[0, 1]] * 3), y),
        lambda a, y: a.scatter_add_(1, tc.tensor([[0, 0]] * 3), y),
        lambda a, y: a.cumsum_(1),
        lambda a, y: a[0].lerp_(y[1], 0.5),
        lambda a, y: a.t().addcmul_(y.t(), y.t()),
        lambda a, y: a.fill_(y[1, 1]),
        lambda a, y: a.copy_(y[0]),
    ],
)
def test_in_place_forms_with_arguments(fn):
    def whole(x, y):
        a = x * 1.0
        fn(a, y)
        return a * x

    check_vjp(whole, X, Y)
    check_second_order(whole, X, Y)


def test_in_place_forms_are_refused_before_anything_changes():
    x = tc.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad .* lerp_"):
        x.lerp_(tc.zeros(3), 0.5)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        x.normal_()
    y = tc.ones(3)
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        y.lerp_(tc.zeros(2, 3), 0.5)
    with pytest.raises(RuntimeError, match="add_: the size of one tensor must match"):
        y.add_(tc.ones(2))
    with pytest.raises(RuntimeError, match="can't be cast to the desired output type"):
        tc.arange(3).lerp_(tc.arange(3), 0.5)
    assert y.tolist() == [1.0] * 3


def test_an_argument_saved_by_another_op_is_seen_to_change():
    x = tc.ones(3, requires_grad=True)
    y = x * 2.0
    z = y.exp()
    w = y * z
    y.clamp_(0.0, 1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        w.sum().backward()


def test_operators_in_place_keep_the_object():
    mask = same = tc.tensor([True, False])
    mask &= tc.tensor([True, True])
    mask |= tc.tensor([False, True])
    mask ^= tc.tensor([True, False])
    assert same is mask
    assert mask.tolist() == [False, True]
    n = alias = tc.tensor([7, -7])
    n //= 2
    n %= 3
    assert alias is n
    assert n.tolist() == [0, 2]
