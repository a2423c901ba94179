"""The matrix product: our own of middling matrices, BLAS's of small and of large ones.

For the weight of a linear layer our own takes 0.8 to 1 of the time of OpenBLAS, on one thread; and on two
nothing has to wake. Small products are over before the call is; large ones need both factors in panels.
"""

from .. import vectorized
from . import _matmul
from ._calls import FLOATS, address, aligned, lanes, padded, place, share, whole
from ._team import rest

LEAST, MOST = 1 << 20, 1 << 28  # multiply-adds of the products that are ours
THIN = 8  # rows, columns and terms at least
PANEL_BYTES = 1 << 17  # at most: with some of the rows, it stays in the L2 cache
ROWS = 12  # of a tile
LEAST_ROWS = 24  # of a unit: bringing its panel into order is little of the time
ROWS_BYTES = 1 << 20  # of a and y, that one of the rows stays in the L2 cache for all panels
UNITS = 8  # at least, for the threads to share
PIECES = 16  # for each thread: panels are few, and all take the same time


def matmul(a, b):
    """See `vectorized.matmul`."""
    products = a.size * b.shape[-1]
    if LEAST <= products <= MOST and a.ndim == b.ndim == 2 and is_plain(a) and is_plain(b):
        (M, K), N = a.shape, b.shape[1]
        if a.dtype == b.dtype and min(M, K, N) >= THIN and stays(K, N, a.dtype):
            return by_panels(a, b)
    if products >= vectorized.MANY_PRODUCTS:
        rest()
    return vectorized.matmul(a, b)


def is_plain(a):
    """Whether one of the axes is contiguous, of an array that the kernels read."""
    return a.dtype in FLOATS and a.flags.aligned and a.itemsize in a.strides


def width_of(columns, dtype):
    """How many columns a panel has: one or two vectors."""
    return lanes(dtype) * (1 if columns <= lanes(dtype) else 2)


def stays(terms, columns, dtype):
    """Whether a panel of so many rows stays in the cache."""
    return terms * width_of(columns, dtype) * dtype.itemsize <= PANEL_BYTES


def by_panels(a, b, y=None, bias=None):
    """The product of two matrices by our own kernel, in y if that is given, whose rows are contiguous.

    One axis of a is contiguous, and one of b.
    """
    dtype, (M, K), N = a.dtype, a.shape, b.shape[1]
    at_a, a_m, a_k = place(a)
    at_b, b_k, b_n = place(b)
    width = width_of(N, dtype)
    panels = -(-N // width)
    rows = min(-(-M * panels // UNITS), ROWS_BYTES // ((K + N) * dtype.itemsize))
    high = min(M, whole(max(rows, LEAST_ROWS), ROWS))
    y = aligned((M, N), dtype) if y is None else y
    bias = None if bias is None else padded(bias, N + width, dtype)
    common = (
        at_a, a_m, a_k, at_b, b_k, b_n, 0 if bias is None else address(bias), address(y),
        y.strides[0] // dtype.itemsize, M, K, N, width, high,
    )  # fmt: skip
    nbytes = _matmul.ZEROS + K * width * dtype.itemsize
    share(_matmul.multiply, dtype, common, panels * -(-M // high), M * K * N, nbytes, PIECES)
    return y
