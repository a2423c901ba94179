"""Search: places in sorted values, membership, and runs of equal elements."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, overload

import numpy as np

from ..engine import Recorded, wrap
from ..engine.dtypes import int32, int64, result_type
from ..types import Number
from .arguments import array_of, axis
from .public import public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["bucketize", "isin", "searchsorted", "unique_consecutive"]


# --- Places in sorted values ----------------------------------------------------------------------


@public(overloads=True)
def searchsorted(
    sorted_sequence: Tensor,
    input: Tensor | Number,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """For each value of input, how many elements of a sorted sequence are smaller.

    At that place the value may be inserted. With `right`, or side="right", equal elements count as
    smaller. `sorted_sequence` is a vector, or has rows along its last axis, and input then has the
    same sizes in all axes but the last. `sorter` holds the positions, of int64, that sort it along the
    last axis. The result has the shape of input, and is of int64, or int32 with `out_int32`. NaN is
    larger than all. RuntimeError for arguments that do not fit.

    >>> tc.searchsorted(tc.tensor([1, 3, 5]), tc.tensor([0, 3, 9]))
    tensor([0, 1, 3])
    >>> tc.searchsorted(tc.tensor([1, 3, 5]), 3, right=True)
    tensor(2)
    """
    a, v = sorted_sequence._array, np.asarray(array_of(input))
    if side not in ("left", "right", None):
        raise RuntimeError(
            f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}"
        )
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while "
            "right was True"
        )
    if not a.ndim:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 "
            "dimension"
        )
    _check_rows(a.shape, v.shape, isinstance(input, Recorded))
    if sorter is not None:
        a = np.take_along_axis(a, _checked_sorter(a, sorter._array), -1)
    return wrap(_places(a, v, right or side == "right", out_int32))


@public(overloads=True)
def bucketize(
    input: Tensor | Number,
    boundaries: Tensor,
    *,
    out_int32: bool = False,
    right: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """The number of the bucket in which each value lies, between the boundaries, a sorted vector.

    A value on a boundary belongs to the bucket before it, or with `right` to the one after it. The
    result has the shape of input, and is of int64, or int32 with `out_int32`. RuntimeError for
    boundaries that are no vector.

    >>> tc.bucketize(tc.tensor([0.5, 1.0, 7.0]), tc.tensor([1.0, 5.0]))
    tensor([0, 0, 2])
    """
    a = boundaries._array
    if a.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({a.ndim})")
    return wrap(_places(a, np.asarray(array_of(input)), right, out_int32))


def _check_rows(rows: tuple[int, ...], values: tuple[int, ...], tensor: bool) -> None:
    """RuntimeError unless there is a row of the sorted sequence for each row of values."""
    if len(rows) == 1:
        return
    if not tensor or not values:
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension "
            f"is 1, but we got boundaries tensor dim({len(rows)}) and input value's dim(0) numel(1)"
        )
    if rows[:-1] != values[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 "
            "dimensions of boundaries tensor and input value tensor must match, but we got "
            f"boundaries tensor {list(rows)} and input value tensor {list(values)}"
        )


def _checked_sorter(a: np.ndarray, sorter: np.ndarray) -> np.ndarray:
    if sorter.shape != a.shape:
        raise RuntimeError(
            "torch.searchsorted(): boundary and sorter must have the same size, but got boundary "
            f"tensor {list(a.shape)} and got sorter tensor {list(sorter.shape)}"
        )
    if sorter.dtype != int64:
        raise RuntimeError(
            f"torch.searchsorted(): sorter must be a tensor of long dtype but got dtype {sorter.dtype}"
        )
    if sorter.size and (sorter.min() < 0 or sorter.max() >= a.shape[-1]):
        raise RuntimeError("torch.searchsorted(): sorter index out of range")
    return sorter


def _places(a: np.ndarray, v: np.ndarray, right: bool, out_int32: bool) -> np.ndarray:
    """The places of the values in the vector `a`, or in the rows of `a`."""
    dtype = result_type(a, v)
    if dtype.kind == "b":
        raise NotImplementedError('"searchsorted_out_cpu" not implemented for bool')
    a, v = a.astype(dtype, copy=False), v.astype(dtype, copy=False)
    start = np.zeros(v.shape, int64)
    end = np.full(v.shape, a.shape[-1], int64)
    row = () if a.ndim == 1 else tuple(np.ogrid[tuple(map(slice, v.shape))][:-1])
    while (open_ := start < end).any():  # binary search, for all values at once
        middle = (start + end) // 2
        there = a[(*row, np.minimum(middle, a.shape[-1] - 1))]
        before = ~(there > v if right else there >= v)  # NaN in either: on to the right
        start = np.where(open_ & before, middle + 1, start)
        end = np.where(open_ & ~before, middle, end)
    return start.astype(int32) if out_int32 else start


# --- Membership -----------------------------------------------------------------------------------


@overload
def isin(
    elements: Tensor | Number,
    test_elements: Tensor | Number,
    *,
    assume_unique: bool = False,
    invert: bool = False,
    out: Tensor | None = None,
) -> Tensor: ...
@overload
def isin(
    *,
    element: Number,
    test_elements: Tensor,
    assume_unique: bool = False,
    invert: bool = False,
    out: Tensor | None = None,
) -> Tensor: ...
@overload
def isin(
    elements: Tensor,
    *,
    test_element: Number,
    assume_unique: bool = False,
    invert: bool = False,
    out: Tensor | None = None,
) -> Tensor: ...
@public(overloads=True)
def isin(
    elements: Tensor | Number | None = None,
    test_elements: Tensor | Number | None = None,
    *,
    element: Number | None = None,
    test_element: Number | None = None,
    assume_unique: bool = False,
    invert: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Whether each of `elements` is one of `test_elements`, or with `invert` whether it is none.

    The result is of bool, in the shape of `elements`. One of the two may be a number, which
    PyTorch names `element` or `test_element`. NaN is equal to none. `assume_unique` says that no element occurs twice; it changes no result. RuntimeError for
    bools.

    >>> tc.isin(tc.tensor([[1, 2], [3, 4]]), tc.tensor([2, 4]))
    tensor([[False,  True],
            [False,  True]])
    """
    elements = element if elements is None else elements
    test_elements = test_element if test_elements is None else test_elements
    isin.edge.wants_tensor(elements, test_elements)  # type: ignore[attr-defined]
    a, b = np.asarray(array_of(elements)), np.asarray(array_of(test_elements))
    if "b" in (a.dtype.kind, b.dtype.kind):
        raise RuntimeError("Unsupported input type encountered for isin(): bool")
    dtype = result_type(a, b)
    return wrap(np.isin(a.astype(dtype), b.astype(dtype), invert=invert))


# --- Runs -----------------------------------------------------------------------------------------


@public
def unique_consecutive(
    input: Tensor,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Tensor | tuple[Tensor, ...]:
    """The first of each run of equal elements, or of equal slices along `dim`.

    return_inverse: also the number of the run of each element, in the shape of input (a vector with
    `dim`). return_counts: also the length of each run. With either the result is a tuple. Each NaN
    is a run of its own. IndexError for an axis that input does not have.

    >>> tc.unique_consecutive(tc.tensor([1, 1, 2, 1]), return_counts=True)
    (tensor([1, 2, 1]), tensor([2, 1, 1]))
    """
    a = input._array
    slices = a.reshape(a.size, 1)
    if dim is not None:
        dim = axis("unique_consecutive", a.ndim, dim)
        if not a.ndim:
            raise IndexError("Dimension specified as 0 but tensor has no dimensions")
        if 0 in (*a.shape[:dim], *a.shape[dim + 1 :]):
            raise RuntimeError(
                "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied: "
                f"shape {a.shape}, dim {dim}"
            )
        slices = np.moveaxis(a, dim, 0).reshape(
            a.shape[dim], math.prod(a.shape) // max(a.shape[dim], 1)
        )
    first = np.ones(len(slices), bool)
    first[1:] = (slices[1:] != slices[:-1]).any(axis=1)
    run = np.cumsum(first) - 1
    starts = np.flatnonzero(first)
    y = a.ravel()[starts] if dim is None else np.take(a, starts, axis=dim)
    found = [y]
    if return_inverse:
        found.append(run if dim is not None else run.reshape(a.shape))
    if return_counts:
        found.append(np.diff(starts, append=len(slices)))
    tensors = tuple([wrap(np.asarray(x)) for x in found])
    return tensors if len(tensors) > 1 else tensors[0]
