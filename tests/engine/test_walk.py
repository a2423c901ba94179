"""The backward pass: order, freeing, hooks, second derivatives, scale."""

import itertools
import threading

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.engine import op
from tinygrad_cnn.nn import functional as F

from .leaves import leaf


def test_gradients_of_a_diamond_add_up():
    x = leaf(3)
    a = x * 2.0
    ((a * a) + a + x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 8 * x.detach().numpy() + 3)


def test_a_second_backward_fails_only_where_saved_values_were_freed():
    x = leaf(3)
    s = x.sum()
    s.backward()
    s.backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.full(3, 2.0))
    p = (x * x).sum()
    p.backward(retain_graph=True)
    p.backward()
    with pytest.raises(
        RuntimeError, match=r"^Trying to backward through the graph a second time.*mul"
    ):
        p.backward()


def test_a_failing_vjp_leaves_every_grad_as_it_was(scratch_ops):
    @op
    def fragile(x):
        return x * 1.0

    def fragile_x(g):
        raise ArithmeticError("on purpose")

    fragile.defvjp(x=fragile_x)
    x, y = leaf(3), leaf(3)
    x.grad = tc.zeros(3, dtype=tc.float64)
    before = x.grad
    with pytest.raises(ArithmeticError, match="on purpose"):
        (fragile(x) + y * 2.0).sum().backward()
    assert x.grad is before
    assert x.grad.tolist() == [0.0] * 3
    assert y.grad is None


def test_a_vjp_that_returns_a_wrong_shape_is_an_error_that_names_it(scratch_ops):
    @op
    def double(x):
        return x * 2

    double.defvjp(x=lambda g: g.sum())
    with pytest.raises(
        RuntimeError, match=r"vjp of double for x returned shape \(\), wanted .*\(3,\)"
    ):
        double(leaf(3)).sum().backward()


def test_inputs_that_broadcast_ask_for_an_elementwise_op(scratch_ops):
    @op
    def product(a, b):
        return a * b

    product.defvjp(a=lambda g, b: g * b, b=lambda g, a: g * a)
    with pytest.raises(RuntimeError, match=r"product for b .*\(3,\)\. .*@op\(elementwise=True\)"):
        product(leaf(2, 3), leaf(3)).sum().backward()
    with pytest.raises(RuntimeError, match=r"of the input, \(3,\)$"):  # nothing broadcasts
        double = op(lambda x: x * 2)
        double.defvjp(x=lambda g: g[None])
        double(leaf(3)).sum().backward()


def test_grad_has_the_dtype_of_its_tensor():
    x32, x64 = leaf(3, dtype=tc.float32), leaf(3)
    (x32 * x64).sum().backward()
    assert x32.grad.dtype == tc.float32
    assert x64.grad.dtype == tc.float64


def test_backward_messages():
    x = leaf(3)
    with pytest.raises(
        RuntimeError, match="^grad can be implicitly created only for scalar outputs"
    ):
        (x * 2.0).backward()
    with pytest.raises(
        RuntimeError,
        match="^element 0 of tensors does not require grad and does not have a grad_fn",
    ):
        tc.ones(1).backward()
    with pytest.raises(RuntimeError, match=r"Mismatch in shape: grad_output\[0\]"):
        (x * 2.0).backward(tc.ones(2))


def test_backward_to_some_inputs_leaves_the_others():
    x, y = leaf(3), leaf(3)
    (x * y).sum().backward(inputs=[x])
    assert x.grad is not None
    assert y.grad is None


def test_hooks_see_the_complete_gradient_in_order_and_may_replace_it():
    x, seen = leaf(2), []
    y = x + 1.0
    y.register_hook(lambda g: seen.append(g.tolist()))
    handle = y.register_hook(lambda g: g * 10.0)
    (y + y * 2.0).sum().backward()
    assert seen == [[3.0, 3.0]]
    assert x.grad.tolist() == [30.0, 30.0]
    handle.remove()
    x.grad = None
    (y + y * 2.0).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_a_hook_cannot_change_a_gradient_that_another_tensor_has_too():
    x, y = leaf(2), leaf(2)
    x.register_hook(lambda g: g.mul_(2.0))
    with pytest.raises(RuntimeError, match="read-only"):
        (x + y).backward(tc.ones(2, dtype=tc.float64))
    assert y.grad is None


def test_a_hook_that_returns_a_wrong_shape_is_an_error():
    x = leaf(2)
    x.register_hook(lambda g: g.sum())
    with pytest.raises(RuntimeError, match=r"a hook of AccumulateGrad returned torch.Size\(\[\]\)"):
        (x * 1.0).sum().backward()
    assert x.grad is None


def test_second_derivatives_come_from_the_same_vjps():
    x = leaf(3)
    (g,) = tc.autograd.grad((x**3.0).sum(), x, create_graph=True)
    (h,) = tc.autograd.grad(g.sum(), x)
    np.testing.assert_allclose(h.numpy(), 6 * x.detach().numpy())


def test_third_derivative():
    x = tc.tensor(2.0, dtype=tc.float64, requires_grad=True)
    y = tc.sin(x)
    for _ in range(3):
        (y,) = tc.autograd.grad(y, x, create_graph=True)
    assert y.item() == pytest.approx(-np.cos(2.0))


def test_create_graph_in_backward_gives_grads_that_differentiate():
    x = leaf(3)
    (x * x).sum().backward(create_graph=True)
    x.grad.sum().backward()
    np.testing.assert_allclose(x.grad.detach().numpy(), 2 * x.detach().numpy() + 2)


def test_a_composite_is_differentiated_even_where_inputs_depend_on_each_other():
    x = leaf(4, 3)
    weight = (x * x).sum(0)  # also an ancestor of the other input

    def f(norm):
        return (norm(x, weight) ** 2.0).sum()

    fused = lambda a, w: F.batch_norm(a, None, None, w, training=True)  # noqa: E731
    slow = lambda a, w: w * (a - a.mean(0)) / tc.sqrt(a.var(0, correction=0) + 1e-5)  # noqa: E731
    results = []
    for norm in (fused, slow):
        (g,) = tc.autograd.grad(f(norm), x, create_graph=True, retain_graph=True)
        (h,) = tc.autograd.grad((g * g).sum(), x, retain_graph=True)
        results.append((g.detach().numpy(), h.numpy()))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-9)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-9)


def test_a_million_nodes_on_a_small_stack():
    def walk(n):
        x = tc.ones(1, requires_grad=True)
        y = x
        for _ in range(n):
            y = y + 1.0
        y.backward()
        grad = x.grad.item()
        del y  # releasing the chain must not recurse either
        return grad

    results = []

    def run():
        results.append(walk(10_000))
        results.append(walk(1_000_000))

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert results == [1.0, 1.0]


def test_wide_fan_out_is_summed_in_place():
    x = leaf(10)
    parts = [x * float(k) for k in range(100)]
    tc.stack(parts).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.full(10, sum(range(100))))


@pytest.mark.parametrize("norm", ["batch_norm", "layer_norm", "rms_norm", "instance_norm"])
def test_a_hook_before_an_op_with_a_composite_runs_once(norm):
    """The composite is walked inside the vjp of the op: hooks belong to the outer walk."""
    function = getattr(tc.nn.functional, norm)
    arguments = {"batch_norm": (None, None, None, None, True)}.get(norm, ())
    arguments = arguments or ([4],) * (norm != "instance_norm")

    def gradients(scale):
        calls = []
        x = tc.tensor(np.random.default_rng(0).normal(size=(3, 2, 4)), requires_grad=True)
        y = x * 1.0
        y.register_hook(lambda g: (calls.append(1), g * scale)[1])
        y.retain_grad()
        loss = (function(y, *arguments) ** 3).sum()
        (g,) = tc.autograd.grad(loss, x, create_graph=True)
        assert len(calls) == 1
        (g * g).sum().backward()
        return g.detach().numpy(), x.grad.numpy()

    plain, scaled = gradients(1.0), gradients(10.0)
    np.testing.assert_allclose(scaled[0], 10 * plain[0])


@pytest.mark.parametrize("order", sorted(set(itertools.permutations("aaxx"))))
def test_arrays_that_vjps_return_are_added_to_recorded_gradients(order, scratch_ops):
    @op
    def stair(x):
        """y = ⌊x⌋, whose vjp is a constant array, although a gradient is recorded."""
        return np.floor(x)

    stair.defvjp(x=lambda g, x_shape: np.full(x_shape, 10.0))
    x = leaf(3)
    y = sum(stair(x) if name == "a" else x * x * x for name in order)
    (g,) = tc.autograd.grad(y.sum(), x, create_graph=True)
    np.testing.assert_allclose(g.detach(), 20 + 6 * x.detach() ** 2)
    (h,) = tc.autograd.grad(g.sum(), x)
    np.testing.assert_allclose(h, 12 * x.detach())
