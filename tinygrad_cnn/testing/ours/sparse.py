"""Calls and the reference of `resample`, the product with a sparse matrix along an axis."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from hypothesis import strategies as st

from ...nn.functional import matrices
from ...ops import SparseMatrix
from ..calls import Call
from ..entries import register_strategy
from ..strategies import generators, separated_arrays, shapes
from ..values import Array


def resample(x: Array, dim: int, matrix: SparseMatrix) -> Array:
    """The product with the dense matrix."""
    full = np.zeros(matrix.shape)
    for row, cell, weight in zip(matrix.rows, matrix.cells, matrix.weights, strict=True):
        full[row, cell] += weight
    return np.moveaxis(np.tensordot(full, x, (1, dim)), 0, dim)


@st.composite
def resamplings(draw: st.DrawFn) -> Call:
    """An array, an axis, and a matrix: any sparse one, or one that a layer uses."""
    x = draw(separated_arrays(shapes(1, 3, 0, 4)))
    dim = draw(st.integers(0, x.ndim - 1))
    n, m = x.shape[dim], draw(st.integers(1, 5))
    step = draw(st.sampled_from([0.5, 1.3, 0.0]))
    corners = draw(st.booleans())
    rng = draw(generators())
    entries = draw(st.integers(0, 6)) if n else 0
    matrix = SparseMatrix(
        (m, n), rng.integers(0, m, entries), rng.integers(0, max(n, 1), entries),
        rng.choice([1.0, 0.5, -2.0], entries),
    )  # fmt: skip
    if n and draw(st.booleans()):
        makers: list[Callable[[], SparseMatrix]] = [
            lambda: matrices.linear(n, m, step, corners),
            lambda: matrices.cubic(n, m, step, corners),
            lambda: matrices.nearest(n, m, step, corners, np.float32),
            lambda: matrices.averaging(n, m),
            lambda: matrices.windows(n, min(m, n), 2, 1, 1),
            lambda: matrices.neighbours(n, m),
            *(partial(matrices.padded, n, n - 1, 0, mode)
              for mode in ("reflect", "replicate", "circular")),
        ]  # fmt: skip
        matrix = draw(st.sampled_from(makers))()
        matrix = matrix.T if matrix.shape[0] == n and draw(st.booleans()) else matrix
    return Call((x,), {"dim": dim, "matrix": matrix})


register_strategy("resample", resamplings(), linear_in=("x",), reference=resample)
