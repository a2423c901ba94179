"""The error function and its inverse."""

from __future__ import annotations

import math

import numpy as np

from .. import kernels
from ..engine import op
from ..engine.dtypes import floating
from .elementwise import exp, in_one_pass

__all__ = ["erf", "erfinv"]


@op
@in_one_pass
def erf(x):
    """y = erf x = 2/√π ∫₀ˣ e^−t² dt        x̄ = ȳ · 2/√π e^−x²"""
    return kernels.elementwise(kernels.erf, floating(x))


erf.defvjp(x=in_one_pass(lambda g, x: g * (exp(-x * x) * (2.0 / math.sqrt(math.pi)))))


@op
def erfinv(x):
    """y with erf y = x; ±∞ at ±1, NaN beyond        x̄ = ȳ · √π/2 e^y²

    Newton's method on u(y) = −ln(1 − |x|), with u′(y) = 2/√π e^(u − y²), from the guess of Winitzki
    (2008), good to 2e-3: three steps leave rounding alone.
    """
    x = floating(x)
    a = np.abs(np.atleast_1d(x).astype(np.float64))
    with np.errstate(all="ignore"):
        target, log = -np.log1p(-a), np.log1p(-a * a)
        h = 2 / (math.pi * 0.147) + log / 2
        y = np.sqrt(-log / 0.147 / (np.sqrt(h * h - log / 0.147) + h))
        for _ in range(3):
            u = kernels.minus_log_erfc(y)
            y -= (u - target) * np.exp(y * y - u) * (math.sqrt(math.pi) / 2)
    y[a == 1] = np.inf
    return np.copysign(y, x).astype(x.dtype).reshape(x.shape)


erfinv.defvjp(x=in_one_pass(lambda g, y: g * (exp(y * y) * (math.sqrt(math.pi) / 2.0))))
