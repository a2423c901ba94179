"""Functions of several ops, of float16: computed in float32, and rounded once.

An op that sums does so by itself (`ops/precision.py`). A function made of ops would round after each,
and overflow at 65,504 on the way to a small value.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

import numpy as np

from ... import ops
from ...tensor import Tensor

P = ParamSpec("P")

HALF = np.dtype(np.float16)
SINGLE = np.dtype(np.float32)


def in_float32(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Compute a function of positional Tensors in float32 if the first of them is float16."""

    @functools.wraps(function)
    def run(*arguments: P.args, **settings: P.kwargs) -> Tensor:
        x: Any = arguments[0] if arguments else None
        if not isinstance(x, Tensor) or x._array.dtype != HALF:
            return function(*arguments, **settings)
        wide: Any = map(_widened, arguments)
        y: Any = function(*wide, **settings)
        return y if y._array.dtype != SINGLE else ops.cast(y, dtype=HALF)

    return run


def _widened(x: Any) -> Any:
    return ops.cast(x, dtype=SINGLE) if isinstance(x, Tensor) and x._array.dtype == HALF else x
