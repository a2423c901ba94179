"""Elementwise ops of one formula each, in a table, and division with a remainder.

Integers become the default dtype; ops that round leave them as they are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine import op
from ..engine.dtypes import floating, int64
from .elementwise import in_one_pass, sqrt

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "ceil",
    "cosh",
    "expm1",
    "floor",
    "floor_divide",
    "fmod",
    "log1p",
    "log2",
    "log10",
    "reciprocal",
    "remainder",
    "round",
    "rsqrt",
    "sinh",
    "square",
    "tan",
    "trunc",
]  # fmt: skip


def _unary(name: str, function: Any, doc: str, vjp: Any, prepare: Any = floating) -> Any:
    """The op y = function(x)."""

    def forward(x):
        return function(prepare(x))

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = doc
    record = op(in_one_pass(forward))
    record.defvjp(x=in_one_pass(vjp))
    return record


square = _unary(
    "square", np.square, "y = x²        x̄ = ȳ · 2x", lambda g, x: g * (2.0 * x),
    lambda x: x if x.dtype.kind != "b" else x.astype(int64),
)  # fmt: skip
reciprocal = _unary(
    "reciprocal", np.reciprocal, "y = 1/x        x̄ = −ȳ · y²", lambda g, y: -g * y * y
)
rsqrt = _unary(
    "rsqrt", lambda x: 1 / np.sqrt(x), "y = 1/√x        x̄ = −ȳ · y³/2",
    lambda g, y: g * (-0.5 * y * y * y),
)  # fmt: skip
log2 = _unary(
    "log2", np.log2, "y = log₂ x        x̄ = ȳ / (x ln 2)", lambda g, x: g / (x * math.log(2.0))
)
log10 = _unary(
    "log10", np.log10, "y = log₁₀ x        x̄ = ȳ / (x ln 10)", lambda g, x: g / (x * math.log(10.0))
)
log1p = _unary(
    "log1p", np.log1p, "y = ln(1 + x)        x̄ = ȳ / (1 + x)", lambda g, x: g / (x + 1.0)
)
expm1 = _unary("expm1", np.expm1, "y = eˣ − 1        x̄ = ȳ · (y + 1)", lambda g, y: g * (y + 1.0))
tan = _unary("tan", np.tan, "y = tan x        x̄ = ȳ · (1 + y²)", lambda g, y: g * (y * y + 1.0))
sinh = _unary("sinh", np.sinh, "y = sinh x        x̄ = ȳ · cosh x", lambda g, x: g * cosh(x))
cosh: Any = _unary("cosh", np.cosh, "y = cosh x        x̄ = ȳ · sinh x", lambda g, x: g * sinh(x))
asin = _unary(
    "asin", np.arcsin, "y = asin x        x̄ = ȳ / √(1 − x²)", lambda g, x: g / sqrt(1.0 - x * x)
)
acos = _unary(
    "acos", np.arccos, "y = acos x        x̄ = −ȳ / √(1 − x²)", lambda g, x: -g / sqrt(1.0 - x * x)
)
atan = _unary(
    "atan", np.arctan, "y = atan x        x̄ = ȳ / (1 + x²)", lambda g, x: g / (x * x + 1.0)
)
asinh = _unary(
    "asinh", np.arcsinh, "y = asinh x        x̄ = ȳ / √(x² + 1)", lambda g, x: g / sqrt(x * x + 1.0)
)
acosh = _unary(
    "acosh", np.arccosh, "y = acosh x        x̄ = ȳ / √(x² − 1)", lambda g, x: g / sqrt(x * x - 1.0)
)
atanh = _unary(
    "atanh", np.arctanh, "y = atanh x        x̄ = ȳ / (1 − x²)", lambda g, x: g / (1.0 - x * x)
)


def _step(name, function, what):
    """An op that rounds: y is piecewise constant."""
    doc = f"y = {what}        x̄ = 0, at the jumps too"
    return _unary(name, function, doc, lambda g: g * 0.0, np.asarray)


floor = _step("floor", np.floor, "⌊x⌋, the next integer below")
ceil = _step("ceil", np.ceil, "⌈x⌉, the next integer above")
trunc = _step("trunc", np.trunc, "the integer part of x")
round = _step("round", np.round, "the nearest integer; of two, the even one")


@op(elementwise=True)
def atan2(a, b):
    """y = the angle of the point (b, a)        ā = ȳ b / (a² + b²)        b̄ = −ȳ a / (a² + b²)"""
    return np.arctan2(a, b)


atan2.defvjp(
    a=lambda g, a, b: g * (b / (a * a + b * b)), b=lambda g, a, b: -g * (a / (a * a + b * b))
)


@op(elementwise=True)
@in_one_pass
def floor_divide(a, b):
    """y = ⌊a / b⌋        ā = b̄ = 0"""
    return np.floor_divide(a, b)


@op(elementwise=True)
@in_one_pass
def remainder(a, b):
    """y = a − b ⌊a / b⌋, of the sign of b        ā = ȳ        b̄ = −ȳ · ⌊a / b⌋"""
    return np.remainder(a, b)


@op(elementwise=True)
@in_one_pass
def fmod(a, b):
    """y = a − b trunc(a / b), of the sign of a        ā = ȳ        b̄ = −ȳ · trunc(a / b)"""
    return np.fmod(a, b)


floor_divide.defvjp(a=lambda g: g * 0.0, b=lambda g: g * 0.0)
remainder.defvjp(a=lambda g: g, b=lambda g, a, b: -g * floor_divide(a, b))
fmod.defvjp(a=lambda g: g, b=lambda g, a, b: -g * trunc(a / b))
