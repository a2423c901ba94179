"""Matrix products, which BLAS does."""

from .. import vectorized
from ._team import rest


def matmul(a, b):
    """See `vectorized.matmul`. Threads that look for a next kernel would keep BLAS's from the cores."""
    rest()
    return vectorized.matmul(a, b)
