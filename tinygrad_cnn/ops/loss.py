"""Elementwise losses of one op each. The reduction is another op."""

from __future__ import annotations

import numpy as np

from ..engine import op
from .activation import hardtanh
from .elementwise import in_one_pass, log, maximum

__all__ = ["binary_cross_entropy", "huber"]


@op
@in_one_pass
def huber(x, *, delta):
    """y = x² / 2 where |x| < δ, else δ (|x| − δ / 2)        x̄ = ȳ · min(max(x, −δ), δ)"""
    size = np.abs(x)
    return np.where(size < delta, 0.5 * x * x, delta * (size - 0.5 * delta))


huber.defvjp(
    x=in_one_pass(lambda g, x, delta: g * hardtanh(x, min_val=-delta, max_val=delta)),
)


@op(elementwise=True)
@in_one_pass
def binary_cross_entropy(p, t):
    """y = −t ln p − (1 − t) ln(1 − p), each logarithm at least −100.

    p̄ = ȳ · (p − t) / max(p (1 − p), 10⁻¹²)        t̄ = ȳ · (ln(1 − p) − ln p)
    """
    return (t - 1) * np.maximum(np.log1p(-p), -100) - t * np.maximum(np.log(p), -100)


binary_cross_entropy.defvjp(
    p=in_one_pass(lambda g, p, t: g * (p - t) / maximum(p * (1.0 - p), 1e-12)),
    t=lambda g, p: g * (log(1.0 - p) - log(p)),
)
