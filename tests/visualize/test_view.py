"""Views: modules closed to a depth, small inputs inlined, early nodes cut."""

import pytest

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn
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
        ("layer2.0.downsample", 2), ("layer3.0.downsample", 2), ("layer4.0.downsample", 2)
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
    assert found.count(("layer1", "layer2")) == 1  # both paths into the block are one edge
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


def test_cut_keeps_every_edge_into_what_is_left():
    w = tc.ones(2, requires_grad=True)
    y = w.exp()
    graph = visualize.record(((y * y) + w).sum())
    short = visualize.cut(graph, 3)
    assert [node.name for node in short.nodes] == ["3 more nodes", "add", "sum", "output"]
    assert [(e.source, e.target) for e in short.edges] == [(0, 1), (0, 1), (1, 2), (2, 3)]
    assert visualize.cut(graph, 100) is graph
