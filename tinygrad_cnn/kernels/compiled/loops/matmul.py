"""A matrix product by panels of the right factor. The thread that takes a panel packs it."""

from ..jit import jit
from ..scalars import clear, lanes_of, move, size_of
from .patch import transpose
from .product import ZEROS_BYTES, across, along


@jit
def multiply(
    zero, a, a_m, a_k, b, b_k, b_n, bias, y, y_m, M, K, N, width, high, first, last, scratch
):  # fmt: skip
    """y[m, n] = bias[n] + Σ_k a[m, k] b[k, n]: the units first to last, of `high` rows of a panel.

    One of the strides of a is 1, and one of b's. Without a bias its address is 0.
    """
    size, lanes = size_of(zero), lanes_of(zero)
    panel, panels, packed = scratch + ZEROS_BYTES, (N + width - 1) // width, -1
    clear(scratch, ZEROS_BYTES)
    for unit in range(first, last):
        m, n = divmod(unit, panels)
        n *= width
        m *= high
        some = min(N - n, width)
        if n != packed:
            packed, of = n, b + n * b_n * size
            if some < width:
                clear(panel, K * width * size)
            if b_k == 1:
                transpose(zero, panel, width, of, b_n, some, K)
            else:
                for k in range(K):
                    move(panel + k * width * size, of + k * b_k * size, some * size)
        vectors, rows = width if some > lanes else lanes, min(high, M - m)
        of, to, start = a + m * a_m * size, y + (m * y_m + n) * size, scratch
        if bias:
            start = bias + n * size
        if a_k == 1:
            along(
                zero, vectors, of, a_m, scratch, panel, 0, width, to, y_m, start, 0, K, 1, some,
                rows
            )  # fmt: skip
        else:
            across(
                zero, vectors, of, a_k, scratch, panel, 0, width, to, y_m, start, 0, K, 1, some,
                rows
            )  # fmt: skip
