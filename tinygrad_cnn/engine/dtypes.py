"""Element types, as NumPy's dtypes: the default dtype, and the dtype in which operands meet.

Tensors are of bool, integers and floating point. One dtype of these is not NumPy's own: bfloat16, of
the package ml_dtypes. NumPy's kind of it is "V"; no other dtype of that kind is a Tensor's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

float16 = np.dtype(np.float16)
float32 = np.dtype(np.float32)
float64 = np.dtype(np.float64)
uint8 = np.dtype(np.uint8)
int8 = np.dtype(np.int8)
int16 = np.dtype(np.int16)
int32 = np.dtype(np.int32)
int64 = np.dtype(np.int64)
bool_ = np.dtype(np.bool_)

RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2}  # bool < integer < floating point
FLOATING = "fV"  # the kinds of floating-point dtypes
NARROW = "eE"  # the characters of float16 and bfloat16, which compute in float32
_ALONE = {"uint16", "uint32", "uint64"}  # meet no other dtype of bool or integers
_NUMBER = {bool: bool_, int: int64, float: None}  # None: the default dtype
_default = float32


def get_default_dtype() -> np.dtype[Any]:
    """The dtype of new floating-point tensors and of integer division; float32 at first."""
    return _default


def set_default_dtype(dtype: np.dtype[Any]) -> None:
    """Make `dtype`, one of floating point, the default dtype."""
    global _default
    _default = dtype


def floating(x: Any) -> Any:
    """`x` itself if it is of floating point, else a copy in the default dtype."""
    return x if x.dtype.kind in FLOATING else x.astype(_default)


def _scalar(value: Any) -> Any:
    """A Python number for any number; NumPy's scalars are as weak as Python's."""
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) not in _NUMBER:
        raise TypeError(
            f"unsupported operand: {type(value).__name__}; wanted a Tensor, an array or a number"
        )
    return value


def result_type(*operands: Any) -> np.dtype:
    """The dtype in which arrays and numbers meet, by PyTorch's rule.

    Arrays with axes decide. A 0-d array, and after it a Python number, matters only if it is of a
    higher category (bool < integer < floating point). Integers never widen a floating dtype.

    >>> import numpy as np
    >>> result_type(np.ones(2, np.float32), np.ones((), np.float64))
    dtype('float32')
    >>> result_type(np.ones(2, np.int64), np.ones(2, np.float16)), result_type(np.arange(2), 0.5)
    (dtype('float16'), dtype('float32'))
    """
    met: list[np.dtype | None] = [None, None, None]  # arrays with axes, 0-d arrays, numbers
    for x in operands:
        if isinstance(x, np.ndarray):
            dtype, strength = x.dtype, 1 if x.ndim == 0 else 0
            known = dtype.kind in RANK and dtype.itemsize <= 8
            if not known or (dtype.kind == "V" and dtype.name != "bfloat16"):
                raise TypeError(f"unsupported dtype {dtype}: wanted bool, integer or float")
        else:
            dtype, strength = _NUMBER[type(_scalar(x))] or _default, 2
        met[strength] = _wider(met[strength], dtype)
    return max([dtype for dtype in met if dtype is not None], key=lambda dtype: RANK[dtype.kind])


def _wider(a: np.dtype | None, b: np.dtype) -> np.dtype:
    if a is None or a is b or a == b:
        return b
    if not {a.kind, b.kind} & set(FLOATING) and {a.name, b.name} & _ALONE:
        raise RuntimeError(
            "Promotion for uint16, uint32, uint64 types is not supported, attempted to promote "
            f"{a} and {b}"
        )
    if RANK[a.kind] != RANK[b.kind]:
        return a if RANK[a.kind] > RANK[b.kind] else b
    if a.kind in FLOATING:
        if a.itemsize == b.itemsize:  # float16 and bfloat16: neither has all numbers of the other
            return float32
        return max(a, b, key=lambda dtype: dtype.itemsize)
    return np.promote_types(a, b)


def promote_types(type1: np.dtype[Any], type2: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which arrays of two dtypes meet.

    >>> promote_types(int64, float16)
    dtype('float16')
    """
    return _wider(type1, type2)


def promote(*operands: Any) -> list[Any]:
    """The operands for NumPy: arrays in their `result_type`, numbers as Python numbers."""
    if len(operands) == 2:  # the common case, `x * 2.0`
        x, number = operands
        if type(number) is float and isinstance(x, np.ndarray) and x.dtype.kind in FLOATING:
            return [x, number]
    dtype = result_type(*operands)
    return [
        x.astype(dtype, copy=False) if isinstance(x, np.ndarray) else number_in(dtype, x)
        for x in operands
    ]


def number_in(dtype: np.dtype[Any], value: Any) -> Any:
    """A Python number for any number, wrapped as in PyTorch if `dtype` is of smaller integers."""
    number = _scalar(value)
    if dtype.kind in "iu" and dtype.itemsize < 8 and type(number) is not float:
        return np.int64(number).astype(dtype)
    return number
