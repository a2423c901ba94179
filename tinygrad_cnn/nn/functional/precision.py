"""Functions of several ops, of float16 and bfloat16: computed in float32, and rounded once.

An op that sums does so by itself (`ops/precision.py`). A function made of ops would round after each,
and overflow at 65,504 on the way to a small value.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

import numpy as np

from ... import ops
from ...engine.dtypes import NARROW
from ...tensor import Tensor

P = ParamSpec("P")

SINGLE = np.dtype(np.float32)


def in_float32(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Compute a function of positional Tensors in float32 if the first is float16 or bfloat16."""

    @functools.wraps(function)
    def run(*arguments: P.args, **settings: P.kwargs) -> Tensor:
        x: Any = arguments[0] if arguments else None
        if not is_narrow(x):
            return function(*arguments, **settings)
        wide: Any = map(_widened, arguments)
        y: Any = function(*wide, **settings)
        return y if y._array.dtype != SINGLE else ops.cast(y, dtype=x._array.dtype)

    return run


def is_narrow(x: Any) -> bool:
    """Whether this is a Tensor of float16 or bfloat16."""
    return isinstance(x, Tensor) and x._array.dtype.char in NARROW


def _widened(x: Any) -> Any:
    return ops.cast(x, dtype=SINGLE) if is_narrow(x) else x
