"""Differences between two graphs, and verdicts of gradient checks on one."""

import json
import subprocess
import sys

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
    assert d.changed == [
        "3.weight: shape 3x8 → 5x8", "3.bias: shape 3 → 5", "linear in 3: shape 2x3 → 2x5"
    ]  # fmt: skip
    graph = d.picture.graph
    status = {n.name: n.status for n in graph.nodes}
    assert (status["batch_norm"], status["tanh"], status["relu"]) == ("added", "added", "removed")
    assert status["input"] == ""
    relu = next(at for at, n in enumerate(graph.nodes) if n.name == "relu")
    assert [graph.nodes[e.source].name for e in graph.edges if e.target == relu] == ["linear"]
    assert [graph.nodes[e.target].name for e in graph.edges if e.source == relu] == ["linear"]
    svg = d.picture.render("svg").decode()
    assert "stroke-dasharray" in svg  # what was removed
    assert "added" in svg


def test_an_op_with_another_parameter_is_changed():
    d = visualize.diff(run(nn.Linear(4, 3)), run(nn.Linear(5, 3), size=5))
    linear = next(n for n in d.picture.graph.nodes if n.name == "linear")
    assert linear.status == "changed"
    assert linear.line == "weight shape 3x4 → 3x5"


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


# --- Verdicts -----------------------------------------------------------------------------------

REPORT = {
    "format": 1,
    "ops": {
        "exp": {"error": 1e-9, "second_order_error": None, "verdict": None},
        "tanh": {"error": 1e-9, "second_order_error": 3e-6, "verdict": None},
        "mul": {"error": 0.2, "second_order_error": None, "verdict": "vjp wrong"},
    },
    "checks": [],
}


def test_verdicts_colour_ops(tmp_path):
    from visualize.heat import colours
    from visualize.palette import VERDICTS

    file = tmp_path / "report.json"
    file.write_text(json.dumps(REPORT))
    x = tc.ones(3, requires_grad=True)
    picture = visualize.draw((x.exp().tanh() * 2).sum(), verdicts=file, heat="verdict")
    found, key = colours(picture.graph, "verdict")
    names = {picture.graph.nodes[at].name: pair for at, pair in found.items()}
    assert names == {
        "exp": VERDICTS["right"], "tanh": VERDICTS["doubtful"], "mul": VERDICTS["wrong"],
        "sum": VERDICTS["not checked"],
    }  # fmt: skip
    assert [words for _, words in key.steps] == ["right", "doubtful", "wrong", "not checked"]
    assert "check failed: vjp wrong" in picture.source
    assert "checked, worst error 3.0e-06" in picture.source


def test_the_report_that_pytest_writes(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import pytest, tinygrad_cnn as tc\n"
        "from tinygrad_cnn.testing import check_op\n"
        "def test_tanh(): check_op(tc.tanh)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py",
               "--gradcheck-report=found.json"]  # fmt: skip
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    y = tc.ones(3, requires_grad=True).tanh()
    graph = visualize.draw(y, verdicts=tmp_path / "found.json").graph
    (node,) = [node for _, node in graph.ops()]
    assert node.verdict.failed is None
    assert 0 < node.verdict.error < 1e-5


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 2, "ops": {}}', '{"format": 1}', "3"])
def test_what_is_no_report(tmp_path, text):
    file = tmp_path / "report.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"report\.json: is no"):
        visualize.draw(tc.ones(1, requires_grad=True).exp(), verdicts=file)
