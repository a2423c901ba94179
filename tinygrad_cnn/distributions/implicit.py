"""Derivatives of samples with respect to the parameters of their distribution, at a fixed probability."""

from __future__ import annotations

from functools import cache

import numpy as np

from .. import ops

_NODES = 96
_BLOCK_ELEMENTS = 1 << 14  # of a sample, for arrays of some 12 MB in between


def beta_sample_gradients(
    z: np.ndarray, a: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """dz/da and dz/db of quantiles z of the beta distribution: arrays of one shape and dtype.

    With the distribution function F(z; a, b) = u held fixed, dz/da = −(∂F/∂a) / p(z). F is the integral
    of p from 0 to z. The substitution t = z e^(−y/a) there cancels the normalisation of p:

        dz/da = −(z/a) ∫₀^∞ e^−y R(y) (ln t − ψ(a) + ψ(a + b)) dy
        dz/db = −(z/a) ∫₀^∞ e^−y R(y) (ln (1 − t) − ψ(b) + ψ(a + b)) dy

    with R(y) = ((1 − t) / (1 − z))^(b−1). Where z > 1/2, 1 − z is a quantile for (b, a): so R is smooth.
    The quadrature is Gauss and Legendre's, from 0 to where e^−y R(y) has vanished.
    """
    flat = [np.ravel(x).astype(np.float64) for x in np.broadcast_arrays(z, a, b)]
    da, db = np.empty_like(flat[0]), np.empty_like(flat[0])
    for start in range(0, len(da), _BLOCK_ELEMENTS):
        part = slice(start, start + _BLOCK_ELEMENTS)
        da[part], db[part] = _gradients(*(x[part] for x in flat))
    return tuple(d.reshape(z.shape).astype(z.dtype) for d in (da, db))  # type: ignore[return-value]


def _gradients(z: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    turned = z > 0.5
    w = np.where(turned, 1 - z, z)
    p, q = np.where(turned, b, a), np.where(turned, a, b)
    nodes, weights = _legendre()
    length = 40 + 9 * np.sqrt(p)  # e^−y R(y) is at most e^−40 beyond, or 9 standard deviations away
    y = length[:, None] * nodes
    log_t = np.log(w)[:, None] - y / p[:, None]
    log_rest = np.log1p(-np.exp(log_t))
    density = np.exp((q - 1)[:, None] * (log_rest - np.log1p(-w)[:, None]) - y) * weights
    density *= (w / p * length)[:, None]
    mean = ops.digamma(p + q)
    dp = -(density * (log_t + (mean - ops.digamma(p))[:, None])).sum(1)
    dq = -(density * (log_rest + (mean - ops.digamma(q))[:, None])).sum(1)
    return np.where(turned, -dq, dp), np.where(turned, -dp, dq)


@cache
def _legendre() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(_NODES)
    return (x + 1) / 2, w / 2
