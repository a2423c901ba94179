"""How the ops of a network are called: products, convolution, pooling, normalisation, losses."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import ops
from . import references
from .calls import Call, Convention, register_strategy
from .strategies import (
    broadcastable_shapes,
    conv2d_configs,
    generators,
    label_arrays,
    pool2d_configs,
    separated_arrays,
    shapes,
)
from .values import FixedRandom, separated

# --- Products -----------------------------------------------------------------------------------


@st.composite
def products(draw: st.DrawFn) -> Call:
    """Matrices whose leading axes broadcast; any of the sizes may be 0."""
    leads = draw(broadcastable_shapes(2, max_dims=2, max_side=3))
    i, j, k = (draw(st.sampled_from([1, 2, 3, 4, 2, 3, 4, 0])) for _ in range(3))
    return Call(tuple(separated(draw(generators()), (*leads[0], i, j), (*leads[1], j, k))))


@st.composite
def linears(draw: st.DrawFn) -> Call:
    """x of up to three axes, with and without bias."""
    d, f = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    lead = draw(shapes(0, 2, 0, 4))
    xs = separated(draw(generators()), (*lead, d), (f, d), (f,))
    return Call(tuple(xs[: draw(st.integers(2, 3))]))


register_strategy("matmul", products(), linear_in=("a", "b"), reference=references.matmul)
register_strategy(
    "linear", linears(), linear_in=("x", "weight", "bias"), reference=references.linear
)


# --- Convolution --------------------------------------------------------------------------------


@st.composite
def convolutions(draw: st.DrawFn, kind: str) -> Call:
    """Calls of conv2d, with and without bias, and of its two adjoints."""
    config = draw(conv2d_configs())
    f = config.w_shape[0]
    x, w, u, b = separated(
        draw(generators()), config.x_shape, config.w_shape, config.output_shape, (f,)
    )
    if kind == "conv2d_input":
        return Call((u, w), {"x_shape": config.x_shape, **config.attributes})
    if kind == "conv2d_weight":
        return Call((u, x), {"w_shape": config.w_shape, **config.attributes})
    return Call((x, w, b) if draw(st.booleans()) else (x, w), config.attributes)


register_strategy(
    "conv2d", convolutions("conv2d"), linear_in=("x", "w", "b"), reference=references.conv2d
)
register_strategy(
    "conv2d_input",
    convolutions("conv2d_input"),
    linear_in=("u", "w"),
    reference=references.conv2d_input,
)
register_strategy(
    "conv2d_weight",
    convolutions("conv2d_weight"),
    linear_in=("u", "x"),
    reference=references.conv2d_weight,
)


# --- Pooling ------------------------------------------------------------------------------------


@st.composite
def max_pools(draw: st.DrawFn, kind: str) -> Call:
    """Calls of max_pool2d, and of scatter and gather with taps from such a one."""
    config = draw(pool2d_configs())
    how = config.attributes
    output = (*config.x_shape[:2], *how["output_size"])
    x, u = separated(draw(generators()), config.x_shape, output)
    if kind == "max_pool2d":
        return Call((x,), how)
    taps = ops.max_pool2d(x, **how)[1]
    del how["output_size"]
    if kind == "max_pool2d_gather":
        return Call((x, taps), how)
    return Call((u, taps), {"x_shape": config.x_shape, **how})


@st.composite
def avg_pools(draw: st.DrawFn, kind: str) -> Call:
    """Calls of avg_pool2d, by a number or by one for each window, and of its adjoint."""
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


def pooled(x: Any, expected: Any, kernel: Any, stride: Any, pad: int = 0) -> Convention:
    """The convention of max_pool2d at ties, of one plane x."""
    plane = np.array([[x]], np.float64)
    output = tuple(
        (n + 2 * pad - k) // s + 1 for n, k, s in zip(plane.shape[2:], kernel, stride, strict=True)
    )
    how = {"kernel_size": kernel, "stride": stride, "dilation": (1, 1), "output_size": output}
    return Call((plane,), {**how, "padding": ((pad, pad), (pad, pad))}), "x", [[expected]]


register_strategy(
    "max_pool2d",
    max_pools("max_pool2d"),
    reference=references.max_pool2d,
    conventions=[
        pooled([[3.0, 3.0], [3.0, 3.0]], [[1, 0], [0, 0]], (2, 2), (2, 2)),
        pooled([[1.0, 3.0], [3.0, 2.0]], [[0, 1], [0, 0]], (2, 2), (1, 1)),
        pooled([[4.0, 1.0, 4.0, 2.0, 2.0]], [[1, 0, 2, 1, 0]], (1, 2), (1, 1)),
        pooled([[5.0], [5.0], [0.0]], [[1], [1], [0]], (2, 1), (1, 1)),
        pooled([[2.0, 2.0], [1.0, 2.0]], [[4, 2], [1, 2]], (2, 2), (1, 1), 1),
    ],
)
register_strategy(
    "max_pool2d_gather",
    max_pools("max_pool2d_gather"),
    linear_in=("x",),
    reference=references.max_pool2d_gather,
)
register_strategy(
    "max_pool2d_scatter",
    max_pools("max_pool2d_scatter"),
    linear_in=("u",),
    reference=references.max_pool2d_scatter,
)
register_strategy(
    "avg_pool2d", avg_pools("avg_pool2d"), linear_in=("x",), reference=references.avg_pool2d
)
register_strategy(
    "avg_pool2d_input",
    avg_pools("avg_pool2d_input"),
    linear_in=("u",),
    reference=references.avg_pool2d_input,
)


# --- Softmax and losses -------------------------------------------------------------------------


@st.composite
def softmaxes(draw: st.DrawFn) -> Call:
    """An array and an axis, from either end."""
    x = draw(separated_arrays(shapes(1, 3, 0, 4)))
    return Call((x,), {"dim": draw(st.integers(-x.ndim, x.ndim - 1))})


@st.composite
def cross_entropies(draw: st.DrawFn) -> Call:
    """Logits (N, C, ..) and labels, some ignored; nothing at all only where that has a value."""
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


register_strategy("softmax", softmaxes(), reference=references.softmax)
register_strategy("log_softmax", softmaxes(), reference=references.log_softmax)
register_strategy(
    "cross_entropy", cross_entropies(), constants=("weight",), reference=references.cross_entropy
)


# --- Normalisation ------------------------------------------------------------------------------


@st.composite
def batch_norms(draw: st.DrawFn) -> Call:
    """x (N, C, ..), with and without weight and bias.

    The values of one channel are spread over the whole interval: a small variance has derivatives
    so high that differences cannot follow.
    """
    channels, n = draw(st.integers(1, 3)), draw(st.sampled_from([2, 3, 4, 2, 3, 4, 0]))
    places = draw(st.lists(st.integers(1, 3), max_size=2))
    rng = draw(generators())
    rows = [separated(rng, (n, *places))[0] for _ in range(channels)]
    x = np.stack(rows, axis=1)
    weight, bias = separated(rng, (channels,), (channels,), avoid=[0.0])
    given = draw(st.sampled_from([(x,), (x, weight), (x, weight, bias), (x, None, bias)]))
    return Call(given, {"eps": draw(st.sampled_from([1e-5, 0.1, 1.0]))})


@st.composite
def dropouts(draw: st.DrawFn) -> Call:
    """An array, a probability, and a fixed source of numbers."""
    x = draw(separated_arrays())
    seed = draw(st.integers(0, 100))
    return Call(
        (x,), {"p": draw(st.sampled_from([0.0, 0.3, 0.8, 1.0])), "random": FixedRandom(seed)}
    )


register_strategy(
    "batch_norm", batch_norms(), linear_in=("weight", "bias"), reference=references.batch_norm
)
register_strategy("dropout", dropouts(), linear_in=("x",), reference=references.dropout)
