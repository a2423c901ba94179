"""The backward pass step by step, on the user's own graph."""

import numpy as np
import pytest

import tinygrad_cnn as tc
import visualize
from visualize.steps import MAX_NUMBERS, glance


def test_steps_by_hand():
    x = tc.tensor([1.0, 2.0], requires_grad=True)
    w = tc.tensor([3.0, 4.0], requires_grad=True)
    found = visualize.steps((x * w + x).sum(), names={"x": x, "w": w})
    assert [step.name for step in found] == ["sum", "add", "mul"]
    total, add, mul = found
    assert total.arrives.numbers == (1.0,)
    assert [(name, g.numbers) for _, name, g in total.leaves] == [("add", (1.0, 1.0))]
    assert [(name, g.numbers) for _, name, g in mul.leaves] == [
        ("x", (3.0, 4.0)),
        ("w", (1.0, 2.0)),
    ]
    names = [node.name for node in found.graph.nodes]
    assert {names[at]: g.numbers for at, g in add.filled.items()} == {"x": (1.0, 1.0)}
    assert {names[at]: g.numbers for at, g in mul.filled.items()} == {
        "x": (4.0, 5.0), "w": (1.0, 2.0)
    }  # fmt: skip
    assert x.grad.tolist() == [4.0, 5.0]
    assert w.grad.tolist() == [1.0, 2.0]
    assert len(found) == 3
    assert "mul  2, norm 1.414 [1, 1]" in str(found)


def test_gradients_go_to_the_users_names():
    """Not to the parameters of ops, which may be names that the user has given to others."""
    a, b = tc.ones(2, requires_grad=True), tc.ones(2, requires_grad=True)
    c = b + a
    d = (c * b).exp()
    found = visualize.steps(d.sum(), names={"a": a, "b": b, "c": c})
    assert [[name for _, name, _ in step.leaves] for step in found] == [
        ["exp"], ["mul"], ["c", "b"], ["b", "a"]
    ]  # fmt: skip
    assert "→ c  2, norm" in str(found)


def test_gradients_of_what_was_broadcast_have_its_shape():
    x, b = tc.ones(3, 2, requires_grad=True), tc.ones(2, requires_grad=True)
    found = visualize.steps((x + b).sum(), names={"x": x, "b": b})
    assert [g.shape for _, _, g in found[-1].leaves] == [(3, 2), (2,)]
    assert found[-1].leaves[1][2].numbers == (3.0, 3.0)


def test_one_tensor_used_as_both_inputs():
    w = tc.tensor([3.0], requires_grad=True)
    found = visualize.steps((w * w).sum(), names={"w": w})
    assert found[-1].filled[0].numbers == (6.0,)
    assert w.grad.tolist() == [6.0]


def test_it_is_a_real_backward():
    w = tc.ones(2, requires_grad=True)
    y = (w.exp() * 2).sum()
    visualize.steps(y, retain_graph=True)
    visualize.steps(y)
    np.testing.assert_allclose(w.grad.numpy(), 4 * np.exp([1.0, 1.0]), rtol=1e-6)
    with pytest.raises(RuntimeError, match="second time"):
        visualize.steps(y)
    with pytest.raises(RuntimeError, match="can be implicitly created only for scalar"):
        visualize.steps(w * 2)
    found = visualize.steps(w * 2, gradient=tc.tensor([1.0, 3.0]))
    assert found[0].arrives.numbers == (1.0, 3.0)


def test_a_function_with_two_outputs():
    class Both(tc.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, g, h):
            return g + 2 * h

    w = tc.ones(2, requires_grad=True)
    a, b = Both.apply(w)
    found = visualize.steps((a * b).sum(), names={"w": w})
    assert found[-1].filled[found.graph.nodes.index(found.graph.nodes[0])].numbers == (4.0, 4.0)
    assert found[-1].arrives is None  # two outputs have two cotangents


def test_glances():
    assert glance(np.arange(MAX_NUMBERS, dtype=np.float32)).numbers is not None
    large = glance(np.arange(MAX_NUMBERS + 1, dtype=np.float32))
    assert large.numbers is None
    assert large.png.startswith(b"\x89PNG")
    assert large.limit == MAX_NUMBERS
    assert glance(np.zeros((0, 3))).numbers == ()
