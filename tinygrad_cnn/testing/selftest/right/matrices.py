"""Linear algebra, and functions that iterate."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import Right, right
from ..draws import Rng, conditioned, sizes, uniform

# --- Matrices -----------------------------------------------------------------------------------

FAMILY = "matrix"


def matrix(rng: Rng) -> tuple[Any, ...]:
    """A matrix of a condition from 1 to 1e4."""
    return (conditioned(rng, sizes(rng, (1, 4))[0], 10 ** rng.uniform(0, 4)),)


def positive(rng: Rng) -> tuple[Any, ...]:
    """A symmetric positive definite matrix of a condition from 1 to 1e3."""
    return (conditioned(rng, sizes(rng, (1, 4))[0], 10 ** rng.uniform(0, 3), symmetric=True),)


def symmetric(rng: Rng, n: int | None = None) -> tuple[Any, ...]:
    """A matrix, not symmetric itself, whose eigenvalues of (a + aᵀ)/2 are apart."""
    n = n or sizes(rng, (2, 4))[0]
    q = np.linalg.qr(rng.normal(size=(n, n)))[0]
    skew = rng.normal(size=(n, n))
    return ((q * (np.arange(n) + rng.uniform(-0.3, 0.3, n))) @ q.T + skew - skew.T,)


def symmetrised(a: Any) -> Any:
    """(a + aᵀ) / 2"""
    return (a + a.T) / 2


def inverse_vjp(xs: Any, gs: Any) -> Any:
    """ā = −yᵀ ȳ yᵀ"""
    y = np.linalg.inv(xs[0])
    return (-y.T @ gs[0] @ y.T,)


INVERSE = right(
    "a⁻¹", FAMILY, "of a condition from 1 to 1e4", np.linalg.inv, inverse_vjp, matrix,
    second=False, tolerance=1e-7,
)  # fmt: skip


def solve_vjp(xs: Any, gs: Any) -> Any:
    """b̄ = a⁻ᵀ ȳ        ā = −b̄ yᵀ"""
    a, b = xs
    gradient = np.linalg.solve(a.T, gs[0])
    return -gradient @ np.linalg.solve(a, b).T, gradient


SOLVE = right(
    "a⁻¹ b", FAMILY, "of a condition from 1 to 1e6", np.linalg.solve, solve_vjp,
    lambda rng: (conditioned(rng, n := sizes(rng, (1, 4))[0], 10 ** rng.uniform(0, 6)),
                 rng.normal(size=(n, sizes(rng, (1, 3))[0]))),
    second=False, tolerance=1e-5,
)  # fmt: skip


def cholesky(a: Any) -> Any:
    """The lower triangular factor of (a + aᵀ) / 2."""
    return np.linalg.cholesky(symmetrised(a))


def cholesky_vjp(xs: Any, gs: Any) -> Any:
    """ā = sym(l⁻ᵀ φ(lᵀ l̄) l⁻¹), φ: the lower triangle, with half of the diagonal"""
    factor = cholesky(xs[0])
    inner = np.tril(factor.T @ np.tril(gs[0]))
    inner = inner - np.diag(np.diag(inner)) / 2
    left = np.linalg.solve(factor.T, inner)
    return (symmetrised(np.linalg.solve(factor.T, left.T).T),)


CHOLESKY = right(
    "cholesky((a + aᵀ) / 2)", FAMILY, "of a condition up to 1e3", cholesky, cholesky_vjp, positive,
    second=False, tolerance=1e-7,
)  # fmt: skip


def eigenvalues(a: Any) -> Any:
    """The eigenvalues of (a + aᵀ) / 2, in ascending order."""
    return np.linalg.eigvalsh(symmetrised(a))


def eigenvalues_vjp(xs: Any, gs: Any) -> Any:
    """ā = v diag(ȳ) vᵀ"""
    _, v = np.linalg.eigh(symmetrised(xs[0]))
    return ((v * gs[0]) @ v.T,)


EIGENVALUES = right(
    "eigenvalues of (a + aᵀ) / 2", FAMILY, "they are apart", eigenvalues, eigenvalues_vjp,
    symmetric, second=False,
)  # fmt: skip


def exponential(a: Any) -> Any:
    """exp((a + aᵀ) / 2), by eigenvectors"""
    w, v = np.linalg.eigh(symmetrised(a))
    return (v * np.exp(w)) @ v.T


def exponential_vjp(xs: Any, gs: Any) -> Any:
    """ā = sym(v (f ∘ (vᵀ ȳ v)) vᵀ), f = (eⁱ − eʲ) / (wⁱ − wʲ)"""
    w, v = np.linalg.eigh(symmetrised(xs[0]))
    apart = w[:, None] - w[None, :] + np.eye(len(w), dtype=w.dtype)
    slopes = (np.exp(w)[:, None] - np.exp(w)[None, :]) / apart + np.diag(np.exp(w))
    return (symmetrised(v @ (slopes * (v.T @ gs[0] @ v)) @ v.T),)


EXPONENTIAL = right(
    "exp of a symmetric matrix", FAMILY, "by eigenvectors, whose signs are free",
    exponential, exponential_vjp, symmetric, second=False,
)  # fmt: skip


def triangle(a: Any) -> Any:
    """R of a = Q R, with a positive diagonal"""
    r = np.linalg.qr(a)[1]
    return np.sign(np.diag(r))[:, None] * r


def triangle_vjp(xs: Any, gs: Any) -> Any:
    """ā = q s r⁻ᵀ, where s is symmetric and has the lower triangle of m = r r̄ᵀ"""
    (a,), (g,) = xs, gs
    q, r = np.linalg.qr(a)
    sign = np.sign(np.diag(r))
    q, r = q * sign, sign[:, None] * r
    m = r @ np.triu(g).T
    low = np.tril(m, -1)
    inner = low + low.T + np.diag(np.diag(m))
    return (np.linalg.solve(r, (q @ inner).T).T,)


right(
    "R of QR", FAMILY, "tall matrices", triangle, triangle_vjp,
    lambda rng: (rng.normal(size=((n := sizes(rng, (1, 3))[0]) + sizes(rng, (0, 2))[0], n)),),
    second=False, tolerance=1e-7,
)  # fmt: skip


def logdet(a: Any) -> Any:
    """log |det a|"""
    return np.linalg.slogdet(a)[1]


LOGDET = right(
    "log |det a|", FAMILY, "of a condition from 1 to 1e4", logdet,
    lambda xs, gs: (gs[0] * np.linalg.inv(xs[0]).T,), matrix, second=False, tolerance=1e-7,
)  # fmt: skip
DETERMINANT = right(
    "det a", FAMILY, "small if the condition is large", np.linalg.det,
    lambda xs, gs: (gs[0] * np.linalg.det(xs[0]) * np.linalg.inv(xs[0]).T,), matrix, second=False,
    tolerance=1e-7,
)  # fmt: skip


def inverse_trace_vjp(xs: Any, gs: Any) -> Any:
    """ā = −ȳ (a⁻²)ᵀ"""
    y = np.linalg.inv(xs[0])
    return (-gs[0] * (y @ y).T,)


right(
    "tr a⁻¹", FAMILY, "one number of a whole inverse", lambda a: np.trace(np.linalg.inv(a)),
    inverse_trace_vjp, matrix, second=False, tolerance=1e-6,
)  # fmt: skip
CUBE = right(
    "a³", FAMILY, "a product of one matrix with itself", lambda a: a @ a @ a,
    lambda xs, gs: (
        gs[0] @ (t := xs[0].swapaxes(0, 1)) @ t + t @ gs[0] @ t + t @ t @ gs[0],
    ),
    lambda rng: (rng.normal(size=sizes(rng, (1, 4)) * 2),),
)  # fmt: skip
GRAM = right(
    "a aᵀ", FAMILY, "a symmetric output, of which every element has a cotangent",
    lambda a: a @ a.T, lambda xs, gs: ((gs[0] + gs[0].swapaxes(0, 1)) @ xs[0],),
    lambda rng: (rng.normal(size=sizes(rng, (1, 4), (1, 4))),),
)  # fmt: skip

# --- Iterative ----------------------------------------------------------------------------------

FAMILY = "iterative"


def newton_root(a: Any) -> Any:
    """√a by Newton's iteration from 1, until it stays"""
    x = np.ones_like(a)
    for _ in range(60):
        after = (x + a / x) / 2
        if np.all(after == x):
            break
        x = after
    return x


right(
    "√a by Newton", FAMILY, "a loop that ends when nothing changes", newton_root,
    lambda xs, gs: (gs[0] * 0.5 / np.sqrt(xs[0]),), uniform(0.1, 10),
)  # fmt: skip


def kepler(e: Any, m: Any) -> Any:
    """The root of x − e sin x = m, by ten steps of Newton's"""
    x = m
    for _ in range(30):
        x = x - (x - e * np.sin(x) - m) / (1 - e * np.cos(x))
    return x


def kepler_vjp(xs: Any, gs: Any) -> Any:
    """By the implicit function: dx = (sin x de + dm) / (1 − e cos x)"""
    x = kepler(*xs)
    u = gs[0] / (1 - xs[0] * np.cos(x))
    return u * np.sin(x), u


KEPLER = right(
    "Kepler's equation", FAMILY, "by the implicit function", kepler, kepler_vjp,
    lambda rng: (rng.uniform(0.1, 0.7, n := sizes(rng, (1, 4))), rng.uniform(0.5, 3, n)),
    second_tolerance=1e-8,
)  # fmt: skip


def recurrence(w: Any, x: Any) -> Any:
    """h ← tanh(w h + x[t]), over the steps t"""
    h = 0 * x[0]
    for t in range(len(x)):
        h = np.tanh(w @ h + x[t])
    return h


def recurrence_vjp(xs: Any, gs: Any) -> Any:
    """Back through the steps: ū = h̄ (1 − h²), w̄ += ū hᵀ, h̄ ← wᵀ ū"""
    w, x = xs
    states = [0 * x[0]]
    for t in range(len(x)):
        states.append(np.tanh(w @ states[-1] + x[t]))
    g, w_bar, x_bar = gs[0], np.zeros_like(w), np.zeros_like(x)
    for t in reversed(range(len(x))):
        u = g * (1 - states[t + 1] * states[t + 1])
        w_bar, x_bar[t] = w_bar + np.outer(u, states[t]), u
        g = w.T @ u
    return w_bar, x_bar


RECURRENCE = right(
    "a recurrence of 20 steps", FAMILY, "gradients through a chain of tanh",
    recurrence, recurrence_vjp,
    lambda rng: (0.6 * rng.normal(size=(n := sizes(rng, (1, 3))[0], n)),
                 0.5 * rng.normal(size=(20, n))),
    second=False,
)  # fmt: skip


def logistic(x: Any) -> Any:
    """x ← 3.7 x (1 − x), eight times"""
    for _ in range(8):
        x = 3.7 * x * (1 - x)
    return x


def logistic_vjp(xs: Any, gs: Any) -> Any:
    """The product of the slopes 3.7 (1 − 2x)"""
    x, slope = xs[0], 1.0
    for _ in range(8):
        slope = slope * 3.7 * (1 - 2 * x)
        x = 3.7 * x * (1 - x)
    return (gs[0] * slope,)


right(
    "eight steps of the logistic map", FAMILY, "chaos: slopes of a hundred, both signs",
    logistic, logistic_vjp, uniform(0.1, 0.9), second_tolerance=1e-8,
)  # fmt: skip


def oscillator(x: Any, k: Any) -> Any:
    """The state (x, v) after 30 steps of a pendulum, v ← v − k sin x / 20, x ← x + v / 20"""
    q, v = x[0], x[1]
    for _ in range(30):
        v = v - k * np.sin(q) / 20
        q = q + v / 20
    return q, v


def oscillator_vjp(xs: Any, gs: Any) -> Any:
    """Back through the steps."""
    x, k = xs
    q, v, places = x[0], x[1], []
    for _ in range(30):
        places.append(q)
        v = v - k * np.sin(q) / 20
        q = q + v / 20
    q_bar, v_bar, k_bar = gs[0], gs[1], 0 * k
    for q in reversed(places):
        v_bar = v_bar + q_bar / 20
        k_bar = k_bar - v_bar * np.sin(q) / 20
        q_bar = q_bar - v_bar * k * np.cos(q) / 20
    return np.stack([q_bar, v_bar]), k_bar


OSCILLATOR = right(
    "a pendulum of 30 steps", FAMILY, "two outputs of one loop", oscillator, oscillator_vjp,
    lambda rng: (rng.normal(size=(2, n := sizes(rng, (1, 3))[0])), rng.uniform(0.5, 2, n)),
    second=False,
)  # fmt: skip


def power_iteration(a: Any) -> Any:
    """The largest eigenvalue of (a + aᵀ)/2, by as many steps as it takes"""
    s = symmetrised(a)
    v = np.ones(len(s), s.dtype)
    before = 0.0
    for _ in range(2000):
        v = s @ v
        v = v / np.sqrt(v @ v)
        now = v @ s @ v
        if abs(now - before) < 1e-14 * abs(now):
            break
        before = now
    return v @ s @ v


def dominant(rng: Rng) -> tuple[Any, ...]:
    """A matrix whose largest eigenvalue is at least twice the next."""
    (n,) = sizes(rng, (2, 4))
    q = np.linalg.qr(rng.normal(size=(n, n)))[0]
    q[:, -1] = np.abs(q[:, -1]) + 0.1
    q = np.linalg.qr(q[:, ::-1])[0][:, ::-1]
    return ((q * 2.5 ** np.arange(n)) @ q.T,)


def power_iteration_vjp(xs: Any, gs: Any) -> Any:
    """ā = ȳ v vᵀ"""
    v = np.linalg.eigh(symmetrised(xs[0]))[1][:, -1]
    return (gs[0] * np.outer(v, v),)


POWER: Right = right(
    "power iteration", FAMILY, "its error is the square of that of the vector",
    power_iteration, power_iteration_vjp, dominant, second=False,
)  # fmt: skip
