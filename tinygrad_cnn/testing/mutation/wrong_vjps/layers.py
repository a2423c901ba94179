"""ReLU, softmax, cross-entropy and batch norm, with thirteen wrong vjps."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from ...calls import Call
from ...strategies import generators, label_arrays, separated_arrays, shapes
from ...values import Array, separated
from ..changes import every_twentieth_zeroed, scaled
from .rule import change, rule, stale, wrong

RNG = np.random.default_rng(1)
MATRIX, IMAGE = separated(RNG, (3, 3), (4, 4), avoid=[0.0])


# --- ReLU ---------------------------------------------------------------------------------------


def relu(x: Array) -> Array:
    """y = max(x, 0)"""
    return np.maximum(x, 0)


def relu_vjp(g: Array, x: Array) -> tuple[Array]:
    """x̄ = ȳ [x > 0]: 0 at the kink"""
    return (g * (x > 0),)


RELU = rule(
    relu, relu_vjp, Call((IMAGE,)),
    separated_arrays(shapes(1, 3, 1, 5), avoid=[0.0]).map(lambda x: Call((x,))),
    [(Call((np.array([0.0]),)), np.array([0.0]))],
)  # fmt: skip


@wrong(RELU, "`>=` at the kink")
def at_least(g: Array, x: Array) -> tuple[Array]:
    return (g * (x >= 0),)


@wrong(RELU, "only positive cotangents pass")
def guided(g: Array, x: Array) -> tuple[Array]:
    return (g * (x > 0) * (g > 0),)


change(RELU, "5 % of elements zeroed", 0, every_twentieth_zeroed)
stale(RELU, "stale mask of an earlier call of the same shape")


# --- Softmax ------------------------------------------------------------------------------------


def softmax(x: Array) -> Array:
    """y = exp(x) / Σ exp(x), along the last axis"""
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax_vjp(g: Array, x: Array) -> tuple[Array]:
    """x̄ = y ⊙ (ȳ − Σ ȳ ⊙ y)"""
    y = softmax(x)
    return (y * (g - (g * y).sum(-1, keepdims=True)),)


rows = separated_arrays(shapes(1, 3, 1, 4)).map(lambda x: Call((x,)))
SOFTMAX = rule(softmax, softmax_vjp, Call((MATRIX,)), rows)


@wrong(SOFTMAX, "wrong sign of the sum")
def softmax_sign(g: Array, x: Array) -> tuple[Array]:
    y = softmax(x)
    return (y * (g + (g * y).sum(-1, keepdims=True)),)


@wrong(SOFTMAX, "the diagonal alone, y (1 − y)")
def softmax_diagonal(g: Array, x: Array) -> tuple[Array]:
    y = softmax(x)
    return (g * y * (1 - y),)


@wrong(SOFTMAX, "sum over all rows")
def softmax_all_rows(g: Array, x: Array) -> tuple[Array]:
    y = softmax(x)
    return (y * (g - (g * y).sum()),)


# --- Cross-entropy ------------------------------------------------------------------------------


def cross_entropy(x: Array, *, labels: Array) -> Array:
    """y = mean of −log softmax(x)[label], over the rows"""
    z = x - x.max(-1, keepdims=True)
    log = z - np.log(np.exp(z).sum(-1, keepdims=True))
    return np.asarray(-log[np.arange(len(labels)), labels].mean())


def cross_entropy_vjp(
    g: Array, x: Array, *, labels: Array, count: int | None = None
) -> tuple[Array]:
    """x̄ = ȳ (softmax(x) − one-hot) / N; the wrong vjps change `count`"""
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
def cross_entropy_sum(g: Array, x: Array, *, labels: Array) -> tuple[Array]:
    return cross_entropy_vjp(g, x, labels=labels, count=1)


@wrong(CE, "divided by the classes and not the rows")
def cross_entropy_classes(g: Array, x: Array, *, labels: Array) -> tuple[Array]:
    return cross_entropy_vjp(g, x, labels=labels, count=x.shape[1])


@wrong(CE, "the cotangent forgotten")
def cross_entropy_alone(g: Array, x: Array, *, labels: Array) -> tuple[Array]:
    return cross_entropy_vjp(np.ones_like(g), x, labels=labels)


# --- Batch norm ---------------------------------------------------------------------------------


def normalised(x: Array) -> tuple[Array, Array]:
    """x̂ (N, C, H, W), and 1/σ (1, C, 1, 1)."""
    inverse = 1 / np.sqrt(x.var((0, 2, 3), keepdims=True) + x.dtype.type(0.1))
    return (x - x.mean((0, 2, 3), keepdims=True)) * inverse, inverse


def batch_norm(x: Array, weight: Array) -> Array:
    """y = weight · (x − mean) / σ, over N, H, W"""
    return normalised(x)[0] * weight.reshape(1, -1, 1, 1)


def batch_norm_vjp(g: Array, x: Array, weight: Array, sign: int = 1) -> tuple[Array, Array]:
    """x̄ = w/σ · (ȳ − mean ȳ − x̂ · mean(ȳ x̂)); a wrong vjp changes `sign`"""
    xhat, inverse = normalised(x)
    mean = g.mean((0, 2, 3), keepdims=True)
    slope = (g * xhat).mean((0, 2, 3), keepdims=True)
    dx = weight.reshape(1, -1, 1, 1) * inverse * (g - mean - sign * xhat * slope)
    return dx, (g * xhat).sum((0, 2, 3))


@st.composite
def batches(draw: st.DrawFn) -> Call:
    """x (N, C, H, W) and a weight for each channel."""
    shape = draw(st.tuples(st.integers(2, 3), *[st.integers(1, 3)] * 3))
    return Call(tuple(separated(draw(generators()), shape, shape[1:2], avoid=[0.0])))


NORMS = separated(np.random.default_rng(2), (2, 2, 2, 2), (2,), avoid=[0.0])
NORM = rule(batch_norm, batch_norm_vjp, Call(tuple(NORMS)), batches())


@wrong(NORM, "x: wrong sign of the variance's term")
def norm_sign(g: Array, x: Array, weight: Array) -> tuple[Array, Array]:
    return batch_norm_vjp(g, x, weight, sign=-1)


@wrong(NORM, "x: mean and variance as constants")
def norm_constant(g: Array, x: Array, weight: Array) -> tuple[Array, Array]:
    dx = g * weight.reshape(1, -1, 1, 1) * normalised(x)[1]
    return dx, batch_norm_vjp(g, x, weight)[1]


change(NORM, "weight: 0.05 % too large", 1, scaled)
