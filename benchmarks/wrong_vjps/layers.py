"""ReLU, softmax, cross-entropy and batch norm, and thirteen ways to get their vjps wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinygrad_cnn.testing import Call, label_arrays, separated_arrays, shapes
from tinygrad_cnn.testing.values import separated

from .rule import change, rule, scaled, some_zeroed, stale, wrong

RNG = np.random.default_rng(1)
MATRIX, IMAGE = separated(RNG, (3, 3), (4, 4), avoid=[0.0])


# --- ReLU ---------------------------------------------------------------------------------------


def relu(x: Any) -> Any:
    """y = max(x, 0)"""
    return np.maximum(x, 0)


def relu_vjp(g: Any, x: Any) -> tuple[Any]:
    """x̄ = ȳ [x > 0]: 0 at the kink"""
    return (g * (x > 0),)


RELU = rule(
    relu, relu_vjp, Call((IMAGE,)),
    separated_arrays(shapes(1, 3, 1, 5), avoid=[0.0]).map(lambda x: Call((x,))),
    [(Call((np.array([0.0]),)), np.array([0.0]))],
)  # fmt: skip


@wrong(RELU, "`>=` at the kink")
def at_least(g: Any, x: Any) -> tuple[Any]:
    return (g * (x >= 0),)


@wrong(RELU, "only positive cotangents pass")
def guided(g: Any, x: Any) -> tuple[Any]:
    return (g * (x > 0) * (g > 0),)


change(RELU, "5 % of elements zeroed", 0, some_zeroed)
stale(RELU, "stale mask of an earlier call of the same shape")


# --- Softmax ------------------------------------------------------------------------------------


def softmax(x: Any) -> Any:
    """y = exp(x) / Σ exp(x), along the last axis"""
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax_vjp(g: Any, x: Any) -> tuple[Any]:
    """x̄ = y ⊙ (ȳ − Σ ȳ ⊙ y)"""
    y = softmax(x)
    return (y * (g - (g * y).sum(-1, keepdims=True)),)


rows = separated_arrays(shapes(1, 3, 1, 4)).map(lambda x: Call((x,)))
SOFTMAX = rule(softmax, softmax_vjp, Call((MATRIX,)), rows)


@wrong(SOFTMAX, "wrong sign of the sum")
def softmax_sign(g: Any, x: Any) -> tuple[Any]:
    y = softmax(x)
    return (y * (g + (g * y).sum(-1, keepdims=True)),)


@wrong(SOFTMAX, "the diagonal alone, y (1 − y)")
def softmax_diagonal(g: Any, x: Any) -> tuple[Any]:
    y = softmax(x)
    return (g * y * (1 - y),)


@wrong(SOFTMAX, "sum over all rows")
def softmax_all_rows(g: Any, x: Any) -> tuple[Any]:
    y = softmax(x)
    return (y * (g - (g * y).sum()),)


# --- Cross-entropy ------------------------------------------------------------------------------


def cross_entropy(x: Any, *, labels: Any) -> Any:
    """y = mean of −log softmax(x)[label], over the rows"""
    z = x - x.max(-1, keepdims=True)
    log = z - np.log(np.exp(z).sum(-1, keepdims=True))
    return np.asarray(-log[np.arange(len(labels)), labels].mean())


def cross_entropy_vjp(g: Any, x: Any, *, labels: Any, count: int | None = None) -> tuple[Any]:
    """x̄ = ȳ (softmax(x) − one-hot) / N; `count` is for the mutants"""
    dx = softmax(x)
    dx[np.arange(len(labels)), labels] -= 1
    return (dx * (g / g.dtype.type(count or len(labels))),)


@st.composite
def labelled(draw: st.DrawFn) -> Call:
    """Logits (N, C) and labels."""
    n, classes = draw(st.integers(1, 4)), draw(st.integers(2, 5))
    labels = draw(label_arrays((n,), classes))
    return Call((draw(separated_arrays((n, classes))),), {"labels": labels})


CE = rule(
    cross_entropy,
    cross_entropy_vjp,
    Call((MATRIX,), {"labels": np.array([2, 0, 1])}),
    labelled(),
)


@wrong(CE, "sum for mean")
def cross_entropy_sum(g: Any, x: Any, *, labels: Any) -> tuple[Any]:
    return cross_entropy_vjp(g, x, labels=labels, count=1)


@wrong(CE, "divided by the classes and not the rows")
def cross_entropy_classes(g: Any, x: Any, *, labels: Any) -> tuple[Any]:
    return cross_entropy_vjp(g, x, labels=labels, count=x.shape[1])


@wrong(CE, "the cotangent forgotten")
def cross_entropy_alone(g: Any, x: Any, *, labels: Any) -> tuple[Any]:
    return cross_entropy_vjp(np.ones_like(g), x, labels=labels)


# --- Batch norm ---------------------------------------------------------------------------------


def normalised(x: Any) -> tuple[Any, Any]:
    """x̂ (N, C, H, W), and 1/σ (1, C, 1, 1)."""
    inverse = 1 / np.sqrt(x.var((0, 2, 3), keepdims=True) + x.dtype.type(0.1))
    return (x - x.mean((0, 2, 3), keepdims=True)) * inverse, inverse


def batch_norm(x: Any, weight: Any) -> Any:
    """y = weight · (x − mean) / σ, over N, H, W"""
    return normalised(x)[0] * weight.reshape(1, -1, 1, 1)


def batch_norm_vjp(g: Any, x: Any, weight: Any, sign: int = 1) -> tuple[Any, Any]:
    """x̄ = w/σ · (ȳ − mean ȳ − x̂ · mean(ȳ x̂)); `sign` is for the mutants"""
    xhat, inverse = normalised(x)
    mean = g.mean((0, 2, 3), keepdims=True)
    slope = (g * xhat).mean((0, 2, 3), keepdims=True)
    dx = weight.reshape(1, -1, 1, 1) * inverse * (g - mean - sign * xhat * slope)
    return dx, (g * xhat).sum((0, 2, 3))


@st.composite
def batches(draw: st.DrawFn) -> Call:
    """x (N, C, H, W) and a weight for each channel."""
    shape = draw(st.tuples(st.integers(2, 3), *[st.integers(1, 3)] * 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return Call(tuple(separated(rng, shape, shape[1:2], avoid=[0.0])))


NORMS = separated(np.random.default_rng(2), (2, 2, 2, 2), (2,), avoid=[0.0])
NORM = rule(batch_norm, batch_norm_vjp, Call(tuple(NORMS)), batches())


@wrong(NORM, "x: wrong sign of the variance's term")
def norm_sign(g: Any, x: Any, weight: Any) -> tuple[Any, Any]:
    return batch_norm_vjp(g, x, weight, sign=-1)


@wrong(NORM, "x: mean and variance as constants")
def norm_constant(g: Any, x: Any, weight: Any) -> tuple[Any, Any]:
    dx = g * weight.reshape(1, -1, 1, 1) * normalised(x)[1]
    return dx, batch_norm_vjp(g, x, weight)[1]


change(NORM, "weight: 0.05 % too large", 1, scaled)
