"""Calls and references of the special functions."""

from __future__ import annotations

import math

import numpy as np

from ..calls import Call
from ..entries import register_strategy
from ..values import Array
from .forms import at_pair, binary, unary


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
register_strategy("erfc", unary(), reference=np.vectorize(math.erfc, otypes=[float]))


def xlogy(a: Array, b: Array) -> Array:
    """math.log, one number at a time."""
    return np.asarray(
        np.vectorize(lambda v, w: v * math.log(w) if v else 0.0, otypes=[float])(a, b)
    )


def of_positive(call: Call) -> Call:
    """A call whose second input is positive, also where it is a number."""
    a, b = call.inputs
    return Call((a, abs(b) if isinstance(b, (int, float)) else b))


register_strategy(
    "xlogy",
    binary(b=(0.2, 2.0)).map(of_positive),
    reference=xlogy,
    conventions=[
        at_pair([0.0, 2.0], [3.0, 1.0], "a", [math.log(3.0), 0.0]),
        at_pair([0.0, 0.0, 2.0], [0.5, 3.0, 1.0], "b", [0.0, 0.0, 2.0]),
    ],
)
