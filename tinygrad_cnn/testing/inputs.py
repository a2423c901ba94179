"""The arguments of a function that is checked: arrays, Tensors, and any others, which stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor


def plain(x: Any) -> Any:
    """The array of a Tensor; any other value as it is."""
    return x._array if isinstance(x, Tensor) else x


def is_floating(x: object) -> bool:
    """Whether x is an array or a Tensor of floating point."""
    array = plain(x)
    return isinstance(array, np.ndarray) and array.dtype.kind == "f"


def double(x: Any) -> Any:
    """A float64 copy of an array or a Tensor of floating point; any other value as it is."""
    return plain(x).astype(np.float64) if is_floating(x) else plain(x)


def in_float32(xs: Sequence[Any]) -> list[Any]:
    """Float32 copies of the floating-point arrays; any other value as it is."""
    return [x.astype(np.float32) if is_floating(x) else x for x in xs]


def flipped(xs: Sequence[Any]) -> list[Any]:
    """Copies of the floating-point arrays, reversed along all axes; any other value as it is.

    These are other values with the properties that a strategy gave them: gaps, and spread.
    """
    return [np.array(np.flip(x)) if is_floating(x) else x for x in xs]
