"""Hypothesis strategies of indices that NumPy and PyTorch both accept."""

from __future__ import annotations

from types import EllipsisType

import numpy as np
from hypothesis import strategies as st

from ..strategies import generators
from ..values import Array, Shape

Item = int | slice | EllipsisType | None
Index = Array | tuple[Item | Array, ...]


@st.composite
def basic_indices(draw: st.DrawFn, shape: Shape) -> tuple[Item, ...]:
    """Integers, slices of either direction, None and one Ellipsis, for some of the axes."""
    items: list[Item] = []
    used = draw(st.integers(0, len(shape)))
    for n in shape[:used]:
        kind = draw(st.sampled_from(["slice", "slice", "integer", "all"]))
        if kind == "integer" and n:
            items.append(draw(st.integers(-n, n - 1)))
        elif kind == "slice":
            items.append(_slice(draw, n))
        else:
            items.append(slice(None))
        if draw(st.integers(0, 5)) == 0:
            items.append(None)
    if draw(st.integers(0, 3)) == 0:
        items.append(...)
    return tuple(items)


def _slice(draw: st.DrawFn, n: int) -> slice:
    bounds = st.none() | st.integers(-n - 1, n + 1)
    return slice(draw(bounds), draw(bounds), draw(st.sampled_from([None, 1, 2, -1, -2, 3])))


@st.composite
def indices(draw: st.DrawFn, shape: Shape) -> Index:
    """Any index of an array of that shape: basic, a mask, integer arrays, or mixed."""
    kind = draw(st.sampled_from(["basic", "basic", "mask", "positions", "mixed"]))
    rng = draw(generators())
    if kind == "basic" or not shape or 0 in shape:
        return draw(basic_indices(shape))
    if kind == "mask":
        return np.asarray(rng.random(shape[: draw(st.integers(1, len(shape)))]) < 0.5)
    count = draw(st.integers(1, 4))
    first = rng.integers(-shape[0], shape[0], count)
    if kind == "positions":
        several = [rng.integers(0, n, count) for n in shape[1 : draw(st.integers(1, len(shape)))]]
        return (first, *several) if several else first
    rest = draw(basic_indices(shape[1:]))
    return (first, *(item for item in rest if item is not None))
