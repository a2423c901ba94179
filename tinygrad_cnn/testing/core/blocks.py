"""Blocks: the elements of an array that are compared with differences at one scale.

Where the numbers of an array, or of its gradient, differ by more than SPREAD, the small ones would
vanish in the rounding of the large ones. So the elements are sorted into classes of magnitude, and
each class is moved apart from the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from .subject import Array

SPREAD = 1e4  # the largest ratio of magnitudes within a class
MOST = 8  # classes of one array: the last has all the rest


class Block(NamedTuple):
    """The elements where `mask` is true (None: all), whose magnitude is at most `scale`."""

    mask: Array | None
    scale: float

    def of(self, v: Array) -> Array:
        """A direction, without the elements outside of this block."""
        return v if self.mask is None else np.where(self.mask, v, 0.0)


def classes(x: Array, among: Array | None = None) -> list[Array]:
    """Masks of the elements by magnitude, largest first. Zeros count to the largest.

    `among` masks the elements to sort; by default all.
    """
    size = np.abs(np.where(np.isfinite(x), x, 0.0)).astype(np.float64)
    masks: list[Array] = []
    rest = np.ones(x.shape, bool) if among is None else among
    while rest.any():
        largest = float(size[rest].max())
        small = rest & (size < largest / SPREAD) & (size > 0)
        if len(masks) == MOST - 1:
            small &= False
        masks.append(rest & ~small)
        rest = small
    return masks


def blocks(x: Array, gradient: Array) -> Iterator[Block]:
    """The blocks of an input: classes of the input, and within them classes of its gradient."""
    for of_x in classes(x):
        sizes = np.abs(x[of_x])
        scale = float(sizes[np.isfinite(sizes)].max(initial=0.0)) or 1.0
        zero = of_x & (gradient == 0)
        few = 0 < zero.sum() <= of_x.sum() / 2  # zeros where the gradient may be small
        for mask in (*classes(gradient, of_x & ~zero if few else of_x), *([zero] if few else [])):
            yield Block(None if mask.all() else mask, scale)


def cotangent_masks(outputs: Sequence[Array]) -> Iterator[list[Array] | None]:
    """Masks of the outputs by magnitude, over all outputs together. None if there is one class."""
    flat = np.concatenate([np.ravel(np.asarray(y, np.float64)) for y in outputs])
    found = classes(flat)
    if len(found) < 2:
        yield None
        return
    ends = np.cumsum([y.size for y in outputs])[:-1]
    for mask in found:
        yield [part.reshape(y.shape) for part, y in zip(np.split(mask, ends), outputs, strict=True)]
