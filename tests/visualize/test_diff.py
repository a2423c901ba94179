"""The difference between two graphs."""

import html

import pytest

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn


def run(*layers, size=4):
    model = nn.Sequential(*layers)
    return visualize.trace(model, tc.ones(2, size))


def test_no_difference():
    tc.manual_seed(0)
    d = visualize.diff(run(nn.Linear(4, 3), nn.ReLU()), run(nn.Linear(4, 3), nn.ReLU()))
    assert not d
    assert str(d) == "no difference"
    assert {n.status for n in d.picture.graph.nodes} == {""}


def test_added_removed_changed():
    before = run(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    after = run(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 5))
    d = visualize.diff(before, after)
    assert d.added == ["1.weight", "1.bias", "batch_norm in 1", "tanh in 2"]
    assert d.removed == ["relu in 1"]
    assert d.changed == ["3.weight: shape 3x8 → 5x8", "3.bias: shape 3 → 5"]
    assert d.follows == ["linear in 3: shape 2x3 → 2x5"]
    # 4·8 + 8 + 8·3 + 3 before; the batch norm's 16 more, and 8·5 + 5 instead of 8·3 + 3
    assert d.totals["parameters"] == (67, 101)
    assert d.totals["ops"] == (4, 5)
    lines = str(d).splitlines()
    assert lines[lines.index("these follow:") + 1] == "  ~ linear in 3: shape 2x3 → 2x5"
    assert lines[-1].startswith("ops 4 → 5, parameters 67 → 101, kept ")
    graph = d.picture.graph
    status = {n.name: n.status for n in graph.nodes}
    assert (status["batch_norm"], status["tanh"], status["relu"]) == ("added", "added", "removed")
    assert status["input"] == ""
    relu = next(at for at, n in enumerate(graph.nodes) if n.name == "relu")
    assert [graph.nodes[e.source].name for e in graph.edges if e.target == relu] == ["linear"]
    assert [graph.nodes[e.target].name for e in graph.edges if e.source == relu] == ["linear"]
    svg = d.picture.render("svg").decode()
    assert "stroke-dasharray" in svg  # of removed nodes
    for words in ("+ tanh", "- relu", "(~) linear", "+ added", "- removed", "parameters 67 → 101"):
        assert words in html.unescape(svg), words


def test_an_op_with_another_parameter_is_changed():
    d = visualize.diff(run(nn.Linear(4, 3)), run(nn.Linear(5, 3), size=5))
    linear = next(n for n in d.picture.graph.nodes if n.name == "linear")
    assert linear.status == "follows"
    assert d.changed == ["input: shape 2x4 → 2x5", "0.weight: shape 3x4 → 3x5"]
    assert linear.line == "weight shape 3x4 → 3x5"


def test_a_change_of_its_own_is_a_cause_also_where_an_input_changed():
    x = tc.ones(2, 3, requires_grad=True)
    d = visualize.diff(
        visualize.draw(x.exp().sum(dim=1)), visualize.draw(x.exp().tanh().sum(dim=0))
    )
    assert d.changed == ["sum: shape 2 → 3, dim 1 → 0"]
    assert d.follows == ["output: shape 2 → 3"]
    assert repr(d) == "<Difference +1 -0 ~1, 1 follow>"


def test_attributes():
    x = tc.ones(1, 1, 8, 8, requires_grad=True)
    pool = [visualize.draw(nn.functional.max_pool2d(x, k).sum()) for k in (2, 4)]
    (words,) = [w for w in visualize.diff(*pool).changed if w.startswith("max_pool2d")]
    assert "shape 1x1x4x4 → 1x1x2x2" in words
    assert "kernel_size 2, 2 → 4, 4" in words


def test_graphs_will_do_and_nothing_else():
    y = tc.ones(2, requires_grad=True).exp()
    assert not visualize.diff(visualize.record(y), visualize.draw(y))
    with pytest.raises(TypeError, match="expected a Picture or a Graph, got Tensor"):
        visualize.diff(y, y)
