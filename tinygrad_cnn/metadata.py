"""The properties of a Tensor beside its elements: size, dtype, device, layout and memory format."""

from __future__ import annotations

import math
from typing import Any, SupportsIndex, overload

import numpy as np

from .dtypes import dtype_of
from .engine import Recorded

__all__ = [
    "Size", "channels_last", "channels_last_3d", "contiguous_format", "device", "layout",
    "memory_format", "preserve_format", "strided",
]  # fmt: skip


class Size(tuple[int, ...]):
    """The shape of a Tensor: a tuple of integers.

    >>> size = tc.zeros(2, 3).shape
    >>> size, size.numel(), size[1:]
    (torch.Size([2, 3]), 6, torch.Size([3]))
    """

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements of a Tensor of this size: the product of the integers."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    @overload
    def __getitem__(self, index: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Size: ...
    def __getitem__(self, index: Any) -> Any:
        found = tuple.__getitem__(self, index)
        return Size(found) if type(found) is tuple else found

    def __add__(self, other: Any) -> Size:
        return Size(tuple.__add__(self, tuple(other)))


class memory_format:
    """The order of axes in memory. Functions accept one, and the kernels choose the order.

    >>> tc.ones(1, 2, 3, 3).contiguous(memory_format=tc.channels_last).shape
    torch.Size([1, 2, 3, 3])
    """

    def __init__(self, name: str):
        self._name = name

    def __repr__(self) -> str:
        return f"torch.{self._name}"


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")


class layout:
    """The kind of storage of a Tensor. There is one: `strided`, an array.

    >>> tc.ones(2).layout
    torch.strided
    """

    def __repr__(self) -> str:
        return "torch.strided"


strided = layout()


class device:
    """The place of a Tensor. Tensors exist on `device("cpu")` only.

    Code may name and compare the other devices of PyTorch. RuntimeError for a name that is no device.
    In a `with` block new Tensors are on it: RuntimeError for another device than the CPU.

    >>> tc.device("cpu"), tc.device("cuda", 1).type
    (device(type='cpu'), 'cuda')
    """

    __slots__ = ("index", "type")

    def __init__(self, type: Any, index: int | None = None):
        if isinstance(type, device):
            type, index = type.type, type.index
        elif isinstance(type, int):
            type, index = "cuda", type
        name, _, number = str(type).partition(":")
        if name not in ("cpu", "cuda", "mps", "xpu", "meta") or (number and not number.isdigit()):
            raise RuntimeError(
                f"Expected one of cpu, cuda, mps, xpu, meta device type at start of device string: "
                f"{type}"
            )
        self.type: str = name
        self.index: int | None = int(number) if number else index

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __enter__(self) -> device:
        check_device("device", self)
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))


CPU = device("cpu")


# --- Checks of arguments ------------------------------------------------------------------------


def _must_be(name: str, argument: str, wanted: str, value: Any) -> TypeError:
    kind = type(value).__name__
    return TypeError(f"{name}(): argument '{argument}' must be torch.{wanted}, not {kind}")


def _is_device(value: Any) -> bool:
    return value is None or isinstance(value, (device, str, int))


def check_device(name: str, value: Any) -> None:
    """RuntimeError unless `value` is None or the CPU."""
    if value is None or value is CPU:
        return
    if isinstance(value, bool) or not _is_device(value):
        raise _must_be(name, "device", "device", value)
    if device(value).type != "cpu":
        raise RuntimeError(f"{name}: device {str(value)!r} is not available: the only one is 'cpu'")


def check_layout(name: str, value: Any) -> None:
    """TypeError unless `value` is None or `strided`."""
    if value is not None and value is not strided:
        raise _must_be(name, "layout", "layout", value)


def check_memory_format(name: str, value: Any) -> None:
    """TypeError unless `value` is None or a memory format."""
    if value is not None and not isinstance(value, memory_format):
        raise _must_be(name, "memory_format", "memory_format", value)


def target(
    name: str, device: Any = None, dtype: Any = None, non_blocking: Any = False, copy: Any = False,
    *, other: Any = None, memory_format: Any = None,
) -> tuple[np.dtype[Any] | None, bool]:  # fmt: skip
    """The dtype, or None to keep it, and `copy` of the arguments of `to`.

    They come in one of PyTorch's three orders: `to(device, dtype, non_blocking, copy)`,
    `to(dtype, non_blocking, copy)` or `to(other, non_blocking, copy)`.
    """
    if not _is_device(device):
        if not (dtype is None or isinstance(dtype, bool)):
            raise TypeError(
                f"{name}() received an invalid combination of arguments - got "
                f"({type(device).__name__}, {type(dtype).__name__}): wanted (device, dtype), (dtype) "
                "or (other), then non_blocking and copy"
            )
        copy = copy or (dtype is not None and non_blocking)
        device, dtype = None, device
    check_device(name, device)
    check_memory_format(name, memory_format)
    like = dtype if other is None else other
    if isinstance(like, Recorded):
        return like._array.dtype, bool(copy)
    return None if like is None else dtype_of(name, like), bool(copy)
