"""The types that annotations use. PyTorch has most of them in `torch.types`."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias

import numpy as np

from .dtypes import dtype
from .metadata import device, layout, memory_format

if TYPE_CHECKING:
    from .tensor import Tensor

Number: TypeAlias = int | float | bool
DType: TypeAlias = dtype | np.dtype[Any] | type[bool | int | float | np.generic]
Device: TypeAlias = device | str | int | None
Layout: TypeAlias = layout
MemoryFormat: TypeAlias = memory_format
Ints: TypeAlias = int | Sequence[int]  # one for all axes, or one for each
Positions: TypeAlias = "Sequence[int] | Sequence[bool] | Sequence[Sequence[int]]"
OneIndex: TypeAlias = (
    "SupportsIndex | slice | EllipsisType | Tensor | np.ndarray[Any, Any] | Positions | None"
)
Index: TypeAlias = "OneIndex | tuple[OneIndex, ...]"  # what may stand in the brackets of a Tensor
AnyNumber: TypeAlias = Number | np.number[Any] | np.bool_
Numbers: TypeAlias = AnyNumber | Sequence[AnyNumber] | Sequence[Sequence[AnyNumber]]
Values: TypeAlias = (
    "Tensor | np.ndarray[Any, Any] | Numbers"  # that a Tensor's elements can be set to
)
