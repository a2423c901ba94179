"""Normalisation, and dropout."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from ..op import op
from .elementwise import sqrt
from .reduce import mean as mean_op
from .shape import sum_to


def _normalization(name, of_what, centred=True):
    """The op `name`; all of them are one function, over the axes `dims`.

    y = w x̂ + b with x̂ = (x − μ) r, r = 1 / √(σ² + ε), μ and the biased σ² over `dims`; they are
    returned too, as constants. w and b are first reshaped to `affine_shape`, to broadcast with x.

    With m elements normalised together, dμ = Σ dx / m and dr = −r² Σ x̂ dx / m, so, of h = w ȳ,
    x̄ = r (h − Σ h / m − x̂ Σ (h x̂) / m)        w̄ = Σ ȳ x̂        b̄ = Σ ȳ
    (Ioffe and Szegedy 2015, section 3). Not `centred`, μ = 0, and x̄ is without Σ h / m.
    """

    def composite(x, weight=None, bias=None, *, dims, affine_shape, eps):
        d = x - mean_op(x, dim=dims, keepdim=True) if centred else x
        y = d / sqrt(mean_op(d * d, dim=dims, keepdim=True) + eps)
        if weight is not None:
            y = y * weight.reshape(affine_shape)
        return y if bias is None else y + bias.reshape(affine_shape)

    def forward(x, weight=None, bias=None, *, dims, affine_shape, eps):
        m = _count(x.shape, dims)
        mu = x.sum(axis=dims, keepdims=True) / m if centred else np.zeros((), x.dtype)
        y = x - mu
        variance = np.square(y).sum(axis=dims, keepdims=True) / m
        scale = 1 / np.sqrt(variance + x.dtype.type(eps))
        _scale(y, scale, weight, dims, affine_shape)
        if bias is not None:
            y += bias.reshape(affine_shape)
        return y, mu, variance, scale

    def x_gradient(g, x, weight, mu, scale, dims, affine_shape):
        if weight is not None and _varies(affine_shape, dims, x.ndim):
            g, weight = g * weight.reshape(affine_shape), None
        m = _count(x.shape, dims)
        d = x - mu
        d *= scale * scale * ((g * d).sum(axis=dims, keepdims=True) / -m)
        d += g
        if centred:
            d -= g.sum(axis=dims, keepdims=True) / m
        _scale(d, scale, weight, dims, affine_shape)
        return d

    def weight_gradient(g, x, mu, scale, weight_shape, affine_shape):
        return sum_to(g * ((x - mu) * scale), shape=affine_shape).reshape(weight_shape)

    def bias_gradient(g, bias_shape, affine_shape):
        return sum_to(g, shape=affine_shape).reshape(bias_shape)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"y = w x̂ + b, {of_what}: see `_normalization` for x̄, w̄ and b̄."
    record = op(
        forward,
        residuals=("mu", "variance", "scale"),
        returns=("mu", "variance"),
        composite=composite,
    )
    record.defvjp(x=x_gradient, weight=weight_gradient, bias=bias_gradient)
    return record


@lru_cache(maxsize=256)
def _count(shape, dims):
    """How many elements are normalised together."""
    return float(max(math.prod(shape[d] for d in dims), 1))


@lru_cache(maxsize=256)
def _varies(affine_shape, dims, ndim):
    """Whether the weight differs among elements that are normalised together."""
    lead = ndim - len(affine_shape)
    return any(d >= lead and affine_shape[d - lead] > 1 for d in dims)


def _scale(y, scale, weight, dims, affine_shape):
    """y *= scale · weight, in one pass where it can be."""
    if weight is not None and _varies(affine_shape, dims, y.ndim):
        y *= scale
        y *= weight.reshape(affine_shape)
    else:
        y *= scale if weight is None else scale * weight.reshape(affine_shape)


batch_norm = _normalization("batch_norm", "each channel over the batch and its places")
layer_norm = _normalization("layer_norm", "the last axes of each element of the batch")
group_norm = _normalization("group_norm", "each group of channels of each element of the batch")
instance_norm = _normalization("instance_norm", "each channel of each element of the batch")
rms_norm = _normalization("rms_norm", "as layer_norm, but about 0 in μ's place", centred=False)


@op(residuals=("kept", "rate"))
def dropout(x, *, p, random):
    """y = x · m / (1 − p), where m is 0 with probability p, else 1        x̄ = ȳ · m / (1 − p)

    `random(shape)` gives uniform numbers in [0, 1). For backward a byte an element is kept.
    """
    kept, rate = random(x.shape) >= p, 0.0 if p == 1 else 1 / (1 - p)
    y = x * kept
    y *= rate
    return y, kept, rate


dropout.defvjp(x=lambda g, kept, rate: g * kept * rate)
