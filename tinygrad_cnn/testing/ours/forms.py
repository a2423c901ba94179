"""Calls of the forms that several families share, and conventions at kinks for these forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from ..calls import Call, Input
from ..entries import Convention
from ..strategies import broadcastable_shapes, generators, separated_arrays
from ..values import separated

Interval = tuple[float, float]


def unary(
    low: float = -2.0, high: float = 2.0, avoid: Sequence[float] = ()
) -> st.SearchStrategy[Call]:
    """Calls of an op of one array."""
    return separated_arrays(low=low, high=high, avoid=avoid).map(lambda x: Call((x,)))


@st.composite
def unary_with(
    draw: st.DrawFn,
    /,
    avoid: Sequence[float] | Callable[..., Sequence[float]] = (),
    low: float = -2.0,
    high: float = 2.0,
    **choices: Sequence[Any],
) -> Call:
    """Calls of an op of one array with attributes. `choices` lists the values of each attribute.

    `avoid` lists the kinks, or is a function that computes them from the attributes.
    """
    attributes = {name: draw(st.sampled_from(values)) for name, values in choices.items()}
    kinks = avoid(**attributes) if callable(avoid) else avoid
    return Call((draw(separated_arrays(low=low, high=high, avoid=kinks)),), attributes)


@st.composite
def binary(
    draw: st.DrawFn, a: Interval = (-2, 2), b: Interval = (-2, 2),
    gap: float = 0.0, whole: bool = True,
) -> Call:  # fmt: skip
    """Calls of an op of two arrays that broadcast; or of one array and a number.

    The arrays are in the intervals `a` and `b`, the second at least `gap` from 0. With `whole`, the
    second may be an array of integers.
    """
    shape_a, shape_b = draw(broadcastable_shapes(2))
    rng = draw(generators())
    avoid = [0.0] if gap else []
    if a == b:
        x, y = separated(rng, shape_a, shape_b, low=a[0], high=a[1], avoid=avoid, margin=gap)
    else:
        (x,) = separated(rng, shape_a, low=a[0], high=a[1])
        (y,) = separated(rng, shape_b, low=b[0], high=b[1], avoid=avoid, margin=gap)
    kind = draw(
        st.sampled_from(["arrays", "arrays", "arrays", "number", "first"] + ["whole"] * whole)
    )
    if kind == "number":
        return Call((x, draw(st.sampled_from([2.0, 3, 0.5, -1.5, 1]))))
    if kind == "first":
        return Call((draw(st.sampled_from([2.0, 3, 0.5])), y))
    if kind == "whole":
        return Call((x, rng.integers(1, 4, shape_b)))
    return Call((x, y))


def at(x: ArrayLike, expected: ArrayLike, **attributes: Any) -> Convention:
    """The convention of an op of one array: at x, the gradient of Σ y is `expected`."""
    return Call((np.array(x, np.float64),), attributes), "x", expected


def at_pair(a: ArrayLike, b: ArrayLike, name: str, expected: ArrayLike) -> Convention:
    """The convention of an op of two inputs: at (a, b), the gradient for input `name`.

    A number stays a number; a list becomes an array.
    """
    return Call((_input(a), _input(b))), name, expected


def _input(x: ArrayLike) -> Input:
    return x if isinstance(x, (int, float)) else np.array(x, np.float64)
