"""float16 and bfloat16 computed in float32, and rounded once.

float16 has 11 bits and no number above 65,504: a sum of 70,000 ones is infinite, a sum of 5,000 loses
most of its digits, and so does a formula that rounds at each step. bfloat16 has 8 bits. Ops that
sum, and ops of several steps, therefore compute in float32, as PyTorch's do.

Dtypes are compared by `==` or by their characters, not by `is`: an array that was pickled has a dtype
that is equal and another object.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..atomic import quiet
from ..engine import Recorded
from ..engine.dtypes import FLOATING, NARROW

SINGLE = np.dtype(np.float32)
SUMMED_IN = {"e": SINGLE, "E": SINGLE}  # by the character of a dtype; others sum in themselves


def in_float32(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a forward that sums. Of float16 or bfloat16, its result is rounded; residuals are not."""

    @functools.wraps(forward)
    def run(x: Any, *others: Any, **attributes: Any) -> Any:
        if x.dtype.char in NARROW:
            return rounded(forward, (x, *others), attributes)
        return forward(x, *others, **attributes)

    return run


def vjp_in_float32(vjp: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a vjp that sums, or a composite, of arrays or Tensors. The engine rounds the gradient."""

    @functools.wraps(vjp)
    def run(g: Any, *others: Any, **attributes: Any) -> Any:
        if getattr(g, "_array", g).dtype.char in NARROW:
            return vjp(*map(widened, (g, *others)), **attributes)
        return vjp(g, *others, **attributes)

    return run


def rounded(f: Callable[..., Any], inputs: Any, attributes: dict[str, Any]) -> Any:
    """`f` of float16 or bfloat16 arrays in float32; its result, or the first one, in their dtype."""
    result = f(*map(widened, inputs), **attributes)
    y, *residuals = result if isinstance(result, tuple) else (result,)
    with quiet():
        y = y.astype(inputs[0].dtype) if y.dtype.kind in FLOATING else y
    return (y, *residuals) if isinstance(result, tuple) else y


def sum_dtype(dtype: np.dtype[Any]) -> Any:
    """The dtype in which NumPy shall sum: float32 for float16 and bfloat16, else its own choice."""
    return SINGLE if dtype.char in NARROW else None


def widened(x: Any) -> Any:
    """An array or Tensor of float16 or bfloat16 as float32; anything else as it is."""
    if isinstance(x, (np.ndarray, np.generic)):
        return x.astype(SINGLE) if x.dtype.char in NARROW else x
    if isinstance(x, Recorded) and x._array.dtype.char in NARROW:
        tensor: Any = x
        return tensor.to(SINGLE)
    return x
