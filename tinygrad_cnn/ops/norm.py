"""Normalisation, and dropout."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from .. import kernels
from ..engine import op
from .elementwise import div, sqrt
from .precision import in_float32, vjp_in_float32
from .reduce import mean as mean_op
from .shape import sum_to

__all__ = [
    "batch_norm", "batch_norm_inference", "dropout", "group_norm", "instance_norm", "layer_norm",
    "rms_norm",
]  # fmt: skip


def _normalization(name, of_what, centred=True):
    """The op `name`: all normalisations are one function, over the axes `dims`.

    y = w x̂ + b with x̂ = (x − μ) r, r = 1 / √(σ² + ε), μ and the biased σ² over `dims`. These are
    returned too, as constants. w and b are reshaped to `affine_shape`, to broadcast with x.

    With m elements normalised together, dμ = Σ dx / m and dr = −r² Σ x̂ dx / m, so, of h = w ȳ,
    x̄ = r (h − Σ h / m − x̂ Σ (h x̂) / m)        w̄ = Σ ȳ x̂        b̄ = Σ ȳ
    (Ioffe and Szegedy 2015, section 3). If not `centred`, μ = 0 and x̄ has no term Σ h / m.

    All sums follow from S = Σ ȳ and T = Σ ȳ (x − μ) over the axes of `dims` along which w is
    constant: Σ h is Σ w S over the other axes, Σ h x̂ is r Σ w T, and b̄ and w̄ are Σ S and Σ r T over
    the axes along which w is constant. If w varies along all of `dims`, S and T would be as large as
    x. Then Σ h and Σ h (x − μ) are computed instead, and Σ ȳ and Σ ȳ x̂ over the axes of w.
    """

    def composite(x, weight=None, bias=None, *, dims, affine_shape, eps):
        d = x - mean_op(x, dim=dims, keepdim=True) if centred else x
        y = d / sqrt(mean_op(d * d, dim=dims, keepdim=True) + eps)
        if weight is not None:
            y = y * weight.reshape(affine_shape)
        return y if bias is None else y + bias.reshape(affine_shape)

    def forward(x, weight=None, bias=None, *, dims, affine_shape, eps):
        shape, inner, others = _axes(affine_shape, x.ndim, dims)
        if centred:
            # moments of the elements that share a weight, if a normalised group has several weights
            mu, variance = kernels.moments(x, inner or dims)
            if inner and others:  # parts c of one size: μ = mean μ_c, σ² = mean (σ_c² + (μ_c − μ)²)
                each, first = mu, mu[_first(x.ndim, others)]
                rest = np.add.reduce(each - first, axis=others, keepdims=True)  # 0 if all agree
                mu = first + rest / _count(each.shape, others)
                variance = (variance + np.square(each - mu)).mean(axis=others, keepdims=True)
        else:
            mu = np.zeros((), x.dtype)
            variance = np.square(x).sum(axis=dims, keepdims=True) / _count(x.shape, dims)
        scale = 1 / np.sqrt(variance + x.dtype.type(eps))
        weight, bias = (v if v is None else v.reshape(shape) for v in (weight, bias))
        return kernels.normalize(x, mu, scale, weight, bias), mu, variance, scale

    def sums(g, x, mu, weight, scale, dims, affine_shape):
        """Σ h and Σ h (x − μ), then the arrays whose sums are b̄ and w̄."""
        shape, inner, others = _axes(affine_shape, x.ndim, dims)
        weight = None if weight is None else weight.reshape(shape)
        if inner or not dims:
            S, T = kernels.moments_with(g, x, mu, inner)
            of_h = (S, T) if weight is None else (weight * S, weight * T)
            if others:
                of_h = (v.sum(axis=others, keepdims=True) for v in of_h)
            return *of_h, S, T * scale
        of_h = kernels.moments_with(g, x, mu, dims, weight)
        if weight is None:
            return *of_h, g, None
        apart = tuple(d for d, n in enumerate(shape) if n == 1)
        return *of_h, *kernels.weight_sums(g, x, mu, scale, apart)

    def x_gradient(g, sums, x, weight, mu, scale, dims, affine_shape):
        shape, m = _axes(affine_shape, x.ndim, dims)[0], _count(x.shape, dims)
        weight = None if weight is None else weight.reshape(shape)
        s = sums[0] / m if centred else np.zeros_like(mu)
        return kernels.normalize_input(g, x, mu, scale, weight, s, sums[1] * (scale * scale / m))

    def weight_gradient(g, sums, x_shape, weight_shape, dims, affine_shape):
        shape = _axes(affine_shape, len(x_shape), dims)[0]
        return sum_to(sums[3], shape=shape).reshape(weight_shape)

    def bias_gradient(g, sums, x_shape, bias_shape, dims, affine_shape):
        return sum_to(sums[2], shape=_axes(affine_shape, len(x_shape), dims)[0]).reshape(bias_shape)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"y = w x̂ + b, {of_what}: see `_normalization` for x̄, w̄ and b̄."
    record = op(
        in_float32(forward),
        residuals=("mu", "variance", "scale"),
        returns=("mu", "variance"),
        composite=vjp_in_float32(composite),
        shared={"sums": vjp_in_float32(sums)},
    )
    record.defvjp(x=vjp_in_float32(x_gradient), weight=weight_gradient, bias=bias_gradient)
    return record


@lru_cache(maxsize=256)
def _count(shape, dims):
    """The number of elements that are normalised together."""
    return float(max(math.prod(shape[d] for d in dims), 1))


@lru_cache(maxsize=256)
def _first(ndim, dims):
    """The index of the first element along `dims`, which stay."""
    return tuple(slice(0, 1) if d in dims else slice(None) for d in range(ndim))


@lru_cache(maxsize=256)
def _axes(affine_shape, ndim, dims):
    """The shape of w with one axis for each axis of x; then the axes of `dims` along which w is
    constant, and along which it varies.
    """
    shape = (1,) * (ndim - len(affine_shape)) + affine_shape
    inner = tuple(d for d in dims if shape[d] == 1)
    return shape, inner, tuple(d for d in dims if shape[d] > 1)


batch_norm = _normalization("batch_norm", "each channel over the batch and all positions")
layer_norm = _normalization("layer_norm", "the last axes of each element of the batch")
group_norm = _normalization("group_norm", "each group of channels of each element of the batch")
instance_norm = _normalization("instance_norm", "each channel of each element of the batch")
rms_norm = _normalization("rms_norm", "as layer_norm, with 0 for μ", centred=False)


# --- With given statistics ------------------------------------------------------------------------


@op
@in_float32
def batch_norm_inference(x, mean, variance, weight=None, bias=None, *, eps):
    """y = w (x − μ) r + b for each channel of x (N, C, ..), with r = 1 / √(σ² + ε) of given μ and σ²

    y is affine in x: dy = w r (dx − dμ) + (x − μ) (r dw + w dr) + db, and dr = −½ r³ dσ². With the
    sums S = Σ ȳ and T = Σ ȳ (x − μ) over all axes but that of the channels,
    x̄ = ȳ w r        w̄ = r T        b̄ = S        μ̄ = −w r S        σ̄² = −½ w r³ T
    (Ioffe and Szegedy 2015, algorithm 2.)
    """
    of_channel = (_column(v, x) for v in (mean, _scale(variance, None, eps), weight, bias))
    return kernels.normalize(x, *of_channel)


def _column(v, x):
    """One number for each channel, to broadcast with x (N, C, ..)."""
    return v if v is None else v.reshape(1, len(v), *[1] * (x.ndim - 2))


def _scale(variance, weight, eps):
    """w r, without a warning where r is infinite or NaN"""
    r = div(1.0, sqrt(variance + eps))
    return r if weight is None else weight * r


def _sum(g, channels):
    """S"""
    return sum_to(g, shape=(1, *channels, *[1] * (g.ndim - 2))).reshape(channels)


def _sum_with(g, x, mean):
    """T: of arrays in one pass."""
    if not isinstance(g, np.ndarray):
        return _sum(g * (x - _column(mean, x)), mean.shape)
    dims = (0, *range(2, x.ndim))
    return kernels.moments_with(g, x, _column(mean, x), dims)[1].reshape(mean.shape)


batch_norm_inference.defvjp(
    x=vjp_in_float32(
        lambda g, variance, weight, eps: g * _column(_scale(variance, weight, eps), g)
    ),
    mean=vjp_in_float32(
        lambda g, variance, weight, eps: -_scale(variance, weight, eps) * _sum(g, variance.shape)
    ),
    variance=vjp_in_float32(
        lambda g, x, mean, variance, weight, eps: (
            _scale(variance, weight, eps) / (variance + eps) * _sum_with(g, x, mean) * -0.5
        )
    ),
    weight=vjp_in_float32(
        lambda g, x, mean, variance, eps: _scale(variance, None, eps) * _sum_with(g, x, mean)
    ),
    bias=vjp_in_float32(lambda g, bias_shape: _sum(g, bias_shape)),
)


@op(residuals=("kept", "rate"))
def dropout(x, *, p, random):
    """y = x · m / (1 − p), where m is 0 with probability p, else 1        x̄ = ȳ · m / (1 − p)

    `random(shape)` returns uniform numbers in [0, 1). Saves one byte per element.
    """
    kept, rate = random(x.shape) >= p, 0.0 if p == 1 else 1 / (1 - p)
    y = np.asarray(x * kept)  # without axes it would be a scalar
    y *= rate
    return y, kept, rate


dropout.defvjp(x=lambda g, kept, rate: g * kept * rate)
