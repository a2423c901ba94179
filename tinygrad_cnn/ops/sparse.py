"""Linear maps along one axis, each output a sum of a few inputs: resizing, padding, windows.

Interpolation, adaptive averages, padding by reflection and unfolding into windows all are
y[o] = Σ_h A[o, h] x[h] along each axis, with a sparse A. The adjoint is the same map with Aᵀ, so
one op serves them all, forward and backward, at any order. (nn/functional/matrices.py makes the A.)
"""

from __future__ import annotations

import numpy as np

from ..engine import op
from .precision import in_float32

__all__ = ["SparseMatrix", "resample"]


@op
@in_float32
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
        self._transposed = self._terms = None  # until they are needed

    def __repr__(self):
        parts = (v.tolist() for v in (self.rows, self.cells, self.weights))
        return f"SparseMatrix({self.shape}, {', '.join(map(str, parts))})"

    @property
    def T(self):
        """Aᵀ."""
        if self._transposed is None:
            self._transposed = SparseMatrix(self.shape[::-1], self.cells, self.rows, self.weights)
        return self._transposed

    @property
    def terms(self):
        """Diagonals: the first entries of all rows that have one, then the second ones, ...

        Each is (rows, cells, weights), with None for weights that are all 1.
        """
        if self._terms is not None:
            return self._terms
        rank = np.arange(len(self.rows)) - np.searchsorted(self.rows, self.rows)
        terms = []
        for k in range(rank.max(initial=-1) + 1):
            rows, cells, weights = (v[rank == k] for v in (self.rows, self.cells, self.weights))
            together = rows[-1] - rows[0] + 1 == len(rows)
            place = slice(int(rows[0]), int(rows[-1]) + 1) if together else rows
            terms.append((place, cells, None if (weights == 1).all() else weights))
        self._terms = terms
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
