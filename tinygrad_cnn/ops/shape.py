"""Ops that move elements and compute nothing: each is linear, and its vjp is its adjoint."""

from __future__ import annotations

import math
from itertools import accumulate

import numpy as np

from ..engine import op, replay
from .precision import SUMMED_IN, sum_dtype

__all__ = [
    "cat", "diagonal", "expand", "flip", "from_diagonal", "gather", "getitem", "is_basic", "pad",
    "permute", "put", "reshape", "roll", "scatter_add", "setitem", "stack", "sum_to", "write_view",
]  # fmt: skip


@op(view=True)
def reshape(x, *, shape):
    """y = the elements of x in row-major order, in another shape        x̄ = ȳ in x's shape"""
    return x.reshape(shape)


reshape.defvjp(x=lambda g, x_shape: g.reshape(x_shape))


@op(view=True)
def permute(x, *, dims):
    """y = x with axis dims[k] at place k        x̄ = ȳ with the axes put back"""
    return x.transpose(dims)


permute.defvjp(x=lambda g, dims: permute(g, dims=tuple(np.argsort(dims).tolist())))


@op
def flip(x, *, dims):
    """y = a copy of x with the axes dims in reverse        x̄ = ȳ reversed likewise"""
    return np.flip(x, dims).copy()


flip.defvjp(x=lambda g, dims: flip(g, dims=dims))


@op
def roll(x, *, shifts, dims):
    """y[.., i + s, ..] = x[.., i, ..] along each of dims, circularly.

    x̄ = ȳ rolled back.
    """
    return np.roll(x, shifts, dims)


roll.defvjp(x=lambda g, shifts, dims: roll(g, shifts=tuple(-s for s in shifts), dims=dims))


@op(view=True)
def expand(x, *, shape):
    """y[.., i, ..] = x[.., 0, ..] along axes of length 1, and new axes in front.

    x̄ = Σ ȳ over the repeated axes.
    """
    return np.broadcast_to(x, shape)


@op(view=True)  # if there is nothing to sum
def sum_to(x, *, shape):
    """y = x summed over the axes that an expansion of `shape` repeats: the adjoint of expand."""
    lead = x.ndim - len(shape)
    axes = tuple(range(lead))
    axes += tuple(lead + i for i, s in enumerate(shape) if s == 1 != x.shape[lead + i])
    if not axes:
        return x.reshape(shape)
    y = x.sum(axis=axes, keepdims=True, dtype=sum_dtype(x.dtype))
    return y.reshape(shape).astype(x.dtype, copy=False)


expand.defvjp(x=lambda g, x_shape: sum_to(g, shape=x_shape))
sum_to.defvjp(x=lambda g, x_shape: expand(g, shape=x_shape))


@op(view=True)
def getitem(x, *, index):
    """y = x[index], NumPy's basic or advanced indexing        x̄ = 0 but for x̄[index] += ȳ"""
    return x[index]


@op
def put(x, *, index, shape):
    """y = 0 of `shape`, then y[index] += x; repeated places add up. The adjoint of getitem."""
    if is_basic(index) or _names_no_place_twice(index, shape):
        y = np.zeros(shape, x.dtype)
        y[index] = x
        return y
    y = np.zeros(shape, SUMMED_IN.get(x.dtype.char, x.dtype))
    np.add.at(y, index, x)  # which takes fifty times as long
    return y.astype(x.dtype, copy=False)


def _names_no_place_twice(index, shape):
    """Whether that is sure: of masks, and of one vector of integers, beside slices."""
    items = index if isinstance(index, tuple) else (index,)
    arrays = [i for i in items if isinstance(i, np.ndarray)]
    if len(arrays) != 1 or not is_basic(tuple(i for i in items if i is not arrays[0])):
        return False
    (array,) = arrays
    if array.dtype == np.bool_:
        return array.ndim > 0
    if array.ndim != 1 or None in [i for i in items if i is not array]:
        return False
    axis = next(k for k, i in enumerate(items) if i is array)
    if any(i is Ellipsis for i in items[:axis]):
        axis += len(shape) - len(items)
    seen = np.zeros(shape[axis], bool)
    seen[array] = True
    return np.count_nonzero(seen) == array.size


getitem.defvjp(x=lambda g, index, x_shape: put(g, index=index, shape=x_shape))
put.defvjp(x=lambda g, index: getitem(g, index=index))


def is_basic(index):
    """Whether NumPy returns a view for an index: only integers, slices, None and Ellipsis."""
    items = index if isinstance(index, tuple) else (index,)
    return all(
        i is None
        or i is Ellipsis
        or (isinstance(i, (int, np.integer, slice)) and i is not True and i is not False)
        for i in items
    )


@op
def setitem(x, v, *, index):
    """y = x, but for y[index] = v        x̄ = ȳ, 0 at the index        v̄ = ȳ[index]

    A place that the index names twice takes the last v, and only that v gets a gradient.
    """
    y = x.copy()
    y[index] = v
    return y


def setitem_v(g, index, x_shape, v_shape):
    mine = getitem(g, index=index)
    if not is_basic(index):
        order = np.zeros(x_shape, np.intp)
        ids = np.arange(math.prod(mine.shape)).reshape(mine.shape)
        order[index] = ids
        mine = mine * (order[index] == ids)  # 0 for a v that a later v replaced
    extra = len(v_shape) - len(mine.shape)  # axes of size 1, which an assignment ignores
    if extra > 0:
        return sum_to(mine, shape=v_shape[extra:]).reshape(v_shape)
    return sum_to(mine, shape=v_shape)


setitem.defvjp(x=lambda g, index: setitem(g, 0.0, index=index), v=setitem_v)


@op
def write_view(x, v, *, path):
    """y = x, but for the view of it that `path` describes, which is v.

    x̄ = ȳ, 0 in the view        v̄ = that view of ȳ
    """
    y = x.copy()
    replay(y, path)[...] = v
    return y


write_view.defvjp(
    x=lambda g, path: write_view(g, 0.0, path=path), v=lambda g, path: replay(g, path)
)


def _ends(g, xs_shape, dim):
    """Where along `dim` each part of ȳ ends."""
    return tuple(accumulate(shape[dim] for shape in xs_shape))


@op(shared={"ends": _ends})
def cat(*xs, dim):
    """y = the xs one after the other along `dim`        x̄ᵢ = the part of ȳ where xᵢ went"""
    return np.concatenate(xs, axis=dim)


def cat_xs(g, i, ends, xs_shape, dim):
    index = [slice(None)] * len(xs_shape[i])
    index[dim] = slice(ends[i] - xs_shape[i][dim], ends[i])
    return getitem(g, index=tuple(index))


cat.defvjp(xs=cat_xs)


@op
def stack(*xs, dim):
    """y[.., i, ..] = xᵢ along a new axis `dim`        x̄ᵢ = ȳ[.., i, ..]"""
    return np.stack(xs, axis=dim)


def stack_xs(g, i, dim):
    axis = dim if dim >= 0 else dim + len(g.shape)
    return getitem(g, index=(slice(None),) * axis + (i,))


stack.defvjp(xs=stack_xs)


@op
def pad(x, *, widths, value):
    """y = x with widths[k] = (before, after) cells of `value` around axis k; negative ones crop.

    x̄ = the part of ȳ where x went.
    """
    widths = [tuple(pair) for pair in widths]
    x = x[_kept(x.shape, widths)]
    grown = [(max(a, 0), max(b, 0)) for a, b in widths]
    return np.pad(x, grown, constant_values=value) if widths else x.copy()


def _kept(shape, widths):
    return tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(shape, widths, strict=True))


def pad_x(g, widths):
    return pad(g, widths=tuple((-a, -b) for a, b in widths), value=0.0)


pad.defvjp(x=pad_x)


@op
def gather(x, index, *, dim):
    """y[.., i, ..] = x[.., index[.., i, ..], ..] along `dim`        x̄ = scatter_add of ȳ"""
    if all(n == m for k, (n, m) in enumerate(zip(x.shape, index.shape, strict=True)) if k != dim):
        return np.take_along_axis(x, index, dim)
    return x[_along(index, dim)]


@op
def scatter_add(x, index, *, dim, shape):
    """y = 0 of `shape`, then y[.., index[.., i, ..], ..] += x[.., i, ..]. The adjoint of gather."""
    y = np.zeros(shape, SUMMED_IN.get(x.dtype.char, x.dtype))
    np.add.at(y, _along(index, dim), x)
    return y.astype(x.dtype, copy=False)


def _along(index, dim):
    grid = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[dim] = index
    return tuple(grid)


gather.defvjp(x=lambda g, index, dim, x_shape: scatter_add(g, index, dim=dim, shape=x_shape))
scatter_add.defvjp(x=lambda g, index, dim: gather(g, index, dim=dim))


@op(view=True)
def diagonal(x, *, offset, dims):
    """y[.., k] = x[.., k, k + offset] in the axes dims, which become one, the last.

    x̄ = 0 but for that diagonal, ȳ.
    """
    y = x.diagonal(offset, *dims)
    y.flags.writeable = x.flags.writeable  # NumPy's is read-only
    return y


@op
def from_diagonal(u, *, offset, dims, shape):
    """y = 0 of `shape`, but for its diagonal, u: the adjoint of `diagonal`."""
    y = np.zeros(shape, u.dtype)
    diagonal(y, offset=offset, dims=dims)[...] = u
    return y


diagonal.defvjp(
    x=lambda g, offset, dims, x_shape: from_diagonal(g, offset=offset, dims=dims, shape=x_shape)
)
from_diagonal.defvjp(u=lambda g, offset, dims: diagonal(g, offset=offset, dims=dims))
