"""Methods of Tensor: the list is complete, and in-place forms agree with the functions."""

import inspect

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import functions
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

X, Y = separated(np.random.default_rng(0), (3, 4), (3, 4), low=0.2, high=0.9)
NO_METHODS = {"bucketize", "where", "tensordot", "concat", "tril_indices", "triu_indices",
              "std_mean", "var_mean", "result_type", "gru_cell", "lstm_cell", "rnn_relu_cell",
              "rnn_tanh_cell"}  # fmt: skip


def test_every_function_of_a_tensor_is_a_method():
    missing = []
    later = [name for names in functions.LATER.values() for name in names]
    for name in (*functions.__all__, *later):
        first = next(iter(inspect.signature(getattr(tc, name)).parameters), "")
        if first in ("input", "x", "a", "tensor") and name not in NO_METHODS:
            missing += [name] * (not hasattr(tc.Tensor, name))
    assert not missing


IN_PLACE = ["abs_", "neg_", "exp_", "expm1_", "log_", "log1p_", "log2_", "log10_", "sqrt_", "rsqrt_",
            "square_", "reciprocal_", "erf_", "erfinv_", "sin_", "cos_", "tan_", "sinh_", "cosh_",
            "tanh_", "atan_", "sigmoid_", "relu_", "frac_", "logit_", "tril_", "triu_", "erfc_"]  # fmt: skip


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


# --- Signatures of in-place forms -----------------------------------------------------------------

SIGNATURES = {
    "exp_": "(self)",
    "relu_": "(self)",
    "add_": "(self, other, *, alpha=1)",
    "sub_": "(self, other, *, alpha=1)",
    "subtract_": "(self, other, alpha=1)",
    "mul_": "(self, other)",
    "multiply_": "(self, other)",
    "div_": "(self, other, *, rounding_mode=None)",
    "pow_": "(self, exponent)",
    "clamp_": "(self, min=None, max=None)",
    "clip_": "(self, min=None, max=None)",
    "clamp_min_": "(self, min)",
    "cumsum_": "(self, dim, *, dtype=None)",
    "lerp_": "(self, end, weight)",
    "addcmul_": "(self, tensor1, tensor2, *, value=1)",
    "round_": "(self, *, decimals=0)",
    "logit_": "(self, eps=None)",
    "normal_": "(self, mean=0, std=1, *, generator=None)",
    "copy_": "(self, other, non_blocking=False)",
    "fill_": "(self, value)",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures_of_in_place_forms(name):
    method = getattr(tc.Tensor, name)
    signature = inspect.signature(method)
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    assert str(inspect.Signature(bare)) == SIGNATURES[name]
    assert method.__doc__
    assert method.__name__ in (name, "mul_", "div_")  # multiply_ is mul_


@pytest.mark.parametrize(
    ("call", "values"),
    [
        (lambda x: x.add_(other=1.0, alpha=2), [3.0, 5.0]),
        (lambda x: x.sub_(other=1.0), [0.0, 2.0]),
        (lambda x: x.subtract_(1.0, 2), [-1.0, 1.0]),
        (lambda x: x.mul_(other=2.0), [2.0, 6.0]),
        (lambda x: x.multiply_(2.0), [2.0, 6.0]),
        (lambda x: x.div_(other=2.0, rounding_mode="floor"), [0.0, 1.0]),
        (lambda x: x.divide_(2.0), [0.5, 1.5]),
        (lambda x: x.pow_(exponent=2), [1.0, 9.0]),
        (lambda x: x.clamp_(max=2.0), [1.0, 2.0]),
        (lambda x: x.clamp_(min=2.0), [2.0, 3.0]),
        (lambda x: x.clip_(2.0, max=2.5), [2.0, 2.5]),
        (lambda x: x.cumsum_(axis=0), [1.0, 4.0]),
        (lambda x: x.lerp_(end=tc.zeros(2), weight=0.5), [0.5, 1.5]),
        (lambda x: x.floor_divide_(other=2), [0.0, 1.0]),
        (lambda x: x.addcmul_(tensor1=tc.ones(2), tensor2=tc.ones(2), value=2), [3.0, 5.0]),
        (lambda x: x.copy_(other=tc.zeros(2), non_blocking=True), [0.0, 0.0]),
        (lambda x: x.fill_(value=7), [7.0, 7.0]),
    ],
)
def test_in_place_forms_by_keyword(call, values):
    x = tc.tensor([1.0, 3.0])
    assert call(x) is x
    assert x.tolist() == values


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: x.exp_(1), r"exp_\(\) takes 1 positional argument but 2 were given"),
        (lambda x: x.exp_(out=x), r"exp_\(\) got an unexpected keyword argument 'out'"),
        (lambda x: x.clamp_(0, 1, out=x), r"clamp_\(\) got an unexpected keyword argument 'out'"),
        (lambda x: x.add_(), r"add_\(\) missing 1 required positional arguments: \"other\""),
        (lambda x: x.mul_(2, 3), r"mul_\(\) takes 1 positional argument but 2 were given"),
        (lambda x: x.lerp_(x), r"lerp_\(\) received an invalid combination .* got \(Tensor\)"),
        (lambda x: x.lerp_(2.0, 3.0), r"lerp_\(\) received an invalid combination"),
        (lambda x: x.clamp_("a"), r"clamp_\(\) received an invalid combination"),
        (
            lambda x: x.addcmul_(2.0, x),
            r"addcmul_\(\): argument 'tensor1' \(position 1\) must be Tensor",
        ),
        (
            lambda x: x.mul_("a"),
            r"mul_\(\): argument 'other' \(position 1\) must be Tensor, not str",
        ),
        (
            lambda x: tc.Tensor.exp_(2.0),
            "descriptor 'exp_' for 'Tensor' objects doesn't apply to a 'float'",
        ),
        (
            lambda x: tc.Tensor.clamp_(2.0, 1),
            "descriptor 'clamp_' for 'Tensor' objects doesn't apply",
        ),
    ],
)
def test_wrong_arguments_of_in_place_forms_change_nothing(call, message):
    x = tc.tensor([1.0, 3.0])
    with pytest.raises(TypeError, match=message):
        call(x)
    assert x.tolist() == [1.0, 3.0]
    assert x._version == 0
