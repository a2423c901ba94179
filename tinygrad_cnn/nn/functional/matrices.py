"""The sparse matrices of resizing, padding and windows, along one axis: see `ops.resample`.

Each is made once for its arguments. n is the number of inputs, m the number of outputs.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...ops import SparseMatrix


def _selection(n, cells):
    """y[o] = x[cells[o]], and 0 where cells[o] is outside of x."""
    rows = np.flatnonzero((cells >= 0) & (cells < n))
    return SparseMatrix((len(cells), n), rows, cells[rows], np.ones(len(rows)))


# --- Windows and padding ------------------------------------------------------------------------


@lru_cache(maxsize=256)
def windows(n, taps, stride, padding, dilation):
    """y[i m + o] = x[stride · o + dilation · i − padding]: m windows, tap after tap."""
    m = (n + 2 * padding - dilation * (taps - 1) - 1) // stride + 1
    cells = np.arange(m) * stride + np.arange(taps)[:, None] * dilation - padding
    return _selection(n, cells.ravel())


@lru_cache(maxsize=256)
def neighbours(n, size):
    """y[o] = the sum of x[o − ⌊size/2⌋] to x[o + ⌊(size−1)/2⌋], 0 outside."""
    rows, offsets = np.divmod(np.arange(n * size), size)
    cells = rows + offsets - size // 2
    inside = (cells >= 0) & (cells < n)
    return SparseMatrix((n, n), rows[inside], cells[inside], np.ones(inside.sum()))


@lru_cache(maxsize=256)
def padded(n, before, after, mode):
    """x with cells around it: "reflect" (the edge is not repeated), "replicate" or "circular".

    Negative widths crop; mode "circular" crops before it goes around.
    """
    cells = np.arange(-before, n + after)
    if mode == "reflect":
        cells = n - 1 - np.abs(n - 1 - np.abs(cells))
    elif mode == "replicate":
        cells = np.clip(cells, 0, n - 1)
    else:
        first, kept = max(-before, 0), n + min(before, 0) + min(after, 0)
        cells = first + (cells - first) % kept
    return _selection(n, cells)


def adaptive_windows(n, m):
    """First and last + 1 cell of the windows of adaptive pooling: ⌊o n/m⌋ to ⌈(o+1) n/m⌉."""
    o = np.arange(m)
    return o * n // m, -((-(o + 1) * n) // m)


@lru_cache(maxsize=256)
def averaging(n, m):
    """The means of the m windows of adaptive pooling."""
    start, end = adaptive_windows(n, m)
    count = end - start
    rows = np.repeat(np.arange(m), count)
    cells = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    return SparseMatrix((m, n), rows, cells + start[rows], 1 / count[rows])


# --- Resizing -----------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def nearest(n, m, step, exact, precision):
    """y[o] = x[⌊step · o⌋]; if `exact`, the cell that the middle of o falls on.

    Rounding decides for a place on the border of two cells, so `precision` is the dtype to compute in.
    """
    source = (np.arange(m) + 0.5 * exact).astype(precision) * precision(step)
    return _selection(n, np.minimum(np.floor(np.float32(source)).astype(int), n - 1))


@lru_cache(maxsize=256)
def linear(n, m, step, align_corners):
    """Linear interpolation between the two cells around the place of o (see `_places`)."""
    place = _places(m, step, align_corners)
    cell, t = _split(place if align_corners else np.maximum(place, 0.0), n)
    return _interpolating(n, cell, [1 - t, t], 0)


@lru_cache(maxsize=256)
def cubic(n, m, step, align_corners):
    """Keys' cubic convolution with a = −3/4 over four cells; cells outside repeat the edge.

    (Keys 1981, Cubic convolution interpolation for digital image processing, equation 4.)
    """
    cell, t = _split(_places(m, step, align_corners), n)
    a = -0.75

    def near(d):  # |d| ≤ 1
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d):  # 1 < |d| < 2
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return _interpolating(n, cell, [far(t + 1), near(t), near(1 - t), far(2 - t)], -1)


def _places(m, step, align_corners):
    """The places of the outputs among the inputs: o · step if corners align, else by cell centres."""
    o = np.arange(m)
    return o * step if align_corners else (o + 0.5) * step - 0.5


def _split(place, n):
    """The cell at or before a place, and the distance from it."""
    cell = np.minimum(np.floor(np.float32(place)).astype(int), n - 1)
    return cell, np.clip(place - cell, 0.0, 1.0)


def _interpolating(n, cell, weights, first):
    """y[o] = Σ_k weights[k][o] x[cell[o] + first + k], with the edge repeated outside."""
    m, taps = len(cell), len(weights)
    cells = np.clip(cell + first + np.arange(taps)[:, None], 0, n - 1)
    return SparseMatrix((m, n), np.tile(np.arange(m), taps), cells.ravel(), np.concatenate(weights))
