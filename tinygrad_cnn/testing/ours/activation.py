"""Calls and references of the activations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..calls import Call
from ..entries import register_strategy
from ..values import Array
from .forms import at, at_pair, binary, unary, unary_with


def _without_zeros(call: Call) -> Call:
    x: Any
    x, weight = call.inputs
    return Call((np.where(x == 0, 0.5, x), weight))


register_strategy(
    "prelu",
    binary(gap=0.1, a=(-2, 2), b=(-1.5, 1.5), whole=False).map(_without_zeros),
    linear_in=("weight",),
    reference=lambda x, weight: np.where(x > 0, x, x * weight),
    conventions=[
        at_pair([0.0, -0.0, 1.0, -1.0], 0.3, "x", [0.3, 0.3, 1.0, 0.3]),
        at_pair([0.0, 2.0, -2.0], [0.5, 0.5, 0.5], "weight", [0.0, 0.0, -2.0]),
    ],
)
register_strategy(
    "elu",
    unary_with([0.0], alpha=[1.0, 0.5, 1.7], scale=[1.0, 1.3], rate=[1.0, 0.7]),
    reference=lambda x, alpha, scale, rate: (
        scale * np.where(x > 0, x, alpha * (np.exp(rate * x) - 1))
    ),
    conventions=[at([0.0, 1.0], [0.6, 2.0], alpha=0.5, scale=2.0, rate=0.6)],
)
register_strategy(
    "hardtanh",
    unary_with(
        lambda min_val, max_val: [min_val, max_val], min_val=[-1.0, 0.0, -0.3], max_val=[0.5, 1]
    ),
    reference=lambda x, min_val, max_val: np.minimum(np.maximum(x, min_val), max_val),
    conventions=[at([-1.0, 2.0, 0.0, 3.0], [0.0, 0.0, 1.0, 0.0], min_val=-1.0, max_val=2.0)],
)
register_strategy("silu", unary(), reference=lambda x: x / (1 + np.exp(-x)))
register_strategy(
    "softplus",
    unary_with(
        lambda beta, threshold: [threshold / beta],
        beta=[1.0, 2.0, 0.5],
        threshold=[0.5, 20.0, math.inf],
    ),
    reference=lambda x, beta=1.0, threshold=math.inf: np.where(
        beta * x > threshold, x, np.log(1 + np.exp(beta * x)) / beta
    ),
    conventions=[
        at([0.0], [0.5]),  # smooth here, though the abs and max inside the forward are not
        at([1.0, 0.0], [1 / (1 + math.exp(-2.0)), 0.5], beta=2.0, threshold=2.0),
    ],
)
register_strategy(
    "logsigmoid",
    unary(),
    reference=lambda x: -np.log(1 + np.exp(-x)),
    conventions=[at([0.0], [0.5])],
)
register_strategy("mish", unary(), reference=lambda x: x * np.tanh(np.log(1 + np.exp(x))))
register_strategy(
    "hardswish",
    unary(-5.0, 5.0, avoid=[-3.0, 3.0]),
    reference=lambda x: x * np.minimum(np.maximum(x + 3, 0), 6) / 6,
    conventions=[at([-3.0, 3.0, 0.0], [0.0, 1.0, 0.5])],
)


def _normal_cdf(x: Array, approximate: str) -> Array:
    if approximate == "none":
        erf = np.array([math.erf(v) for v in np.ravel(x / math.sqrt(2))]).reshape(np.shape(x))
        return np.asarray((1 + erf) / 2)
    return np.asarray((1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2)


register_strategy(
    "gelu",
    unary_with(approximate=["none", "tanh"]),
    reference=lambda x, approximate: x * _normal_cdf(x, approximate),
)
