"""How the ops of losses and of tables are called, and what they are by definition."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from .activation_strategies import calls
from .calls import Call, register_strategy
from .op_strategies import at
from .strategies import broadcastable_shapes, generators, shapes
from .values import Array, separated


@st.composite
def probabilities(draw: st.DrawFn) -> Call:
    """Two arrays of probabilities that broadcast, away from 0 and 1."""
    return Call(
        tuple(separated(draw(generators()), *draw(broadcastable_shapes(2)), low=0.1, high=0.9))
    )


@st.composite
def tables(draw: st.DrawFn, rows: bool) -> Call:
    """A table (V, D) and indices of any shape, repeated ones among them; or the adjoint's call."""
    v, d = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    rng = draw(generators())
    index = np.asarray(rng.integers(0, v, draw(shapes(0, 2, 0, 4))))
    weight, u = separated(rng, (v, d), (*index.shape, d))
    return Call((u, index), {"rows": v}) if rows else Call((weight, index))


def embedding_rows(u: Array, index: Array, rows: int) -> Array:
    """One after the other."""
    y = np.zeros((rows, u.shape[-1]))
    for place in np.ndindex(index.shape):
        y[index[place]] += u[place]
    return y


def _binary_cross_entropy(p: Any, t: Any) -> Any:
    return -t * np.log(p) - (1 - t) * np.log(1 - p)


register_strategy(
    "huber",
    calls(lambda delta: [-delta, delta], delta=[1.0, 0.3]),
    reference=lambda x, delta: np.where(
        np.abs(x) < delta, x * x / 2, delta * (np.abs(x) - delta / 2)
    ),
    conventions=[at([1.0, -1.0, 0.5], [1.0, -1.0, 0.5], delta=1.0)],
)
register_strategy(
    "binary_cross_entropy",
    probabilities(),
    reference=_binary_cross_entropy,
)
register_strategy(
    "embedding",
    tables(rows=False),
    linear_in=("weight",),
    reference=lambda weight, index: weight[index],
)
register_strategy("embedding_rows", tables(rows=True), linear_in=("u",), reference=embedding_rows)
