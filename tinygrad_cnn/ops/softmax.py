"""Softmax, its logarithm, and cross-entropy on logits."""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..atomic import quiet
from ..engine import op
from ..engine.dtypes import floating
from .elementwise import exp, zeros
from .precision import in_float32, vjp_in_float32
from .shape import getitem

__all__ = ["cross_entropy", "log_softmax", "softmax"]


@op
@in_float32
def softmax(x, *, dim):
    """y = eˣ / Σ eˣ over dim        x̄ = y · (ȳ − Σ ȳ · y)"""
    return kernels.softmax(floating(x), dim)


softmax.defvjp(
    x=vjp_in_float32(
        lambda g, y, dim: (
            kernels.softmax_input(g, y, dim)
            if isinstance(y, np.ndarray)
            else y * (g - (g * y).sum(axis=dim, keepdims=True))
        )
    )
)


@op
@in_float32
def log_softmax(x, *, dim):
    """y = x − ln Σ eˣ over dim        x̄ = ȳ − eʸ · Σ ȳ"""
    return kernels.log_softmax(floating(x), dim)


log_softmax.defvjp(
    x=vjp_in_float32(
        lambda g, y, dim: (
            kernels.log_softmax_input(g, y, dim)
            if isinstance(y, np.ndarray)
            else g - exp(y) * g.sum(axis=dim, keepdims=True)
        )
    )
)


@op(residuals=("total",))
@in_float32
def cross_entropy(x, target, weight=None, *, ignore_index, reduction, label_smoothing):
    """The cross-entropy of logits x (N, C, ..) with integer labels target (N, ..).

    With p = softmax(x) over c, and q[n, c] = w[c] · ((1 − ε) [c = target[n]] + ε / C), or 0 where
    the target is ignored: ℓ[n] = −Σ_c q ln p, and y = ℓ, Σ ℓ or the mean Σ ℓ / Σ w[target].

    d ln p[c] = dx[c] − Σ_k p[k] dx[k], so x̄[n, c] = ℓ̄[n] · (p Σ_k q[n, k] − q[n, c]).

    For ε = 0, q is w[target] at the target and 0 elsewhere, so it is not computed.
    """
    with quiet():
        if label_smoothing:
            logp = log_softmax(x, dim=1)
            q, total = targets(target, weight, x.shape, x.dtype, ignore_index, label_smoothing)
            loss = -np.where(q == 0, 0, q * logp).sum(axis=1)  # 0 · ln 0 is 0
        else:
            loss, own = kernels.cross_entropy(floating(x), target, weight, ignore_index)
            total = own.sum() if reduction == "mean" else None
        if reduction == "none":
            return loss, 1.0
        loss = loss.sum()
        return (loss, 1.0) if reduction == "sum" else (loss / total, total)


def targets(target, weight, shape, dtype, ignore_index, label_smoothing):
    """q (N, C, ..) of `cross_entropy`, and Σ w[target] over the targets that are not ignored."""
    counted = target != ignore_index
    own, at = kernels.index_labels(target, weight, dtype, ignore_index)
    q, total = np.zeros(shape, dtype), own.sum()
    if label_smoothing:
        q += counted[:, None] * dtype.type(label_smoothing / shape[1])
        if weight is not None:
            q *= weight.astype(dtype, copy=False).reshape(-1, *[1] * (len(shape) - 2))
        own *= 1 - label_smoothing
    q[at] += own
    return q, total


def cross_entropy_x(g, x, target, weight, total, ignore_index, reduction, label_smoothing):
    g = g / total if total else zeros(g)  # the mean of nothing is NaN, its gradient 0
    if isinstance(x, np.ndarray) and not label_smoothing:
        return kernels.cross_entropy_input(g, x, target, weight, ignore_index)
    p = softmax(x, dim=1)
    w = getattr(weight, "_array", weight)
    t = getattr(target, "_array", target)
    q, _ = targets(t, w, tuple(x.shape), np.dtype(x.dtype), ignore_index, label_smoothing)
    if reduction == "none":
        g = getitem(g, index=(slice(None), None))
    return g * (p * q.sum(axis=1, keepdims=True) - q)


cross_entropy.defvjp(x=vjp_in_float32(cross_entropy_x))
