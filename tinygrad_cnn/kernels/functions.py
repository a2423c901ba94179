"""Elementwise functions made of NumPy's, which a set of kernels may know as one operation.

`kernels.elementwise(masked, x, mask)` then is one pass over memory, like a NumPy function.
`error_function.erf` is another one.
"""

from typing import Any

import numpy as np
from numpy import ndarray

from .layout import FLOATING


def masked(x: Any, mask: Any, out: ndarray | None = None) -> ndarray:
    """x where the bool mask holds, else 0. The two broadcast.

    Multiplies the bits of x, as integers, by 0 or 1: that is exact, makes no NaN of an infinity,
    and takes a tenth of the time of `np.where`.
    """
    if not isinstance(x, np.ndarray):
        return np.where(mask, x, 0)
    if x.dtype.kind not in FLOATING:
        return np.multiply(x, mask, out=out)
    bits = f"i{x.dtype.itemsize}"
    out = None if out is None else out.view(bits)
    return np.multiply(x.view(bits), mask, out=out).view(x.dtype)


def rectified(g: Any, y: Any, out: ndarray | None = None) -> ndarray:
    """g where not y ≤ 0, else 0: the gradient of ReLU, which a NaN in y passes."""
    stopped = y <= 0
    if isinstance(stopped, ndarray):  # in place: Python 3.14 hides from NumPy that `~` could be
        return masked(g, np.logical_not(stopped, out=stopped), out)
    return masked(g, ~stopped, out)


def between(y: Any, low: Any, high: Any) -> Any:
    """Whether y, clipped to [low, high] before, is strictly between the two; true for NaN."""
    inside = y != low
    inside &= y != high
    return inside


def logistic(x: Any) -> Any:
    """1 / (1 + e⁻ˣ), computed as e^min(x, 0) / (1 + e^−|x|).

    Neither exponential overflows, and `np.where` of two formulas would take longer.
    """
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))
