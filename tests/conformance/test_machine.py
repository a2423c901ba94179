"""What scripts ask of a machine is answered as PyTorch's build for CPUs answers it.

`record_machine` writes the table `recorded/machine.json`.
"""

import json

import pytest

import tinygrad_cnn as tc

from .machine_cases import PROGRAMS, answer
from .record_machine import FILE

RECORDED = json.loads(FILE.read_text())

# Intended differences: the program, and the reason.
DIFFERENT: dict[str, str] = {
    "backends.mkl.is_available()": "PyTorch is built with it, this package is not",
    "backends.mkldnn.is_available()": "the same",
    "backends.openmp.is_available()": "the same",
}
OWN_FUNCTION = ("grad_fn=",)  # results whose text names the function of the graph
NO_WARNING = ("float16): seen", "skip_first_wait", "range(10): p.step()")
# Texts of PyTorch that tell of its build or its list of devices: here the same type, and other words.
INTERNAL = (
    "torch._C", "dummy base class", "nvidia-ml-py", "NVTX", "compiled without CUDA", "requires CUDA",
    "allocated_bytes", "privateuseone", "Could this error message be improved", "FunctionEventAvg",
    "treespec.unflatten", "Node keys mismatch", "Node arity", "running_mean should", "debug_mode",
    "before getting key averages", "sharing strategy", "torch.cuda.FloatTensor", "got int",
)  # fmt: skip


def test_the_table_is_up_to_date():
    assert list(RECORDED) == PROGRAMS, (
        "with PyTorch, run python -m tests.conformance.record_machine"
    )


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p not in DIFFERENT])
def test_the_answer_is_pytorchs(program):
    given, wanted = answer(program, tc), RECORDED[program]
    if "error" in wanted:
        assert given.get("error") == wanted["error"], given
        if not any(words in wanted["text"] for words in INTERNAL):
            assert wanted["text"].rstrip(".") in given["text"]
    else:
        value, expected = given.get("value"), wanted["value"]
        if any(words in expected for words in OWN_FUNCTION):
            value, expected = (text and text.partition("grad_fn=")[0] for text in (value, expected))
        assert value == expected, given
    if not any(words in program for words in NO_WARNING):
        assert given.get("warnings", []) == wanted.get("warnings", [])


@pytest.mark.parametrize("program", DIFFERENT)
def test_an_intended_difference_is_one(program):
    assert answer(program, tc) != RECORDED[program]


def test_pytorch_still_answers_so():
    torch = pytest.importorskip("torch")
    for program in PROGRAMS[:60]:
        assert answer(program, torch) == RECORDED[program], program
