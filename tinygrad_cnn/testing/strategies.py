"""Hypothesis strategies of shapes, arrays and labels. Each draws valid and varied examples.

A strategy draws the shape and a seed, and NumPy makes the values from the seed
(`values.separated`). That is faster than drawing each value, and the shrunk example differs from
its neighbours in the shape alone. Sizes mostly differ along the axes, since square shapes hide a
transpose.

Hypothesis likes to repeat a seed within a test. So each generator also depends on its place among
the generators of the test, and two arrays of one test differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
from hypothesis import strategies as st
from hypothesis.control import current_build_context
from numpy.typing import DTypeLike

from .recipes import as_dtype
from .values import Array, Shape, separated

# The number of generators that an example has drawn so far, by the data of the example.
_drawn: WeakKeyDictionary[object, int] = WeakKeyDictionary()


def generators() -> st.SearchStrategy[np.random.Generator]:
    """NumPy random generators, each made from a drawn seed and its place in the example.

    Two generators of one example differ, even if Hypothesis draws the same seed for both.
    """
    return st.integers(0, 2**32 - 1).map(_generator)


def _generator(seed: int) -> np.random.Generator:
    example = current_build_context().data
    place = _drawn[example] = _drawn.get(example, -1) + 1
    return np.random.default_rng([seed, place])


def shapes(
    min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 5
) -> st.SearchStrategy[Shape]:
    """Shapes. A side of 0 is rare, since it leaves nothing to check."""
    sides = st.integers(max(min_side, 1), max_side)
    drawn = st.integers(min_dims, max_dims).flatmap(lambda dims: st.tuples(*[sides] * dims))
    if min_side > 0:
        return drawn
    rare = st.tuples(drawn, st.integers(0, 7), st.integers(0, max(max_dims - 1, 0)))
    return rare.map(lambda t: _with_zero(*t))


def _with_zero(shape: Shape, chance: int, place: int) -> Shape:
    if chance < 7 or not shape:
        return shape
    place %= len(shape)
    return (*shape[:place], 0, *shape[place + 1 :])


@st.composite
def separated_arrays(
    draw: st.DrawFn,
    shape: Shape | st.SearchStrategy[Shape] | None = None,
    *,
    low: float = -2.0,
    high: float = 2.0,
    avoid: Sequence[float] = (),
    margin: float = 0.05,
    dtype: DTypeLike = np.float64,
) -> Array:
    """Arrays without ties and away from kinks: a gap separates any two elements.

    `shape` is a shape or a strategy of shapes; by default any. The elements are in [low, high], at
    least `margin` away from each number of `avoid`.

    >>> from hypothesis import given
    >>> @given(separated_arrays((3, 2), avoid=[0.0]))
    ... def test(x):
    ...     assert x.shape == (3, 2) and len(set(x.ravel())) == 6 and abs(x).min() > 0.01
    >>> test()
    """
    if shape is None:
        shape = shapes()
    if isinstance(shape, st.SearchStrategy):
        shape = draw(shape)
    (x,) = separated(draw(generators()), shape, low=low, high=high, avoid=avoid, margin=margin)
    return as_dtype(x, dtype)


@st.composite
def broadcastable_shapes(
    draw: st.DrawFn, number: int = 2, *, max_dims: int = 3, max_side: int = 4
) -> tuple[Shape, ...]:
    """Shapes that broadcast together, with missing leading axes, and axes of length 1 and 0.

    >>> from hypothesis import given
    >>> @given(broadcastable_shapes(3))
    ... def test(shapes):
    ...     np.broadcast_shapes(*shapes)
    >>> test()
    """
    whole = draw(shapes(min(1, max_dims), max_dims, 0, max_side))  # without axes: () arises
    found = []
    for _ in range(number):
        ones = [draw(st.sampled_from([False, False, True])) for _ in whole]
        missing = draw(st.integers(0, len(whole))) if draw(st.booleans()) else 0
        sides = tuple(1 if one else n for n, one in zip(whole, ones, strict=True))
        found.append(sides[missing:])
    return tuple(found)


@st.composite
def label_arrays(
    draw: st.DrawFn, shape: Shape, classes: int, *, ignore_index: int | None = None
) -> Array:
    """Labels (int64) in [0, classes). With `ignore_index`, some labels have that value, never all.

    >>> from hypothesis import given
    >>> @given(label_arrays((2, 3), 10, ignore_index=-100))
    ... def test(labels):
    ...     assert labels.dtype == np.int64 and labels.max() >= 0
    >>> test()
    """
    rng = draw(generators())
    labels = rng.integers(0, classes, shape)
    if ignore_index is not None and labels.size:
        ignored = rng.random(shape) < 0.3
        ignored.flat[int(rng.integers(labels.size))] = False
        labels = np.where(ignored, ignore_index, labels)
    return np.asarray(labels, np.int64)
