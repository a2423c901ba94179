"""Products of vectors, matrices and batches of matrices.

Both factors of a matrix product have one dtype; RuntimeError for two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ops
from ..dtypes import shown
from ..engine.dtypes import FLOATING, int64
from ..types import Number
from .arguments import axis, broadcast_shape, in_kind_of
from .public import alias, public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "addmm", "addmv", "baddbmm", "bmm", "cross", "dot", "ger", "kron", "matmul", "mm", "mv", "outer",
    "trace", "vdot",
]  # fmt: skip


# --- Matrix products ----------------------------------------------------------------------------


def multiplied(x: Any, w: Any) -> Any:
    """The matrix product of two Tensors: see `matmul`."""
    a, b = x._array.shape, w._array.shape
    if not a or not b:
        raise RuntimeError(f"matmul: both arguments need at least 1 axis, got shapes {a} and {b}")
    if a[-1] != b[-2 if len(b) > 1 else 0]:
        raise RuntimeError(f"matmul: mat1 and mat2 shapes cannot be multiplied ({a} and {b})")
    if x._array.dtype != w._array.dtype:
        raise RuntimeError(
            f"matmul: expected both to have the same dtype, but got {x.dtype} and {w.dtype}"
        )
    if len(a) == 1:
        x = ops.reshape(x, shape=(1, *a))
    if len(b) == 1:
        w = ops.reshape(w, shape=(*b, 1))
    try:
        y = ops.matmul(x, w)
    except ValueError:
        raise RuntimeError(f"matmul: the leading axes of {a} and {b} do not broadcast") from None
    if len(a) > 1 and len(b) > 1:
        return y
    index: tuple[Any, ...] = (..., 0, slice(None)) if len(a) == 1 else (...,)
    if len(b) == 1:
        index = (..., 0, 0) if len(a) == 1 else (..., 0)
    return ops.getitem(y, index=index)


@public
def matmul(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The product of vectors, matrices or batches of matrices: input @ other.

    (.., I, J) times (.., J, K) is (.., I, K): the axes before the last two broadcast. A vector is a
    row on the left and a column on the right, and the result lacks that axis. RuntimeError for
    shapes that do not fit.

    >>> tc.matmul(tc.tensor([[1.0, 2.0], [3.0, 4.0]]), tc.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    return multiplied(input, other)


@public
def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The product of two matrices: (I, J) times (J, K) is (I, K).

    RuntimeError for other shapes, and for different dtypes.

    >>> tc.mm(tc.tensor([[1.0, 2.0]]), tc.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    _check_axes(input, 2, "self must be a matrix")
    _check_axes(mat2, 2, "mat2 must be a matrix")
    return multiplied(input, mat2)


@public
def bmm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The products of two batches of matrices, pair by pair.

    (N, I, J) times (N, J, K) is (N, I, K). RuntimeError for other shapes, and for different dtypes.

    >>> tc.bmm(tc.ones(2, 1, 3), tc.ones(2, 3, 1))
    tensor([[[3.]],
            [[3.]]])
    """
    _check_batches(input, mat2)
    return multiplied(input, mat2)


@public
def mv(input: Tensor, vec: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The product of a matrix and a vector: (I, J) times (J) is (I).

    RuntimeError for other shapes, and for different dtypes.

    >>> tc.mv(tc.tensor([[1.0, 2.0], [3.0, 4.0]]), tc.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    _check_axes(input, 2, "vector + matrix @ vector expected")
    _check_axes(vec, 1, "vector + matrix @ vector expected")
    return multiplied(input, vec)


@public
def dot(input: Tensor, tensor: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The sum of the products of the elements of two vectors: (I) times (I) is a number.

    RuntimeError for other shapes, and for different dtypes.

    >>> tc.dot(tc.tensor([1.0, 2.0]), tc.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return _dotted(input, tensor)


@public
def vdot(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The sum of the products of the elements of two vectors, as `dot`: (I) times (I) is a number.

    Of complex numbers the two would differ, and Tensors hold none. RuntimeError for other shapes,
    and for different dtypes.

    >>> tc.vdot(tc.tensor([1.0, 2.0]), tc.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return _dotted(input, other)


def _dotted(x: Any, w: Any) -> Any:
    _check_axes(x, 1, "1D tensors expected")
    _check_axes(w, 1, "1D tensors expected")
    return multiplied(x, w)


def _check_axes(x: Any, ndim: int, words: str) -> None:
    if x._array.ndim != ndim:
        raise RuntimeError(f"{words}, got shape {x._array.shape}")


def _check_batches(x: Any, w: Any) -> None:
    _check_axes(x, 3, "batch1 must be a 3D tensor")
    _check_axes(w, 3, "batch2 must be a 3D tensor")
    a, b = x._array.shape, w._array.shape
    if (a[0], a[2]) != b[:2]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: {[a[0], a[2]]} but got: "
            f"{list(b[:2])}."
        )


# --- Products added to a Tensor -----------------------------------------------------------------


@public
def addmm(
    input: Tensor,
    mat1: Tensor,
    mat2: Tensor,
    *,
    beta: Number = 1,
    alpha: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """beta · input + alpha · mat1 mat2, of matrices (I, J) and (J, K).

    input broadcasts to (I, K). With beta = 0 its NaN and ∞ are not passed on.

    >>> tc.addmm(tc.tensor([1.0]), tc.tensor([[1.0, 2.0]]), tc.tensor([[3.0], [4.0]]), alpha=2)
    tensor([[23.]])
    """
    _check_axes(mat1, 2, "mat1 must be a matrix")
    _check_axes(mat2, 2, "mat2 must be a matrix")
    return _added("addmm", input, multiplied(mat1, mat2), beta, alpha)


@public
def addmv(
    input: Tensor,
    mat: Tensor,
    vec: Tensor,
    *,
    beta: Number = 1,
    alpha: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """beta · input + alpha · mat vec, of a matrix (I, J) and a vector (J).

    input broadcasts to (I). With beta = 0 its NaN and ∞ are not passed on.

    >>> tc.addmv(tc.tensor([1.0]), tc.tensor([[1.0, 2.0]]), tc.tensor([3.0, 4.0]), beta=10)
    tensor([21.])
    """
    _check_axes(mat, 2, "vector + matrix @ vector expected")
    _check_axes(vec, 1, "vector + matrix @ vector expected")
    return _added("addmv", input, multiplied(mat, vec), beta, alpha)


@public
def baddbmm(
    input: Tensor,
    batch1: Tensor,
    batch2: Tensor,
    *,
    beta: Number = 1,
    alpha: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """beta · input + alpha · batch1 batch2, of batches of matrices (N, I, J) and (N, J, K).

    input broadcasts to (N, I, K). With beta = 0 its NaN and ∞ are not passed on.

    >>> tc.baddbmm(tc.ones(1), tc.ones(2, 1, 3), tc.ones(2, 3, 1))
    tensor([[[4.]],
            [[4.]]])
    """
    _check_batches(batch1, batch2)
    return _added("baddbmm", input, multiplied(batch1, batch2), beta, alpha)


def _added(name: str, x: Any, y: Any, beta: Number, alpha: Number) -> Any:
    """beta · x + alpha · y, in the shape and dtype of y: integers take the factors' integer parts."""
    shape, dtype = y._array.shape, y._array.dtype
    beta, alpha = in_kind_of(dtype, beta), in_kind_of(dtype, alpha)
    if x._array.dtype != dtype:
        raise RuntimeError(
            f"{name}: self and mat2 must have the same dtype, but got {x.dtype} and {shown(dtype)}"
        )
    if broadcast_shape(name, x._array.shape, shape) != shape:
        raise RuntimeError(f"{name}: input of shape {x._array.shape} does not broadcast to {shape}")
    y = y if alpha == 1 else ops.mul(y, alpha)
    if beta == 0:
        return y
    return ops.add(y, x if beta == 1 else ops.mul(x, beta))


# --- Others -------------------------------------------------------------------------------------


@public
def outer(input: Tensor, vec2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """y[i, j] = input[i] · vec2[j], of two vectors. RuntimeError for other Tensors.

    >>> tc.outer(tc.tensor([1, 2]), tc.tensor([1, 10]))
    tensor([[ 1, 10],
            [ 2, 20]])
    """
    _check_axes(input, 1, "outer: Expected 1-D argument self")
    _check_axes(vec2, 1, "outer: Expected 1-D argument vec2")
    return ops.mul(ops.reshape(input, shape=(-1, 1)), vec2)


@public
def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix; of integers, in int64. RuntimeError for other Tensors.

    >>> tc.trace(tc.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    if input._array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input._array.ndim}")
    x = ops.diagonal(input, offset=0, dims=(0, 1))
    return ops.sum(x if x._array.dtype.kind in FLOATING else ops.cast(x, dtype=int64))


@public
def cross(
    input: Tensor, other: Tensor, dim: int | None = None, *, out: Tensor | None = None
) -> Tensor:
    """The cross product a × b of the vectors along an axis of size 3; the other axes broadcast.

    By default `dim` is the first axis of input of size 3. RuntimeError if there is none, and for
    Tensors of two dtypes or with different numbers of axes.

    >>> tc.cross(tc.tensor([1.0, 0.0, 0.0]), tc.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    a, b = input._array.shape, other._array.shape
    if len(a) != len(b):
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(
            f"linalg.cross: expected scalar type {input.dtype} but found {other.dtype}"
        )
    if dim is None:
        if 3 not in a:
            raise RuntimeError("no dimension of size 3 in input")
        dim = a.index(3)
    dim = axis("cross", len(a), dim)
    if not a or a[dim] != 3 or b[dim] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got "
            f"{a[dim] if a else 1} and {b[dim] if b else 1}"
        )
    broadcast_shape("linalg.cross", a, b)

    def following(x: Any) -> Any:
        """σ: for each of three coordinates the following one."""
        return ops.roll(x, shifts=(-1,), dims=(dim,))

    # a × b = σ(a σ(b) − σ(a) b)
    return following(ops.sub(ops.mul(input, following(other)), ops.mul(following(input), other)))


@public
def kron(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """input with each element replaced by its product with the whole of other.

    For shapes (I, J) and (K, L) the result is (I·K, J·L); axes that one lacks have the size 1.

    >>> tc.kron(tc.tensor([1, 10]), tc.tensor([1, 2]))
    tensor([ 1,  2, 10, 20])
    """
    a, b = input._array.shape, other._array.shape
    n = max(len(a), len(b))
    a, b = (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b
    x = ops.reshape(input, shape=tuple([m for k in a for m in (k, 1)]))
    w = ops.reshape(other, shape=tuple([m for k in b for m in (1, k)]))
    return ops.reshape(ops.mul(x, w), shape=tuple([i * j for i, j in zip(a, b, strict=True)]))


ger = alias("ger", outer)
