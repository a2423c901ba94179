"""Programs of two and three ranks: collectives and training."""

import re
import sys
from pathlib import Path

import pytest

LAUNCHER = [sys.executable, "-m", "tinygrad_cnn.distributed.run", "-n", "2"]
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("ranks", [2, 3])
@pytest.mark.parametrize("program", ["collectives.py", "training.py"])
def test_all_checks_of_a_program_pass(job, program, ranks):
    code, output = job(ranks, program)
    assert code == 0, output
    assert f"checks passed on {ranks} ranks" in output


def test_the_recorded_models_have_the_gradients_of_one_process(job):
    code, output = job(2, "recorded.py")
    assert code == 0, output
    assert "checks passed on 2 ranks" in output


def test_debug_mode_names_both_sides_of_a_mismatch(job):
    for program in ("mismatch.py", "collectives.py"):  # which makes equal calls
        code, output = job(2, program, TINYGRAD_CNN_DISTRIBUTED_DEBUG="1")
        assert code == 0, output
        assert "checks passed on 2 ranks" in output


@pytest.mark.parametrize(("script", "arguments"), [("minimal.py", ["2"]), ("images.py", [])])
@pytest.mark.parametrize("launched", [False, True])
def test_scripts_for_pytorch_train_with_their_imports_changed(job, launched, script, arguments):
    launcher = LAUNCHER if launched else [job.mpiexec, "-n", "2", sys.executable]
    code, output = job(2, "script.py", script, *arguments, launcher=launcher)
    lines = [line for line in output.splitlines() if "means MPI here" not in line]
    assert (code, lines[-1]) == (0, "trained"), output


def test_training_continues_with_another_number_of_ranks(job, tmp_path):
    """The loss of each epoch is that of a run without a break, to rounding."""
    example, file = str(EXAMPLES / "train_distributed.py"), str(tmp_path / "run.pt")
    options = ["--batch-size", "128"]
    _, whole = job(2, example, "--epochs", "3", *options)
    code, first = job(4, example, "--epochs", "2", "--save", file, *options)
    assert code == 0, first
    code, rest = job(2, example, "--epochs", "3", "--save", file, *options)
    assert code == 0, rest
    losses = [re.findall(r"loss ([\d.]+)", text) for text in (whole, first + rest)]
    assert len(losses[0]) == len(losses[1]) == 3
    for a, b in zip(*losses, strict=True):
        assert float(a) == pytest.approx(float(b), rel=1e-3)
    assert losses[0][-1] < losses[0][0]
