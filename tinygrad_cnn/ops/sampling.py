"""Values of an image between its pixels, at any places, and the adjoint of taking them.

An axis of n cells is sampled at the place u by a few cells around u, with weights that depend on
the distance t = u − ⌊u⌋:

    "nearest": the cell nearest to u, with weight 1; of two, the even one
    "linear": ⌊u⌋ and ⌊u⌋ + 1, with weights 1 − t and t
    "cubic": ⌊u⌋ − 1 to ⌊u⌋ + 2, with the weights of Keys (1981) for a = −3/4

Cells outside of the axis are 0, or by `outside` others take their place: the nearest ("border"), or
the mirror image at the centres of the first and the last cell ("centres"), or at their edges ("edges").
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from ..atomic import quiet
from ..engine import op
from .precision import in_float32, vjp_in_float32
from .reduce import sum
from .shape import stack

__all__ = ["sample", "splat"]

A = -0.75  # of Keys' cubic, as in PyTorch
NEAR, FAR = (A + 2, -(A + 3), 0.0, 1.0), (A, -5 * A, 8 * A, -4 * A)  # weights by the distance
LINEAR = ((-1.0, 1.0), (1.0, 0.0))  # 1 − t and t
# first cell, and for each cell: its weight as a polynomial, of the distance offset + slope · t
TAPS = {
    "nearest": (0, [((1.0,), 0.0, 1.0)]),
    "linear": (0, [(LINEAR[0], 0.0, 1.0), (LINEAR[1], 0.0, 1.0)]),
    "cubic": (-1, [(FAR, 1.0, 1.0), (NEAR, 0.0, 1.0), (NEAR, 1.0, -1.0), (FAR, 2.0, -1.0)]),
}


@op
@in_float32
def sample(x, u, *, taps, outside, orders):
    """y[n,c,o] = Σ_k Π_d w_d⁽ʳ⁾(u[n,o,d], k_d) x[n,c,k], over the cells k around the place u[n,o].

    x (N, C, *sizes), u (N, *out, D) → (N, C, *out). `orders[d]` = r says which derivative by u the
    weights of axis d are: 0 in a plain sample.

    x̄ = `splat` of ȳ, the adjoint. ū[n,o,d] = Σ_c ȳ[n,c,o] y′[n,c,o], where y′ is the sample with one
    more derivative along axis d. At the jumps of ⌊u⌋ it is the derivative to the right.
    """
    n, c, *sizes = x.shape
    around = np.zeros((c, n, *[m + 2 for m in sizes]), x.dtype)  # the cells outside are 0
    around[(..., *_inner(sizes))] = np.moveaxis(x, 1, 0)
    y = np.zeros((c, math.prod(u.shape[:-1])), x.dtype)
    part = np.empty(y.shape[1], x.dtype)
    for cell, weight in _terms(u, n, sizes, taps, outside, orders):
        for plane, row in zip(around.reshape(c, math.prod(around.shape[1:])), y, strict=True):
            plane.take(cell, out=part, mode="clip")
            part *= weight
            row += part
    return np.moveaxis(y.reshape(c, *u.shape[:-1]), 0, 1)


@op
@in_float32
def splat(v, u, *, sizes, taps, outside, orders):
    """y[n,c,k] = Σ_o Π_d w_d⁽ʳ⁾(u[n,o,d], k_d) v[n,c,o]: the adjoint of `sample` in x.

    v (N, C, *out), u (N, *out, D) → (N, C, *sizes).

    v̄ = the sample of ȳ at u. ū[n,o,d] = Σ_c v[n,c,o] ȳ′[n,c,o], where ȳ′ is the sample of ȳ with one
    more derivative along axis d.
    """
    n, c = v.shape[:2]
    around = np.zeros((c, n, *[m + 2 for m in sizes]), v.dtype)
    terms = list(_terms(u, n, sizes, taps, outside, orders))
    if terms:
        cells = np.concatenate([cell for cell, _ in terms])
        weights = np.stack([weight for _, weight in terms])
        rows = np.moveaxis(v, 1, 0).reshape(c, weights.shape[1])
        for plane, row in zip(around, rows, strict=True):
            plane.flat = np.bincount(cells, (weights * row).ravel(), plane.size)
    return np.moveaxis(around[(..., *_inner(sizes))], 0, 1)


def _inner(sizes):
    """The index of the images in arrays with one cell more on each side of each axis."""
    return (slice(1, -1),) * len(sizes)


def _pull(x, v, u, taps, outside, orders):
    """ū[n,o,d] = Σ_c v[n,c,o] y′[n,c,o], with y′ the sample of x with one more derivative along d."""
    slopes = []
    for d in range(len(orders)):
        more = tuple(r + (k == d) for k, r in enumerate(orders))
        slope = sample(x, u, taps=taps, outside=outside, orders=more)
        slopes.append(sum(v * slope, dim=1))
    return stack(*slopes, dim=-1)


def sample_x(g, u, x_shape, taps, outside, orders):
    return splat(g, u, sizes=x_shape[2:], taps=taps, outside=outside, orders=orders)


@vjp_in_float32
def sample_u(g, x, u, taps, outside, orders):
    return _pull(x, g, u, taps, outside, orders)


def splat_v(g, u, taps, outside, orders):
    return sample(g, u, taps=taps, outside=outside, orders=orders)


@vjp_in_float32
def splat_u(g, v, u, taps, outside, orders):
    return _pull(g, v, u, taps, outside, orders)


sample.defvjp(x=sample_x, u=sample_u)
splat.defvjp(v=splat_v, u=splat_u)


# --- Cells and weights ----------------------------------------------------------------------------


def _terms(u, images, sizes, taps, outside, orders):
    """(cell, weight) for each combination of cells along the axes: vectors over all places u.

    `cell` counts through the cells of all images, which have one cell more on each side of each axis.
    """
    places = u.reshape(math.prod(u.shape[:-1]), len(sizes))
    each = len(places) // max(images, 1)
    first = np.repeat(np.arange(images), each)  # the image, and then the cell that it begins with
    axes = []
    with quiet():  # of places that are NaN or infinite
        for d, (size, order) in enumerate(zip(sizes, orders, strict=True)):
            stride = math.prod(m + 2 for m in sizes[d + 1 :])
            found = list(_axis(np.ascontiguousarray(places[:, d]), size, taps, outside, order))
            if d == 0:
                first *= (size + 2) * stride
            axes.append([(cell * stride + first * (d == 0), weight) for cell, weight in found])
    for (cell, weight), *others in product(*axes):
        for k, w in others:
            cell, weight = cell + k, weight * w
        yield cell, weight


def _axis(u, size, taps, outside, order):
    """(cell, weight) for each cell around u along one axis. The cells count from 1; 0 is outside."""
    start = np.rint(u) if taps == "nearest" else np.floor(u)
    t = u - start
    first, polynomials = TAPS[taps]
    for k, (polynomial, offset, slope) in enumerate(polynomials):
        if order >= len(polynomial):
            continue  # a derivative that is 0 everywhere
        cell = start + (first + k)
        if outside != "zeros":
            cell = _moved_inside(cell, size, outside)
        cell = np.fmin(np.fmax(cell + 1, 0), size + 1).astype(np.intp)  # 0 for NaN
        weight = _derivative(polynomial, order, offset + slope * t if slope != 1 or offset else t)
        yield cell, weight * slope if slope**order < 0 else weight


def _moved_inside(cell, size, outside):
    """Cells, as floats, with those outside replaced by the nearest or by the mirror image."""
    if outside != "border" and size > 1 - (outside == "edges"):
        low, span = (0.0, size - 1.0) if outside == "centres" else (-0.5, float(size))
        way = np.abs(cell - low) % (2 * span)
        cell = low + np.minimum(way, 2 * span - way)
    return np.clip(cell, 0, size - 1)


def _derivative(polynomial, order, x):
    """The derivative of a polynomial, highest power first, at x."""
    coefficients = list(polynomial)
    for _ in range(order):
        degree = len(coefficients) - 1
        coefficients = [c * (degree - k) for k, c in enumerate(coefficients[:-1])]
    y = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        y = y * x + c
    return y
