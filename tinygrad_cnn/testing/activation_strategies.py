"""How the ops of activations are called, and what they are by definition."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from .calls import Call, register_strategy
from .op_strategies import at, binary, pair, unary
from .strategies import separated_arrays


@st.composite
def calls(
    draw: st.DrawFn, avoid: Any = (), low: float = -2.0, high: float = 2.0, **of: Any
) -> Call:
    """An array, apart from the kinks, and one value for each attribute."""
    attributes = {name: draw(st.sampled_from(values)) for name, values in of.items()}
    kinks = avoid(**attributes) if callable(avoid) else avoid
    return Call((draw(separated_arrays(low=low, high=high, avoid=kinks)),), attributes)


def _erf(x: Any) -> Any:
    return np.array([math.erf(v) for v in np.ravel(x)]).reshape(np.shape(x))


def _normal_cdf(x: Any, approximate: str) -> Any:
    if approximate == "none":
        return (1 + _erf(x / math.sqrt(2))) / 2
    return (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


register_strategy(
    "prelu",
    binary(gap=0.1, a=(-2, 2), b=(-1.5, 1.5), whole=False).map(
        lambda call: Call((np.where(call.inputs[0] == 0, 0.5, call.inputs[0]), call.inputs[1]))
    ),
    linear_in=("weight",),
    reference=lambda x, weight: np.where(x > 0, x, x * weight),
    conventions=[
        pair([0.0, -0.0, 1.0, -1.0], 0.3, "x", [0.3, 0.3, 1.0, 0.3]),
        pair([0.0, 2.0, -2.0], [0.5, 0.5, 0.5], "weight", [0.0, 0.0, -2.0]),
    ],
)
register_strategy(
    "elu",
    calls([0.0], alpha=[1.0, 0.5, 1.7], scale=[1.0, 1.3], rate=[1.0, 0.7]),
    reference=lambda x, alpha, scale, rate: (
        scale * np.where(x > 0, x, alpha * (np.exp(rate * x) - 1))
    ),
    conventions=[at([0.0, 1.0], [0.6, 2.0], alpha=0.5, scale=2.0, rate=0.6)],
)
register_strategy(
    "hardtanh",
    calls(lambda min_val, max_val: [min_val, max_val], min_val=[-1.0, 0.0, -0.3], max_val=[0.5, 1]),
    reference=lambda x, min_val, max_val: np.minimum(np.maximum(x, min_val), max_val),
    conventions=[at([-1.0, 2.0, 0.0, 3.0], [0.0, 0.0, 1.0, 0.0], min_val=-1.0, max_val=2.0)],
)
register_strategy("silu", unary(), reference=lambda x: x / (1 + np.exp(-x)))
register_strategy(
    "softplus",
    calls(
        lambda beta, threshold: [threshold / beta],
        beta=[1.0, 2.0, 0.5],
        threshold=[0.5, 20.0, math.inf],
    ),
    reference=lambda x, beta=1.0, threshold=math.inf: np.where(
        beta * x > threshold, x, np.log(1 + np.exp(beta * x)) / beta
    ),
    conventions=[
        at([0.0], [0.5]),  # smooth there, unlike the abs and max that it is made of
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
register_strategy(
    "gelu",
    calls(approximate=["none", "tanh"]),
    reference=lambda x, approximate: x * _normal_cdf(x, approximate),
)
