"""The logarithm of the gamma function, and its derivatives.

All are computed in float64: where x is small, the recurrence in x leads to x ≥ 10, and from there the
asymptotic series with Bernoulli's numbers is exact to rounding (Abramowitz and Stegun, chapter 6).
"""

from __future__ import annotations

import math

import numpy as np

from ..atomic import quiet
from ..engine import op
from ..engine.dtypes import floating

__all__ = ["digamma", "lgamma", "polygamma"]

_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)  # B₂, B₄, ...
_SHIFT = 10


def _in_float64(function):
    """A function of one array, computed in float64 and rounded to the dtype of the array."""

    def run(x, **attributes):
        x = floating(x)
        with quiet():
            y = function(x.astype(np.float64), **attributes)
            return np.asarray(y, x.dtype)

    return run


@_in_float64
def _lgamma(x):
    reflected = x < 0.5
    z = np.where(reflected, 1 - x, x)
    product = np.ones_like(z)
    for k in range(_SHIFT):
        product *= np.where(z < _SHIFT, z + k, 1)
    a = np.where(z < _SHIFT, z + _SHIFT, z)
    y = (a - 0.5) * np.log(a) - a + 0.5 * math.log(2 * math.pi) - np.log(product)
    for k, b in enumerate(_BERNOULLI, 1):
        y += b / (2 * k * (2 * k - 1)) / a ** (2 * k - 1)
    pole = np.abs(np.sin(math.pi * (x - np.round(x))))  # |sin πx|, exact for large x
    y = np.where(reflected, math.log(math.pi) - np.log(pole) - y, y)
    y = np.where((x == 1) | (x == 2), 0, y)  # exactly
    return np.where(np.isinf(x), np.inf, y)


@op
def lgamma(x):
    """y = ln |Γ(x)|, ∞ at 0, −1, −2, ...        x̄ = ȳ ψ(x)

    For x < 1/2 by Γ(x) Γ(1 − x) = π / sin πx.
    """
    return _lgamma(x)


@_in_float64
def _digamma(x):
    reflected = x < 0
    z = np.where(reflected, 1 - x, x)
    y = np.zeros_like(z)
    for k in range(_SHIFT):
        y -= np.where(z < _SHIFT, 1 / (z + k), 0)
    a = np.where(z < _SHIFT, z + _SHIFT, z)
    y += np.log(a) - 0.5 / a
    for k, b in enumerate(_BERNOULLI, 1):
        y -= b / (2 * k) / a ** (2 * k)
    y = np.where(reflected, y - math.pi / np.tan(math.pi * (x - np.round(x))), y)
    y = np.where(x == 0, np.copysign(np.inf, -x), y)
    return np.where(np.isneginf(x) | (reflected & (x == np.round(x))), np.nan, y)


@op
def digamma(x):
    """y = ψ(x), the derivative of ln Γ(x)        x̄ = ȳ ψ′(x)

    ∓∞ at ±0, NaN at −1, −2, ... For x < 0 by ψ(x) = ψ(1 − x) − π / tan πx.
    """
    return _digamma(x)


@_in_float64
def _polygamma(x, n):
    s = n + 1
    z = np.where(x < 0, 1 - x, x)
    y = sum((z + k) ** -float(s) for k in range(_SHIFT))
    a = z + _SHIFT
    y = y + a ** -float(n) / n + 0.5 * a ** -float(s)
    factor = float(s)
    for k, b in enumerate(
        _BERNOULLI, 1
    ):  # B₂ₖ / (2k)! · s (s + 1) ... (s + 2k − 2) / a^(s + 2k − 1)
        y += b / math.factorial(2 * k) * factor / a ** (s + 2 * k - 1)
        factor *= (s + 2 * k - 1) * (s + 2 * k)
    y = np.where(np.isposinf(z), 0, y)
    y = y * (math.factorial(n) * (-1) ** s)
    if not (x < 0).any():
        return y
    derivative = np.polynomial.Polynomial([0.0, 1.0])  # of cot x, as a polynomial in cot x
    for _ in range(n):
        derivative = derivative.deriv() * np.polynomial.Polynomial([-1.0, 0.0, -1.0])
    cotangent = 1 / np.tan(math.pi * (x - np.round(x)))
    return np.where(x < 0, (-1) ** n * y - math.pi**s * derivative(cotangent), y)


@op
def polygamma(x, *, n):
    """y = the n-th derivative of ψ, (−1)ⁿ⁺¹ n! Σₖ (x + k)⁻ⁿ⁻¹, for n ≥ 1        x̄ = ȳ · polygamma(n + 1, x)

    The sum by Euler and Maclaurin; for x < 0 by the n-th derivative of ψ(x) = ψ(1 − x) − π / tan πx.
    """
    return _polygamma(x, n=n)


lgamma.defvjp(x=lambda g, x: g * digamma(x))
digamma.defvjp(x=lambda g, x: g * polygamma(x, n=1))
polygamma.defvjp(x=lambda g, x, n: g * polygamma(x, n=n + 1))
