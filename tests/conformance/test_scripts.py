"""Scripts written for PyTorch, with changed imports: the same losses and the same output.

The recordings are PyTorch's (record_scripts.py). Both libraries get the same random numbers
(randomness.py); the scripts do not know.
"""

import functools
import json
import math
import re
import statistics

import pytest

import tinygrad_cnn as tc

from .record_scripts import RECORDED
from .script_cases import SCRIPTS
from .script_runs import SCRIPTS as FILES, Run, run

RTOL = {"float64": 1e-6, "float32": 1e-3}


@functools.cache
def recorded():
    return json.loads(RECORDED.read_text())["scripts"]


@pytest.mark.parametrize(
    "name, dtype", [(name, dtype) for name, script in SCRIPTS.items() for dtype in script.dtypes]
)
def test_losses_and_output_are_pytorchs(name, dtype):
    runs = run(SCRIPTS[name], tc, dtype)
    wanted = [Run(**one) for one in recorded()[name][dtype]]
    for given, expected in zip(runs, wanted, strict=True):
        assert given.losses == pytest.approx(expected.losses, rel=RTOL[dtype], abs=0)
        assert given.words() == expected.words()
        for here, there in zip(given.numbers(), expected.numbers(), strict=True):
            assert printed_equal(here, there, RTOL[dtype]), f"{here}, not {there}"


def printed_equal(here, there, rtol):
    """Equal up to `rtol`, and up to 1 in the last digit that is printed."""
    mantissa, _, exponent = there.partition("e")
    last = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2])) if "." in there else 0.0
    return math.isclose(float(here), float(there), rel_tol=rtol, abs_tol=1.01 * last)


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_learns(name):
    """With nothing set: random seeds, float32, default arguments of all functions that draw."""
    script = SCRIPTS[name]
    (found,) = run(script, tc, "float32", seed=None)
    assert all(map(math.isfinite, found.losses))
    values = measured(script, found.text)
    before, after = values[0], statistics.median(values[len(values) // 2 :])
    assert after > before if script.rises else after < before


def measured(script, text):
    return [float(x) for x in re.findall(script.measure + r"([-+\d.e]+)", text, re.MULTILINE)]


@pytest.mark.parametrize("dtype", RTOL)
def test_a_resumed_run_continues_as_if_it_had_not_stopped(dtype):
    (whole,) = run(SCRIPTS["classifier"], tc, dtype)
    first, second, _ = run(SCRIPTS["classifier, resumed"], tc, dtype)
    assert first.losses + second.losses == whole.losses
    assert second.text.splitlines()[-3:] == whole.text.splitlines()[-3:]


def test_every_script_is_run_and_recorded():
    assert {script.file for script in SCRIPTS.values()} == {
        path.stem for path in FILES.glob("*.py")
    }
    assert {name: tuple(found) for name, found in recorded().items()} == {
        name: script.dtypes for name, script in SCRIPTS.items()
    }
    for name, script in SCRIPTS.items():
        for runs in recorded()[name].values():
            assert len(runs) == len(script.runs)
            assert runs[0]["losses"]


@pytest.mark.parametrize(
    "name", ["siamese", "vae", "packed sequences, LSTM", "transformer", "actor critic"]
)
def test_the_recordings_are_those_of_the_scripts_here(name):
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    for given, expected in zip(run(SCRIPTS[name], torch), recorded()[name]["float64"], strict=True):
        assert given.losses == pytest.approx(expected["losses"], rel=1e-7)
        assert given.words() == Run(**expected).words()
