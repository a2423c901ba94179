"""Names that a package loads when they are asked for."""

import importlib
import sys
import types

import pytest

from tinygrad_cnn.compat.missing import not_here


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `scratch` with the submodules `rare` and `heavy`, which are loaded on access."""
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "__init__.py").write_text(
        "from tinygrad_cnn.compat.missing import not_here as _not_here\n"
        "often = 1\n"
        "_not_here(globals(), modules=('heavy',), names={'rare': ('Seldom', 'Never')})\n"
    )
    (tmp_path / "scratch" / "rare.py").write_text("class Seldom: pass\nclass Never: pass\n")
    (tmp_path / "scratch" / "heavy.py").write_text("weight = 1000\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("scratch")
    for name in [n for n in sys.modules if n.split(".")[0] == "scratch"]:
        del sys.modules[name]


def test_a_name_is_loaded_on_first_access(package):
    assert "scratch.rare" not in sys.modules
    assert package.Seldom is package.Seldom is sys.modules["scratch.rare"].Seldom
    assert vars(package)["Seldom"] is package.Seldom  # no function call from now on
    assert "scratch.heavy" not in sys.modules
    assert package.heavy.weight == 1000


def test_names_are_listed_before_they_are_loaded(package):
    assert {"Seldom", "Never", "heavy", "often"} <= set(dir(package))
    assert "scratch.rare" not in sys.modules


def test_import_star_takes_the_names_and_leaves_the_modules(package):
    there = {}
    exec("from scratch import *", there)
    assert {"Seldom", "Never", "often"} <= set(there)
    assert "scratch.heavy" not in sys.modules


def test_what_python_asks_for_is_no_name_of_pytorch():
    namespace = {"__name__": "scratch"}
    not_here(namespace)
    module = types.ModuleType("scratch")
    vars(module).update(namespace)
    with pytest.raises(AttributeError, match="module 'scratch' has no attribute '__path__'"):
        _ = module.__path__
    with pytest.raises(AttributeError, match="scratch has no 'Rocket': docs/coverage.md"):
        _ = module.Rocket
