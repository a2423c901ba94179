"""checkpoint: the same numbers, with less memory."""

import contextlib
import threading
from functools import partial

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn as nn
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.utils.checkpoint import checkpoint, checkpoint_sequential


def saved_bytes(*tensors):
    """Bytes of the distinct arrays that the graph of some tensors saves."""
    arrays, seen, stack = {}, set(), [t._node for t in tensors]
    while stack:
        node = stack.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if node.op is not None:
            stack.extend(node.parents)
            arrays |= {id(a): a.nbytes for a in node.saved if isinstance(a, np.ndarray)}
    return sum(arrays.values())


def block(width=4):
    return nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, width), nn.Sigmoid())


def gradients(model, run, x):
    model.zero_grad()
    x = x.clone().requires_grad_()
    y = run(x)
    (y * y).sum().backward()
    return [y.detach(), x.grad, *[p.grad for p in model.parameters()]]


def same(here, there):
    for a, b in zip(here, there, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_outputs_and_gradients_are_those_without_it():
    model, x = block(), tc.randn(3, 4)
    same(gradients(model, lambda x: checkpoint(model, x), x), gradients(model, model, x))
    nested = lambda x: checkpoint(lambda x: checkpoint(model[2:], checkpoint(model[:2], x)), x)  # noqa: E731
    same(gradients(model, nested, x), gradients(model, model, x))
    for segments in (1, 2, 3, 4):
        run = lambda x: checkpoint_sequential(model, segments, x, use_reentrant=False)  # noqa: B023, E731
        same(gradients(model, run, x), gradients(model, model, x))


def test_only_the_arguments_are_kept():
    model, x = nn.Sequential(*[block() for _ in range(4)]), tc.randn(3, 4)
    plain = model(x)
    run = checkpoint(model, x)
    assert saved_bytes(run) == x.numpy().nbytes < saved_bytes(plain) / 10
    run.sum().backward()
    assert run._node.parents[0].saved is None  # and freed after backward
    with pytest.raises(RuntimeError, match="a second time"):
        run.sum().backward()


def test_dropout_draws_the_same_again_and_the_generator_goes_on():
    def run(x):
        return nn.functional.dropout(x * 2.0, 0.5)

    x = tc.ones(64, requires_grad=True)
    tc.manual_seed(3)
    y = checkpoint(run, x)
    state = tc.get_rng_state()
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy() * 1.0, y.detach().numpy())
    np.testing.assert_array_equal(tc.get_rng_state(), state)


def test_several_inputs_and_outputs_keywords_and_what_is_closed_over():
    w = tc.tensor([2.0, 3.0], requires_grad=True)
    scaled = w * 2.0  # not an argument, and not a leaf
    a, b = tc.tensor([1.0, 2.0], requires_grad=True), tc.tensor([5.0, 7.0], requires_grad=True)

    def part(a, power, *, b, on):
        assert on == "yes"
        return a**power * scaled, (a * b).sum(), a > 1

    y, z, mask = checkpoint(part, a, 3, b=b, on="yes")
    assert mask.tolist() == [False, True]
    assert not mask.requires_grad
    (y.sum() + z).backward()
    assert a.grad.tolist() == [3 * 4.0 + 5, 12 * 6.0 + 7]
    assert b.grad.tolist() == [1.0, 2.0]
    assert w.grad.tolist() == [2.0, 16.0]
    (g,) = tc.autograd.grad(checkpoint(part, a, 3, b=b, on="yes")[1], [b])
    assert g.tolist() == [1.0, 2.0]
    assert b.grad.tolist() == [1.0, 2.0]


def test_gradients_of_gradients():
    x, w = np.random.default_rng(0).standard_normal((2, 3, 3))
    fn = lambda x, w: checkpoint(lambda x: tc.tanh(x @ w) * x, x)  # noqa: E731
    check_vjp(fn, x, w)
    check_second_order(fn, x, w)


def test_nothing_is_recorded_where_nothing_needs_it():
    assert not checkpoint(tc.exp, tc.ones(2)).requires_grad
    with tc.no_grad():
        assert not checkpoint(tc.exp, tc.ones(2, requires_grad=True)).requires_grad


def test_errors():
    x = tc.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match="must return a Tensor or a tuple"):
        checkpoint(lambda x: [x], x)
    calls = []

    def moody(x):
        calls.append(x)
        return x[: len(calls)] * 2.0

    with pytest.raises(RuntimeError, match="it must do the same again"):
        checkpoint(moody, x).sum().backward()
    y = x * 1.0
    z = checkpoint(tc.exp, y)
    y += 1.0
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()
    with pytest.raises(ValueError, match="segments must be from 1 to 2"):
        checkpoint_sequential([tc.exp, tc.sin], 3, x)


def test_threads_share_no_generator_state_by_accident():
    x = tc.ones(8, requires_grad=True)
    results = []

    def work():
        results.append(tc.autograd.grad(checkpoint(tc.sin, x * 2.0).sum(), x)[0].tolist())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(results) == 4
    assert all(r == results[0] for r in results)


def test_the_contexts_surround_the_first_and_the_second_run():
    log = []

    @contextlib.contextmanager
    def noted(name):
        log.append(f"enter {name}")
        yield
        log.append(f"leave {name}")

    x = tc.ones(2, requires_grad=True)
    y = checkpoint(tc.exp, x, context_fn=lambda: (noted("first"), noted("second")))
    assert log == ["enter first", "leave first"]
    y.sum().backward()
    assert log[2:] == ["enter second", "leave second"]
    with tc.no_grad():
        checkpoint(tc.exp, x, context_fn=lambda: (noted("alone"), noted("never")))
    assert log[4:] == ["enter alone", "leave alone"]


def test_pytorchs_other_arguments_do_not_reach_the_function():
    x = tc.ones(2, requires_grad=True)
    y = checkpoint(tc.exp, x, use_reentrant=False, determinism_check="none", early_stop=False)
    assert y.equal(tc.exp(x))
    with pytest.raises(ValueError, match="should be one of 'default' and 'none' but got 'strict'"):
        checkpoint(tc.exp, x, determinism_check="strict")
    with pytest.raises(NotImplementedError, match="debug=True is not supported"):
        checkpoint(tc.exp, x, debug=True)


def halving(x, calls):
    """Register a hook that halves the gradient of x and counts its calls."""

    def hook(g):
        calls.append(1)
        return g / 2

    x.register_hook(hook)
    return x


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_hook_of_what_a_checkpoint_uses_runs_once(depth):
    calls = []
    w = halving(tc.ones(1, requires_grad=True), calls)
    x = halving(tc.ones(1, requires_grad=True), calls)
    y = halving(x * 3, calls)

    def part(z):
        return w * z

    for _ in range(depth):
        part = partial(checkpoint, part)
    (part(y) + y).backward()
    assert w.grad.tolist() == [1.5]
    assert x.grad.tolist() == [1.5]  # (1 + 1) · 1/2 · 3 · 1/2
    assert len(calls) == 3


def test_retain_grad_inside_a_checkpoint():
    seen = []

    def part(x):
        h = tc.sin(x)
        h.retain_grad()
        seen.append(h)
        return h.exp()

    x = tc.tensor([0.5], requires_grad=True)
    checkpoint(part, x).backward()
    first, again = seen
    assert first.grad.item() == pytest.approx(np.exp(np.sin(0.5)), rel=1e-6)
    assert again.grad is None


def second_order(depth, clip):
    """The gradients of a squared gradient, and how often a hook ran in each of three walks."""
    calls = []

    def hook(g):
        calls[-1] += 1
        return g.clamp(-0.5, 0.5) if clip else g * 2.0

    def part(x):
        h = x * w
        h.register_hook(hook)
        return tc.sin(h)

    for _ in range(depth):
        part = partial(checkpoint, part)
    w = tc.tensor([0.7, -1.2], dtype=tc.float64, requires_grad=True)
    x = tc.tensor([0.3, 2.0], dtype=tc.float64, requires_grad=True)
    calls.append(0)
    (g,) = tc.autograd.grad(part(x).exp().sum(), x, create_graph=True)
    for retain_graph in (True, False):
        calls.append(0)
        (g * g).sum().backward(retain_graph=retain_graph)
    return x.grad.numpy(), w.grad.numpy(), calls


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("clip", [False, True])
def test_second_derivatives_meet_a_hook_inside_once(depth, clip):
    """exp saves the output, which leads to the checkpoint; the gradient leads to its second run."""
    found, wanted = second_order(depth, clip), second_order(0, clip)
    assert found[2] == wanted[2] == [1, 1, 1]
    for ours, plain in zip(found[:2], wanted[:2], strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-12)


@pytest.mark.parametrize("depth", [1, 2])
def test_a_second_run_whose_values_were_written_is_stale(depth):
    """Its nodes have old numbers: the moment of their creation decides."""
    x = tc.tensor([0.3, 2.0], requires_grad=True)
    inside = []

    def part(x):
        h = (x * 1.0).relu_()
        inside.append(h)
        return h.exp().sin()

    for _ in range(depth):
        part = partial(checkpoint, part)
    (g,) = tc.autograd.grad(part(x).exp().sum(), x, create_graph=True)
    g.sum().backward(retain_graph=True)  # relu_ in the second run is no write after its nodes
    with tc.no_grad():
        inside[-1].zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        g.sum().backward()
