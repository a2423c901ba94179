"""Equality of two arrays: up to rounding, or to the bit."""

from __future__ import annotations

import numpy as np

from .values import Array


def close(a: Array, b: Array, epsilon: float | None = None) -> bool:
    """Whether a and b agree up to the rounding of sums taken in another order.

    The tolerance is relative to the largest magnitude in b, and to 1 at least. Infinities and NaN
    must be in the same places. `epsilon` is the machine epsilon; by default that of the less
    precise dtype.
    """
    if epsilon is None:
        epsilon = max((np.finfo(v.dtype).eps for v in (a, b) if v.dtype.kind == "f"), default=0.0)
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    size = np.abs(np.where(np.isfinite(b), b, 0)).max(initial=1)
    return a.shape == b.shape and bool(
        np.allclose(a, b, rtol=1e4 * epsilon, atol=1e4 * epsilon * size, equal_nan=True)
    )


def same_bits(a: Array, b: Array) -> bool:
    """Whether a and b have the same dtype, shape and bits."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
