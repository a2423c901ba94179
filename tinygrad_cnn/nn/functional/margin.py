"""Losses with a margin: of pairs and triplets of vectors, and of classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import functions, ops
from ...engine import wrap
from .check import tensors
from .distance import pairwise_distance
from .loss import check_reduction, reduced

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "soft_margin_loss",
    "triplet_margin_loss", "triplet_margin_with_distance_loss",
]  # fmt: skip


def _positive(x: Any) -> Any:
    """max(x, 0), with the subgradient 1 at 0."""
    return ops.clamp(x, min=0.0, max=None)


def _same_axes(name: str, **given: Any) -> None:
    tensors(name, **given)
    if len({x._array.ndim for x in given.values()}) > 1:
        got = ", ".join(f"{what} {x._array.shape}" for what, x in given.items())
        raise RuntimeError(
            f"{name} : All input tensors should have same dimension but got sizes: {got}"
        )


def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """max(0, margin − t (x1 − x2)): for t = 1 x1 is to be larger, for t = −1 x2."""
    _same_axes("margin_ranking_loss", input1=input1, input2=input2, target=target)
    loss = _positive(-target * (input1 - input2) + margin)
    return reduced(loss, reduction, size_average, reduce)


def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """x where the target is 1, max(0, margin − x) where it is −1."""
    tensors("hinge_embedding_loss", input=input, target=target)
    t = target._array
    loss = ops.where(t != 1, _positive(margin - input), 0.0) + ops.where(t != -1, input, 0.0)
    return reduced(loss, reduction, size_average, reduce)


def soft_margin_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """ln(1 + exp(−t x)) of targets t = ±1."""
    tensors("soft_margin_loss", input=input, target=target)
    return reduced(-ops.logsigmoid(target * input), reduction, size_average, reduce)


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """1 − cos(x1, x2) where the target is 1, max(0, cos(x1, x2) − margin) where it is −1.

    x1 and x2 are (N, D) and the target (N,), or (D,) and ().
    """
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
    return reduced(loss, reduction, size_average, reduce)


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2,
    eps: float = 1e-6, swap: bool = False, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """max(0, margin + d(a, p) − d(a, n)) with `pairwise_distance`; `swap` takes d(p, n) if smaller.

    The swap is of Balntas et al. 2016. Raises ValueError for a margin of 0 or less.
    """

    def distance(x: Any, y: Any) -> Any:
        return pairwise_distance(x, y, p, eps)

    loss = _triplet("triplet_margin_loss", anchor, positive, negative, distance, margin, swap)
    return reduced(loss, reduction, size_average, reduce)


def triplet_margin_with_distance_loss(
    anchor: Any, positive: Any, negative: Any, *,
    distance_function: Callable[[Any, Any], Any] | None = None, margin: float = 1.0,
    swap: bool = False, reduction: str = "mean",
) -> Any:  # fmt: skip
    """`triplet_margin_loss` by another distance than `pairwise_distance`."""
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


def _rows(name: str, input: Any, target: Any, wide: bool) -> tuple[Any, np.ndarray]:
    """The input as (N, C), and the labels as (N,), or with `wide` as (N, C)."""
    tensors(name, input=input, target=target)
    x, t = input._array, target._array
    if x.ndim > 2 or (not x.size and not (x.ndim == 2 and x.shape[1])):
        raise RuntimeError(f"{name}: expected an input (N, C) or (C,), got shape {x.shape}")
    if t.dtype.kind not in "iu":
        raise RuntimeError(f"{name}: labels must be integers (int64), got {t.dtype}")
    rows = input if x.ndim == 2 else input.reshape((1, -1))
    wanted = rows._array.shape if wide else rows._array.shape[:1]
    if t.shape != wanted and (x.ndim == 2 or t.size != wanted[-1]):
        raise RuntimeError(
            f"inconsistent target size: {name} got {t.shape}, expected {wanted} for an input of "
            f"shape {x.shape}"
        )
    return rows, t.reshape(wanted)


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """Σ_c w[t] max(0, margin − x[t] + x[c])ᵖ / C over the classes c other than the label t.

    x (N, C) or (C,), p 1 or 2; at the kink the subgradient is 0.
    """
    if p not in (1, 2):
        raise ValueError(f"only p == 1 and p == 2 supported, got {p}")
    x, label = _rows("multi_margin_loss", input, target, wide=False)
    classes = x._array.shape[1]
    if weight is not None and weight._array.shape != (classes,):
        raise (ValueError if weight._array.ndim != 1 else RuntimeError)(
            f"weight must be one-dimensional, of {classes} elements, got shape "
            f"{weight._array.shape}"
        )
    if label.size and (label.min() < 0 or label.max() >= classes):
        raise RuntimeError(f"target out of range: multi_margin_loss has {classes} classes")
    index = label[:, None]
    over = ops.relu(x - ops.gather(x, index, dim=1) + margin)
    others = np.arange(classes) != index
    loss = ops.keep(over if p == 1 else over * over, others)
    if weight is not None:
        loss = loss * weight[wrap(index)]
    loss = loss.sum(1) / classes
    return reduced(loss if target._array.ndim else loss.squeeze(0), reduction, size_average,
                   reduce)  # fmt: skip


def multilabel_margin_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """Σ max(0, 1 − x[t] + x[c]) / C over the labels t and the classes c that are none.

    x and target are (N, C) or (C,); of a target the labels before the first −1 count.
    """
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
    return reduced(loss if input._array.ndim == 2 else loss.squeeze(0), reduction, size_average,
                   reduce)  # fmt: skip


def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """The mean over the last axis of −t ln σ(x) − (1 − t) ln σ(−x), times the weight."""
    tensors("multilabel_soft_margin_loss", input=input, target=target)
    loss = -(target * ops.logsigmoid(input) + (1.0 - target) * ops.logsigmoid(-input))
    loss = (loss if weight is None else loss * weight).sum(-1) / input._array.shape[-1]
    return reduced(loss, reduction, size_average, reduce)
