"""Images in another size or arrangement: interpolation, windows as columns, shuffled channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import functions, ops
from ...engine import wrap
from ...engine.dtypes import float32, uint8
from ...functions.arguments import tensors
from ...functions.public import numpys_names
from ...tensor import Tensor
from ...types import Ints
from . import integer
from .adaptive_pool import adaptive_average
from .check import Shape, floating, sizes
from .matrices import cubic, linear, nearest, windows

__all__ = [
    "channel_shuffle", "fold", "interpolate", "pixel_shuffle", "pixel_unshuffle", "unfold",
    "upsample", "upsample_bilinear", "upsample_nearest",
]  # fmt: skip

_AXES = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}  # axes of space of these modes
_ANY = ("nearest", "nearest-exact", "area")  # modes for any number of them


def interpolate(
    input: Tensor, size: Ints | None = None,
    scale_factor: float | Sequence[float] | None = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:  # fmt: skip
    """Images (N, C, ..) resized to `size`, or by `scale_factor`: a number, or one for each axis.

    `mode` is "nearest", "nearest-exact" or "area" (adaptive averages) for one to three axes of
    space; "linear" for one, "bilinear" or "bicubic" for two, "trilinear" for three. Cells are
    squares, and the corners of the image stay. With `align_corners` cells are points, and the
    outermost points stay. Steps are 1 / scale_factor; with `recompute_scale_factor` they are the
    ratio of the two sizes.

    Raises ValueError for settings that exclude each other, NotImplementedError for a mode of
    another number of axes, for `antialias`, and unless the input is of floating point. The nearest
    modes, "bilinear" and "bicubic" take uint8, too: its values are rounded after each axis.

    >>> interpolate(tc.tensor([[[0.0, 2.0]]]), scale_factor=2, mode="linear")
    tensor([[[0.0000, 0.5000, 1.5000, 2.0000]]])
    """
    tensors("interpolate", input=input)
    shape = input._array.shape
    n = len(shape) - 2
    if mode in _ANY and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear "
            f"| bicubic | trilinear, got {mode!r}"
        )
    given = size
    size, factors = _size(shape, size, scale_factor, bool(recompute_scale_factor) or mode == "area")
    if recompute_scale_factor and scale_factor is None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    if antialias:
        raise NotImplementedError("interpolate: antialias is not supported")
    if not 1 <= n <= 3 or (mode not in _ANY and _AXES.get(mode) != n):
        wanted = f"{mode} mode needs {_AXES[mode] + 2}D input" if mode in _AXES else "not supported"
        raise NotImplementedError(
            f"Got {n + 2}D input, but {wanted}: the modes are {', '.join((*_ANY, *_AXES))}, of 3D, "
            f"4D and 5D input (got {mode})"
        )
    if min(size) < 1 or 0 in shape[1:]:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {shape} and output "
            f"size {size}"
        )
    if mode == "area":
        return adaptive_average(n, input, size)
    if input._array.dtype == uint8 and mode.startswith("nearest"):  # pictures; float32 is exact
        return ops.cast(
            interpolate(
                ops.cast(input, dtype=float32), given, scale_factor, mode, None,
                recompute_scale_factor,
            ),
            dtype=uint8,
        )  # fmt: skip
    in_bytes = input._array.dtype == uint8 and n == 2
    if not in_bytes:
        floating("interpolate", input=input)
    matrices = []
    for before, after, factor in zip(shape[2:], size, factors, strict=True):
        if align_corners:
            step = (before - 1) / (after - 1) if after > 1 else 0.0
        elif factor is None or (mode == "nearest" and n == 2 and after in (before, 2 * before)):
            step = before / after
        else:
            step = 1 / factor
        if mode.startswith("nearest"):  # PyTorch computes the cells of planes in float32
            precision: Any = np.float32 if n == 2 else input._array.dtype.type
            matrices.append(nearest(before, after, step, mode == "nearest-exact", precision))
        else:
            curve = cubic if mode == "bicubic" else linear
            if curve is linear and before == after:  # an axis that keeps its size is left alone
                step = 1.0
            matrices.append(curve(before, after, step, bool(align_corners)))
    if in_bytes:
        return wrap(integer.resized(input._array, matrices))
    for dim, matrix in enumerate(matrices, 2):
        input = ops.resample(input, dim=dim, matrix=matrix)
    return input


def _size(shape: Shape, size: Any, scale_factor: Any, recompute: bool) -> tuple[Shape, Any]:
    """The new size of each axis of space, and its factor, or None where the sizes give it."""
    if (size is None) == (scale_factor is None):
        few = "either" if size is None else "only one of"
        raise ValueError(f"{few} size or scale_factor should be defined")
    n, name = len(shape) - 2, "output size" if scale_factor is None else "scale_factor"
    given = size if scale_factor is None else scale_factor
    values = tuple(given) if isinstance(given, (tuple, list)) else (given,) * n
    if len(values) != n:
        raise ValueError(
            f"Input and {name} must have the same number of spatial dimensions, but got input with "
            f"spatial dimensions of {list(shape[2:])} and {name} of {given}"
        )
    if scale_factor is not None:
        if not all(0 < m * f < 2**31 for m, f in zip(shape[2:], values, strict=True)):
            raise RuntimeError(
                f"interpolate: wanted positive scale factors, and sizes below 2³¹, but got scale_factor "
                f"{given} for an input of size {list(shape)}"
            )
        grown = tuple(math.floor(m * f) for m, f in zip(shape[2:], values, strict=True))
        return grown, (None,) * n if recompute else values
    if any(isinstance(v, (float, bool)) or not hasattr(v, "__index__") for v in values):
        raise TypeError(f"expected size to be one of int or Tuple[int], but got {size!r}")
    return tuple(int(v) for v in values), (None,) * n


def upsample(
    input: Tensor, size: Ints | None = None,
    scale_factor: float | Sequence[float] | None = None, mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:  # fmt: skip
    """The older name of `interpolate`.

    >>> upsample(tc.tensor([[[0.0, 2.0]]]), scale_factor=2)
    tensor([[[0., 0., 2., 2.]]])
    """
    tensors("upsample", input=input)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Tensor, size: Ints | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """The older name of `interpolate` with mode "nearest".

    >>> upsample_nearest(tc.tensor([[[0.0, 2.0]]]), size=4)
    tensor([[[0., 0., 2., 2.]]])
    """
    tensors("upsample_nearest", input=input)
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(
    input: Tensor, size: Ints | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """The older name of `interpolate` with mode "bilinear" and align_corners.

    >>> upsample_bilinear(tc.tensor([[[[0.0, 2.0]]]]), size=(1, 3))
    tensor([[[[0., 1., 2.]]]])
    """
    tensors("upsample_bilinear", input=input)
    return interpolate(input, size, scale_factor, "bilinear", True)


# --- Windows ------------------------------------------------------------------------------------


def _window_axes(name: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    """(taps, stride, padding, dilation) of both axes, checked."""
    settings = (
        sizes(name, "kernel_size", kernel_size, 1, 2), sizes(name, "stride", stride, 1, 2),
        sizes(name, "padding", padding, 0, 2), sizes(name, "dilation", dilation, 1, 2),
    )  # fmt: skip
    return list(zip(*settings, strict=True))


def _count(name: str, size: int, taps: int, stride: int, padding: int, dilation: int) -> int:
    """The number of windows along an axis. RuntimeError if there is none."""
    room = size + 2 * padding - dilation * (taps - 1) - 1
    if room < 0:
        raise RuntimeError(
            f"{name}: the calculated shape of the array of sliding blocks must be at least one: "
            f"{size} cells with padding {padding} for a window that spans "
            f"{dilation * (taps - 1) + 1}"
        )
    return room // stride + 1


def unfold(
    input: Tensor, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
) -> Tensor:
    """The windows of images (N, C, H, W) as columns: (N, C·I·J, P·Q), with zeros in the padding.

    (C, H, W) gives (C·I·J, P·Q). A convolution is a product of its weight with these columns.
    Raises RuntimeError for another number of axes, and for windows without room.

    >>> unfold(tc.arange(6.0).reshape(1, 1, 2, 3), 2)
    tensor([[[0., 1.],
             [1., 2.],
             [3., 4.],
             [4., 5.]]])
    """
    tensors("unfold", input=input)
    axes = _window_axes("unfold", kernel_size, dilation, padding, stride)
    shape = input._array.shape
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(shape)}"
        )
    *lead, c, h, w = shape
    (i, *_), (j, *_) = axes
    p, q = (_count("unfold", m, *how) for m, how in zip((h, w), axes, strict=True))
    y = functions.reshape(input, (math.prod(lead), c, h, w))
    for dim, (size, how) in enumerate(zip((h, w), axes, strict=True), 2):
        y = ops.resample(y, dim=dim, matrix=windows(size, *how))
    y = functions.permute(functions.reshape(y, (-1, c, i, p, j, q)), (0, 1, 2, 4, 3, 5))
    return functions.reshape(y, (*lead, c * i * j, p * q))


def fold(
    input: Tensor, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0,
    stride: Ints = 1,
) -> Tensor:  # fmt: skip
    """The adjoint of `unfold`: columns (N, C·I·J, P·Q) as images (N, C, H, W).

    Windows that overlap are added. `output_size` is (H, W). (C·I·J, P·Q) gives (C, H, W). Raises
    RuntimeError for columns that do not fit the settings.

    >>> fold(tc.ones(1, 2, 2), output_size=(1, 3), kernel_size=(1, 2))
    tensor([[[[1., 2., 1.]]]])
    """
    tensors("fold", input=input)
    axes = _window_axes("fold", kernel_size, dilation, padding, stride)
    h, w = sizes("fold", "output_size", output_size, 1, 2)
    shape = input._array.shape
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and "
            f"non-zero dimensions for input, but got: {list(shape)}"
        )
    (i, *_), (j, *_) = axes
    p, q = (_count("fold", m, *how) for m, how in zip((h, w), axes, strict=True))
    *lead, rows, columns = shape
    if rows % (i * j) or columns != p * q:
        raise RuntimeError(
            f"fold: Expected size of input's dimension {len(lead)} to be divisible by the product "
            f"of kernel_size {(i, j)}, and dimension {len(lead) + 1} to match the number of "
            f"sliding blocks, {p} * {q}, but got: {list(shape)}"
        )
    c = rows // (i * j)
    y = functions.reshape(input, (math.prod(lead), c, i, j, p, q))
    y = functions.reshape(functions.permute(y, (0, 1, 2, 4, 3, 5)), (-1, c, i * p, j * q))
    for dim, (size, how) in enumerate(zip((h, w), axes, strict=True), 2):
        y = ops.resample(y, dim=dim, matrix=windows(size, *how).T)
    return functions.reshape(y, (*lead, c, h, w))


# --- Channels -----------------------------------------------------------------------------------


@numpys_names
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(.., C r², H, W) as (.., C, H r, W r): r² channels become the cells of a square r · r.

    r is the `upscale_factor`. Raises RuntimeError for channels that r² does not divide.

    >>> pixel_shuffle(tc.arange(4.0).reshape(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    tensors("pixel_shuffle", input=input)
    *lead, c, h, w = _images("pixel_shuffle", input, upscale_factor)
    r, n = upscale_factor, len(lead)
    if c % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its channels to be divisible by the factor², but got input "
            f"{input._array.shape} and factor {r}"
        )
    x = functions.reshape(input, (*lead, c // (r * r), r, r, h, w))
    x = functions.permute(x, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return functions.reshape(x, (*lead, c // (r * r), h * r, w * r))


@numpys_names
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(.., C, H r, W r) as (.., C r², H, W): the inverse of `pixel_shuffle`.

    r is the `downscale_factor`. Raises RuntimeError for sizes that r does not divide.

    >>> pixel_unshuffle(tc.tensor([[[0.0, 1.0]]]).expand(1, 2, 2), 2).reshape(-1)
    tensor([0., 1., 0., 1.])
    """
    tensors("pixel_unshuffle", input=input)
    *lead, c, h, w = _images("pixel_unshuffle", input, downscale_factor)
    r, n = downscale_factor, len(lead)
    if h % r or w % r:
        raise RuntimeError(
            "pixel_unshuffle expects height and width to be divisible by the factor, but got input "
            f"{input._array.shape} and factor {r}"
        )
    x = functions.reshape(input, (*lead, c, h // r, r, w // r, r))
    x = functions.permute(x, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return functions.reshape(x, (*lead, c * r * r, h // r, w // r))


def _images(name: str, x: Any, factor: int) -> Shape:
    """The shape (.., C, H, W) of x. RuntimeError for fewer axes, and for a factor below 1."""
    shape: Shape = x._array.shape
    if len(shape) < 3:
        raise RuntimeError(f"{name} expects input to have at least 3 dimensions, but got {shape}")
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive factor, but got {factor}")
    return shape


@numpys_names
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels of (N, C, ..) in another order, in which neighbours are of different groups.

    Of C = groups · k channels, channel g k + i goes to place i groups + g. Same shape. Raises
    RuntimeError for less than three axes, and for groups that do not divide C. (Zhang et al. 2018,
    ShuffleNet.)

    >>> channel_shuffle(tc.arange(4.0).reshape(1, 4, 1), 2).reshape(-1)
    tensor([0., 2., 1., 3.])
    """
    tensors("channel_shuffle", input=input)
    shape = input._array.shape
    if len(shape) < 3:
        raise RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}"
        )
    if groups <= 0:
        raise RuntimeError(
            f"Number of groups to divide channels in must be positive. Value of groups:{groups}"
        )
    if shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {shape[1]} channels and {groups} "
            "groups."
        )
    y = functions.reshape(input, (shape[0], groups, shape[1] // groups, *shape[2:]))
    return functions.reshape(functions.transpose(y, 1, 2), shape)
