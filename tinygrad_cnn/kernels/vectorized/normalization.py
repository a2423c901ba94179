"""Normalization in NumPy: two passes that sum up, and two that write.

Letters: x and g of one shape; μ, r, w, b, s and t broadcast with it.

A pass is several operations. Large arrays go through it in parts (`passes`). The parts do not
depend on the number of threads, and so neither do the bits.
"""

from math import prod

import numpy as np

from .passes import sums, write

_EPSILON = {2: 2.0**-10, 4: 2.0**-23, 8: 2.0**-52}  # by the bytes of an element


def moments(x, dims):
    """Two passes: the mean, then the squares of the distances d from it.

    Rounding may move μ by m ε μ, and a smaller deviation would be lost in that error. Where there is
    one, a third pass corrects μ by Σ d / m (Chan, Golub and LeVeque 1983). The mean of equal numbers
    is exact then, and their normalization 0.
    """
    m = float(max(prod(x.shape[d] for d in dims), 1))
    mu = sums(lambda x: [x], [x], [], dims)[0] / m
    variance = sums(_squares, [x], [mu], dims)[0] / m
    error = mu * (m * _EPSILON[x.itemsize])
    unknown = variance < error * error
    if np.count_nonzero(unknown):
        d, squares = (s / m for s in sums(_distances, [x], [mu], dims))
        variance = np.where(unknown, np.maximum(squares - np.square(d), 0), variance)
        mu = np.where(unknown, mu + d, mu)
    return mu, variance


def _squares(x, mu):
    d = x - mu
    return [np.square(d, out=d)]


def _distances(x, mu):
    d = x - mu
    return [d, np.square(d)]


def normalize(x, mu, scale, weight, bias):
    """A scale and a weight of each channel are multiplied first."""
    if weight is not None and weight.size <= scale.size:
        scale, weight = scale * weight, None
    return write(_normalize, [x], [mu, scale, weight, bias])


def _normalize(x, mu, scale, weight, bias, y=None):
    y = np.subtract(x, mu, out=y)
    y *= scale
    if weight is not None:
        y *= weight
    if bias is not None:
        y += bias
    return y


def moments_with(g, x, mu, dims, weight=None):
    """One pass for both sums; without `dims` a product."""
    g = g if weight is None else g * weight
    return tuple(sums(_products, [g, x], [mu], dims) if dims else _products(g, x, mu))


def weight_sums(g, x, mu, scale, dims):
    """One pass for both sums."""
    return tuple(sums(_products, [g, x], [mu, scale], dims))


def _products(g, x, mu, scale=None):
    """g and g (x − μ) r."""
    d = x - mu
    if scale is not None:
        d *= scale
    d *= g
    return g, d


def normalize_input(g, x, mu, scale, weight, s, t):
    """One pass, in the memory of one result."""
    return write(_normalize_input, [g, x], [mu, scale, weight, s, t])


def _normalize_input(g, x, mu, scale, weight, s, t, d=None):
    d = np.subtract(x, mu, out=d)
    d *= t
    d += s
    np.subtract(g if weight is None else g * weight, d, out=d)
    d *= scale
    return d
