"""Pooling by windows, over one, two or three axes.

Planes are pooled. One axis of space is a plane of height 1. Of three axes, the planes are pooled
first and the depth next, which finds the same first maximum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from typing import Any, Literal, overload

import numpy as np

from ... import functions, ops
from ...engine import wrap
from ...engine.dtypes import FLOATING, get_default_dtype
from ...functions.arguments import tensors
from ...functions.public import numpys_names
from ...tensor import Tensor
from ...types import Ints
from . import integer
from .check import NUMBERS, Shape, as_images, check_kind, check_spatial, one_dtype, restored, sizes
from .precision import in_float32

__all__ = [
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d",
    "max_pool2d", "max_pool3d",
]  # fmt: skip


# --- Windows ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Windows:
    """The windows of a pooling, with a value for each axis of space.

    One axis of space counts as two: the first has length 1. `x_shape` is (N, C, ..). `padding` is
    the setting, and `pads` the padding (before, behind) of each axis up to the end of its last
    window.
    """

    x_shape: Shape
    kernel: Shape
    stride: Shape
    padding: Shape
    dilation: Shape
    pads: tuple[tuple[int, int], ...]
    output: Shape
    # The attributes of an op that pools the last two axes, and of one that pools the first axis, with
    # the other two as one axis.
    plane: dict[str, Any] = field(default_factory=dict, init=False)
    depth: dict[str, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.plane.update(
            kernel_size=self.kernel[-2:], stride=self.stride[-2:], padding=self.pads[-2:],
            output_size=self.output[-2:],
        )  # fmt: skip
        self.depth.update(
            kernel_size=(self.kernel[0], 1), stride=(self.stride[0], 1),
            padding=(self.pads[0], (0, 0)), output_size=(self.output[0], math.prod(self.output[1:])),
        )  # fmt: skip

    def planes(self, x: Any) -> Any:
        """x (N, C, D, H, W) as (N, C·D, H, W)."""
        n, c, d, *plane = self.x_shape
        return functions.reshape(x, (n, c * d, *plane))

    def columns(self, y: Any) -> Any:
        """Pooled planes (N, C·D, P, Q) as (N, C, D, P·Q)."""
        return functions.reshape(y, (*self.x_shape[:3], math.prod(self.output[1:])))

    def volumes(self, y: Any) -> Any:
        """Pooled columns (N, C, O, P·Q) as (N, C, O, P, Q)."""
        return functions.reshape(y, (*self.x_shape[:2], *self.output))


def _windows_of(
    name: str, n: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: bool,
) -> _Windows:  # fmt: skip
    """The windows of checked arguments. Raises for an input or a setting that does not fit."""
    if not isinstance(input, Tensor):
        tensors(name, input=input)
    kernel = sizes(name, "kernel_size", kernel_size, 1, n)
    if stride is None or (isinstance(stride, (tuple, list)) and not stride):
        steps = kernel
    else:
        steps = sizes(name, "stride", stride, 1, n)
    pad = sizes(name, "padding", padding, 0, n)
    gaps = sizes(name, "dilation", dilation, 1, n)
    return _windows(name, n, input._array.shape, kernel, steps, pad, gaps, bool(ceil_mode))


@lru_cache(maxsize=1024)
def _windows(
    name: str, n: int, shape: Shape, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape,
    ceil_mode: bool,
) -> _Windows:  # fmt: skip
    check_spatial(name, shape, n)
    if not shape[-n - 1]:
        raise RuntimeError(f"{name}: expected at least one channel, got an input of shape {shape}")
    pads, output = [], []
    for m, k, s, p, d in zip(shape[-n:], kernel, stride, padding, dilation, strict=True):
        if p > k // 2:
            raise RuntimeError(
                f"{name}: pad should be at most half of effective kernel size, but got padding="
                f"{_short(padding)}, kernel_size={_short(kernel)}"
            )
        room = m + 2 * p - d * (k - 1) - 1
        count = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (count - 1) * s >= m + p:
            count -= 1  # a last window that would start in the right padding
        if count < 1 or m == 0:
            raise RuntimeError(
                f"{name}: input of shape {shape} with kernel_size={_short(kernel)}, padding="
                f"{_short(padding)}, dilation={_short(dilation)}: output size is too small"
            )
        output.append(count)
        pads.append((p, max((count - 1) * s + d * (k - 1) + 1 - m - p, 0)))
    x_shape = shape if len(shape) == n + 2 else (1, *shape)
    if n > 1:
        return _Windows(x_shape, kernel, stride, padding, dilation, tuple(pads), tuple(output))
    return _Windows(
        (*x_shape[:2], 1, x_shape[2]), (1, *kernel), (1, *stride), (0, *padding), (1, *dilation),
        ((0, 0), *pads), (1, *output),
    )  # fmt: skip


def _short(values: Shape) -> Any:
    """One number for all axes, where they agree."""
    return values[0] if len(set(values)) == 1 else values


# --- The maximum --------------------------------------------------------------------------------


@overload
def max_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: Literal[False] = False,
) -> Tensor: ...  # fmt: skip
@overload
def max_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, *, return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...  # fmt: skip
def max_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """`max_pool2d` along one axis, of (N, C, L) or (C, L).

    >>> max_pool1d(tc.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    return _max_pool(1, return_indices, input, kernel_size, stride, padding, dilation, ceil_mode)


@overload
def max_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: Literal[False] = False,
) -> Tensor: ...  # fmt: skip
@overload
def max_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, *, return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...  # fmt: skip
def max_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The maximum of each window of images (N, C, H, W): (N, C, P, Q).

    The input may come without N. `stride` is `kernel_size` by default. Padding counts as −∞, and
    NaN is passed on. P = ⌊(H + 2 padding − dilation (kernel_size − 1) − 1) / stride⌋ + 1; with
    `ceil_mode` ⌈⌉, but no window starts in the padding behind.

    With `return_indices` the result is (maxima, indices): int64, the place of each maximum in its
    flat H · W plane. The first maximum of a window, in row-major order, gets its whole gradient.
    Raises RuntimeError for a padding of more than half the kernel, and for windows without room.

    >>> x = tc.tensor([[[1.0, 3.0], [4.0, 2.0]]])
    >>> max_pool2d(x, 2, return_indices=True)
    (tensor([[[4.]]]), tensor([[[2]]]))
    """
    return _max_pool(2, return_indices, input, kernel_size, stride, padding, dilation, ceil_mode)


@overload
def max_pool3d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: Literal[False] = False,
) -> Tensor: ...  # fmt: skip
@overload
def max_pool3d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, *, return_indices: Literal[True],
) -> tuple[Tensor, Tensor]: ...  # fmt: skip
def max_pool3d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    dilation: Ints = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """`max_pool2d` along three axes, of (N, C, D, H, W) or (C, D, H, W).

    >>> max_pool3d(tc.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[7.]]]])
    """
    return _max_pool(3, return_indices, input, kernel_size, stride, padding, dilation, ceil_mode)


def _max_pool(n: int, return_indices: bool, input: Any, *given: Any) -> Any:
    at = _windows_of(("", "max_pool1d", "max_pool2d", "max_pool3d")[n], n, input, *given)
    if input._array.dtype.kind == "b":
        check_kind(f"max_pool{n}d", input, NUMBERS)
    plain, dilation = n == 2 and input._array.ndim == 4, at.dilation[-2:]
    x = input if plain else as_images(input, n)
    if n == 3:
        x = at.planes(x)
    y, taps = ops.max_pool2d(x, **at.plane, dilation=dilation)
    where = _places(x, taps, at.plane, dilation) if return_indices else None
    if n == 3:
        x, dilation = at.columns(y), (at.dilation[0], 1)
        y, taps = ops.max_pool2d(x, **at.depth, dilation=dilation)
        y = at.volumes(y)
        if where is not None:
            shape = x._array.shape
            d = _places(x, taps, at.depth, dilation) // shape[3]
            inside = np.take_along_axis(where.reshape(shape), np.maximum(d, 0), 2)
            place = d * math.prod(at.x_shape[3:]) + inside
            where = np.where((d < 0) | (inside < 0), -1, place)
    y = y if plain else restored(y, n, input._array.ndim)
    return y if where is None else (y, wrap(where.reshape(y._array.shape)))


def _places(x: Any, taps: Any, how: dict[str, Any], dilation: Shape) -> np.ndarray:
    """The place of each maximum in its flat plane; −1 for a window of padding alone."""
    at = {key: how[key] for key in ("kernel_size", "stride", "padding")}
    return ops.max_pool2d_positions(taps._array, x_shape=x._array.shape, **at, dilation=dilation)


# --- The mean -----------------------------------------------------------------------------------


@numpys_names
def avg_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints = (), padding: Ints = 0,
    ceil_mode: bool = False, count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """`avg_pool2d` along one axis, of (N, C, L) or (C, L). `stride` is `kernel_size` by default.

    >>> avg_pool1d(tc.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    return average(1, count_include_pad, None, input, kernel_size, stride, padding, ceil_mode)


@numpys_names
def avg_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """The mean of each window of images (N, C, H, W): (N, C, P, Q), sizes as in `max_pool2d`.

    The input may come without N. The mean divides by the number of cells in the window: cells of
    padding count with `count_include_pad`, and cells beyond the padding, which `ceil_mode` reaches,
    never count. `divisor_override` replaces this number. Raises RuntimeError as `max_pool2d`, for a
    divisor of 0, and for another dtype than of floating point.

    >>> avg_pool2d(tc.tensor([[[1.0, 3.0], [4.0, 2.0]]]), (1, 2))
    tensor([[[2.],
             [3.]]])
    """
    return average(
        2, count_include_pad, divisor_override, input, kernel_size, stride, padding, ceil_mode
    )


@numpys_names
def avg_pool3d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """`avg_pool2d` along three axes, of (N, C, D, H, W) or (C, D, H, W).

    >>> avg_pool3d(tc.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[3.5000]]]])
    """
    return average(
        3, count_include_pad, divisor_override, input, kernel_size, stride, padding, ceil_mode
    )


def average(
    n: int, padded: bool, divisor_override: int | None, input: Any, kernel_size: Any, stride: Any,
    padding: Any, ceil_mode: bool,
) -> Any:  # fmt: skip
    """The mean of each window along n axes. `padded`: cells of padding count."""
    name = ("", "avg_pool1d", "avg_pool2d", "avg_pool3d")[n]
    whole = not isinstance(input, Tensor) or input._array.dtype.kind not in FLOATING
    if whole:
        tensors(name, input=input)
        one_dtype(name, integer.LONG, input=input)
    if divisor_override == 0:
        raise RuntimeError(f"{name}: divisor must be not zero")
    at = _windows_of(name, n, input, kernel_size, stride, padding, 1, ceil_mode)
    divisor = divisor_override or _cells(at, padded)
    if whole:
        y = integer.averaged(
            as_images(input, n)._array, kernel=at.kernel, stride=at.stride, pads=at.pads,
            output=at.output, divisor=divisor,
        )  # fmt: skip
        return restored(wrap(y), n, input._array.ndim)
    if n == 2 and input._array.ndim == 4:
        return ops.avg_pool2d(input, **at.plane, divisor=divisor)
    x = as_images(input, n)
    if n < 3:
        y = ops.avg_pool2d(x, **at.plane, divisor=divisor)
    else:
        if isinstance(divisor, np.ndarray):
            divisor = divisor.reshape(len(divisor), -1)
        y = at.columns(ops.avg_pool2d(at.planes(x), **at.plane, divisor=1))
        y = at.volumes(ops.avg_pool2d(y, **at.depth, divisor=divisor))
    return restored(y, n, input._array.ndim)


@lru_cache(maxsize=64)  # of arrays as large as a plane
def _cells(at: _Windows, padded: bool) -> Any:
    """The number of cells that each window averages: an array, or one number if all agree."""
    counts = []
    for m, k, s, p, o in zip(
        at.x_shape[2:], at.kernel, at.stride, at.padding, at.output, strict=True
    ):
        start = np.arange(o) * s - p
        low, high = (-p, m + p) if padded else (0, m)
        counts.append(np.minimum(start + k, high) - np.maximum(start, low))
    cells = reduce(np.multiply.outer, counts)
    return int(cells.flat[0]) if np.all(cells == cells.flat[0]) else cells


# --- The p-norm ---------------------------------------------------------------------------------


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """`lp_pool2d` along one axis, of (N, C, L) or (C, L).

    >>> lp_pool1d(tc.tensor([[3.0, 4.0, 0.0, 1.0]]), 2, 2)
    tensor([[5., 1.]])
    """
    return _lp_pool(input, 1, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """(Σ xᵖ)^(1/p) of each window of images (N, C, H, W), with p the `norm_type`.

    ∞ gives the maximum. The input may come without N. `stride` is `kernel_size` by default. Where
    the sum is 0 so is the gradient. Raises RuntimeError as `avg_pool2d`.

    >>> lp_pool2d(tc.tensor([[[3.0, 4.0]]]), 2, (1, 2))
    tensor([[[5.]]])
    """
    return _lp_pool(input, 2, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None,
    ceil_mode: bool = False,
) -> Tensor:  # fmt: skip
    """`lp_pool2d` along three axes, of (N, C, D, H, W) or (C, D, H, W).

    >>> lp_pool3d(tc.tensor([[[[3.0, 4.0]]]]), 2, (1, 1, 2))
    tensor([[[[5.]]]])
    """
    return _lp_pool(input, 3, norm_type, kernel_size, stride, ceil_mode)


@in_float32
def _lp_pool(input: Any, n: int, norm_type: float, kernel_size: Any, *given: Any) -> Any:
    """(Σ xᵖ)^(1/p) of each window. sign(t) |t| is t, but has the gradient 0 at t = 0."""
    name = f"lp_pool{n}d"
    tensors(name, input=input)
    if input._array.dtype.kind not in FLOATING:
        input = ops.cast(input, dtype=get_default_dtype())
    stride, ceil_mode = given
    if math.isinf(norm_type):
        sign = math.copysign(1.0, norm_type)
        magnitude = sign * functions.abs(input)
        return sign * _max_pool(n, False, magnitude, kernel_size, stride, 0, 1, ceil_mode)
    count = math.prod(sizes(name, "kernel_size", kernel_size, 1, n))
    mean = average(n, True, None, input**norm_type, kernel_size, stride, 0, ceil_mode)
    total = functions.sign(mean) * functions.relu(functions.abs(mean)) * float(count)
    return total ** (1.0 / norm_type)
