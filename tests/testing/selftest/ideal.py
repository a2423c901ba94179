"""The functions of some cases in exact arithmetic, where their code needs NumPy's floats.

By definition: an eigenvalue by Jacobi's rotations, an inverse by elimination. They take and return
arrays of Duals.
"""

from __future__ import annotations

import numpy as np

from tests.testing.selftest.exact import dual, pi


def erf(x):
    return np.vectorize(lambda t: t.erf(), otypes=[object])(x) if x.size else x


def solve(a, b):
    """a⁻¹ b by elimination with pivots."""
    a, b = a.copy(), b.copy()
    n = len(a)
    for k in range(n):
        pivot = k + max(range(n - k), key=lambda i: abs(a[k + i, k]).value)
        a[[k, pivot]], b[[k, pivot]] = a[[pivot, k]], b[[pivot, k]]
        for i in range(n):
            if i != k:
                factor = a[i, k] / a[k, k]
                a[i], b[i] = a[i] - factor * a[k], b[i] - factor * b[k]
    return np.array([row / a[k, k] for k, row in enumerate(b)], dtype=object)


def inverse(a):
    return solve(a, identity(len(a)))


def identity(n):
    return np.array([[dual(int(i == j)) for j in range(n)] for i in range(n)], dtype=object)


def determinant(a):
    """By expansion along the first row."""
    if len(a) == 1:
        return a[0, 0]
    minors = [np.delete(a[1:], j, axis=1) for j in range(len(a))]
    return sum((-1) ** j * a[0, j] * determinant(m) for j, m in enumerate(minors))


def trace(a):
    return sum(a[k, k] for k in range(len(a)))


def symmetrised(a):
    return (a + a.T) / 2


def cholesky(a):
    n = len(a)
    factor = np.array([[dual(0)] * n for _ in range(n)], dtype=object)
    for i in range(n):
        for j in range(i + 1):
            rest = a[i, j] - sum((factor[i, k] * factor[j, k] for k in range(j)), dual(0))
            factor[i, j] = rest.sqrt() if i == j else rest / factor[j, j]
    return factor


def triangle(a):
    """R of QR with a positive diagonal: Rᵀ is the Cholesky factor of aᵀ a."""
    return cholesky(a.T @ a).T


def eigen(a):
    """Eigenvalues, ascending, and eigenvectors, by Jacobi's rotations."""
    a, n = a.copy(), len(a)
    v = identity(n)
    for _ in range(12):
        for p in range(n):
            for q in range(p + 1, n):
                if not a[p, q].value and not a[p, q].slope:
                    continue  # (of the value alone, the angle is infinitesimal)
                theta = (a[q, q] - a[p, p]) / 2
                sign = 1 if theta.value >= 0 else -1
                t = a[p, q] * sign / (abs(theta) + (theta * theta + a[p, q] * a[p, q]).sqrt())
                c = 1 / (1 + t * t).sqrt()
                s = t * c
                turn = identity(n)
                turn[p, p] = turn[q, q] = c
                turn[p, q], turn[q, p] = s, -s
                a, v = turn.T @ a @ turn, v @ turn
    order = sorted(range(n), key=lambda k: a[k, k].value)
    return np.array([a[k, k] for k in order], dtype=object), v[:, order]


def exponential(a):
    w, v = eigen(symmetrised(a))
    return (v * np.exp(w)) @ v.T


def root_of(equation, slope):
    """The implicit function x(*parameters) with equation(x, *parameters) = 0, by Newton's steps."""

    def root(start, *parameters):
        x = start
        for _ in range(12):  # more digits with each step, the slopes one step later
            x = x - equation(x, *parameters) / slope(x, *parameters)
        return x

    return root


dottie = root_of(lambda x, a: x - a * np.cos(x), lambda x, a: 1 + a * np.sin(x))


def sum_of_squares(x):
    return (x * x).sum(axis=-1)


def discrete_powers(x):
    """|X[f]|² of the discrete Fourier transform, by definition."""
    n = x.shape[-1]
    angles = np.array(
        [[dual(2 * pi() * f * t / n) for f in range(n // 2 + 1)] for t in range(n)], dtype=object
    )
    return (x @ np.cos(angles)) ** 2 + (x @ np.sin(angles)) ** 2


IDEAL = {
    "power of a real FFT": discrete_powers,
    "sign x": lambda x: x * 0 + np.sign(x),
    "erf x at 6": erf,
    "Σ x, float16": lambda x: x.sum(axis=0),
    "Σ x², float32 inside": sum_of_squares,
    "exp x, rounded to 1e-9": np.exp,
    "x = a cos x, to 1e-9": lambda a: dottie(a * 0 + 1, a),
    "∫ cos(a t), to 1e-7": lambda a: np.sin(a) / a,
    "x² with noise of 1e-10": lambda x: x * x,
    "a⁻¹": inverse,
    "a⁻¹ b": solve,
    "cholesky((a + aᵀ) / 2)": lambda a: cholesky(symmetrised(a)),
    "eigenvalues of (a + aᵀ) / 2": lambda a: eigen(symmetrised(a))[0],
    "exp of a symmetric matrix": exponential,
    "R of QR": triangle,
    "log |det a|": lambda a: np.log(np.array(abs(determinant(a)), dtype=object)),
    "det a": determinant,
    "tr a⁻¹": lambda a: trace(inverse(a)),
    "√a by Newton": np.sqrt,
    "power iteration": lambda a: eigen(symmetrised(a))[0][-1],
}
