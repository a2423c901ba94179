"""Pooling: a pass over the plane for each tap of the windows, on planes that stay in the cache."""

from functools import lru_cache
from itertools import product
from math import prod

import numpy as np

from .. import threads
from ..functions import masked
from ..geometry import tap_slices
from ..layout import FLOATING
from . import tuning
from .blocks import split
from .im2col import empty
from .thread_pool import run


def max_pool2d(x, kernel_size, stride, padding, dilation, output_size):
    """One pass for the maximum and one for its tap: the number of taps before the first maximum."""
    y = _empty_like(x, output_size, x.dtype)
    taps = _empty_like(x, output_size, np.min_scalar_type(prod(kernel_size)))
    slices = taps_in_plane(x.shape[2:], kernel_size, stride, padding, dilation, output_size)
    lowest = -np.inf if x.dtype.kind in FLOATING else np.iinfo(x.dtype).min

    def work(planes):
        values, best, tap = x[planes], y[planes], taps[planes]
        best[...] = lowest
        for windows, cells in slices:
            np.maximum(best[windows], values[cells], out=best[windows])
        nan = best.size and np.isnan(best.max())
        missing = np.ones_like(best, np.uint8)  # no maximum so far
        tap[...] = 0
        for windows, cells in slices:
            other = values[cells] != best[windows]
            if nan:
                other &= ~np.isnan(values[cells])
            missing[windows] &= other.view(np.uint8)
            tap += missing

    _run_on_planes(work, x)
    return y, taps


def max_pool2d_positions(taps, x_shape, kernel_size, stride, padding, dilation):
    """From the row and the column of each tap."""
    W, J = x_shape[3], kernel_size[1]
    p, q = (np.arange(size) for size in taps.shape[2:])
    i, j = np.divmod(taps.astype(np.int64), J)
    h = p[:, None] * stride[0] + i * dilation[0] - padding[0][0]
    v = q * stride[1] + j * dilation[1] - padding[1][0]
    return np.where(i < kernel_size[0], h * W + v, -1)


def max_pool2d_scatter(g, taps, x_shape, kernel_size, stride, padding, dilation):
    """For each tap, g of the windows that chose it, added to the tap's cells."""
    x = _empty_like(taps, x_shape[2:], g.dtype)
    if g.strides != tuple(n * g.itemsize // taps.itemsize for n in taps.strides):
        g, given = _empty_like(taps, taps.shape[2:], g.dtype), g
        g[...] = given
    slices = taps_in_plane(x_shape[2:], kernel_size, stride, padding, dilation, g.shape[2:])
    # windows that share no cell leave nothing to add up
    apart = all(d * (I - 1) < s for d, I, s in zip(dilation, kernel_size, stride, strict=True))

    def work(planes):
        total, given, tap = x[planes], g[planes], taps[planes]
        total[...] = 0
        for k, (windows, cells) in enumerate(slices):
            chosen = tap[windows] == k
            if apart:
                masked(given[windows], chosen, total[cells])
            else:
                total[cells] += masked(given[windows], chosen)

    _run_on_planes(work, x)
    return x


def max_pool2d_gather(x, taps, kernel_size, stride, padding, dilation):
    """The sum over the taps of x where the tap is the one chosen: one term is not 0."""
    y = _empty_like(x, taps.shape[2:], x.dtype)
    slices = taps_in_plane(x.shape[2:], kernel_size, stride, padding, dilation, taps.shape[2:])

    def work(planes):
        values, total, tap = x[planes], y[planes], taps[planes]
        total[...] = 0
        for k, (windows, cells) in enumerate(slices):
            total[windows] += masked(values[cells], tap[windows] == k)

    _run_on_planes(work, x)
    return y


def avg_pool2d(x, kernel_size, stride, padding, output_size, divisor):
    """Adds up the rows of each window to (P, W), then the columns."""
    y = _empty_like(x, output_size, x.dtype)
    rows, columns = _taps_by_axis(x.shape[2:], kernel_size, stride, padding, (1, 1), output_size)

    def work(planes):
        half = _empty_like(x[planes], (output_size[0], x.shape[3]), x.dtype)
        half[...] = 0
        for p, h in rows:
            half[:, :, p] += x[planes][:, :, h]
        total = y[planes]
        total[...] = 0
        for q, v in columns:
            total[..., q] += half[..., v]
        total /= divisor

    _run_on_planes(work, x)
    return y


def avg_pool2d_input(g, x_shape, kernel_size, stride, padding, divisor):
    """`avg_pool2d` backwards: g / divisor is added to each window's columns, then its rows."""
    x = _empty_like(g, x_shape[2:], g.dtype)
    rows, columns = _taps_by_axis(x_shape[2:], kernel_size, stride, padding, (1, 1), g.shape[2:])

    def work(planes):
        share = g[planes] / divisor
        half = _empty_like(share, (g.shape[2], x_shape[3]), g.dtype)
        half[...] = 0
        for q, v in columns:
            half[..., v] += share[..., q]
        total = x[planes]
        total[...] = 0
        for p, h in rows:
            total[:, :, h] += half[:, :, p]

    _run_on_planes(work, x)
    return x


@lru_cache(maxsize=256)
def taps_in_plane(plane, *settings):
    """For each tap in row-major order, an index of (N, C, P, Q) and one of (N, C, H, W).

    They select the windows whose tap stands in x, and the cells on which it stands.
    """
    rows, columns = _taps_by_axis(plane, *settings)
    return [((..., p, q), (..., h, v)) for (p, h), (q, v) in product(rows, columns)]


def _taps_by_axis(plane, *settings):
    """`tap_slices` of the rows and of the columns."""
    return [tap_slices(*axis) for axis in zip(plane, *settings, strict=True)]


def _empty_like(x, plane, dtype):
    """Uninitialized (N, C, *plane), in the axis order of x."""
    return empty((*x.shape[:2], *plane), _axis_order(x.strides), dtype)


@lru_cache(maxsize=256)
def _axis_order(strides):
    """The axes in memory, outermost first."""
    return sorted(range(4), key=lambda axis: -abs(strides[axis]))


def _run_on_planes(work, x):
    """Call `work` with indices of (n, c) that cut x along its outer axis of the two in memory.

    The pieces stay in the cache.
    """
    N, C = x.shape[:2]
    axis = 1 if C > 1 and (N == 1 or abs(x.strides[1]) > abs(x.strides[0])) else 0
    count = x.size // tuning.POOLING_PART_ELEMENTS
    on_threads = threads.get_num_threads() if count else 1
    pieces = split(x.shape[axis], -(-count // on_threads) * on_threads)
    run(work, [(slice(None),) * axis + (piece,) for piece in pieces], on_threads)
