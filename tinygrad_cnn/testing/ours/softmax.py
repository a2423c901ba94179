"""Calls and references of softmax, its logarithm, and cross-entropy."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..calls import Call
from ..entries import register_strategy
from ..strategies import generators, label_arrays, separated_arrays, shapes
from ..values import Array, separated


def softmax(x: Array, dim: int) -> Array:
    """eˣ / Σ eˣ"""
    return np.asarray(np.exp(x) / np.exp(x).sum(dim, keepdims=True))


def log_softmax(x: Array, dim: int) -> Array:
    """ln (eˣ / Σ eˣ)"""
    return np.asarray(np.log(softmax(x, dim)))


@st.composite
def softmaxes(draw: st.DrawFn) -> Call:
    """An array and an axis, from either end."""
    x = draw(separated_arrays(shapes(1, 3, 0, 4)))
    return Call((x,), {"dim": draw(st.integers(-x.ndim, x.ndim - 1))})


register_strategy("softmax", softmaxes(), reference=softmax)
register_strategy("log_softmax", softmaxes(), reference=log_softmax)


def cross_entropy(
    x: Array, target: Array, weight: Array | None = None, *,
    ignore_index: int, reduction: str, label_smoothing: float,
) -> Array:  # fmt: skip
    """The loss of one label after the other."""
    logp, classes = log_softmax(x, 1), x.shape[1]
    weight = np.ones(classes) if weight is None else weight
    losses = np.zeros(target.shape)
    total: Any = 0.0
    for place in np.ndindex(target.shape):
        label = target[place]
        if label == ignore_index:
            continue
        of_place = logp[(place[0], slice(None), *place[1:])]
        own = -weight[label] * of_place[label]
        even = -(weight * of_place).sum() / classes
        losses[place] = (1 - label_smoothing) * own + label_smoothing * even
        total += weight[label]
    if reduction == "none":
        return losses
    return np.asarray(losses.sum() / (1 if reduction == "sum" else total or np.nan))


@st.composite
def cross_entropies(draw: st.DrawFn) -> Call:
    """Logits (N, C, ..) and labels, some ignored. N may be 0 where the loss then has a value."""
    n = draw(st.sampled_from([1, 2, 3, 1, 2, 3, 0]))
    classes = draw(st.integers(1, 4))
    places = draw(st.lists(st.integers(1, 2), max_size=2))
    ignored = draw(st.sampled_from([-100, -1, classes - 1 if classes > 1 else -2]))
    (x,) = separated(draw(generators()), (n, classes, *places))
    least = ignored if ignored >= 0 else classes
    labels = draw(label_arrays((n, *places), least, ignore_index=ignored))
    (weight,) = separated(draw(generators()), (classes,), low=0.3, high=2.0)
    attributes: dict[str, Any] = {
        "ignore_index": ignored,
        "reduction": draw(st.sampled_from(["mean", "sum", "none"] if n else ["sum", "none"])),
        "label_smoothing": draw(st.sampled_from([0.0, 0.1, 0.3])),
    }
    return Call((x, labels, weight) if draw(st.booleans()) else (x, labels), attributes)


register_strategy(
    "cross_entropy", cross_entropies(), constants=("weight",), reference=cross_entropy
)
