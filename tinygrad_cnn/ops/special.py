"""The error function, its relatives, and x ln y."""

from __future__ import annotations

import math

import numpy as np

from .. import kernels
from ..atomic import quiet
from ..engine import op
from ..engine.dtypes import floating
from .elementwise import exp, in_one_pass, log, where

__all__ = ["erf", "erfc", "erfinv", "xlogy"]


@op
@in_one_pass
def erf(x):
    """y = erf x, 2/√π ∫₀ˣ e^−t² dt        x̄ = ȳ · 2 e^−x² / √π"""
    return kernels.elementwise(kernels.erf, floating(x))


erf.defvjp(x=in_one_pass(lambda g, x: g * (exp(-x * x) * (2.0 / math.sqrt(math.pi)))))


@op
def erfc(x):
    """y = erfc x, 1 − erf x, precise also where it is small        x̄ = −ȳ · 2 e^−x² / √π

    For 0 ≤ x ≤ 2 it is e^−u(x) (see kernels/error_function.py), and 2 − erfc |x| for x < 0. Beyond,
    Laplace's continued fraction gives √π e^x² erfc x = 1/(x + ½/(x + 1/(x + 3/2/(x + ...)))).
    """
    x = floating(x)
    wide = np.atleast_1d(x).astype(np.float64)
    a = np.abs(wide)
    with quiet():
        y = np.exp(-kernels.minus_log_erfc(a))
        far = a > 2
        if far.any():
            tail = z = a[far]
            for k in range(50, 0, -1):
                tail = z + (k / 2) / tail
            y[far] = np.exp(-z * z) / (tail * math.sqrt(math.pi))
        return np.where(wide < 0, 2 - y, y).astype(x.dtype).reshape(x.shape)


erfc.defvjp(x=in_one_pass(lambda g, x: g * (exp(-x * x) * (-2.0 / math.sqrt(math.pi)))))


@op
def erfinv(x):
    """y with erf y = x; ±∞ at ±1, NaN beyond        x̄ = ȳ · √π e^y² / 2

    Newton's method on u(y) = −ln(1 − |x|), with u′(y) = 2/√π e^(u − y²), from the guess of Winitzki
    (2008), good to 2e-3: three steps leave rounding alone.
    """
    x = floating(x)
    a = np.abs(np.atleast_1d(x).astype(np.float64))
    with quiet():
        target, log = -np.log1p(-a), np.log1p(-a * a)
        h = 2 / (math.pi * 0.147) + log / 2
        y = np.sqrt(-log / 0.147 / (np.sqrt(h * h - log / 0.147) + h))
        for _ in range(3):
            u = kernels.minus_log_erfc(y)
            y -= (u - target) * np.exp(y * y - u) * (math.sqrt(math.pi) / 2)
    y[a == 1] = np.inf
    return np.copysign(y, x).astype(x.dtype).reshape(x.shape)


erfinv.defvjp(x=in_one_pass(lambda g, y: g * (exp(y * y) * (math.sqrt(math.pi) / 2.0))))


@op(elementwise=True)
@in_one_pass
def xlogy(a, b):
    """y = 0 where a = 0, else a ln b        ā = 0 where a = 0 ≥ b, else ȳ · ln b        b̄ = ȳ · a / b

    y is NaN where b is NaN. ā is 0 where a = 0 ≥ b, as in PyTorch: y is 0 for each such b.
    """
    a, b = _arrays(a, b)
    y = a * np.log(b)
    return np.where((a == 0) & ~np.isnan(b), np.zeros((), y.dtype), y)


def _arrays(*operands):
    """Arrays as they are, and numbers in their dtype."""
    dtype = next(x.dtype for x in operands if isinstance(x, np.ndarray))
    return [x if isinstance(x, np.ndarray) else np.full((), x, dtype) for x in operands]


def xlogy_a(g, a, b):
    if isinstance(b, (int, float)):
        b = np.full((), b, g.dtype)
    return where((a == 0) & (b <= 0), 0.0, g * log(b))


xlogy.defvjp(a=xlogy_a, b=lambda g, a, b: g * a / b)
