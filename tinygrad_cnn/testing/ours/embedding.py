"""Calls and references of the lookup in a table, and of its adjoint."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from ..calls import Call
from ..entries import register_strategy
from ..strategies import generators, shapes
from ..values import Array, separated


@st.composite
def tables(draw: st.DrawFn, rows: bool) -> Call:
    """A table (V, D) and indices with repetitions; with `rows`, a call of the adjoint."""
    v, d = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    rng = draw(generators())
    index = np.asarray(rng.integers(0, v, draw(shapes(0, 2, 0, 4))))
    weight, u = separated(rng, (v, d), (*index.shape, d))
    return Call((u, index), {"rows": v}) if rows else Call((weight, index))


def embedding_rows(u: Array, index: Array, rows: int) -> Array:
    """Adds the rows of u to the rows of y, one by one."""
    y = np.zeros((rows, u.shape[-1]))
    for place in np.ndindex(index.shape):
        y[index[place]] += u[place]
    return y


register_strategy(
    "embedding",
    tables(rows=False),
    linear_in=("weight",),
    reference=lambda weight, index: weight[index],
)
register_strategy("embedding_rows", tables(rows=True), linear_in=("u",), reference=embedding_rows)
