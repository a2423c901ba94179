"""Softmax, its logarithm and the loss of labels, in NumPy."""

import numpy as np

from ...atomic import quiet
from ..labels import index_labels


def _shifted(x, dim):
    """x − max x, at most 0: exp cannot overflow. A slice that is all −∞ or holds NaN gives NaN."""
    with quiet():
        return x - x.max(axis=dim, keepdims=True, initial=-np.inf)


def softmax(x, dim):
    """y = eˣ⁻ᵐ / Σ eˣ⁻ᵐ"""
    y = np.exp(_shifted(x, dim))
    y /= y.sum(axis=dim, keepdims=True)
    return y


def softmax_input(g, y, dim):
    """x̄ = y · (ȳ − Σ ȳ · y)"""
    gy = g * y
    return gy - y * gy.sum(axis=dim, keepdims=True)


def log_softmax(x, dim):
    """y = (x − m) − ln Σ eˣ⁻ᵐ"""
    y = _shifted(x, dim)
    with quiet():
        y -= np.log(np.exp(y).sum(axis=dim, keepdims=True))
    return y


def log_softmax_input(g, y, dim):
    """x̄ = ȳ − eʸ · Σ ȳ"""
    return g - np.exp(y) * g.sum(axis=dim, keepdims=True)


def cross_entropy(x, target, weight, ignore_index):
    """ℓ = −w ((x − m)[target] − ln Σ eˣ⁻ᵐ)"""
    own, at = index_labels(target, weight, x.dtype, ignore_index)
    z = _shifted(x, 1)
    loss = z[at]
    with quiet():
        loss -= np.log(np.exp(z, out=z).sum(axis=1))
        loss *= -own
    loss[own == 0] = 0  # 0 · ln 0 is 0
    return np.stack([loss, own])


def cross_entropy_input(g, x, target, weight, ignore_index):
    """x̄ = g w p, less g w at the target."""
    own, at = index_labels(target, weight, x.dtype, ignore_index)
    p, given = softmax(x, 1), g * own
    p *= given[:, None]
    p[at] -= given
    return p
