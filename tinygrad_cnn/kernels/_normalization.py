"""Normalisation in NumPy: two passes that sum up, and two that write.

Letters: x and g of one shape; μ, r, w, b, s and t broadcast with it. Sums go over the axes `dims`
and keep them, of length 1.
"""

import math

import numpy as np


def moments(x, dims):
    """μ = Σ x / m and σ² = Σ (x − μ)² / m, of the m elements along `dims`."""
    m = float(max(math.prod(x.shape[d] for d in dims), 1))
    mu = x.sum(axis=dims, keepdims=True) / m
    return mu, np.square(x - mu).sum(axis=dims, keepdims=True) / m


def normalize(x, mu, scale, weight, bias):
    """y = (x − μ) r w + b, for the scale r; weight and bias may be None."""
    y = x - mu
    if weight is None or weight.size > scale.size:
        y *= scale
        scale = weight
    elif weight is not None:
        scale = scale * weight
    if scale is not None:
        y *= scale
    if bias is not None:
        y += bias
    return y


def moments_with(g, x, mu, dims):
    """Σ g and Σ g (x − μ), along `dims`."""
    d = x - mu
    d *= g
    if not dims:
        return g, d
    return g.sum(axis=dims, keepdims=True), d.sum(axis=dims, keepdims=True)


def normalize_input(g, x, mu, scale, weight, s, t):
    """x̄ = r (w g − s − t (x − μ)), for the scale r; weight may be None."""
    d = x - mu
    d *= t
    d += s
    np.subtract(g if weight is None else g * weight, d, out=d)
    d *= scale
    return d
