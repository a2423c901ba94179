"""The geometry of windows, by loops: which element of the input each tap of each window reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..values import Padding, Shape

ALL: Any = slice(None)


def taps(
    plane: Shape, kernel: Shape, output: Shape, stride: Shape, padding: Padding, dilation: Shape
) -> Iterator[tuple[Shape, Shape, Shape]]:
    """(tap, window, cell) for each tap of each window, except taps in the padding.

    `tap` is a place in the kernel, `window` a place in the output, and `cell` the place in the
    input that this tap of this window reads.
    """
    n = len(plane)
    for place in np.ndindex(*kernel, *output):
        tap, window = place[:n], place[n:]
        axes = zip(window, stride, tap, dilation, padding, strict=True)
        cell = tuple(p * s + i * d - before for p, s, i, d, (before, _) in axes)
        if all(0 <= h < size for h, size in zip(cell, plane, strict=True)):
            yield tap, window, cell
