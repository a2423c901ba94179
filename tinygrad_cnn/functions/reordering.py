"""The elements in another order along their axes: reversed, turned or rolled. All are copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import ops
from ..types import Ints
from .arguments import axes, axis, integer, ints
from .public import public
from .reshaping import reshaped

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["flip", "fliplr", "flipud", "roll", "rot90"]


def flipped(x: Any, dims: tuple[int, ...]) -> Any:
    """A copy with the axes `dims` reversed."""
    return ops.flip(x, dims=axes("flip", x._array.ndim, dims) or ())


@public
def flip(input: Tensor, dims: Sequence[int]) -> Tensor:
    """A copy with the axes `dims` reversed. RuntimeError for an axis that is named twice.

    >>> tc.flip(tc.tensor([[1, 2], [3, 4]]), (0, 1))
    tensor([[4, 3],
            [2, 1]])
    """
    return flipped(input, ints("flip", "dims", dims))


@public
def fliplr(input: Tensor) -> Tensor:
    """A copy with the second axis reversed. RuntimeError for fewer than two axes.

    >>> tc.fliplr(tc.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """
    return _reversed("fliplr", input, 1)


@public
def flipud(input: Tensor) -> Tensor:
    """A copy with the first axis reversed. RuntimeError for a Tensor without axes.

    >>> tc.flipud(tc.tensor([[1, 2], [3, 4]]))
    tensor([[3, 4],
            [1, 2]])
    """
    return _reversed("flipud", input, 0)


def _reversed(name: str, x: Any, dim: int) -> Any:
    if x._array.ndim <= dim:
        raise RuntimeError(f"{name}: Input must be >= {dim + 1}-d, got shape {x._array.shape}")
    return ops.flip(x, dims=(dim,))


@public
def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """A copy turned k times by 90° in the plane of two axes, from the first to the second.

    RuntimeError unless `dims` are two different axes.

    >>> tc.rot90(tc.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    k, dims, n = integer("rot90", "k", k), ints("rot90", "dims", dims), input._array.ndim
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if n < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {n}")
    a, b = axis("rot90", n, dims[0]), axis("rot90", n, dims[1])
    if a == b:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}"
        )
    if k % 4 == 2:
        return ops.flip(input, dims=(a, b))
    if k % 4 == 0:
        return ops.clone(input)
    order = list(range(n))
    order[a], order[b] = b, a
    turned = ops.permute(input, dims=tuple(order))
    return ops.flip(turned, dims=(a,) if k % 4 == 1 else (b,))


@public
def roll(input: Tensor, shifts: Ints, dims: Ints | None = ()) -> Tensor:
    """A copy with the elements moved by `shifts` along `dims`; those that leave return in front.

    Without `dims`, one shift moves all elements as a vector in row-major order. RuntimeError if
    there is not one shift for each axis in `dims`.

    >>> tc.roll(tc.tensor([1, 2, 3]), 1)
    tensor([3, 1, 2])
    >>> tc.roll(tc.tensor([[1, 2], [3, 4]]), shifts=1, dims=0)
    tensor([[3, 4],
            [1, 2]])
    """
    by = ints("roll", "shifts", shifts if _is_several(shifts) else (shifts,))
    along = () if dims is None else ints("roll", "dims", dims if _is_several(dims) else (dims,))
    if not by:
        raise RuntimeError("`shifts` required")
    if not along and len(by) == 1:
        flat = reshaped("roll", input, (input._array.size,))
        return ops.reshape(ops.roll(flat, shifts=by, dims=(0,)), shape=input._array.shape)
    if len(along) != len(by):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(by)}, dims:{len(along)}"
        )
    n = input._array.ndim
    if not n:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return ops.roll(input, shifts=by, dims=tuple([axis("roll", n, d) for d in along]))


def _is_several(value: Any) -> bool:
    return isinstance(value, (tuple, list)) or not hasattr(value, "__index__")
