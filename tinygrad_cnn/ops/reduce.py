"""Reductions over `dim`: an axis, a tuple of axes, or None for all; `keepdim` keeps them at 1."""

from __future__ import annotations

import math

import numpy as np

from .. import kernels
from ..atomic import quiet
from ..engine import op
from ..engine.dtypes import NARROW, floating
from .elementwise import abs, cast, exp, keep, sign, where, zeros
from .precision import SINGLE, in_float32, vjp_in_float32
from .shape import expand, scatter_add

__all__ = [
    "amax", "amin", "logsumexp", "max_along", "mean", "min_along", "norm", "p_norm", "std", "sum",
    "var",
]  # fmt: skip


def axes_of(dim, ndim):
    """`dim` as a tuple of axes from 0."""
    dims = range(ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    return tuple(d % ndim for d in dims) if ndim else ()


def _kept_shape(shape, dim):
    axes = axes_of(dim, len(shape))
    return tuple(1 if k in axes else n for k, n in enumerate(shape))


def _count(shape, dim):
    return math.prod(shape[k] for k in axes_of(dim, len(shape)))


def spread(g, x_shape, dim, keepdim):
    """A cotangent of a reduction, repeated to the shape of its input."""
    if not keepdim:
        g = g.reshape(_kept_shape(x_shape, dim))
    return expand(g, shape=x_shape)


@op
def sum(x, *, dim=None, keepdim=False):
    """y = Σ x over dim        x̄ = ȳ, repeated"""
    if x.dtype.char in NARROW:
        with quiet():
            return x.sum(axis=dim, keepdims=keepdim, dtype=SINGLE).astype(x.dtype)
    if x.size < kernels.LARGE_ELEMENTS:  # as _total, without its call
        return x.sum(axis=dim, keepdims=keepdim)
    return _total(x, dim, keepdim)


sum.defvjp(x=spread)


def _total(x, dim, keepdim):
    """Σ x over dim. Large sums are a kernel's, which rounds less than NumPy along outer axes."""
    if x.size < kernels.LARGE_ELEMENTS:
        return x.sum(axis=dim, keepdims=keepdim)
    y = kernels.sum_over(x, axes_of(dim, x.ndim))
    return y if keepdim else y.squeeze(axes_of(dim, x.ndim))


@op
@in_float32
def mean(x, *, dim=None, keepdim=False):
    """y = Σ x / n over dim        x̄ = ȳ / n, repeated"""
    n = _count(x.shape, dim)
    with quiet():
        return _total(x, dim, keepdim) / x.dtype.type(n)


def mean_x(g, x_shape, dim, keepdim):
    return spread(g / max(_count(x_shape, dim), 1), x_shape, dim, keepdim)


mean.defvjp(x=vjp_in_float32(mean_x))


@op
@in_float32
def var(x, *, dim=None, correction=1, keepdim=False):
    """y = Σ (x − μ)² / (n − c) over dim, with the mean μ and c the correction.

    x̄ = ȳ · 2 (x − μ) / (n − c): the part through μ vanishes, since Σ (x − μ) = 0.
    """
    with quiet():
        n = _count(x.shape, dim)
        d = x - _total(x, dim, True) / x.dtype.type(n)
        d *= d
        return _total(d, dim, keepdim) / x.dtype.type(max(n - correction, 0))


def var_x(g, x, dim, correction, keepdim):
    n = max(_count(x.shape, dim) - correction, 0)
    mu = mean(x, dim=dim, keepdim=True)
    return spread(g, x.shape, dim, keepdim) * (x - mu) * (2.0 / n if n else math.nan)


var.defvjp(x=vjp_in_float32(var_x))


@op
@in_float32
def std(x, *, dim=None, correction=1, keepdim=False):
    """y = √var x over dim        x̄ = ȳ · (x − μ) / (n − c) y, and 0 where y = 0"""
    return _root(
        x, lambda x, dim: var(x, dim=dim, correction=correction, keepdim=True), dim, keepdim
    )


def std_x(g, x, y, dim, correction, keepdim):
    return var_x(0.5 * _over(g, y), x, dim, correction, keepdim)


std.defvjp(x=vjp_in_float32(std_x))


@op
@in_float32
def norm(x, *, dim=None, keepdim=False):
    """y = ‖x‖ = √Σ x² over dim        x̄ = ȳ · x / y: at the kink x = 0 the subgradient is 0"""
    return _root(x, lambda x, dim: _total(np.square(x), dim, True), dim, keepdim)


def norm_x(g, x, y, dim, keepdim):
    return spread(_over(g, y), x.shape, dim, keepdim) * x


norm.defvjp(x=vjp_in_float32(norm_x))


def _root(x, squares, dim, keepdim):
    """√squares(x, dim), sums of squares. Where those of float32 over- or underflow, in float64."""
    axes = axes_of(dim, x.ndim)
    with quiet():
        y = squares(x, axes)
        if x.dtype == SINGLE and not ((y > _SMALL) & (y < np.inf)).all() and x.any():
            lost = ~((y > _SMALL) & (y < np.inf))
            rows = np.moveaxis(x, axes, range(-len(axes), 0))[lost.squeeze(axes)]
            y = np.array(y, np.float64)
            y[lost] = squares(rows.astype(np.float64), tuple(range(1, rows.ndim))).ravel()
        y = np.asarray(np.sqrt(y), x.dtype)
    return y if keepdim else y.squeeze(axes)


# A sum of squares below this has lost digits: the smallest normal number / ε.
_SMALL = np.finfo(np.float32).tiny / np.finfo(np.float32).eps


def _over(g, y):
    """ȳ / y, and 0 where y = 0, also for an infinite ȳ."""
    return keep(g / where(y == 0, 1.0, y), y != 0)


@op
@in_float32
def p_norm(x, *, p, dim=None, keepdim=False):
    """y = ‖x‖ₚ = (Σ |x|ᵖ)^(1/p) over dim, for finite p but 2, which is `norm`.

    x̄ = ȳ · sign x · (|x| / y)ᵖ⁻¹. The subgradient is 0 at the kinks: where x = 0, and where y = 0
    (for p < 0 that is where any x = 0). For p = 0, y is the number of elements that are not 0.
    """
    if p == 0:
        return (x != 0).sum(axis=dim, keepdims=keepdim, dtype=x.dtype)
    with quiet():
        size = np.abs(x)
        # the powers of size / scale are at most 1: they cannot overflow
        over = {"axis": dim, "keepdims": True}
        scale = size.max(**over, initial=0) if p > 0 else size.min(**over, initial=np.inf)
        scale = np.where((scale > 0) & np.isfinite(scale), scale, scale.dtype.type(1))
        y = (((size / scale) ** p).sum(**over) ** (1 / p)) * scale
    return y if keepdim else y.squeeze(axes_of(dim, x.ndim))


def p_norm_x(g, x, y, p, dim, keepdim):
    g, y = (spread(v, x.shape, dim, keepdim) for v in (g, y))
    if p == 0:
        return zeros(g)
    kink = (x == 0) | (y == 0)
    ratio = where(kink, 1.0, abs(x) / where(kink, 1.0, y))
    return keep(g * sign(x) * ratio ** (p - 1), ~kink)


p_norm.defvjp(x=vjp_in_float32(p_norm_x))


@op
def amax(x, *, dim=None, keepdim=False):
    """y = max x over dim        x̄ = ȳ shared evenly among the tied maxima, else 0"""
    return x.max(axis=dim, keepdims=keepdim)


@op
def amin(x, *, dim=None, keepdim=False):
    """y = min x over dim        x̄ = ȳ shared evenly among the tied minima, else 0"""
    return x.min(axis=dim, keepdims=keepdim)


def extreme_x(g, x, y, dim, keepdim):
    """The gradient of amax and amin: x̄ = ȳ · [x = y] / (number of ties). NaNs share the gradient of a NaN."""
    tied = (x == spread(y, x.shape, dim, keepdim)) | (x != x)
    share = cast(tied, dtype=np.dtype(g.dtype))
    return spread(g, x.shape, dim, keepdim) * share / sum(share, dim=dim, keepdim=True)


amax.defvjp(x=vjp_in_float32(extreme_x))
amin.defvjp(x=vjp_in_float32(extreme_x))


@op(residuals=("indices",), returns=("indices",))
def max_along(x, *, dim, keepdim=False):
    """y = max x along the axis dim, and the index of the first maximum, which gets the whole gradient."""
    return _along(x, np.argmax(x, axis=dim), dim, keepdim)


@op(residuals=("indices",), returns=("indices",))
def min_along(x, *, dim, keepdim=False):
    """y = min x along the axis dim, and the index of the first minimum, which gets the whole gradient."""
    return _along(x, np.argmin(x, axis=dim), dim, keepdim)


def _along(x, indices, dim, keepdim):
    kept = np.expand_dims(indices, dim)
    y = np.take_along_axis(x, kept, dim)
    return (y, kept) if keepdim else (np.squeeze(y, dim), np.asarray(indices))


def along_x(g, indices, x_shape, dim, keepdim):
    """x̄ = 0, but for x̄[indices] = ȳ along dim."""
    if not keepdim:
        g, indices = g.reshape(_kept_shape(x_shape, dim)), np.expand_dims(indices, dim)
    return scatter_add(g, indices, dim=dim % len(x_shape), shape=x_shape)


max_along.defvjp(x=along_x)
min_along.defvjp(x=along_x)


@op
@in_float32
def logsumexp(x, *, dim, keepdim=False):
    """y = ln Σ eˣ over dim        x̄ = ȳ · eˣ⁻ʸ, the softmax"""
    x = floating(x)
    top = np.asarray(x.max(axis=dim, keepdims=True, initial=-np.inf))
    top[~np.isfinite(top)] = 0  # max-shift: exp cannot overflow; and no ∞ − ∞
    with quiet():
        y = np.log(np.exp(x - top).sum(axis=dim, keepdims=True)) + top
    return y if keepdim else y.squeeze(axes_of(dim, x.ndim))


def logsumexp_x(g, x, y, dim, keepdim):
    return spread(g, x.shape, dim, keepdim) * exp(x - spread(y, x.shape, dim, keepdim))


logsumexp.defvjp(x=vjp_in_float32(logsumexp_x))
