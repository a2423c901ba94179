"""Calls and references of windows along an axis. The references take one window at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from ..calls import Call
from ..entries import register_strategy
from ..strategies import separated_arrays, shapes
from ..values import Array, Shape


def windows(x: Array, dim: int, size: int, step: int) -> Array:
    """Slices of x, side by side."""
    rows = np.moveaxis(x, dim, 0)
    starts = range(0, len(rows) - size + 1, step)
    found = np.stack([np.moveaxis(rows[i : i + size], 0, -1) for i in starts])
    return np.moveaxis(found, 0, dim)


def fold_windows(u: Array, dim: int, step: int, shape: Shape) -> Array:
    """Each element is added where its window has it."""
    y = np.zeros(shape)
    for place in np.ndindex(u.shape):
        *where, k = place
        where[dim] = where[dim] * step + k
        y[tuple(where)] += u[place]
    return y


@st.composite
def cuts(draw: st.DrawFn, inverse: bool = False) -> Call:
    """An array, an axis, and windows that fit into it; with `inverse`, the windows of such an array."""
    shape = draw(shapes(1, 3, 1, 6))
    dim = draw(st.integers(0, len(shape) - 1))
    size, step = draw(st.integers(1, shape[dim])), draw(st.integers(1, 4))
    count = (shape[dim] - size) // step + 1
    if not inverse:
        return Call((draw(separated_arrays(shape)),), {"dim": dim, "size": size, "step": step})
    u = draw(separated_arrays((*shape[:dim], count, *shape[dim + 1 :], size)))
    return Call((u,), {"dim": dim, "step": step, "shape": shape})


register_strategy("windows", cuts(), linear_in=("x",), reference=windows)
register_strategy("fold_windows", cuts(inverse=True), linear_in=("u",), reference=fold_windows)
