"""Every function with special values, against what PyTorch gave, without PyTorch.

`special_forms` lists the calls, `special_cases` the kinds of values, and `special_differences` where
this package differs on purpose.
"""

import re

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F

from .record_special import FILE
from .special_cases import FORMS, LARGE_CASES, METHODS, kinds, run
from .special_differences import EXACT, PURPOSE, listed
from .special_runs import cases, difference, recorded


def test_the_recording_is_of_these_calls():
    counts = {text: len([*kinds(form)]) for text, form in FORMS.items()}
    again = "record again: python -m tests.conformance.record_special"
    assert {text: len(found) for text, found in recorded().items()} == {
        **counts, "large": len(LARGE_CASES),
    }, again  # fmt: skip
    assert FILE.stat().st_size < 2_000_000


@pytest.mark.parametrize("text", [*FORMS, "large"])
def test_special_values(text):
    wrong = []
    for name, wanted, given in cases(text):
        found = difference(wanted, given)
        if found is not None and listed(text, name, found, given) is None:
            wrong.append(f"{name}: {found}")
    assert not wrong, f"{text}\n" + "\n".join(wrong)


@pytest.mark.parametrize("entry", [*EXACT, *PURPOSE], ids=lambda entry: entry[0])
def test_each_listed_difference_is_there(entry):
    _, call, kind, _ = entry
    for text in recorded():
        if re.search(call, text):
            for name, wanted, given in cases(text, kind):
                found = difference(wanted, given)
                if found is not None and listed(text, name, found, given) is entry:
                    return
    if entry[0].startswith("rounding alone"):
        pytest.skip("no case differs in this way with these kernels")
    pytest.fail("no case differs in this way: delete the entry")


@pytest.mark.parametrize(
    "text", [t for t, (name, _) in METHODS.items() if hasattr(tc.Tensor, name)]
)
def test_a_method_does_what_its_function_does(text):
    for name, special in kinds(FORMS[text]):
        function = run(FORMS[text], special, tc, F)
        method = run(METHODS[text][1], special, tc, F)
        assert method.head == function.head, f"{text} | {name}: {method.message}"
        for a, b in zip(method.values, function.values, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=f"{text} | {name}")
