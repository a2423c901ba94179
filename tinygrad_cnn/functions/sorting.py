"""Order: sorted elements, the largest ones, the different ones. NaN counts as the largest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from .. import ops
from ..engine import wrap
from ..engine.dtypes import int64
from .arguments import axis, integer
from .indices import along
from .public import public
from .results import SortResult, TopkResult

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["argsort", "sort", "topk", "unique"]


def _order(a: np.ndarray, dim: int, descending: bool) -> np.ndarray:
    """The positions of the elements in order along `dim`; equal ones keep their order."""
    if not a.ndim:
        return np.zeros((), int64)
    if not descending:
        return np.argsort(a, axis=dim, kind="stable")
    order = np.argsort(np.flip(a, dim), axis=dim, kind="stable")
    return np.ascontiguousarray(a.shape[dim] - 1 - np.flip(order, dim))


@public(overloads=True)
def sort(
    input: Tensor,
    dim: int = -1,
    descending: bool = False,
    *,
    stable: bool | None = None,
    out: Sequence[Tensor] | None = None,
) -> SortResult:
    """The elements in order along `dim`, and their positions there, of int64.

    Both have the shape of input. Equal elements keep their order, whatever `stable` is. NaN counts
    as the largest. IndexError for an axis that input does not have.

    >>> values, indices = tc.sort(tc.tensor([3, 1, 2]), descending=True)
    >>> values, indices
    (tensor([3, 2, 1]), tensor([0, 2, 1]))
    """
    dim = axis("sort", input._array.ndim, dim)
    order = _order(input._array, dim, descending)
    values = ops.gather(input, order, dim=dim) if order.ndim else ops.clone(input)
    return SortResult(values, wrap(order))


@public(overloads=True)
def argsort(
    input: Tensor,
    dim: int = -1,
    descending: bool = False,
    *,
    stable: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """The positions, of int64, that put the elements in order along `dim`.

    The result has the shape of input. Equal elements keep their order, whatever `stable` is. NaN
    counts as the largest. IndexError for an axis that input does not have.

    >>> tc.argsort(tc.tensor([3, 1, 2]))
    tensor([1, 2, 0])
    """
    return wrap(_order(input._array, axis("argsort", input._array.ndim, dim), descending))


@public
def topk(
    input: Tensor,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,
    *,
    out: Sequence[Tensor] | None = None,
) -> TopkResult:
    """The k largest elements along `dim`, or the smallest, and their positions there, of int64.

    They come in order, whatever `sorted` is. RuntimeError for a k larger than the size of the axis.

    >>> tc.topk(tc.tensor([3, 1, 2]), 2).values
    tensor([3, 2])
    """
    a, k = input._array, integer("topk", "k", k)
    dim = axis("topk", a.ndim, dim)
    if a.dtype.kind == "b":
        raise RuntimeError("topk: input of bool is not supported")
    if not 0 <= k <= (a.shape[dim] if a.ndim else 1):
        raise RuntimeError(f"topk: selected index k out of range: {k} of shape {a.shape}")
    order = _order(a, dim, largest)
    if not a.ndim:
        return TopkResult(ops.clone(input), wrap(order))
    order = np.ascontiguousarray(order[along(dim, slice(k))])
    return TopkResult(ops.gather(input, order, dim=dim), wrap(order))


@overload
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: Literal[False] = False,
    return_counts: Literal[False] = False,
    dim: int | None = None,
) -> Tensor: ...
@overload
def unique(
    input: Tensor,
    sorted: bool = True,
    *,
    return_inverse: Literal[True],
    return_counts: Literal[False] = False,
    dim: int | None = None,
) -> tuple[Tensor, Tensor]: ...
@overload
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: Literal[False] = False,
    *,
    return_counts: Literal[True],
    dim: int | None = None,
) -> tuple[Tensor, Tensor]: ...
@overload
def unique(
    input: Tensor,
    sorted: bool = True,
    *,
    return_inverse: Literal[True],
    return_counts: Literal[True],
    dim: int | None = None,
) -> tuple[Tensor, Tensor, Tensor]: ...
@overload
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Tensor | tuple[Tensor, ...]: ...
@public
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Tensor | tuple[Tensor, ...]:
    """The different elements in order, or the different slices along `dim`.

    return_inverse: also where each element of input is in the result, in the shape of input (a
    vector with `dim`). return_counts: also how often each occurs. With either the result is a tuple.
    Each NaN differs from all others. The order is there whatever `sorted` is.

    >>> tc.unique(tc.tensor([3, 1, 3]))
    tensor([1, 3])
    >>> tc.unique(tc.tensor([3, 1, 3]), return_inverse=True, return_counts=True)
    (tensor([1, 3]), tensor([1, 0, 1]), tensor([1, 2]))
    """
    a = input._array
    if dim is not None:
        dim = axis("unique", a.ndim, dim)
        if not a.ndim:
            raise IndexError("Dimension specified as 0 but tensor has no dimensions")
        if 0 in (*a.shape[:dim], *a.shape[dim + 1 :]):
            raise RuntimeError(
                "There are 0 sized dimensions, and they aren't selected, so unique cannot be "
                f"applied: shape {a.shape}, dim {dim}"
            )
    count: Any = np.unique
    found = count(a, False, return_inverse, return_counts, axis=dim, equal_nan=False)
    if not return_inverse and not return_counts:
        return wrap(found)
    y, *rest = found
    if return_inverse and dim is not None:
        rest[0] = rest[0].reshape(-1)
    return (wrap(y), *map(wrap, rest))
