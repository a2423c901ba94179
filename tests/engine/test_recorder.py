"""Recording: the saved values, and every form of a call."""

import functools
import gc
import weakref

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import ops
from tinygrad_cnn.engine import op
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.testing import check_second_order, check_vjp

from .leaves import leaf


def test_a_product_saves_only_the_factor_that_a_needed_vjp_asks_for():
    a, b = leaf(3), tc.ones(3, dtype=tc.float64)
    node = (a * b).grad_fn
    assert node.saved[0] is None
    assert node.saved[1] is b._array
    both = (a * leaf(3)).grad_fn
    assert all(s is not None for s in both.saved)


@pytest.mark.parametrize(
    ("fn", "saved"),
    [
        (lambda x: x + 1.0, ()),
        (lambda x: -x, ()),
        (lambda x: x.sum(), ()),
        (lambda x: x.reshape(-1), ()),
        (lambda x: x.relu(), ("y",)),
        (lambda x: x.exp(), ("y",)),
        (lambda x: F.softmax(x, -1), ("y",)),
        (lambda x: tc.log(x), ("x",)),
    ],
)
def test_ops_save_what_their_vjps_name(fn, saved):
    node = fn(leaf(2, 3)).grad_fn
    assert node.op.saved == saved
    assert len(node.saved) == len(saved)


def test_a_convolution_saves_input_and_weight_and_no_columns():
    x, w, b = leaf(2, 3, 8, 8), leaf(4, 3, 3, 3), leaf(4)
    node = F.conv2d(x, w, b, padding=1).grad_fn
    assert node.op.saved == ("x", "w")
    assert node.saved[0] is x._array
    assert node.saved[1] is w._array


def test_the_first_convolution_computes_no_gradient_of_the_images(monkeypatch):
    images, w = tc.ones(1, 1, 4, 4), tc.ones(1, 1, 3, 3, requires_grad=True)
    loss = F.conv2d(images, w).sum()
    assert loss.grad_fn.parents[0].saved[1] is None  # the weight is not saved
    ran = []

    class Spy(tc.Observer):
        def vjp_ran(self, node, g, gradients):
            ran.append((node.op.name, [x is not None for x in gradients]))

    with tc.observe(Spy()):
        loss.backward()
    assert ran == [("sum", [True]), ("conv2d", [False, True, False])]


def test_nodes_hold_no_output_so_that_nothing_waits_for_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        x = leaf(4)
        y = (x * x).exp()
        array = weakref.ref((x + 1.0)._array)
        assert array() is None  # no vjp of add saves it
        node = weakref.ref(y._array)
        z = y.sum()
        del y
        assert node() is not None  # exp saved its output
        z.backward()
        assert node() is None  # freed by backward
        kept = weakref.ref(z._array)
        del z
        assert kept() is None
    finally:
        gc.enable()
    assert gc.collect() == 0


def test_an_op_of_a_users_own(scratch_ops):
    @op
    def cube(x, *, scale=1.0):
        """y = s x³        x̄ = 3 s x² ȳ"""
        return scale * x**3

    cube.defvjp(x=lambda g, x, scale: g * (3 * scale * x * x))
    x = leaf(3)
    cube(x, scale=2.0).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 6 * x.detach().numpy() ** 2)
    assert isinstance(cube(np.ones(2)), np.ndarray)  # arrays in, array out
    assert cube(x).grad_fn.attributes == {"scale": 1.0}
    assert cube(x).grad_fn.name() == "CubeBackward0"


def test_the_signature_of_a_decorated_forward_is_its_own(scratch_ops):
    def loudly(f):
        @functools.wraps(f)
        def run(*given, **attributes):
            return f(*given, **attributes)

        return run

    @op
    @loudly
    def scaled(x, weight=None, *, by=2.0):
        return x * by if weight is None else x * by * weight

    scaled.defvjp(x=loudly(lambda g, weight, by: g * by if weight is None else g * by * weight))
    x = leaf(3)
    (scaled(x) + scaled(x, tc.ones(3), by=5.0)).sum().backward()
    assert x.grad.tolist() == [7.0] * 3
    assert scaled(x).grad_fn.attributes == {"by": 2.0}
    with pytest.raises(TypeError, match="unexpected keyword"):
        scaled(x, over=1.0)


def test_a_forward_may_return_a_number(scratch_ops):
    @op
    def total(x):
        return float(x.sum())

    total.defvjp(x=lambda g, x_shape: np.broadcast_to(g, x_shape))
    x = leaf(3)
    total(x).backward()
    assert x.grad.tolist() == [1.0] * 3


def test_an_op_of_a_taken_name_is_refused():
    with pytest.raises(ValueError, match="an op 'mul' exists"):

        @op
        def mul(a, b):
            return a


def test_operands_that_do_not_broadcast_are_named():
    with pytest.raises(RuntimeError, match=r"add: the size of one tensor.*a \(2,\), b \(3,\)"):
        tc.ones(2) + tc.ones(3)


@pytest.fixture
def product_of_all(scratch_ops):
    """An op of any number of inputs that saves them."""

    @op
    def product_of_all(*xs):
        """y = Π xᵢ        x̄ᵢ = ȳ · Π xⱼ over the others"""
        y = xs[0]
        for x in xs[1:]:
            y = y * x
        return y

    def product_of_all_xs(g, xs, i):
        for j, x in enumerate(xs):
            g = g if j == i else g * x
        return g

    product_of_all.defvjp(xs=product_of_all_xs)
    return product_of_all


def test_a_variadic_op_that_saves_its_inputs_has_both_derivatives(product_of_all):
    check_vjp(product_of_all, *np.linspace(0.5, 2.0, 9).reshape(3, 3))
    check_second_order(product_of_all, *np.linspace(0.5, 2.0, 9).reshape(3, 3))


def test_a_write_to_what_a_variadic_op_saved_is_noticed(product_of_all):
    a, b = leaf(3) * 1.0, leaf(3)
    y = product_of_all(a, b)
    a.mul_(2.0)
    with pytest.raises(RuntimeError, match=r"`xs` of product_of_all, of shape \(3,\), was changed"):
        y.sum().backward()


@pytest.mark.parametrize("inputs", ["x", "z", "ab", "pq", "xwb", "xw"])
def test_inputs_may_be_given_by_name(inputs, scratch_ops):
    functions = {
        "x": lambda x: x * 2.0,
        "z": lambda z: z * 2.0,
        "ab": lambda a, b: a * b,
        "pq": lambda p, q: p * q,
        "xwb": lambda x, w, b: x * w + b,
        "xw": lambda x, w=None, *, by=1.0: x * by if w is None else x * w * by,
    }
    functions[inputs].__name__ = "given"
    given = op(functions[inputs])
    given.defvjp(**{n: lambda g: g * 1.0 for n in inputs})
    tensors = {n: leaf(3, seed=k) for k, n in enumerate(inputs)}
    expected = functions[inputs](**{n: t.detach().numpy() for n, t in tensors.items()})
    for y in (given(**tensors), given(*tensors.values())):
        np.testing.assert_array_equal(y.detach().numpy(), expected)
        assert y.requires_grad
    arrays = {n: t.detach().numpy() for n, t in tensors.items()}
    np.testing.assert_array_equal(given(**arrays), expected)


@pytest.mark.parametrize("call", [lambda f: f(), lambda f: f(leaf(2), spread=1), lambda f: f(by=2)])
def test_a_wrong_call_is_a_type_error_that_names_the_op(call, scratch_ops):
    @op
    def scale_by(x, w, *, by=1.0):
        return x * w * by

    with pytest.raises(TypeError, match="scale_by"):
        call(scale_by)


@pytest.mark.parametrize("dtype", [tc.float16, tc.float32, tc.float64, tc.int64, tc.bool])
@pytest.mark.parametrize("number", [2, 0.5, True, np.float64(0.5), np.int64(2)])
def test_a_number_meets_a_tensor_as_an_array_of_it_does(dtype, number):
    x = tc.ones(3).to(dtype)
    plain = number.item() if isinstance(number, np.generic) else number
    expected = x + tc.tensor(plain)  # a 0-d tensor promotes as little
    for y in (x + number, number + x):
        assert y.dtype == expected.dtype
        assert y.tolist() == expected.tolist()


def test_on_arrays_alone_an_op_is_its_forward(scratch_ops):
    seen = []

    class Spy(tc.Observer):
        def op_begins(self, op):
            seen.append(op)

    with tc.observe(Spy()):
        for function, inputs in ((ops.exp, 1), (ops.mul, 2), (ops.where, 3), (ops.matmul, 2)):
            y = function(*[np.ones((2, 2), bool if function is ops.where else float)] * inputs)
            assert type(y) is np.ndarray
    assert seen == []


def test_a_forward_that_is_replaced_is_the_one_that_runs(monkeypatch):
    monkeypatch.setattr(ops.exp.op, "forward", lambda x: x + 1.0)
    assert tc.exp(tc.zeros(2)).tolist() == [1.0, 1.0]
