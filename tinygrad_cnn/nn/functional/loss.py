"""Losses of numbers: functions of the difference of prediction and target."""

from __future__ import annotations

import warnings
from typing import Any

from ... import functions, ops
from ...functions.arguments import optional_tensors, tensors
from ...tensor import Tensor
from .reduction import legacy_reduction, reduced

__all__ = ["huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]


def mse_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """(input − target)², of any shape.

    `reduction` is "mean", "sum" or "none", which keeps the shape. `weight`, of the shape of the
    input, multiplies the loss of each element, and the mean divides by Σ weight. Shapes that differ
    broadcast, with a warning. Raises ValueError for a weight of another shape.

    >>> mse_loss(tc.tensor([1.0, 2.0]), tc.tensor([1.0, 4.0]))
    tensor(2.)
    """
    reduction = legacy_reduction(reduction, size_average, reduce)
    d = _difference("mse_loss", input, target, weight, 6)
    return _weighted(ops.square(d), weight, reduction)


def l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """|input − target|, of any shape. Otherwise as `mse_loss`.

    >>> l1_loss(tc.tensor([1.0, 2.0]), tc.tensor([1.0, 4.0]))
    tensor(1.)
    """
    reduction = legacy_reduction(reduction, size_average, reduce)
    d = _difference("l1_loss", input, target, weight, 6)
    return _weighted(ops.abs(d), weight, reduction)


def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", beta: float = 1.0,
) -> Tensor:  # fmt: skip
    """d² / 2β where d = |input − target| < β, else d − β/2. Reductions as in `mse_loss`.

    Raises RuntimeError for β < 0. (Girshick 2015.)

    >>> smooth_l1_loss(tc.tensor([1.0, 2.0]), tc.tensor([0.0, 5.0]), reduction="none")
    tensor([0.5000, 2.5000])
    """
    reduction = legacy_reduction(reduction, size_average, reduce)
    if not beta >= 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    d = _difference("smooth_l1_loss", input, target)
    return reduced(ops.huber(d, delta=beta) / beta if beta else ops.abs(d), reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """d² / 2 where d = |input − target| < δ, else δ (d − δ/2), times the weight of the element.

    `reduction` is "mean", which divides by the number of elements, "sum" or "none". Raises
    RuntimeError for δ ≤ 0 and for two dtypes, ValueError for a weight of another shape than the
    input's. (Huber 1964.)

    >>> huber_loss(tc.tensor([1.0, 2.0]), tc.tensor([0.0, 5.0]), "none", delta=2.0)
    tensor([0.5000, 4.0000])
    """
    if not delta > 0:
        raise RuntimeError(
            f"huber_loss does not support non-positive values for delta. Got {delta}"
        )
    difference = _difference("huber_loss", input, target, weight, 5)
    if input._array.dtype != target._array.dtype:
        raise RuntimeError(
            f"huber_loss: expected target of the dtype of input, {input._array.dtype}, got "
            f"{target._array.dtype}"
        )
    loss = ops.huber(difference, delta=delta)
    return reduced(loss if weight is None else loss * weight, reduction)


def _difference(name: str, input: Any, target: Any, weight: Any = None, place: int = 0) -> Any:
    """input − target. Shapes that differ broadcast, with a warning. `place`: that of the weight."""
    tensors(name, input=input, target=target)
    sizes = target._array.shape, input._array.shape
    if sizes[0] != sizes[1]:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}). This will likely lead to incorrect results due to broadcasting ({name}). Please "
            "ensure they have the same size.",
            stacklevel=3,
        )
        input, target = functions.broadcast_tensors(input, target)
    if weight is not None:
        optional_tensors(name, place, weight=weight)
        if weight._array.shape != sizes[1]:
            raise ValueError(
                f"Weights and input must have the same size. {name} got {weight._array.shape} and "
                f"{sizes[1]}"
            )
    return ops.sub(input, target)


def _weighted(loss: Any, weight: Any, reduction: str) -> Any:
    """The loss reduced. The mean of a weighted loss divides by the sum of the weights."""
    if weight is None:
        return reduced(loss, reduction)
    loss = loss * weight
    if reduction == "mean":
        return functions.sum(loss) / functions.sum(weight)
    return reduced(loss, reduction)
