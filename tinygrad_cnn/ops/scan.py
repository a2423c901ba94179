"""Running sums and products along an axis, and the product of all.

The vjps of products never divide by an element, so zeros need no special case.
"""

from __future__ import annotations

import numpy as np

from ..atomic import quiet
from ..engine import op
from .precision import in_float32, vjp_in_float32
from .reduce import spread
from .shape import flip, getitem, pad, stack

__all__ = ["cumprod", "cumsum", "prod"]

_WIDER = {"e": np.float32, "E": np.float32, "f": np.float64}  # by the character of a dtype


def _in_wider(scan, x, dim):
    """A scan in the next wider dtype: rounding errors of n steps would add up."""
    wider = _WIDER.get(x.dtype.char)
    with quiet():
        return (
            scan(x, axis=dim) if wider is None else scan(x, axis=dim, dtype=wider).astype(x.dtype)
        )


@op
def cumsum(x, *, dim):
    """y[k] = Σ x[j] over j ≤ k, along the axis dim        x̄[j] = Σ ȳ[k] over k ≥ j"""
    return _in_wider(np.cumsum, x, dim)


cumsum.defvjp(x=lambda g, dim: flip(cumsum(flip(g, dims=(dim,)), dim=dim), dims=(dim,)))


@op
def cumprod(x, *, dim):
    """y[k] = Π x[j] over j ≤ k, along the axis dim.

    x̄[j] = Σ ȳ[k] Π x[i] over k ≥ j and i ≤ k, i ≠ j, which is (Π x[i] over i < j) · r[j], where
    r[j] = ȳ[j] + x[j+1] r[j+1], from the end.
    """
    return _in_wider(np.cumprod, x, dim)


def cumprod_x(g, x, dim):
    n, r = x.shape[dim], []
    for j in reversed(range(n)):
        r.append(_at(g, dim, j) + _at(x, dim, j + 1) * r[-1] if r else _at(g, dim, j))
    return _products_before(x, dim) * stack(*r[::-1], dim=dim) if n else g


def _at(x, dim, j):
    return getitem(x, index=(slice(None),) * dim + (j, ...))


def _products_before(x, dim):
    """Π x[i] over i < j: 1 at the beginning."""
    widths = tuple((1, -1) if k == dim else (0, 0) for k in range(len(x.shape)))
    return cumprod(pad(x, widths=widths, value=1.0), dim=dim)


cumprod.defvjp(x=cumprod_x)


@op
@in_float32
def prod(x, *, dim=None, keepdim=False):
    """y = Π x over the axis dim, or of all        x̄[j] = ȳ · (Π x[i] over i < j) (Π x[i] over i > j)"""
    return x.prod(axis=dim, keepdims=keepdim)


def prod_x(g, x, dim, keepdim):
    line, along = (x.reshape((-1,)), 0) if dim is None else (x, dim % len(x.shape))
    if not len(line.shape) or not line.shape[along]:
        return spread(g, x.shape, dim, keepdim)
    after = flip(_products_before(flip(line, dims=(along,)), along), dims=(along,))
    rest = _products_before(line, along) * after
    return spread(g, x.shape, dim, keepdim) * rest.reshape(tuple(x.shape))


prod.defvjp(x=vjp_in_float32(prod_x))
