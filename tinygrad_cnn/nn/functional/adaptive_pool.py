"""Pooling to a given output size, over one, two or three axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, TypeAlias, overload

import numpy as np

from ... import functions, ops
from ...engine import wrap
from ...engine.dtypes import FLOATING
from ...functions.public import numpys_names
from ...tensor import Tensor
from .check import NUMBERS, TAKE_BATCH, Shape, batched, check_kind, check_spatial, floating, sizes
from .matrices import adaptive_windows, averaging
from .pool import average

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool2d", "adaptive_max_pool3d",
]  # fmt: skip

OutputSize: TypeAlias = int | Sequence[int | None] | None  # None keeps the size of an axis


_WITHOUT_CHANNELS = ("adaptive_avg_pool1d", "adaptive_avg_pool2d")  # take an empty channel axis


def _output(name: str, n: int, shape: Shape, output_size: Any) -> Shape:
    """The output size for each axis of space, checked."""
    check_spatial(name, shape, n)
    wanted = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,)
    if None in wanted and len(wanted) in (1, n):
        several = wanted * (n // len(wanted))
        wanted = tuple(m if w is None else w for m, w in zip(shape[-n:], several, strict=True))
    wanted = sizes(name, "output_size", wanted, 0, n)
    no_channels = len(shape) == n + 2 and not shape[1]
    if 0 in shape[-n:] or (no_channels and name not in _WITHOUT_CHANNELS):
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input "
            f"has shape {shape}"
        )
    return wanted


# --- The mean -----------------------------------------------------------------------------------


@numpys_names
def adaptive_avg_pool1d(input: Tensor, output_size: OutputSize) -> Tensor:
    """`adaptive_avg_pool2d` along one axis, of (N, C, L) or (C, L).

    >>> adaptive_avg_pool1d(tc.tensor([[1.0, 3.0, 5.0]]), 2)
    tensor([[2., 4.]])
    """
    return adaptive_average(1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: OutputSize) -> Tensor:
    """Images (N, C, H, W) averaged to `output_size`: (N, C, P, Q).

    The input may come without N. `output_size` is P, for both axes, or (P, Q); None keeps a size.
    Window p reaches from row ⌊p H / P⌋ to before row ⌈(p + 1) H / P⌉. Raises RuntimeError for an
    image without cells, and for another dtype than of floating point.

    >>> adaptive_avg_pool2d(tc.tensor([[[1.0, 3.0], [4.0, 2.0]]]), (None, 1))
    tensor([[[2.],
             [3.]]])
    """
    return adaptive_average(2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: OutputSize) -> Tensor:
    """`adaptive_avg_pool2d` along three axes, of (N, C, D, H, W) or (C, D, H, W).

    >>> adaptive_avg_pool3d(tc.arange(8.0).reshape(1, 2, 2, 2), 1)
    tensor([[[[3.5000]]]])
    """
    return adaptive_average(3, input, output_size)


def adaptive_average(n: int, input: Any, output_size: Any) -> Any:
    """The means of windows along n axes of space, so many that `output_size` results."""
    name = ("", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d")[n]
    if not isinstance(input, Tensor) or input._array.dtype.kind not in FLOATING:
        floating(name, input=input)
    shape = input._array.shape
    wanted = _output(name, n, shape, output_size)
    plane = shape[-n:]
    kernel = _even_kernel(plane, wanted)
    if kernel is not None and shape[-n - 1]:
        return average(n, True, None, input, kernel, None, 0, False)
    y = batched(input, n)
    for dim, (size, m) in enumerate(zip(plane, wanted, strict=True), 2):
        y = y if m == size else ops.resample(y, dim=dim, matrix=averaging(size, m))
    return y if len(shape) == n + 2 else ops.getitem(y, index=TAKE_BATCH)


@lru_cache(maxsize=1024)
def _even_kernel(plane: Shape, wanted: Shape) -> Shape | None:
    """The size of the windows, if all are alike and do not overlap; else None."""
    if not all(m and size % m == 0 for size, m in zip(plane, wanted, strict=True)):
        return None
    return tuple(size // m for size, m in zip(plane, wanted, strict=True))


# --- The maximum --------------------------------------------------------------------------------


@overload
def adaptive_max_pool1d(
    input: Tensor, output_size: OutputSize, return_indices: Literal[False] = False
) -> Tensor: ...
@overload
def adaptive_max_pool1d(
    input: Tensor, output_size: OutputSize, return_indices: Literal[True]
) -> tuple[Tensor, Tensor]: ...
def adaptive_max_pool1d(
    input: Tensor, output_size: OutputSize, return_indices: bool = False
) -> Any:
    """`adaptive_max_pool2d` along one axis, of (N, C, L) or (C, L).

    >>> adaptive_max_pool1d(tc.tensor([[1.0, 3.0, 5.0]]), 2)
    tensor([[3., 5.]])
    """
    return _adaptive_max(1, input, output_size, return_indices)


@overload
def adaptive_max_pool2d(
    input: Tensor, output_size: OutputSize, return_indices: Literal[False] = False
) -> Tensor: ...
@overload
def adaptive_max_pool2d(
    input: Tensor, output_size: OutputSize, return_indices: Literal[True]
) -> tuple[Tensor, Tensor]: ...
def adaptive_max_pool2d(
    input: Tensor, output_size: OutputSize, return_indices: bool = False
) -> Any:
    """The maxima of the windows of `adaptive_avg_pool2d`, of images (N, C, H, W): (N, C, P, Q).

    With `return_indices` the result is (maxima, indices): int64, the place of each maximum in its
    flat H · W plane. The first maximum of a window, in row-major order, gets its whole gradient.
    Raises RuntimeError for an image without cells.

    >>> adaptive_max_pool2d(tc.tensor([[[1.0, 3.0], [4.0, 2.0]]]), 1, return_indices=True)
    (tensor([[[4.]]]), tensor([[[2]]]))
    """
    return _adaptive_max(2, input, output_size, return_indices)


@overload
def adaptive_max_pool3d(
    input: Tensor, output_size: OutputSize, return_indices: Literal[False] = False
) -> Tensor: ...
@overload
def adaptive_max_pool3d(
    input: Tensor, output_size: OutputSize, return_indices: Literal[True]
) -> tuple[Tensor, Tensor]: ...
def adaptive_max_pool3d(
    input: Tensor, output_size: OutputSize, return_indices: bool = False
) -> Any:
    """`adaptive_max_pool2d` along three axes, of (N, C, D, H, W) or (C, D, H, W).

    >>> adaptive_max_pool3d(tc.arange(8.0).reshape(1, 2, 2, 2), (1, 1, None))
    tensor([[[[6., 7.]]]])
    """
    return _adaptive_max(3, input, output_size, return_indices)


def _adaptive_max(n: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    name = f"adaptive_max_pool{n}d"
    check_kind(name, input, NUMBERS)
    wanted = _output(name, n, input._array.shape, output_size)
    x = batched(input, n)
    lead, plane = x._array.shape[:2], x._array.shape[2:]
    where = _first_maxima(x._array, wanted).reshape(*lead, math.prod(wanted))
    y = ops.gather(functions.reshape(x, (*lead, math.prod(plane))), where, dim=2)
    shape = (*input._array.shape[:-n], *wanted)
    y = functions.reshape(y, shape)
    return (y, wrap(where.reshape(shape))) if return_indices else y


def _first_maxima(x: np.ndarray, wanted: Shape) -> np.ndarray:
    """The place of the first maximum of each window of x (N, C, ..), in its flat plane.

    It reduces the axes from the last to the first. So it finds the first row that has the
    maximum, and in that row the first column.
    """
    where = np.arange(math.prod(x.shape[2:])).reshape(x.shape[2:])
    where = np.broadcast_to(where, x.shape)
    for axis in range(x.ndim - 1, 1, -1):
        start, end = adaptive_windows(x.shape[axis], wanted[axis - 2])
        taps = np.arange((end - start).max(initial=0))
        # (P, taps). A shorter window repeats its last cell, which is never a first maximum then
        cells = np.minimum(start[:, None] + taps, end[:, None] - 1)
        best = x.take(cells, axis).argmax(axis + 1)
        column = (-1,) + (1,) * (x.ndim - axis - 1)
        best += start.reshape(column)
        x, where = np.take_along_axis(x, best, axis), np.take_along_axis(where, best, axis)
    return where
