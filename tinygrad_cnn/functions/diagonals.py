"""Diagonals of matrices, and the triangles on either side of one.

`offset` and `diagonal` count diagonals: 0 is the main one, positive ones are above it, negative ones
below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import ops
from ..dtypes import shown
from ..engine import wrap
from ..engine.dtypes import int32, int64
from ..metadata import check_device
from ..types import Device, DType
from .arguments import axis, integer
from .public import public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["diag", "diag_embed", "diagonal", "tril", "tril_indices", "triu", "triu_indices"]


@public
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A view of the diagonals of the matrices in the axes dim1 and dim2, as the last axis.

    RuntimeError if the two axes are the same.

    >>> tc.diagonal(tc.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    offset, n = integer("diagonal", "offset", offset), input._array.ndim
    dims = axis("diagonal", n, dim1), axis("diagonal", n, dim2)
    if dims[0] == dims[1]:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return ops.diagonal(input, offset=offset, dims=dims)


@public
def diag(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The matrix with a vector as its diagonal, or a copy of a diagonal of a matrix.

    RuntimeError for Tensors that are neither.

    >>> tc.diag(tc.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    >>> tc.diag(tc.tensor([[1, 2], [3, 4]]), 1)
    tensor([2])
    """
    offset, n = integer("diag", "diagonal", diagonal), input._array.ndim
    if n == 1:
        return embedded(input, offset, 0, 1)
    if n != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {n}D")
    return ops.clone(ops.diagonal(input, offset=offset, dims=(0, 1)))


@public
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices of zeros with the last axis of input as a diagonal, in the axes dim1 and dim2.

    For an input (.., N) the result is (.., N + |offset|, N + |offset|). RuntimeError if the two
    axes are the same.

    >>> tc.diag_embed(tc.tensor([[1, 2], [3, 4]]))
    tensor([[[1, 0],
             [0, 2]],
            [[3, 0],
             [0, 4]]])
    """
    offset, n = integer("diag_embed", "offset", offset), input._array.ndim + 1
    a, b = axis("diag_embed", n, dim1), axis("diag_embed", n, dim2)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return embedded(input, offset, a, b)


def embedded(x: Any, offset: int, a: int, b: int) -> Any:
    """Matrices, in the axes a and b, with the last axis of `x` as a diagonal."""
    shape = list(x._array.shape)
    n = shape.pop() + abs(offset)
    for k in sorted((a, b)):
        shape.insert(k, n)
    return ops.from_diagonal(x, offset=offset, dims=(a, b), shape=tuple(shape))


# --- Triangles ----------------------------------------------------------------------------------


@public
def tril(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Matrices, in the last two axes, with 0 above a diagonal. RuntimeError for fewer axes.

    >>> tc.tril(tc.ones(2, 3))
    tensor([[1., 0., 0.],
            [1., 1., 0.]])
    """
    return _triangle("tril", np.tril, input, diagonal)


@public
def triu(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Matrices, in the last two axes, with 0 below a diagonal. RuntimeError for fewer axes.

    >>> tc.triu(tc.ones(2, 3))
    tensor([[1., 1., 1.],
            [0., 1., 1.]])
    """
    return _triangle("triu", np.triu, input, diagonal)


def _triangle(name: str, part: Callable[..., Any], x: Any, diagonal: int) -> Any:
    shape = x._array.shape
    if len(shape) < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
    diagonal = integer(name, "diagonal", diagonal)
    return ops.keep(x, part(np.ones(shape[-2:], np.bool_), diagonal))


@public
def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DType | None = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """The indices on and below a diagonal of a matrix (row, col): their rows and their columns.

    The result is (2, count), of int64 by default or of int32. RuntimeError for requires_grad=True:
    integers have no gradient.

    >>> tc.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return _indices("tril_indices", np.tril_indices, row, col, offset, dtype, device, requires_grad)


@public
def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: DType | None = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """The indices on and above a diagonal of a matrix (row, col): their rows and their columns.

    The result is (2, count), of int64 by default or of int32. RuntimeError for requires_grad=True:
    integers have no gradient.

    >>> tc.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    return _indices("triu_indices", np.triu_indices, row, col, offset, dtype, device, requires_grad)


def _indices(
    name: str, find: Any, row: Any, col: Any, offset: Any, dtype: Any, device: Any, grad: Any
) -> Any:
    check_device(name, device)
    row, col = integer(name, "row", row), integer(name, "col", col)
    for side, n in (("row", row), ("col", col)):
        if n < 0:
            raise RuntimeError(f"{name}: {side} must be non-negative, got {n}")
    if np.dtype(dtype or int64) not in (int64, int32):
        raise NotImplementedError(
            f'"{name}" not implemented for {shown(np.dtype(dtype))}: use int64 or int32'
        )
    x = wrap(np.stack(find(row, integer(name, "offset", offset), col)).astype(dtype or int64))
    x.requires_grad = bool(grad)
    return x
