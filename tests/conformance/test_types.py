"""Calls about dtypes against PyTorch's recorded results."""

import json
import math

import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn

from .record_types import RESULTS
from .types_cases import CASES, outcome

RECORDED = json.loads(RESULTS.read_text())
EPSILON = 2.0**-7  # of bfloat16

# Results that differ on purpose: part of the name of a case, and the reason.
ROUNDED_ONCE = "the value or the gradient is rounded once here, and at each step in PyTorch"
DIFFERENT: dict[str, str] = {
    "torch.rsqrt(p)": ROUNDED_ONCE,
    "bfloat16: F.cosine_similarity(x, y)": ROUNDED_ONCE,
    "F.layer_norm(x": ROUNDED_ONCE,
    "F.group_norm(image": ROUNDED_ONCE,
    "F.binary_cross_entropy_with_logits(x": ROUNDED_ONCE,
}


def close(given, wanted, path):
    """Assert that numbers of bfloat16 agree up to a rounding or two of the largest of them."""
    pairs = [(float(a), float(b)) for a, b in zip(given, wanted, strict=True)]
    largest = max((abs(b) for _, b in pairs if math.isfinite(b)), default=0.0)
    for a, b in pairs:
        same = a == b or (math.isnan(a) and math.isnan(b))
        assert same or abs(a - b) <= EPSILON * max(abs(b), largest / 2), (path, given, wanted)


def agree(given, wanted, path, rounded):
    """Assert that two outcomes agree; numbers of bfloat16 up to rounding."""
    if isinstance(wanted, dict) and "numbers" in wanted and isinstance(given, dict):
        assert (given["dtype"], given["shape"]) == (wanted["dtype"], wanted["shape"]), path
        if rounded:
            close(given["numbers"], wanted["numbers"], path)
            return
    if isinstance(wanted, list) and isinstance(given, list):
        assert len(given) == len(wanted), path
        for k, (a, b) in enumerate(zip(given, wanted, strict=True)):
            agree(a, b, f"{path}[{k}]", rounded)
        return
    assert given == wanted, path


def test_the_recording_is_of_these_cases():
    assert list(RECORDED) == list(CASES), "run python -m tests.conformance.record_types"


def test_each_difference_is_of_a_case():
    assert [part for part in DIFFERENT if not any(part in name for name in CASES)] == []


@pytest.mark.parametrize("name", CASES)
def test_results_are_pytorchs(name):
    given, wanted = outcome(name, tc, nn, F), RECORDED[name]
    different = any(part in name for part in DIFFERENT)
    try:
        assert ("error" in given) == ("error" in wanted), (given, wanted)
        assert given.get("error") == wanted.get("error")
        agree(given.get("values"), wanted.get("values"), "", name.startswith("bfloat16"))
        for key in {*given.get("gradients", {}), *wanted.get("gradients", {})}:
            ours, theirs = given["gradients"].get(key), wanted["gradients"].get(key)
            if theirs is None:  # no gradient: here zeros
                assert not any(float(v) for v in ours["numbers"]), key
            elif ours is None:
                assert not any(float(v) for v in theirs["numbers"]), key
            else:
                agree(ours, theirs, f"gradient of {key}", True)
    except AssertionError:
        assert different
        return
    assert not different, "no difference any more"
