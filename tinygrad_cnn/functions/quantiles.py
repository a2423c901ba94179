"""Order statistics: quantiles, the k-th smallest element, and the most frequent one.

`dim` counts from 0, or from the end if negative. NaN counts as the largest element. IndexError for an
axis that does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import ops
from ..engine import Recorded, wrap
from ..engine.dtypes import int64
from .arguments import axis, integer
from .binary import lerp
from .public import public
from .results import KthvalueResult, ModeResult

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["kthvalue", "mode", "nanquantile", "quantile"]

INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


# --- Quantiles ------------------------------------------------------------------------------------


@public(overloads=True)
def quantile(
    input: Tensor,
    q: Tensor | float,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """The q-quantiles along dim, or of all elements: the values below which the part q lies.

    q: a number in [0, 1], or a vector of them, of the dtype of input; then the first axis of the result
    is that of q. Of the n elements in order, counted from 0, the quantile is the one at q (n − 1).
    Between two elements `interpolation` decides: "linear", "lower", "higher", "midpoint" or "nearest".
    NaN if an element is NaN.

    The result has no axis `dim`, or has it with size 1 if `keepdim`. RuntimeError for a dtype other
    than float32 and float64, for no elements, and for q outside [0, 1].

    >>> x = tc.tensor([[4.0, 1.0, 2.0], [3.0, 9.0, 7.0]])
    >>> tc.quantile(x, 0.5, dim=1), tc.quantile(x, tc.tensor([0.0, 0.25]))
    (tensor([2., 7.]), tensor([1.0000, 2.2500]))
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation)


@public(overloads=True)
def nanquantile(
    input: Tensor,
    q: Tensor | float,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """`quantile` of the elements that are not NaN; NaN if all are. The arguments are the same.

    >>> tc.nanquantile(tc.tensor([float("nan"), 1.0, 3.0]), 0.5)
    tensor(2.)
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation)


def _quantile(name: str, x: Any, q: Any, dim: Any, keepdim: bool, interpolation: str) -> Any:
    a = x._array
    if a.dtype.kind != "f" or a.itemsize < 4:
        raise RuntimeError(
            f"{name}() input tensor must be either float or double dtype, got {a.dtype}"
        )
    q = _part(name, q, a.dtype)
    if interpolation not in INTERPOLATIONS:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but "
            f"got {interpolation}"
        )
    if dim is not None:
        dim = axis(name, a.ndim, dim)
    if not a.size:
        raise RuntimeError(f"{name}() input tensor must be non-empty, got shape {a.shape}")
    ones = tuple([1 if dim is None or k == dim else n for k, n in enumerate(a.shape)])
    if dim is None or not a.ndim:
        x = ops.reshape(x, shape=(-1,))
    else:
        x = ops.permute(x, dims=(*[k for k in range(a.ndim) if k != dim], dim))
    y = _at_ranks(x, q, name == "nanquantile", interpolation)  # (q, *other axes)
    rest = ones if keepdim else tuple([n for k, n in enumerate(a.shape) if dim not in (None, k)])
    return ops.reshape(y, shape=(*q._array.shape, *rest))


def _part(name: str, q: Any, dtype: np.dtype[Any]) -> Any:
    """q as a Tensor of `dtype`, checked to be in [0, 1]."""
    if not isinstance(q, Recorded):
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
        return wrap(np.asarray(q, dtype))
    parts = q._array
    if parts.ndim > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor, got shape {parts.shape}")
    if parts.dtype != dtype:
        raise RuntimeError(
            f"{name}() q tensor must be same dtype as the input tensor, got {parts.dtype} and {dtype}"
        )
    if not ((parts >= 0) & (parts <= 1)).all():
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    return q


def _at_ranks(x: Any, q: Any, ignoring_nan: bool, interpolation: str) -> Any:
    """The quantiles along the last axis of `x`, for each of the vector or number q: (q, *other axes)."""
    a = x._array
    order = np.argsort(a, axis=-1, kind="stable")
    nan = np.isnan(a)
    last = a.shape[-1] - 1
    scale: Any = np.full(a.shape[:-1], last, a.dtype)
    if ignoring_nan:
        scale = np.maximum(scale - nan.sum(-1, dtype=a.dtype), 0)
    q = ops.reshape(q, shape=(-1,) + (1,) * (a.ndim - 1))
    ranks = ops.mul(q, wrap(scale))
    if not ignoring_nan:
        ranks = ops.where(nan.any(-1), wrap(np.asarray(last, a.dtype)), ranks)
    r = ranks._array
    rounding = {"higher": np.ceil, "nearest": np.rint}
    below = rounding.get(interpolation, np.floor)(r).astype(int64)
    lower = _taken(x, order, below)
    if interpolation not in ("linear", "midpoint"):
        return lower
    upper = _taken(x, order, np.ceil(r).astype(int64))
    half = np.full_like(r, 0.5)
    weight = wrap(half) if interpolation == "midpoint" else ops.sub(ranks, wrap(np.floor(r)))
    return lerp(lower, upper, weight)


def _taken(x: Any, order: np.ndarray, ranks: np.ndarray) -> Any:
    """The elements of these ranks (q, *other axes) along the last axis of `x`: of the same shape."""
    places = np.moveaxis(ranks, 0, -1)  # (*other axes, q)
    y = ops.gather(x, np.take_along_axis(order, places, -1), dim=order.ndim - 1)
    return ops.permute(y, dims=(order.ndim - 1, *range(order.ndim - 1)))


# --- One element along an axis --------------------------------------------------------------------


@public
def kthvalue(
    input: Tensor,
    k: int,
    dim: int = -1,
    keepdim: bool = False,
    *,
    out: Sequence[Tensor] | None = None,
) -> KthvalueResult:
    """The k-th smallest element along dim, with k from 1, and its index: `values` and `indices`.

    The indices are int64; of equal elements, the ones in front count as smaller. The result has no
    axis `dim`, or has it with size 1 if `keepdim`. RuntimeError for a k that is not from 1 to the size
    of the axis, IndexError for an axis without elements, NotImplementedError for bool.

    >>> tc.kthvalue(tc.tensor([[4.0, 1.0, 2.0], [3.0, 9.0, 7.0]]), 2)
    torch.return_types.kthvalue(
    values=tensor([2., 7.]),
    indices=tensor([2, 2]))
    """
    a, k = input._array, integer("kthvalue", "k", k)
    dim = _axis_with_elements("kthvalue", a, dim)
    if a.dtype.kind == "b":
        raise NotImplementedError('"kthvalue_cpu" not implemented for bool')
    if not 1 <= k <= (a.shape[dim] if a.ndim else 1):
        raise RuntimeError(
            f"kthvalue(): selected number k out of range for dimension {dim}: {k}, shape {a.shape}"
        )
    order = np.argsort(a, axis=dim, kind="stable") if a.ndim else np.zeros((), int64)
    index = np.take(order, [k - 1], axis=dim) if a.ndim else order
    return KthvalueResult(*_selected(input, dim, index, keepdim))


@public
def mode(
    input: Tensor, dim: int = -1, keepdim: bool = False, *, out: Sequence[Tensor] | None = None
) -> ModeResult:
    """The most frequent value along dim, and the index of its last place: `values` and `indices`.

    Of values that are equally frequent it is the smallest. Each NaN is a value of its own. The result
    has no axis `dim`, or has it with size 1 if `keepdim`. IndexError for an axis without elements.

    >>> tc.mode(tc.tensor([3, 1, 3, 2, 1]))
    torch.return_types.mode(
    values=tensor(1),
    indices=tensor(4))
    """
    a = input._array
    dim = _axis_with_elements("mode", a, dim)
    if not a.ndim:
        return ModeResult(*_selected(input, dim, np.zeros((), int64), keepdim))
    rows = np.moveaxis(a, dim, -1)
    order = np.argsort(rows, axis=-1, kind="stable")
    sorted_ = np.take_along_axis(rows, order, -1)
    n = sorted_.shape[-1]
    first = np.ones(sorted_.shape, bool)  # of each run of equal elements
    first[..., 1:] = sorted_[..., 1:] != sorted_[..., :-1]
    start = np.maximum.accumulate(np.where(first, np.arange(n), 0), axis=-1)
    end = (np.arange(n) - start).argmax(-1)  # of the first of the longest runs
    index = np.take_along_axis(order, end[..., None], -1)
    return ModeResult(*_selected(input, dim, np.moveaxis(index, -1, dim), keepdim))


def _axis_with_elements(name: str, a: np.ndarray, dim: int) -> int:
    """`dim` counted from 0. IndexError for one without elements."""
    dim = axis(name, a.ndim, dim)
    if a.ndim and not a.shape[dim]:
        raise IndexError(
            f"{name}(): Expected reduction dim {dim} to have non-zero size, shape {a.shape}"
        )
    return dim


def _selected(x: Any, dim: int, index: np.ndarray, keepdim: bool) -> tuple[Any, Any]:
    """The elements of `x` at an index with size 1 along `dim`, and the index."""
    if not index.ndim:
        return ops.clone(x), wrap(index)
    index = np.ascontiguousarray(index)
    values = ops.gather(x, index, dim=dim)
    if keepdim:
        return values, wrap(index)
    first: Any = (slice(None),) * dim + (0, ...)
    return ops.getitem(values, index=first), wrap(index[first])
