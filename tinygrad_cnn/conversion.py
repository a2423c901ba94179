"""The methods of Tensor that convert: to another dtype, device or memory format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from . import ops
from .dtypes import TYPE_NAMES, bfloat16, dtype_of_type
from .engine import settle, wrap
from .engine.dtypes import (
    FLOATING,
    bool_,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
)
from .functions.arguments import not_a_tensor
from .functions.public import numpys_names
from .metadata import (
    channels_last,
    check_memory_format,
    contiguous_format,
    preserve_format,
    target,
)
from .methods import Methods
from .types import Device, DType, MemoryFormat

if TYPE_CHECKING:
    from .tensor import Tensor


def converted(x: Any, dtype: np.dtype[Any]) -> Any:
    """`x` in another dtype; itself if it has that dtype. No gradient passes integers and bools."""
    if dtype == x._array.dtype:
        return x
    if dtype.kind not in FLOATING:
        return wrap(ops.cast(x._array, dtype=dtype))
    return ops.cast(x, dtype=dtype)


class _ToDtype(Methods):
    """`x.double()`, `x.long()` ... A separate class: they hide `float`, `int` and `bool`."""

    __slots__ = ()

    def double(self, memory_format: MemoryFormat | None = None) -> Tensor:
        """In the dtype float64. This Tensor itself if it has that dtype.

        >>> tc.tensor([1.5, 0.0]).double()
        tensor([1.5000, 0.0000], dtype=torch.float64)
        """
        return converted(self, float64)

    def float(self, memory_format: MemoryFormat | None = None) -> Tensor:
        """In the dtype float32. This Tensor itself if it has that dtype.

        >>> tc.tensor([1, 0]).float()
        tensor([1., 0.])
        """
        return converted(self, float32)

    def half(self, memory_format: MemoryFormat | None = None) -> Tensor:
        """In the dtype float16. This Tensor itself if it has that dtype.

        >>> tc.tensor([1.5, 0.0]).half()
        tensor([1.5000, 0.0000], dtype=torch.float16)
        """
        return converted(self, float16)

    def bfloat16(self, memory_format: MemoryFormat | None = None) -> Tensor:
        """In the dtype bfloat16. This Tensor itself if it has that dtype.

        ImportError without the package ml_dtypes.

        >>> tc.tensor([1.5, 0.0]).bfloat16()
        tensor([1.5000, 0.0000], dtype=torch.bfloat16)
        """
        return converted(self, bfloat16.dtype)

    def long(self, memory_format: MemoryFormat | None = None) -> Tensor:
        """In the dtype int64, rounded towards 0. This Tensor itself if it has that dtype.

        >>> tc.tensor([1.5, 0.0]).long()
        tensor([1, 0])
        """
        return converted(self, int64)

    def int(self, memory_format: MemoryFormat | None = None) -> Tensor:
        """In the dtype int32, rounded towards 0. This Tensor itself if it has that dtype.

        >>> tc.tensor([1.5, 0.0]).int()
        tensor([1, 0], dtype=torch.int32)
        """
        return converted(self, int32)

    def short(self, memory_format: MemoryFormat | None = None) -> Tensor:
        """In the dtype int16, rounded towards 0. This Tensor itself if it has that dtype.

        >>> tc.tensor([1.5, 0.0]).short()
        tensor([1, 0], dtype=torch.int16)
        """
        return converted(self, int16)

    def char(self, memory_format: MemoryFormat | None = None) -> Tensor:
        """In the dtype int8, rounded towards 0. This Tensor itself if it has that dtype.

        >>> tc.tensor([1.5, 0.0]).char()
        tensor([1, 0], dtype=torch.int8)
        """
        return converted(self, int8)

    def byte(self, memory_format: MemoryFormat | None = None) -> Tensor:
        """In the dtype uint8, rounded towards 0. This Tensor itself if it has that dtype.

        >>> tc.tensor([1.5, 0.0]).byte()
        tensor([1, 0], dtype=torch.uint8)
        """
        return converted(self, uint8)

    def bool(self, memory_format: MemoryFormat | None = None) -> Tensor:
        """As bool: whether each element is nonzero. This Tensor itself if it has that dtype.

        >>> tc.tensor([1.5, 0.0]).bool()
        tensor([ True, False])
        """
        return converted(self, bool_)


class Conversions(_ToDtype):
    """A base of Tensor: conversions to another dtype, device and memory format."""

    __slots__ = ()

    @overload
    def to(
        self,
        dtype: DType,
        non_blocking: bool = False,
        copy: bool = False,
        *,
        memory_format: MemoryFormat | None = None,
    ) -> Tensor: ...
    @overload
    def to(
        self,
        device: Device = None,
        dtype: DType | None = None,
        non_blocking: bool = False,
        copy: bool = False,
        *,
        memory_format: MemoryFormat | None = None,
    ) -> Tensor: ...
    @overload
    def to(
        self,
        other: Tensor,
        non_blocking: bool = False,
        copy: bool = False,
        *,
        memory_format: MemoryFormat | None = None,
    ) -> Tensor: ...
    def to(  # type: ignore[misc]  # the first argument may be any of three
        self,
        device: Any = None,
        dtype: Any = None,
        non_blocking: Any = False,
        copy: Any = False,
        *,
        other: Any = None,
        memory_format: MemoryFormat | None = None,
    ) -> Tensor:
        """Convert to a dtype, or to the dtype of another Tensor. The device can only be the CPU.

        `to(dtype)`, `to(device, dtype)` and `to(other)`, each followed by `non_blocking`, which has
        no effect, and `copy`. The result is this Tensor itself if nothing changes and `copy` is not
        set. RuntimeError for another device, TypeError for a dtype that Tensors cannot have.

        >>> tc.tensor([1.5]).to(tc.int64), tc.tensor([1]).to("cpu", tc.float64)
        (tensor([1]), tensor([1.], dtype=torch.float64))
        """
        wanted, copied = target(
            "to", device, dtype, non_blocking, copy, other=other, memory_format=memory_format
        )
        x: Any = self if wanted is None else converted(self, wanted)
        return ops.clone(x) if copied and x is self else x

    @overload
    def type(self, dtype: None = None, non_blocking: bool = False) -> str: ...
    @overload
    def type(self, dtype: str | type | DType, non_blocking: bool = False) -> Tensor: ...
    def type(self, dtype: str | type | DType | None = None, non_blocking: bool = False) -> Any:
        """Convert to a dtype, given as such, as `torch.LongTensor`, or as the name of that.

        By default, return the name of its own type. ValueError for an unknown name, RuntimeError for
        a type of `torch.cuda`.

        >>> tc.ones(2).type(), tc.ones(2).type("torch.LongTensor"), tc.ones(2).type(tc.LongTensor)
        ('torch.FloatTensor', tensor([1, 1]), tensor([1, 1]))
        """
        if dtype is None:
            return f"torch.{TYPE_NAMES[self._array.dtype.name]}"
        return converted(self, dtype_of_type(dtype))

    @numpys_names
    def type_as(self, other: Tensor) -> Tensor:
        """In the dtype of another Tensor.

        >>> tc.ones(2).type_as(tc.tensor([1]))
        tensor([1, 1])
        """
        if not isinstance(other, Methods):
            raise not_a_tensor("type_as", "other", other, 1)
        return converted(self, other._array.dtype)

    def cpu(self, *, memory_format: MemoryFormat = preserve_format) -> Tensor:
        """This Tensor: there is no other device.

        >>> tc.ones(2).cpu()
        tensor([1., 1.])
        """
        return self  # type: ignore[return-value]

    def cuda(
        self,
        device: Device = None,
        non_blocking: bool = False,
        memory_format: MemoryFormat = preserve_format,
    ) -> Tensor:
        """RuntimeError: the only device is the CPU.

        >>> tc.ones(2).cuda()
        Traceback (most recent call last):
        RuntimeError: to: device 'cuda' is not there: the only one is 'cpu'
        """
        return self.to("cuda")

    def pin_memory(self, device: Device = None) -> Tensor:
        """This Tensor: there is no device to copy to.

        >>> tc.ones(2).pin_memory()
        tensor([1., 1.])
        """
        return self  # type: ignore[return-value]

    def contiguous(self, *, memory_format: MemoryFormat = contiguous_format) -> Tensor:
        """This Tensor, or a copy in row-major order if it is a view in another order.

        `memory_format` has no effect. TypeError unless it is a memory format.

        >>> x = tc.zeros(2, 3)
        >>> x.contiguous() is x, x.T.contiguous().stride()
        (True, (2, 1))
        """
        check_memory_format("contiguous", memory_format)
        settle(self)
        if self._array.flags.c_contiguous:
            return self  # type: ignore[return-value]
        y = ops.clone(self)
        settle(y)
        return y

    def is_contiguous(self, *, memory_format: MemoryFormat = contiguous_format) -> bool:
        """Whether it can be viewed in every shape; or whether its channels come last in memory.

        >>> x = tc.zeros(1, 2, 3, 4)
        >>> x.is_contiguous(), x.is_contiguous(memory_format=tc.channels_last)
        (True, False)
        """
        check_memory_format("is_contiguous", memory_format)
        if memory_format is channels_last:
            return self._array.ndim == 4 and self._array.transpose(0, 2, 3, 1).flags.c_contiguous
        settle(self)
        return self._array.flags.c_contiguous
