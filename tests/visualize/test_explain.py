"""explain: the ops up to an error, the call that failed, and the shapes that met."""

import html
import sys

import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
import visualize
from tinygrad_cnn import nn


def failing(model, *inputs):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        visualize.trace(model, *inputs)
    return caught.value


class Net(nn.Module):
    def __init__(self, run):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
        self.fc = nn.Linear(9, 4)
        self.run = run

    def forward(self, x):
        return self.run(self, self.stem(x))


def mismatch(net, y):
    return net.fc(y.flatten(1))  # 8 features for 9


def test_the_call_that_failed_is_red_with_the_shapes_that_met():
    error = failing(Net(mismatch), tc.ones(3, 1, 4, 4))
    assert "visualize.explain(error)" in error.__notes__[0]
    picture = visualize.explain(error)
    graph = picture.graph
    names = [(n.name, n.status) for _, n in graph.ops()]
    assert names == [("conv2d", ""), ("relu", ""), ("reshape", ""), ("linear", "failed")]
    *_, failed = graph.nodes
    assert failed.rows[:3] == (
        ("input", "3x8", "error"), ("weight", "4x9", "error"), ("bias", "4", "error")
    )  # fmt: skip
    message = " ".join(words for name, words, _ in failed.rows if not name)
    assert message == " ".join(f"{type(error).__name__}: {error}".split())
    assert failed.cluster == "fc"
    assert "test_explain.py:" in failed.line
    assert failed.line.endswith("in mismatch")
    (edge,) = graph.inputs(len(graph.nodes) - 1)
    assert (graph.nodes[edge.source].name, edge.name) == ("reshape", "input")
    assert picture.title == f"{type(error).__name__} in linear"
    from visualize.palette import VERDICTS

    for look in ({}, {"layout": "slide"}, {"heat": "bytes"}):
        source = html.unescape(visualize.explain(error, **look).source)
        box = next(line for line in source.splitlines() if "! linear" in line)
        assert f'fillcolor="{VERDICTS["wrong"][0]}"' in box
        assert "weight 4x9" in box


@pytest.mark.parametrize(
    ("run", "name", "rows"),
    [
        (lambda net, y: y + tc.ones(5), "add", {"a": "3x2x2x2", "b": "5"}),
        (lambda net, y: y.reshape(7), "reshape", {"input": "3x2x2x2"}),
        (lambda net, y: tc.cat([y, y.flatten(1)]), "cat", {"tensors": "3x2x2x2, 3x8"}),
        (lambda net, y: y.flatten(1) @ tc.ones(9, 2), "matmul", {"input": "3x8", "other": "9x2"}),
        (lambda net, y: F.cross_entropy(y.flatten(1), tc.tensor([0, 1])), "cross_entropy",
         {"input": "3x8", "target": "2"}),
        (lambda net, y: F.conv2d(y, tc.ones(2, 3, 1, 1)), "conv2d",
         {"input": "3x2x2x2", "weight": "2x3x1x1"}),
    ],
)  # fmt: skip
def test_calls_of_every_form(run, name, rows):
    graph = visualize.explain(failing(Net(run), tc.ones(3, 1, 4, 4))).graph
    failed = graph.nodes[-1]
    assert failed.name == name
    assert {k: v for k, v, _ in failed.rows if k} == rows
    assert [n.name for _, n in graph.ops()][:2] == ["conv2d", "relu"]
    assert graph.inputs(len(graph.nodes) - 1)
    assert visualize.explain(failing(Net(run), tc.ones(3, 1, 4, 4))).render("svg")


def test_the_first_op_may_fail():
    graph = visualize.explain(failing(Net(mismatch), tc.ones(3, 7, 4, 4))).graph
    assert [(n.kind, n.name, n.shape) for n in graph.nodes[:-1]] == [
        ("constant", "input", (3, 7, 4, 4))
    ]
    assert graph.nodes[-1].name == "conv2d"
    assert graph.nodes[-1].cluster == "stem.0"


def test_an_error_outside_of_trace_and_the_last_one(monkeypatch):
    a, b = tc.ones(2, 3, requires_grad=True), tc.ones(2, 4)
    with pytest.raises(RuntimeError) as caught:
        a.exp() * b
    graph = visualize.explain(caught.value).graph
    assert [n.name for n in graph.nodes if n.kind != "leaf"] == ["exp", "b", "mul"]
    monkeypatch.setattr(sys, "last_value", caught.value, raising=False)
    assert visualize.explain().graph.nodes[-1].name == "mul"


def test_the_error_that_an_error_was_raised_from():
    try:
        try:
            nn.Linear(2, 2)(tc.ones(3, 3))
        except RuntimeError as error:
            raise KeyError("mine") from error
    except KeyError as error:
        failed = visualize.explain(error).graph.nodes[-1]
    assert failed.name == "linear"
    assert ("input", "3x3", "error") in failed.rows
    assert ("", "KeyError: 'mine'", "error") in failed.rows


def test_a_loss_may_fail_too():
    with pytest.raises(IndexError) as caught:
        visualize.trace(
            nn.Linear(2, 3), tc.ones(2, 2), loss=lambda y: F.cross_entropy(y, tc.tensor([0, 5]))
        )
    error = caught.value
    assert "visualize.explain(error)" in error.__notes__[0]
    assert [n.name for _, n in visualize.explain(error).graph.ops()] == ["linear", "cross_entropy"]


def test_errors_without_tensors():
    with pytest.raises(ValueError, match="explain: no error was raised"):
        visualize.explain(ValueError("never raised"))

    def broken(net, y):
        raise KeyError("mine")

    error = failing(Net(broken), tc.ones(3, 1, 4, 4))
    with pytest.raises(ValueError, match="no call with Tensors is in the traceback of KeyError"):
        visualize.explain(error)
