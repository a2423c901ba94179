"""Calls and references of the convolutions over two and three axes, and of their adjoints."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from ..calls import Call
from ..configs import conv2d_configs, conv3d_configs
from ..entries import register_strategy
from ..strategies import generators
from ..values import Array, Padding, Shape, separated
from .taps import ALL, taps

# --- References: tap by tap, over any number of axes --------------------------------------------


def channels_of(f: int, w_shape: Shape, groups: int) -> slice:
    """The channels that filter f reads."""
    first = f // (w_shape[0] // groups) * w_shape[1]
    return slice(first, first + w_shape[1])


def conv(
    x: Array, w: Array, b: Array | None = None, *,
    stride: Shape, padding: Padding, dilation: Shape, groups: int,
) -> Array:  # fmt: skip
    """y[n,f,window] = Σ x[n,c,cell] w[f,c,tap] + b[f]"""
    axes = zip(x.shape[2:], w.shape[2:], stride, padding, dilation, strict=True)
    output = tuple((n + sum(pad) - d * (k - 1) - 1) // s + 1 for n, k, s, pad, d in axes)
    y = np.zeros((x.shape[0], w.shape[0], *output))
    reads = taps(x.shape[2:], w.shape[2:], output, stride, padding, dilation)
    for tap, window, cell in reads:
        for f in range(w.shape[0]):
            seen = x[(ALL, channels_of(f, w.shape, groups), *cell)]
            y[(ALL, f, *window)] += seen @ w[(f, ALL, *tap)]
    return y if b is None else y + b.reshape(-1, *[1] * len(output))


def conv_input(
    u: Array, w: Array, *,
    x_shape: Shape, stride: Shape, padding: Padding, dilation: Shape, groups: int,
) -> Array:  # fmt: skip
    """x[n,c,cell] = Σ u[n,f,window] w[f,c,tap]"""
    x = np.zeros(x_shape)
    reads = taps(x_shape[2:], w.shape[2:], u.shape[2:], stride, padding, dilation)
    for tap, window, cell in reads:
        for f in range(w.shape[0]):
            share = u[(ALL, f, *window)][:, None] * w[(f, ALL, *tap)]
            x[(ALL, channels_of(f, w.shape, groups), *cell)] += share
    return x


def conv_weight(
    u: Array, x: Array, *,
    w_shape: Shape, stride: Shape, padding: Padding, dilation: Shape, groups: int,
) -> Array:  # fmt: skip
    """w[f,c,tap] = Σ u[n,f,window] x[n,c,cell]"""
    w = np.zeros(w_shape)
    reads = taps(x.shape[2:], w_shape[2:], u.shape[2:], stride, padding, dilation)
    for tap, window, cell in reads:
        for f in range(w_shape[0]):
            seen = x[(ALL, channels_of(f, w_shape, groups), *cell)]
            w[(f, ALL, *tap)] += u[(ALL, f, *window)] @ seen
    return w


# --- Calls --------------------------------------------------------------------------------------


@st.composite
def convolutions(draw: st.DrawFn, kind: str, deep: bool = False) -> Call:
    """Calls of conv2d, with and without bias, and of its adjoints; with `deep`, of conv3d.

    `kind` names the adjoint, "input" or "weight"; it is "" for the convolution itself.
    """
    config = draw(conv3d_configs() if deep else conv2d_configs())
    f = config.w_shape[0]
    x, w, u, b = separated(
        draw(generators()), config.x_shape, config.w_shape, config.output_shape, (f,)
    )
    if kind == "input":
        return Call((u, w), {"x_shape": config.x_shape, **config.attributes})
    if kind == "weight":
        return Call((u, x), {"w_shape": config.w_shape, **config.attributes})
    return Call((x, w, b) if draw(st.booleans()) else (x, w), config.attributes)


for name in ("conv2d", "conv3d"):
    deep = name == "conv3d"
    register_strategy(name, convolutions("", deep), linear_in=("x", "w", "b"), reference=conv)
    register_strategy(
        f"{name}_input", convolutions("input", deep), linear_in=("u", "w"), reference=conv_input
    )
    register_strategy(
        f"{name}_weight", convolutions("weight", deep), linear_in=("u", "x"), reference=conv_weight
    )
