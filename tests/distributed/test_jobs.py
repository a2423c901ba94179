"""Programs of two and three ranks: collectives and training."""

import pytest


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
    code, output = job(2, "mismatch.py", TINYGRAD_CNN_DISTRIBUTED_DEBUG="1")
    assert code == 0, output
    assert "checks passed on 2 ranks" in output
