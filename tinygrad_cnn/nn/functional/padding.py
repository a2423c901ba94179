"""Padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import ops
from ...functions.arguments import tensors
from ...tensor import Tensor
from .check import Shape
from .matrices import padded

__all__ = ["pad"]

_MODES = ("constant", "reflect", "replicate", "circular")


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """The input with cells around its last axes; negative numbers crop.

    `pad` is (left, right, top, bottom, front, back, ..), two numbers for each axis from the last.
    `mode` is one of
    - "constant": cells of `value`, 0 by default, around any axes;
    - "reflect": the input mirrored at its edge, which is not repeated;
    - "replicate": the cell at the edge, repeated;
    - "circular": the cells of the other end.

    All but "constant" pad the one to three axes of space of images with or without a batch axis.
    Raises RuntimeError for padding that does not fit the sizes, NotImplementedError for a number of
    axes that the mode does not take.

    >>> pad(tc.tensor([[1.0, 2.0, 3.0]]), (2, 1), "reflect")
    tensor([[3., 2., 1., 2., 3., 2.]])
    """
    tensors("pad", input=input)
    if not isinstance(pad, (tuple, list)) or any(
        isinstance(p, (float, bool, str)) or not hasattr(p, "__index__") for p in pad
    ):
        raise TypeError(f"pad(): argument 'pad' must be tuple of ints, got {pad!r}")
    shape, n = input._array.shape, len(pad) // 2
    if len(pad) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, got {tuple(pad)}")
    if n > len(shape):
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(pad)} and input of dimension {len(shape)}"
        )
    if mode not in _MODES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}: pad has {_MODES}")
    widths = [(0, 0)] * (len(shape) - n)
    widths += [(int(pad[k]), int(pad[k + 1])) for k in range(len(pad) - 2, -1, -2)]
    if mode == "constant":
        if any(m + min(a, b, a + b) < 0 for m, (a, b) in zip(shape, widths, strict=True)):
            raise RuntimeError(
                f"pad: {tuple(pad)} would leave a length of shape {shape}: length must be "
                "non-negative"
            )
        return ops.pad(input, widths=tuple(widths), value=value or 0.0)
    _check_edges(shape, pad, widths, n, mode, value)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            matrix = padded(shape[axis], before, after, mode)
            input = ops.resample(input, dim=axis, matrix=matrix)
    return input


def _check_edges(
    shape: Shape, pad: Sequence[int], widths: list[tuple[int, int]], n: int, mode: str, value: Any
) -> None:
    """Raise unless images of this shape have cells enough to pad with."""
    if value:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if not 1 <= n <= 3 or len(shape) not in (n + 1, n + 2):
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {len(shape)}D input tensor: with mode "
            f"{mode!r}, 2 is for 2D and 3D input, 4 for 3D and 4D, 6 for 4D and 5D"
        )
    if 0 in shape[-n:]:
        raise RuntimeError(
            f"Expected {n + 1}D or {n + 2}D (batch mode) tensor with possibly 0 batch size and "
            f"other non-zero dimensions for input, but got: {list(shape)}"
        )
    left = [size + sum(sides) for size, sides in zip(shape, widths, strict=True)]
    if min(left) < 0 or (mode != "circular" and max(left[-n:]) < 1):
        raise RuntimeError(
            f"pad: {tuple(pad)} leaves too little of shape {shape}: Calculated output {left}"
        )
    for axis, (size, sides) in enumerate(zip(shape, widths, strict=True)):
        if mode == "reflect" and max(sides) >= size and any(sides):
            raise RuntimeError(
                f"Padding size should be less than the corresponding input dimension, but got: "
                f"padding {sides} at dimension {axis} of input {list(shape)}"
            )
        if mode == "circular" and max(sides) > size + min(*sides, 0):
            raise RuntimeError(
                f"Padding value causes wrapping around more than once: {sides} around {size} cells"
            )
