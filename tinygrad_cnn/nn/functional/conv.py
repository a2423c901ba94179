"""Linear layers, and convolution over one, two or three axes."""

from __future__ import annotations

from typing import Any

from ... import functions, ops
from .check import floating, sizes, spatial

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "linear",
]  # fmt: skip


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


def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """`conv2d` along one axis: (N, C, L) or (C, L) with filters (F, C/groups, K)."""
    return _conv("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


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
    return _conv("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """`conv2d` along three axes: (N, C, D, H, W) with filters (F, C/groups, K, I, J)."""
    return _conv("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """`conv_transpose2d` along one axis: (N, C, L) or (C, L) with filters (C, F/groups, K)."""
    return _transposed(
        "conv_transpose1d",
        1,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


def conv_transpose2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """The gradient of a conv2d in its images: of input (N, C, P, Q) and weight (C, F/groups, I, J).

    Every cell of the input adds its filter, `stride` apart: (N, F, H, W), where
    H = (P − 1) stride − 2 padding + dilation (I − 1) + output_padding + 1. Raises RuntimeError where
    the shapes do not fit, and for an output_padding of at least both stride and dilation.

    >>> import tinygrad_cnn as tc
    >>> conv_transpose2d(tc.ones(1, 3, 5, 5), tc.ones(3, 2, 3, 3), stride=2).shape
    torch.Size([1, 2, 11, 11])
    """
    return _transposed(
        "conv_transpose2d",
        2,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


def conv_transpose3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0,
    output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
) -> Any:  # fmt: skip
    """`conv_transpose2d` along three axes: (N, C, D, H, W) with filters (C, F/groups, K, I, J)."""
    return _transposed(
        "conv_transpose3d",
        3,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


def _conv(
    name: str, n: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any,
    groups: int,
) -> Any:  # fmt: skip
    x, single, shapes = _operands(name, n, input, weight, bias, groups)
    f, per_group, *kernel = weight._array.shape
    if groups < 1 or f % groups:
        raise RuntimeError(f"{name}: {f} filters cannot be split into groups {shapes}")
    if x._array.shape[1] != per_group * groups:
        raise RuntimeError(
            f"{name}: x has {x._array.shape[1]} channels, weight expects {per_group * groups} "
            f"{shapes}"
        )
    _check_bias(name, bias, f, shapes)
    stride = sizes(name, "stride", stride, 1, n)
    dilation = sizes(name, "dilation", dilation, 1, n)
    pads = conv_padding(name, padding, kernel, stride, dilation)
    for size, pad, k, d in zip(x._array.shape[2:], pads, kernel, dilation, strict=True):
        if size + sum(pad) < d * (k - 1) + 1 or not k:
            raise RuntimeError(
                f"{name}: Kernel size can't be greater than actual input size: the input is {size} "
                f"+ padding {sum(pad)}, the kernel spans {d * (k - 1) + 1} {shapes}"
            )
    how = {"stride": stride, "padding": pads, "dilation": dilation, "groups": groups}
    op = ops.conv3d if n == 3 else ops.conv2d
    y = op(*_lifted(n, x, weight, how), bias, **how)
    return _lowered(n, y, single)


def _transposed(
    name: str, n: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any,
    output_padding: Any, groups: int, dilation: Any,
) -> Any:  # fmt: skip
    x, single, shapes = _operands(name, n, input, weight, bias, groups)
    c, per_group, *kernel = weight._array.shape
    if groups < 1 or c % groups:
        raise RuntimeError(f"{name}: {c} channels cannot be split into groups {shapes}")
    if x._array.shape[1] != c:
        raise RuntimeError(
            f"{name}: x has {x._array.shape[1]} channels, weight expects {c} {shapes}"
        )
    _check_bias(name, bias, per_group * groups, shapes)
    stride = sizes(name, "stride", stride, 1, n)
    padding = sizes(name, "padding", padding, 0, n)
    dilation = sizes(name, "dilation", dilation, 1, n)
    more = sizes(name, "output_padding", output_padding, 0, n)
    if any(m >= max(s, d) for m, s, d in zip(more, stride, dilation, strict=True)):
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but got "
            f"{name} with output_padding={more}, stride={stride}, dilation={dilation}"
        )
    axes = zip(x._array.shape[2:], kernel, stride, padding, dilation, more, strict=True)
    plane = tuple((p - 1) * s - 2 * pad + d * (k - 1) + m + 1 for p, k, s, pad, d, m in axes)
    if min(plane) < 1 or not all(kernel):
        raise RuntimeError(f"{name}: the calculated output size {plane} is too small {shapes}")
    pads = tuple((pad, pad - m) for pad, m in zip(padding, more, strict=True))
    how = {"stride": stride, "padding": pads, "dilation": dilation, "groups": groups}
    x, weight = _lifted(n, x, weight, how)
    x_shape = (len(x._array), per_group * groups, *((1, *plane) if n == 1 else plane))
    op = ops.conv3d_input if n == 3 else ops.conv2d_input
    y = _lowered(n, op(x, weight, x_shape=x_shape, **how), single)
    return y if bias is None else y + bias.reshape(-1, *[1] * n)


def _operands(
    name: str, n: int, input: Any, weight: Any, bias: Any, groups: int
) -> tuple[Any, bool, str]:
    """The input with a batch axis, whether it came without, and the shapes for a message."""
    floating(name, input=input, weight=weight, bias=bias)
    x, single = spatial(name, input, n)
    shapes = f"(x {input._array.shape}, weight {weight._array.shape}, groups {groups})"
    if weight._array.ndim != n + 2:
        raise RuntimeError(f"{name}: weight must have {n + 2} axes {shapes}")
    return x, single, shapes


def _check_bias(name: str, bias: Any, filters: int, shapes: str) -> None:
    if bias is not None and bias._array.shape != (filters,):
        raise RuntimeError(
            f"{name}: bias has shape {bias._array.shape}, wanted ({filters},) {shapes}"
        )


def _lifted(n: int, x: Any, weight: Any, how: dict[str, Any]) -> tuple[Any, Any]:
    """One axis as two, the first of length 1; `how` is changed to match."""
    if n > 1:
        return x, weight
    how.update(
        stride=(1, *how["stride"]), padding=((0, 0), *how["padding"]),
        dilation=(1, *how["dilation"]),
    )  # fmt: skip
    return functions.unsqueeze(x, 2), functions.unsqueeze(weight, 2)


def _lowered(n: int, y: Any, single: bool) -> Any:
    """Without the axes that were added."""
    y = functions.squeeze(y, 2) if n == 1 else y
    return functions.squeeze(y, 0) if single else y


def conv_padding(
    name: str, padding: Any, kernel: Any, stride: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[tuple[int, int], ...]:
    """Padding as pairs (before, behind), an axis each."""
    if padding == "valid":
        return ((0, 0),) * len(stride)
    if padding == "same":
        if set(stride) != {1}:
            raise RuntimeError(f"{name}: padding='same' is not supported for strided convolutions")
        total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((t // 2, t - t // 2) for t in total)
    if isinstance(padding, str):
        raise RuntimeError(
            f"Invalid padding string: {padding!r}: {name} takes 'valid', 'same' or integers"
        )
    return tuple((p, p) for p in sizes(name, "padding", padding, 0, len(stride)))
