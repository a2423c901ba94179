"""Pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import functions, kernels, ops
from ...graph import wrap
from ...ops.pool import averaging
from .check import floating, images, pair

__all__ = ["adaptive_avg_pool2d", "avg_pool2d", "max_pool2d"]


def _windows(
    name: str, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Any:
    """Kernel, stride, padding (reaching as far as the last window) and output size of a pooling."""
    kernel = pair(name, "kernel_size", kernel_size, 1)
    stride = kernel if stride is None or stride == [] else pair(name, "stride", stride, 1)
    pad = pair(name, "padding", padding, 0)
    dilation = pair(name, "dilation", dilation, 1)
    pads, output = [], []
    for n, k, s, p, d in zip(x._array.shape[2:], kernel, stride, pad, dilation, strict=True):
        if p > k // 2:
            raise RuntimeError(
                f"{name}: pad should be at most half of effective kernel size, but got padding="
                f"{padding}, kernel_size={kernel_size}"
            )
        room = n + 2 * p - d * (k - 1) - 1
        count = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (count - 1) * s >= n + p:
            count -= 1  # a last window that would start in the right padding
        if count < 1 or n == 0:
            raise RuntimeError(
                f"{name}: input of shape {x._array.shape} with kernel_size={kernel_size}, padding="
                f"{padding}, dilation={dilation}: output size is too small"
            )
        output.append(count)
        pads.append((p, max((count - 1) * s + d * (k - 1) + 1 - n - p, 0)))
    return kernel, stride, tuple(pads), dilation, tuple(output)


def max_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The maximum of each window of images (N, C, H, W); padding is −∞, NaN is passed on.

    The first maximum of a window, in row-major order, takes its whole gradient. `stride` is
    kernel_size unless told. With `return_indices` also where it stands, flat in the H · W plane.
    """
    x, single = images("max_pool2d", input)
    kernel, stride, pads, dilation, output = _windows(
        "max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode
    )
    y, taps = ops.max_pool2d(
        x, kernel_size=kernel, stride=stride, padding=pads, dilation=dilation, output_size=output
    )
    if single:
        y = functions.squeeze(y, 0)
    if not return_indices:
        return y
    where = kernels.max_pool2d_positions(
        taps._array, x._array.shape, kernel, stride, pads, dilation
    )
    return y, wrap(where[0] if single else where)


def avg_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of each window of images (N, C, H, W).

    Cells of padding count with `count_include_pad`, the overhang of `ceil_mode` never;
    `divisor_override` replaces the count.
    """
    x, single = images("avg_pool2d", input)
    floating("avg_pool2d", input=x)
    if divisor_override == 0:
        raise RuntimeError("avg_pool2d: divisor must be not zero")
    kernel, stride, pads, _, output = _windows(
        "avg_pool2d", x, kernel_size, stride, padding, 1, ceil_mode
    )
    divisor = divisor_override or _cells(
        x._array.shape[2:], kernel, stride, pair("", "", padding, 0), output, count_include_pad
    )
    y = ops.avg_pool2d(
        x, kernel_size=kernel, stride=stride, padding=pads, output_size=output, divisor=divisor
    )
    return functions.squeeze(y, 0) if single else y


def _cells(sizes: Any, kernel: Any, stride: Any, padding: Any, output: Any, padded: bool) -> Any:
    """How many cells each window averages: a number where all agree, else (P, Q)."""
    counts = []
    for n, k, s, p, m in zip(sizes, kernel, stride, padding, output, strict=True):
        start = np.arange(m) * s - p
        low, high = (-p, n + p) if padded else (0, n)
        counts.append(np.minimum(start + k, high) - np.maximum(start, low))
    cells = counts[0][:, None] * counts[1]
    return int(cells.flat[0]) if np.all(cells == cells.flat[0]) else cells


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """Images averaged to `output_size` (None keeps a size): window p from ⌊pH/P⌋ to ⌈(p+1)H/P⌉."""
    x, single = images("adaptive_avg_pool2d", input)
    floating("adaptive_avg_pool2d", input=x)
    h, w = x._array.shape[2:]
    wanted = output_size if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    p, q = pair(
        "adaptive_avg_pool2d",
        "output_size",
        tuple(n if m is None else m for m, n in zip(wanted, (h, w), strict=True)),
        0,
    )
    if p and q and h % p == 0 and w % q == 0 and h and w:
        y = avg_pool2d(x, (h // p, w // q))
    else:  # windows of uneven sizes: rows of an averaging matrix for each axis
        dtype = x._array.dtype
        rows, columns = wrap(averaging(h, p, dtype)), wrap(averaging(w, q, dtype).T)
        y = ops.matmul(ops.matmul(rows.to(dtype), x), columns.to(dtype))
    return functions.squeeze(y, 0) if single else y
