"""How the elementwise ops, reductions and ops of shapes are called; see network_strategies too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ..ops import shape as shape_ops
from ..ops.reduce import axes_of
from . import references
from .calls import Call, Convention, register_strategy
from .indices import basic_indices, indices
from .strategies import broadcastable_shapes, generators, reductions, separated_arrays, shapes
from .values import separated

# --- Elementwise --------------------------------------------------------------------------------


def unary(low: float = -2.0, high: float = 2.0, avoid: Sequence[float] = ()) -> Any:
    """Calls of an op of one array."""
    return separated_arrays(low=low, high=high, avoid=avoid).map(lambda x: Call((x,)))


def at(x: Any, expected: Any, **attributes: Any) -> Convention:
    """The convention of an op of one array x, at a kink."""
    return Call((np.array(x, np.float64),), attributes), "x", expected


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


@st.composite
def binary(
    draw: st.DrawFn, a: tuple[float, float] = (-2, 2), b: tuple[float, float] = (-2, 2),
    gap: float = 0.0, whole: bool = True,
) -> Call:  # fmt: skip
    """Two arrays that broadcast, in the intervals a and b (b at least `gap` from 0); or one and a
    number; or one of integers (with `whole`).
    """
    shape_a, shape_b = draw(broadcastable_shapes(2))
    rng = draw(generators())
    avoid = [0.0] if gap else []
    if a == b:
        x, y = separated(rng, shape_a, shape_b, low=a[0], high=a[1], avoid=avoid, margin=gap)
    else:
        (x,) = separated(rng, shape_a, low=a[0], high=a[1])
        (y,) = separated(rng, shape_b, low=b[0], high=b[1], avoid=avoid, margin=gap)
    kind = draw(
        st.sampled_from(["arrays", "arrays", "arrays", "number", "first"] + ["whole"] * whole)
    )
    if kind == "number":
        return Call((x, draw(st.sampled_from([2.0, 3, 0.5, -1.5, 1]))))
    if kind == "first":
        return Call((draw(st.sampled_from([2.0, 3, 0.5])), y))
    if kind == "whole":
        return Call((x, rng.integers(1, 4, shape_b)))
    return Call((x, y))


def pair(a: Any, b: Any, name: str, expected: Any) -> Convention:
    """The convention of an op of two arrays, or of one and a number."""
    a, b = (x if isinstance(x, (int, float)) else np.array(x, np.float64) for x in (a, b))
    return Call((a, b)), name, expected


register_strategy("add", binary(), linear_in=("a", "b"), reference=np.add)
register_strategy("sub", binary(), linear_in=("a", "b"), reference=np.subtract)
register_strategy("mul", binary(), linear_in=("a", "b"), reference=np.multiply)
register_strategy("div", binary(gap=0.4), linear_in=("a",), reference=np.divide)
register_strategy(
    "pow",
    binary(a=(0.4, 2.0), b=(-2, 2)),
    reference=lambda a, b: np.exp(b * np.log(a)),
    conventions=[
        pair([0.0, -3.0], 2.0, "a", [0.0, -6.0]),
        pair([0.0, 2.0], 0, "a", [0.0, 0.0]),
        pair([0.0, 2.0, 3.0], [2.0, 0.0, 2.0], "a", [0.0, 0.0, 6.0]),
        pair([0.0, 1.0], [2.0, 2.0], "b", [0.0, 0.0]),
        pair(0.0, [2.0, 1.0], "b", [0.0, 0.0]),
    ],
)


@st.composite
def extremes(draw: st.DrawFn) -> Call:
    """Two arrays of different values throughout; or one, and a number that is not in it."""
    a, b = draw(broadcastable_shapes(2))
    x, y = separated(draw(generators()), a, b, avoid=[0.5])
    return Call(draw(st.sampled_from([(x, y), (x, y), (x, 0.5), (0.5, y)])))


VALUES, ONES = [1.0, 2.0, 0.0], [1.0, 1.0, 1.0]
register_strategy(
    "maximum",
    extremes(),
    reference=np.maximum,
    conventions=[
        pair(VALUES, ONES, "a", [0.5, 1.0, 0.0]),
        pair(VALUES, ONES, "b", [0.5, 0.0, 1.0]),
        pair(VALUES, 1.0, "a", [0.5, 1.0, 0.0]),
        pair(1.0, VALUES, "b", [0.5, 1.0, 0.0]),
    ],
)
register_strategy(
    "minimum",
    extremes(),
    reference=np.minimum,
    conventions=[
        pair(VALUES, ONES, "a", [0.5, 0.0, 1.0]),
        pair(VALUES, ONES, "b", [0.5, 1.0, 0.0]),
        pair(VALUES, 1.0, "a", [0.5, 0.0, 1.0]),
        pair(1.0, VALUES, "b", [0.5, 0.0, 1.0]),
    ],
)


@st.composite
def choices(draw: st.DrawFn) -> Call:
    """Calls of `where`: the condition broadcasts too, one of the values may be a number."""
    c, a, b = draw(broadcastable_shapes(3))
    rng = draw(generators())
    x, y = separated(rng, a, b)
    values = draw(st.sampled_from([(x, y), (x, y), (x, 0.0), (1.5, y)]))
    return Call((np.asarray(rng.random(c) < 0.5), *values))


register_strategy("where", choices(), linear_in=("a", "b"), reference=np.where)


@st.composite
def kept(draw: st.DrawFn) -> Call:
    """Calls of `keep`: a mask of the shape of x, or one that broadcasts to it."""
    x = draw(separated_arrays())
    mask = draw(generators()).random(draw(st.sampled_from([x.shape, x.shape[1:]]))) < 0.5
    return Call((x, np.asarray(mask)))


register_strategy(
    "keep", kept(), linear_in=("x",), reference=lambda x, mask: np.where(mask, x, 0.0)
)


@st.composite
def rectified(draw: st.DrawFn) -> Call:
    """Calls of `rectify`: by zeros too."""
    x = draw(separated_arrays())
    by = draw(generators()).integers(-1, 2, x.shape).astype(x.dtype)
    return Call((x, by))


register_strategy(
    "rectify", rectified(), linear_in=("x",), constants=("by",),
    reference=lambda x, by: np.where(by > 0, x, 0.0),
)  # fmt: skip


@st.composite
def clamps(draw: st.DrawFn) -> Call:
    """Bounds of which either may be missing, and values apart from both."""
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


# --- Reductions ---------------------------------------------------------------------------------


@st.composite
def reduced(draw: st.DrawFn, nonempty: bool = True, default: bool = True, **values: Any) -> Call:
    """An array, the axes to reduce (all of them by `default`), and keepdim; with `nonempty` axes
    that have something to reduce.
    """
    shape = draw(shapes(0, 3, 0, 4))
    if nonempty and shape and not any(shape):
        shape = (2, *shape[1:])
    x = draw(separated_arrays(shape, low=-1.5, **values))
    dim = draw(reductions(x.shape, nonempty=nonempty))
    given: dict[str, Any] = {} if dim is None and default else {"dim": dim}
    return Call((x,), {**given, "keepdim": draw(st.booleans())})


TIED = [[3.0, 1.0, 3.0], [0.0, 2.0, 2.0]]
LEAST = [[-3.0, 1.0, -3.0], [4.0, 2.0, 2.0]]
SHARED = [[0.5, 0.0, 0.5], [0.0, 0.5, 0.5]]
OVER_ALL = [[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]
FIRST = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]

register_strategy(
    "sum", reduced(nonempty=False), linear_in=("x",), reference=references.by_numpy(np.sum)
)
register_strategy("mean", reduced(), linear_in=("x",), reference=references.by_numpy(np.mean))
register_strategy(
    "amax",
    reduced(),
    reference=references.by_numpy(np.max),
    conventions=[at(TIED, SHARED, dim=1), at(TIED, OVER_ALL), at(TIED, OVER_ALL, keepdim=True)],
)
register_strategy(
    "amin",
    reduced(),
    reference=references.by_numpy(np.min),
    conventions=[at(LEAST, SHARED, dim=1), at(LEAST, OVER_ALL), at(LEAST, OVER_ALL, keepdim=True)],
)
register_strategy("logsumexp", reduced(default=False), reference=references.logsumexp)


@st.composite
def variances(draw: st.DrawFn) -> Call:
    """At least two elements to reduce, so that n − correction is over 0.

    What is reduced to one value is spread over the whole interval: a small deviation has
    derivatives so high that differences cannot follow.
    """
    shape = draw(shapes(1, 3, 2, 4))
    dim = draw(reductions(shape))
    axes = axes_of(dim, len(shape))
    order = [k for k in range(len(shape)) if k not in axes] + list(axes)  # the reduced ones last
    together = math.prod(shape[k] for k in axes)
    rng = draw(generators())
    rows = [separated(rng, (together,))[0] for _ in range(math.prod(shape) // together)]
    x = np.stack(rows).reshape([shape[k] for k in order]).transpose(np.argsort(order))
    return Call(
        (x,), {"dim": dim, "correction": draw(st.integers(0, 1)), "keepdim": draw(st.booleans())}
    )


register_strategy("var", variances(), reference=references.spread_by(np.var))
register_strategy(
    "std",
    variances(),
    reference=references.spread_by(np.std),
    conventions=[at([1.0, 1.0], [0.0, 0.0])],
)
register_strategy(
    "norm",
    reduced(avoid=[0.0], margin=0.4),
    reference=references.norm,
    conventions=[
        at([0.0, 0.0], [0.0, 0.0]),
        at([[0.0, 0.0], [3.0, 4.0]], [[0, 0], [0.6, 0.8]], dim=1),
    ],
)


@st.composite
def along(draw: st.DrawFn) -> Call:
    """An array with an axis that has elements, that axis, and keepdim."""
    n = draw(st.integers(1, 4))
    before, after = draw(shapes(0, 1, 0, 3)), draw(shapes(0, 1, 0, 3))
    x = draw(separated_arrays((*before, n, *after)))
    dim = len(before) - draw(st.sampled_from([0, x.ndim]))
    return Call((x,), {"dim": dim, "keepdim": draw(st.booleans())})


register_strategy(
    "max_along",
    along(),
    reference=references.extreme_along(np.max, np.argmax),
    conventions=[at(TIED, FIRST, dim=1)],
)
register_strategy(
    "min_along",
    along(),
    reference=references.extreme_along(np.min, np.argmin),
    conventions=[at(LEAST, FIRST, dim=1)],
)


# --- Shapes -------------------------------------------------------------------------------------


@st.composite
def reshapes(draw: st.DrawFn) -> Call:
    """An array, and another shape: its sides permuted, and some of them merged."""
    x = draw(separated_arrays())
    sides = list(draw(st.permutations(x.shape)))
    if len(sides) > 1 and draw(st.booleans()):
        sides = [sides[0] * sides[1], *sides[2:]]
    elif draw(st.booleans()):
        sides.insert(draw(st.integers(0, len(sides))), 1)
    return Call((x,), {"shape": tuple(sides)})


@st.composite
def permutes(draw: st.DrawFn) -> Call:
    """An array and an order of its axes."""
    x = draw(separated_arrays(shapes(0, 4, 0, 4)))
    return Call((x,), {"dims": tuple(draw(st.permutations(range(x.ndim))))})


register_strategy("reshape", reshapes(), linear_in=("x",), reference=references.reshape)
register_strategy("permute", permutes(), linear_in=("x",), reference=references.permute)


@st.composite
def expansions(draw: st.DrawFn, inverse: bool = False) -> Call:
    """An array and the shape that it is expanded to (or, `inverse`, summed to)."""
    whole = draw(shapes(0, 3, 0, 4))
    ones = draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole)))
    missing = draw(st.integers(0, len(whole)))
    small = tuple(1 if one else n for n, one in zip(whole, ones, strict=True))[missing:]
    start, end = (whole, small) if inverse else (small, whole)
    return Call((draw(separated_arrays(start)),), {"shape": end})


register_strategy(
    "expand", expansions(), linear_in=("x",), reference=lambda x, shape: np.zeros(shape) + x
)
register_strategy("sum_to", expansions(inverse=True), linear_in=("x",), reference=references.sum_to)


@st.composite
def indexed(draw: st.DrawFn, kind: str) -> Call:
    """Calls of getitem, put and setitem: basic and advanced indices, with repeated places."""
    shape = draw(shapes(0, 3, 0, 4))
    index = draw(indices(shape))
    part = np.empty(shape)[index].shape
    if kind == "getitem":
        return Call((draw(separated_arrays(shape)),), {"index": index})
    if kind == "put":
        return Call((draw(separated_arrays(part)),), {"index": index, "shape": shape})
    narrow = tuple(1 if draw(st.integers(0, 3)) == 0 else n for n in part)
    v_shape = narrow[draw(st.integers(0, len(part))) if draw(st.booleans()) else 0 :]
    x, v = separated(draw(generators()), shape, v_shape)
    return Call((x, draw(st.sampled_from([v, v, v, v, 1.5]))), {"index": index})


register_strategy(
    "getitem", indexed("getitem"), linear_in=("x",), reference=lambda x, index: x[index]
)
register_strategy("put", indexed("put"), linear_in=("x",), reference=references.put)
register_strategy("setitem", indexed("setitem"), linear_in=("x", "v"), reference=references.setitem)


@st.composite
def view_writes(draw: st.DrawFn) -> Call:
    """An array, a path of one to three views of it, and what is written to the last."""
    shape = draw(shapes(1, 3, 0, 4))
    path: list[tuple[Any, dict[str, Any]]] = []
    part: Any = np.empty(shape)
    how: dict[str, Any]
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            op, how = shape_ops.permute, {"dims": tuple(draw(st.permutations(range(part.ndim))))}
        else:
            basic = [item for item in draw(basic_indices(part.shape)) if item is not ...]
            op, how = shape_ops.getitem, {"index": (*basic, ...)}
        path.append((op.op, how))
        part = op(part, **how)
    x, v = separated(draw(generators()), shape, part.shape)
    return Call((x, v), {"path": tuple(path)})


register_strategy(
    "write_view", view_writes(), linear_in=("x", "v"), reference=references.write_view
)


@st.composite
def joins(draw: st.DrawFn, kind: str) -> Call:
    """One to three arrays and an axis: of different lengths for cat, of one shape for stack."""
    shape = draw(shapes(int(kind == "cat"), 3, 0, 3))
    number = draw(st.integers(1, 3))
    end = len(shape) - (kind == "cat")
    dim = draw(st.integers(0, end))
    parts = [shape] * number
    if kind == "cat":
        lengths = draw(st.lists(st.integers(0, 3), min_size=number, max_size=number))
        parts = [(*shape[:dim], n, *shape[dim + 1 :]) for n in lengths]
    negative = draw(st.booleans())
    xs = separated(draw(generators()), *parts)
    return Call(tuple(xs), {"dim": dim - end - 1 if negative else dim})


register_strategy(
    "cat", joins("cat"), linear_in=("xs",), reference=lambda *xs, dim: np.concatenate(xs, dim)
)
register_strategy(
    "stack", joins("stack"), linear_in=("xs",), reference=lambda *xs, dim: np.stack(xs, dim)
)


@st.composite
def pads(draw: st.DrawFn) -> Call:
    """Cells in front and behind, or (negative widths) fewer of them."""
    x = draw(separated_arrays(shapes(0, 3, 0, 4)))
    widths = []
    for n in x.shape:
        before = draw(st.integers(-(n // 2), 2))
        widths.append((before, draw(st.integers(-(n - max(-before, 0)), 2))))
    value = draw(st.sampled_from([0.0, 1.5, -1.0]))
    return Call((x,), {"widths": tuple(widths), "value": value})


register_strategy("pad", pads(), linear_in=("x",), reference=references.pad)


@st.composite
def gathers(draw: st.DrawFn, inverse: bool = False) -> Call:
    """An axis, and along it positions, repeated ones too; other axes as long as x's, or shorter."""
    shape = draw(shapes(1, 3, 1, 4))
    dim = draw(st.integers(0, len(shape) - 1))
    picked = tuple(
        draw(st.integers(0, 5)) if k == dim else draw(st.integers(max(n - 1, 1), n))
        for k, n in enumerate(shape)
    )
    rng = draw(generators())
    index = rng.integers(0, shape[dim], picked)
    (x,) = separated(rng, picked if inverse else shape)
    return Call((x, index), {"dim": dim, **({"shape": shape} if inverse else {})})


register_strategy("gather", gathers(), linear_in=("x",), reference=references.gather)
register_strategy(
    "scatter_add", gathers(inverse=True), linear_in=("x",), reference=references.scatter_add
)
