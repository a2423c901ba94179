"""Methods of Tensor whose signature is not their function's, because they take sizes one by one.

`x.reshape(2, 3)`, `x.reshape((2, 3))` and `x.reshape(shape=(2, 3))` are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..engine import owner
from ..types import DType, Ints
from .arguments import sizes
from .public import public
from .reordering import flipped
from .repeating import expanded, interleaved, repeated, tiled
from .reshaping import permuted, reshaped, squeezed
from .splitting import parts

if TYPE_CHECKING:
    from ..tensor import Tensor


# --- Shapes -------------------------------------------------------------------------------------


@public
def reshape(input: Tensor, *shape: int | Sequence[int]) -> Tensor:
    """The elements, in row-major order, in another shape, of which one size may be −1.

    The result is a view, or a copy if the strides allow no view. RuntimeError if the sizes do not
    multiply to the number of elements.

    >>> tc.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return reshaped("reshape", input, sizes("reshape", shape, "shape"))


@public
def view(input: Tensor, *size: int | Sequence[int], dtype: DType | None = None) -> Tensor:
    """A view in another shape, of which one size may be −1.

    RuntimeError if the sizes do not multiply to the number of elements, or if the strides allow no
    view: `reshape` copies then. NotImplementedError for a dtype: `to` converts.

    >>> x = tc.arange(4)
    >>> x.view(2, 2)[0, 0] = 9
    >>> x
    tensor([9, 1, 2, 3])
    """
    if dtype is not None or (size and isinstance(size[0], (dtypes.dtype, np.dtype, type))):
        raise NotImplementedError("view(dtype) is not supported: use to(dtype), which converts")
    y = reshaped("view", input, sizes("view", size))
    if y._array.size and owner(y._array) is not owner(input._array):
        raise RuntimeError(
            f"view size is not compatible with input tensor's size and stride (shape "
            f"{input._array.shape} is a permuted or cut view): use reshape() instead"
        )
    return y


@public
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """`reshape` to the shape of another Tensor.

    >>> tc.arange(4).reshape_as(tc.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return reshaped("reshape", input, other._array.shape)


@public
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """`view` in the shape of another Tensor.

    >>> tc.arange(4).view_as(tc.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return view(input, other._array.shape)


@public
def squeeze(input: Tensor, *dim: int | Sequence[int]) -> Tensor:
    """A view without the axes of size 1: all of them, or only those in `dim`.

    >>> tc.zeros(1, 3, 1).squeeze().shape, tc.zeros(1, 3, 1).squeeze(0, 1).shape
    (torch.Size([3]), torch.Size([3, 1]))
    """
    dims: Any = dim[0] if len(dim) == 1 else dim or None
    return squeezed(input, dims)


@public
def permute(input: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """A view with axis dims[k] at place k. RuntimeError unless `dims` names each axis once.

    >>> tc.zeros(2, 3, 4).permute(2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    return permuted(input, sizes("permute", dims, "dims"))


@public
def flip(input: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """A copy with the axes `dims` reversed. RuntimeError for an axis that is named twice.

    >>> tc.tensor([[1, 2], [3, 4]]).flip(0, 1)
    tensor([[4, 3],
            [2, 1]])
    """
    return flipped(input, sizes("flip", dims, "dims"))


@public
def split(input: Tensor, split_size: Ints, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts along `dim`: of one size, of which the last may be smaller, or of the sizes given.

    >>> tc.arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    return parts(input, split_size, dim)


# --- Repetition ---------------------------------------------------------------------------------


@public
def expand(input: Tensor, *size: int | Sequence[int], implicit: bool = False) -> Tensor:
    """A view of another size: axes of size 1 are repeated, and new axes come in front.

    −1 keeps the size of an axis. No memory is copied: the repeated elements are the same ones.
    `implicit` is accepted and has no effect. RuntimeError if the sizes do not fit.

    >>> tc.tensor([[1], [2]]).expand(-1, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    return expanded("expand", input, sizes("expand", size))


@public
def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """`expand` to the shape of another Tensor.

    >>> tc.tensor([1, 2]).expand_as(tc.zeros(2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expanded("expand", input, other._array.shape)


@public
def broadcast_to(input: Tensor, *size: int | Sequence[int]) -> Tensor:
    """`expand` under NumPy's name.

    >>> tc.tensor([1, 2]).broadcast_to(2, 2)
    tensor([[1, 2],
            [1, 2]])
    """
    return expanded("broadcast_to", input, sizes("broadcast_to", size))


@public
def repeat(input: Tensor, *repeats: int | Sequence[int]) -> Tensor:
    """A copy that holds the whole Tensor repeats[k] times along axis k.

    If there are more numbers than axes, new axes come in front. RuntimeError for fewer numbers.

    >>> tc.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    return repeated(input, sizes("repeat", repeats, "repeats"))


@public
def tile(input: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """`repeat`, for which fewer numbers than axes are for the last axes.

    >>> tc.tensor([[1, 2]]).tile(2)
    tensor([[1, 2, 1, 2]])
    """
    return tiled(input, sizes("tile", dims, "dims"))


@public(overloads=True)
def repeat_interleave(
    input: Tensor, repeats: Tensor | int, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """A copy with each element repeated beside itself, or each slice along `dim`.

    Without `dim` the Tensor is taken as a vector. repeats: a number, or a vector of int64 or int32
    with a number for each slice.

    >>> tc.tensor([7, 8]).repeat_interleave(tc.tensor([1, 3]))
    tensor([7, 8, 8, 8])
    """
    return interleaved(input, repeats, dim, output_size)
