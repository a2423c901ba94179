"""How the ops of a network are called: products, convolution, pooling, normalisation, losses."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import ops
from ..ops import sparse
from . import references
from .calls import Call, Convention, register_strategy
from .strategies import (
    broadcastable_shapes,
    conv2d_configs,
    conv3d_configs,
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
def convolutions(draw: st.DrawFn, kind: str, deep: bool = False) -> Call:
    """Calls of conv2d, with and without bias, and of its two adjoints; `deep` those of conv3d."""
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
    register_strategy(
        name, convolutions("", deep), linear_in=("x", "w", "b"), reference=references.conv
    )
    register_strategy(
        f"{name}_input",
        convolutions("input", deep),
        linear_in=("u", "w"),
        reference=references.conv_input,
    )
    register_strategy(
        f"{name}_weight",
        convolutions("weight", deep),
        linear_in=("u", "x"),
        reference=references.conv_weight,
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


# --- Along an axis ------------------------------------------------------------------------------


@st.composite
def resamplings(draw: st.DrawFn) -> Call:
    """An array, an axis, and a matrix: any sparse one, or one that layers take."""
    x = draw(separated_arrays(shapes(1, 3, 0, 4)))
    dim = draw(st.integers(0, x.ndim - 1))
    n, m = x.shape[dim], draw(st.integers(1, 5))
    step = draw(st.sampled_from([0.5, 1.3, 0.0]))
    corners = draw(st.booleans())
    rng = draw(generators())
    entries = draw(st.integers(0, 6)) if n else 0
    matrix = sparse.SparseMatrix(
        (m, n), rng.integers(0, m, entries), rng.integers(0, max(n, 1), entries),
        rng.choice([1.0, 0.5, -2.0], entries),
    )  # fmt: skip
    if n and draw(st.booleans()):
        makers: list[Any] = [
            lambda: sparse.linear(n, m, step, corners),
            lambda: sparse.cubic(n, m, step, corners),
            lambda: sparse.nearest(n, m, step, corners, np.float32),
            lambda: sparse.averaging(n, m),
            lambda: sparse.windows(n, min(m, n), 2, 1, 1),
            lambda: sparse.neighbours(n, m),
            *(partial(sparse.padded, n, n - 1, 0, mode)
              for mode in ("reflect", "replicate", "circular")),
        ]  # fmt: skip
        matrix = draw(st.sampled_from(makers))()
        matrix = matrix.T if matrix.shape[0] == n and draw(st.booleans()) else matrix
    return Call((x,), {"dim": dim, "matrix": matrix})


register_strategy("resample", resamplings(), linear_in=("x",), reference=references.resample)


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
def normalizations(draw: st.DrawFn, kind: str) -> Call:
    """x and the axes that such an op is given, with and without weight and bias.

    The values that are normalised together are spread over the whole interval: a small variance has
    derivatives so high that differences cannot follow.
    """
    sides = st.integers(1, 3)
    apart = (draw(st.sampled_from([1, 2, 3, 0])), *draw(st.lists(sides, max_size=1)))
    together = (draw(st.integers(2, 4)), *draw(st.lists(sides, max_size=2)))
    if kind == "batch_norm":  # (N, C, ..)
        shape = (together[0], apart[0], *together[1:])
        dims = (0, *range(2, len(shape)))
        affine = (1, shape[1], *[1] * (len(shape) - 2))
    else:  # (N, .., ..): the last axes
        apart = apart if kind != "group_norm" else (*apart[:1], draw(sides))
        shape = (*apart, *together)
        dims = tuple(range(len(apart), len(shape)))
        affine = together
        if kind == "instance_norm":
            affine = (*[1] * (len(apart) - 1), apart[-1], *[1] * len(together))
        if kind == "group_norm":
            affine = (1, apart[1], together[0], *[1] * (len(together) - 1))
    rng = draw(generators())
    kept = [n for d, n in enumerate(shape) if d not in dims]
    rows = [separated(rng, together)[0] for _ in range(math.prod(kept))]
    x = np.array(rows).reshape(*kept, *together)
    x = np.moveaxis(x, range(len(kept), len(shape)), dims)
    lie = affine if kind == "layer_norm" and draw(st.booleans()) else (math.prod(affine),)
    weight, bias = separated(rng, lie, lie, avoid=[0.0])
    given = [(x,), (x, weight), (x, weight, bias), (x, None, bias)]
    how = {"dims": dims, "affine_shape": affine, "eps": draw(st.sampled_from([1e-5, 0.1, 1.0]))}
    return Call(draw(st.sampled_from(given)), how)


@st.composite
def dropouts(draw: st.DrawFn) -> Call:
    """An array, a probability, and a fixed source of numbers."""
    x = draw(separated_arrays())
    seed = draw(st.integers(0, 100))
    return Call(
        (x,), {"p": draw(st.sampled_from([0.0, 0.3, 0.8, 1.0])), "random": FixedRandom(seed)}
    )


for name in ("batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm"):
    register_strategy(
        name,
        normalizations(name),
        linear_in=("weight", "bias"),
        reference=references.normalization(centred=name != "rms_norm"),
    )
register_strategy("dropout", dropouts(), linear_in=("x",), reference=references.dropout)
