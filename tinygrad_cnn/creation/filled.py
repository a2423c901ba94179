"""Tensors of a given size, filled with one value: `zeros`, `full` ..., and `zeros_like` ...

The size comes as integers, or as one sequence of them: `zeros(2, 3)`, `zeros((2, 3))`. TypeError
unless they are integers, RuntimeError for a negative one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..functions.public import public
from ..types import Device, DType, Layout, MemoryFormat, Number
from .options import dtype_or, dtype_or_default, made, number, size_of

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "empty", "empty_like", "full", "full_like", "ones", "ones_like", "zeros", "zeros_like",
]  # fmt: skip


@public
def zeros(
    *size: int | Sequence[int], out: Tensor | None = None, dtype: DType | None = None,
    layout: Layout | None = None, device: Device = None, requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """A Tensor of the given size filled with 0, of the default dtype if none is given.

    >>> tc.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    array = np.zeros(size_of("zeros", size), dtype_or_default("zeros", dtype))
    return made("zeros", array, layout, device, requires_grad)


@public
def ones(
    *size: int | Sequence[int], out: Tensor | None = None, dtype: DType | None = None,
    layout: Layout | None = None, device: Device = None, requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """A Tensor of the given size filled with 1, of the default dtype if none is given.

    >>> tc.ones((2,), dtype=tc.int64)
    tensor([1, 1])
    """
    array = np.ones(size_of("ones", size), dtype_or_default("ones", dtype))
    return made("ones", array, layout, device, requires_grad)


@public
def empty(
    *size: int | Sequence[int], memory_format: MemoryFormat | None = None,
    out: Tensor | None = None, dtype: DType | None = None, layout: Layout | None = None,
    device: Device = None, requires_grad: bool | None = False, pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """A Tensor of the given size whose elements are whatever the memory holds.

    It has the default dtype if none is given.

    >>> tc.empty(2, 3).shape
    torch.Size([2, 3])
    """
    array = np.empty(size_of("empty", size), dtype_or_default("empty", dtype))
    return made("empty", array, layout, device, requires_grad, memory_format)


@public
def full(
    size: int | Sequence[int], fill_value: Number | Tensor, *, out: Tensor | None = None,
    dtype: DType | None = None, layout: Layout | None = None, device: Device = None,
    requires_grad: bool | None = False, pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """A Tensor of the given size filled with one value, of the dtype of the value if none is given.

    Python's floats have the default dtype and its integers int64. TypeError for a value that is no
    number, and for a Tensor with axes; RuntimeError for a number that the dtype cannot hold.

    >>> tc.full((2, 2), 0.5)
    tensor([[0.5000, 0.5000],
            [0.5000, 0.5000]])
    """
    dtype = None if dtype is None else dtype_or_default("full", dtype)
    value = number("full", fill_value, dtype)
    array = np.full(size_of("full", (size,)), value, value.dtype)
    return made("full", array, layout, device, requires_grad)


# --- Like another Tensor --------------------------------------------------------------------------


@public
def zeros_like(
    input: Tensor, *, memory_format: MemoryFormat | None = None, dtype: DType | None = None,
    layout: Layout | None = None, device: Device = None, requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """A Tensor filled with 0, with the shape of input, and with its dtype if none is given.

    >>> tc.zeros_like(tc.tensor([1, 2]))
    tensor([0, 0])
    """
    a = input._array
    array = np.zeros(a.shape, dtype_or("zeros_like", dtype, a.dtype))
    return made("zeros_like", array, layout, device, requires_grad, memory_format)


@public
def ones_like(
    input: Tensor, *, memory_format: MemoryFormat | None = None, dtype: DType | None = None,
    layout: Layout | None = None, device: Device = None, requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """A Tensor filled with 1, with the shape of input, and with its dtype if none is given.

    >>> tc.ones_like(tc.tensor([2.5, 2.5]))
    tensor([1., 1.])
    """
    a = input._array
    array = np.ones(a.shape, dtype_or("ones_like", dtype, a.dtype))
    return made("ones_like", array, layout, device, requires_grad, memory_format)


@public
def empty_like(
    input: Tensor, *, memory_format: MemoryFormat | None = None, dtype: DType | None = None,
    layout: Layout | None = None, device: Device = None, requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """A Tensor whose elements are whatever the memory holds, with the shape of input.

    It has the dtype of input if none is given.

    >>> tc.empty_like(tc.tensor([1, 2])).dtype
    torch.int64
    """
    a = input._array
    array = np.empty(a.shape, dtype_or("empty_like", dtype, a.dtype))
    return made("empty_like", array, layout, device, requires_grad, memory_format)


@public
def full_like(
    input: Tensor, fill_value: Number | Tensor, *, memory_format: MemoryFormat | None = None,
    dtype: DType | None = None, layout: Layout | None = None, device: Device = None,
    requires_grad: bool | None = False, pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """A Tensor filled with one value, with the shape of input, and with its dtype if none is given.

    >>> tc.full_like(tc.tensor([1, 2]), 7)
    tensor([7, 7])
    """
    a = input._array
    dtype = dtype_or("full_like", dtype, a.dtype)
    array = np.full(a.shape, number("full_like", fill_value, dtype), dtype)
    return made("full_like", array, layout, device, requires_grad, memory_format)
