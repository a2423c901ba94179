"""The results of gradient checks on a graph."""

import json
import subprocess
import sys

import pytest

import tinygrad_cnn as tc
import visualize


def found(error, second_order_error, verdict):
    return {"error": error, "second_order_error": second_order_error, "verdict": verdict}


REPORT = {
    "format": 2,
    "ops": {
        "tinygrad_cnn.ops.elementwise.exp": found(1e-9, None, None),
        "tinygrad_cnn.ops.elementwise.tanh": found(2e-9, None, None),
        "tinygrad_cnn.functions.unary.tanh": found(1e-9, 3e-6, None),
        "mul": found(0.2, None, "vjp wrong"),
        "mine.mul": found(1e-9, None, None),
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


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 1, "ops": {}}', '{"format": 2}', "3"])
def test_what_is_no_report(tmp_path, text):
    file = tmp_path / "report.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"report\.json: is no"):
        visualize.draw(tc.ones(1, requires_grad=True).exp(), verdicts=file)
