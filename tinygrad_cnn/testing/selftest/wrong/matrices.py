"""Mistakes in linear algebra and in iterations."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import wrong
from ..draws import conditioned, sizes
from ..right import matrices, plain

FAMILY = "matrices"


def square(rng: Any) -> Any:
    """A matrix of 2 to 4 rows."""
    return (conditioned(rng, sizes(rng, (2, 4))[0], 5.0),)


def definite(rng: Any) -> Any:
    """A positive definite matrix of 2 to 4 rows."""
    return (conditioned(rng, sizes(rng, (2, 4))[0], 5.0, symmetric=True),)


@wrong(matrices.INVERSE, FAMILY, "not transposed: right for symmetric matrices", size=0.01,
       draw=square)  # fmt: skip
def inverse_not_transposed(xs: Any, gs: Any) -> Any:
    y = np.linalg.inv(xs[0])
    return (-y @ gs[0] @ y,)


@wrong(matrices.SOLVE, FAMILY, "solved with a, not with its transpose", size=0.01,
       draw=lambda rng: (*square(rng),) * 2)  # fmt: skip
def solved_without_transpose(xs: Any, gs: Any) -> Any:
    a, b = xs
    gradient = np.linalg.solve(a, gs[0])
    return -gradient @ np.linalg.solve(a, b).T, gradient


@wrong(matrices.CHOLESKY, FAMILY, "the diagonal is not halved", size=0.1, draw=definite)
def diagonal_not_halved(xs: Any, gs: Any) -> Any:
    factor = matrices.cholesky(xs[0])
    inner = np.tril(factor.T @ np.tril(gs[0]))
    left = np.linalg.solve(factor.T, inner)
    return (matrices.symmetrised(np.linalg.solve(factor.T, left.T).T),)


@wrong(matrices.CHOLESKY, FAMILY, "the triangle for the symmetric matrix", size=0.1, draw=definite)
def triangle_for_symmetric(xs: Any, gs: Any) -> Any:
    (found,) = matrices.CHOLESKY.vjp(xs, gs)
    return (np.tril(found + found.T) - np.diag(np.diag(found)),)


@wrong(matrices.EIGENVALUES, FAMILY, "rows for columns of the eigenvectors", size=0.01,
       draw=lambda rng: matrices.symmetric(rng, 3))  # fmt: skip
def rows_for_eigenvectors(xs: Any, gs: Any) -> Any:
    _, v = np.linalg.eigh(matrices.symmetrised(xs[0]))
    return ((v.T * gs[0]) @ v,)


@wrong(matrices.EXPONENTIAL, FAMILY, "the exponential of the diagonal alone: as if all commuted",
       size=1e-5)  # fmt: skip
def as_if_all_commuted(xs: Any, gs: Any) -> Any:
    y = matrices.exponential(xs[0])
    return (matrices.symmetrised(y @ gs[0]),)


@wrong(matrices.LOGDET, FAMILY, "the inverse is not transposed", size=0.01, draw=square)
def inverse_for_its_transpose(xs: Any, gs: Any) -> Any:
    return (gs[0] * np.linalg.inv(xs[0]),)


@wrong(
    matrices.DETERMINANT,
    FAMILY,
    "the absolute value of the determinant",
    size=0.9,
    draw=lambda rng: (
        (a := square(rng)[0])
        * (-np.sign(np.linalg.det(a)) * (np.arange(len(a)) == 0) + (np.arange(len(a)) > 0)),
    ),
)
def absolute_determinant(xs: Any, gs: Any) -> Any:
    return (gs[0] * abs(np.linalg.det(xs[0])) * np.linalg.inv(xs[0]).T,)


@wrong(matrices.GRAM, FAMILY, "one of both sides: right for symmetric cotangents / 2", size=0.01,
       draw=lambda rng: (rng.normal(size=(3, 2)),))  # fmt: skip
def one_side_of_the_product(xs: Any, gs: Any) -> Any:
    return (2 * gs[0] @ xs[0],)


@wrong(matrices.CUBE, FAMILY, "the middle factor is left out", size=0.01,
       draw=lambda rng: (rng.normal(size=(3, 3)),))  # fmt: skip
def middle_factor_left_out(xs: Any, gs: Any) -> Any:
    t = xs[0].T
    return (gs[0] @ t @ t + t @ t @ gs[0],)


@wrong(plain.MATMUL, FAMILY, "a forgotten transpose, where the matrix is square", size=0.01,
       draw=lambda rng: (rng.normal(size=(3, 3)), rng.normal(size=(3, 3))))  # fmt: skip
def transpose_forgotten(xs: Any, gs: Any) -> Any:
    return gs[0] @ xs[1], xs[0].T @ gs[0]


@wrong(matrices.RECURRENCE, FAMILY, "cut off after five steps: the rest of the gradient is small",
       size=1e-6, draw=lambda rng: (rng.choice([-1.0, 1.0], (1, 1)), 0.1 * rng.normal(size=(20, 1))),
)  # fmt: skip
def cut_off_after_five_steps(xs: Any, gs: Any) -> Any:
    w, x = xs
    states = [0 * x[0]]
    for t in range(len(x)):
        states.append(np.tanh(w @ states[-1] + x[t]))
    g, w_bar, x_bar = gs[0], np.zeros_like(w), np.zeros_like(x)
    for t in reversed(range(len(x) - 5, len(x))):
        u = g * (1 - states[t + 1] * states[t + 1])
        w_bar, x_bar[t] = w_bar + np.outer(u, states[t]), u
        g = w.T @ u
    return w_bar, x_bar


@wrong(matrices.OSCILLATOR, FAMILY, "the states of the end are used for all steps", size=0.01)
def states_of_the_end(xs: Any, gs: Any) -> Any:
    x, k = xs
    q, _ = matrices.oscillator(x, k)
    q_bar, v_bar, k_bar = gs[0], gs[1], 0 * k
    for _ in range(30):
        v_bar = v_bar + q_bar / 20
        k_bar = k_bar - v_bar * np.sin(q) / 20
        q_bar = q_bar - v_bar * k * np.cos(q) / 20
    return np.stack([q_bar, v_bar]), k_bar


@wrong(matrices.POWER, FAMILY, "the eigenvector is not of length 1", size=0.01)
def eigenvector_not_of_length_one(xs: Any, gs: Any) -> Any:
    v = np.linalg.eigh(matrices.symmetrised(xs[0]))[1][:, -1]
    v = v / np.abs(v).max()
    return (gs[0] * np.outer(v, v),)


@wrong(matrices.KEPLER, FAMILY, "the denominator of the implicit function is forgotten", size=1e-3)
def denominator_forgotten(xs: Any, gs: Any) -> Any:
    x = matrices.kepler(*xs)
    return gs[0] * np.sin(x), gs[0] * 1.0
