"""Max unpooling: maxima back at their places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import functions, ops
from ...dtypes import shown
from ...engine import wrap
from ...functions.arguments import tensors
from ...functions.brackets import kept
from ...tensor import Tensor
from ...types import Ints
from .check import check_spatial, sizes

__all__ = ["max_unpool1d", "max_unpool2d", "max_unpool3d"]


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None,
    padding: Ints = 0, output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """`max_unpool2d` along one axis, of (N, C, L) or (C, L).

    >>> max_unpool1d(tc.tensor([[3.0, 2.0]]), tc.tensor([[1, 2]]), 2)
    tensor([[0., 3., 2., 0.]])
    """
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None,
    padding: Ints = 0, output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Zeros (N, C, H, W), with the maxima (N, C, P, Q) of a `max_pool2d` at their indices.

    The input may come without N. `indices` are int64, of its shape. H and W are by default the
    smallest sizes that the pooling may have had; `output_size` gives others, as two numbers or as a
    whole shape. If several values go to one place, the last stays and gets the gradient.

    Raises RuntimeError for indices that do not fit, ValueError for an `output_size` that the
    pooling cannot have had.

    >>> max_unpool2d(tc.tensor([[[4.0]]]), tc.tensor([[[2]]]), 2)
    tensor([[[0., 0.],
             [4., 0.]]])
    """
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None,
    padding: Ints = 0, output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """`max_unpool2d` along three axes, of (N, C, D, H, W) or (C, D, H, W).

    >>> max_unpool3d(tc.tensor([[[[4.0]]]]), tc.tensor([[[[1]]]]), (1, 1, 2))
    tensor([[[[0., 4.]]]])
    """
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)


def _max_unpool(
    n: int, input: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    name = f"max_unpool{n}d"
    tensors(name, input=input, indices=indices)
    shape, at = input._array.shape, indices._array
    check_spatial(name, shape, n)
    if at.dtype != np.int64 or at.shape != shape:
        raise RuntimeError(
            f"{name}: indices must be int64, of the shape of the input {shape}, "
            f"got {shown(at.dtype)} "
            f"{at.shape}"
        )
    kernel = sizes(name, "kernel_size", kernel_size, 1, n)
    steps = kernel if stride is None else sizes(name, "stride", stride, 1, n)
    pads = sizes(name, "padding", padding, 0, n)
    axes = zip(shape[-n:], kernel, steps, pads, strict=True)
    plane = smallest = tuple((p - 1) * s + k - 2 * pad for p, k, s, pad in axes)
    if output_size is not None:
        plane = tuple(output_size)[-n:]
        if len(output_size) not in (n, n + 2):
            raise ValueError(
                f"output_size should be a sequence containing {n} or {n + 2} elements, but it has "
                f"a length of '{len(output_size)}'"
            )
        for m, size, s in zip(plane, smallest, steps, strict=True):
            if abs(m - size) >= s:
                raise ValueError(
                    f'invalid output_size "{output_size}": {name} makes {smallest}, or sizes that '
                    f"differ from these by less than the stride {steps}"
                )
    count = math.prod(plane)
    if at.size and (at.min() < 0 or at.max() >= count):
        raise RuntimeError(
            f"Found an invalid max index: {at.max() if at.min() >= 0 else at.min()} (output "
            f"volumes are of size {'x'.join(map(str, plane))})"
        )
    lead = shape[:-n]  # (N, C) or (C,)
    places = at.reshape(*lead, -1)
    index = (*np.ogrid[tuple(slice(m) for m in (*lead, 1))][:-1], kept(places))
    whole = wrap(np.zeros((*lead, count), input._array.dtype))
    y = ops.setitem(whole, functions.reshape(input, places.shape), index=index)
    return functions.reshape(y, (*lead, *plane))
