"""Elementwise ops of one formula each, in a table, and division with a remainder.

Integers become the default dtype; ops that round leave them as they are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine import op
from ..engine.dtypes import floating, int64
from .elementwise import in_one_pass, keep, sigmoid, sqrt, where, zeros

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
    "hypot",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
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
    return _unary(name, function, doc, zeros, np.asarray)


floor = _step("floor", np.floor, "⌊x⌋, the next integer below")
ceil = _step("ceil", np.ceil, "⌈x⌉, the next integer above")
trunc = _step("trunc", np.trunc, "the integer part of x")
round = _step("round", np.round, "the nearest integer; of two, the even one")


@op(elementwise=True)
def atan2(a, b):
    """y = the angle of the point (b, a)        ā = ȳ b / (a² + b²)        b̄ = −ȳ a / (a² + b²)

    At the origin, where every angle is a limit, the gradient is 0, and so it is at infinity.
    """
    return np.arctan2(a, b)


def _turned(g, a, b):
    """ȳ b / (a² + b²), and 0 at the origin. The scale m keeps the squares from overflow."""
    m = np.maximum(*(abs(getattr(v, "_array", v)) for v in (a, b)))
    still = (m == 0) | (m == np.inf)
    m = np.where(still, 1, m)
    a, b = (keep(v / m, ~still) for v in (a, b))
    return keep(g, ~still) * (b / where(still, 1.0, a * a + b * b) / m)


atan2.defvjp(a=_turned, b=lambda g, a, b: -_turned(g, b, a))


@op(elementwise=True)
@in_one_pass
def hypot(a, b):
    """y = √(a² + b²)        ā = ȳ · a/y        b̄ = ȳ · b/y

    y² = a² + b², so y dy = a da + b db. a² and b² are never formed: they could overflow where y
    does not. At the kink a = b = 0 both gradients are 0/0 = NaN, as in PyTorch; for an infinite
    input, its own gradient is ∞/∞ = NaN.
    """
    return np.hypot(a, b)


hypot.defvjp(a=in_one_pass(lambda g, a, y: g * (a / y)))
hypot.defvjp(b=in_one_pass(lambda g, b, y: g * (b / y)))


@op(elementwise=True)
@in_one_pass
def logaddexp(a, b):
    """y = ln(eᵃ + eᵇ)        ā = ȳ · σ(a − b)        b̄ = ȳ · σ(b − a)

    dy = (eᵃ da + eᵇ db) / (eᵃ + eᵇ), and eᵃ / (eᵃ + eᵇ) = 1 / (1 + eᵇ⁻ᵃ) = σ(a − b). y is computed as
    max(a, b) + ln(1 + e^−|a − b|): no exponential overflows. Where a and b are the same infinity, y is
    that infinity, and both gradients are NaN, as in PyTorch: a − b is undefined.
    """
    gap = np.where(a == b, 0.0, abs(a - b))  # 0 for equal infinities too
    return np.maximum(a, b) + np.log1p(np.exp(-gap))


logaddexp.defvjp(a=lambda g, a, b: g * sigmoid(a - b), b=lambda g, a, b: g * sigmoid(b - a))


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


floor_divide.defvjp(a=zeros, b=zeros)
remainder.defvjp(a=lambda g: g, b=lambda g, a, b: -g * floor_divide(a, b))
fmod.defvjp(a=lambda g: g, b=lambda g, a, b: -g * trunc(a / b))
