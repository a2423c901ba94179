"""The index of x[index] as NumPy takes it, and its errors in PyTorch's words."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..dtypes import shown
from ..engine import grad_mode
from ..engine.dtypes import uint8
from .arguments import array_of


def kept(index: np.ndarray) -> np.ndarray:
    """An index for a graph to hold: a copy if one is recorded, because users may write to theirs."""
    return index.copy() if grad_mode.enabled else index


def _plain(item: Any) -> Any:
    """An item of an index as NumPy takes it. For PyTorch an array of uint8 is a mask."""
    if isinstance(item, list):
        return np.asarray(item)
    item = array_of(item)
    if not isinstance(item, np.ndarray):
        return item
    if item.dtype == uint8:
        return np.asarray(item != 0)
    return int(item) if not item.ndim and item.dtype.kind in "iu" else kept(item)


def plain_index(index: Any) -> tuple[Any, Any]:
    """An index as NumPy takes it: two indices to apply in turn, of which the first may be None.

    There are two if integers and arrays mix. For PyTorch an integer removes its axis before anything
    else happens; for NumPy it is one more array. A basic index ends in `...`, so that a single element
    is a view too.
    """
    if type(index) is int or type(index) is slice:
        return None, (index, ...)
    plain = tuple(map(_plain, index if isinstance(index, tuple) else (index,)))
    if ops.is_basic(plain) and not any(i is Ellipsis for i in plain):
        return None, (*plain, ...)
    if not any(type(i) is int or isinstance(i, np.integer) for i in plain):
        return None, plain
    first: list[Any] = []
    second: list[Any] = []
    for i in plain:
        if isinstance(i, np.ndarray):
            first += [slice(None)] * (i.ndim if i.dtype.kind == "b" else 1)
            second.append(i)
        elif isinstance(i, bool):
            second.append(i)
        else:
            first.append(i)
            if i is None or isinstance(i, slice):
                second.append(slice(None))
            elif i is Ellipsis:
                second.append(i)
    if ops.is_basic(tuple(second)):
        return None, plain
    if not any(i is Ellipsis for i in first):
        first.append(...)
    return tuple(first), tuple(second)


def index_error(array: np.ndarray, index: Any, error: IndexError) -> IndexError:
    """The error of `array[index]` in PyTorch's words, or NumPy's own if PyTorch has none for it."""
    items = tuple(map(_plain, index if isinstance(index, tuple) else (index,)))
    taken = [_axes_of(i) for i in items]
    if sum(taken) > array.ndim:
        return IndexError(f"too many indices for tensor of dimension {array.ndim}")
    axis = 0
    for i, n in zip(items, taken, strict=True):
        message = _wrong(array.shape, axis, i)
        if message:
            return IndexError(message)
        axis += array.ndim - sum(taken) if i is Ellipsis else n
    shapes = [i.shape for i in items if isinstance(i, np.ndarray)]
    if "broadcast" in str(error):
        return IndexError(
            "shape mismatch: indexing tensors could not be broadcast together with shapes "
            + ", ".join(str(list(shape)) for shape in shapes)
        )
    return error


def _axes_of(i: Any) -> int:
    """The number of axes that an item of an index applies to."""
    if i is None or i is Ellipsis or isinstance(i, bool):
        return 0
    return i.ndim if isinstance(i, np.ndarray) and i.dtype.kind == "b" else 1


def _wrong(shape: tuple[int, ...], axis: int, i: Any) -> str | None:
    """The message for an item that does not fit the axes from `axis` on; None if it fits."""
    if isinstance(i, np.ndarray) and i.dtype.kind == "b":
        for d, (m, n) in enumerate(zip(i.shape, shape[axis:], strict=False)):
            if m != n:
                return (
                    f"The shape of the mask {list(i.shape)} at index {d} does not match the shape "
                    f"of the indexed tensor {list(shape)} at index {axis + d}"
                )
    elif isinstance(i, np.ndarray) and i.dtype.kind not in "iu":
        return (
            f"tensors used as indices must be long, int, byte or bool tensors, got {shown(i.dtype)}"
        )
    elif isinstance(i, (int, np.integer, np.ndarray)) and not isinstance(i, bool):
        positions, n = np.asarray(i), shape[axis]
        outside = positions[(positions < -n) | (positions >= n)]
        if outside.size:
            return f"index {outside[0]} is out of bounds for dimension {axis} with size {n}"
    return None


def check_value(shape: tuple[int, ...], part: tuple[int, ...], index: Any) -> None:
    """RuntimeError unless `shape`, of a value, broadcasts to `part`, the shape of x[index]."""
    lead = max(len(shape) - len(part), 0)
    pairs = zip(reversed(shape), reversed(part), strict=False)
    wrong = next((k for k, (n, m) in enumerate(pairs, 1) if n not in (1, m)), 0)  # axis -wrong
    more = any(n != 1 for n in shape[:lead])
    if not (wrong or more):
        return
    if more or not ops.is_basic(index):
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(shape)} cannot be broadcast to indexing "
            f"result of shape {list(part)}"
        )
    raise RuntimeError(
        f"The expanded size of the tensor ({part[-wrong]}) must match the existing size "
        f"({shape[-wrong]}) at non-singleton dimension {len(part) - wrong}.  Target sizes: "
        f"{list(part)}.  Tensor sizes: {list(shape)}"
    )
