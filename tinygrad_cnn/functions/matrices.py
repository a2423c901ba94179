"""Inverses, determinants and the Cholesky factor of batches of matrices (.., N, N).

`tinygrad_cnn.linalg` has more, and other names of these. They are of float32 or float64: RuntimeError
or NotImplementedError for other dtypes, RuntimeError for other shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import ops
from ..types import Number
from .public import public
from .results import SlogdetResult

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["cholesky", "det", "inverse", "logdet", "pinverse", "slogdet"]


def check_matrices(name: str, x: Any, square: bool = True, argument: str = "A") -> None:
    """RuntimeError unless `x` holds matrices of float32 or float64, square ones by default."""
    shape, dtype = x._array.shape, x._array.dtype
    if len(shape) < 2:
        raise RuntimeError(
            f"linalg.{name}: The input tensor {argument} must have at least 2 dimensions."
        )
    if square and shape[-1] != shape[-2]:
        raise RuntimeError(
            f"linalg.{name}: {argument} must be batches of square matrices, but they are {shape[-2]} "
            f"by {shape[-1]} matrices"
        )
    if dtype.kind != "f":
        raise RuntimeError(
            f"linalg.{name}: Expected a floating point or complex tensor as input. Got {dtype}"
        )
    if dtype.itemsize < 4:
        kind = RuntimeError if name in ("inv", "pinv", "slogdet") else NotImplementedError
        raise kind(f"linalg.{name}: Low precision dtypes not supported. Got {dtype}")


def mirrored(x: Any, upper: bool) -> Any:
    """Symmetric matrices with the lower, or upper, triangle of `x`, as factorizations read them.

    The gradient passes as for a symmetric `x`.
    """
    a = x._array
    read = np.triu(a, 1) if upper else np.tril(a, -1)
    unread = np.tri(a.shape[-1], k=-1, dtype=np.bool_)
    unread = unread if upper else unread.T
    wanted = np.where(unread, read.swapaxes(-1, -2), a)
    if (wanted == a).all():
        return x
    lost = unread & ~np.isfinite(a)
    if lost.any():
        x = ops.where(lost, 0.0, x)
    return ops.add(x, wanted - x._array)


def transposed(x: Any) -> Any:
    """The transposes of the matrices in the last two axes."""
    dims = (*range(x._array.ndim - 2), x._array.ndim - 1, x._array.ndim - 2)
    return ops.permute(x, dims=dims)


@public
def inverse(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverses of square matrices. linalg.LinAlgError, a RuntimeError, for a singular one.

    >>> tc.inverse(tc.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    check_matrices("inv", input)
    return ops.inv(input)


@public
def det(input: Tensor) -> Tensor:
    """The determinants of square matrices (.., N, N), of shape (..).

    The gradient is right for singular matrices too; its own gradient needs regular ones.

    >>> tc.det(tc.tensor([[2.0, 1.0], [0.0, 3.0]]))
    tensor(6.)
    """
    check_matrices("det", input)
    return ops.det(input)


@public
def slogdet(input: Tensor, *, out: Tensor | Sequence[Tensor] | None = None) -> SlogdetResult:
    """The sign of the determinants, and the logarithm of their absolute values: (sign, logabsdet).

    Of a singular matrix they are 0 and −∞, and it has no gradient: linalg.LinAlgError.

    >>> tc.slogdet(tc.tensor([[0.0, 1.0], [1.0, 0.0]]))
    torch.return_types.slogdet(
    sign=tensor(-1.),
    logabsdet=tensor(0.))
    """
    check_matrices("slogdet", input)
    y, sign = ops.slogdet(input)
    return SlogdetResult(sign, y)


@public
def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinants: NaN where one is negative, −∞ where it is 0.

    >>> tc.logdet(tc.tensor([[2.0, 1.0], [1.0, 1.0]]))
    tensor(0.)
    """
    check_matrices("logdet", input)
    y, sign = ops.slogdet(input)
    return ops.where(sign._array < 0, np.nan, y) if np.any(sign._array < 0) else y


@public
def cholesky(input: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The lower triangles L with L Lᵀ = input, of symmetric positive definite matrices; or their Lᵀ.

    Only the lower triangle of input is read, or with `upper` the other one. linalg.LinAlgError, a
    RuntimeError, if a matrix is not positive definite.

    >>> tc.cholesky(tc.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    check_matrices("cholesky", input)
    y = ops.cholesky(mirrored(input, upper))
    return transposed(y) if upper else y


@public
def pinverse(input: Tensor, rcond: Number = 1e-15) -> Tensor:
    """The pseudoinverses (.., N, M) of matrices (.., M, N), after Moore and Penrose.

    Singular values up to rcond times the largest one count as 0.

    >>> tc.pinverse(tc.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    check_matrices("pinv", input, square=False)
    return ops.pinv(input, atol=0.0, rtol=float(rcond))
