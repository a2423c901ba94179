"""Convolution, average pooling and resizing of integers, outside autograd.

The ops and their kernels are made for floating point, and integers above 2⁵³ do not fit into it. Here
each tap (a position in the kernel) adds its products to all outputs, in the dtype of the input: sums
wrap around, as in PyTorch. Arrays are (N, C, ..), and each setting has a value for each axis of space.

Images of bytes are resized in fixed point, with weights of 15 bits, as PyTorch and Pillow do.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from ... import ops
from .check import Shape

ALL = ("int64", "int32", "int16", "int8", "uint8")  # the dtypes that linear and conv take
LONG = ("int64",)  # PyTorch's other layers take no more
Pads = tuple[tuple[int, int], ...]


def _taps(
    kernel: Shape, stride: Shape, dilation: Shape, output: Shape
) -> Iterator[tuple[Shape, tuple[Any, ...]]]:
    """Each tap, and the index of the cells that it meets in a padded array."""
    for tap in np.ndindex(*kernel):
        axes = zip(tap, stride, dilation, output, strict=True)
        cells = [slice(t * d, t * d + s * (o - 1) + 1, s) for t, s, d, o in axes]
        yield tap, (..., *cells)


def _groups(channels: int, groups: int) -> list[slice]:
    size = channels // groups
    return [slice(k * size, (k + 1) * size) for k in range(groups)]


def convolved(
    x: Any, w: Any, b: Any | None, *, stride: Shape, padding: Pads, dilation: Shape,
    groups: int,
) -> Any:  # fmt: skip
    """x ⋆ w + b: x (N, C, ..), w (F, C/groups, ..), b (F,) → (N, F, ..)."""
    x, kernel = np.pad(x, ((0, 0), (0, 0), *padding)), w.shape[2:]
    axes = zip(x.shape[2:], kernel, stride, dilation, strict=True)
    output = tuple((m - d * (k - 1) - 1) // s + 1 for m, k, s, d in axes)
    y = np.zeros((len(x), len(w), *output), x.dtype)
    of_x, of_y = _groups(x.shape[1], groups), _groups(len(w), groups)
    for tap, cells in _taps(kernel, stride, dilation, output):
        seen, weights = x[cells], w[(..., *tap)]
        for c, f in zip(of_x, of_y, strict=True):
            y[:, f] += np.einsum("nc...,fc->nf...", seen[:, c], weights[f])
    return y if b is None else y + b.reshape(-1, *[1] * len(kernel))


def transposed(
    u: Any, w: Any, *, x_shape: Shape, stride: Shape, padding: Pads, dilation: Shape,
    groups: int,
) -> Any:  # fmt: skip
    """The transpose of `convolved`: u (N, C, ..), w (C, F/groups, ..) → `x_shape` (N, F, ..)."""
    kernel, output = w.shape[2:], u.shape[2:]
    axes = zip(output, kernel, stride, dilation, strict=True)
    spans = [s * (o - 1) + d * (k - 1) + 1 for o, k, s, d in axes]
    kept = [slice(p, p + m) for (p, _), m in zip(padding, x_shape[2:], strict=True)]
    plane = [max(span, part.stop) for span, part in zip(spans, kept, strict=True)]
    y = np.zeros((*x_shape[:2], *plane), u.dtype)
    of_u, of_y = _groups(u.shape[1], groups), _groups(x_shape[1], groups)
    for tap, cells in _taps(kernel, stride, dilation, output):
        met, weights = y[cells], w[(..., *tap)]
        for c, f in zip(of_u, of_y, strict=True):
            met[:, f] += np.einsum("nc...,cf->nf...", u[:, c], weights[c])
    cut: tuple[Any, ...] = (..., *kept)
    return y[cut]


def averaged(
    x: Any, *, kernel: Shape, stride: Shape, pads: Pads, output: Shape, divisor: Any
) -> Any:
    """The sum of each window over its divisor, an integer or an array, rounded towards 0."""
    x = np.pad(x, ((0, 0), (0, 0), *pads))
    total = np.zeros((*x.shape[:2], *output), x.dtype)
    for _, cells in _taps(kernel, stride, (1,) * len(kernel), output):
        total += x[cells]
    return np.abs(total) // np.abs(divisor) * np.sign(total) * np.sign(divisor)


def resized(x: Any, matrices: list[ops.SparseMatrix]) -> Any:
    """Images of uint8 (N, C, ..), multiplied by the matrix of each axis of space, the last first.

    The weights of an axis are rounded to multiples of 2⁻ᵖ, with the largest p for which they fit
    into 15 bits. The results of an axis are rounded to uint8 before the next.
    """
    y = x.astype(np.float64)  # exact: all sums are below 2⁵³
    for axis in range(x.ndim - 1, 1, -1):
        m, n = matrices[axis - 2].shape
        if m == n:  # an axis that keeps its size is left alone, whatever the scale
            continue
        matrix, p = _fixed_point(matrices[axis - 2])
        y = np.clip((matrix.times(y, axis) + 2 ** (p - 1)) // 2**p, 0, 255)
    return y.astype(x.dtype)


@functools.lru_cache(maxsize=256)
def _fixed_point(matrix: ops.SparseMatrix) -> tuple[ops.SparseMatrix, int]:
    """The matrix times 2ᵖ, rounded to integers after repeated places are added up; and p."""
    m, n = matrix.shape
    places, inverse = np.unique(matrix.rows * n + matrix.cells, return_inverse=True)
    weights = np.bincount(inverse, matrix.weights)
    most = weights.max()
    p = next(p for p in range(22) if int(0.5 + most * 2 ** (p + 1)) >= 2**15)
    rounded = np.trunc(weights * 2**p + np.copysign(0.5, weights))
    return ops.SparseMatrix((m, n), places // n, places % n, rounded), p
