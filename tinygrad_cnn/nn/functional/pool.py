"""Pooling over one, two or three axes.

All stand on pooling of planes: one axis is a plane of height 1; three are pooled in the plane first,
then along the depth, which finds the same first maximum.
"""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np

from ... import functions, ops
from ...engine import wrap
from ...functions.brackets import kept
from ...ops.pool import max_pool2d_positions
from ...ops.sparse import adaptive_windows, averaging
from .check import floating, sizes, spatial, tensors

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool2d", "adaptive_max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d", "max_pool2d", "max_pool3d",
    "max_unpool1d", "max_unpool2d", "max_unpool3d",
]  # fmt: skip


class _Windows:
    """Checked settings of a pooling: a value for each axis of space, the first of length 1 for 1d.

    `pads` reaches as far as the last window; `padding` is what was asked for.
    """

    def __init__(
        self, name: str, n: int, input: Any, kernel_size: Any, stride: Any, padding: Any,
        dilation: Any, ceil_mode: bool,
    ):  # fmt: skip
        x, self.single = spatial(name, input, n)
        kernel = sizes(name, "kernel_size", kernel_size, 1, n)
        stride = kernel if stride is None or stride == [] else sizes(name, "stride", stride, 1, n)
        pad = sizes(name, "padding", padding, 0, n)
        dilation = sizes(name, "dilation", dilation, 1, n)
        pads, output = [], []
        for m, k, s, p, d in zip(x._array.shape[2:], kernel, stride, pad, dilation, strict=True):
            if p > k // 2:
                raise RuntimeError(
                    f"{name}: pad should be at most half of effective kernel size, but got padding="
                    f"{padding}, kernel_size={kernel_size}"
                )
            room = m + 2 * p - d * (k - 1) - 1
            count = (-(-room // s) if ceil_mode else room // s) + 1
            if ceil_mode and (count - 1) * s >= m + p:
                count -= 1  # a last window that would start in the right padding
            if count < 1 or m == 0:
                raise RuntimeError(
                    f"{name}: input of shape {x._array.shape} with kernel_size={kernel_size}, "
                    f"padding={padding}, dilation={dilation}: output size is too small"
                )
            output.append(count)
            pads.append((p, max((count - 1) * s + d * (k - 1) + 1 - m - p, 0)))
        self.kernel, self.stride, self.padding, self.dilation = kernel, stride, pad, dilation
        self.pads, self.output, self.n = tuple(pads), tuple(output), n
        self.x = x
        if n == 1:
            self.x = functions.unsqueeze(x, 2)
            self.kernel, self.stride, self.padding = (1, *kernel), (1, *stride), (0, *pad)
            self.dilation, self.pads, self.output = (1, *dilation), ((0, 0), *pads), (1, *output)

    def plane(self) -> dict[str, Any]:
        """Of the last two axes, as ops take them."""
        return {
            "kernel_size": self.kernel[-2:], "stride": self.stride[-2:], "padding": self.pads[-2:],
            "output_size": self.output[-2:],
        }  # fmt: skip

    def depth(self) -> dict[str, Any]:
        """Of the first axis, those of the plane lying flat in the second."""
        return {
            "kernel_size": (self.kernel[0], 1), "stride": (self.stride[0], 1),
            "padding": (self.pads[0], (0, 0)),
            "output_size": (self.output[0], math.prod(self.output[1:])),
        }  # fmt: skip

    def planes(self) -> Any:
        """x as (N, C·D, H, W)."""
        shape = self.x._array.shape
        return functions.reshape(self.x, shape[0], math.prod(shape[1:-2]), *shape[-2:])

    def behind(self, y: Any) -> Any:
        """Pooled planes (N, C·D, P, Q) as (N, C, D, P·Q)."""
        n, c, d = self.x._array.shape[:3]
        return functions.reshape(y, n, c, d, math.prod(self.output[1:]))

    def shaped(self, y: Any) -> Any:
        """The result, as the input came."""
        if self.n == 3:
            y = functions.reshape(y, *y._array.shape[:2], *self.output)
        y = functions.squeeze(y, 2) if self.n == 1 else y
        return functions.squeeze(y, 0) if self.single else y


def _max_pool(n: int, return_indices: bool, *given: Any) -> Any:
    at = _Windows(f"max_pool{n}d", n, *given)
    x, how, dilation = at.x if n < 3 else at.planes(), at.plane(), at.dilation[-2:]
    y, taps = ops.max_pool2d(x, **how, dilation=dilation)
    del how["output_size"]
    where = None
    if return_indices:
        where = max_pool2d_positions(taps._array, x_shape=x._array.shape, **how, dilation=dilation)
    if n == 3:
        x, how, dilation = at.behind(y), at.depth(), (at.dilation[0], 1)
        y, taps = ops.max_pool2d(x, **how, dilation=dilation)
        del how["output_size"]
        if where is not None:
            shape = x._array.shape
            d = max_pool2d_positions(taps._array, x_shape=shape, **how, dilation=dilation)
            d //= shape[3]
            inside = np.take_along_axis(where.reshape(shape), np.maximum(d, 0), 2)
            place = d * math.prod(at.x._array.shape[3:]) + inside
            where = np.where((d < 0) | (inside < 0), -1, place)
    return at.shaped(y) if where is None else (at.shaped(y), at.shaped(wrap(where)))


def max_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """`max_pool2d` along one axis, of (N, C, L) or (C, L)."""
    return _max_pool(1, return_indices, input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The maximum of each window of images (N, C, H, W); padding is −∞, NaN is passed on.

    The first maximum of a window, in row-major order, takes its whole gradient. `stride` is
    kernel_size unless told. With `return_indices` also where it stands, flat in the H · W plane.
    """
    return _max_pool(2, return_indices, input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """`max_pool2d` along three axes, of (N, C, D, H, W) or (C, D, H, W)."""
    return _max_pool(3, return_indices, input, kernel_size, stride, padding, dilation, ceil_mode)


def _avg_pool(n: int, padded: bool, divisor_override: int | None, input: Any, *given: Any) -> Any:
    name = f"avg_pool{n}d"
    floating(name, input=input)
    if divisor_override == 0:
        raise RuntimeError(f"{name}: divisor must be not zero")
    kernel_size, stride, padding, ceil_mode = given
    at = _Windows(name, n, input, kernel_size, stride, padding, 1, ceil_mode)
    divisor: Any = divisor_override or _cells(at, padded)
    if n < 3:
        return at.shaped(ops.avg_pool2d(at.x, **at.plane(), divisor=divisor))
    y = at.behind(ops.avg_pool2d(at.planes(), **at.plane(), divisor=1))
    if isinstance(divisor, np.ndarray):
        divisor = divisor.reshape(len(divisor), -1)
    return at.shaped(ops.avg_pool2d(y, **at.depth(), divisor=divisor))


def _cells(at: _Windows, padded: bool) -> Any:
    """How many cells each window averages: a number where all agree, else (P, Q) or (O, P, Q)."""
    counts = []
    for m, k, s, p, o in zip(
        at.x._array.shape[2:], at.kernel, at.stride, at.padding, at.output, strict=True
    ):
        start = np.arange(o) * s - p
        low, high = (-p, m + p) if padded else (0, m)
        counts.append(np.minimum(start + k, high) - np.maximum(start, low))
    cells = reduce(np.multiply.outer, counts)
    return int(cells.flat[0]) if np.all(cells == cells.flat[0]) else cells


def avg_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:  # fmt: skip
    """`avg_pool2d` along one axis, of (N, C, L) or (C, L)."""
    return _avg_pool(1, count_include_pad, None, input, kernel_size, stride, padding, ceil_mode)


def avg_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of each window of images (N, C, H, W).

    Cells of padding count with `count_include_pad`, the overhang of `ceil_mode` never;
    `divisor_override` replaces the count.
    """
    return _avg_pool(
        2, count_include_pad, divisor_override, input, kernel_size, stride, padding, ceil_mode
    )


def avg_pool3d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """`avg_pool2d` along three axes, of (N, C, D, H, W) or (C, D, H, W)."""
    return _avg_pool(
        3, count_include_pad, divisor_override, input, kernel_size, stride, padding, ceil_mode
    )


def _lp_pool(n: int, input: Any, norm_type: float, kernel_size: Any, *given: Any) -> Any:
    """(Σ xᵖ)^(1/p) of each window; a sum below 0 counts by its magnitude, with its sign."""
    name = f"lp_pool{n}d"
    floating(name, input=input)
    stride, ceil_mode = given
    if math.isinf(norm_type):
        sign = math.copysign(1.0, norm_type)
        magnitude = sign * functions.abs(input)
        return sign * _max_pool(n, False, magnitude, kernel_size, stride, 0, 1, ceil_mode)
    count = math.prod(sizes(name, "kernel_size", kernel_size, 1, n))
    mean = _avg_pool(n, True, None, input**norm_type, kernel_size, stride, 0, ceil_mode)
    total = functions.sign(mean) * functions.relu(functions.abs(mean)) * float(count)
    return total ** (1.0 / norm_type)


def lp_pool1d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """`lp_pool2d` along one axis, of (N, C, L) or (C, L)."""
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """(Σ xᵖ)^(1/p) of each window of images (N, C, H, W), p the `norm_type`; of ∞ the maximum."""
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """`lp_pool2d` along three axes, of (N, C, D, H, W) or (C, D, H, W)."""
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


# --- To a size that is asked for ----------------------------------------------------------------


def _adaptive(name: str, n: int, input: Any, output_size: Any) -> tuple[Any, bool, Any]:
    """x with a batch axis, whether it came without, and the size for each axis of space."""
    x, single = spatial(name, input, n)
    plane = x._array.shape[2:]
    wanted = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,)
    if len(wanted) == 1:
        wanted *= n
    if len(wanted) == n:
        wanted = tuple(m if size is None else size for m, size in zip(plane, wanted, strict=True))
    wanted = sizes(name, "output_size", wanted, 0, n)
    if 0 in plane:
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input "
            f"has shape {x._array.shape}"
        )
    return x, single, wanted


def _adaptive_avg(n: int, input: Any, output_size: Any) -> Any:
    name = f"adaptive_avg_pool{n}d"
    floating(name, input=input)
    x, single, wanted = _adaptive(name, n, input, output_size)
    plane = x._array.shape[2:]
    if all(m and size % m == 0 for size, m in zip(plane, wanted, strict=True)):
        kernel = tuple(size // m for size, m in zip(plane, wanted, strict=True))
        y = _avg_pool(n, True, None, x, kernel, None, 0, False)
    else:  # windows of uneven sizes
        y = x
        for dim, (size, m) in enumerate(zip(plane, wanted, strict=True), 2):
            y = y if m == size else ops.resample(y, dim=dim, matrix=averaging(size, m))
    return functions.squeeze(y, 0) if single else y


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """`adaptive_avg_pool2d` along one axis, of (N, C, L) or (C, L)."""
    return _adaptive_avg(1, input, output_size)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """Images averaged to `output_size` (None keeps a size): window p from ⌊pH/P⌋ to ⌈(p+1)H/P⌉."""
    return _adaptive_avg(2, input, output_size)


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """`adaptive_avg_pool2d` along three axes, of (N, C, D, H, W) or (C, D, H, W)."""
    return _adaptive_avg(3, input, output_size)


def _adaptive_max(n: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    x, single, wanted = _adaptive(f"adaptive_max_pool{n}d", n, input, output_size)
    where = _first_maxima(x._array, wanted)  # (N, C, P, Q), flat in the plane
    lead = x._array.shape[:2]
    flat = functions.reshape(x, *lead, math.prod(x._array.shape[2:]))
    y = ops.gather(flat, where.reshape(*lead, math.prod(wanted)), dim=2)
    shape = x._array.shape[1:2] + wanted if single else lead + wanted
    y = functions.reshape(y, *shape)
    return (y, wrap(where.reshape(shape))) if return_indices else y


def _first_maxima(x: np.ndarray, wanted: tuple[int, ...]) -> np.ndarray:
    """Where the first maximum of each adaptive window of x (N, C, ..) stands, flat in the plane.

    One axis after the other, the last first: the first row that has the maximum, its first column.
    """
    where = np.arange(math.prod(x.shape[2:])).reshape(x.shape[2:])
    where = np.broadcast_to(where, x.shape)
    for axis in range(x.ndim - 1, 1, -1):
        start, end = adaptive_windows(x.shape[axis], wanted[axis - 2])
        taps = np.arange((end - start).max(initial=0))
        cells = np.minimum(start[:, None] + taps, end[:, None] - 1)  # (P, taps)
        best = x.take(cells, axis).argmax(
            axis + 1
        )  # the last cell, again, is not the first maximum
        column = (-1,) + (1,) * (x.ndim - axis - 1)
        best += start.reshape(column)
        x, where = np.take_along_axis(x, best, axis), np.take_along_axis(where, best, axis)
    return where


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """`adaptive_max_pool2d` along one axis, of (N, C, L) or (C, L)."""
    return _adaptive_max(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of the windows of `adaptive_avg_pool2d`; of ties the first takes the gradient.

    With `return_indices` also where they stand, flat in the H · W plane.
    """
    return _adaptive_max(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """`adaptive_max_pool2d` along three axes, of (N, C, D, H, W) or (C, D, H, W)."""
    return _adaptive_max(3, input, output_size, return_indices)


# --- Back to where the maxima stood -------------------------------------------------------------


def _max_unpool(
    n: int, input: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    name = f"max_unpool{n}d"
    tensors(name, indices=indices)
    x, single = spatial(name, input, n)
    at = indices._array[None] if single else indices._array
    if at.dtype != np.int64 or at.shape != x._array.shape:
        raise RuntimeError(
            f"{name}: indices must be int64, of the shape of the input {input._array.shape}, got "
            f"{indices._array.dtype} {indices._array.shape}"
        )
    kernel = sizes(name, "kernel_size", kernel_size, 1, n)
    steps = kernel if stride is None else sizes(name, "stride", stride, 1, n)
    pads = sizes(name, "padding", padding, 0, n)
    axes = zip(x._array.shape[2:], kernel, steps, pads, strict=True)
    plane = usual = tuple((p - 1) * s + k - 2 * pad for p, k, s, pad in axes)
    if output_size is not None:
        plane = tuple(output_size)[-n:]
        if len(output_size) not in (n, n + 2):
            raise ValueError(
                f"output_size should be a sequence containing {n} or {n + 2} elements, but it has "
                f"a length of '{len(output_size)}'"
            )
        for m, size, s in zip(plane, usual, steps, strict=True):
            if abs(m - size) >= s:
                raise ValueError(
                    f'invalid output_size "{output_size}": {name} makes {usual}, or sizes that '
                    f"differ from these by less than the stride {steps}"
                )
    lead, count = x._array.shape[:2], math.prod(plane)
    if at.size and (at.min() < 0 or at.max() >= count):
        raise RuntimeError(
            f"Found an invalid max index: {at.max() if at.min() >= 0 else at.min()} (output volumes "
            f"are of size {'x'.join(map(str, plane))})"
        )
    whole = wrap(np.zeros((*lead, count), x._array.dtype))
    places = at.reshape(*lead, -1)
    image, channel = np.ogrid[: lead[0], : lead[1]]
    index = (image[..., None], channel[..., None], kept(places))
    y = ops.setitem(whole, functions.reshape(x, *places.shape), index=index)
    return functions.reshape(y, *(lead[1:] if single else lead), *plane)


def max_unpool1d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
    output_size: Any = None,
) -> Any:  # fmt: skip
    """`max_unpool2d` along one axis, of (N, C, L) or (C, L)."""
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
    output_size: Any = None,
) -> Any:  # fmt: skip
    """What `max_pool2d` returned, put back at its indices, in zeros.

    The size is the smallest that the pooling may have had, unless `output_size` says another. Of
    values for one place the last is taken, and gets the gradient.
    """
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0,
    output_size: Any = None,
) -> Any:  # fmt: skip
    """`max_unpool2d` along three axes, of (N, C, D, H, W) or (C, D, H, W)."""
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)
