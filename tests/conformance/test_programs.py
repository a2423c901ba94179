"""Drawn programs: values, gradients and the calls of hooks as PyTorch's (record_programs.py)."""

import json
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import Program
from tinygrad_cnn.testing.programs import oracle
from tinygrad_cnn.testing.programs.program import Outcome, difference

RECORDED = json.loads((Path(__file__).parent / "recorded" / "programs.json").read_text())


def arrays(table):
    return {name: None if x is None else np.asarray(x) for name, x in table.items()}


@pytest.mark.parametrize("number", RECORDED)
@pytest.mark.parametrize("library", [tc, oracle], ids=["tinygrad_cnn", "oracle"])
def test_a_program_computes_what_pytorch_does(number, library):
    entry = RECORDED[number]
    wanted = Outcome(
        arrays(entry["values"]), entry["requires_grad"], arrays(entry["gradients"]), entry["calls"]
    )
    found = difference(Program(tuple(entry["lines"])).run(library), wanted)
    assert found is None, f"{found}\n{Program(tuple(entry['lines']))}"


def test_the_recorded_programs_hold_all_that_they_should():
    text = "\n".join(line for entry in RECORDED.values() for line in entry["lines"])
    for part in (
        "hook('", "retain_grad", "checkpoint(lambda u", "checkpoint(lambda v", "layer_norm",
        "batch_norm", "rms_norm", "instance_norm", "create_graph=True", "inputs=", "autograd.grad",
    ):  # fmt: skip
        assert text.count(part) >= 5, part
