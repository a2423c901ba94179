"""Calls and references of elementwise arithmetic: powers, trigonometry, rounding, division.

A reference is another formula of the same function where there is one, so that NumPy is not
compared with itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..calls import Call
from ..entries import register_strategy
from ..strategies import broadcastable_shapes, generators
from ..values import separated
from .forms import at_pair, binary, unary

SMOOTH: dict[str, tuple[float, float, Callable[..., Any]]] = {  # (low, high, reference)
    "square": (-2, 2, lambda x: x * x),
    "reciprocal": (0.4, 2, lambda x: 1 / x),
    "rsqrt": (0.4, 2, lambda x: x**-0.5),
    "log2": (0.3, 3, lambda x: np.log(x) / math.log(2)),
    "log10": (0.3, 3, lambda x: np.log(x) / math.log(10)),
    "log1p": (-0.6, 2, lambda x: np.log(1 + x)),
    "expm1": (-2, 2, lambda x: np.exp(x) - 1),
    "tan": (-1, 1, lambda x: np.sin(x) / np.cos(x)),
    "sinh": (-2, 2, lambda x: (np.exp(x) - np.exp(-x)) / 2),
    "cosh": (-2, 2, lambda x: (np.exp(x) + np.exp(-x)) / 2),
    "asin": (-0.8, 0.8, lambda x: np.arctan(x / np.sqrt(1 - x * x))),
    "acos": (-0.8, 0.8, lambda x: math.pi / 2 - np.arcsin(x)),
    "atan": (-2, 2, lambda x: np.arcsin(x / np.sqrt(1 + x * x))),
    "asinh": (-2, 2, lambda x: np.log(x + np.sqrt(x * x + 1))),
    "acosh": (1.3, 3, lambda x: np.log(x + np.sqrt(x * x - 1))),
    "atanh": (-0.8, 0.8, lambda x: np.log((1 + x) / (1 - x)) / 2),
}
for name, (low, high, formula) in SMOOTH.items():
    register_strategy(name, unary(low, high), reference=formula)

ROUNDINGS: dict[str, Callable[..., Any]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
    "round": round,
}
JUMPS = (-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2)
for name, rounding in ROUNDINGS.items():
    register_strategy(name, unary(avoid=JUMPS), reference=np.vectorize(rounding, otypes=[float]))


@st.composite
def divisions(draw: st.DrawFn) -> Call:
    """Two inputs a and b of a division with a remainder, with a / b at least 0.1 from any integer.

    Both are arrays that broadcast, or b is a number and a = (q + r) b with an integer q and r in
    (0.2, 0.8).
    """
    shape_a, shape_b = draw(broadcastable_shapes(2))
    whole = np.broadcast_shapes(shape_a, shape_b)
    rng = draw(generators())
    if draw(st.integers(0, 3)):  # |b| in (0.9, 1.1) and a = n + 0.5: a / b is not whole
        (b,) = separated(rng, shape_b, low=0.9, high=1.1)
        a = rng.integers(-4, 4, shape_a) + 0.5
        return Call((a, b * rng.choice([-1, 1], shape_b)))
    (r,) = separated(rng, whole, low=0.2, high=0.8)
    number = draw(st.sampled_from([2.0, -1.5, 2, 0.5, 3]))
    return Call(((rng.integers(-3, 3, whole) + r) * number, number))


DIVISIONS: dict[str, Callable[..., Any]] = {
    "floor_divide": lambda a, b: math.floor(a / b),
    "remainder": lambda a, b: a % b,
    "fmod": math.fmod,
}
for name, divide in DIVISIONS.items():
    register_strategy(name, divisions(), reference=np.vectorize(divide, otypes=[float]))

register_strategy(
    "atan2",
    binary(a=(-2, 2), b=(0.4, 2), whole=False),
    reference=lambda a, b: np.angle(b + 1j * a),
)
register_strategy(
    "hypot",
    binary(gap=0.2),
    reference=lambda a, b: np.sqrt(a * a + b * b),
    conventions=[
        at_pair([0.0, 3.0, -2.0], [0.0, 4.0, 0.0], "a", [math.nan, 0.6, -1.0]),
        at_pair([0.0, 3.0, -2.0], [0.0, 4.0, 0.0], "b", [math.nan, 0.8, 0.0]),
    ],
)
register_strategy("logaddexp", binary(), reference=lambda a, b: np.log(np.exp(a) + np.exp(b)))
