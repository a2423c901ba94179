"""Values to test at, drawn from a seed: signed, apart from each other, away from kinks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .recipes import remember

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
Pair = tuple[int, int]  # one number for rows, one for columns
Padding = tuple[Pair, ...]  # (before, behind) for each axis of space

LARGE_ELEMENTS = 40  # snippets write out the elements of smaller arrays


def separated(
    rng: np.random.Generator,
    *shapes: Shape,
    low: float = -2.0,
    high: float = 2.0,
    avoid: Sequence[float] = (),
    margin: float = 0.05,
) -> list[Array]:
    """Arrays of these shapes, with a gap between any two elements and no element near `avoid`.

    The elements are in [low, high], at least `margin` away from each number of `avoid`, and no two
    are close, within an array or across arrays. The rest of the interval is cut into one cell for
    each element. Each element takes a place in the middle half of its cell, and the cells are
    permuted. So no value is drawn and rejected.

    >>> x, w = separated(np.random.default_rng(0), (2, 3), (4,), avoid=[0.0])
    >>> values = np.sort(np.concatenate([x.ravel(), w]))
    >>> bool(np.diff(values).min() > 0.15), bool(np.abs(values).min() >= 0.05)
    (True, True)
    """
    free = _free_intervals(low, high, sorted(avoid), margin)
    total = sum(b - a for a, b in free)
    sizes = [math.prod(shape) for shape in shapes]
    n = sum(sizes)
    places = (rng.permutation(n) + rng.uniform(0.25, 0.75, n)) * (total / max(n, 1))
    values = np.empty(n)
    before = 0.0
    for a, b in free:
        inside = (places >= before) & (places < before + b - a)
        values[inside] = places[inside] - before + a
        before += b - a
    parts = np.split(values, np.cumsum(sizes)[:-1]) if sizes else []
    arrays = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
    if n > LARGE_ELEMENTS:
        seed: Any = getattr(rng.bit_generator.seed_seq, "entropy", None)
        options = f"low={low}, high={high}, avoid={list(avoid)}, margin={margin}"
        call = f"separated(np.random.default_rng({seed}), {', '.join(map(str, shapes))}, {options})"
        for k, array in enumerate(arrays):
            remember(array, f"{call}[{k}]")
    return arrays


def laid_out(x: Array, strides: Shape | None = None, *, writeable: bool = True) -> Array:
    """A copy of x with these strides in bytes; by default those of a contiguous array.

    A stride may be negative, or 0 along an axis where the elements are equal.

    >>> laid_out(np.array([1.0, 2.0]), (-16,)).strides
    (-16,)
    """
    if strides is None:
        strides = np.empty(x.shape, x.dtype).strides
    ends = [(n - 1) * s for n, s in zip(x.shape, strides, strict=True)]
    before = -sum(min(end, 0) for end in ends) if x.size else 0
    size = before + sum(max(end, 0) for end in ends) + x.itemsize
    made = np.ndarray(x.shape, x.dtype, bytearray(size), before, strides)
    made[...] = x
    made.flags.writeable = writeable
    return made


def _free_intervals(
    low: float, high: float, avoid: Sequence[float], margin: float
) -> list[tuple[float, float]]:
    """The parts of [low, high] at least `margin` away from each number of `avoid`, in order."""
    free = []
    for point in avoid:
        if low < point - margin:
            free.append((low, min(point - margin, high)))
        low = max(low, point + margin)
    if low < high:
        free.append((low, high))
    return free


def signed(rng: np.random.Generator, shape: Shape, dtype: DTypeLike = np.float64) -> Array:
    """A random direction: numbers of both signs and of magnitude 0.5 to 1.5.

    No component is small, so an error in any element shows in the projection.
    """
    return np.asarray(
        rng.uniform(0.5, 1.5, shape) * np.where(rng.random(shape) < 0.5, -1, 1)
    ).astype(dtype)


@dataclass(frozen=True)
class FixedRandom:
    """A source of random numbers that returns the same numbers at each call.

    It makes dropout a deterministic function, which a check can call repeatedly.

    >>> random = FixedRandom(3)
    >>> bool((random((2, 2)) == random((2, 2))).all())
    True
    """

    seed: int

    def __call__(self, shape: Shape) -> Array:
        return np.random.default_rng(self.seed).random(shape)
