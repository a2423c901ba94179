"""Linear maps along one axis, each output a sum of a few inputs: resizing, padding, windows.

Interpolation, adaptive averages, padding by reflection and unfolding into windows all are
y[o] = Σ_h A[o, h] x[h] along each axis, with a sparse A. The adjoint is the same map with Aᵀ, so
one op serves them all, forward and backward, at any order.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np

from ..engine import op

__all__ = ["resample"]


@op
def resample(x, *, dim, matrix):
    """y[.., o, ..] = Σ_h A[o, h] x[.., h, ..] along the axis `dim`, A the `matrix`.

    x̄[.., h, ..] = Σ_o A[o, h] ȳ[.., o, ..]: the same with Aᵀ.
    """
    order = sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis]))
    axis = order.index(dim)
    y = matrix.times(x.transpose(order), axis)
    return y.transpose(np.argsort(order))  # in the memory order of x


resample.defvjp(x=lambda g, dim, matrix: resample(g, dim=dim, matrix=matrix.T))


class SparseMatrix:
    """An immutable matrix A (m, n) with A[rows[t], cells[t]] = weights[t]; repeated places add up."""

    def __init__(self, shape, rows, cells, weights):
        self.shape = shape
        by_row = np.argsort(rows, kind="stable")
        self.rows, self.cells, self.weights = (
            np.asarray(v)[by_row] for v in (rows, cells, weights)
        )

    def __repr__(self):
        parts = (v.tolist() for v in (self.rows, self.cells, self.weights))
        return f"SparseMatrix({self.shape}, {', '.join(map(str, parts))})"

    @cached_property
    def T(self):
        """Aᵀ."""
        return SparseMatrix(self.shape[::-1], self.cells, self.rows, self.weights)

    @cached_property
    def terms(self):
        """Diagonals: the first entries of all rows that have one, then the second ones, ...

        Each is (rows, cells, weights), with None for weights that are all 1.
        """
        rank = np.arange(len(self.rows)) - np.searchsorted(self.rows, self.rows)
        terms = []
        for k in range(rank.max(initial=-1) + 1):
            rows, cells, weights = (v[rank == k] for v in (self.rows, self.cells, self.weights))
            together = rows[-1] - rows[0] + 1 == len(rows)
            place = slice(int(rows[0]), int(rows[-1]) + 1) if together else rows
            terms.append((place, cells, None if (weights == 1).all() else weights))
        return terms

    def times(self, x, axis):
        """A · x along `axis`."""
        m = self.shape[0]
        shape = (*x.shape[:axis], m, *x.shape[axis + 1 :])
        column, key = (-1,) + (1,) * (x.ndim - axis - 1), (slice(None),) * axis
        y = None
        for rows, cells, weights in self.terms:
            part = x.take(cells, axis)
            if weights is not None:
                part *= weights.astype(x.dtype).reshape(column)
            if y is None and len(cells) == m:
                y = part
                continue
            if y is None:
                y = np.zeros(shape, x.dtype)
            y[(*key, rows)] += part
        return np.zeros(shape, x.dtype) if y is None else y


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

    Negative widths crop; mode "circular" crops first.
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
