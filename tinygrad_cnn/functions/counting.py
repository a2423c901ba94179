"""Counting: how often integers occur, and histograms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..dtypes import shown
from ..engine import wrap
from ..engine.dtypes import FLOATING, float32, int64
from ..types import Number
from .arguments import array_of, integer
from .public import public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["bincount", "histc"]


@public
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each integer from 0 occurs in a vector; or the sum of the weights at its places.

    `weights` has the shape of input. The result is a vector of `minlength` elements at least: of
    int64, of float32 for such weights, and of float64 for others. RuntimeError for negative integers
    and for another shape, NotImplementedError for floating point.

    >>> tc.bincount(tc.tensor([0, 2, 2])), tc.bincount(tc.tensor([0]), tc.tensor([0.5]), minlength=2)
    (tensor([1, 0, 2]), tensor([0.5000, 0.0000]))
    """
    a = input._array
    if a.dtype.kind in FLOATING:
        raise NotImplementedError(f"bincount is not implemented for {shown(a.dtype)}")
    if a.dtype.kind == "b":
        raise NotImplementedError(f"bincount is not implemented for {shown(a.dtype)}")
    if a.ndim == 1 and not a.size:
        return wrap(np.zeros(integer("bincount", "minlength", minlength), int64))
    if a.ndim != 1 or a.min() < 0:
        raise RuntimeError(
            f"bincount only supports 1-d non-negative integral inputs, got {shown(a.dtype)} {a.shape}"
        )
    if weights is not None and weights._array.shape != a.shape:
        raise RuntimeError("bincount: weights should be 1-d and have the same length as input")
    counts = np.bincount(a, array_of(weights), integer("bincount", "minlength", minlength))
    if weights is not None and weights._array.dtype == float32:
        counts = counts.astype(float32)
    return wrap(counts)


@public
def histc(
    input: Tensor, bins: int = 100, min: Number = 0, max: Number = 0, *, out: Tensor | None = None
) -> Tensor:
    """How many elements are in each of `bins` intervals of equal width from min to max.

    Both ends belong to the range; elements outside of it do not count. If min = max, the range is
    that of the elements. The result is a vector of the dtype of input. RuntimeError for min > max
    and for a range that is not finite, NotImplementedError for integers.

    >>> tc.histc(tc.tensor([0.0, 1.0, 1.0, 3.0]), bins=3)
    tensor([1., 2., 1.])
    """
    a = input._array
    if a.dtype.kind not in FLOATING:
        raise NotImplementedError(f"histc is not implemented for {shown(a.dtype)}")
    if min == max and a.size:
        min, max = float(a.min()), float(a.max())
    if min == max:
        min, max = min - 1, max + 1
    if min > max:
        raise RuntimeError(f"histc: max must be larger than min, got {min} and {max}")
    if not np.isfinite((min, max)).all():
        raise RuntimeError(f"histc: range of [{min}, {max}] is not finite")
    bins = integer("histc", "bins", bins)
    inside = a[(a >= min) & (a <= max)]
    place = np.minimum((inside - min) * bins / (max - min), bins - 1).astype(np.intp)
    return wrap(np.bincount(place, minlength=bins).astype(a.dtype))
