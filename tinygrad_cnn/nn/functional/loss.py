"""Losses: of predictions and targets, reduced to the mean, the sum, or not.

All take PyTorch's old `size_average` and `reduce` too, with a warning; `reduction` says it now.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ... import functions, ops
from ...engine import wrap
from ...functions import log_softmax
from .check import floating, tensors

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy",
    "gaussian_nll_loss", "huber_loss", "kl_div", "l1_loss", "mse_loss", "nll_loss",
    "poisson_nll_loss", "smooth_l1_loss",
]  # fmt: skip


def legacy_reduction(reduction: str, size_average: Any, reduce: Any) -> str:
    """The reduction that was meant, where it was said by the two old arguments."""
    if size_average is None and reduce is None:
        return reduction
    mean = size_average is None or size_average
    meant = "none" if reduce is not None and not reduce else "mean" if mean else "sum"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{meant}' instead.",
        stacklevel=3,
    )
    return meant


def check_reduction(reduction: str) -> None:
    """ValueError for what is none."""
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction: none, mean or sum")


def reduced(loss: Any, reduction: str, size_average: Any = None, reduce: Any = None) -> Any:
    """The loss of each element, its mean or its sum."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(reduction, size_average, reduce)
    check_reduction(reduction)
    return loss if reduction == "none" else loss.sum() if reduction == "sum" else loss.mean()


# --- Classes ------------------------------------------------------------------------------------


def cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    """−ln softmax(input)[target]: logits (N, C, ..) or (C,), labels (N, ..), or probabilities.

    The mean divides by Σ weight[target] over what is not ignored; for probabilities by N.

    >>> import tinygrad_cnn as tc
    >>> cross_entropy(tc.zeros(2, 10), tc.tensor([3, 7]))
    tensor(2.3026)
    """
    reduction = legacy_reduction(reduction, size_average, reduce)
    check_reduction(reduction)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    x, t = _classes("cross_entropy", input, target, weight)
    if target._array.dtype.kind == "f" and target._array.shape == input._array.shape:
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)
    _check_labels("cross_entropy", t._array, x._array.shape, ignore_index)
    y = ops.cross_entropy(
        x,
        t,
        weight,
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )
    return functions.squeeze(y, 0) if x is not input and reduction == "none" else y


def _classes(name: str, input: Any, target: Any, weight: Any) -> tuple[Any, Any]:
    """Input and target with a batch axis; the input (N, C, ..) and weight (C,) checked."""
    floating(name, input=input, weight=weight)
    tensors(name, target=target)
    shape = input._array.shape
    if not shape:
        raise ValueError(f"Expected 1 or more dimensions (got 0) of {name}'s input")
    classes = shape[min(len(shape) - 1, 1)]
    if weight is not None and weight._array.shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got "
            f"weight tensor of shape: {weight._array.shape}"
        )
    if len(shape) > 1:
        return input, target
    return functions.unsqueeze(input, 0), functions.unsqueeze(target, 0)


def _check_labels(name: str, labels: np.ndarray, shape: tuple[int, ...], ignore_index: int) -> None:
    wanted = (shape[0], *shape[2:])
    if labels.shape[:1] != wanted[:1]:
        raise ValueError(
            f"Expected input batch_size ({shape[0]}) to match target batch_size "
            f"({labels.shape[0] if labels.ndim else 'none'}): {name} got input {shape} and target "
            f"{labels.shape}"
        )
    if labels.dtype.kind not in "iu":
        raise RuntimeError(f"expected target dtype to be Long, but {name} got {labels.dtype}")
    if labels.shape != wanted:
        raise RuntimeError(f"Expected target size {wanted}, got {labels.shape}, in {name}")
    # negative ones are large to a type without sign
    if labels.size and labels.view(f"u{labels.itemsize}").max() >= shape[1]:
        wrong = ((labels < 0) | (labels >= shape[1])) & (labels != ignore_index)
        if wrong.any():
            raise IndexError(
                f"Target {int(labels[wrong][0])} is out of bounds: {name} has {shape[1]} classes, "
                f"0 to {shape[1] - 1}"
            )


def _soft_cross_entropy(x: Any, q: Any, weight: Any, reduction: str, smoothing: float) -> Any:
    """Against probabilities, of the same shape as the logits."""
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
    return reduced(loss, reduction)


def nll_loss(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """−input[target] for log-probabilities (N, C, ..) or (C,) and labels (N, ..)."""
    reduction = legacy_reduction(reduction, size_average, reduce)
    check_reduction(reduction)
    x, t = _classes("nll_loss", input, target, weight)
    labels = t._array
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
        functions.squeeze(loss, 0)
        if x is not input and reduction == "none"
        else reduced(loss, reduction)
    )


# --- Numbers ------------------------------------------------------------------------------------


def _difference(name: str, input: Any, target: Any, weight: Any = None) -> Any:
    """input − target; where their shapes differ they are broadcast, with a warning."""
    tensors(name, input=input, target=target)
    sizes = target._array.shape, input._array.shape
    if sizes[0] != sizes[1]:
        warnings.warn(
            f"Using a target size ({sizes[0]}) that is different to the input size ({sizes[1]}). "
            f"This will likely lead to incorrect results due to broadcasting ({name}). Please "
            "ensure they have the same size.",
            stacklevel=3,
        )
    if weight is not None and weight._array.shape != sizes[1]:
        raise ValueError(
            f"Weights and input must have the same size. {name} got {weight._array.shape} and "
            f"{sizes[1]}"
        )
    return input - target


def _weighted(loss: Any, weight: Any, reduction: str) -> Any:
    """The mean of a weighted loss divides by the sum of the weights."""
    if reduction == "mean":
        return (loss * weight).sum() / weight.sum()
    return reduced(loss * weight, reduction)


def mse_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Any = None,
) -> Any:  # fmt: skip
    """(input − target)². With `weight`, of the input's shape, the mean is the weighted one."""
    reduction = legacy_reduction(reduction, size_average, reduce)
    loss = functions.square(_difference("mse_loss", input, target, weight))
    return reduced(loss, reduction) if weight is None else _weighted(loss, weight, reduction)


def l1_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Any = None,
) -> Any:  # fmt: skip
    """|input − target|. With `weight`, of the input's shape, the mean is the weighted one."""
    reduction = legacy_reduction(reduction, size_average, reduce)
    loss = ops.abs(_difference("l1_loss", input, target, weight))
    return reduced(loss, reduction) if weight is None else _weighted(loss, weight, reduction)


def smooth_l1_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", beta: float = 1.0,
) -> Any:  # fmt: skip
    """d² / 2β where d = |input − target| < β, else d − β/2 (Girshick 2015). RuntimeError for β < 0."""
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    d = _difference("smooth_l1_loss", input, target)
    loss = ops.huber(d, delta=beta) / beta if beta else ops.abs(d)
    return reduced(loss, reduction, size_average, reduce)


def huber_loss(
    input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Any:
    """d² / 2 where d = |input − target| < δ, else δ (d − δ/2) (Huber 1964), times the weight.

    RuntimeError for δ ≤ 0.
    """
    if not delta > 0:
        raise RuntimeError(
            f"huber_loss does not support non-positive values for delta. Got {delta}"
        )
    loss = ops.huber(_difference("huber_loss", input, target, weight), delta=delta)
    return reduced(loss if weight is None else loss * weight, reduction)


# --- Probabilities ------------------------------------------------------------------------------


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """−t ln p − (1 − t) ln (1 − p), each logarithm at least −100, times the weight.

    Raises ValueError for input and target of different shapes, RuntimeError for p not in [0, 1].
    """
    tensors("binary_cross_entropy", input=input, target=target)
    p, t = input._array, target._array
    if p.shape != t.shape:
        raise ValueError(
            f"Using a target size ({t.shape}) that is different to the input size ({p.shape}) is "
            "deprecated. Please ensure they have the same size."
        )
    if p.size and not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError("all elements of input should be between 0 and 1")
    floating("binary_cross_entropy", input=input, target=target)
    loss = ops.binary_cross_entropy(input, target)
    return reduced(loss if weight is None else loss * weight, reduction, size_average, reduce)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean", pos_weight: Any = None,
) -> Any:  # fmt: skip
    """Binary cross-entropy of sigmoid(input): (1 − t) x + (1 + (w − 1) t) ln(1 + e⁻ˣ)."""
    tensors("binary_cross_entropy_with_logits", input=input, target=target)
    if input._array.shape != target._array.shape:
        raise ValueError(
            f"Target size ({target._array.shape}) must be the same as input size "
            f"({input._array.shape})"
        )
    factor = ops.logsigmoid(input)
    if pos_weight is not None:
        factor = factor * ((pos_weight - 1) * target + 1.0)
    loss = (1.0 - target) * input - factor
    return reduced(loss if weight is None else loss * weight, reduction, size_average, reduce)


def kl_div(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", log_target: bool = False,
) -> Any:  # fmt: skip
    """t (ln t − input), of log-probabilities and probabilities t, 0 where t is 0.

    With `log_target` the target is ln t. "batchmean" divides the sum by the length of axis 0, which
    is the divergence's mean over a batch; "mean" divides by the number of elements, and warns.
    """
    tensors("kl_div", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(reduction, size_average, reduce)
    elif reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math "
            "definition.",
            stacklevel=2,
        )
    if log_target:
        loss = ops.exp(target) * (target - input)
    else:
        t = ops.where(target._array == 0, 1.0, target)
        loss = t * ops.log(t) - target * input
    if reduction == "batchmean":
        shape = input._array.shape
        return loss.sum() / shape[0] if shape else loss.sum()
    return reduced(loss, reduction)


def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False,
    size_average: bool | None = None, eps: float = 1e-8, reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """λ − t ln λ for counts t and λ = exp(input), or λ = input + eps where not `log_input`.

    `full` adds Stirling's approximation of ln t! where t > 1: t ln t − t + ln(2πt) / 2.
    """
    tensors("poisson_nll_loss", input=input, target=target)
    if log_input:
        loss = ops.exp(input) - target * input
    else:
        loss = input - target * ops.log(input + eps)
    if full:
        over = target._array > 1
        t = ops.where(over, target, 1.0)
        log = ops.log(t)
        loss = loss + ops.keep(t * log - t + 0.5 * log + 0.5 * math.log(2 * math.pi), over)
    return reduced(loss, reduction, size_average, reduce)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """(ln v + (input − target)² / v) / 2 with v = max(var, eps); `full` adds ln(2π) / 2.

    `var` is a number, or of the input's shape, or has one value for each row of it. The gradient
    passes where var is raised to eps. Raises ValueError for a var below 0 or of another shape.
    """
    tensors("gaussian_nll_loss", input=input, target=target)
    shape = input._array.shape
    if isinstance(var, (int, float)):
        var = wrap(np.full(shape, var, input._array.dtype))
    if (var._array < 0).any():
        raise ValueError("var has negative entry/entries")
    given = var._array.shape
    if given != shape:
        if given == shape[:-1]:
            var = functions.unsqueeze(var, -1)
        elif (
            len(given) != len(shape)
            or sum(n for m, n in zip(shape, given, strict=True) if m != n) != 1
        ):
            raise ValueError(f"var is of incorrect size: {given}, for an input of {shape}")
    check_reduction(reduction)
    raised = np.maximum(var._array, var._array.dtype.type(eps)) - var._array
    v = var + wrap(raised)
    loss = 0.5 * (ops.log(v) + functions.square(input - target) / v)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)
