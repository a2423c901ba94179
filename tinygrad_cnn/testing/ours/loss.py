"""Calls and references of the elementwise losses. (Cross-entropy is in `softmax`.)"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from ..calls import Call
from ..entries import register_strategy
from ..strategies import broadcastable_shapes, generators
from ..values import separated
from .forms import at, unary_with


@st.composite
def probabilities(draw: st.DrawFn) -> Call:
    """Two arrays of probabilities that broadcast, away from 0 and 1."""
    return Call(
        tuple(separated(draw(generators()), *draw(broadcastable_shapes(2)), low=0.1, high=0.9))
    )


register_strategy(
    "huber",
    unary_with(lambda delta: [-delta, delta], delta=[1.0, 0.3]),
    reference=lambda x, delta: np.where(
        np.abs(x) < delta, x * x / 2, delta * (np.abs(x) - delta / 2)
    ),
    conventions=[at([1.0, -1.0, 0.5], [1.0, -1.0, 0.5], delta=1.0)],
)
register_strategy(
    "binary_cross_entropy",
    probabilities(),
    reference=lambda p, t: -t * np.log(p) - (1 - t) * np.log(1 - p),
)
