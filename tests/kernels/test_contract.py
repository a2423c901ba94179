"""The contract, the sets that implement it, and the choice of a set."""

import ast
import importlib.util
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_cnn import kernels
from tinygrad_cnn.kernels import contract


def python(script, **environment):
    return subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def kernels_as_they_were():
    before = kernels.current()
    yield
    kernels.use(before)


def test_use_and_current(kernels_as_they_were):
    kernels.use("vectorized")
    assert kernels.current() == "vectorized"
    assert kernels.conv2d is kernels.load("vectorized").conv2d
    with pytest.raises(ValueError, match=r"'vectorized'.*'fast'"):
        kernels.use("fast")
    assert kernels.current() == "vectorized"
    with pytest.raises(AttributeError, match="conv7d"):
        _ = kernels.conv7d


def test_the_sets_have_the_parameters_of_the_contract(k):
    for name in kernels.FUNCTIONS:
        declared = inspect.signature(getattr(contract, name)).parameters.values()
        own = inspect.signature(getattr(k, name)).parameters.values()
        assert [(p.name, p.kind, p.default) for p in own] == [
            (p.name, p.kind, p.default) for p in declared
        ], name


def test_every_kernel_is_documented_and_declared_to_editors():
    declared = {
        alias.name
        for node in ast.walk(ast.parse(Path(kernels.__file__).read_text()))
        if isinstance(node, ast.If)
        for imported in node.body
        if isinstance(imported, ast.ImportFrom)
        for alias in imported.names
    }
    assert declared == set(kernels.FUNCTIONS)
    assert all(getattr(contract, name).__doc__ for name in kernels.FUNCTIONS)


def test_a_set_must_have_all_kernels_and_no_others(monkeypatch):
    monkeypatch.setattr(contract, "_registered", {"vectorized": kernels.load("vectorized")})

    def matmul(a, b):
        return a @ b

    def conv7d():
        pass

    with pytest.raises(TypeError, match="'small' and the contract differ in .*conv2d"):
        contract.register("small", matmul)
    with pytest.raises(TypeError, match="differ in conv7d"):
        contract.register("large", conv7d, fallback="vectorized")


def test_a_set_falls_back_to_another(monkeypatch):
    full = kernels.load("vectorized")
    monkeypatch.setattr(contract, "_registered", {"vectorized": full})

    def matmul(a, b):
        return a @ b

    contract.register("compiled", matmul, fallback="vectorized")
    assert kernels.load("compiled").matmul is matmul
    assert kernels.load("compiled").conv2d is full.conv2d


def test_the_environment_chooses():
    script = "from tinygrad_cnn import kernels; print(kernels.current()); kernels.conv2d"
    assert python(script, TINYGRAD_CNN_KERNELS="vectorized").stdout == "vectorized\n"
    failed = python(script, TINYGRAD_CNN_KERNELS="quick")
    assert "ValueError" in failed.stderr
    assert "'quick'" in failed.stderr


def test_import_starts_nothing():
    script = """
import sys, threading
from tinygrad_cnn.kernels import vectorized
assert threading.active_count() == 1
assert not {"concurrent.futures", "numba", "threadpoolctl"} & set(sys.modules)
"""
    result = python(script)
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(not importlib.util.find_spec("numba"), reason="needs Numba")
def test_a_numba_that_cannot_be_imported_is_passed_by():
    script = """
import sys, warnings
sys.modules["llvmlite"] = None
from tinygrad_cnn import kernels
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    kernels.conv2d
assert kernels.current() == "vectorized"
assert "using the 'vectorized' ones" in str(caught[0].message)
"""
    result = python(script, TINYGRAD_CNN_KERNELS="")
    assert result.returncode == 0, result.stderr
