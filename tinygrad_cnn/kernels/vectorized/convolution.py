"""Convolution and its adjoints: products with unfolded windows (`im2col`), or `winograd`."""

from math import prod

import numpy as np

from ..geometry import adjoint_phases, flipped_filters, output_size
from ..memory import scratch
from . import tuning, winograd
from .blocks import split
from .col2im import fold_input, is_faster
from .im2col import CHWN, NHWC, Im2col, empty, memory_order
from .thread_pool import run


def conv2d(x, w, bias, stride, padding, dilation, groups):
    """A product of the filters with unfolded windows, block by block."""
    size = output_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    order = memory_order(x, w.shape, groups)
    y = empty((len(x), len(w), *size), order, np.result_type(x, w))
    origin = [-before for before, _ in padding]
    _correlate(x, w, bias, stride, origin, dilation, groups, y)
    return y


def conv2d_input(g, w, x_shape, stride, padding, dilation, groups):
    """A convolution of g with flipped filters for each remainder of the stride.

    For few channels, fewer than filters, `col2im` is faster.
    """
    flipped = flipped_filters(w, groups)
    order, dtype = memory_order(g, flipped.shape, groups), np.result_type(g, w)
    if groups == 1 and is_faster(g, w.shape, x_shape, order, dtype):
        return fold_input(g, w, x_shape, stride, padding, dilation, order, dtype)
    x = empty(x_shape, order, dtype)
    phases = adjoint_phases(x_shape[2:], w.shape[2:], stride, padding, dilation)
    for cells, taps, origin, apart in phases:
        part = flipped[:, :, *taps]
        _correlate(g, part, None, (1, 1), origin, apart, groups, x[:, :, *cells])
    return x


def conv2d_weight(g, x, w_shape, stride, padding, dilation, groups):
    """A product of g with unfolded windows.

    Each thread adds up its blocks in order, and then the sums of the threads are added in order:
    the same bits at every run.
    """
    F, c, I, J = w_shape
    dtype = np.result_type(g, x)
    if not (g.size and x.size and prod(w_shape)):
        return np.zeros(w_shape, dtype)
    origin = [-before for before, _ in padding]
    if winograd.is_faster(w_shape, len(g), g.shape[2:], stride, dilation, groups, dtype):
        total, finite = winograd.weight_gradient(g, x, w_shape, origin)
        if finite:
            return total
    V = Im2col(x, w_shape, g.shape[2:], stride, origin, dilation, groups, dtype)
    g = g.transpose(V.order)
    panels, f = V.panels(), F // groups
    # Threads share many filters, and each unfolds everything. Of few filters they share the panels.
    by_filters = groups == 1 and f >= tuning.FILTERS_PER_THREAD * V.threads
    parts = V.threads if by_filters else min(V.threads, len(panels))
    sums = np.zeros((1 if by_filters else parts, groups, f, V.K), V.dtype)

    def work(part):
        share = slice(part * f // parts, (part + 1) * f // parts)
        mine, total = panels, sums[0][:, share]
        if not by_filters:
            first, last = part * len(panels) // parts, (part + 1) * len(panels) // parts
            mine, share, total = panels[first:last], slice(0, f), sums[part]
        pieces = split(total.shape[1], total.nbytes // tuning.BLOCK_BYTES)  # that stay in the cache
        for panel in mine:
            for block, columns in V.blocks(panel):
                gm = V.matrix(g[block])[:, :, share]
                for piece in pieces:
                    if V.order is NHWC:  # (G, B, f, m) (G, B, m, K) -> (G, B, f, K)
                        terms = np.matmul(gm[:, :, piece], columns.swapaxes(2, 3))
                    else:  # the transposed product: BLAS is faster then
                        terms = np.matmul(columns, gm[:, :, piece].swapaxes(2, 3)).swapaxes(2, 3)
                    some = total[panel[0], piece]
                    some += terms[:, 0] if terms.shape[1] == 1 else terms.sum(1)

    run(work, range(parts), parts)
    total = sums[0]  # (G, f, K)
    for other in sums[1:]:
        total += other
    if V.order is NHWC:  # K is i, j, c
        total = total.reshape(F, I, J, c).transpose(0, 3, 1, 2)
    return np.ascontiguousarray(total.reshape(w_shape), dtype)


def _correlate(x, w, bias, stride, origin, dilation, groups, y):
    """y[n,f,p,q] = bias[f] + Σ_cij w[f,c,i,j] x[n, c, p·s + i·d + origin, ...], 0 outside of x.

    Written to y, whose shape says how many windows there are.
    """
    F, c, I, J = w.shape
    if not (x.size and w.size and y.size):
        y[...] = 0 if bias is None else bias[:, None, None]
        return
    size = y.shape[2:]
    fast = winograd.is_faster(w.shape, len(y), size, stride, dilation, groups, y.dtype)
    if fast and winograd.correlate(x, w, bias, origin, y):
        return
    V = Im2col(x, w.shape, size, stride, origin, dilation, groups, y.dtype)
    f = F // groups
    if V.order is CHWN:  # (G, 1, f, K), with K in the order of the columns: c, i, j
        w = np.ascontiguousarray(w.reshape(groups, 1, f, V.K), V.dtype)
        bias = None if bias is None else bias[:, None, None, None]
    else:  # i, j, c; (G, 1, K, f) in memory
        w = w.reshape(groups, f, c, I, J).transpose(0, 3, 4, 2, 1)
        w = np.ascontiguousarray(w.reshape(groups, 1, V.K, f), V.dtype).swapaxes(2, 3)
        # repeated for a whole row of pixels, so that the loop that adds it is long
        bias = None if bias is None else np.tile(bias, (y.shape[3], 1))
    y = y.transpose(V.order)
    direct = y.flags.c_contiguous and y.dtype == V.dtype

    def work(panel):
        for block, columns in V.blocks(panel):
            part = y[block]
            out = part if direct else scratch("product", part.shape, V.dtype)
            # (G, 1, f, K) (G, B, K, m) -> (G, B, f, m)
            np.matmul(w[panel[0]], columns, out=V.matrix(out))
            if bias is not None:
                out += bias[: part.shape[2]] if V.order is NHWC else bias[block[0]]
            if not direct:
                part[...] = out

    run(work, V.panels(), V.threads)
