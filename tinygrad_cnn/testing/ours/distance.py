"""Calls and the reference of distances between points."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from ..calls import Call
from ..entries import register_strategy
from ..strategies import generators, shapes
from ..values import Array, separated


def distances(a: Array, b: Array) -> Array:
    """One pair of points at a time."""
    y = np.zeros((*a.shape[:-1], b.shape[-2]))
    for *lead, i, j in np.ndindex(y.shape):
        y[(*lead, i, j)] = np.linalg.norm(a[(*lead, i)] - b[(*lead, j)])
    return y


@st.composite
def pairs(draw: st.DrawFn) -> Call:
    """Two sets of points, few or many, with the same axes before them."""
    lead = draw(shapes(0, 1, 0, 3))
    p, r, m = (draw(st.integers(1, 4)) for _ in range(3))
    p += draw(st.sampled_from([0, 0, 0, 26]))
    a, b = separated(draw(generators()), (*lead, p, m), (*lead, r, m))
    return Call((a, b))


SAME = np.array([[1.0, 2.0]])
register_strategy(
    "distances",
    pairs(),
    reference=distances,
    conventions=[
        (Call((SAME, SAME)), "a", [[0.0, 0.0]]),
        (Call((SAME, SAME)), "b", [[0.0, 0.0]]),
    ],
)
