"""Calls and references of sampling. The references weigh every cell of the image, and more around it."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import strategies as st
from numpy.polynomial import Polynomial

from ..calls import Call
from ..entries import register_strategy
from ..strategies import generators
from ..values import Array, Shape, separated

AROUND = 4  # cells outside that have a weight
NEAR, FAR = Polynomial([1, 0, -2.25, 1.25]), Polynomial([3, -6, 3.75, -0.75])


def weight(taps: str, order: int, d: float) -> float:
    """The derivative, by the place, of the weight of a cell at the distance d = place − cell."""
    if taps == "nearest":
        return float(abs(d) < 0.5) if not order else 0.0
    if taps == "linear":
        return [max(1 - abs(d), 0.0), -float(np.sign(d)) * (abs(d) < 1), 0.0, 0.0, 0.0][order]
    if abs(d) >= 2:
        return 0.0
    piece = NEAR if abs(d) < 1 else FAR
    return (
        float(piece.deriv(order)(abs(d)) if order else piece(abs(d))) * float(np.sign(d)) ** order
    )


def moved(cell: int, n: int, outside: str) -> int | None:
    """The cell that stands for one, which may be outside of n cells; None if that is 0."""
    if 0 <= cell < n:
        return cell
    if outside == "zeros":
        return None
    if outside == "border" or n == 1:
        return min(max(cell, 0), n - 1)
    there = (
        [*range(n), *range(n - 2, 0, -1)]
        if outside == "centres"
        else [*range(n), *range(n - 1, -1, -1)]
    )
    return there[cell % len(there)]


def weights(
    place: Array, sizes: Shape, taps: str, outside: str, orders: Shape
) -> list[tuple[Shape, float]]:
    """(cell, weight) for all cells around one place."""
    found = []
    around = [range(-AROUND, n + AROUND) for n in sizes]
    for cell in product(*around):
        w = np.prod([weight(taps, r, u - k) for u, k, r in zip(place, cell, orders, strict=True)])
        there = [moved(k, n, outside) for k, n in zip(cell, sizes, strict=True)]
        inside = tuple(k for k in there if k is not None)
        if w and len(inside) == len(sizes):
            found.append((inside, float(w)))
    return found


def sample(x: Array, u: Array, taps: str, outside: str, orders: Shape) -> Array:
    """One place at a time."""
    y = np.zeros((*x.shape[:2], *u.shape[1:-1]))
    for n, *o in np.ndindex(u.shape[:-1]):
        for cell, w in weights(u[(n, *o)], x.shape[2:], taps, outside, orders):
            y[(n, slice(None), *o)] += w * x[(n, slice(None), *cell)]
    return y


def splat(v: Array, u: Array, sizes: Shape, taps: str, outside: str, orders: Shape) -> Array:
    """One place at a time."""
    y = np.zeros((*v.shape[:2], *sizes))
    for n, *o in np.ndindex(u.shape[:-1]):
        for cell, w in weights(u[(n, *o)], sizes, taps, outside, orders):
            y[(n, slice(None), *cell)] += w * v[(n, slice(None), *o)]
    return y


@st.composite
def samplings(draw: st.DrawFn, inverse: bool = False) -> Call:
    """Images of one or two axes, and places away from the kinks, also outside; or values at places."""
    taps = draw(st.sampled_from(["linear", "cubic", "nearest"]))
    outside = draw(st.sampled_from(["zeros", "border", "centres", "edges"]))
    axes = draw(st.integers(1, 2))
    orders = [0] * axes
    if draw(st.integers(0, 3)) == 0:
        orders[draw(st.integers(0, axes - 1))] = draw(st.integers(1, 2))
    # a place must not see one cell alone, several times: the derivatives of its weights cancel
    alone = outside != "zeros" and (taps == "cubic" or any(orders))
    n, c = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    sizes = tuple(draw(st.integers(1 + alone, 4)) for _ in range(axes))
    out = tuple(draw(st.integers(1, 3)) for _ in range(draw(st.integers(1, 2))))
    rng = draw(generators())
    first, beyond = (0 if taps == "linear" else -1, 0) if alone else (-2, 1)
    cells = np.stack([rng.integers(first, m - alone + beyond, (n, *out)) for m in sizes], -1)
    parts = np.where(rng.random(cells.shape) < 0.5, 0.15, 0.65)
    u = cells + parts + 0.2 * rng.random(cells.shape)
    attributes = {"taps": taps, "outside": outside, "orders": tuple(orders)}
    if inverse:
        (v,) = separated(rng, (n, c, *out))
        return Call((v, u), {"sizes": sizes, **attributes})
    (x,) = separated(rng, (n, c, *sizes))
    return Call((x, u), attributes)


register_strategy("sample", samplings(), linear_in=("x",), reference=sample)
register_strategy("splat", samplings(inverse=True), linear_in=("v",), reference=splat)
