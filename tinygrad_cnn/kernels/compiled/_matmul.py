"""A matrix product by panels of the right factor, each brought into order by the thread that takes it."""

from ._jit import jit
from ._patch import turn
from ._product import across, along
from ._vectors import clear, lanes_of, move, size_of

ZEROS = 256  # bytes at the beginning of scratch memory: first sums, a first offset


@jit
def multiply(
    zero, a, a_m, a_k, b, b_k, b_n, y, M, K, N, width, high, first, last, scratch
):  # fmt: skip
    """y[m, n] = Σ_k a[m, k] b[k, n], y contiguous: the units first to last, of `high` rows of a panel.

    One of the strides of a is 1, and one of b's.
    """
    size, lanes = size_of(zero), lanes_of(zero)
    panel, blocks, here = scratch + ZEROS, (M + high - 1) // high, -1
    clear(scratch, ZEROS)
    for unit in range(first, last):
        n, m = divmod(unit, blocks)
        n *= width
        m *= high
        some = min(N - n, width)
        if n != here:
            here, of = n, b + n * b_n * size
            if some < width:
                clear(panel, K * width * size)
            if b_k == 1:
                turn(zero, panel, width, of, b_n, some, K)
            else:
                for k in range(K):
                    move(panel + k * width * size, of + k * b_k * size, some * size)
        vectors, rows = width if some > lanes else lanes, min(high, M - m)
        of, to = a + m * a_m * size, y + (m * N + n) * size
        if a_k == 1:
            along(
                zero, vectors, of, a_m, scratch, panel, 0, width, to, N, scratch, 0, K, 1, some, rows
            )  # fmt: skip
        else:
            across(
                zero, vectors, of, a_k, scratch, panel, 0, width, to, N, scratch, 0, K, 1, some, rows
            )  # fmt: skip
