"""Picking elements by index, mask or order, and putting them somewhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..engine import Recorded, wrap
from ..engine.dtypes import RANK, bool_, int64, result_type
from .arguments import array_of, axis, positions, results, tensors
from .brackets import kept

__all__ = [
    "argsort", "argwhere", "gather", "index_add", "index_copy", "index_fill", "index_select",
    "masked_fill", "masked_scatter", "masked_select", "nonzero", "scatter", "scatter_add", "sort",
    "take", "take_along_dim", "topk", "unique",
]  # fmt: skip

SortResult = results("sort", "values", "indices")
TopkResult = results("topk", "values", "indices")


def _along(dim: int, index: Any) -> tuple[Any, ...]:
    return (slice(None),) * dim + (index,)


# --- One index an element -----------------------------------------------------------------------


def _element_index(name: str, x: np.ndarray, dim: Any, index: Any, other: Any = None) -> Any:
    """dim from 0, and the array of an index of one position an element (scalars as vectors)."""
    i = array_of(index)
    dim = axis(name, x.ndim, dim)
    if i.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index, got {i.dtype}")
    if max(i.ndim, 1) != max(x.ndim, 1):
        raise RuntimeError(
            f"{name}: Index tensor must have the same number of dimensions as input tensor, got "
            f"index {i.shape} and input {x.shape}"
        )
    for what, shape in (("input", x.shape), ("src", other)):
        free = dim if what == "input" else None
        if shape is not None and any(
            m > n for k, (m, n) in enumerate(zip(i.shape, shape, strict=False)) if k != free
        ):
            raise RuntimeError(
                f"{name}: Size does not match: index {i.shape} must be no larger than {what} {shape}"
                + (f" apart from dimension {dim}" if what == "input" else "")
            )
    n = x.shape[dim] if x.ndim else 1
    if i.size and (i.min() < 0 or i.max() >= n):
        worst = i.min() if i.min() < 0 else i.max()
        raise RuntimeError(
            f"{name}: index {worst} is out of bounds for dimension {dim} with size {n}"
        )
    return dim, i


def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """y[.., i, ..] = input[.., index[.., i, ..], ..] along dim; other axes may be cut short."""
    tensors("gather", input=input, index=index)
    dim, i = _element_index("gather", input._array, dim, index)
    if not input._array.ndim:
        return ops.expand(input, shape=i.shape)
    return ops.gather(input, i, dim=dim)


def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """`gather`, with the axes other than dim broadcast; without dim, of all elements in a row."""
    if dim is None:
        return take(input, ops.reshape(indices, shape=(-1,)))
    dim = axis("take_along_dim", input._array.ndim, dim)

    def lengths(x: Any) -> list[int]:
        shape = list(x._array.shape)
        return [*shape[:dim], 1, *shape[dim + 1 :]]

    both = list(np.broadcast_shapes(tuple(lengths(input)), tuple(lengths(indices))))
    of_x, of_i = both.copy(), both
    of_x[dim], of_i[dim] = input._array.shape[dim], indices._array.shape[dim]
    index = wrap(np.broadcast_to(indices._array, of_i))
    return gather(ops.expand(input, shape=tuple(of_x)), dim, index)


def _grid(dim: int, i: np.ndarray) -> tuple[Any, ...]:
    grid = list(np.ogrid[tuple(slice(n) for n in i.shape)])
    return (*grid[:dim], kept(i), *grid[dim + 1 :])


def _source(src: Any, i: np.ndarray) -> Any:
    """The part of src that an index of this shape takes."""
    if src._array.shape == i.shape:
        return src
    return ops.getitem(src, index=tuple(slice(n) for n in i.shape))


def scatter(
    input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Any:
    """input, but for y[.., index[.., i, ..], ..] = src[.., i, ..] along dim: a Tensor or a number.

    Of several for one place the last stays, and alone has a gradient.
    """
    if reduce is not None:
        raise NotImplementedError("scatter: reduce is not there: see scatter_add")
    src = value if src is None else src
    other = src._array.shape if isinstance(src, Recorded) else None
    dim, i = _element_index("scatter", input._array, dim, index, other)
    if other is not None:
        if src._array.dtype != input._array.dtype:
            raise RuntimeError(
                f"scatter(): Expected self.dtype to be equal to src.dtype, got "
                f"{input._array.dtype} and {src._array.dtype}"
            )
        src = _source(src, i)
    return ops.setitem(input, src, index=_grid(dim, i) if i.ndim else ())


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """input, but for y[.., index[.., i, ..], ..] += src[.., i, ..] along dim."""
    tensors("scatter_add", index=index, src=src)
    dim, i = _element_index("scatter_add", input._array, dim, index, src._array.shape)
    if src._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"scatter_add(): Expected self.dtype to be equal to src.dtype, got "
            f"{input._array.dtype} and {src._array.dtype}"
        )
    added = ops.put(_source(src, i), index=_grid(dim, i), shape=input._array.shape)
    return ops.add(input, added)


# --- One index a slice --------------------------------------------------------------------------


def _slice_index(name: str, x: np.ndarray, dim: Any, index: Any) -> tuple[int, np.ndarray]:
    dim = axis(name, x.ndim, dim)
    i = positions(name, index, x.shape[dim] if x.ndim else 1, (0, 1))
    return dim, kept(i.reshape(-1))


def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices of input along dim that a vector of positions names."""
    dim, i = _slice_index("index_select", input._array, dim, index)
    if not input._array.ndim:
        return ops.clone(input)
    return ops.getitem(input, index=_along(dim, i))


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """input, with alpha · source[.., k, ..] added to its slice index[k] along dim."""
    dim, i = _slice_index("index_add", input._array, dim, index)
    shape = input._array.shape
    wanted = (*shape[:dim], len(i), *shape[dim + 1 :])
    if source._array.shape != wanted:
        raise RuntimeError(
            f"index_add_(): Source/destination tensor must have same slice shapes: wanted {wanted} "
            f"got {source._array.shape}"
        )
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"index_add_(): self ({input._array.dtype}) and source ({source._array.dtype}) must "
            "have the same scalar type"
        )
    added = ops.put(source, index=_along(dim, i), shape=shape)
    return ops.add(input, added if alpha == 1 else ops.mul(added, alpha))


def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """input, with source[.., k, ..] in the place of its slice index[k] along dim."""
    dim, i = _slice_index("index_copy", input._array, dim, index)
    return ops.setitem(input, source, index=_along(dim, i))


def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """input, with one value in the slices along dim that index names."""
    dim, i = _slice_index("index_fill", input._array, dim, index)
    return ops.setitem(input, value, index=_along(dim, i))


def take(input: Any, index: Any) -> Any:
    """The elements at these places of input in a row; of the shape of index."""
    n = input._array.size
    i = array_of(index)
    i = positions("take", np.where(i < 0, i + n, i), n)
    return ops.getitem(ops.reshape(input, shape=(-1,)), index=(i,))


# --- Masks --------------------------------------------------------------------------------------


def _mask(name: str, mask: Any) -> np.ndarray:
    m = array_of(mask)
    if getattr(m, "dtype", None) != bool_:
        got = getattr(m, "dtype", type(m).__name__)
        raise RuntimeError(f"{name}_ only supports boolean masks, but got mask with dtype {got}")
    return m


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """input, with value (a number or a 0-d Tensor) where the mask, of bool, holds."""
    m = _mask("masked_fill", mask)
    v, dtype = array_of(value), input._array.dtype
    if np.ndim(v):
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{np.ndim(v)} dimension(s)."
        )
    if RANK[result_type(v).kind] > RANK[dtype.kind]:
        if not np.isfinite(v):
            raise RuntimeError(f"value cannot be converted to type {dtype} without overflow: {v}")
        value = np.asarray(v).astype(dtype)
    return ops.where(m, value, input)


def masked_select(input: Any, mask: Any) -> Any:
    """The elements where the mask, of bool, holds, as a vector."""
    m = _mask("masked_select", mask)
    shape = np.broadcast_shapes(input._array.shape, m.shape)
    return ops.getitem(ops.expand(input, shape=shape), index=(kept(np.broadcast_to(m, shape)),))


def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """input, with the elements of source, one after the other, where the mask, of bool, holds."""
    m = np.broadcast_to(_mask("masked_scatter", mask), input._array.shape)
    n = int(m.sum())
    if source._array.size < n:
        raise RuntimeError(
            "masked_scatter: Number of elements of source < number of ones in mask: "
            f"{source._array.size} < {n}"
        )
    row = ops.getitem(ops.reshape(source, shape=(-1,)), index=(slice(n),))
    return ops.setitem(input, row, index=(kept(m),))


# --- Order --------------------------------------------------------------------------------------


def _order(a: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    """The places of the elements in order along dim, equal ones as they come; NaN is the largest."""
    if not a.ndim:
        return np.zeros((), int64)
    if not descending:
        return np.argsort(a, axis=dim, kind="stable")
    order = np.argsort(np.flip(a, dim), axis=dim, kind="stable")
    return np.ascontiguousarray(a.shape[dim] - 1 - np.flip(order, dim))


def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The elements in order along dim, and where they were; NaN is the largest. Always stable.

    >>> import tinygrad_cnn as tc
    >>> values, indices = tc.tensor([3, 1, 2]).sort(descending=True)
    >>> values.tolist(), indices.tolist()
    ([3, 2, 1], [0, 2, 1])
    """
    dim = axis("sort", input._array.ndim, dim)
    order = _order(input._array, dim, descending)
    values = ops.gather(input, order, dim=dim) if order.ndim else ops.clone(input)
    return SortResult(values, wrap(order))


def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """Where the elements are that come in order along dim."""
    return wrap(_order(input._array, axis("argsort", input._array.ndim, dim), descending))


def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The k largest (or least) along dim, in order, and where they are."""
    a = input._array
    dim = axis("topk", a.ndim, dim)
    if not 0 <= k <= (a.shape[dim] if a.ndim else 1):
        raise RuntimeError(f"topk: selected index k out of range: {k} of shape {a.shape}")
    order = _order(a, dim, largest)
    if not a.ndim:
        return TopkResult(ops.clone(input), wrap(order))
    order = np.ascontiguousarray(order[_along(dim, slice(k))])
    return TopkResult(ops.gather(input, order, dim=dim), wrap(order))


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """The places of what is not 0: (how many, axes), or a tuple of a vector for each axis."""
    a = input._array
    if as_tuple:
        return tuple(wrap(i) for i in np.nonzero(np.atleast_1d(a)))
    return wrap(np.argwhere(a))


def argwhere(input: Any) -> Any:
    """`nonzero`: (how many, axes)."""
    return nonzero(input)


def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """The different elements (or slices along dim), in order; where each went; how many there are."""
    count: Any = np.unique
    found = count(input._array, False, return_inverse, return_counts, axis=dim, equal_nan=False)
    if not return_inverse and not return_counts:
        return wrap(found)
    y, *rest = found
    if return_inverse and dim is not None:
        rest[0] = rest[0].reshape(-1)
    return (wrap(y), *map(wrap, rest))
