"""Losses with a margin: of pairs and triplets of vectors, and of classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import functions, ops
from ...dtypes import shown
from ...engine import wrap
from ...engine.dtypes import int64
from ...functions.arguments import optional_tensors, tensors
from ...tensor import Tensor
from .check import check_kind, one_floating_dtype
from .distance import pairwise_distance
from .precision import in_float32
from .reduction import check_reduction, legacy_reduction, reduced

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "soft_margin_loss",
    "triplet_margin_loss", "triplet_margin_with_distance_loss",
]  # fmt: skip


def _positive(x: Any) -> Any:
    """max(x, 0), with the subgradient 1 at 0."""
    return ops.clamp(x, min=0.0, max=None)


# --- Of pairs -----------------------------------------------------------------------------------


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """max(0, margin − t (x1 − x2)) for targets t = ±1: x1 should be larger for 1, x2 for −1.

    The shapes broadcast. `reduction` is "mean", "sum" or "none". Raises RuntimeError for different
    numbers of axes.

    >>> margin_ranking_loss(tc.tensor([1.0]), tc.tensor([3.0]), tc.tensor([1.0]), margin=0.5)
    tensor(2.5000)
    """
    reduction = legacy_reduction(reduction, size_average, reduce)
    given = {"input1": input1, "input2": input2, "target": target}
    tensors("margin_ranking_loss", **given)
    if len({x._array.ndim for x in given.values()}) > 1:
        got = ", ".join(f"{argument} {x._array.shape}" for argument, x in given.items())
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"{got}"
        )
    return reduced(_positive(-target * (input1 - input2) + float(margin)), reduction)


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """x of the input where the target is 1, max(0, margin − x) where it is −1.

    The shapes broadcast. `reduction` is "mean", "sum" or "none".

    >>> hinge_embedding_loss(tc.tensor([0.5, 0.25]), tc.tensor([1, -1]), reduction="none")
    tensor([0.5000, 0.7500])
    """
    reduction = legacy_reduction(reduction, size_average, reduce)
    tensors("hinge_embedding_loss", input=input, target=target)
    t = target._array
    loss = ops.where(t != 1, _positive(margin - input), 0.0) + ops.where(t != -1, input, 0.0)
    return reduced(loss, reduction)


def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """ln(1 + exp(−t x)) for each element x of input and its target t = ±1. It does not overflow.

    The shapes broadcast. `reduction` is "mean", "sum" or "none".

    >>> soft_margin_loss(tc.tensor([0.0]), tc.tensor([1.0]))
    tensor(0.6931)
    """
    reduction = legacy_reduction(reduction, size_average, reduce)
    tensors("soft_margin_loss", input=input, target=target)
    check_kind("soft_margin_loss", input)
    return reduced(-ops.logsigmoid(target * input), reduction)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """1 − cos(x1, x2) where the target is 1, max(0, cos(x1, x2) − margin) where it is −1.

    x1 and x2 are (N, D) and the target (N,), or (D,) and (). `reduction` is "mean", "sum" or
    "none". Raises RuntimeError for other numbers of axes.

    >>> cosine_embedding_loss(tc.tensor([1.0, 0.0]), tc.tensor([0.0, 2.0]), tc.tensor(1))
    tensor(1.)
    """
    reduction = legacy_reduction(reduction, size_average, reduce)
    tensors("cosine_embedding_loss", input1=input1, input2=input2, target=target)
    t = target._array
    if t.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    sizes = f"{input1._array.shape} and {input2._array.shape}"
    if not input1._array.ndim == input2._array.ndim == t.ndim + 1:
        raise RuntimeError(
            f"{t.ndim}D target tensor expects {t.ndim + 1}D input tensors, but found inputs with "
            f"sizes {sizes}."
        )
    square1, square2 = ((x * x).sum(-1) + 1e-12 for x in (input1, input2))
    cos = (input1 * input2).sum(-1) / ops.sqrt(square1 * square2)
    loss = ops.where(t == 1, 1.0 - cos, 0.0) + ops.where(t == -1, _positive(cos - margin), 0.0)
    return reduced(loss, reduction)


# --- Of triplets --------------------------------------------------------------------------------


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2,
    eps: float = 1e-6, swap: bool = False, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """max(0, margin + d(anchor, positive) − d(anchor, negative)), with d the `pairwise_distance`.

    The Tensors are (N, D) or (D,). With `swap`, d(positive, negative) is taken instead of
    d(anchor, negative) where it is smaller (Balntas et al. 2016). `reduction` is "mean", "sum" or
    "none". Raises ValueError for a margin of 0 or less, RuntimeError for different numbers of axes.

    >>> x = tc.zeros(1, 2)
    >>> triplet_margin_loss(x, x + 3.0, x + 4.0, margin=2.0, p=1)
    tensor(0.)
    """
    reduction = legacy_reduction(reduction, size_average, reduce)

    def distance(x: Any, y: Any) -> Any:
        return pairwise_distance(x, y, p, eps)

    loss = _triplet("triplet_margin_loss", anchor, positive, negative, distance, margin, swap)
    return reduced(loss, reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None, margin: float = 1.0,
    swap: bool = False, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """`triplet_margin_loss` with another distance than `pairwise_distance`.

    >>> x = tc.zeros(1, 2)
    >>> distance = lambda a, b: (a - b).abs().amax(-1)
    >>> triplet_margin_with_distance_loss(x, x + 3.0, x + 4.0, distance_function=distance)
    tensor(0.)
    """
    check_reduction(reduction)
    distance = distance_function or pairwise_distance
    name = "triplet_margin_with_distance_loss"
    return reduced(_triplet(name, anchor, positive, negative, distance, margin, swap), reduction)


def _triplet(
    name: str, anchor: Any, positive: Any, negative: Any, distance: Callable[[Any, Any], Any],
    margin: float, swap: bool,
) -> Any:  # fmt: skip
    tensors(name, anchor=anchor, positive=positive, negative=negative)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    ndims = [x._array.ndim for x in (anchor, positive, negative)]
    if len(set(ndims)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            "dimensions, but got: anchor {}D, positive {}D, and negative {}D inputs".format(*ndims)
        )
    far = distance(anchor, negative)
    if swap:
        far = ops.minimum(far, distance(positive, negative))
    return _positive(margin + distance(anchor, positive) - far)


# --- Of classes ---------------------------------------------------------------------------------


def multi_margin_loss(
    input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Σ_c w[t] max(0, margin − x[t] + x[c])ᵖ / C over the classes c other than the label t.

    x is the input, (N, C) or (C,); the labels are integers (N,) or (), w is the weight (C,), and p
    is 1 or 2. At the kink the subgradient is 0. `reduction` is "mean", "sum" or "none". Raises
    ValueError for another p, RuntimeError for labels outside [0, C) and for shapes that do not fit.

    >>> multi_margin_loss(tc.tensor([0.5, 1.0, 0.0]), tc.tensor(1))
    tensor(0.1667)
    """
    reduction = legacy_reduction(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError(f"only p == 1 and p == 2 supported, got {p}")
    optional_tensors("multi_margin_loss", 5, weight=weight)
    x, label = _rows("multi_margin_loss", input, target, wide=False)
    classes = x._array.shape[1]
    if weight is not None and weight._array.shape != (classes,):
        raise (ValueError if weight._array.ndim != 1 else RuntimeError)(
            f"weight must be one-dimensional, of {classes} elements, got shape "
            f"{weight._array.shape}"
        )
    one_floating_dtype("multi_margin_loss", input=x, weight=weight)
    if label.size and (label.min() < 0 or label.max() >= classes):
        raise RuntimeError(f"target out of range: multi_margin_loss has {classes} classes")
    index = label[:, None]
    over = ops.relu(x - ops.gather(x, index, dim=1) + margin)
    others = np.arange(classes) != index
    loss = ops.keep(over if p == 1 else over * over, others)
    if weight is not None:
        loss = loss * weight[wrap(index)]
    return _of_rows(loss.sum(1) / classes, not target._array.ndim, reduction)


def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Σ max(0, 1 − x[t] + x[c]) / C over the labels t and the classes c that are no label.

    x is the input; it and the target are (N, C) or (C,). Of each target row, the labels before the
    first −1 count. `reduction` is "mean", "sum" or "none". Raises RuntimeError for labels outside
    [−1, C) and for shapes that do not fit.

    >>> multilabel_margin_loss(tc.tensor([0.5, 1.0, 0.0]), tc.tensor([1, 0, -1]))
    tensor(0.1667)
    """
    reduction = legacy_reduction(reduction, size_average, reduce)
    x, t = _rows("multilabel_margin_loss", input, target, wide=True)
    n, classes = x._array.shape
    if t.size and (t.min() < -1 or t.max() >= classes):
        raise RuntimeError(f"argument #2 'target' is out of range: from -1 to {classes - 1}")
    real = np.logical_and.accumulate(t >= 0, axis=1)
    label = np.where(real, t, 0)
    is_label = np.zeros((n, classes), bool)
    rows, places = np.nonzero(real)
    is_label[rows, t[rows, places]] = True
    picked = ops.gather(x, label, dim=1)
    over = ops.relu(functions.unsqueeze(x, 1) - functions.unsqueeze(picked, 2) + 1.0)
    loss = ops.keep(over, real[:, :, None] & ~is_label[:, None, :]).sum((1, 2)) / classes
    return _of_rows(loss, input._array.ndim < 2, reduction)


def _rows(name: str, input: Any, target: Any, wide: bool) -> tuple[Any, np.ndarray]:
    """The input as (N, C), and the labels as (N,), or with `wide` as (N, C)."""
    tensors(name, input=input, target=target)
    x, t = input._array, target._array
    if x.ndim > 2 or (not x.size and not (x.ndim == 2 and x.shape[1])):
        raise RuntimeError(f"{name}: expected an input (N, C) or (C,), got shape {x.shape}")
    if t.dtype.kind not in "iu":
        raise RuntimeError(f"{name}: labels must be integers (int64), got {shown(t.dtype)}")
    rows = input if x.ndim == 2 else functions.reshape(input, (1, -1))
    wanted = rows._array.shape if wide else rows._array.shape[:1]
    if t.shape != wanted and (x.ndim == 2 or t.size != wanted[-1]):
        raise RuntimeError(
            f"inconsistent target size: {name} got {t.shape}, expected {wanted} for an input of "
            f"shape {x.shape}"
        )
    return rows, t.reshape(wanted).astype(int64, copy=False)


def _of_rows(loss: Any, single: bool, reduction: str) -> Any:
    """The loss of each row (N,) reduced; with `single`, "none" gives the shape ()."""
    return reduced(functions.squeeze(loss, 0) if single else loss, reduction)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """The mean over the last axis of −t ln σ(x) − (1 − t) ln σ(−x), times the weight.

    x is the input, t the target of the same shape, and σ the sigmoid. The weight broadcasts.
    `reduction` is "mean", "sum" or "none", which gives the shape without the last axis.

    >>> multilabel_soft_margin_loss(tc.tensor([[0.0, 0.0]]), tc.tensor([[1.0, 0.0]]))
    tensor(0.6931)
    """
    reduction = legacy_reduction(reduction, size_average, reduce)
    tensors("multilabel_soft_margin_loss", input=input, target=target)
    optional_tensors("multilabel_soft_margin_loss", 3, weight=weight)
    check_kind("multilabel_soft_margin_loss", input)
    return _multilabel_soft_margin(input, target, weight, reduction)


@in_float32
def _multilabel_soft_margin(input: Any, target: Any, weight: Any, reduction: str) -> Any:
    loss = -(target * ops.logsigmoid(input) + (1.0 - target) * ops.logsigmoid(-input))
    loss = (loss if weight is None else loss * weight).sum(-1) / input._array.shape[-1]
    return reduced(loss, reduction)
