"""The grid against PyTorch's recorded results, without PyTorch."""

import json

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn, optim

from .grid import CASES
from .grid_errors import SAME_WORDS
from .record import ARRAYS, FACTS

RECORDED = json.loads(FACTS.read_text())["cases"]
REFUSED = {"RuntimeError", "ValueError"}  # raised here where PyTorch asserts
STORE = np.load(ARRAYS)
KEYS: dict[int, list[str]] = {}
for stored in STORE.files:
    KEYS.setdefault(int(stored.partition(" ")[0]), []).append(stored)


def recorded(name):
    """PyTorch's recorded results."""
    number = list(CASES).index(name)
    return RECORDED[name] | {k.partition(" ")[2]: STORE[k] for k in KEYS.get(number, ())}


def same(key, given, wanted):
    """Assert that a value is the recorded one. A gradient of zeros equals no gradient."""
    if isinstance(wanted, str) and wanted == "unused":
        assert isinstance(given, str) or not np.any(given), f"{key}: {given}, wanted none"
    elif isinstance(given, str) and given == "unused":
        assert not np.any(wanted), f"{key}: none, wanted {wanted}"
    elif isinstance(wanted, np.ndarray):
        assert isinstance(given, np.ndarray), f"{key}: {given}, wanted {wanted}"
        assert given.shape == wanted.shape, f"{key}: shape {given.shape}, wanted {wanted.shape}"
        assert given.dtype == wanted.dtype, f"{key}: dtype {given.dtype}, wanted {wanted.dtype}"
        tolerance = 1e-5 if wanted.dtype == np.float32 else 1e-8
        scale = np.abs(wanted[np.isfinite(wanted)]).max(initial=1.0) if wanted.size else 1.0
        np.testing.assert_allclose(
            given, wanted, rtol=tolerance, atol=tolerance * min(scale, 1e6), err_msg=key
        )
    elif isinstance(wanted, float):
        assert given == pytest.approx(wanted, rel=1e-8, nan_ok=True), key
    else:
        assert given == wanted, key


def test_the_recording_is_of_this_grid():
    assert list(RECORDED) == list(CASES), "record again: python -m tests.conformance.record"


@pytest.mark.parametrize("name", list(CASES))
def test_case(name):
    wanted = recorded(name)
    given = CASES[name].run(tc, nn, F, optim)
    agree(given, wanted)


def agree(given, wanted):
    """Assert that two outcomes of a case are the same: values, gradients, or the type of the error."""
    if "error" in wanted or "error" in given:
        refused = {"AssertionError": REFUSED}.get(wanted.get("error"), {wanted.get("error")})
        assert given.get("error") in refused, f"{given}\nwanted {wanted}"
        return
    for key in sorted({*given, *wanted}):
        here, there = (
            x.get(key, "unused" if key.startswith("d") else None) for x in (given, wanted)
        )
        same(key, here, there)


@pytest.mark.parametrize("name", SAME_WORDS)
def test_messages_that_people_search_for_begin_as_pytorchs(name):
    given = CASES[name].run(tc, nn, F, optim)["message"]
    assert given.split()[:5] == RECORDED[name]["message"].split()[:5]
