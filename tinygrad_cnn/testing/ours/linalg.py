"""Calls and references of linear algebra: matrices far from singular ones, and textbook algorithms."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from ..calls import Call
from ..entries import register_strategy
from ..strategies import broadcastable_shapes, generators, shapes
from ..values import Array, Shape, separated

# --- References, for one matrix: `batched` makes them functions of several ------------------------


def batched(function: Callable[..., ArrayLike]) -> Callable[..., Array]:
    """A function of matrices (.., M, N), of a function of one."""

    def run(a: Array, **attributes: float) -> Array:
        lead = a.shape[:-2]
        flat = a.reshape(math.prod(lead), *a.shape[-2:])
        found = [np.asarray(function(x, **attributes), np.float64) for x in flat]
        if not found:
            shape = np.shape(function(np.eye(*a.shape[-2:]), **attributes))
            return np.zeros((*lead, *shape))
        return np.stack(found).reshape((*lead, *found[0].shape))

    return run


def det(a: Array) -> float:
    """Σ ± Π a[i, p(i)] over the permutations p (Leibniz)."""
    n, total = len(a), 0.0
    for p in permutations(range(n)):
        inversions = sum(p[i] > p[j] for i in range(n) for j in range(i + 1, n))
        total += (-1) ** inversions * float(np.prod([a[i, p[i]] for i in range(n)]))
    return total


def cofactors(a: Array) -> Array:
    """The signed determinants of a without one row and one column."""
    y = np.zeros(a.shape)
    for i, j in np.ndindex(a.shape):
        y[i, j] = (-1) ** (i + j) * det(np.delete(np.delete(a, i, 0), j, 1))
    return y


def inverse(a: Array) -> Array:
    """Cramer's rule."""
    return np.asarray(cofactors(a).T / det(a))


def pseudoinverse(a: Array, atol: float, rtol: float) -> Array:
    """(aᵀ a)⁻¹ aᵀ, or aᵀ (a aᵀ)⁻¹ for a wide matrix of full rank."""
    m, n = a.shape
    return inverse(a.T @ a) @ a.T if m >= n else a.T @ inverse(a @ a.T)


def cholesky(a: Array) -> Array:
    """Column by column (Cholesky and Banachiewicz)."""
    n = len(a)
    y = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            rest = (a[i, j] + a[j, i]) / 2 - y[i, :j] @ y[j, :j]
            y[i, j] = np.sqrt(rest) if i == j else rest / y[j, j]
    return y


def qr(a: Array) -> Array:
    """qᵀ and r, by reflections (Householder): the diagonal of r has the signs of that algorithm."""
    m, n = a.shape
    q, r = np.eye(m), a.astype(np.float64)
    for k in range(min(m - 1, n)):
        x = r[k:, k].copy()
        x[0] += np.copysign(np.linalg.norm(x), x[0])
        mirror = np.eye(m)
        mirror[k:, k:] -= 2 * np.outer(x, x) / (x @ x)
        q, r = q @ mirror, mirror @ r
    return np.concatenate([q[:, :n].T, r[:n]], 1)


def eigh(a: Array) -> Array:
    """The eigenvectors, and the row of eigenvalues: roots of the characteristic polynomial.

    A vector is a column of the cofactors of a − w, which is a multiple of the projection to it. Its sign
    is that of the op, the only thing that is not independent.
    """
    n = len(a)
    a = (a + a.T) / 2
    values = np.sort(np.roots(np.poly(a)).real) if n else np.zeros(0)
    vectors = np.zeros((n, n))
    signs = np.linalg.eigh(a)[1]
    for k, w in enumerate(values):
        c = cofactors(a - w * np.eye(n))
        x = c[:, np.argmax(np.abs(c).sum(0))]
        vectors[:, k] = x / np.linalg.norm(x) * np.sign(x @ signs[:, k])
    return np.concatenate([vectors, values[None]])


# --- Strategies ---------------------------------------------------------------------------------


@st.composite
def matrices(draw: st.DrawFn, diagonal: float = 3.0, step: float = 0.0, low: float = -1.0) -> Call:
    """Square matrices of up to three rows with a diagonal near `diagonal`, growing by `step` a row.

    The other elements are from `low` to 1.
    """
    n = draw(st.sampled_from([1, 2, 3, 2, 3, 0]))
    lead = draw(shapes(0, 2, 0, 3))
    return Call((_dominant(draw(generators()), (*lead, n, n), diagonal, step, low),))


def _dominant(
    rng: np.random.Generator, shape: Shape, diagonal: float, step: float = 0.0, low: float = -1.0
) -> Array:
    (x,) = separated(rng, shape, low=low, high=1.0)
    side = min(shape[-2:])
    rows = np.arange(side)
    x[..., rows, rows] += diagonal + step * rows
    return x


@st.composite
def tall(draw: st.DrawFn, wide: bool = False) -> Array:
    """Matrices of full rank with at least as many rows as columns; with `wide`, of any shape."""
    m, n = sorted(draw(st.tuples(st.integers(1, 4), st.integers(1, 3))), reverse=True)
    lead = draw(shapes(0, 1, 0, 3))
    if wide and draw(st.booleans()):
        m, n = n, m
    return _dominant(draw(generators()), (*lead, m, n), 3.0)


@st.composite
def systems(draw: st.DrawFn) -> Call:
    """a (.., N, N) and b (.., N, K), whose leading axes broadcast."""
    n, k = draw(st.sampled_from([1, 2, 3, 2, 3, 0])), draw(st.sampled_from([1, 2, 3, 0]))
    of_a, of_b = draw(broadcastable_shapes(2, max_dims=2, max_side=3))
    rng = draw(generators())
    (b,) = separated(rng, (*of_b, n, k))
    return Call((_dominant(rng, (*of_a, n, n), 3.0), b))


def _solve(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("...ij,...jk->...ik", batched(inverse)(a), b))


def _slogdet(a: Array) -> tuple[Array, Array]:
    y = batched(det)(a)
    return np.log(np.abs(y)), np.sign(y)


register_strategy("inv", matrices(), reference=batched(inverse))
register_strategy("solve", systems(), linear_in=("b",), reference=_solve)
register_strategy("det", matrices(1.0), reference=batched(det))
register_strategy("cofactors", matrices(), reference=batched(cofactors))
register_strategy("slogdet", matrices(-3.0), reference=_slogdet)
register_strategy("cholesky", matrices(4.0), reference=batched(cholesky))
# LAPACK turns the sign of a vector where an element beside the diagonal passes 0
register_strategy("eigh", matrices(-2.0, 4.0, low=0.2), reference=batched(eigh))
register_strategy("qr", tall().map(lambda a: Call((a,))), reference=batched(qr))
register_strategy(
    "pinv",
    st.builds(
        lambda a, atol, rtol: Call((a,), {"atol": atol, "rtol": rtol}),
        tall(wide=True),
        st.sampled_from([0.0, 1e-6]),
        st.sampled_from([0.0, 1e-12]),
    ),
    reference=batched(pseudoinverse),
)
