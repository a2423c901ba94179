"""Reductions that leave NaN out.

`dim` is an axis, several, or None for all. The result has no such axes, or has them with size 1 if
`keepdim`. IndexError for an axis that does not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import ops
from ..engine import wrap
from ..types import DType, Ints
from .arguments import axes
from .public import public
from .reduction import converted, sum, summable

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["nanmean", "nansum"]


@public
def nansum(
    input: Tensor,
    dim: Ints | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Σ input over dim, with 0 for each NaN, whose gradient is 0.

    `dim` is an axis, several, or None for all; the result has no such axes, or has them with size 1 if
    `keepdim`. It has the dtype of input, or int64 for integers and bools; `dtype` converts input
    first. IndexError for an axis that input does not have.

    >>> tc.nansum(tc.tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    x = summable("nansum", input, dtype)
    if x._array.dtype.kind == "f":
        x = ops.keep(x, ~np.isnan(x._array))
    return sum(x, dim, keepdim, dtype=dtype)


@public
def nanmean(
    input: Tensor,
    dim: Ints | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """The mean over dim of the elements that are not NaN; NaN if there are none.

    `dim` is an axis, several, or None for all; the result has no such axes, or has them with size 1 if
    `keepdim`. `dtype` converts input first. IndexError for an axis that input does not have,
    RuntimeError for integers and bools.

    >>> tc.nanmean(tc.tensor([[1.0, float("nan")], [2.0, 4.0]]), dim=1)
    tensor([1., 3.])
    """
    a = input._array
    if a.dtype.kind != "f":
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {a.dtype}"
        )
    over = axes("nanmean", a.ndim, dim)
    count = np.sum(~np.isnan(a), axis=over, keepdims=keepdim)
    x = ops.keep(converted("nanmean", input, dtype), ~np.isnan(a))
    return ops.div(ops.sum(x, dim=over, keepdim=keepdim), wrap(np.asarray(count)))
