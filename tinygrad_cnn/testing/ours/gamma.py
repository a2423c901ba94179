"""Calls and references of the gamma function: the standard library, and long sums."""

from __future__ import annotations

import math

import numpy as np

from ..entries import register_strategy
from ..values import Array
from .forms import unary, unary_with

_TERMS = np.arange(20_000.0)


def digamma(x: Array) -> Array:
    """−γ + Σ (1 / (k + 1) − 1 / (x + k)), the rest of the sum by an integral."""
    terms = 1 / (_TERMS + 1) - 1 / (x[..., None] + _TERMS)
    n = len(_TERMS)
    return np.asarray(terms.sum(-1) - np.euler_gamma + np.log((n + x - 0.5) / (n + 0.5)))


def polygamma(x: Array, n: int) -> Array:
    """(−1)ⁿ⁺¹ n! Σ (x + k)⁻ⁿ⁻¹, the rest of the sum by an integral."""
    total = ((x[..., None] + _TERMS) ** -(n + 1.0)).sum(-1)
    rest = (len(_TERMS) + x - 0.5) ** -float(n) / n
    return np.asarray((-1) ** (n + 1) * math.factorial(n) * (total + rest))


lgamma = np.vectorize(math.lgamma, otypes=[float])
register_strategy("lgamma", unary(-0.9, 12.0, avoid=[0.0, -1.0]), reference=lgamma)
register_strategy("digamma", unary(0.2, 12.0), reference=digamma)
register_strategy("polygamma", unary_with(low=0.3, high=12.0, n=[1, 2, 3]), reference=polygamma)
