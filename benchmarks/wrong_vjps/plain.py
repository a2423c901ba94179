"""Products, broadcasting and indexing, and eight ways to get their vjps wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinygrad_cnn.testing import Call
from tinygrad_cnn.testing.values import separated

from .rule import change, one_zeroed, rule, scaled, wrong

RNG = np.random.default_rng(3)
A, B = separated(RNG, (3, 3), (3, 3), avoid=[0.0])


def seeds() -> st.SearchStrategy[np.random.Generator]:
    """Generators of the values."""
    return st.integers(0, 2**32 - 1).map(np.random.default_rng)


# --- Matrix product -----------------------------------------------------------------------------


def matmul(a: Any, b: Any) -> Any:
    """y = a b"""
    return a @ b


def matmul_vjp(g: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """ā = ȳ bᵀ        b̄ = aᵀ ȳ"""
    return g @ b.T, a.T @ g


@st.composite
def products(draw: st.DrawFn) -> Call:
    """(I, J) and (J, K)."""
    i, j, k = (draw(st.integers(1, 4)) for _ in range(3))
    return Call(tuple(separated(draw(seeds()), (i, j), (j, k))))


MATMUL = rule(matmul, matmul_vjp, Call((A, B)), products())


@wrong(MATMUL, "b: transposed product, reshaped to fit")
def transposed(g: Any, a: Any, b: Any) -> tuple[Any, Any]:
    return g @ b.T, (g.T @ a).reshape(b.shape)


@wrong(MATMUL, "a: not transposed, where that fits")
def forgotten_transpose(g: Any, a: Any, b: Any) -> tuple[Any, Any]:
    return g @ (b if b.shape[0] == b.shape[1] else b.T), a.T @ g


change(MATMUL, "a: last element zeroed", 0, one_zeroed)


# --- Broadcasting -------------------------------------------------------------------------------


def multiply(a: Any, b: Any) -> Any:
    """y = a b, broadcast"""
    return a * b


def summed(g: Any, shape: tuple[int, ...]) -> Any:
    """g summed over the axes that broadcasting added or stretched."""
    g = g.sum(tuple(range(g.ndim - len(shape))))
    stretched = tuple(k for k, n in enumerate(shape) if n == 1 and g.shape[k] != 1)
    return g.sum(stretched, keepdims=True) if stretched else g


def multiply_vjp(g: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """ā = Σ ȳ b        b̄ = Σ ȳ a, over what was broadcast"""
    return summed(g * b, a.shape), summed(g * a, b.shape)


@st.composite
def broadcasts(draw: st.DrawFn) -> Call:
    """Two shapes that broadcast: axes of one that are 1, or missing in front."""
    whole = draw(st.lists(st.integers(2, 4), min_size=1, max_size=3))
    one = [n if draw(st.booleans()) else 1 for n in whole]
    one = one[draw(st.integers(0, len(one))) :]
    pair = (tuple(whole), tuple(one))
    return Call(tuple(separated(draw(seeds()), *(pair if draw(st.booleans()) else pair[::-1]))))


MULTIPLY = rule(multiply, multiply_vjp, Call((A, B)), broadcasts())


@wrong(MULTIPLY, "a: the mean over what was broadcast for the sum")
def mean_over_broadcast(g: Any, a: Any, b: Any) -> tuple[Any, Any]:
    da, db = multiply_vjp(g, a, b)
    return da * da.dtype.type(max(a.size, 1) / max(g.size, 1)), db


@wrong(MULTIPLY, "b: the first of what was broadcast for the sum")
def first_of_broadcast(g: Any, a: Any, b: Any) -> tuple[Any, Any]:
    whole = g * a
    whole = whole[(0,) * (whole.ndim - b.ndim)]
    cut = tuple(slice(0, 1) if n == 1 else slice(None) for n in b.shape)
    return summed(g * b, a.shape), np.array(whole[cut])


change(MULTIPLY, "b: 0.05 % too large", 1, scaled)


# --- Indexing -----------------------------------------------------------------------------------


def take(x: Any, *, index: Any) -> Any:
    """y[k] = x[index[k]]"""
    return x[index]


def take_vjp(g: Any, x: Any, *, index: Any) -> tuple[Any]:
    """x̄[m] = Σ ȳ[k] over the k with index[k] = m"""
    dx = np.zeros_like(x)
    np.add.at(dx, index, g)
    return (dx,)


@st.composite
def takes(draw: st.DrawFn) -> Call:
    """Rows by number, from either end, some of them more than once."""
    n, width, count = (draw(st.integers(1, 4)) for _ in range(3))
    rng = draw(seeds())
    (x,) = separated(rng, (n, width))
    return Call((x,), {"index": rng.integers(-n, n, count)})


TAKE = rule(take, take_vjp, Call((A,), {"index": np.array([2, 0, 1])}), takes())


@wrong(TAKE, "repeated positions overwrite each other")
def take_overwritten(g: Any, x: Any, *, index: Any) -> tuple[Any]:
    dx = np.zeros_like(x)
    dx[index] = g
    return (dx,)


@wrong(TAKE, "negative positions dropped")
def take_negative_dropped(g: Any, x: Any, *, index: Any) -> tuple[Any]:
    dx = np.zeros_like(x)
    np.add.at(dx, index[index >= 0], g[index >= 0])
    return (dx,)
