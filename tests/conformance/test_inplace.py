"""In-place operations case by case: values, gradients, versions and errors as PyTorch's.

The recordings are PyTorch's (record_inplace.py); where PyTorch is installed, it is asked anew.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from inplace_cases import PROGRAMS
from inplace_runs import outcome

import tinygrad_cnn as tc

try:
    import torch
except ImportError:
    torch = None

RECORDED = json.loads((Path(__file__).parent / "recorded" / "inplace.json").read_text())


def beginning(message):
    """A message up to where it tells numbers, names or advice."""
    return re.split(r"[\d\[(:]|\. ", message)[0].rstrip(". ")


def check(given, wanted):
    if "error" in wanted or "error" in given:
        assert given.get("error") == wanted.get("error"), (given, wanted)
        assert given["line"] == wanted["line"]
        assert beginning(wanted["message"]) in given["message"]
        return
    assert list(given) == list(wanted)
    for name, expected in wanted.items():
        same(given[name], expected, name)


def same(given, wanted, name):
    if not isinstance(wanted, dict):
        assert given == wanted, name
        return
    for key, expected in wanted.items():
        if key in ("value", "grad") and expected is not None and given[key] is not None:
            assert np.shape(given[key]) == np.shape(expected), (name, key)
            np.testing.assert_allclose(given[key], expected, rtol=1e-10, atol=1e-12, err_msg=name)
        else:
            assert given[key] == expected, (name, key)


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_recorded(name):
    check(outcome(PROGRAMS[name], tc), RECORDED[name])


@pytest.mark.skipif(torch is None, reason="asks PyTorch, where it is there")
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_recording_is_pytorchs(name):
    check(outcome(PROGRAMS[name], torch), RECORDED[name])


def test_every_program_is_recorded():
    assert list(RECORDED) == list(PROGRAMS)
