"""Images to another size or arrangement: interpolation, windows as columns, shuffles of channels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import functions, ops
from ...ops.sparse import cubic, linear, nearest, windows
from .check import floating, sizes, tensors
from .pool import _adaptive_avg

__all__ = [
    "channel_shuffle", "fold", "interpolate", "pixel_shuffle", "pixel_unshuffle", "unfold",
    "upsample", "upsample_bilinear", "upsample_nearest",
]  # fmt: skip

_AXES = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}  # those that a mode is for
_ANY = ("nearest", "nearest-exact", "area")


def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:  # fmt: skip
    """Images (N, C, ..) resized to `size`, or by `scale_factor`: a number, or one for each axis.

    `mode` is nearest, nearest-exact, area (adaptive averages), linear, bilinear, bicubic or trilinear
    (of one, two, two and three axes of space). Cells are squares whose corners are kept, or, with
    `align_corners`, points of which the outermost are kept. A scale_factor is used as it is, not
    ⌊size · factor⌋ / size, unless `recompute_scale_factor`. Raises ValueError for settings that
    exclude each other, NotImplementedError for a mode that is not of that number of axes, and for
    `antialias`.

    >>> import tinygrad_cnn as tc
    >>> interpolate(tc.tensor([[[0.0, 2.0]]]), scale_factor=2, mode="linear")
    tensor([[[0.0000, 0.5000, 1.5000, 2.0000]]])
    """
    tensors("interpolate", input=input)
    shape = input._array.shape
    n = len(shape) - 2
    if mode in _ANY and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | "
            f"bicubic | trilinear, got {mode!r}"
        )
    size, factors = _size(shape, size, scale_factor, bool(recompute_scale_factor) or mode == "area")
    if recompute_scale_factor and scale_factor is None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    if antialias:
        raise NotImplementedError("interpolate: antialias is not there")
    if not 1 <= n <= 3 or (mode not in _ANY and _AXES.get(mode) != n):
        wanted = f"{mode} mode needs {_AXES[mode] + 2}D input" if mode in _AXES else "not there"
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
        return _adaptive_avg(n, input, size)
    floating("interpolate", input=input)
    for dim, (before, after, factor) in enumerate(zip(shape[2:], size, factors, strict=True), 2):
        if align_corners:
            step = (before - 1) / (after - 1) if after > 1 else 0.0
        elif factor is None or (mode == "nearest" and n == 2 and after in (before, 2 * before)):
            step = before / after
        else:
            step = 1 / factor
        if mode.startswith("nearest"):  # of images PyTorch finds the cells in float32
            precision = np.float32 if n == 2 else input._array.dtype.type
            matrix = nearest(before, after, step, mode == "nearest-exact", precision)
        else:
            curve = cubic if mode == "bicubic" else linear
            matrix = curve(before, after, step, bool(align_corners))
        input = ops.resample(input, dim=dim, matrix=matrix)
    return input


def _size(shape: Any, size: Any, scale_factor: Any, recompute: bool) -> tuple[Any, Any]:
    """The size of each axis of space, and the factors of those that were given by one, else None."""
    if (size is None) == (scale_factor is None):
        few = "either" if size is None else "only one of"
        raise ValueError(f"{few} size or scale_factor should be defined")
    n, what = len(shape) - 2, "output size" if scale_factor is None else "scale_factor"
    given = size if scale_factor is None else scale_factor
    values = tuple(given) if isinstance(given, (tuple, list)) else (given,) * n
    if len(values) != n:
        raise ValueError(
            f"Input and {what} must have the same number of spatial dimensions, but got input with "
            f"spatial dimensions of {list(shape[2:])} and {what} of {given}"
        )
    if scale_factor is not None:
        grown = tuple(math.floor(m * f) for m, f in zip(shape[2:], values, strict=True))
        return grown, (None,) * n if recompute else values
    if any(isinstance(v, (float, bool)) or not hasattr(v, "__index__") for v in values):
        raise TypeError(f"expected size to be one of int or Tuple[int], but got {size!r}")
    return tuple(int(v) for v in values), (None,) * n


def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None,
) -> Any:  # fmt: skip
    """`interpolate`, by its older name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` of mode nearest, by its older name."""
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """`interpolate` of mode bilinear with align_corners, by its older name."""
    return interpolate(input, size, scale_factor, "bilinear", True)


# --- Windows ------------------------------------------------------------------------------------


def _window_axes(name: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    """(taps, stride, padding, dilation) of both axes."""
    return list(
        zip(
            sizes(name, "kernel_size", kernel_size, 1, 2),
            sizes(name, "stride", stride, 1, 2),
            sizes(name, "padding", padding, 0, 2),
            sizes(name, "dilation", dilation, 1, 2),
            strict=True,
        )
    )


def _count(name: str, size: int, taps: int, stride: int, padding: int, dilation: int) -> int:
    """How many windows an axis has; RuntimeError where there is none."""
    room = size + 2 * padding - dilation * (taps - 1) - 1
    if room < 0:
        raise RuntimeError(
            f"{name}: the calculated shape of the array of sliding blocks must be at least one: "
            f"{size} cells with padding {padding} for a window that spans {dilation * (taps - 1) + 1}"
        )
    return room // stride + 1


def unfold(
    input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """The windows of images (N, C, H, W) as columns: (N, C·I·J, P·Q), zero in the padding.

    Or (C, H, W) to (C·I·J, P·Q). A convolution is a product of its weight with these.

    >>> import tinygrad_cnn as tc
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
    input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
    stride: Any = 1,
) -> Any:  # fmt: skip
    """The adjoint of `unfold`: columns (N, C·I·J, P·Q) as images (N, C, H, W), added where they meet."""
    tensors("fold", input=input)
    axes = _window_axes("fold", kernel_size, dilation, padding, stride)
    h, w = sizes("fold", "output_size", output_size, 1, 2)
    shape = input._array.shape
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero "
            f"dimensions for input, but got: {list(shape)}"
        )
    (i, *_), (j, *_) = axes
    p, q = (_count("fold", m, *how) for m, how in zip((h, w), axes, strict=True))
    *lead, rows, columns = shape
    if rows % (i * j) or columns != p * q:
        raise RuntimeError(
            f"fold: Expected size of input's dimension {len(lead)} to be divisible by the product "
            f"of kernel_size {(i, j)}, and dimension {len(lead) + 1} to match the number of sliding "
            f"blocks, {p} * {q}, but got: {list(shape)}"
        )
    c = rows // (i * j)
    y = functions.reshape(input, (math.prod(lead), c, i, j, p, q))
    y = functions.reshape(functions.permute(y, (0, 1, 2, 4, 3, 5)), (-1, c, i * p, j * q))
    for dim, (size, how) in enumerate(zip((h, w), axes, strict=True), 2):
        y = ops.resample(y, dim=dim, matrix=windows(size, *how).T)
    return functions.reshape(y, (*lead, c, h, w))


# --- Channels -----------------------------------------------------------------------------------


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """(.., C r², H, W) as (.., C, H r, W r): channels become the cells of r · r squares."""
    return _shuffled("pixel_shuffle", input, upscale_factor, 1)


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """(.., C, H r, W r) as (.., C r², H, W): the inverse of `pixel_shuffle`."""
    return _shuffled("pixel_unshuffle", input, downscale_factor, -1)


def _shuffled(name: str, x: Any, r: int, way: int) -> Any:
    tensors(name, input=x)
    shape = x._array.shape
    if len(shape) < 3:
        raise RuntimeError(f"{name} expects input to have at least 3 dimensions, but got {shape}")
    if r <= 0:
        raise RuntimeError(f"{name} expects a positive factor, but got {r}")
    *lead, c, h, w = shape
    if c % (r * r) if way > 0 else h % r or w % r:
        what = "its channels to be divisible by the factor²" if way > 0 else (
            "height and width to be divisible by the factor"
        )  # fmt: skip
        raise RuntimeError(f"{name} expects {what}, but got input {shape} and factor {r}")
    k = range(len(lead))
    c, h, w = (c // (r * r), h * r, w * r) if way > 0 else (c * r * r, h // r, w // r)
    n = len(lead)
    if way > 0:
        x = functions.reshape(x, (*lead, c, r, r, h // r, w // r))
        x = functions.permute(x, (*k, n, n + 3, n + 1, n + 4, n + 2))
    else:
        x = functions.reshape(x, (*lead, c // (r * r), h, r, w, r))
        x = functions.permute(x, (*k, n, n + 2, n + 4, n + 1, n + 3))
    return functions.reshape(x, (*lead, c, h, w))


def channel_shuffle(input: Any, groups: int) -> Any:
    """The channels of (N, C, ..) dealt out: of C = groups · k, channel g k + i goes to i groups + g."""
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
