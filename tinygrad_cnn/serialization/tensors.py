"""Storages and Tensors in files: a Tensor is an offset, a size and strides in a storage."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from ..creation import from_numpy
from ..nn.parameter import Parameter
from ..tensor import Tensor
from . import dtypes
from .failures import shown

_HIGHEST_INT = 2**63 - 1


class Storage:
    """The memory of some tensors, as bytes, and the dtype of its elements.

    `location` is the device that the memory was on.
    """

    __slots__ = ("data", "dtype", "location")

    def __init__(self, data: np.ndarray, dtype: np.dtype[Any], location: str) -> None:
        self.data, self.dtype, self.location = data, dtype, location

    def check(self) -> None:
        """ValueError for bools that are neither 0 nor 1, of which arithmetic makes anything."""
        if self.dtype.kind == "b" and self.data.size and self.data.max() > 1:
            raise ValueError("a tensor of bool has other bytes than 0 and 1")

    def elements(self) -> np.ndarray:
        """All elements, as an array with one axis."""
        return self.data.view(self.dtype)


class StorageClass:
    """A class of storages: the dtype of their elements."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype


# --- Load -----------------------------------------------------------------------------------------


def storage_id(pid: Any, length: int) -> tuple[Any, ...]:
    """The id of a storage, checked: class, key, device, number of elements, and what follows."""
    if type(pid) is not tuple or len(pid) != length:
        raise ValueError("the id of a storage makes no sense")
    kind, cls, key, location, count = pid[:5]
    texts = [
        text.decode("ascii") if type(text) is bytes else text for text in (kind, key, location)
    ]
    if (
        not all(type(text) is str for text in texts) or texts[0] != "storage"
        or not isinstance(cls, StorageClass) or type(count) is not int
        or not 0 <= count <= _HIGHEST_INT
    ):  # fmt: skip
        raise ValueError("the id of a storage makes no sense")
    return (cls, *texts[1:], count, *pid[5:])


def _numbers(name: str, values: Any) -> tuple[int, ...]:
    if not isinstance(values, tuple) or not all(
        type(n) is int and 0 <= n <= _HIGHEST_INT for n in values
    ):
        raise ValueError(f"a tensor has the {name} {shown(values)}")
    return values


def tensor(
    storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any = False,
    hooks: Any = None, metadata: Any = None,
) -> Tensor:  # fmt: skip
    """The Tensor on the elements of `storage` at offset + Σ index · stride. All are checked."""
    if not isinstance(storage, Storage):
        raise ValueError(f"a tensor has a {type(storage).__name__} for its storage")
    _check_plain(metadata)
    return _tensor(storage, storage.dtype, offset, size, stride, requires_grad)


def tensor_of_dtype(
    storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any, hooks: Any, dtype: Any,
    metadata: Any = None,
) -> Tensor:  # fmt: skip
    """The same on a storage of bytes, for dtypes that have no class of storages."""
    name = dtypes.name_of(dtype)
    if not isinstance(storage, Storage) or name is None:
        raise ValueError("a tensor has no storage or no dtype")
    found = dtypes.named(name)
    assert found is not None
    if dtypes.storage_of(found) == "BoolStorage":  # its bytes would not be checked
        raise ValueError("a tensor of bool is in an untyped storage")
    _check_plain(metadata)
    return _tensor(storage, found, offset, size, stride, requires_grad)


def _check_plain(metadata: Any) -> None:
    """ValueError for a tensor that is stored as the negative or the conjugate of its elements."""
    if metadata is not None and metadata != {}:
        raise ValueError("a tensor is stored as the negative or conjugate of another one")


def _tensor(
    storage: Storage, dtype: np.dtype[Any], offset: Any, size: Any, stride: Any, requires_grad: Any
) -> Tensor:
    size, stride = _numbers("size", size), _numbers("stride", stride)
    (offset,) = _numbers("offset", (offset,))
    if type(requires_grad) is not bool or len(size) != len(stride) or len(size) > 64:
        raise ValueError(f"a tensor has the size {shown(size)} and the stride {shown(stride)}")
    count = storage.data.size // dtype.itemsize
    empty = 0 in size
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if offset > count or (not empty and last >= count):
        raise ValueError(
            f"a tensor of size {shown(size)}, stride {shown(stride)} and offset {offset} is outside of its "
            f"storage, which has {count} elements"
        )
    steps = tuple(0 if empty else n * dtype.itemsize for n in stride)
    if empty:
        array = np.empty(size, dtype)
    else:
        array = np.ndarray(size, dtype, storage.data, offset * dtype.itemsize, steps)
    found = from_numpy(array)
    if requires_grad:
        found.requires_grad_()
    return found


def parameter(data: Any, requires_grad: Any = True, hooks: Any = None) -> Parameter:
    """A Parameter on the memory of a Tensor."""
    if not isinstance(data, Tensor) or type(requires_grad) is not bool:
        raise ValueError("a Parameter has no data")
    return Parameter(data.detach(), requires_grad)


def attributes_in(state: Any) -> dict[str, Any]:
    """The attributes in the state of a Tensor. Names with an underscore are a framework's own."""
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[0], dict):
        state = state[0]  # the other one is for slots
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise ValueError("the attributes of a tensor are no dict")
    return {name: item for name, item in state.items() if not name.startswith("_")}


# --- Save -----------------------------------------------------------------------------------------


def attributes_of(value: Tensor) -> dict[str, Any]:
    """The attributes that a user gave to a Tensor."""
    return {name: item for name, item in value.__dict__.items() if not name.startswith("_")}


class Place:
    """The place of a Tensor in the storages of a file. Offset and strides are in elements."""

    __slots__ = ("offset", "size", "storage", "stride")

    def __init__(self, storage: Stored, offset: int, array: np.ndarray) -> None:
        self.storage, self.offset = storage, offset
        self.size = array.shape
        self.stride = tuple(n // array.itemsize for n in array.strides)
        if not array.size:  # as of a contiguous one; NumPy has any
            self.stride = _contiguous(array.shape)


class Stored:
    """A storage to write. `key` is its name in the file, given when it is first used."""

    __slots__ = ("data", "dtype", "key")

    def __init__(self, data: np.ndarray, dtype: np.dtype[Any]) -> None:
        self.data, self.dtype = data, dtype
        self.key: str | None = None

    @property
    def count(self) -> int:
        """The number of elements. Those of an untyped storage are bytes."""
        typed = dtypes.storage_of(self.dtype) is not None
        return self.data.size // self.dtype.itemsize if typed else self.data.size

    def key_in(self, storages: list[Stored]) -> str:
        """The key in a file. The first time it is asked for, the storage is added to the list."""
        if self.key is None:
            self.key = str(len(storages))
            storages.append(self)
        return self.key


def _contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


class _Memory:
    """Bytes in memory, for NumPy; `arrays` own them."""

    def __init__(self, address: int, nbytes: int, arrays: list[np.ndarray]) -> None:
        self.arrays = arrays
        self.__array_interface__ = {
            "data": (address, True), "shape": (nbytes,), "typestr": "|u1", "version": 3,
        }  # fmt: skip


def places_of(tensors: Iterable[Tensor], refuse: Callable[[Tensor], TypeError]) -> dict[int, Place]:
    """The place of each Tensor, by its id. Tensors that overlap in memory share a storage.

    A storage holds only the part of the memory that the Tensors show. `refuse` makes the error for
    a Tensor whose dtype has no name in PyTorch.
    """
    spans: list[tuple[int, int, np.ndarray, int]] = []  # low, high, array, id of its Tensor
    found: dict[int, Place] = {}
    for value in tensors:
        array = value.detach()._array
        if not dtypes.can_be_saved(array.dtype):
            raise refuse(value)
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        if not array.size:
            found[id(value)] = Place(Stored(np.empty(0, np.uint8), array.dtype), 0, array)
            continue
        if any(n < 0 or n % array.itemsize for n in array.strides):  # PyTorch has no such strides
            array = array.copy()
        low, high = byte_bounds(array)
        spans.append((low, high, array, id(value)))
    spans.sort(key=lambda span: span[:2])
    start = 0
    for k, (_, high, _, _) in enumerate(spans):
        overlaps = k + 1 < len(spans) and spans[k + 1][0] < high
        if overlaps:  # the next one may end earlier
            following = spans[k + 1]
            spans[k + 1] = (following[0], max(high, following[1]), *following[2:])
        else:
            found |= _one_storage(spans[start : k + 1])
            start = k + 1
    return found


def _one_storage(spans: list[tuple[int, int, np.ndarray, int]]) -> dict[int, Place]:
    low, high, dtype = spans[0][0], spans[-1][1], spans[0][2].dtype
    arrays = [span[2] for span in spans]
    addresses = [array.__array_interface__["data"][0] for array in arrays]
    if any(a.dtype != dtype for a in arrays) or any((p - low) % dtype.itemsize for p in addresses):
        raise RuntimeError(
            "Cannot save multiple tensors or storages that view the same data as different types"
        )
    storage = Stored(np.asarray(_Memory(low, high - low, arrays)), dtype)
    return {
        key: Place(storage, (address - low) // dtype.itemsize, array)
        for (*_, array, key), address in zip(spans, addresses, strict=True)
    }
