"""Linear layers, and convolution over one, two or three axes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ... import ops
from ...engine import wrap
from ...functions.public import numpys_names
from ...tensor import Tensor
from ...types import Ints
from . import integer
from .check import ADD_ROW, Shape, as_images, check_spatial, floating_affine, restored, sizes

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "linear",
]  # fmt: skip


@numpys_names
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """The product of input (.., D) and weightᵀ (D, F), plus bias (F,): (.., F).

    The weight may be a vector (D,), which gives (..), and the bias one number. Integers are multiplied exactly. Raises
    RuntimeError for shapes that do not fit, and unless all have one dtype, not of bools.

    >>> linear(tc.tensor([1.0, 2.0]), tc.tensor([[3.0, 4.0]]), tc.tensor([0.5]))
    tensor([11.5000])
    """
    floating_affine("linear", input, weight, bias, integers=integer.ALL)
    x, w = input._array.shape, weight._array.shape
    b = None if bias is None else bias._array.shape
    if len(w) == 1 and x[-1:] == w and not b:
        bias = None if bias is None else ops.reshape(bias, shape=(1,))
        y = ops.linear(input, ops.reshape(weight, shape=(1, *w)), bias)
        return ops.reshape(y, shape=x[:-1])
    if len(w) != 2 or not x or x[-1] != w[1] or (b is not None and b not in (w[:1], (1,), ())):
        raise RuntimeError(
            f"linear: mat1 and mat2 shapes cannot be multiplied: wanted input (.., D), weight "
            f"(F, D) and bias (F,), got {x}, {w} and {b}"
        )
    return ops.linear(input, weight, bias)


@numpys_names
def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1,
    padding: Ints | str = 0, dilation: Ints = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """`conv2d` along one axis: (N, C, L) or (C, L) with filters (F, C/groups, K).

    >>> conv1d(tc.tensor([[1.0, 2.0, 4.0]]), tc.tensor([[[-1.0, 1.0]]]))
    tensor([[1., 2.]])
    """
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


@numpys_names
def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1,
    padding: Ints | str = 0, dilation: Ints = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Cross-correlation of images (N, C, H, W) with filters (F, C/groups, I, J): (N, F, P, Q).

    The input may come without N. `padding` is an integer, two (height, width), 'valid' (none) or
    'same' (P, Q are H, W; the odd cell goes right and bottom; stride 1 only).
    P = ⌊(H + 2 padding − dilation (I − 1) − 1) / stride⌋ + 1. Raises RuntimeError for shapes or
    settings that do not fit, and unless all Tensors have one floating-point dtype.

    >>> conv2d(tc.ones(1, 3, 5, 5), tc.ones(2, 3, 3, 3), stride=2).shape
    torch.Size([1, 2, 2, 2])
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


@numpys_names
def conv3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1,
    padding: Ints | str = 0, dilation: Ints = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """`conv2d` along three axes: (N, C, D, H, W) with filters (F, C/groups, K, I, J).

    >>> conv3d(tc.ones(1, 3, 5, 5, 5), tc.ones(2, 3, 3, 3, 3), stride=2).shape
    torch.Size([1, 2, 2, 2, 2])
    """
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


@numpys_names
def conv_transpose1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1,
    padding: Ints = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1,
) -> Tensor:  # fmt: skip
    """`conv_transpose2d` along one axis: (N, C, L) or (C, L) with filters (C, F/groups, K).

    >>> conv_transpose1d(tc.tensor([[1.0, 2.0]]), tc.tensor([[[3.0, 1.0]]]), stride=2)
    tensor([[3., 1., 6., 2.]])
    """
    return _transposed(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


@numpys_names
def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1,
    padding: Ints = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1,
) -> Tensor:  # fmt: skip
    """The gradient of a conv2d in its images: of input (N, C, P, Q) and weight (C, F/groups, I, J).

    Every cell of the input adds its filter, `stride` apart. The output is (N, F, H, W), where
    H = (P − 1) stride − 2 padding + dilation (I − 1) + output_padding + 1. The input may come
    without N. Raises RuntimeError for shapes that do not fit, for an output_padding of at least
    both stride and dilation, and unless all Tensors have one floating-point dtype.

    >>> conv_transpose2d(tc.ones(1, 3, 5, 5), tc.ones(3, 2, 3, 3), stride=2).shape
    torch.Size([1, 2, 11, 11])
    """
    return _transposed(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


@numpys_names
def conv_transpose3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1,
    padding: Ints = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1,
) -> Tensor:  # fmt: skip
    """`conv_transpose2d` along three axes: (N, C, D, H, W) with filters (C, F/groups, K, I, J).

    >>> conv_transpose3d(tc.ones(1, 3, 5, 5, 5), tc.ones(3, 2, 3, 3, 3), stride=2).shape
    torch.Size([1, 2, 11, 11, 11])
    """
    return _transposed(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


# --- Of any number of axes ----------------------------------------------------------------------


def _conv(
    n: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Ints, padding: Ints | str,
    dilation: Ints, groups: int,
) -> Tensor:  # fmt: skip
    name = ("", "conv1d", "conv2d", "conv3d")[n]
    whole = floating_affine(name, input, weight, bias, integers=integer.ALL)
    shape = input._array.shape
    settings = _conv_settings(
        name, n, shape, weight._array.shape, None if bias is None else bias._array.shape,
        sizes(name, "stride", stride, 1, n),
        padding if isinstance(padding, str) else sizes(name, "padding", padding, 0, n),
        sizes(name, "dilation", dilation, 1, n), _whole(name, groups),
    )  # fmt: skip
    if whole:
        x, w = as_images(input, n)._array, _as_filters(weight, n)._array
        b = None if bias is None else bias._array
        return restored(wrap(integer.convolved(x, w, b, **settings)), n, len(shape))
    if n == 2 and len(shape) == 4:
        return ops.conv2d(input, weight, bias, **settings)
    op = ops.conv3d if n == 3 else ops.conv2d
    y = op(as_images(input, n), _as_filters(weight, n), bias, **settings)
    return restored(y, n, len(shape))


@lru_cache(maxsize=1024)
def _conv_settings(
    name: str, n: int, x: Shape, w: Shape, b: Shape | None, stride: Shape, padding: Shape | str,
    dilation: Shape, groups: int,
) -> dict[str, Any]:  # fmt: skip
    """The attributes of the op for operands of these shapes. Raises where they do not fit."""
    shapes = _check_shapes(name, n, x, w, b, groups, transposed=False)
    pads = conv_padding(name, padding, w[2:], stride, dilation)
    for size, pad, k, d in zip(x[-n:], pads, w[2:], dilation, strict=True):
        if size + sum(pad) < d * (k - 1) + 1 or not k:
            raise RuntimeError(
                f"{name}: Kernel size can't be greater than actual input size: the input is {size} "
                f"+ padding {sum(pad)}, the kernel spans {d * (k - 1) + 1} {shapes}"
            )
    return _attributes(n, stride, pads, dilation, groups)


def _transposed(
    n: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Ints, padding: Ints,
    output_padding: Ints, groups: int, dilation: Ints,
) -> Tensor:  # fmt: skip
    name = ("", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")[n]
    whole = floating_affine(name, input, weight, bias, integers=integer.LONG)
    shape = input._array.shape
    settings = _transposed_settings(
        name, n, shape, weight._array.shape, None if bias is None else bias._array.shape,
        sizes(name, "stride", stride, 1, n), sizes(name, "padding", padding, 0, n),
        sizes(name, "output_padding", output_padding, 0, n), _whole(name, groups),
        sizes(name, "dilation", dilation, 1, n),
    )  # fmt: skip
    u, w = as_images(input, n), _as_filters(weight, n)
    if whole:
        y = wrap(integer.transposed(u._array, w._array, **settings))
    else:
        y = (ops.conv3d_input if n == 3 else ops.conv2d_input)(u, w, **settings)
    y = restored(y, n, len(shape))
    return y if bias is None else ops.add(y, ops.reshape(bias, shape=(bias._array.size, *[1] * n)))


@lru_cache(maxsize=1024)
def _transposed_settings(
    name: str, n: int, x: Shape, w: Shape, b: Shape | None, stride: Shape, padding: Shape,
    output_padding: Shape, groups: int, dilation: Shape,
) -> dict[str, Any]:  # fmt: skip
    """The attributes of the op for operands of these shapes. Raises where they do not fit."""
    shapes = _check_shapes(name, n, x, w, b, groups, transposed=True)
    if any(m >= max(s, d) for m, s, d in zip(output_padding, stride, dilation, strict=True)):
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but got {name} with "
            f"output_padding={output_padding}, stride={stride}, dilation={dilation}"
        )
    axes = zip(x[-n:], w[2:], stride, padding, dilation, output_padding, strict=True)
    plane = tuple((p - 1) * s - 2 * pad + d * (k - 1) + m + 1 for p, k, s, pad, d, m in axes)
    if min(plane) < 1 or 0 in w[2:]:
        raise RuntimeError(f"{name}: the calculated output size {plane} is too small {shapes}")
    images, filters = x[0] if len(x) == n + 2 else 1, w[1] * groups
    pads = tuple((pad, pad - m) for pad, m in zip(padding, output_padding, strict=True))
    return {
        "x_shape": (images, filters, *((1, *plane) if n == 1 else plane)),
        **_attributes(n, stride, pads, dilation, groups),
    }


def _whole(name: str, groups: Any) -> int:
    """The number of groups; TypeError for a value that is no integer."""
    return groups if type(groups) is int else sizes(name, "groups", groups, 1, 1)[0]


def _check_shapes(
    name: str, n: int, x: Shape, w: Shape, b: Shape | None, groups: int, transposed: bool
) -> str:
    """RuntimeError for operands that do not fit. Returns their shapes as text for other errors."""
    check_spatial(name, x, n)
    shapes = f"(x {x}, weight {w}, groups {groups})"
    if len(w) != n + 2:
        raise RuntimeError(f"{name}: weight must have {n + 2} axes {shapes}")
    if groups < 1 or w[0] % groups:
        split = "channels" if transposed else "filters"
        raise RuntimeError(f"{name}: {w[0]} {split} cannot be split into groups {shapes}")
    if w[0] < groups or (transposed and not w[1]):
        raise RuntimeError(f"{name}: expected a weight of at least one filter a group {shapes}")
    channels, filters = (w[0], w[1] * groups) if transposed else (w[1] * groups, w[0])
    if x[-n - 1] != channels:
        raise RuntimeError(
            f"{name}: x has {x[-n - 1]} channels, weight expects {channels} {shapes}"
        )
    if b not in (None, (filters,)):
        raise RuntimeError(f"{name}: bias has shape {b}, wanted ({filters},) {shapes}")
    return shapes


def conv_padding(
    name: str, padding: Any, kernel: Shape, stride: Shape, dilation: Shape
) -> tuple[tuple[int, int], ...]:
    """Padding as pairs (before, behind), one for each axis."""
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


def _attributes(
    n: int, stride: Shape, padding: tuple[tuple[int, int], ...], dilation: Shape, groups: int
) -> dict[str, Any]:
    """Settings as the ops take them: with one axis of space as two, the first of length 1."""
    if n == 1:
        stride, padding, dilation = (1, *stride), ((0, 0), *padding), (1, *dilation)
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


def _as_filters(weight: Any, n: int) -> Any:
    """A weight (F, C, K) of one axis as (F, C, 1, K); others as they are."""
    return ops.getitem(weight, index=ADD_ROW) if n == 1 else weight
