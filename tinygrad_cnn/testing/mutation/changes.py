"""Wrong changes of a value, an array or a Tensor: of a gradient, or of the output of a forward."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...engine import wrap
from ...ops import cast, where
from ...tensor import Tensor
from ..compare import same_bits
from ..values import Array
from .base import Watch

LITTLE = 1.0005  # an error of 0.05 % must be noticed
OFFSET = 1e-3  # added to one element

# (value, context, watch) → the changed value. The context of a gradient is its cotangent g, that of
# an output is the tuple of inputs.
Change = Callable[[Any, Any, Watch], Any]


def of_value(change: Callable[[Any], Any]) -> Change:
    """A change that needs the value alone."""
    return lambda value, context, watch: change(value)


def scaled(value: Any) -> Any:
    """0.05 % too large."""
    return value * LITTLE


def sign_turned(value: Any) -> Any:
    """The negative."""
    return -value


def dropped(value: Any) -> Any:
    """Zeros."""
    return value * 0.0


def zeroed(place: int) -> Callable[[Any], Any]:
    """One element is zero, the first (0) or the last (-1), as after a loop that ends too early."""

    def one_zeroed(value: Any) -> Any:
        kept = np.ones(value.shape, bool)
        kept.reshape(-1)[place : place + 1 or None] = False
        return where(kept, value, 0.0)

    return one_zeroed


def every_twentieth_zeroed(value: Array) -> Array:
    """5 % of the elements are zero: every twentieth, from the third."""
    value = value.copy()
    value.reshape(-1)[2::20] = 0
    return value


def off(place: int) -> Callable[[Any], Any]:
    """One element is too large, the first (0) or the last (-1)."""

    def one_off(value: Any) -> Any:
        more = np.zeros(value.shape, value.dtype)
        more.reshape(-1)[place : place + 1 or None] = OFFSET
        return value + (wrap(more) if isinstance(value, Tensor) else more)

    return one_off


def rolled(value: Any) -> Any:
    """Each element is moved by one place."""
    size = math.prod(value.shape)
    if size < 2:
        return value
    return value.reshape((-1,))[np.roll(np.arange(size), 1)].reshape(tuple(value.shape))


def transposed(value: Any) -> Any:
    """The last two axes are swapped, if they have the same length."""
    square = len(value.shape) > 1 and value.shape[-1] == value.shape[-2]
    return value.swapaxes(-1, -2) if square else value


def reversed_first(value: Any) -> Any:
    """The first axis is reversed."""
    return value[::-1] if len(value.shape) else value


def in_float64(value: Any) -> Any:
    """The dtype is float64."""
    return cast(value, dtype=np.dtype("float64"))


def detached(value: Any) -> Any:
    """A Tensor is detached from its graph."""
    return value.detach() if isinstance(value, Tensor) else value


def noisy() -> Callable[[Any], Any]:
    """Every second result is larger by a few units in the last place."""
    calls = 0

    def another_each_time(value: Any) -> Any:
        nonlocal calls
        calls += 1
        return value * (1 + 8 * 2.0**-52 * (calls % 2))

    return another_each_time


def one_buffer() -> Change:
    """All results of one shape share the same memory."""
    buffers: dict[Any, Array] = {}

    def workspace(value: Any, context: Any, watch: Watch) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        buffer = buffers.setdefault((value.shape, value.dtype), value.copy())
        if not same_bits(buffer, value):
            watch.changed = True
            buffer[...] = value
        return buffer

    return workspace
