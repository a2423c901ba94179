"""Checks of index Tensors and masks, and the form in which a graph may hold them."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from ..dtypes import shown
from ..engine.dtypes import FLOATING, bool_, int32, int64
from .arguments import array_of, axis
from .brackets import kept

FLOAT16_MAX = 65504.0  # np.finfo(np.float16).max: every floating dtype holds it


def along(dim: int, index: Any) -> tuple[Any, ...]:
    """NumPy's index that applies `index` to axis `dim`, and takes all of the axes before it."""
    return (slice(None),) * dim + (index,)


def element_index(
    name: str, x: np.ndarray, dim: int, index: Any, source: tuple[int, ...] | None = None
) -> tuple[int, np.ndarray]:
    """`dim` counted from 0, and the array of an index with one position for each element.

    The index must have as many axes as `x`, and as a source of shape `source` if there is one. It
    may be smaller than them, except along `dim` of `x`. One without elements may have any shape and dtype.
    """
    i, dim = index._array, axis(name, x.ndim, dim)
    if not i.size:
        return dim, i.astype(int64)
    if i.dtype not in (int64, int32):
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index, got {shown(i.dtype)}")
    for who, shape in (("input", x.shape), ("src", source)):
        if shape is not None and max(i.ndim, 1) != max(len(shape), 1):
            raise RuntimeError(
                f"{name}: Index tensor must have the same number of dimensions as {who} tensor, got "
                f"index {i.shape} and {who} {shape}"
            )
    too_large = any(
        [m > n for k, (m, n) in enumerate(zip(i.shape, x.shape, strict=False)) if k != dim]
    )
    if too_large or _exceeds(i.shape, source):
        raise RuntimeError(
            f"{name}: Expected index {list(i.shape)} to be no larger than self {list(x.shape)} apart "
            f"from dimension {dim}"
            + ("" if source is None else f" and to be no larger size than src {list(source)}")
        )
    n = x.shape[dim] if x.ndim else 1
    if i.min() < 0 or i.max() >= n:
        worst = i.min() if i.min() < 0 else i.max()
        raise RuntimeError(
            f"{name}: index {worst} is out of bounds for dimension {dim} with size {n}"
        )
    return dim, i


def _exceeds(index: tuple[int, ...], source: tuple[int, ...] | None) -> bool:
    """Whether an index is larger than its source along an axis."""
    pairs = zip(index, source or (1,), strict=False) if source is not None else ()
    return any([m > n for m, n in pairs])


def slice_index(
    name: str, x: np.ndarray, dim: int, index: Any, from_end: bool = False
) -> tuple[int, np.ndarray]:
    """`dim` counted from 0, and the vector of an index with one position for each slice.

    `from_end`: negative positions count from the end.
    """
    i, dim = index._array, axis(name, x.ndim, dim)
    if i.dtype not in (int64, int32):
        wrong = IndexError if name == "index_fill" else RuntimeError  # as PyTorch has it
        raise wrong(f"{name}(): Expected dtype int32/int64 for index, got {shown(i.dtype)}")
    if i.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, got shape {i.shape}")
    n = x.shape[dim] if x.ndim else 1
    least = -n if from_end else 0
    if i.size and (i.min() < least or i.max() >= n):
        worst = i.min() if i.min() < least else i.max()
        matrix = name == "index_add" and x.ndim > 1
        error = RuntimeError if matrix else IndexError  # as PyTorch has it
        raise error(
            f"{name}(): index out of range in self: index {worst} is out of bounds for dimension "
            f"{dim} with size {n}"
        )
    return dim, kept(i.reshape(-1))


def mask_of(name: str, mask: Any) -> np.ndarray:
    """The array of a mask; RuntimeError unless it is of bool."""
    m = mask._array
    if m.dtype != bool_:
        raise RuntimeError(
            f"{name}_ only supports boolean masks, but got mask with dtype {shown(m.dtype)}"
        )
    return m


def fill_value(name: str, value: Any, dtype: np.dtype) -> Any:
    """A number, or a Tensor without axes, as a Tensor of `dtype` can hold it.

    RuntimeError for a Tensor with axes, and for a number that is too large for the dtype.
    """
    v = array_of(value)
    if isinstance(v, np.ndarray) and v.ndim:
        raise RuntimeError(
            f"{name}_ only supports a 0-dimensional value tensor, but got tensor with {v.ndim} "
            "dimension(s)."
        )
    if (
        isinstance(v, np.ndarray)
        and v.dtype.kind in FLOATING
        and dtype.kind not in FLOATING
        and value is not v
    ):
        raise RuntimeError(
            f"{name}: value cannot be converted to type {shown(dtype)} without overflow, got "
            f"{shown(v.dtype)}"
        )
    number = v.item() if isinstance(v, (np.ndarray, np.generic)) else v
    floating = dtype.kind in FLOATING
    if floating and (abs(number) <= FLOAT16_MAX or not isfinite(number)):
        return value
    if dtype.kind == "b":
        return np.asarray(bool(number))
    from ..limits import finfo  # few programs need it

    limits: Any = finfo(dtype) if floating else np.iinfo(dtype)
    most = float(limits.max) if floating else limits.max
    least = -most if dtype.kind != "i" else limits.min  # -1 is 255 in uint8
    if not least <= number <= most:
        raise RuntimeError(
            f"value cannot be converted to type {shown(dtype)} without overflow: {number}"
        )
    return value if floating else np.asarray(int(number)).astype(dtype)
