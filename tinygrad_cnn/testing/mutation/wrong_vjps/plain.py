"""Products, broadcasting and indexing, with eight wrong vjps."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from ...calls import Call
from ...strategies import generators
from ...values import Array, Shape, separated
from ..changes import scaled, zeroed
from .rule import change, rule, wrong

RNG = np.random.default_rng(3)
A, B = separated(RNG, (3, 3), (3, 3), avoid=[0.0])


# --- Matrix product -----------------------------------------------------------------------------


def matmul(a: Array, b: Array) -> Array:
    """y = a b"""
    return a @ b


def matmul_vjp(g: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """ā = ȳ bᵀ        b̄ = aᵀ ȳ"""
    return g @ b.T, a.T @ g


@st.composite
def products(draw: st.DrawFn) -> Call:
    """(I, J) and (J, K)."""
    i, j, k = (draw(st.integers(1, 4)) for _ in range(3))
    return Call(tuple(separated(draw(generators()), (i, j), (j, k))))


MATMUL = rule(matmul, matmul_vjp, Call((A, B)), products())


@wrong(MATMUL, "b: transposed product, reshaped to fit")
def transposed(g: Array, a: Array, b: Array) -> tuple[Array, Array]:
    return g @ b.T, (g.T @ a).reshape(b.shape)


@wrong(MATMUL, "a: not transposed, where that fits")
def forgotten_transpose(g: Array, a: Array, b: Array) -> tuple[Array, Array]:
    return g @ (b if b.shape[0] == b.shape[1] else b.T), a.T @ g


change(MATMUL, "a: last element zeroed", 0, zeroed(-1))


# --- Broadcasting -------------------------------------------------------------------------------


def multiply(a: Array, b: Array) -> Array:
    """y = a b, broadcast"""
    return a * b


def summed(g: Array, shape: Shape) -> Array:
    """g summed over the axes that broadcasting added or stretched."""
    g = g.sum(tuple(range(g.ndim - len(shape))))
    stretched = tuple(k for k, n in enumerate(shape) if n == 1 and g.shape[k] != 1)
    return g.sum(stretched, keepdims=True) if stretched else g


def multiply_vjp(g: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """ā = Σ ȳ b        b̄ = Σ ȳ a, over the broadcast axes"""
    return summed(g * b, a.shape), summed(g * a, b.shape)


@st.composite
def broadcasts(draw: st.DrawFn) -> Call:
    """Two shapes that broadcast: the second has axes of 1, or lacks leading axes."""
    whole = draw(st.lists(st.integers(2, 4), min_size=1, max_size=3))
    one = [n if draw(st.booleans()) else 1 for n in whole]
    one = one[draw(st.integers(0, len(one))) :]
    pair = (tuple(whole), tuple(one))
    return Call(
        tuple(separated(draw(generators()), *(pair if draw(st.booleans()) else pair[::-1])))
    )


MULTIPLY = rule(multiply, multiply_vjp, Call((A, B)), broadcasts())


@wrong(MULTIPLY, "a: the mean over what was broadcast for the sum")
def mean_over_broadcast(g: Array, a: Array, b: Array) -> tuple[Array, Array]:
    da, db = multiply_vjp(g, a, b)
    return da * da.dtype.type(max(a.size, 1) / max(g.size, 1)), db


@wrong(MULTIPLY, "b: the first of what was broadcast for the sum")
def first_of_broadcast(g: Array, a: Array, b: Array) -> tuple[Array, Array]:
    whole = g * a
    whole = whole[(0,) * (whole.ndim - b.ndim)]
    cut = tuple(slice(0, 1) if n == 1 else slice(None) for n in b.shape)
    return summed(g * b, a.shape), np.array(whole[cut])


change(MULTIPLY, "b: 0.05 % too large", 1, scaled)


# --- Indexing -----------------------------------------------------------------------------------


def take(x: Array, *, index: Array) -> Array:
    """y[k] = x[index[k]]"""
    return x[index]


def take_vjp(g: Array, x: Array, *, index: Array) -> tuple[Array]:
    """x̄[m] = Σ ȳ[k] over the k with index[k] = m"""
    dx = np.zeros_like(x)
    np.add.at(dx, index, g)
    return (dx,)


@st.composite
def takes(draw: st.DrawFn) -> Call:
    """Rows by index, from either end, with repetitions."""
    n, width, count = (draw(st.integers(1, 4)) for _ in range(3))
    rng = draw(generators())
    (x,) = separated(rng, (n, width))
    return Call((x,), {"index": rng.integers(-n, n, count)})


TAKE = rule(take, take_vjp, Call((A,), {"index": np.array([2, 0, 1])}), takes())


@wrong(TAKE, "repeated positions overwrite each other")
def take_overwritten(g: Array, x: Array, *, index: Array) -> tuple[Array]:
    dx = np.zeros_like(x)
    dx[index] = g
    return (dx,)


@wrong(TAKE, "negative positions dropped")
def take_negative_dropped(g: Array, x: Array, *, index: Array) -> tuple[Array]:
    dx = np.zeros_like(x)
    np.add.at(dx, index[index >= 0], g[index >= 0])
    return (dx,)
