"""col2im: the gradient of a convolution's input as products for each tap, added up.

The gradient of an image of 3 channels as a convolution would be a product with three columns.
Here a product has a column for each tap and channel, and the results are added to the cells of
their taps.
"""

from math import prod

import numpy as np

from .. import threads
from ..layout import NARROW
from ..memory import scratch
from . import tuning
from .blocks import divisor, split
from .im2col import CHWN, empty
from .pooling import taps_in_plane
from .thread_pool import run


def is_faster(g, w_shape, x_shape, order, dtype):
    """Whether this takes less time than convolutions with the flipped filters, for one group.

    Folding reads and writes a number for each tap. Unfolding writes one, but for each filter.
    """
    (F, C, I, J), (N, _, P, Q) = w_shape, g.shape
    by_channel = order is CHWN
    fewer = 0 < 2 * C * P * Q < F * prod(x_shape[2:]) and (min(F, 32) >= 4 * C or by_channel)
    one = I * J * P * Q * (N if by_channel else C) * g.itemsize  # bytes that are folded at once
    small = 0 < one <= 4 * tuning.BLOCK_BYTES
    return fewer and small and g.size > 0 and dtype.char not in NARROW


def fold_input(g, w, x_shape, stride, padding, dilation, order, dtype):
    """x̄: for each tap (i, j) the products Σ_f w[f,c,i,j] g[n,f,p,q] are added to the tap's cells.

    Some channels at a time if images are innermost, else some images.
    """
    (F, C, I, J), (N, _, P, Q) = w.shape, g.shape
    by_channel, M = order is CHWN, N * P * Q
    x = empty(x_shape, order if by_channel else (0, 1, 2, 3), dtype)
    slices = taps_in_plane(x_shape[2:], (I, J), stride, padding, dilation, (P, Q))
    w = np.ascontiguousarray(w.reshape(F, -1).T)  # (C·I·J, F)
    if by_channel:
        m = divisor(M, tuning.UNPACKED_MULTIPLY_ADDS // (F * I * J))
        blocks = g.transpose(CHWN).reshape(F, M // m, m).swapaxes(0, 1)  # (B, F, m)

    def of_channels(part):
        columns = scratch("columns", (part.stop - part.start, I * J, M // m, m), dtype)
        # (c, 1, I·J, F) (B, F, m) -> (c, B, I·J, m)
        np.matmul(w.reshape(C, 1, I * J, F)[part], blocks, out=columns.swapaxes(1, 2))
        return x[:, part], columns.reshape(-1, I * J, P, Q, N).transpose(1, 4, 0, 2, 3)

    def of_images(part):
        given = g[part].reshape(-1, F, P * Q)
        columns = scratch("columns", (len(given), C * I * J, P * Q), dtype)
        np.matmul(w, given, out=columns)  # (C·I·J, F) (n, F, P·Q)
        return x[part], columns.reshape(-1, C, I * J, P, Q).transpose(2, 0, 1, 3, 4)

    def work(part):
        total, columns = of_channels(part) if by_channel else of_images(part)
        total[...] = 0
        for tap, (windows, cells) in zip(columns, slices, strict=True):
            total[cells] += tap[windows]

    cost = C * I * J * M * (F + tuning.FOLD_MULTIPLY_ADDS)
    count = threads.get_num_threads() if cost > tuning.SHARED_MULTIPLY_ADDS else 1
    nbytes = C * I * J * M * x.itemsize
    pieces = -(-nbytes // (tuning.BLOCK_BYTES * count)) * count
    run(work, split(C if by_channel else N, pieces), count)
    return x
