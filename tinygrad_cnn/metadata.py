"""What PyTorch says of a tensor beside its elements: its size, device and memory format."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .engine import Recorded

__all__ = [
    "Size", "channels_last", "channels_last_3d", "contiguous_format", "device", "memory_format",
    "preserve_format",
]  # fmt: skip


class Size(tuple[int, ...]):
    """The shape of a Tensor: a tuple that knows the product of its sizes, `numel()`."""

    __slots__ = ()

    def numel(self) -> int:
        """How many elements a tensor of this size has."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __getitem__(self, index: Any) -> Any:
        found = tuple.__getitem__(self, index)
        return Size(found) if type(found) is tuple else found

    def __add__(self, other: Any) -> Size:
        return Size(tuple.__add__(self, tuple(other)))


class memory_format:
    """How elements lie in memory: accepted everywhere, and left to the kernels, which choose it."""

    def __init__(self, name: str):
        self._name = name

    def __repr__(self) -> str:
        return f"torch.{self._name}"


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")


class device:
    """Where a tensor is: `device("cpu")`, the only one that tensors can be made on or moved to.

    Others can be named, so that code may compare: RuntimeError for what is no device's name.

    >>> device("cpu"), device("cuda", 1).type
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

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))


CPU = device("cpu")


def check_device(name: str, where: Any) -> None:
    """RuntimeError unless `where` is None or the CPU."""
    if where is not None and device(where).type != "cpu":
        raise RuntimeError(f"{name}: device {str(where)!r} is not there: the only one is 'cpu'")


def target(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, bool]:
    """The dtype (or None) and `copy` of the arguments of `to`."""
    copy = bool(kwargs.pop("copy", False))
    kwargs.pop("non_blocking", None), kwargs.pop("memory_format", None)
    dtype = None
    for value in (*args, *kwargs.values()):
        if isinstance(value, Recorded):
            dtype = value._array.dtype
        elif isinstance(value, (str, device)) or type(value) is int:
            check_device(name, value)
        elif value is not None and not isinstance(value, (bool, memory_format)):
            dtype = np.dtype(value)
    return dtype, copy
