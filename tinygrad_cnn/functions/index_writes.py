"""A copy of a Tensor in which the places of an index get new values, combined in several ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import ops
from ..engine import wrap
from ..engine.dtypes import bool_, uint8
from .arguments import several
from .brackets import check_value, index_error, kept
from .indices import element_index
from .public import public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["index_put", "scatter_reduce"]


@public
def index_put(
    input: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False
) -> Tensor:
    """A copy of input with y[indices] = values, or with y[indices] += values if `accumulate`.

    indices: a Tensor of integers for each of the first axes, which broadcast; one of bool or uint8 is
    a mask. values: a Tensor of the dtype of input that broadcasts to input[indices]; or of any dtype, if
    it has one element and the index is one mask. If a place
    occurs several times, the last value stays, and it alone gets a gradient; with `accumulate` all
    are added. RuntimeError for values that do not fit, IndexError for an index that does not.

    >>> i = tc.tensor([0, 2, 0])
    >>> tc.index_put(tc.zeros(3), (i,), tc.tensor([1.0, 2.0, 3.0]))
    tensor([3., 0., 2.])
    >>> tc.index_put(tc.zeros(3), (i,), tc.tensor([1.0, 2.0, 3.0]), accumulate=True)
    tensor([4., 0., 2.])
    """
    if not indices:
        raise RuntimeError("index_put: indices must have at least one Tensor")
    index = tuple(several("index_put", indices))
    a, v = input._array, values._array
    if (
        v.size == 1
        and not accumulate
        and index[0]._array.dtype in (bool_, uint8)
        and len(index) == 1
    ):
        values = ops.cast(values, dtype=a.dtype)  # a value to fill a mask with: of any dtype
    elif v.dtype != a.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{a.dtype} for the destination and {v.dtype} for the source."
        )
    plain = tuple([_plain(i._array) for i in index])
    try:
        part = a[plain].shape
    except IndexError as error:
        raise index_error(a, index, error) from None
    check_value(v.shape, part, plain)
    extra = max(v.ndim - len(part), 0)
    if extra:
        values = ops.reshape(values, shape=v.shape[extra:])
    if not accumulate:
        return ops.setitem(input, values, index=plain)
    return ops.add(input, ops.put(ops.expand(values, shape=part), index=plain, shape=a.shape))


def _plain(i: np.ndarray) -> np.ndarray:
    """An index as NumPy takes it, for a graph to hold. For PyTorch an array of uint8 is a mask."""
    return i != 0 if i.dtype == uint8 else kept(i)


# --- scatter_reduce -------------------------------------------------------------------------------


@public
def scatter_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
    out: Tensor | None = None,
) -> Tensor:
    """A copy of input in which each place holds the reduction of all elements of src that go to it.

    src[.., i, ..] goes to the place [.., index[.., i, ..], ..], with i in axis `dim`. `reduce` is
    "sum", "prod", "mean", "amax" or "amin". The element of input takes part, unless `include_self` is
    False. Places to which no element goes keep theirs. Equal extremes share the gradient evenly.

    src: a Tensor of the dtype of input that is at least as large as index. RuntimeError for an index
    that does not fit or is out of bounds, and for another `reduce`.

    >>> x, i = tc.tensor([1.0, 2.0, 3.0]), tc.tensor([0, 0, 2])
    >>> tc.scatter_reduce(x, 0, i, tc.tensor([5.0, 6.0, 9.0]), "mean")
    tensor([4., 2., 6.])
    >>> tc.scatter_reduce(x, 0, i, tc.tensor([5.0, 6.0, 9.0]), "amax", include_self=False)
    tensor([6., 2., 9.])
    """
    a = input._array
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(
            f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"
        )
    dim, i = element_index("scatter_reduce", a, dim, index, src._array.shape)
    if src._array.dtype != a.dtype:
        raise RuntimeError(
            "scatter(): Expected self.dtype to be equal to src.dtype, got "
            f"{a.dtype} and {src._array.dtype}"
        )
    if reduce == "mean" and a.dtype.kind == "b":
        raise NotImplementedError(
            '"scatter_gather_tensor_cpu_reduce_mean" not implemented for bool'
        )
    if not i.size:
        return ops.clone(input)
    places, elements = _flat_places(a.shape, dim, i), _elements(src, i)
    reduction = _summed if reduce in ("sum", "mean") else _reduced
    flat = ops.reshape(input, shape=(-1,))
    return ops.reshape(reduction(flat, places, elements, reduce, include_self), shape=a.shape)


def _flat_places(shape: tuple[int, ...], dim: int, i: np.ndarray) -> np.ndarray:
    """The place of each element of the index among all elements of the result: a vector."""
    if not shape:
        return np.zeros(i.size, np.intp)
    i = np.atleast_1d(i)
    grid = list(np.ogrid[tuple([slice(n) for n in i.shape])])
    grid[dim] = i
    return np.ravel_multi_index(np.broadcast_arrays(*grid), shape).reshape(-1)


def _elements(src: Any, i: np.ndarray) -> Any:
    """The part of `src` that an index of this shape takes: a vector."""
    if src._array.ndim and src._array.shape != i.shape:
        shape = i.shape or (1,)
        src = ops.getitem(src, index=tuple([slice(n) for n in shape]))
    return ops.reshape(src, shape=(-1,))


def _summed(x: Any, places: np.ndarray, v: Any, reduce: str, include_self: bool) -> Any:
    """The vector `x` with sums, or means, of the elements of `v` and its own."""
    a = x._array
    total = ops.put(v, index=kept(places), shape=a.shape)
    count = np.bincount(places, minlength=a.size)
    own = np.ones(a.size, bool) if include_self else count == 0
    total = ops.add(ops.keep(x, own), total)
    if reduce == "sum":
        return total
    n = count + own
    if a.dtype.kind == "f":
        return ops.div(total, wrap(n.astype(a.dtype)))
    return wrap((total._array // n).astype(a.dtype))


def _reduced(x: Any, places: np.ndarray, v: Any, reduce: str, include_self: bool) -> Any:
    """The vector `x` with products or extremes of the elements of `v` and its own.

    The elements of each place stand in a row of a table, filled up with a value that changes
    nothing. So the op that reduces rows has the gradient, of any order, also at zeros and ties. Rows
    of about one length, up to a power of two, share a table: together they are not much larger than v.
    """
    a = x._array
    used, row, count = np.unique(places, return_inverse=True, return_counts=True)
    order = np.argsort(row, kind="stable")
    column = np.empty_like(row)
    column[order] = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)
    first = int(include_self)
    length = 1 << np.ceil(np.log2(count)).astype(int)
    y = x
    for n in np.unique(length):
        those = length == n
        number = np.cumsum(those) - 1  # of a row in its table
        mine = those[row]
        table: Any = wrap(np.full((number[-1] + 1, n + first), _neutral(reduce, a.dtype)))
        if include_self:
            own = ops.getitem(x, index=(used[those],))
            table = ops.setitem(table, own, index=(slice(None), 0))
        there = (number[row[mine]], column[mine] + first)
        table = ops.setitem(table, ops.getitem(v, index=(mine,)), index=there)
        y = ops.setitem(y, _rows(table, reduce), index=(used[those],))
    return y


def _rows(table: Any, reduce: str) -> Any:
    """The product, the maximum or the minimum of each row."""
    if reduce == "prod":
        y, dtype = ops.prod(table, dim=1), table._array.dtype
        return y if y._array.dtype == dtype else ops.cast(y, dtype=dtype)
    return (ops.amax if reduce == "amax" else ops.amin)(table, dim=(1,))


def _neutral(reduce: str, dtype: np.dtype[Any]) -> np.ndarray:
    """The number that changes no product, maximum or minimum."""
    if reduce == "prod":
        value: Any = 1
    elif dtype.kind == "b":
        value = reduce == "amin"
    elif dtype.kind == "f":
        value = -np.inf if reduce == "amax" else np.inf
    else:
        limits = np.iinfo(dtype)
        value = limits.min if reduce == "amax" else limits.max
    return np.asarray(value, dtype)
