"""Calls and references of the elementwise ops that most others are made of."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from ..calls import Call, Input
from ..entries import register_strategy
from ..strategies import broadcastable_shapes, generators, separated_arrays
from ..values import separated
from .forms import at, at_pair, binary, unary

register_strategy("neg", unary(), linear_in=("x",), reference=np.negative)
register_strategy("clone", unary(), linear_in=("x",), reference=np.array)
register_strategy("exp", unary(), reference=np.exp)
register_strategy("sin", unary(), reference=np.sin)
register_strategy("cos", unary(), reference=np.cos)
register_strategy("tanh", unary(), reference=np.tanh)
register_strategy("sigmoid", unary(), reference=lambda x: 1 / (1 + np.exp(-x)))
register_strategy("log", unary(0.3, 3.0), reference=np.log)
register_strategy("sqrt", unary(0.3, 3.0), reference=np.sqrt)
register_strategy(
    "relu",
    unary(avoid=[0.0]),
    reference=lambda x: x * (x > 0),
    conventions=[at([0.0, -0.0, 1.0, -1.0], [0.0, 0.0, 1.0, 0.0])],
)
register_strategy(
    "abs",
    unary(avoid=[0.0]),
    reference=lambda x: np.where(x < 0, -x, x),
    conventions=[at([0.0, -0.0, 2.0, -2.0], [0.0, 0.0, 1.0, -1.0])],
)
register_strategy("sign", unary(avoid=[0.0]), reference=lambda x: 1.0 * (x > 0) - (x < 0))

register_strategy("add", binary(), linear_in=("a", "b"), reference=np.add)
register_strategy("sub", binary(), linear_in=("a", "b"), reference=np.subtract)
register_strategy("mul", binary(), linear_in=("a", "b"), reference=np.multiply)
register_strategy("div", binary(gap=0.4), linear_in=("a",), reference=np.divide)
register_strategy(
    "pow",
    binary(a=(0.4, 2.0), b=(-2, 2)),
    reference=lambda a, b: np.exp(b * np.log(a)),
    conventions=[
        at_pair([0.0, -3.0], 2.0, "a", [0.0, -6.0]),
        at_pair([0.0, 2.0], 0, "a", [0.0, 0.0]),
        at_pair([0.0, 2.0, 3.0], [2.0, 0.0, 2.0], "a", [0.0, 0.0, 6.0]),
        at_pair([0.0, 1.0], [2.0, 2.0], "b", [0.0, 0.0]),
        at_pair(0.0, [2.0, 1.0], "b", [0.0, 0.0]),
    ],
)


@st.composite
def extremes(draw: st.DrawFn) -> Call:
    """Two arrays without ties, or one array and a number that is not in it."""
    a, b = draw(broadcastable_shapes(2))
    x, y = separated(draw(generators()), a, b, avoid=[0.5])
    return Call(draw(st.sampled_from([(x, y), (x, y), (x, 0.5), (0.5, y)])))


VALUES, ONES = [1.0, 2.0, 0.0], [1.0, 1.0, 1.0]
register_strategy(
    "maximum",
    extremes(),
    reference=np.maximum,
    conventions=[
        at_pair(VALUES, ONES, "a", [0.5, 1.0, 0.0]),
        at_pair(VALUES, ONES, "b", [0.5, 0.0, 1.0]),
        at_pair(VALUES, 1.0, "a", [0.5, 1.0, 0.0]),
        at_pair(1.0, VALUES, "b", [0.5, 1.0, 0.0]),
    ],
)
register_strategy(
    "minimum",
    extremes(),
    reference=np.minimum,
    conventions=[
        at_pair(VALUES, ONES, "a", [0.5, 0.0, 1.0]),
        at_pair(VALUES, ONES, "b", [0.5, 1.0, 0.0]),
        at_pair(VALUES, 1.0, "a", [0.5, 0.0, 1.0]),
        at_pair(1.0, VALUES, "b", [0.5, 0.0, 1.0]),
    ],
)


@st.composite
def choices(draw: st.DrawFn) -> Call:
    """Calls of `where`: the condition broadcasts too, and one of the values may be a number."""
    c, a, b = draw(broadcastable_shapes(3))
    rng = draw(generators())
    x, y = separated(rng, a, b)
    values: list[tuple[Input, Input]] = [(x, y), (x, y), (x, 0.0), (1.5, y)]
    return Call((np.asarray(rng.random(c) < 0.5), *draw(st.sampled_from(values))))


register_strategy("where", choices(), linear_in=("a", "b"), reference=np.where)


@st.composite
def masked(draw: st.DrawFn) -> Call:
    """Calls of `keep`: a mask of the shape of x, or one that broadcasts to it."""
    x = draw(separated_arrays())
    mask = draw(generators()).random(draw(st.sampled_from([x.shape, x.shape[1:]]))) < 0.5
    return Call((x, np.asarray(mask)))


register_strategy(
    "keep", masked(), linear_in=("x",), reference=lambda x, mask: np.where(mask, x, 0.0)
)


@st.composite
def rectified(draw: st.DrawFn) -> Call:
    """Calls of `rectify`: `by` has negative numbers, zeros and positive numbers."""
    x = draw(separated_arrays())
    by = draw(generators()).integers(-1, 2, x.shape).astype(x.dtype)
    return Call((x, by))


register_strategy(
    "rectify", rectified(), linear_in=("x",), constants=("by",),
    reference=lambda x, by: np.where(by > 0, x, 0.0),
)  # fmt: skip


@st.composite
def clamps(draw: st.DrawFn) -> Call:
    """Two bounds, or one of them; and an array whose elements are apart from the bounds."""
    low, high = draw(st.sampled_from([(-1.0, 0.5), (0.0, 1.0), (None, 0.3), (-0.7, None), (0, 1)]))
    bounds = [b for b in (low, high) if b is not None]
    return Call((draw(separated_arrays(avoid=bounds)),), {"min": low, "max": high})


register_strategy(
    "clamp",
    clamps(),
    reference=lambda x, min, max: np.clip(x, min, max),
    conventions=[
        at([-1.0, 2.0, 0.0, 3.0], [1.0, 1.0, 1.0, 0.0], min=-1, max=2),
        at([0.5, 0.0], [1.0, 0.0], min=0.5, max=None),
        at([0.5, 1.0], [1.0, 0.0], min=None, max=0.5),
    ],
)
register_strategy(
    "cast",
    st.builds(
        lambda x, of, dtype: Call((x.astype(of),), {"dtype": np.dtype(dtype)}),
        separated_arrays(),
        st.sampled_from(["float64", "float64", "float32"]),
        st.sampled_from(["float64", "float64", "float32", "float16"]),
    ),
    linear_in=("x",),
    reference=lambda x, dtype: x.astype(dtype),
)
