"""Calls and references of the ops that rearrange, select and join elements.

The references move one element at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ... import ops
from ..calls import Call, Input
from ..entries import register_strategy
from ..strategies import generators, separated_arrays, shapes
from ..values import Array, Pair, Shape, separated
from .indices import Index, basic_indices, indices

# --- Shapes -------------------------------------------------------------------------------------


def reshape(x: Array, shape: Shape) -> Array:
    """Row-major order."""
    return np.array([x[place] for place in np.ndindex(x.shape)], x.dtype).reshape(shape)


@st.composite
def reshapes(draw: st.DrawFn) -> Call:
    """An array and another shape: its sides permuted, with two merged or a 1 inserted."""
    x = draw(separated_arrays())
    sides = list(draw(st.permutations(x.shape)))
    if len(sides) > 1 and draw(st.booleans()):
        sides = [sides[0] * sides[1], *sides[2:]]
    elif draw(st.booleans()):
        sides.insert(draw(st.integers(0, len(sides))), 1)
    return Call((x,), {"shape": tuple(sides)})


register_strategy("reshape", reshapes(), linear_in=("x",), reference=reshape)


def permute(x: Array, dims: Shape) -> Array:
    """y[place[dims]] = x[place]"""
    y = np.zeros([x.shape[d] for d in dims], x.dtype)
    for place in np.ndindex(x.shape):
        y[tuple(place[d] for d in dims)] = x[place]
    return y


@st.composite
def permutes(draw: st.DrawFn) -> Call:
    """An array and an order of its axes."""
    x = draw(separated_arrays(shapes(0, 4, 0, 4)))
    return Call((x,), {"dims": tuple(draw(st.permutations(range(x.ndim))))})


register_strategy("permute", permutes(), linear_in=("x",), reference=permute)


def sum_to(x: Array, shape: Shape) -> Array:
    """Each element is added to the place that a broadcast from `shape` reads for it."""
    y = np.zeros(shape, x.dtype)
    for place in np.ndindex(x.shape):
        tail = place[x.ndim - len(shape) :]
        y[tuple(0 if n == 1 else p for p, n in zip(tail, shape, strict=True))] += x[place]
    return y


@st.composite
def expansions(draw: st.DrawFn, inverse: bool = False) -> Call:
    """An array and the shape to expand it to; with `inverse`, the shape to sum it to."""
    whole = draw(shapes(0, 3, 0, 4))
    ones = draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole)))
    missing = draw(st.integers(0, len(whole)))
    small = tuple(1 if one else n for n, one in zip(whole, ones, strict=True))[missing:]
    start, end = (whole, small) if inverse else (small, whole)
    return Call((draw(separated_arrays(start)),), {"shape": end})


register_strategy(
    "expand", expansions(), linear_in=("x",), reference=lambda x, shape: np.zeros(shape) + x
)
register_strategy("sum_to", expansions(inverse=True), linear_in=("x",), reference=sum_to)


# --- Rearrangements -----------------------------------------------------------------------------


def _sides(place: Shape, x: Array) -> Iterator[tuple[int, Pair]]:
    """(axis, (index, length)) for each axis."""
    return enumerate(zip(place, x.shape, strict=True))


def flip(x: Array, dims: Shape) -> Array:
    """Index i becomes n − 1 − i along `dims`."""
    y = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        y[tuple(n - 1 - i if k in dims else i for k, (i, n) in _sides(place, x))] = x[place]
    return y


@st.composite
def flips(draw: st.DrawFn) -> Call:
    """An array and some of its axes."""
    x = draw(separated_arrays(shapes(0, 3, 0, 4)))
    dims = draw(st.permutations(range(x.ndim)))
    return Call((x,), {"dims": tuple(dims[: draw(st.integers(0, x.ndim))])})


register_strategy("flip", flips(), linear_in=("x",), reference=flip)


def roll(x: Array, shifts: Shape, dims: Shape) -> Array:
    """Index i becomes (i + shift) mod n along `dims`."""
    by, y = dict(zip(dims, shifts, strict=True)), np.zeros_like(x)
    for place in np.ndindex(x.shape):
        y[tuple((i + by.get(k, 0)) % n for k, (i, n) in _sides(place, x))] = x[place]
    return y


@st.composite
def rolls(draw: st.DrawFn) -> Call:
    """An array, some of its axes, and shifts of either sign, also beyond the length."""
    x = draw(separated_arrays(shapes(1, 3, 0, 4)))
    dims = draw(st.permutations(range(x.ndim)))[: draw(st.integers(1, x.ndim))]
    return Call(
        (x,), {"dims": tuple(dims), "shifts": tuple(draw(st.integers(-5, 5)) for _ in dims)}
    )


register_strategy("roll", rolls(), linear_in=("x",), reference=roll)


def diagonal(x: Array, offset: int, dims: Pair) -> Array:
    """y[.., k] = x[.., k, k + offset] for the two axes `dims`"""
    x = np.moveaxis(x, dims, (-2, -1))
    first = max(-offset, 0)
    n = max(min(x.shape[-2] - first, x.shape[-1] - max(offset, 0)), 0)
    return np.stack([x[..., first + k, first + k + offset] for k in range(n)], -1)


def from_diagonal(u: Array, offset: int, dims: Pair, shape: Shape) -> Array:
    """y[.., k, k + offset] = u[.., k] for the two axes `dims`, else 0"""
    y = np.zeros(shape)
    inside = np.moveaxis(y, dims, (-2, -1))
    first = max(-offset, 0)
    for k in range(u.shape[-1]):
        inside[..., first + k, first + k + offset] = u[..., k]
    return y


@st.composite
def diagonals(draw: st.DrawFn, inverse: bool = False) -> Call:
    """An array, two of its axes, and the offset of a diagonal that exists; or the inverse."""
    shape = draw(shapes(2, 4, 1, 4))
    dims = tuple(draw(st.permutations(range(len(shape))))[:2])
    offset = draw(st.integers(1 - shape[dims[0]], shape[dims[1]] - 1))
    how: dict[str, Any] = {"offset": offset, "dims": dims}
    if inverse:
        how["shape"] = shape
        shape = np.empty(shape).diagonal(offset, *dims).shape
    return Call((draw(separated_arrays(shape)),), how)


register_strategy("diagonal", diagonals(), linear_in=("x",), reference=diagonal)
register_strategy(
    "from_diagonal", diagonals(inverse=True), linear_in=("u",), reference=from_diagonal
)


# --- Indexing -----------------------------------------------------------------------------------


def put(x: Array, index: Index, shape: Shape) -> Array:
    """y[index] += x, where repeated places are added."""
    y = np.zeros(shape, x.dtype)
    places = np.arange(y.size).reshape(shape)[index]  # the flat place of each element of x
    for place, value in zip(places.ravel(), x.ravel(), strict=True):
        y.flat[place] += value
    return y


def setitem(x: Array, v: Array | float, index: Index) -> Array:
    """y[index] = v, where the last value at a repeated place counts."""
    y = x.copy()
    places = np.arange(y.size).reshape(x.shape)[index]
    for place, value in zip(places.ravel(), np.broadcast_to(v, places.shape).ravel(), strict=True):
        y.flat[place] = value
    return y


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
    values: list[Input] = [v, v, v, v, 1.5]
    return Call((x, draw(st.sampled_from(values))), {"index": index})


register_strategy(
    "getitem", indexed("getitem"), linear_in=("x",), reference=lambda x, index: x[index]
)
register_strategy("put", indexed("put"), linear_in=("x",), reference=put)
register_strategy("setitem", indexed("setitem"), linear_in=("x", "v"), reference=setitem)


def write_view(x: Array, v: Array, path: Sequence[tuple[Any, dict[str, Any]]]) -> Array:
    """A write to NumPy's own view."""
    part = whole = x.copy()
    for op, attributes in path:
        part = op.forward(part, **attributes)
    part[...] = v
    return whole


@st.composite
def view_writes(draw: st.DrawFn) -> Call:
    """An array, a path of one to three views of it, and the values to write to the last view."""
    shape = draw(shapes(1, 3, 0, 4))
    path: list[tuple[Any, dict[str, Any]]] = []
    part: Any = np.empty(shape)
    how: dict[str, Any]
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            op, how = ops.permute, {"dims": tuple(draw(st.permutations(range(part.ndim))))}
        else:
            basic = [item for item in draw(basic_indices(part.shape)) if item is not ...]
            op, how = ops.getitem, {"index": (*basic, ...)}
        path.append((op.op, how))
        part = op(part, **how)
    x, v = separated(draw(generators()), shape, part.shape)
    return Call((x, v), {"path": tuple(path)})


register_strategy("write_view", view_writes(), linear_in=("x", "v"), reference=write_view)


def gather(x: Array, index: Array, dim: int) -> Array:
    """y[.., k, ..] = x[.., index[.., k, ..], ..]"""
    y = np.zeros(index.shape, x.dtype)
    for place in np.ndindex(index.shape):
        y[place] = x[(*place[:dim], index[place], *place[dim + 1 :])]
    return y


def scatter_add(x: Array, index: Array, dim: int, shape: Shape) -> Array:
    """y[.., index[.., k, ..], ..] += x[.., k, ..]"""
    y = np.zeros(shape, x.dtype)
    for place in np.ndindex(index.shape):
        y[(*place[:dim], index[place], *place[dim + 1 :])] += x[place]
    return y


@st.composite
def gathers(draw: st.DrawFn, inverse: bool = False) -> Call:
    """An array, an axis, and positions along it with repetitions; or a call of the inverse.

    The other axes of the positions are as long as in x, or shorter.
    """
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


register_strategy("gather", gathers(), linear_in=("x",), reference=gather)
register_strategy("scatter_add", gathers(inverse=True), linear_in=("x",), reference=scatter_add)


# --- Joining and padding ------------------------------------------------------------------------


@st.composite
def joins(draw: st.DrawFn, kind: str) -> Call:
    """One to three arrays and an axis: of different lengths for `cat`, of one shape for `stack`."""
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


def pad(x: Array, widths: Sequence[Pair], value: float) -> Array:
    """y[cell] = x[cell − before] inside of x, else `value`"""
    y = np.full([n + sum(w) for n, w in zip(x.shape, widths, strict=True)], value, x.dtype)
    for target in np.ndindex(y.shape):
        source = tuple(t - before for t, (before, _) in zip(target, widths, strict=True))
        if all(0 <= s < n for s, n in zip(source, x.shape, strict=True)):
            y[target] = x[source]
    return y


@st.composite
def pads(draw: st.DrawFn) -> Call:
    """An array and widths: cells to add before and behind, or (negative) to cut off."""
    x = draw(separated_arrays(shapes(0, 3, 0, 4)))
    widths = []
    for n in x.shape:
        before = draw(st.integers(-(n // 2), 2))
        widths.append((before, draw(st.integers(-(n - max(-before, 0)), 2))))
    value = draw(st.sampled_from([0.0, 1.5, -1.0]))
    return Call((x,), {"widths": tuple(widths), "value": value})


register_strategy("pad", pads(), linear_in=("x",), reference=pad)
