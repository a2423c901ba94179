"""Changes of a Tensor's own shape, as methods of Tensor. They return the Tensor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import ops
from ..engine import Recorded, release, settle
from ..inplace import become
from ..types import Ints, MemoryFormat
from .arguments import sizes
from .public import alias, public
from .reshaping import squeezed, transpose, transposed_matrix, unsqueeze

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "resize_", "resize_as_", "squeeze_", "swapaxes_", "swapdims_", "t_", "transpose_", "unsqueeze_",
]  # fmt: skip


@public
def unsqueeze_(input: Tensor, dim: int) -> Tensor:
    """Insert an axis of size 1 at the place `dim` into the shape of this Tensor. Returns it.

    IndexError for a place that the result does not have, RuntimeError for a leaf that requires grad.

    >>> x = tc.zeros(2, 3)
    >>> x.unsqueeze_(0).shape, x.shape
    (torch.Size([1, 2, 3]), torch.Size([1, 2, 3]))
    """
    return become(input, "unsqueeze", lambda x: unsqueeze(x, dim))


@public(overloads=True)
def squeeze_(input: Tensor, *dim: Ints) -> Tensor:
    """Remove the axes of size 1 from the shape of this Tensor, or only those in `dim`. Returns it.

    IndexError for an axis that it does not have, RuntimeError for a leaf that requires grad.

    >>> tc.zeros(1, 3, 1).squeeze_().shape, tc.zeros(1, 3, 1).squeeze_(0).shape
    (torch.Size([3]), torch.Size([3, 1]))
    """
    dims: Any = dim[0] if len(dim) == 1 else dim or None
    return become(input, "squeeze", lambda x: squeezed(x, dims))


@public
def t_(input: Tensor) -> Tensor:
    """Exchange the two axes of this matrix. Returns it; a vector stays as it is.

    RuntimeError for more than two axes, and for a leaf that requires grad.

    >>> tc.tensor([[1, 2], [3, 4]]).t_()
    tensor([[1, 3],
            [2, 4]])
    """
    return become(input, "t", transposed_matrix)


@public
def transpose_(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Exchange the axes dim0 and dim1 of this Tensor. Returns it.

    IndexError for an axis that it does not have, RuntimeError for a leaf that requires grad.

    >>> tc.zeros(2, 3, 4).transpose_(1, 2).shape
    torch.Size([2, 4, 3])
    """
    return become(input, "transpose", lambda x: transpose(x, dim0, dim1))


@public
def swapaxes_(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """Exchange two axes of this Tensor: `transpose_` under NumPy's name. Returns it.

    IndexError for an axis that it does not have, RuntimeError for a leaf that requires grad.

    >>> tc.zeros(2, 3, 4).swapaxes_(0, 2).shape
    torch.Size([4, 3, 2])
    """
    return become(input, "swapaxes", lambda x: transpose(x, axis0, axis1))


swapdims_ = alias("swapdims_", transpose_)


# --- Another number of elements ---------------------------------------------------------------------


@public(overloads=True)
def resize_(
    input: Tensor, *size: int | Sequence[int], memory_format: MemoryFormat | None = None
) -> Tensor:
    """Give this Tensor another shape, which may have more or fewer elements. Returns it.

    The first elements, in the order of memory, stay. More elements need new memory, and the values of
    the new ones are not defined. RuntimeError for a Tensor that requires grad, for negative sizes, and
    for more elements where views or arrays share the memory; NotImplementedError for a cut view, whose
    elements are not side by side, and for a memory_format.

    >>> tc.arange(6).resize_(2, 2)
    tensor([[0, 1],
            [2, 3]])
    """
    if memory_format is not None:
        raise NotImplementedError("resize_: memory_format is not supported")
    return _resized(input, sizes("resize_", size))


@public(overloads=True)
def resize_as_(
    input: Tensor, the_template: Tensor, *, memory_format: MemoryFormat | None = None
) -> Tensor:
    """`resize_` to the shape of another Tensor. Returns this Tensor.

    >>> tc.arange(4).resize_as_(tc.zeros(3))
    tensor([0, 1, 2])
    """
    if memory_format is not None:
        raise NotImplementedError("resize_as_: memory_format is not supported")
    return _resized(input, the_template._array.shape)


def _resized(x: Any, size: tuple[int, ...]) -> Any:
    if x._node is not None:
        raise RuntimeError("cannot resize variables that require grad")
    if min(size, default=0) < 0:
        raise RuntimeError(f"resize_: sizes must not be negative, got {list(size)}")
    if size == x._array.shape:
        return x
    settle(x)
    order = tuple(sorted(range(x._array.ndim), key=lambda d: -x._array.strides[d]))
    flat = x._array.transpose(order)
    if not flat.flags.c_contiguous:
        raise NotImplementedError(
            f"resize_: this Tensor (shape {x._array.shape}) is a cut view, whose elements are not side "
            "by side in memory: call contiguous() first"
        )
    n, old = math.prod(size), x._array.size
    if n <= old:
        return become(x, "resize", lambda v: _first(ops.permute(v, dims=order), n, size))
    views = getattr(x, "_views", ())
    if hasattr(x, "_base") or hasattr(x, "_shared") or any([view() is not None for view in views]):
        raise RuntimeError(
            "Trying to resize storage that is not resizable: views or arrays share the memory of this "
            f"Tensor, of {old} elements, and {n} are wanted"
        )
    array = np.empty(n, x._array.dtype)
    array[:old] = flat.reshape(-1)
    release(x)
    x._array = array.reshape(size)
    return x


def _first(x: Recorded, n: int, size: tuple[int, ...]) -> Any:
    """The first `n` elements in the shape `size`, as a view."""
    flat = ops.reshape(x, shape=(-1,))
    return ops.reshape(ops.getitem(flat, index=(slice(n),)), shape=size)
