"""The engine: what is saved, the walk back, freeing, threads, scale."""

import functools
import gc
import sys
import threading
import weakref

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import graph
from tinygrad_cnn.nn import functional as F
from tinygrad_cnn.op import op, registry


@pytest.fixture
def scratch_ops():
    """Ops that a test registers are taken away again."""
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


def leaf(*shape, dtype=tc.float64, seed=0):
    rng = np.random.default_rng(seed)
    return tc.tensor(rng.standard_normal(shape), dtype=dtype, requires_grad=True)


# --- what is saved ---


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
    assert loss.grad_fn.parents[0].saved[1] is None  # the weight is not even kept
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


# --- the walk back ---


def test_gradients_of_a_diamond_add_up():
    x = leaf(3)
    a = x * 2.0
    ((a * a) + a + x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 8 * x.detach().numpy() + 3)


def test_gradients_accumulate_over_calls_in_the_same_tensor():
    x = leaf(3)
    (x * 2.0).sum().backward()
    first = x.grad
    (x * 3.0).sum().backward()
    assert x.grad is first
    np.testing.assert_array_equal(first.numpy(), np.full(3, 5.0))


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


def test_gradients_never_share_memory():
    x, y, seed = leaf(3), leaf(3), tc.ones(3, dtype=tc.float64)
    z = x + y  # both vjps return the cotangent itself
    z.backward(seed)
    arrays = [x.grad._array, y.grad._array, seed._array, x._array, y._array]
    for i, a in enumerate(arrays):
        assert not any(np.shares_memory(a, b) for b in arrays[:i])
    x.grad.mul_(0.0)
    assert y.grad.tolist() == [1.0] * 3
    assert seed.tolist() == [1.0] * 3


def test_a_gradient_that_a_hook_keeps_is_not_the_one_that_grows():
    x, seen = leaf(3), []
    x.register_hook(lambda g: seen.append(g))
    (x * 2.0).sum().backward()
    (x * 2.0).sum().backward()
    assert seen[0].tolist() == [2.0] * 3
    assert x.grad.tolist() == [4.0] * 3


def test_grads_are_whole_writable_arrays():
    x = leaf(3, 4)
    x.sum().backward()  # the vjp returns a broadcast view
    assert x.grad._array.flags.writeable
    assert x.grad._array.flags.owndata


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


def test_a_leaf_that_died_is_no_error():
    def loss():
        x = leaf(3)
        return (x * 2.0).sum()

    loss().backward()


def test_backward_to_some_inputs_leaves_the_others():
    x, y = leaf(3), leaf(3)
    (x * y).sum().backward(inputs=[x])
    assert x.grad is not None
    assert y.grad is None


# --- hooks ---


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


def test_retain_grad():
    x = leaf(2)
    y = x * 3.0
    y.retain_grad()
    (y * y).sum().backward()
    np.testing.assert_allclose(y.grad.numpy(), 2 * y.detach().numpy())
    with pytest.raises(RuntimeError, match="can't retain_grad"):
        tc.ones(2).retain_grad()


# --- a graph of the gradient ---


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
    weight = (x * x).sum(0)  # an ancestor of the other input

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


# --- registration ---


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


def test_vjps_that_ask_for_what_is_not_there_are_refused(scratch_ops):
    @op
    def half(x, *, by):
        return x / by

    with pytest.raises(TypeError, match="half has no input 'z'"):
        half.defvjp(z=lambda g: g)
    with pytest.raises(TypeError, match=r"the vjp for x takes \('g', 'other'\); wanted g first"):
        half.defvjp(x=lambda g, other: g)


def test_an_input_without_vjp_that_requires_grad_is_refused(scratch_ops):
    @op
    def weigh(x, w):
        return x * w

    weigh.defvjp(x=lambda g, w: g * w)
    with pytest.raises(NotImplementedError, match="weigh is not differentiable in w"):
        weigh(leaf(3), leaf(3))
    assert not weigh(tc.ones(3), tc.ones(3)).requires_grad


def test_vjps_registered_late_are_taken_up(scratch_ops):
    @op
    def twice(x):
        return x * 2

    twice(tc.ones(1))  # generated, with no vjp
    twice.defvjp(x=lambda g: g * 2)
    x = leaf(1)
    twice(x).backward()
    assert x.grad.tolist() == [2.0]


def test_an_op_of_a_taken_name_is_refused():
    with pytest.raises(ValueError, match="an op 'mul' exists"):

        @op
        def mul(a, b):
            return a


def test_operands_that_do_not_broadcast_are_named():
    with pytest.raises(RuntimeError, match=r"add: the size of one tensor.*a \(2,\), b \(3,\)"):
        tc.ones(2) + tc.ones(3)


# --- observers ---


def test_observers_see_ops_and_vjps_recorded_or_not():
    events = []

    class Log(tc.Observer):
        def op_ran(self, op, inputs, output, node):
            events.append((op.name, node is not None))

        def vjp_ran(self, node, g, gradients):
            events.append((node.op.name, "vjp"))

    x = leaf(2)
    with tc.observe(Log()):
        with tc.no_grad():
            x * 2.0
        (x * x).sum().backward()
    x * 2.0
    assert events == [
        ("mul", False), ("mul", True), ("sum", True), ("sum", "vjp"), ("mul", "vjp")
    ]  # fmt: skip


# --- modes and threads ---


def test_no_grad_in_all_its_forms():
    x = leaf(1)
    assert not tc.no_grad()(lambda: x * x)().requires_grad
    assert not tc.no_grad(lambda: x * x)().requires_grad

    @tc.no_grad()
    def steps():
        yield (x * x).requires_grad
        yield (x * x).requires_grad

    walk = steps()
    assert [next(walk), (x * x).requires_grad, next(walk)] == [False, True, False]
    with tc.no_grad():
        with tc.enable_grad():
            assert (x * x).requires_grad
        assert not (x * x).requires_grad
    with pytest.raises(KeyError), tc.no_grad():
        raise KeyError
    assert tc.is_grad_enabled()
    tc.set_grad_enabled(False)
    assert not (x * x).requires_grad
    tc.set_grad_enabled(True)
    with tc.set_grad_enabled(False):
        assert not tc.is_grad_enabled()
    assert tc.is_grad_enabled()
    decorated = tc.set_grad_enabled(False)(lambda: tc.is_grad_enabled())
    assert tc.is_grad_enabled()
    assert not decorated()


def test_grad_mode_belongs_to_the_thread():
    x, seen = leaf(1), []
    with tc.no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * x).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


def test_threads_that_share_a_leaf_lose_no_gradient():
    x = tc.ones(1, dtype=tc.float64, requires_grad=True)

    def work():
        for _ in range(200):
            (x * 1.0).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert x.grad.tolist() == [800.0]


# --- scale ---


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

    # Python 3.13 alone frees nested objects 10,000 deep before it defers, which wants a megabyte
    kib = 1024 if sys.version_info[:2] == (3, 13) else 256
    before = threading.stack_size(kib * 1024)
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


def test_writes_are_forgotten_when_their_storage_dies():
    gc.collect()
    before = len(graph.written)
    for _ in range(100):
        tc.ones(3).add_(1.0)
    assert len(graph.written) == before


@pytest.mark.parametrize(("more", "copied"), [(0, False), (8, False), (100, True)])
def test_a_gradient_is_copied_only_where_it_holds_more_memory(more, copied, scratch_ops):
    """Kernels ask for a few numbers more, to begin at a line of the cache."""
    places = []

    def vjp(g):
        memory = np.empty(40 + more)
        places.append(memory.ctypes.data)
        return np.multiply(g, 2, out=memory[:40])

    @op
    def doubled(x):
        """2 x, whose gradient lies at the beginning of more memory."""
        return x * 2

    doubled.defvjp(x=vjp)
    x = tc.ones(40, dtype=tc.float64, requires_grad=True)
    doubled(x).backward(tc.ones(40, dtype=tc.float64))
    assert (x.grad._array == 2).all()
    assert (x.grad._array.ctypes.data != places[0]) is copied


@pytest.mark.parametrize(("asks", "runs"), [("ab", 1), ("a", 1), ("b", 1), ("c", 0)])
def test_what_vjps_share_is_made_once_where_one_of_them_runs(asks, runs, scratch_ops):
    made = []

    def half(g, a):
        made.append(a)
        return g * a / 2

    @op(shared={"half": half})
    def product(a, b, c):
        """a b + c, by a roundabout way."""
        return a * b + c

    product.defvjp(
        a=lambda g, b, half: g * b + 0 * half, b=lambda g, half: half * 2, c=lambda g: g * 1
    )
    leaves = {n: tc.full((3,), 2.0).requires_grad_(n in asks) for n in "abc"}
    product(*leaves.values()).sum().backward()
    assert len(made) == runs
    assert all((leaves[n].grad == (1 if n == "c" else 2)).all() for n in asks)
