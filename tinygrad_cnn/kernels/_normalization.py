"""Normalisation in NumPy: two passes that sum up, and two that write.

Letters: x and g of one shape; μ, r, w, b, s and t broadcast with it. Sums go over the axes `dims`
and keep them, of length 1.

A pass is several operations. Large arrays it takes in parts that stay in the cache from the one to the
next, on all threads; which parts does not depend on the number of threads, nor do the bits.
"""

from math import prod

import numpy as np

from ._parts import apart, sums


def moments(x, dims):
    """μ = Σ x / m and σ² = Σ (x − μ)² / m, of the m elements along `dims`."""
    m = float(max(prod(x.shape[d] for d in dims), 1))
    mu = sums(lambda x: [x], [x], [], dims)[0] / m
    return mu, sums(_squares, [x], [mu], dims)[0] / m


def _squares(x, mu):
    d = x - mu
    return [np.square(d, out=d)]


def normalize(x, mu, scale, weight, bias):
    """y = (x − μ) r w + b, for the scale r; weight and bias may be None."""
    if weight is not None and weight.size <= scale.size:
        scale, weight = scale * weight, None
    return apart(_normalize, [x], [mu, scale, weight, bias])


def _normalize(x, mu, scale, weight, bias, y=None):
    y = np.subtract(x, mu, out=y)
    y *= scale
    if weight is not None:
        y *= weight
    if bias is not None:
        y += bias
    return y


def moments_with(g, x, mu, dims, weight=None):
    """Σ w g and Σ w g (x − μ), along `dims`; weight may be None."""
    g = g if weight is None else g * weight
    return tuple(sums(_products, [g, x], [mu], dims) if dims else _products(g, x, mu))


def weight_sums(g, x, mu, scale, dims):
    """Σ g and Σ g (x − μ) r, along `dims`, for the scale r."""
    return tuple(sums(_products, [g, x], [mu, scale], dims))


def _products(g, x, mu, scale=None):
    d = x - mu
    if scale is not None:
        d *= scale
    d *= g
    return g, d


def normalize_input(g, x, mu, scale, weight, s, t):
    """x̄ = r (w g − s − t (x − μ)), for the scale r; weight may be None."""
    return apart(_normalize_input, [g, x], [mu, scale, weight, s, t])


def _normalize_input(g, x, mu, scale, weight, s, t, d=None):
    d = np.subtract(x, mu, out=d)
    d *= t
    d += s
    np.subtract(g if weight is None else g * weight, d, out=d)
    d *= scale
    return d
