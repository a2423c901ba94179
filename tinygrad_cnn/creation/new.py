"""New Tensors with the dtype of another one: methods of Tensor, `x.new_zeros(2, 3)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..functions.public import public
from ..types import Device, DType, Layout, Number
from .data import tensor
from .options import dtype_or, made, number, size_of

if TYPE_CHECKING:
    from ..tensor import Tensor


@public
def new_zeros(
    input: Tensor, *size: int | Sequence[int], dtype: DType | None = None,
    layout: Layout | None = None, device: Device = None, requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """A Tensor of the given size filled with 0, of the dtype of this one if none is given.

    >>> tc.tensor([1, 2]).new_zeros(2)
    tensor([0, 0])
    """
    dtype = dtype_or("new_zeros", dtype, input._array.dtype)
    array = np.zeros(size_of("new_zeros", size), dtype)
    return made("new_zeros", array, layout, device, requires_grad)


@public
def new_ones(
    input: Tensor, *size: int | Sequence[int], dtype: DType | None = None,
    layout: Layout | None = None, device: Device = None, requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """A Tensor of the given size filled with 1, of the dtype of this one if none is given.

    >>> tc.tensor([1, 2]).new_ones((2,))
    tensor([1, 1])
    """
    dtype = dtype_or("new_ones", dtype, input._array.dtype)
    array = np.ones(size_of("new_ones", size), dtype)
    return made("new_ones", array, layout, device, requires_grad)


@public
def new_empty(
    input: Tensor, *size: int | Sequence[int], dtype: DType | None = None,
    layout: Layout | None = None, device: Device = None, requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """A Tensor of the given size whose elements are whatever the memory holds.

    It has the dtype of this one if none is given.

    >>> tc.tensor([1, 2]).new_empty(3).shape
    torch.Size([3])
    """
    dtype = dtype_or("new_empty", dtype, input._array.dtype)
    array = np.empty(size_of("new_empty", size), dtype)
    return made("new_empty", array, layout, device, requires_grad)


@public
def new_full(
    input: Tensor, size: int | Sequence[int], fill_value: Number | Tensor, *,
    dtype: DType | None = None, layout: Layout | None = None, device: Device = None,
    requires_grad: bool | None = False, pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """A Tensor of the given size filled with one value, of the dtype of this one if none is given.

    >>> tc.tensor([1, 2]).new_full((2,), 7)
    tensor([7, 7])
    """
    dtype = dtype_or("new_full", dtype, input._array.dtype)
    array = np.full(size_of("new_full", (size,)), number("new_full", fill_value, dtype), dtype)
    return made("new_full", array, layout, device, requires_grad)


@public
def new_tensor(
    input: Tensor, data: Any, *, dtype: DType | None = None, device: Device = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A Tensor of a copy of `data`, of the dtype of this one if none is given. See `tensor`.

    >>> tc.tensor([1, 2]).new_tensor([1.5])
    tensor([1])
    """
    dtype = dtype_or("new_tensor", dtype, input._array.dtype)
    return tensor(data, dtype=dtype, device=device, requires_grad=requires_grad)
