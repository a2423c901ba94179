"""Views: modules closed to a depth, small inputs in their op's box, the backward graph."""

import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
import visualize
from tinygrad_cnn import nn
from visualize.backward import backward, forward_and_backward
from visualize.view import close, inline


@pytest.fixture(scope="module")
def resnet(nets):
    model = nets.ResNet()
    return visualize.record(model(tc.ones(2, 3, 8, 8)).sum(), model)


def modules(graph):
    return [(n.name, n.members) for n in graph.nodes if n.kind == "module"]


def test_depth(resnet):
    assert modules(close(resnet, 0)) == [
        ("layer1", 14), ("layer2", 16), ("layer3", 16), ("layer4", 16)
    ]  # fmt: skip
    assert modules(close(resnet, 1))[:3] == [("layer1.0", 7), ("layer1.1", 7), ("layer2.0", 9)]
    assert modules(close(resnet, 2)) == [
        ("layer2.0.shortcut", 2), ("layer3.0.shortcut", 2), ("layer4.0.shortcut", 2)
    ]  # fmt: skip
    assert close(resnet, 5).nodes == resnet.nodes


def test_a_closed_module_sums_what_is_in_it(resnet):
    layer = next(n for n in close(resnet, 0).nodes if n.name == "layer1")
    inside = [n for _, n in resnet.ops() if "layer1" in resnet.chains()[n.cluster]]
    assert layer.kept() == sum(n.kept() for n in inside) > 0
    assert layer.rows == (("parameters", str(4 * (4 * 4 * 9) + 4 * (4 + 4)), "sum"),)
    assert layer.shape == (2, 4, 8, 8)


def test_edges_of_closed_modules(resnet):
    graph = close(resnet, 0)
    names = [n.name for n in graph.nodes]
    found = [(names[e.source], names[e.target]) for e in graph.edges]
    assert ("layer1", "layer2") in found
    assert found.count(("layer1", "layer2")) == 1  # both ways into the block are one edge
    assert len(set(found)) == len(found)


def test_a_negative_depth_is_an_error():
    with pytest.raises(ValueError, match="depth: wanted None or at least 0, got -1"):
        visualize.draw(tc.ones(1, requires_grad=True) * 2, depth=-1)


def test_small_inputs_stand_in_their_box():
    model, x = nn.Linear(3, 2), tc.ones(1, 3)
    graph = inline(visualize.record(model(x).mul(2.0), model, {"x": x}))
    linear, mul = [n for _, n in graph.ops()]
    assert linear.rows == (("weight", "2x3", "parameter"), ("bias", "2", "parameter"))
    assert mul.rows == (("b", "2", "constant"),)
    assert [n.name for n in graph.nodes] == ["x", "linear", "mul", "output"]


def test_shared_parameters_keep_their_box(nets):
    model = nets.Recurrent(2)
    graph = inline(visualize.record(model(tc.ones(1, 3)).sum(), model))
    assert [n.name for n in graph.nodes if n.kind == "parameter"] == ["cell.weight", "cell.bias"]


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


def test_saved_memory_is_counted_once():
    x = tc.ones(100, requires_grad=True)
    y = x.exp()
    graph = visualize.record((y * y.sin()).sum(), names={"x": x})
    kept = {n.name: [(s.name, s.own) for s in n.saved] for _, n in graph.ops()}
    assert kept["exp"] == [("y", True)]
    assert kept["sin"] == [("x", False)]  # the same array
    assert dict(kept["mul"]) == {"a": False, "b": True}
    assert sum(n.kept() for _, n in graph.ops()) == 2 * 400


def test_views_and_in_place_ops_are_marked():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def forward(self, x):
            y = self.fc(x)
            y += 1
            return F.relu(y.reshape(4), inplace=True)

    forms = {n.name: n.form for _, n in visualize.trace(Net(), tc.ones(2, 2)).graph.ops()}
    assert forms["linear"] == ""
    assert forms["add"] == forms["relu"] == "in place"
    assert forms["reshape"] == "view"
