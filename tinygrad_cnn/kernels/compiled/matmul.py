"""The matrix product: our own of middling matrices, BLAS's of small and of large ones.

For the weight of a linear layer our own takes 0.8 to 1 of the time of OpenBLAS, on one thread; and on two
nothing has to wake. Small products are over before the call is; large ones need both factors in panels.
"""

from .. import vectorized
from . import _matmul
from ._calls import FLOATS, address, aligned, lanes, place, share
from ._team import rest

LEAST, MOST = 1 << 20, 1 << 26  # multiply-adds of the products that are ours
THIN = 8  # rows, columns and terms at least
PANEL_BYTES = 1 << 17  # at most: with some of the rows, it stays in the L2 cache
ROWS = 12  # of a tile
PIECES = 16  # for each thread: panels are few, and all take the same time


def matmul(a, b):
    """See `vectorized.matmul`."""
    products = a.size * b.shape[-1]
    if LEAST <= products <= MOST and a.ndim == b.ndim == 2 and is_plain(a) and is_plain(b):
        nbytes = a.shape[1] * width_of(b) * b.itemsize
        if a.dtype == b.dtype and min(*a.shape, b.shape[1]) >= THIN and nbytes <= PANEL_BYTES:
            return by_panels(a, b)
    if products >= vectorized.MANY_PRODUCTS:
        rest()
    return vectorized.matmul(a, b)


def is_plain(a):
    """Whether one of the axes is contiguous, of an array that the kernels read."""
    return a.dtype in FLOATS and a.flags.aligned and a.itemsize in a.strides


def width_of(b):
    """How many columns a panel has: one or two vectors."""
    return lanes(b.dtype) * (1 if b.shape[1] <= lanes(b.dtype) else 2)


def by_panels(a, b):
    """The product of two matrices by our own kernel."""
    dtype, (M, K), N = a.dtype, a.shape, b.shape[1]
    at_a, a_m, a_k = place(a)
    at_b, b_k, b_n = place(b)
    width = width_of(b)
    panels = -(-N // width)
    high = M if panels >= 8 else -(-M // (8 * ROWS)) * ROWS
    y = aligned((M, N), dtype)
    common = at_a, a_m, a_k, at_b, b_k, b_n, address(y), M, K, N, width, high
    nbytes = _matmul.ZEROS + K * width * dtype.itemsize
    share(_matmul.multiply, dtype, common, panels * -(-M // high), M * K * N, nbytes, PIECES)
    return y
