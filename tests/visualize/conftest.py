"""Shared by the tests of pictures."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def nets():
    """The models in nets.py."""
    spec = importlib.util.spec_from_file_location("nets", Path(__file__).parent / "nets.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
