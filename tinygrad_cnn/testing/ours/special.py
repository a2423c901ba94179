"""Calls and references of the special functions."""

from __future__ import annotations

import math

import numpy as np

from ..entries import register_strategy
from ..values import Array
from .forms import unary


def erfinv(x: Array) -> Array:
    """Bisection of math.erf."""

    def one(v: float) -> float:
        low, high = -6.0, 6.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if math.erf(middle) < v else (low, middle)
        return low

    return np.asarray(np.vectorize(one, otypes=[float])(x))


register_strategy("erf", unary(), reference=np.vectorize(math.erf, otypes=[float]))
register_strategy("erfinv", unary(-0.9, 0.9), reference=erfinv)
