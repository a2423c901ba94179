"""Functions of a network, with PyTorch's names: the checked edge of the ops for layers and losses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import functions, graph, kernels, ops, random
from ..functions import axis
from ..graph import Recorded, wrap
from ..ops.pool import averaging

relu, sigmoid, tanh = ops.relu, ops.sigmoid, ops.tanh
softmax, log_softmax = functions.softmax, functions.log_softmax


# --- Arguments ----------------------------------------------------------------------------------


def _pair(name: str, what: str, value: Any, least: int) -> tuple[int, int]:
    """An integer, or two, each at least `least`, as two."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    values = values * 2 if len(values) == 1 else values
    if len(values) != 2 or any(isinstance(v, (float, bool, str)) or v is None for v in values):
        raise TypeError(f"{name}: {what} must be an integer or two, got {value!r}")
    if min(values) < least:
        raise RuntimeError(
            f"{name}: {what} must be {'non-negative' if least == 0 else 'greater than zero'}, got "
            f"{value}"
        )
    return int(values[0]), int(values[1])


def _images(name: str, x: Any, *, channels: Any = None) -> tuple[Any, bool]:
    """x as (N, C, H, W), and whether it came without N."""
    if not isinstance(x, Recorded):
        raise TypeError(f"{name}: expected a Tensor, got {type(x).__name__}")
    shape = x._array.shape
    if len(shape) not in (3, 4):
        raise RuntimeError(
            f"{name}: expected 3D (unbatched) or 4D (batched) input, got shape {shape}"
        )
    if len(shape) == 3:
        return functions.unsqueeze(x, 0), True
    return x, False


def _floating(name: str, *tensors: Any) -> None:
    """Of one dtype, of floating point."""
    dtypes = {t._array.dtype for t in tensors if t is not None}
    if len(dtypes) > 1 or next(iter(dtypes)).kind != "f":
        raise RuntimeError(
            f"{name}: expected all tensors to have one floating-point dtype, got "
            f"{', '.join(str(t._array.dtype) for t in tensors if t is not None)}"
        )


# --- Convolution and linear ---------------------------------------------------------------------


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """input (.., D) · weightᵀ (D, F) + bias (F,): (.., F)."""
    d, shape = weight._array.shape[-1], input._array.shape
    if not shape or shape[-1] != d:
        raise RuntimeError(
            f"linear: mat1 and mat2 shapes cannot be multiplied (input {shape}, weight "
            f"{weight._array.shape}: the last axis of the input must be {d})"
        )
    _floating("linear", input, weight, bias)
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
    (1, 2, 2, 2)
    """
    x, single = _images("conv2d", input)
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
    _floating("conv2d", x, weight, bias)
    stride = _pair("conv2d", "stride", stride, 1)
    dilation = _pair("conv2d", "dilation", dilation, 1)
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
    top, left = _pair(name, "padding", padding, 0)
    return (top, top), (left, left)


# --- Pooling ------------------------------------------------------------------------------------


def _windows(
    name: str, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Any:
    """Kernel, stride, padding (reaching as far as the last window) and output size of a pooling."""
    kernel = _pair(name, "kernel_size", kernel_size, 1)
    stride = kernel if stride is None or stride == [] else _pair(name, "stride", stride, 1)
    pad = _pair(name, "padding", padding, 0)
    dilation = _pair(name, "dilation", dilation, 1)
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
    x, single = _images("max_pool2d", input)
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
    x, single = _images("avg_pool2d", input)
    _floating("avg_pool2d", x)
    if divisor_override == 0:
        raise RuntimeError("avg_pool2d: divisor must be not zero")
    kernel, stride, pads, _, output = _windows(
        "avg_pool2d", x, kernel_size, stride, padding, 1, ceil_mode
    )
    divisor = divisor_override or _cells(
        x._array.shape[2:], kernel, stride, _pair("", "", padding, 0), output, count_include_pad
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
    x, single = _images("adaptive_avg_pool2d", input)
    _floating("adaptive_avg_pool2d", x)
    h, w = x._array.shape[2:]
    wanted = output_size if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    p, q = _pair(
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


# --- Normalisation and dropout ------------------------------------------------------------------


def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each channel of input (N, C, ..) to mean 0 and variance 1, times weight (C,), plus bias (C,).

    In training by the batch's mean and biased variance; `momentum` weighs the new value when the
    running ones (C,) are updated, with the unbiased variance. Else by the running ones.
    """
    shape = input._array.shape
    if len(shape) < 2:
        raise ValueError(f"batch_norm: expected (N, C, ..), got shape {shape}")
    for name, v in (
        ("running_mean", running_mean), ("running_var", running_var), ("weight", weight),
        ("bias", bias),
    ):  # fmt: skip
        if v is not None and v._array.shape != (shape[1],):
            raise RuntimeError(
                f"batch_norm: {name} should contain {shape[1]} elements, got shape {v._array.shape}"
            )
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("batch_norm: running_mean and running_var are needed in evaluation")
        column = (1, shape[1], *[1] * (len(shape) - 2))
        scale = ops.div(1.0, ops.sqrt(running_var + eps))
        if weight is not None:
            scale = scale * weight
        shift = -running_mean * scale
        if bias is not None:
            shift = shift + bias
        return input * scale.reshape(column) + shift.reshape(column)
    m = math.prod(shape) // max(shape[1], 1)
    if m <= 1 and math.prod(shape):
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {shape}"
        )
    y, mu, variance = ops.batch_norm(input, weight, bias, eps=eps)
    if running_mean is not None and m:
        for running, new in (
            (running_mean, mu._array),
            (running_var, variance._array * (m / max(m - 1, 1))),
        ):
            running._array[...] += momentum * (new - running._array)
            graph.mark_written(running._array)
    return y


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training each element is 0 with probability p, else divided by 1 − p."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0:
        return input
    y = ops.dropout(input, p=p, random=random.default_generator.numpy.random)
    return input.copy_(y) if inplace else y


# --- Losses -------------------------------------------------------------------------------------


def _reduced(loss: Any, reduction: str) -> Any:
    _check_reduction(reduction)
    return loss if reduction == "none" else loss.sum() if reduction == "sum" else loss.mean()


def _check_reduction(reduction: str) -> None:
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction: none, mean or sum")


def cross_entropy(
    input: Any, target: Any, weight: Any = None, ignore_index: int = -100,
    reduction: str = "mean", label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    """−ln softmax(input)[target]: logits (N, C, ..) or (C,), labels (N, ..), or probabilities.

    The mean divides by Σ weight[target] over what is not ignored; for probabilities by N.

    >>> import tinygrad_cnn as tc
    >>> cross_entropy(tc.zeros(2, 10), tc.tensor([3, 7]))
    tensor(2.3026)
    """
    _check_reduction(reduction)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    single = input._array.ndim == 1
    x = functions.unsqueeze(input, 0) if single else input
    shape = x._array.shape
    if len(shape) < 2:
        raise RuntimeError(f"cross_entropy: expected logits (N, C, ..) or (C,), got {shape}")
    if weight is not None and weight._array.shape != (shape[1],):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {shape[1]} classes or "
            f"no classes but got weight tensor of shape: {weight._array.shape}"
        )
    if target._array.dtype.kind == "f":
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)
    t = functions.unsqueeze(target, 0) if single else target
    _check_labels("cross_entropy", t._array, shape, ignore_index)
    y = ops.cross_entropy(
        x,
        t,
        weight,
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )
    return functions.squeeze(y, 0) if single and reduction == "none" else y


def _check_labels(name: str, labels: np.ndarray, shape: tuple[int, ...], ignore_index: int) -> None:
    if labels.dtype.kind not in "iu":
        raise RuntimeError(f"{name}: labels must be integers (int64), got {labels.dtype}")
    if labels.shape != (shape[0], *shape[2:]):
        raise ValueError(
            f"{name}: Expected input {shape} and target {labels.shape} to match: labels must be "
            f"{(shape[0], *shape[2:])}"
        )
    if labels.size:
        wrong = ((labels < 0) | (labels >= shape[1])) & (labels != ignore_index)
        if wrong.any():
            raise IndexError(
                f"Target {int(labels[wrong][0])} is out of bounds: {name} has {shape[1]} classes, "
                f"0 to {shape[1] - 1}"
            )


def _soft_cross_entropy(x: Any, q: Any, weight: Any, reduction: str, smoothing: float) -> Any:
    """Against probabilities, of the same shape as the logits."""
    if x._array.shape != q._array.shape:
        raise RuntimeError(
            f"cross_entropy: probabilities must have the shape of the logits, {x._array.shape}, "
            f"got {q._array.shape}"
        )
    dim = 1 if x._array.ndim > 1 else 0
    classes = x._array.shape[dim]
    if smoothing:
        q = q * (1 - smoothing) + smoothing / classes
    if weight is not None:
        q = q * weight.reshape((-1, *[1] * (x._array.ndim - dim - 1)))
    loss = -(log_softmax(x, dim) * q).sum(dim)
    if reduction == "mean":
        n = x._array.size // max(classes, 1)
        return loss.sum() / n
    return _reduced(loss, reduction)


def nll_loss(
    input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """−input[target] for log-probabilities (N, C, ..) or (C,) and labels (N, ..)."""
    _check_reduction(reduction)
    single = input._array.ndim == 1
    x = functions.unsqueeze(input, 0) if single else input
    labels = target._array[None] if single else target._array
    _check_labels("nll_loss", labels, x._array.shape, ignore_index)
    counted = labels != ignore_index
    label = np.where(counted, labels, 0)
    picked = functions.squeeze(ops.gather(x, np.expand_dims(label, 1), dim=1), 1)
    dtype = x._array.dtype
    w = (counted if weight is None else weight._array[label] * counted).astype(dtype)
    loss = -ops.where(counted, picked, 0.0) * wrap(w)
    if reduction == "mean":
        return loss.sum() / float(w.sum()) if w.sum() else loss.sum() * math.nan
    return (
        functions.squeeze(loss, 0) if single and reduction == "none" else _reduced(loss, reduction)
    )


def _same_shape(name: str, input: Any, target: Any) -> None:
    if input._array.shape != target._array.shape:
        raise ValueError(
            f"{name}: input has shape {input._array.shape}, target {target._array.shape}: they must "
            "be the same, or one of them would be repeated unseen"
        )


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """(input − target)²."""
    _same_shape("mse_loss", input, target)
    return _reduced(functions.square(input - target), reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """|input − target|."""
    _same_shape("l1_loss", input, target)
    return _reduced(ops.abs(input - target), reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """d² / 2β where d = |input − target| < β, else d − β/2."""
    _same_shape("smooth_l1_loss", input, target)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    d = ops.abs(input - target)
    if beta == 0:
        return _reduced(d, reduction)
    return _reduced(ops.where(d._array < beta, 0.5 * d * d / beta, d - 0.5 * beta), reduction)


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Any:
    """−t ln p − (1 − t) ln (1 − p), each logarithm at least −100."""
    _same_shape("binary_cross_entropy", input, target)
    p = input._array
    if p.size and (p.min() < 0 or p.max() > 1):
        raise RuntimeError("all elements of input should be between 0 and 1")
    loss = -(
        target * functions.clamp(ops.log(input), -100.0)
        + (1.0 - target) * functions.clamp(ops.log(1.0 - input), -100.0)
    )
    return _reduced(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """Binary cross-entropy of sigmoid(input): (1 − t) x + (1 + (w − 1) t) ln(1 + e⁻ˣ)."""
    _same_shape("binary_cross_entropy_with_logits", input, target)
    factor = ops.softplus(-input)  # ln(1 + e⁻ˣ)
    if pos_weight is not None:
        factor = factor * ((pos_weight - 1.0) * target + 1.0)
    loss = (1.0 - target) * input + factor
    return _reduced(loss if weight is None else loss * weight, reduction)


# --- Other activations --------------------------------------------------------------------------


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x where x > 0, else negative_slope · x (at the kink 0 that of the left)."""
    y = ops.where(input._array > 0, input, input * negative_slope)
    return input.copy_(y) if inplace else y


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """ln(1 + exp(beta · x)) / beta; x itself where beta · x is over the threshold."""
    y = ops.softplus(input * beta) / beta
    return ops.where(input._array * beta > threshold, input, y)


def silu(input: Any, inplace: bool = False) -> Any:
    """x · sigmoid(x)."""
    y = input * ops.sigmoid(input)
    return input.copy_(y) if inplace else y


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """Labels (..) as rows (.., num_classes) of int64 with a 1 at the label."""
    labels = tensor._array
    n = num_classes if num_classes >= 0 else int(labels.max()) + 1
    if labels.size and (labels.min() < 0 or labels.max() >= n):
        raise RuntimeError(f"one_hot: class values must be in [0, {n}), got up to {labels.max()}")
    return wrap(np.eye(n, dtype=np.int64)[labels])


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """Cells of `value` around the last axes: pad = (left, right, top, bottom, ..); negative crops."""
    if mode != "constant":
        raise NotImplementedError(f"pad: mode {mode!r} is not there yet: 'constant' is")
    n = input._array.ndim
    if len(pad) % 2 or len(pad) > 2 * n:
        raise RuntimeError(f"pad: wanted pairs for at most {n} axes, got {tuple(pad)}")
    widths = [(0, 0)] * (n - len(pad) // 2)
    widths += [(int(pad[k]), int(pad[k + 1])) for k in range(len(pad) - 2, -1, -2)]
    return ops.pad(input, widths=tuple(widths), value=value or 0.0)


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """input / max(‖input‖ₚ, eps) along dim."""
    d = axis("normalize", input._array.ndim, dim)
    norm = ops.pow(ops.sum(ops.pow(ops.abs(input), p), dim=d, keepdim=True), 1 / p)
    return input / ops.maximum(norm, eps)
