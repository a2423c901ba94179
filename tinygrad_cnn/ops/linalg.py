"""Linear algebra of batches of matrices: inverses, determinants, factorizations.

A factorization with two results packs them into one matrix, because each node has one output. The
derivations follow Giles (2008), "An extended collection of matrix derivative results".
"""

from __future__ import annotations

import numpy as np

from ..atomic import quiet
from ..engine import op
from ..kernels import all_blas_threads
from .elementwise import keep, where
from .linear import matmul
from .shape import sum_to

__all__ = [
    "LinAlgError", "cholesky", "cofactors", "det", "eigh", "inv", "pinv", "qr", "slogdet", "solve",
]  # fmt: skip


class LinAlgError(RuntimeError):
    """A matrix that has no inverse, or not the factorization that was asked for."""


def _call(function, *arrays, **options):
    """NumPy's function, without its warnings."""
    with all_blas_threads(), quiet():
        return function(*arrays, **options)


def _run(function, name, fault, a, *others):
    """NumPy's function of arrays; LinAlgError, which names the element of the batch, if it fails."""
    try:
        return _call(function, a, *others)
    except np.linalg.LinAlgError:
        at = ""
        for k, matrix in enumerate(a.reshape(-1, *a.shape[-2:]) if a.ndim > 2 else ()):
            try:
                function(matrix, *(np.eye(len(matrix), dtype=a.dtype) for _ in others))
            except np.linalg.LinAlgError:
                at = f"(Batch element {k}): "
                break
        raise LinAlgError(f"linalg.{name}: {at}{fault}") from None


_NOT_FINITE = (
    "The algorithm failed to converge because the input matrix contained non-finite values."
)
_NOT_POSITIVE = (
    "The factorization could not be completed because the input is not positive-definite."
)


def _check_finite(name, a, fault=_NOT_FINITE):
    """LinAlgError for NaN and infinity: iterative algorithms may run forever on them."""
    finite = np.isfinite(a).all(axis=(-1, -2))
    if not finite.all():
        at = f"(Batch element {np.argmin(finite.ravel())}): " if a.ndim > 2 else ""
        raise LinAlgError(f"linalg.{name}: {at}{fault}")


def _t(x):
    return x.swapaxes(-1, -2)


# --- Inverses -----------------------------------------------------------------------------------


@op
def inv(a):
    """y = a⁻¹        ā = −yᵀ ȳ yᵀ

    a y = 1, so da y + a dy = 0 and dy = −y da y: ⟨ȳ, dy⟩ = −⟨yᵀ ȳ yᵀ, da⟩.
    """
    fault = "the inversion could not be completed because the input matrix is singular."
    return _run(np.linalg.inv, "inv", fault, a)


inv.defvjp(a=lambda g, y: -matmul(matmul(_t(y), g), _t(y)))


@op
def solve(a, b):
    """y = a⁻¹ b, for a (.., N, N) and b (.., N, K), with the leading axes broadcast.

    dy = a⁻¹ (db − da y), so b̄ = a⁻ᵀ ȳ, and ⟨ȳ, −a⁻¹ da y⟩ = ⟨−b̄ yᵀ, da⟩: ā = −b̄ yᵀ, before
    each is summed over its broadcast axes.
    """
    fault = "The solver failed because the input matrix is singular."
    return _run(np.linalg.solve, "solve", fault, a, b)


def solve_a(g, a, y):
    return sum_to(-matmul(solve(_t(a), g), _t(y)), shape=a.shape)


def solve_b(g, a, b_shape):
    return sum_to(solve(_t(a), g), shape=b_shape)


solve.defvjp(a=solve_a, b=solve_b)


@op
def pinv(a, *, atol, rtol):
    """y = a⁺, the pseudoinverse (Moore and Penrose). Singular values up to max(atol, rtol σ₁) are 0.

    Where the rank is constant (Golub and Pereyra 1973, eq. 4.12),
    dy = −y da y + y yᵀ daᵀ (1 − a y) + (1 − y a) daᵀ yᵀ y, so
    ā = −yᵀ ȳ yᵀ + (1 − a y) ȳᵀ y yᵀ + yᵀ y ȳᵀ (1 − y a), as 1 − a y and 1 − y a are symmetric.
    """
    _check_finite("pinv", a)
    u, s, vt = _call(np.linalg.svd, a, full_matrices=False)
    least = np.maximum(atol, rtol * s.max(axis=-1, initial=0, keepdims=True))
    kept = s > least
    s = np.where(kept, 1 / np.where(kept, s, 1), 0).astype(a.dtype)
    return matmul(_t(vt) * s[..., None, :], _t(u))


def pinv_a(g, a, y):
    yt, gt = _t(y), _t(g)
    p, q = matmul(gt, matmul(y, yt)), matmul(matmul(yt, y), gt)  # (M, N), for a (M, N)
    return p - matmul(a, matmul(y, p)) + q - matmul(matmul(q, y), a) - matmul(matmul(yt, g), yt)


pinv.defvjp(a=pinv_a)


# --- Determinants -------------------------------------------------------------------------------


@op
def cofactors(a):
    """y[i, j] = (−1)^(i + j) times the determinant of a without row i and column j.

    Of a = u σ vᵀ they are det u det v · u diag(Π σ but σᵢ) vᵀ, for singular matrices too. With
    w = a⁻ᵀ and d = det a, y = d w, and dd = ⟨y, da⟩, dw = −w daᵀ w. Hence
    ⟨ȳ, dy⟩ = ⟨ȳ, w⟩ ⟨y, da⟩ − d ⟨ȳ, w daᵀ w⟩, and ā = ⟨ȳ, w⟩ y − y ȳᵀ w. It needs a regular a.
    """
    n, finite = a.shape[-1], np.isfinite(a).all(axis=(-1, -2), keepdims=True)
    u, s, vt = _call(np.linalg.svd, np.where(finite, a, a.dtype.type(0)))
    others = np.where(np.eye(n, dtype=bool), s.dtype.type(1), s[..., None, :]).prod(axis=-1)
    sign = _call(np.linalg.det, u) * _call(np.linalg.det, vt)
    return np.where(finite, matmul(u * (sign[..., None] * others)[..., None, :], vt), np.nan)


def cofactors_a(g, a, y):
    w = _t(inv(a))
    return (g * w).sum((-2, -1))[..., None, None] * y - matmul(matmul(y, _t(g)), w)


cofactors.defvjp(a=cofactors_a)


@op
def det(a):
    """y = det a        ā = ȳ C, with the cofactors C, which are det a · a⁻ᵀ where a is regular."""
    return _call(np.linalg.det, a)


det.defvjp(a=lambda g, a: g[..., None, None] * cofactors(a))


@op(residuals=("sign",), returns=("sign",))
def slogdet(a):
    """y = ln |det a|, and its sign, a constant        ā = ȳ a⁻ᵀ, for det a = det a ⟨a⁻ᵀ, da⟩"""
    sign, y = _call(np.linalg.slogdet, a)
    return y, sign


slogdet.defvjp(a=lambda g, a: g[..., None, None] * _t(inv(a)))


# --- Factorizations -----------------------------------------------------------------------------


def _symmetric(x):
    return (x + _t(x)) * 0.5


@op
def cholesky(a):
    """y = the lower triangle with y yᵀ = a, for symmetric positive definite a: of (a + aᵀ) / 2.

    da = dy yᵀ + y dyᵀ, so y⁻¹ da y⁻ᵀ = s + sᵀ with the lower triangle s = y⁻¹ dy. Hence dy = y Φ(..)
    of it, where Φ keeps the lower triangle and half of the diagonal, and ā is the symmetric part of
    y⁻ᵀ Φ(yᵀ ȳ) y⁻¹ (Murray 2016, section 3.2).
    """
    _check_finite("cholesky", a, _NOT_POSITIVE)
    return _run(np.linalg.cholesky, "cholesky", _NOT_POSITIVE, _symmetric(a))


def cholesky_a(g, y):
    n = y.shape[-1]
    half = (np.tril(np.ones((n, n))) - np.eye(n) / 2).astype(y.dtype)
    yt = _t(y)
    s = solve(yt, matmul(yt, g) * half)
    return _symmetric(_t(solve(yt, _t(s))))


cholesky.defvjp(a=cholesky_a)


@op
def eigh(a):
    """y = the eigenvectors v as columns, below them the row of eigenvalues w: of (a + aᵀ) / 2.

    The w ascend. With P = vᵀ da v, dw = diag P and dv = v (F ∘ P), F[i, j] = 1 / (w[j] − w[i]). So ā is
    the symmetric part of v (diag w̄ + F ∘ vᵀ v̄) vᵀ. F is 0 where eigenvalues are equal: vectors of
    equal ones have no derivative, and functions that do not depend on their choice need none.
    """
    _check_finite("eigh", a)
    w, v = _call(np.linalg.eigh, _symmetric(a))
    return np.concatenate([v, w[..., None, :]], axis=-2)


def eigh_a(g, y):
    n = y.shape[-1]
    v, w = y[..., :n, :], y[..., n:, :]
    gap = w - _t(w)
    equal = gap == 0
    f = keep(1.0 / where(equal, 1.0, gap), ~equal)
    inner = matmul(_t(v), g[..., :n, :]) * f + g[..., n:, :] * np.eye(n, dtype=y.dtype)
    return _symmetric(matmul(matmul(v, inner), _t(v)))


eigh.defvjp(a=eigh_a)


@op
def qr(a):
    """y = qᵀ and r side by side (N, M + N), with a = q r, for a (M, N) and M ≥ N.

    The N columns of q are orthonormal, r is an upper triangle. With m = r r̄ᵀ − q̄ᵀ q and C(m), which
    repeats the lower triangle of m above the diagonal, ā = (q̄ + q C(m)) r⁻ᵀ (Walter and Lehmann 2018,
    eq. 22). It needs a of full rank.
    """
    q, r = _call(np.linalg.qr, a)
    return np.concatenate([_t(q), r], axis=-1)


def qr_a(g, y):
    n = y.shape[-2]
    m = y.shape[-1] - n
    q, r = _t(y[..., :m]), y[..., m:]
    gq, gr = _t(g[..., :m]), g[..., m:]
    inner = matmul(r, _t(gr)) - matmul(_t(gq), q)
    lower = np.tril(np.ones((n, n), y.dtype))
    inner = inner * lower + _t(inner * np.tril(lower, -1))
    return _t(solve(r, _t(gq + matmul(q, inner))))


qr.defvjp(a=qr_a)
