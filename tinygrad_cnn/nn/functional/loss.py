"""Losses: of predictions and targets, reduced to the mean, the sum, or not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import functions, ops
from ...functions import log_softmax
from ...graph import wrap
from .check import floating, tensors

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "smooth_l1_loss",
]


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
    floating("cross_entropy", input=input, weight=weight)
    tensors("cross_entropy", target=target)
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
    floating("nll_loss", input=input, weight=weight)
    tensors("nll_loss", target=target)
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
    tensors(name, input=input, target=target)
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


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """Labels (..) as rows (.., num_classes) of int64 with a 1 at the label."""
    labels = tensor._array
    n = num_classes if num_classes >= 0 else int(labels.max()) + 1
    if labels.size and (labels.min() < 0 or labels.max() >= n):
        raise RuntimeError(f"one_hot: class values must be in [0, {n}), got up to {labels.max()}")
    return wrap(np.eye(n, dtype=np.int64)[labels])
