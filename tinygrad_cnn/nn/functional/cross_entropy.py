"""Losses of classes: cross-entropy, and its half that takes log-probabilities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import functions, ops
from ...dtypes import shown
from ...engine import wrap
from ...engine.dtypes import FLOATING
from ...functions.arguments import tensors
from ...tensor import Tensor
from .check import ADD_BATCH, TAKE_BATCH, Shape, floating_affine
from .reduction import check_reduction, legacy_reduction, reduced

__all__ = ["cross_entropy", "nll_loss"]

_UNSIGNED = {n: np.dtype(f"u{n}") for n in (1, 2, 4, 8)}  # by the bytes of an element


def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """−ln softmax(input)[target] for logits (N, C, ..) or (C,) and labels (N, ..) or ().

    The target may hold probabilities instead, in the shape of the input. `weight` (C,) multiplies
    the loss of each class. `label_smoothing` ε replaces the target by (1 − ε) target + ε / C.
    Labels equal to `ignore_index` have loss and gradient 0.

    `reduction` is "mean", "sum" or "none", which gives the shape (N, ..). The mean divides by
    Σ weight[target] over the labels that are not ignored, and for probabilities by their number.
    Raises IndexError for labels outside [0, C), ValueError or RuntimeError for other shapes and
    settings, RuntimeError unless input and weight have one floating-point dtype.

    >>> cross_entropy(tc.zeros(2, 10), tc.tensor([3, 7]))
    tensor(2.3026)
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(reduction, size_average, reduce)
    check_reduction(reduction)
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    x, t = _with_batch("cross_entropy", input, target, weight)
    if target._array.dtype.kind in FLOATING and target._array.shape == input._array.shape:
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        return _of_probabilities(input, target, weight, reduction, label_smoothing)
    if target._array.shape == input._array.shape:
        raise RuntimeError(
            "Expected floating point type for target with class probabilities, got "
            f"{target.dtype}: cross_entropy takes labels, or probabilities in the shape of the "
            "input. For one-hot integers, give target.argmax(1) or target.float()"
        )
    _check_labels("cross_entropy", t._array, x._array.shape, ignore_index)
    y = ops.cross_entropy(
        x, t, weight, ignore_index=ignore_index, reduction=reduction,
        label_smoothing=label_smoothing,
    )  # fmt: skip
    return y if x is input or reduction != "none" else ops.getitem(y, index=TAKE_BATCH)


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """−input[target] for log-probabilities (N, C, ..) or (C,) and labels (N, ..) or ().

    Otherwise as `cross_entropy`.

    >>> nll_loss(tc.tensor([[-1.0, -2.0]]), tc.tensor([1]))
    tensor(2.)
    """
    reduction = legacy_reduction(reduction, size_average, reduce)
    check_reduction(reduction)
    x, t = _with_batch("nll_loss", input, target, weight)
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
    loss = reduced(loss, reduction)
    return loss if x is input or reduction != "none" else ops.getitem(loss, index=TAKE_BATCH)


def _with_batch(name: str, input: Any, target: Any, weight: Any) -> tuple[Any, Any]:
    """Input and target with a batch axis. Raises for an input or a weight that does not fit."""
    floating_affine(name, input, weight, None, place=3)
    if not isinstance(target, Tensor):
        tensors(name, input=input, target=target)
    shape = input._array.shape
    if not shape:
        raise ValueError(f"Expected 1 or more dimensions (got 0) of {name}'s input")
    classes = shape[min(len(shape) - 1, 1)]
    if weight is not None and weight._array.shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but "
            f"got weight tensor of shape: {weight._array.shape}"
        )
    if len(shape) > 1:
        return input, target
    return ops.getitem(input, index=ADD_BATCH), ops.getitem(target, index=ADD_BATCH)


def _check_labels(name: str, labels: np.ndarray, shape: Shape, ignore_index: int) -> None:
    """Raise unless the labels are classes of an input of this shape (N, C, ..), or ignored."""
    wanted = (shape[0], *shape[2:])
    if labels.shape[:1] != wanted[:1]:
        raise ValueError(
            f"Expected input batch_size ({shape[0]}) to match target batch_size "
            f"({labels.shape[0] if labels.ndim else 'none'}): {name} got input {shape} and target "
            f"{labels.shape}"
        )
    if labels.dtype.kind not in "iu":
        raise RuntimeError(
            f"expected target dtype to be Long, but {name} got {shown(labels.dtype)}"
        )
    if labels.shape != wanted:
        raise RuntimeError(f"Expected target size {wanted}, got {labels.shape}, in {name}")
    # one pass over the labels: as unsigned integers, negative ones are large
    if labels.size and labels.view(_UNSIGNED[labels.itemsize]).max() >= shape[1]:
        wrong = ((labels < 0) | (labels >= shape[1])) & (labels != ignore_index)
        if wrong.any():
            raise IndexError(
                f"Target {int(labels[wrong][0])} is out of bounds: {name} has {shape[1]} classes, "
                f"0 to {shape[1] - 1}"
            )


def _of_probabilities(x: Any, q: Any, weight: Any, reduction: str, label_smoothing: float) -> Any:
    """The cross-entropy of logits x with probabilities q of the same shape."""
    dim = 1 if x._array.ndim > 1 else 0
    classes = x._array.shape[dim]
    if label_smoothing:
        q = q * (1 - label_smoothing) + label_smoothing / classes
    if weight is not None:
        q = q * weight.reshape((-1, *[1] * (x._array.ndim - dim - 1)))
    loss = -(functions.log_softmax(x, dim) * q).sum(dim)
    if reduction == "mean":
        n = x._array.size // max(classes, 1)
        return loss.sum() / n
    return reduced(loss, reduction)
