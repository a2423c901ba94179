"""Fixtures of the tests of the engine."""

import pytest

from tinygrad_cnn.engine import registry


@pytest.fixture
def scratch_ops():
    """Ops that a test registers are removed afterwards."""
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)
