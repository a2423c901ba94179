"""The matrix product: our own for middling matrices, BLAS for small and for large ones.

For the weight of a linear layer our own takes 0.8 to 1 of the time of OpenBLAS on one thread, and
on two no Python thread has to wake. A small product is over before the call is. A large one would
need both factors packed.
"""

from .. import tuning as shared
from . import tuning
from .calls import FALLBACK, FLOATS, address, aligned, lanes, padded, pointer, round_up, share
from .loops import matmul as loops
from .loops.product import ZEROS_BYTES
from .team import rest


def matmul(a, b):
    """By our own product, or by the fallback's, which uses BLAS."""
    multiply_adds = a.size * b.shape[-1]
    middling = tuning.LEAST_MULTIPLY_ADDS <= multiply_adds <= tuning.MOST_MULTIPLY_ADDS
    if middling and a.ndim == b.ndim == 2 and is_readable(a) and is_readable(b):
        (M, K), N = a.shape, b.shape[1]
        thick = min(M, K, N) >= tuning.LEAST_SIDE
        if a.dtype == b.dtype and thick and panel_fits(K, N, a.dtype):
            return by_panels(a, b)
    if multiply_adds >= shared.SHARED_PRODUCT_MULTIPLY_ADDS:
        rest()
    return FALLBACK.matmul(a, b)


def is_readable(a):
    """Whether the loops can read a matrix: one of its axes must be contiguous."""
    return a.dtype in FLOATS and a.flags.aligned and a.itemsize in a.strides


def panel_width(columns, dtype):
    """The columns of a panel: one vector, or two."""
    return lanes(dtype) * (1 if columns <= lanes(dtype) else 2)


def panel_fits(terms, columns, dtype):
    """Whether a panel of that many rows stays in the cache."""
    return terms * panel_width(columns, dtype) * dtype.itemsize <= tuning.PANEL_BYTES


def by_panels(a, b, y=None, bias=None):
    """The product of two matrices by our own kernel, plus a bias.

    Each of the matrices must have a contiguous axis. The result goes to y, if that is given, whose
    rows must be contiguous.
    """
    dtype, (M, K), N = a.dtype, a.shape, b.shape[1]
    at_a, a_m, a_k = pointer(a)
    at_b, b_k, b_n = pointer(b)
    width = panel_width(N, dtype)
    panels = -(-N // width)
    fitting = tuning.UNIT_BYTES // ((K + N) * dtype.itemsize)
    rows = max(min(-(-M * panels // tuning.LEAST_UNITS), fitting), tuning.LEAST_UNIT_ROWS)
    high = min(M, round_up(rows, tuning.TILE_ROWS[0]))
    y = aligned((M, N), dtype) if y is None else y
    bias = None if bias is None else padded(bias, N + width, dtype)
    common = (
        at_a, a_m, a_k, at_b, b_k, b_n, 0 if bias is None else address(bias), address(y),
        y.strides[0] // dtype.itemsize, M, K, N, width, high,
    )  # fmt: skip
    share(
        loops.multiply, dtype, common, panels * -(-M // high), M * K * N,
        ZEROS_BYTES + K * width * dtype.itemsize, tuning.PANEL_PIECES_PER_THREAD,
    )  # fmt: skip
    return y
