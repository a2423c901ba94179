"""Calls and references of max and average pooling, and of their adjoints."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from ... import ops
from ..calls import Call
from ..configs import pool2d_configs
from ..entries import Convention, register_strategy
from ..strategies import generators
from ..values import Array, Padding, Pair, Shape, separated
from .taps import taps

# --- References: tap by tap ---------------------------------------------------------------------


def max_pool2d(
    x: Array, *,
    kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair, output_size: Pair,
) -> tuple[Array, Array]:  # fmt: skip
    """The first maximum of each window, and the number of its tap."""
    y = np.full((*x.shape[:2], *output_size), -np.inf)
    numbers = np.full(y.shape, kernel_size[0] * kernel_size[1])
    reads = taps(x.shape[2:], kernel_size, output_size, stride, padding, dilation)
    for (i, j), (p, q), (h, k) in reads:
        greater = x[:, :, h, k] > y[:, :, p, q]
        numbers[:, :, p, q] = np.where(greater, i * kernel_size[1] + j, numbers[:, :, p, q])
        y[:, :, p, q] = np.maximum(y[:, :, p, q], x[:, :, h, k])
    return y, numbers


def max_pool2d_gather(
    x: Array, numbers: Array, *,
    kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair,
) -> Array:  # fmt: skip
    """x at the tap of each window that `numbers` gives."""
    y = np.zeros(numbers.shape)
    reads = taps(x.shape[2:], kernel_size, numbers.shape[2:], stride, padding, dilation)
    for (i, j), (p, q), (h, k) in reads:
        here = numbers[:, :, p, q] == i * kernel_size[1] + j
        y[:, :, p, q] += np.where(here, x[:, :, h, k], 0)
    return y


def max_pool2d_scatter(
    u: Array, numbers: Array, *,
    x_shape: Shape, kernel_size: Pair, stride: Pair, padding: Padding, dilation: Pair,
) -> Array:  # fmt: skip
    """u added at the tap of each window that `numbers` gives."""
    x = np.zeros(x_shape)
    reads = taps(x_shape[2:], kernel_size, numbers.shape[2:], stride, padding, dilation)
    for (i, j), (p, q), (h, k) in reads:
        here = numbers[:, :, p, q] == i * kernel_size[1] + j
        x[:, :, h, k] += np.where(here, u[:, :, p, q], 0)
    return x


def avg_pool2d(
    x: Array, *,
    kernel_size: Pair, stride: Pair, padding: Padding, output_size: Pair, divisor: int | Array,
) -> Array:  # fmt: skip
    """The sum of each window, divided."""
    y = np.zeros((*x.shape[:2], *output_size))
    reads = taps(x.shape[2:], kernel_size, output_size, stride, padding, (1, 1))
    for _, (p, q), (h, k) in reads:
        y[:, :, p, q] += x[:, :, h, k]
    return y / divisor


def avg_pool2d_input(
    u: Array, *,
    x_shape: Shape, kernel_size: Pair, stride: Pair, padding: Padding, divisor: int | Array,
) -> Array:  # fmt: skip
    """u / divisor added at every tap of each window."""
    x, share = np.zeros(x_shape), u / divisor
    reads = taps(x_shape[2:], kernel_size, u.shape[2:], stride, padding, (1, 1))
    for _, (p, q), (h, k) in reads:
        x[:, :, h, k] += share[:, :, p, q]
    return x


# --- Calls --------------------------------------------------------------------------------------


@st.composite
def max_pools(draw: st.DrawFn, kind: str) -> Call:
    """Calls of max_pool2d, or of its gather or scatter with taps that a max_pool2d returned."""
    config = draw(pool2d_configs())
    how = config.attributes
    output = (*config.x_shape[:2], *how["output_size"])
    x, u = separated(draw(generators()), config.x_shape, output)
    if kind == "max_pool2d":
        return Call((x,), how)
    numbers: Any = ops.max_pool2d(x, **how)[1]
    del how["output_size"]
    if kind == "max_pool2d_gather":
        return Call((x, numbers), how)
    return Call((u, numbers), {"x_shape": config.x_shape, **how})


@st.composite
def avg_pools(draw: st.DrawFn, kind: str) -> Call:
    """Calls of avg_pool2d or of its adjoint. The divisor is a number, or one for each window."""
    config = draw(pool2d_configs(dilated=False))
    how = config.attributes
    del how["dilation"]
    output = (*config.x_shape[:2], *how["output_size"])
    rng = draw(generators())
    x, u = separated(rng, config.x_shape, output)
    number = draw(st.integers(1, 5))
    how["divisor"] = number if draw(st.booleans()) else rng.integers(1, 9, output[2:])
    if kind == "avg_pool2d":
        return Call((x,), how)
    del how["output_size"]
    return Call((u,), {"x_shape": config.x_shape, **how})


def tied(
    x: list[list[float]], expected: list[list[int]], kernel: Pair, stride: Pair, pad: int = 0
) -> Convention:
    """The convention of max_pool2d at ties of one plane x: the gradient of Σ y is `expected`."""
    plane = np.array([[x]], np.float64)
    output = tuple(
        (n + 2 * pad - k) // s + 1 for n, k, s in zip(plane.shape[2:], kernel, stride, strict=True)
    )
    how = {"kernel_size": kernel, "stride": stride, "dilation": (1, 1), "output_size": output}
    return Call((plane,), {**how, "padding": ((pad, pad), (pad, pad))}), "x", [[expected]]


register_strategy(
    "max_pool2d",
    max_pools("max_pool2d"),
    reference=max_pool2d,
    conventions=[
        tied([[3.0, 3.0], [3.0, 3.0]], [[1, 0], [0, 0]], (2, 2), (2, 2)),
        tied([[1.0, 3.0], [3.0, 2.0]], [[0, 1], [0, 0]], (2, 2), (1, 1)),
        tied([[4.0, 1.0, 4.0, 2.0, 2.0]], [[1, 0, 2, 1, 0]], (1, 2), (1, 1)),
        tied([[5.0], [5.0], [0.0]], [[1], [1], [0]], (2, 1), (1, 1)),
        tied([[2.0, 2.0], [1.0, 2.0]], [[4, 2], [1, 2]], (2, 2), (1, 1), 1),
    ],
)
register_strategy(
    "max_pool2d_gather",
    max_pools("max_pool2d_gather"),
    linear_in=("x",),
    reference=max_pool2d_gather,
)
register_strategy(
    "max_pool2d_scatter",
    max_pools("max_pool2d_scatter"),
    linear_in=("u",),
    reference=max_pool2d_scatter,
)
register_strategy("avg_pool2d", avg_pools("avg_pool2d"), linear_in=("x",), reference=avg_pool2d)
register_strategy(
    "avg_pool2d_input",
    avg_pools("avg_pool2d_input"),
    linear_in=("u",),
    reference=avg_pool2d_input,
)
