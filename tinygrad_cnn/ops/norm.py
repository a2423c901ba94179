"""Normalisation, and dropout."""

from __future__ import annotations

import numpy as np

from ..op import op
from .elementwise import sqrt
from .reduce import mean as mean_op
from .reduce import var as var_op


def _along_channels(v, x):
    """v (C,) as (1, C, 1, ..), to broadcast with x (N, C, ..)."""
    return v.reshape((1, -1) + (1,) * (len(x.shape) - 2))


def _rest(x):
    """The axes over which a channel is normalised: all but axis 1."""
    return (0, *range(2, len(x.shape)))


def _composite(x, weight=None, bias=None, *, eps):
    """batch_norm out of other ops."""
    mu = mean_op(x, dim=_rest(x), keepdim=True)
    y = (x - mu) / sqrt(var_op(x, dim=_rest(x), correction=0, keepdim=True) + eps)
    if weight is not None:
        y = y * _along_channels(weight, x)
    return y if bias is None else y + _along_channels(bias, x)


@op(residuals=("mu", "variance", "scale"), returns=("mu", "variance"), composite=_composite)
def batch_norm(x, weight=None, bias=None, *, eps):
    """y = w x̂ + b with x̂ = (x − μ) r, r = 1 / √(σ² + ε), μ and σ² of each channel of the batch.

    x (N, C, ..), w and b (C,); μ and the biased σ² (C,) are returned too, as constants.

    With m elements a channel, dμ = Σ dx / m and dr = −r² Σ x̂ dx / m, so
    x̄ = w r (ȳ − Σ ȳ / m − x̂ Σ (ȳ x̂) / m)        w̄ = Σ ȳ x̂        b̄ = Σ ȳ
    (Ioffe and Szegedy 2015, section 3).
    """
    rest = _rest(x)
    m = max(x.size // max(x.shape[1], 1), 1)
    mu = x.sum(axis=rest) / x.dtype.type(m)
    y = x - _along_channels(mu, x)
    variance = np.square(y).sum(axis=rest) / x.dtype.type(m)
    scale = 1 / np.sqrt(variance + x.dtype.type(eps))
    y *= _along_channels(scale if weight is None else scale * weight, x)
    if bias is not None:
        y += _along_channels(bias, x)
    return y, mu, variance, scale


def batch_norm_x(g, x, weight, mu, scale):
    rest = _rest(x)
    m = x.dtype.type(max(x.size // max(x.shape[1], 1), 1))
    x_hat = x - _along_channels(mu, x)
    x_hat *= _along_channels(scale, x)
    x_hat *= _along_channels((g * x_hat).sum(axis=rest) / -m, x)
    x_hat += g
    x_hat -= _along_channels(g.sum(axis=rest) / m, x)
    x_hat *= _along_channels(scale if weight is None else scale * weight, x)
    return x_hat


def batch_norm_weight(g, x, mu, scale):
    x_hat = (x - _along_channels(mu, x)) * _along_channels(scale, x)
    return (g * x_hat).sum(axis=_rest(x))


batch_norm.defvjp(x=batch_norm_x, weight=batch_norm_weight, bias=lambda g: g.sum(axis=_rest(g)))


@op(residuals=("mask",))
def dropout(x, *, p, random):
    """y = x · m, where m is 0 with probability p, else 1 / (1 − p)        x̄ = ȳ · m

    `random(shape)` gives uniform numbers in [0, 1).
    """
    keep = x.dtype.type(0 if p == 1 else 1 / (1 - p))
    mask = (random(x.shape) >= p) * keep
    return x * mask, mask


dropout.defvjp(x=lambda g, mask: g * mask)
