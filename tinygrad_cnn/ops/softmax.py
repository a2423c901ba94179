"""Softmax, its logarithm, and cross-entropy on logits."""

from __future__ import annotations

from math import prod

import numpy as np

from ..dtypes import floating
from ..op import op
from .elementwise import exp
from .shape import getitem


def _shifted(x, dim):
    """x − max x, at most 0: exp cannot overflow. A slice that is all −∞ or holds NaN gives NaN."""
    x = floating(x)
    with np.errstate(invalid="ignore"):
        return x - x.max(axis=dim, keepdims=True, initial=-np.inf)


@op
def softmax(x, *, dim):
    """y = eˣ / Σ eˣ over dim        x̄ = y · (ȳ − Σ ȳ · y)"""
    y = np.exp(_shifted(x, dim))
    y /= y.sum(axis=dim, keepdims=True)
    return y


def softmax_x(g, y, dim):
    gy = g * y
    return gy - y * gy.sum(axis=dim, keepdims=True)


softmax.defvjp(x=softmax_x)


@op
def log_softmax(x, *, dim):
    """y = x − ln Σ eˣ over dim        x̄ = ȳ − eʸ · Σ ȳ"""
    y = _shifted(x, dim)
    with np.errstate(all="ignore"):
        y -= np.log(np.exp(y).sum(axis=dim, keepdims=True))
    return y


log_softmax.defvjp(x=lambda g, y, dim: g - exp(y) * g.sum(axis=dim, keepdims=True))


@op
def cross_entropy(x, target, weight=None, *, ignore_index, reduction, label_smoothing):
    """The cross-entropy of logits x (N, C, ..) with integer labels target (N, ..).

    With p = softmax(x) over c, and q[n, c] = w[c] · ((1 − ε) [c = target[n]] + ε / C), or 0 where
    the target is to be ignored: ℓ[n] = −Σ_c q ln p, and y = ℓ, Σ ℓ or the mean Σ ℓ / Σ w[target].

    d ln p[c] = dx[c] − Σ_k p[k] dx[k], so x̄[n, c] = ℓ̄[n] · (p Σ_k q[n, k] − q[n, c]).

    For ε = 0, q is w[target] at the target and 0 elsewhere: it is not made then.
    """
    if not label_smoothing:
        own, total = _own_weight(target, weight, x.shape, x.dtype, ignore_index)
        z, at = _shifted(x, 1), _places(target, ignore_index)
        loss = z[at]
        with np.errstate(all="ignore"):
            loss -= np.log(np.exp(z, out=z).sum(axis=1))
            loss *= -own
        if not own.all():
            loss[own == 0] = 0  # 0 · ln 0 is 0
        if reduction == "none":
            return loss
        with np.errstate(all="ignore"):
            return loss.sum() if reduction == "sum" else loss.sum() / total
    logp = log_softmax(x, dim=1)
    q, total = targets(target, weight, x.shape, x.dtype, ignore_index, label_smoothing)
    with np.errstate(all="ignore"):
        loss = -np.where(q == 0, 0, q * logp).sum(axis=1)  # 0 · ln 0 is 0
        if reduction == "none":
            return loss
        return loss.sum() if reduction == "sum" else loss.sum() / total


def _own_weight(target, weight, shape, dtype, ignore_index):
    """w[target], 0 where the target is to be ignored, and its sum."""
    counted = target != ignore_index
    if weight is None:
        return counted.astype(dtype), dtype.type(np.count_nonzero(counted))
    own = weight.astype(dtype, copy=False)[np.where(counted, target, 0)] * counted
    return own, own.sum(dtype=dtype)


def _places(target, ignore_index):
    """The key of each target's class in (N, C, ..); of the class 0 where it is to be ignored."""
    label = np.where(target == ignore_index, 0, target)
    n, *others = (
        np.ix_(*map(np.arange, target.shape)) if target.ndim > 1 else [np.arange(len(target))]
    )
    return (n, label, *others)


def targets(target, weight, shape, dtype, ignore_index, label_smoothing):
    """q (N, C, ..) of `cross_entropy`, and Σ w[target] over what is not ignored."""
    n, classes, *rest = shape
    m = prod(rest)
    counted = target != ignore_index
    label = np.where(counted, target, 0)
    own = counted.astype(dtype) if weight is None else (weight[label] * counted).astype(dtype)
    total = own.sum()
    q = np.zeros((n, classes, m), dtype)
    if label_smoothing:
        w = np.ones(classes, dtype) if weight is None else weight.astype(dtype, copy=False)
        q += w[:, None] * (counted.reshape(n, 1, m) * dtype.type(label_smoothing / classes))
        own *= 1 - label_smoothing
    places = np.arange(n)[:, None], label.reshape(n, m), np.arange(m)
    q[places] += own.reshape(n, m)
    return q.reshape(shape), total


def cross_entropy_x(g, x, target, weight, ignore_index, reduction, label_smoothing):
    if isinstance(x, np.ndarray) and not label_smoothing:
        own, total = _own_weight(target, weight, x.shape, x.dtype, ignore_index)
        if reduction == "mean":
            g = g / total if total else g * 0.0  # the mean of nothing is NaN, its gradient 0
        p, given = softmax(x, dim=1), g * own
        p *= given[:, None]
        p[_places(target, ignore_index)] -= given
        return p
    p = softmax(x, dim=1)
    w = getattr(weight, "_array", weight)
    t = getattr(target, "_array", target)
    q, total = targets(t, w, tuple(x.shape), x.dtype, ignore_index, label_smoothing)
    if reduction == "none":
        g = getitem(g, index=(slice(None), None))
    elif reduction == "mean":
        g = g / total if total else g * 0.0  # the mean of nothing is NaN, its gradient 0
    return g * (p * q.sum(axis=1, keepdims=True) - q)


cross_entropy.defvjp(x=cross_entropy_x)
