"""What the tests of the engine share."""

import pytest

from tinygrad_cnn.engine import registry


@pytest.fixture
def scratch_ops():
    """Ops that a test registers are taken away again."""
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)
