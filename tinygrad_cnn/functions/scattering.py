"""A copy of a Tensor in which elements or slices are replaced, or added to.

The in-place forms (`scatter_`, `index_add_`, `masked_fill_` ...) write into the Tensor itself. An
index is a Tensor of int64 or int32, a mask one of bool; RuntimeError for others. A later write to
them never changes a gradient: the graph holds a copy, or the backward pass raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import ops
from ..engine import Recorded, grad_mode, wrap
from ..types import Number
from .arguments import array_of, broadcast_shape, in_kind_of
from .brackets import kept
from .indices import along, element_index, fill_value, mask_of, slice_index
from .public import public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "index_add", "index_copy", "index_fill", "masked_fill", "masked_scatter", "scatter",
    "scatter_add",
]  # fmt: skip


def _vector(x: Any) -> Any:
    """`x`; as a vector of one element if it has no axes."""
    return x if x._array.ndim else ops.reshape(x, shape=(1,))


def _shaped(y: Any, like: Any) -> Any:
    """`y`; without axes if `like`, in whose place `_vector(like)` was used, has none."""
    return y if like._array.ndim else ops.reshape(y, shape=())


# --- One position for each element --------------------------------------------------------------


@public(overloads=True)
def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor | Number | None = None,
    *,
    value: Tensor | Number | None = None,
    reduce: str | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """A copy of input with y[.., index[.., i, ..], ..] = src[.., i, ..], i in axis `dim`.

    src: a Tensor of the dtype of input that is at least as large as index; or a number, which may be
    given as `value`. If several elements go to one place, the last one stays, and it alone gets a
    gradient. `reduce` is "add" or "multiply" for y[..] += or *= instead; "multiply" has no gradient.
    RuntimeError for an index that does not fit or is out of bounds, and for another `reduce`.

    >>> tc.scatter(tc.zeros(2, 3), 1, tc.tensor([[0], [2]]), tc.tensor([[1.0], [2.0]]))
    tensor([[1., 0., 0.],
            [0., 0., 2.]])
    """
    if (src is None) == (value is None):
        raise TypeError("scatter() takes a Tensor src or a number value: give one of the two")
    if reduce is not None:
        return _reduced(input, dim, index, value if src is None else src, reduce)
    if src is None or not isinstance(src, Recorded):
        number = fill_value("scatter", value if src is None else src, input._array.dtype)
        dim, i = element_index("scatter", input._array, dim, index)
        return _put(input, dim, i, number)
    dim, i = element_index("scatter", input._array, dim, index, src._array.shape)
    _check_dtype("scatter", input, src)
    return _put(input, dim, i, _source(src, i))


def _reduced(x: Any, dim: int, index: Any, src: Any, reduce: str) -> Any:
    """`x` with elements added to or multiplied by those of `src`, a Tensor or a number."""
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    dtype = x._array.dtype
    if not isinstance(src, Recorded):
        number = array_of(fill_value("scatter", src, dtype))
        src = wrap(np.full(index._array.shape, number, dtype))
    if reduce == "add":
        return scatter_add(x, dim, index, src)
    if grad_mode.enabled and (x._node is not None or src._node is not None):
        raise NotImplementedError("scatter: the derivative of reduce='multiply' is not implemented")
    dim, i = element_index("scatter", x._array, dim, index, src._array.shape)
    _check_dtype("scatter", x, src)
    y = np.array(_vector(x)._array)
    if i.size:
        np.multiply.at(y, _grid(dim, i), _source(src, i)._array)
    return wrap(y.reshape(x._array.shape))


def _put(x: Any, dim: int, i: np.ndarray, v: Any) -> Any:
    if not i.size:
        return ops.clone(x)
    return _shaped(ops.setitem(_vector(x), v, index=_grid(dim, i)), x)


@public
def scatter_add(
    input: Tensor, dim: int, index: Tensor, src: Tensor, *, out: Tensor | None = None
) -> Tensor:
    """A copy of input with y[.., index[.., i, ..], ..] += src[.., i, ..], i in axis `dim`.

    src: a Tensor of the dtype of input that is at least as large as index. RuntimeError for an index
    that does not fit or is out of bounds.

    >>> tc.scatter_add(tc.zeros(3), 0, tc.tensor([0, 2, 0]), tc.tensor([1.0, 2.0, 3.0]))
    tensor([4., 0., 2.])
    """
    dim, i = element_index("scatter_add", input._array, dim, index, src._array.shape)
    _check_dtype("scatter_add", input, src)
    if not i.size:
        return ops.clone(input)
    x = _vector(input)
    added = ops.put(_source(src, i), index=_grid(dim, i), shape=x._array.shape)
    return _shaped(ops.add(x, added), input)


def _check_dtype(name: str, x: Any, src: Any) -> None:
    if src._array.dtype != x._array.dtype:
        raise RuntimeError(
            f"{name}(): Expected self.dtype to be equal to src.dtype, got {x.dtype} and {src.dtype}"
        )


def _grid(dim: int, i: np.ndarray) -> tuple[Any, ...]:
    """NumPy's index of the places of the elements: `i` along `dim`, their own place elsewhere."""
    i = np.atleast_1d(i)
    grid = list(np.ogrid[tuple([slice(n) for n in i.shape])])
    return (*grid[:dim], kept(i), *grid[dim + 1 :])


def _source(src: Any, i: np.ndarray) -> Any:
    """The part of `src` that an index of this shape takes, with at least one axis."""
    src, shape = _vector(src), i.shape or (1,)
    if src._array.shape == shape:
        return src
    return ops.getitem(src, index=tuple([slice(n) for n in shape]))


# --- One position for each slice ----------------------------------------------------------------


@public
def index_add(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    *,
    alpha: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """A copy of input with alpha · source[.., k, ..] added to its slice index[k] along `dim`.

    source has the dtype of input, and its shape with the size of the vector `index` along `dim`.
    RuntimeError if they do not fit, IndexError for positions that do not exist.

    >>> tc.index_add(tc.zeros(3, 2), 0, tc.tensor([2, 2]), tc.ones(2, 2))
    tensor([[0., 0.],
            [0., 0.],
            [2., 2.]])
    """
    dim, i = slice_index("index_add", input._array, dim, index)
    v = _slices_of("index_add", input, dim, i, source)
    dtype = input._array.dtype
    alpha = in_kind_of(dtype, alpha)
    if alpha != 1:
        v = ops.mul(v, bool(alpha) if dtype.kind == "b" else alpha)
    x = _vector(input)
    added = ops.put(v, index=along(dim, i), shape=x._array.shape)
    return _shaped(ops.add(x, added), input)


@public
def index_copy(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, out: Tensor | None = None
) -> Tensor:
    """A copy of input with source[.., k, ..] in place of its slice index[k] along `dim`.

    source has the dtype of input, and its shape with the size of the vector `index` along `dim`.
    RuntimeError or IndexError if they do not fit, IndexError for positions that do not exist.

    >>> tc.index_copy(tc.zeros(3, 2), 0, tc.tensor([2, 0]), tc.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [0., 0.],
            [1., 2.]])
    """
    dim, i = slice_index("index_copy", input._array, dim, index)
    v = _slices_of("index_copy", input, dim, i, source)
    return _shaped(ops.setitem(_vector(input), v, index=along(dim, i)), input)


@public(overloads=True)
def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """A copy of input with one value in the slices along `dim` that a vector `index` names.

    value: a number, or a Tensor without axes. Negative positions count from the end. IndexError for
    positions that do not exist, RuntimeError for a value that the dtype cannot hold.

    >>> tc.index_fill(tc.zeros(2, 3), 1, tc.tensor([0, -1]), 5.0)
    tensor([[5., 0., 5.],
            [5., 0., 5.]])
    """
    dim, i = slice_index("index_fill", input._array, dim, index, from_end=True)
    v = fill_value("index_fill", value, input._array.dtype)
    return _shaped(ops.setitem(_vector(input), v, index=along(dim, i)), input)


def _slices_of(name: str, x: Any, dim: int, i: np.ndarray, source: Any) -> Any:
    """`source`, checked to have a slice for each position of the vector `i`."""
    shape, given = x._array.shape or (1,), source._array.shape
    if len(shape) == 1:
        given = given or (1,)
    wanted = (*shape[:dim], i.size, *shape[dim + 1 :])
    if given != wanted:
        another_count = len(given) != len(wanted) or given[dim] != wanted[dim]
        error = IndexError if name == "index_copy" and another_count else RuntimeError
        raise error(
            f"{name}_(): Source/destination tensor must have same slice shapes: wanted {wanted} got "
            f"{given}"
        )
    if source._array.dtype != x._array.dtype:
        raise RuntimeError(
            f"{name}_(): self ({x.dtype}) and source ({source.dtype}) must have the "
            "same scalar type"
        )
    return _vector(source)


# --- Masks --------------------------------------------------------------------------------------


@public(overloads=True)
def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """A copy of input with `value` where a mask of bool is true. The two broadcast.

    value: a number, or a Tensor without axes. RuntimeError for a mask of another dtype, and for a
    value that the dtype of input cannot hold.

    >>> x = tc.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> tc.masked_fill(x, x > 2, 0)
    tensor([[1., 2.],
            [0., 0.]])
    """
    m = mask_of("masked_fill", mask)
    return ops.where(m, fill_value("masked_fill", value, input._array.dtype), input)


@public
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """A copy of input with the elements of source, in their order, where a mask of bool is true.

    input and mask broadcast; source has the dtype of input. RuntimeError if source has fewer
    elements than the mask selects.

    >>> tc.masked_scatter(tc.zeros(3), tc.tensor([True, False, True]), tc.tensor([1.0, 2.0, 3.0]))
    tensor([1., 0., 2.])
    """
    m = mask_of("masked_scatter", mask)
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            "masked_scatter: expected self and source to have same dtypes but got "
            f"{input.dtype} and {source.dtype}"
        )
    shape = broadcast_shape("masked_scatter", input._array.shape, m.shape)
    m, n = np.broadcast_to(m, shape), source._array.size
    count = int(m.sum())
    if n < count:
        raise RuntimeError(
            f"masked_scatter: Number of elements of source < number of ones in mask: {n} < {count}"
        )
    row = ops.getitem(ops.reshape(source, shape=(-1,)), index=(slice(count),))
    x = input if input._array.shape == shape else ops.expand(input, shape=shape)
    return ops.setitem(x, row, index=(kept(m),))
