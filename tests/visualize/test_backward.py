"""The backward graph, alone and with the forward graph."""

import pytest

import tinygrad_cnn as tc
import visualize
from visualize.backward import backward, forward_and_backward


def test_backward_graph_by_hand():
    x, w = tc.ones(2, 3), tc.ones(3, 4, requires_grad=True)
    b = tc.ones(4, requires_grad=True)
    h = x @ w + b
    graph = backward(visualize.record((h * h).sum(), names={"x": x, "w": w, "b": b}))
    names = [(n.kind, n.name) for n in graph.nodes]
    assert names == [
        ("output", "output"), ("vjp", "sum"), ("vjp", "mul"), ("vjp", "add"), ("vjp", "matmul"),
        ("gradient", "w"), ("gradient", "b"),
    ]  # fmt: skip
    assert [(names[e.source][1], names[e.target][1], e.name) for e in graph.edges] == [
        ("output", "sum", "seed"), ("sum", "mul", "x"), ("mul", "add", "a"), ("mul", "add", "b"),
        ("add", "matmul", "a"), ("matmul", "w", "b"), ("add", "b", "b"),
    ]  # fmt: skip
    assert "ā = ȳ · b" in graph.nodes[2].formula


def test_backward_and_forward_on_one_picture(nets):
    model, x = nets.LeNet(), tc.ones(2, 1, 8, 8)
    graph = visualize.record(model(x).sum(), model)
    both = forward_and_backward(graph)
    ops = list(graph.ops())
    assert sum(n.kind == "vjp" for n in both.nodes) == len(ops)
    saves = [e for e in both.edges if e.kind == "saved"]
    assert len(saves) == len(ops)
    assert all(both.nodes[e.source].name == both.nodes[e.target].name for e in saves)
    assert [both.nodes[e.source].name for e in saves if not e.kept] == ["sum", "reshape"]


@pytest.mark.parametrize("phase", ["forward", "backward", "both"])
@pytest.mark.parametrize("depth", [None, 0, 1])
def test_each_phase_draws_at_each_depth(nets, phase, depth):
    model = nets.ResNet()
    picture = visualize.draw(model(tc.ones(2, 3, 8, 8)).sum(), model, phase=phase, depth=depth)
    assert picture.render().startswith(b"<svg")


def test_tooltips_of_vjps_have_the_formula():
    x = tc.ones(2, requires_grad=True)
    source = visualize.draw((x * x).sum(), phase="backward").source
    assert "ā = ȳ · b" in source
    assert "b̄ = ȳ · a" in source
