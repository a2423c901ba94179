"""Euclidean distances between all pairs of two sets of points."""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..engine import op
from .elementwise import where
from .linear import matmul
from .precision import in_float32
from .reduce import sum
from .shape import permute

__all__ = ["distances"]

FEW_POINTS = 25  # as PyTorch's cdist has it


@op
@in_float32
def distances(a, b):
    """y[.., i, j] = ‖a[.., i] − b[.., j]‖, of a (.., P, M) and b (.., R, M): (.., P, R).

    y² = Σ_m (aᵢₘ − bⱼₘ)², so y dy = Σ_m (aᵢₘ − bⱼₘ)(daᵢₘ − dbⱼₘ). With w = ȳ / y,

        āᵢ = Σ_j wᵢⱼ (aᵢ − bⱼ)        b̄ⱼ = Σ_i wᵢⱼ (bⱼ − aᵢ)

    At the kink y = 0 the gradient is 0, as in PyTorch. Of many points y² is ‖a‖² + ‖b‖² − 2 a · b, with
    one product of matrices: fast, but y² loses digits where y is small beside ‖a‖. Of few points the
    differences are formed, a coordinate at a time.
    """
    if max(a.shape[-2], b.shape[-2]) > FEW_POINTS:
        squares = (a * a).sum(-1)[..., :, None] + (b * b).sum(-1)[..., None, :]
        squares -= 2 * kernels.matmul(a, b.swapaxes(-1, -2))
        return np.sqrt(np.maximum(squares, 0))
    total = np.zeros((*a.shape[:-1], b.shape[-2]), a.dtype)
    for m in range(a.shape[-1]):
        gap = a[..., :, None, m] - b[..., None, :, m]
        gap *= gap
        total += gap
    return np.sqrt(total)


def _pull(w, a, b):
    """Σ_j wᵢⱼ (aᵢ − bⱼ)"""
    return sum(w, dim=-1, keepdim=True) * a - matmul(w, b)


def _weights(g, y):
    """ȳ / y, and 0 where y = 0."""
    zero = getattr(y, "_array", y) == 0
    return where(zero, 0.0, g / where(zero, 1.0, y))


def _transposed(w):
    n = len(w.shape)
    return permute(w, dims=(*range(n - 2), n - 1, n - 2))


distances.defvjp(
    a=lambda g, y, a, b: _pull(_weights(g, y), a, b),
    b=lambda g, y, a, b: _pull(_transposed(_weights(g, y)), b, a),
)
