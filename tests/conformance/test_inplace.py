"""In-place operations case by case: values, gradients, versions and errors as PyTorch's.

The recordings are PyTorch's (record_inplace.py); if PyTorch is installed, it runs again.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cnn as tc

from . import saved_cases
from .inplace_cases import DIFFERENT, INSTEAD, PROGRAMS
from .inplace_runs import outcome

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="asks PyTorch, where it is there")


def recorded(name):
    return json.loads((Path(__file__).parent / "recorded" / name).read_text())


RECORDED, RECORDED_INSTEAD = recorded("inplace.json"), recorded("instead.json")
SAVED = recorded("saved.json")

# Writes that PyTorch allows and we refuse: we save the logits, PyTorch the log-softmax. And we
# divide a number by a tensor, where PyTorch multiplies it by the reciprocal.
REFUSED = {("F.cross_entropy(p, torch.tensor([0, 1]))", "p"), ("1.0 / p", "p")}


def beginning(message):
    """The beginning of a message, before numbers, names of types, or advice."""
    message = message.removeprefix("a view of ")  # of a leaf: here an assignment by index is none
    message = message.removeprefix("unsupported operation: ")
    return re.split(r"[\d\[(:]|\. | Float", message)[0].rstrip(". ")


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
            close(given[key], expected, f"{key} of {name}")
        else:
            assert given[key] == expected, (name, key)


def close(given, wanted, what):
    assert np.shape(given) == np.shape(wanted), what
    np.testing.assert_allclose(given, wanted, rtol=1e-10, atol=1e-12, err_msg=what)


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in DIFFERENT])
def test_as_recorded(name):
    check(outcome(PROGRAMS[name], tc), RECORDED[name])


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_is_different_is_so_for_a_reason(name):
    reason, instead = DIFFERENT[name]
    given = outcome(PROGRAMS[name], tc)
    with pytest.raises(AssertionError):
        check(given, RECORDED[name])
    if name in INSTEAD:
        check(given, RECORDED_INSTEAD[name])
    else:
        assert given["message"].startswith(instead), reason


@pytest.mark.parametrize("name", saved_cases.cases())
def test_a_write_is_refused_only_where_pytorch_refuses_it(name):
    statements, targets = saved_cases.cases()[name]
    wanted = SAVED[name]["gradients"]
    for written in (None, *targets):
        given = saved_cases.gradients(statements, tc, written)
        if given is None:
            assert written is not None
            assert not SAVED[name]["writable"][written] or (name, written) in REFUSED, written
            continue
        for g, w in zip(given, wanted, strict=True):
            assert (g is None) == (w is None)
            if w is not None:
                close(g, w, str(written))


# --- The recordings -------------------------------------------------------------------------------


@needs_torch
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_recording_is_pytorchs(name):
    check(outcome(PROGRAMS[name], torch), RECORDED[name])
    if name in INSTEAD:
        check(outcome(INSTEAD[name], torch), RECORDED_INSTEAD[name])


@needs_torch
def test_what_is_saved_is_recorded_as_pytorch_has_it():
    for name, (statements, targets) in saved_cases.cases().items():
        for written in targets:
            allowed = saved_cases.gradients(statements, torch, written) is not None
            assert allowed == SAVED[name]["writable"][written], (name, written)


def test_everything_is_recorded():
    assert list(RECORDED) == list(PROGRAMS)
    assert list(RECORDED_INSTEAD) == list(INSTEAD)
    assert list(SAVED) == list(saved_cases.cases())
    assert set(DIFFERENT) <= set(PROGRAMS)
