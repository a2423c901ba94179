"""Linear layers, convolution and padding."""

from __future__ import annotations

from typing import Any

from ... import functions, ops
from .check import floating, images, pair, tensors

__all__ = ["conv2d", "linear", "pad"]


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """input (.., D) · weightᵀ (D, F) + bias (F,): (.., F)."""
    floating("linear", input=input, weight=weight, bias=bias)
    x, w, b = input._array.shape, weight._array.shape, None if bias is None else bias._array.shape
    if len(w) != 2 or not x or x[-1] != w[1] or b not in (None, w[:1]):
        raise RuntimeError(
            f"linear: mat1 and mat2 shapes cannot be multiplied: wanted input (.., D), weight "
            f"(F, D) and bias (F,), got {x}, {w} and {b}"
        )
    return ops.linear(input, weight, bias)


def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """Cross-correlation of images (N, C, H, W) with filters (F, C/groups, I, J): (N, F, P, Q).

    `padding` is an integer, two (height, width), 'valid' or 'same' (stride 1 only; the odd cell
    goes right and bottom). P = ⌊(H + 2 padding − dilation (I − 1) − 1) / stride⌋ + 1. Raises
    RuntimeError where the shapes do not fit.

    >>> import tinygrad_cnn as tc
    >>> conv2d(tc.ones(1, 3, 5, 5), tc.ones(2, 3, 3, 3), stride=2).shape
    torch.Size([1, 2, 2, 2])
    """
    floating("conv2d", input=input, weight=weight, bias=bias)
    x, single = images("conv2d", input)
    _, c, h, k = x._array.shape
    shapes = f"(x {input._array.shape}, weight {weight._array.shape}, groups {groups})"
    if weight._array.ndim != 4:
        raise RuntimeError(f"conv2d: weight must have 4 axes {shapes}")
    f, per_group, i, j = weight._array.shape
    if groups < 1 or f % groups:
        raise RuntimeError(f"conv2d: {f} filters cannot be split into groups {shapes}")
    if c != per_group * groups:
        raise RuntimeError(
            f"conv2d: x has {c} channels, weight expects {per_group * groups} {shapes}"
        )
    if bias is not None and bias._array.shape != (f,):
        raise RuntimeError(f"conv2d: bias has shape {bias._array.shape}, wanted ({f},) {shapes}")
    stride = pair("conv2d", "stride", stride, 1)
    dilation = pair("conv2d", "dilation", dilation, 1)
    pads = conv_padding("conv2d", padding, (i, j), stride, dilation)
    for size, pad, span in zip(
        (h, k), pads, (dilation[0] * (i - 1), dilation[1] * (j - 1)), strict=True
    ):
        if size + sum(pad) < span + 1 or not i or not j:
            raise RuntimeError(
                f"conv2d: Kernel size can't be greater than actual input size: the input is {size} "
                f"+ padding {sum(pad)}, the kernel spans {span + 1} {shapes}"
            )
    y = ops.conv2d(x, weight, bias, stride=stride, padding=pads, dilation=dilation, groups=groups)
    return functions.squeeze(y, 0) if single else y


def conv_padding(
    name: str, padding: Any, kernel: tuple[int, int], stride: tuple[int, int],
    dilation: tuple[int, int],
) -> tuple[tuple[int, int], tuple[int, int]]:  # fmt: skip
    """Padding as ((top, bottom), (left, right))."""
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding == "same":
        if stride != (1, 1):
            raise RuntimeError(f"{name}: padding='same' is not supported for strided convolutions")
        total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return (total[0] // 2, total[0] - total[0] // 2), (total[1] // 2, total[1] - total[1] // 2)
    if isinstance(padding, str):
        raise ValueError(f"{name}: padding must be 'valid', 'same' or integers, got {padding!r}")
    top, left = pair(name, "padding", padding, 0)
    return (top, top), (left, left)


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """Cells of `value` around the last axes: pad = (left, right, top, bottom, ..); negative crops."""
    if mode != "constant":
        raise NotImplementedError(f"pad: mode {mode!r} is not there yet: 'constant' is")
    tensors("pad", input=input)
    shape = input._array.shape
    n = len(shape)
    if len(pad) % 2 or len(pad) > 2 * n:
        raise RuntimeError(f"pad: wanted pairs for at most {n} axes, got {tuple(pad)}")
    widths = [(0, 0)] * (n - len(pad) // 2)
    widths += [(int(pad[k]), int(pad[k + 1])) for k in range(len(pad) - 2, -1, -2)]
    if any(n + min(a, 0) + min(b, 0) < 0 for n, (a, b) in zip(shape, widths, strict=True)):
        raise RuntimeError(f"pad: {tuple(pad)} would leave a negative size of shape {shape}")
    return ops.pad(input, widths=tuple(widths), value=value or 0.0)
