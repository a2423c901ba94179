"""NumPy's dtypes, scalars and arrays in pickles: built from checked parts, as NumPy itself does."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from .failures import shown
from .structure import Budget

_CODE = re.compile(r"[<>|=]?(\?|b1|i[1248]|u[1248]|f[248]|c8|c16|S[1-9]\d{0,8}|U[1-9]\d{0,7})")
_LENGTHS = {"S": 1, "U": 4}  # bytes of a character


def can_be_saved(dtype: np.dtype[Any]) -> bool:
    """Whether an array of these elements can be written and read again."""
    return dtype.names is None and bool(_CODE.fullmatch(dtype.str))


def state_of(dtype: np.dtype[Any]) -> tuple[Any, ...]:
    """The state of a dtype in a pickle, for one that `can_be_saved`."""
    if dtype.kind in _LENGTHS:
        alignment, flags = _LENGTHS[dtype.kind], 8 if dtype.kind == "U" else 0
        return (
            3,
            dtype.byteorder.replace("=", "<"),
            None,
            None,
            None,
            dtype.itemsize,
            alignment,
            flags,
        )
    return (3, dtype.byteorder.replace("=", "<"), None, None, None, -1, -1, 0)


class Builders:
    """What one pickle builds of NumPy, within a budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._dtypes: dict[int, np.dtype[Any]] = {}  # those that a BUILD may change, by their id
        self._arrays: dict[int, np.ndarray] = {}  # those whose content follows, by their id

    def dtype(self, code: Any, align: Any = False, copy: Any = True) -> np.dtype[Any]:
        """numpy.dtype('f4', False, True). Its byte order follows by `build`."""
        code = code.decode("ascii") if isinstance(code, bytes) else code
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise ValueError(f"it has an array of dtype {shown(code)}")
        made = np.dtype(code, False, True)
        self._dtypes[id(made)] = made
        return made

    def scalar(self, dtype: Any, data: Any) -> Any:
        """A NumPy scalar of its bytes."""
        data = _bytes(data)
        self._check_dtype(dtype)
        self._budget.spend(len(data))
        if len(data) != dtype.itemsize:
            raise ValueError(f"a scalar of {dtype} has {len(data)} bytes")
        _check_elements(data, dtype)
        return np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))[0]

    def array(self, cls: Any, shape: Any, kind: Any) -> np.ndarray:
        """An array without content, which follows by `build`."""
        if cls is not np.ndarray or type(shape) is not tuple or not _is(kind, "b"):
            raise ValueError("an array is made in an unknown way")
        made = np.empty(0, np.int8)
        self._arrays[id(made)] = made
        return made

    def from_buffer(self, data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
        """An array of its bytes, as protocol 5 writes it."""
        self._check_dtype(dtype)
        data = _bytes(data)
        self._budget.spend(len(data))
        _check_shape(shape, dtype, len(data))
        _check_elements(data, dtype)
        if not (_is(order, "C") or _is(order, "F")):
            raise ValueError(f"an array has the order {shown(order)}")
        flat = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))
        return flat.reshape(shape, order=order)

    def build(self, made: Any, state: Any) -> bool:
        """Give a dtype or an array of this pickle its state. False for any other object."""
        if self._dtypes.get(id(made)) is made and isinstance(made, np.dtype):
            change: Any = made
            change.__setstate__(_state_like(made, state))
            return True
        if self._arrays.get(id(made)) is made and isinstance(made, np.ndarray):
            del self._arrays[id(made)]  # once is enough
            _, shape, dtype, fortran, data = state
            self._check_dtype(dtype)
            data = _bytes(data)
            self._budget.spend(len(data))
            _check_shape(shape, dtype, len(data))
            _check_elements(data, dtype)
            restore: Any = made.__setstate__
            restore((1, shape, dtype, bool(fortran), data))
            return True
        return False

    def _check_dtype(self, dtype: Any) -> None:
        if not isinstance(dtype, np.dtype) or self._dtypes.get(id(dtype)) is not dtype:
            raise ValueError("an array has no dtype")


def _state_like(dtype: np.dtype[Any], state: Any) -> tuple[Any, ...]:
    """The state of `dtype` with the byte order of `state`, which is checked."""
    _, order, subdtype, names, fields, itemsize, alignment, *_ = state
    order = order.decode("ascii") if isinstance(order, bytes) else order
    nothing = subdtype is None and names is None and fields is None
    if not nothing or not any(_is(order, known) for known in "<>|="):
        raise ValueError(f"the dtype of an array has the state {shown(state)}")
    target = np.dtype(f"{order}{dtype.str[1:]}")
    if not {itemsize, alignment} <= {-1, target.itemsize, target.alignment}:
        raise ValueError(f"the dtype of an array has the state {shown(state)}")
    reduced: Any = target.__reduce__()
    return reduced[2]


def _is(value: Any, text: str) -> bool:
    """Whether a value is this text, or its bytes. (Comparing an array gives an array.)"""
    return type(value) in (str, bytes) and value in (text, text.encode())


def _check_shape(shape: Any, dtype: np.dtype[Any], nbytes: int) -> None:
    if (
        type(shape) is not tuple
        or len(shape) > 64
        or not all(type(n) is int and n >= 0 for n in shape)
        or math.prod(shape) * dtype.itemsize != nbytes
        or math.prod(n or 1 for n in shape) * dtype.itemsize >= 2**63  # which NumPy cannot count
    ):
        raise ValueError(f"an array of shape {shown(shape)} and dtype {dtype} has {nbytes} bytes")


def _check_elements(data: bytes, dtype: np.dtype[Any]) -> None:
    """ValueError for bools that are neither 0 nor 1, and for characters that do not exist."""
    limits = {"b": ("u1", 1), "U": (f"{dtype.byteorder}u4", 0x10FFFF)}.get(dtype.kind)
    if limits and data and np.frombuffer(data, limits[0]).max() > limits[1]:
        raise ValueError(f"an array of dtype {dtype} has elements that do not exist")


def _bytes(data: Any) -> bytes:
    """The content of an array. In pickles of Python 2 it is a string, read as latin1."""
    if isinstance(data, str):
        return data.encode("latin1")
    if not isinstance(data, (bytes, bytearray)):
        raise ValueError(f"the content of an array is a {type(data).__name__}")
    return bytes(data)
