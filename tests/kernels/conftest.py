"""What the tests of both sets of kernels share."""

import pytest


@pytest.fixture(params=["vectorized", "compiled"], scope="module")
def k(request):
    """A set of kernels."""
    return pytest.importorskip(f"tinygrad_cnn.kernels.{request.param}", exc_type=ImportError)
