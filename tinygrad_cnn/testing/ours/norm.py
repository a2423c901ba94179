"""Calls and references of the normalisations, and of dropout."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from ..calls import Call
from ..entries import Reference, register_strategy
from ..strategies import generators, separated_arrays
from ..values import Array, FixedRandom, Shape, separated
from .taps import ALL


def normalization(centred: bool = True) -> Reference:
    """Normalises one set of elements after the other. Returns y, the means and biased variances.

    Without `centred`, the mean counts as 0.
    """

    def normalize(
        x: Array, weight: Array | None = None, bias: Array | None = None, *,
        dims: Shape, affine_shape: Shape, eps: float,
    ) -> tuple[Array, Array, Array]:  # fmt: skip
        y, kept = np.zeros(x.shape), [1 if d in dims else n for d, n in enumerate(x.shape)]
        mean, variance = np.zeros(kept if centred else ()), np.zeros(kept)
        for place in np.ndindex(*kept) if x.size else ():
            together = tuple(ALL if d in dims else p for d, p in enumerate(place))
            about = x[together].mean() if centred else 0.0
            mean[place if centred else ()] = about
            variance[place] = ((x[together] - about) ** 2).mean()
            y[together] = (x[together] - about) / np.sqrt(variance[place] + eps)
        y *= 1 if weight is None else weight.reshape(affine_shape)
        return y + (0 if bias is None else bias.reshape(affine_shape)), mean, variance

    return normalize


@st.composite
def normalizations(draw: st.DrawFn, kind: str) -> Call:
    """x, with and without weight and bias, and the axes that the op `kind` normalises over.

    The elements that are normalised together are spread over the whole interval. A small variance
    has such large higher derivatives that differences are inaccurate.
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
    given_shape = affine if kind == "layer_norm" and draw(st.booleans()) else (math.prod(affine),)
    weight, bias = separated(rng, given_shape, given_shape, avoid=[0.0])
    given = [(x,), (x, weight), (x, weight, bias), (x, None, bias)]
    how = {"dims": dims, "affine_shape": affine, "eps": draw(st.sampled_from([1e-5, 0.1, 1.0]))}
    return Call(draw(st.sampled_from(given)), how)


for name in ("batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm"):
    register_strategy(
        name,
        normalizations(name),
        linear_in=("weight", "bias"),
        reference=normalization(centred=name != "rms_norm"),
    )


def batch_norm_inference(
    x: Array, mean: Array, variance: Array, weight: Array | None = None,
    bias: Array | None = None, *, eps: float,
) -> Array:  # fmt: skip
    """One channel after the other."""
    y = np.zeros(x.shape)
    for c in range(x.shape[1]):
        normalized = (x[:, c] - mean[c]) / np.sqrt(variance[c] + eps)
        y[:, c] = normalized * (1 if weight is None else weight[c])
        y[:, c] += 0 if bias is None else bias[c]
    return y


@st.composite
def of_given_statistics(draw: st.DrawFn) -> Call:
    """x (N, C, ..) with a mean and a variance, with and without weight and bias.

    Both are positive: a check passes one Tensor as both.
    """
    sizes = st.integers(1, 3)
    channels = draw(st.sampled_from([1, 2, 3, 0]))
    shape = (draw(sizes), channels, *draw(st.lists(sizes, max_size=2)))
    c, rng = shape[1:2], draw(generators())
    x, mean, variance, weight, bias = separated(rng, shape, c, c, c, c, avoid=[0.0])
    given = [(), (weight,), (weight, bias), (None, bias)]
    eps = draw(st.sampled_from([1e-5, 0.1, 1.0]))
    statistics = (abs(mean) + 0.2, abs(variance) + 0.2)
    return Call((x, *statistics, *draw(st.sampled_from(given))), {"eps": eps})


register_strategy(
    "batch_norm_inference",
    of_given_statistics(),
    linear_in=("weight", "bias"),
    reference=batch_norm_inference,
)


def dropout(x: Array, p: float, random: Callable[[Shape], Array]) -> Array:
    """x / (1 − p) where the random number is at least p, else 0."""
    return np.where(random(x.shape) >= p, x / (1 - p if p < 1 else 1), 0)


@st.composite
def dropouts(draw: st.DrawFn) -> Call:
    """An array, a probability, and a fixed source of random numbers."""
    x = draw(separated_arrays())
    seed = draw(st.integers(0, 100))
    return Call(
        (x,), {"p": draw(st.sampled_from([0.0, 0.3, 0.8, 1.0])), "random": FixedRandom(seed)}
    )


register_strategy("dropout", dropouts(), linear_in=("x",), reference=dropout)
