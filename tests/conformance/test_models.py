"""Models written for PyTorch, with changed imports: the same numbers as in PyTorch.

The recordings are PyTorch's (record_models.py); if PyTorch is installed, it runs again.
"""

import functools
import json
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cnn as tc

from .loading import IMPORTS, MODELS, changed
from .model_cases import CASES
from .model_runs import PARTS, description, digest, digests, run
from .script_runs import SCRIPTS

try:
    import torch

    torch.set_num_threads(1)  # these models are small
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="compares with PyTorch, where it is there")

RECORDED = Path(__file__).parent / "recorded"
WORDS = json.loads((RECORDED / "models.json").read_text())["cases"]
RTOL = 1e-8
PYTHON = {"mean"}  # a Python float, from item()


@functools.cache
def numbers():
    return dict(np.load(RECORDED / "models.npz"))


@functools.cache
def ours(name):
    return run(name, tc)


@pytest.mark.parametrize("name", CASES)
def test_names_shapes_and_text_are_pytorchs(name):
    given, wanted = json.loads(json.dumps(description(ours(name)))), WORDS[name]
    for what, expected in wanted.items():
        assert given[what] == expected, what
        if isinstance(expected, dict):
            assert list(given[what]) == list(expected)


@pytest.mark.parametrize("part", ["values", "gradients", "state"])
@pytest.mark.parametrize("name", CASES)
def test_numbers_are_pytorchs(name, part):
    compare(getattr(ours(name), part), numbers()[f"{name}/{part}"], PARTS[part])


@pytest.mark.parametrize("name", CASES)
def test_the_same_draws_make_the_same_first_weights(name):
    """Bounds, fans and the order of the draws in every constructor and init function."""
    compare(ours(name).initial, numbers()[f"{name}/initial"], PARTS["initial"])


def compare(arrays, recorded, first):
    """Arrays against their digests, each number up to RTOL of its array's norm.

    Gradients that cancel (of a bias before batch norm) are rounding in both: the tolerance is 1e-4
    of that of the largest norm.
    """
    found = [digest(x, first) for x in arrays.values()]
    assert sum(len(d) for d in found) == len(recorded)
    wanted = np.split(recorded, np.cumsum([len(d) for d in found])[:-1]) if found else []
    largest = max((w[-2] for w in wanted), default=0.0)
    for name, x, given, expected in zip(arrays, arrays.values(), found, wanted, strict=True):
        scale = max(expected[-2], 1e-4 * largest) * max(1.0, np.sqrt(x.size))
        np.testing.assert_allclose(given, expected, rtol=0, atol=RTOL * scale, err_msg=name)


@pytest.mark.parametrize("name", CASES)
def test_a_float32_model_stays_float32(name):
    result = run(name, tc, dtype="float32", steps=1)
    for part in ("values", "gradients", "state"):
        for what, x in getattr(result, part).items():
            assert x.dtype.kind != "f" or x.dtype == np.float32 or what in PYTHON, (part, what)


# --- Live -----------------------------------------------------------------------------------------


@needs_torch
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", CASES)
def test_every_gradient_is_pytorchs(name, seed):
    """All numbers, with other weights and data, and the gradients of the images too."""
    given, wanted = run(name, tc, seed, leaves=True), run(name, torch, seed, leaves=True)
    for part in ("values", "gradients", "state", "initial"):
        here, there = getattr(given, part), getattr(wanted, part)
        assert list(here) == list(there)
        largest = max((np.linalg.norm(x) for x in there.values()), default=0.0)
        for what, x in there.items():
            scale = max(np.linalg.norm(x), 1e-4 * largest)
            np.testing.assert_allclose(
                here[what], x, rtol=0, atol=RTOL * scale, err_msg=f"{part} {what}"
            )
    assert given.log == wanted.log
    assert given.text == wanted.text


@needs_torch
def test_the_recordings_are_those_of_the_cases_here():
    for name in ("lenet", "vae"):
        result = run(name, torch)
        assert json.loads(json.dumps(description(result))) == WORDS[name]
        for part, vector in digests(result).items():
            np.testing.assert_allclose(vector, numbers()[f"{name}/{part}"], rtol=1e-7, atol=1e-9)


# --- The loader -----------------------------------------------------------------------------------


def test_nothing_but_imports_is_changed():
    for path in (*MODELS.glob("*.py"), *SCRIPTS.glob("*.py")):
        source = path.read_text()
        assert "tinygrad" not in source
        before, after = source.splitlines(), changed(source).splitlines()
        different = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        assert all(a.strip().startswith(("import torch", "from torch")) for a, _ in different)
        assert all("tinygrad_cnn" in b for _, b in different)
        assert not any(line.strip().startswith(("import torch", "from torch")) for line in after)
    assert changed("import torch.nn as nn\nx = 'import torch'") == (
        "import tinygrad_cnn.nn as nn\nx = 'import torch'"
    )
    assert changed("import torch as th\nimport torchvision") == (
        "import tinygrad_cnn as th\nimport torchvision"
    )
    assert changed("try:\n    from torch import nn") == "try:\n    from tinygrad_cnn import nn"
    assert len(IMPORTS) == 3


def test_every_file_of_a_model_is_run():
    assert {case.file for case in CASES.values()} == {path.stem for path in MODELS.glob("*.py")}
