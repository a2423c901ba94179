"""Reductions over `dim`: an axis, several, or None for all; and running sums and products."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import ops
from ..engine import Recorded, wrap
from ..engine.dtypes import float32, int64
from .arguments import array_of, axes, axis, results
from .binary import pow
from .unary import abs

__all__ = [
    "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "bincount", "count_nonzero",
    "cumprod", "cumsum", "histc", "log_softmax", "logsumexp", "max", "mean", "median", "min",
    "norm", "prod", "softmax", "std", "std_mean", "sum", "var", "var_mean",
]  # fmt: skip

MaxResult, MinResult = results("max", "values", "indices"), results("min", "values", "indices")
MedianResult, AminmaxResult = (
    results("median", "values", "indices"),
    results("aminmax", "min", "max"),
)


def _given(dim: Any, keepdim: bool, axis: Any, keepdims: bool | None) -> tuple[Any, bool]:
    """PyTorch's argument names, or NumPy's."""
    return dim if axis is None else axis, keepdim if keepdims is None else keepdims


def _summable(input: Any, dtype: Any) -> Any:
    """In `dtype`; without one, bools and integers as int64."""
    a = input._array
    if dtype is None:
        if a.dtype.kind == "f" or a.dtype is int64:
            return input
        dtype = int64
    return ops.cast(input, dtype=np.dtype(dtype))


def sum(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None,
    keepdims: bool | None = None,
) -> Any:  # fmt: skip
    """Σ input over dim: an axis, several, or None for all.

    >>> import tinygrad_cnn as tc
    >>> tc.tensor([[1.0, 2.0], [3.0, 4.0]]).sum(0)
    tensor([4., 6.])
    """
    dim, keepdim = _given(dim, keepdim, axis, keepdims)
    input = _summable(input, dtype)
    return ops.sum(input, dim=axes("sum", input._array.ndim, dim), keepdim=keepdim)


def mean(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None,
    keepdims: bool | None = None,
) -> Any:  # fmt: skip
    """The mean over dim; NaN of nothing. Floating point only."""
    dim, keepdim = _given(dim, keepdim, axis, keepdims)
    if dtype is not None:
        input = ops.cast(input, dtype=np.dtype(dtype))
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            f"mean(): could not infer output dtype. Input dtype must be a floating point dtype, "
            f"got {input._array.dtype}"
        )
    return ops.mean(input, dim=axes("mean", input._array.ndim, dim), keepdim=keepdim)


def _spread(name: str, op: Any, doc: str) -> Any:
    def reduce(
        input: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *,
        correction: int | None = None,
    ) -> Any:  # fmt: skip
        if isinstance(dim, bool):  # var(unbiased)
            dim, unbiased = None, dim
        if input._array.dtype.kind != "f":
            raise RuntimeError(
                f"{name}: std and var only support floating point dtypes, got {input._array.dtype}"
            )
        correction = int(unbiased) if correction is None else correction
        dim = axes(name, input._array.ndim, dim)
        return op(input, dim=dim, correction=correction, keepdim=keepdim)

    reduce.__name__, reduce.__doc__ = name, doc
    return reduce


var = _spread(
    "var", ops.var,
    "The variance over dim, divided by n − correction (1 unless told, or 0 if not unbiased).",
)  # fmt: skip
std = _spread("std", ops.std, "The square root of `var`; where it is 0, so is its gradient.")


def _with_mean(name: str, of: Any) -> Any:
    def both(
        input: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *,
        correction: int | None = None,
    ) -> Any:  # fmt: skip
        spread = of(input, dim, unbiased, keepdim, correction=correction)
        return spread, mean(input, None if isinstance(dim, bool) else dim, keepdim)

    both.__name__, both.__doc__ = name, f"`{name[:3]}` over dim, and the mean."
    return both


var_mean, std_mean = _with_mean("var_mean", var), _with_mean("std_mean", std)


def norm(
    input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """(Σ |x|ᵖ)^(1/p) over dim: "fro" and 2 are Euclid's, ±∞ the extreme |x|, 0 counts the others.

    >>> import tinygrad_cnn as tc
    >>> tc.tensor([3.0, 4.0]).norm(), tc.tensor([3.0, -4.0]).norm(p=1)
    (tensor(5.), tensor(7.))
    """
    x = input if dtype is None else ops.cast(input, dtype=np.dtype(dtype))
    a = x._array
    if a.dtype.kind != "f":
        raise RuntimeError(f"norm: Expected a floating point dtype, got {a.dtype}")
    dim = axes("norm", a.ndim, dim)
    how = {"dim": dim, "keepdim": keepdim}
    if p in ("fro", 2, None):
        return ops.norm(x, **how)
    if not isinstance(p, (int, float)):
        raise NotImplementedError(f"norm: p must be a number or 'fro', got {p!r}")
    if p == 0:
        return ops.sum(ops.cast(wrap(a != 0), dtype=a.dtype), **how)
    if math.isinf(p):
        return (amax if p > 0 else amin)(abs(x), dim=dim, keepdim=keepdim)
    if p == 1:
        return ops.sum(abs(x), **how)
    return pow(ops.sum(pow(abs(x), float(p)), **how), 1.0 / p)


# --- Extremes -----------------------------------------------------------------------------------


def _not_empty(
    name: str, shape: tuple[int, ...], dims: tuple[int, ...], error: Any = RuntimeError
) -> None:
    """Refuse to choose among no elements, along `dims` or, where there are none, in all."""
    if math.prod(shape):
        return
    if not dims:
        raise error(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0, shape {shape}"
        )
    if shape and 0 in [shape[d] for d in dims]:
        raise IndexError(f"{name}(): Expected reduction dim to have non-zero size, shape {shape}")


def _extreme(name: str, whole: Any, along: Any, pairwise: Any, result: Any) -> Any:
    def extreme(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if isinstance(dim, Recorded):
            return pairwise(input, dim)
        dim = None if dim is None else axis(name, input._array.ndim, dim)
        _not_empty(name, input._array.shape, () if dim is None else (dim,))
        if dim is None:
            return whole(input)
        if not input._array.ndim:
            return result(ops.clone(input), wrap(np.zeros((), int64)))
        return result(*along(input, dim=dim, keepdim=keepdim))

    extreme.__name__ = name
    extreme.__doc__ = f"""The {name} of all (ties share the gradient evenly); with dim a pair of values and
    indices (the first of ties takes it all); with a Tensor in dim's place the elementwise one."""
    return extreme


max = _extreme("max", ops.amax, ops.max_along, ops.maximum, MaxResult)
min = _extreme("min", ops.amin, ops.min_along, ops.minimum, MinResult)


def _evenly(name: str, op: Any) -> Any:
    def reduce(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        dim = axes(name, input._array.ndim, dim)
        _not_empty(name, input._array.shape, dim or ())
        return op(input, dim=dim, keepdim=keepdim)

    reduce.__name__ = name
    reduce.__doc__ = f"The {name[1:]} over dim; tied elements share the gradient evenly."
    return reduce


amax, amin = _evenly("amax", ops.amax), _evenly("amin", ops.amin)


def aminmax(input: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """The minimum and the maximum, over dim or of all."""
    return AminmaxResult(amin(input, dim, keepdim), amax(input, dim, keepdim))


def _position(name: str, function: Any) -> Any:
    def position(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        a = input._array
        if dim is not None:
            dim = axis(name, a.ndim, dim)
        _not_empty(name, a.shape, () if dim is None else (dim,), IndexError)
        return wrap(function(a, axis=dim if a.ndim else None, keepdims=keepdim))

    position.__name__ = name
    position.__doc__ = f"The index of the first {name[3:]} over dim, or in all of it, flattened."
    return position


argmax, argmin = _position("argmax", np.argmax), _position("argmin", np.argmin)


def median(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The lower median of all (ties share the gradient evenly); with dim a pair of values and indices. A NaN among them wins."""
    a = input._array
    if dim is None:
        if not a.size:
            return wrap(np.full((), np.nan, a.dtype))
        value = a.ravel()[_middle(a.ravel(), 0)]
        equal = np.isnan(a) if np.isnan(value).any() else a == value
        return ops.amax(
            ops.getitem(input, index=(np.asarray(equal),))
        )  # they share the gradient evenly
    dim = axis("median", a.ndim, dim)
    _not_empty("median", a.shape, (dim,))
    if not a.ndim:
        return MedianResult(ops.clone(input), wrap(np.zeros((), int64)))
    index = _middle(a, dim)
    values = ops.gather(input, index, dim=dim)
    if not keepdim:
        values, index = ops.getitem(values, index=_first(dim)), index[_first(dim)]
    return MedianResult(values, wrap(index))


def _first(dim: int) -> tuple[Any, ...]:
    return (slice(None),) * dim + (0, ...)


def _middle(a: np.ndarray, dim: int) -> np.ndarray:
    """The place of the lower median along dim, or of the first NaN; that axis is kept, of length 1."""
    order = np.argsort(a, axis=dim, kind="stable")
    middle = np.take(order, [(a.shape[dim] - 1) // 2], axis=dim)
    bad = np.isnan(a)
    if not bad.any():
        return middle
    return np.where(bad.any(axis=dim, keepdims=True), bad.argmax(axis=dim, keepdims=True), middle)


# --- Counting -----------------------------------------------------------------------------------


def _all_or_any(name: str, function: Any) -> Any:
    def reduce(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        dim = axes(name, input._array.ndim, dim)
        return wrap(function(input._array, axis=dim, keepdims=keepdim))

    reduce.__name__ = name
    reduce.__doc__ = f"Whether {name} of the elements are true."
    return reduce


all, any = _all_or_any("all", np.all), _all_or_any("any", np.any)


def count_nonzero(input: Any, dim: Any = None) -> Any:
    """How many elements are not 0, over dim."""
    return wrap(np.count_nonzero(input._array, axis=axes("count_nonzero", input._array.ndim, dim)))


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each integer from 0 occurs in a vector; with weights, the sum of them."""
    a = input._array
    if a.dtype.kind == "f":
        raise NotImplementedError(f"bincount is not implemented for {a.dtype}")
    if a.ndim != 1 or a.dtype.kind == "b" or (a.size and a.min() < 0):
        raise RuntimeError(
            f"bincount only supports 1-d non-negative integral inputs, got {a.dtype} {a.shape}"
        )
    if weights is not None and weights._array.shape != a.shape:
        raise RuntimeError("bincount: weights should be 1-d and have the same length as input")
    counts = np.bincount(a, array_of(weights), minlength)
    if weights is not None and weights._array.dtype == float32:
        counts = counts.astype(float32)
    return wrap(counts)


def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements lie in each of `bins` intervals of one width from min to max, both included.

    Where min = max the range is that of the elements.
    """
    a = input._array
    if a.dtype.kind != "f":
        raise NotImplementedError(f"histc is not implemented for {a.dtype}")
    if min == max and a.size:
        min, max = float(a.min()), float(a.max())
    if min == max:
        min, max = min - 1, max + 1
    if min > max:
        raise RuntimeError(f"histc: max must be larger than min, got {min} and {max}")
    return wrap(np.histogram(a, bins, (min, max))[0].astype(a.dtype))


# --- Softmax ------------------------------------------------------------------------------------


def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """ln Σ exp(input) over dim, without overflow."""
    return ops.logsumexp(input, dim=axes("logsumexp", input._array.ndim, dim), keepdim=keepdim)


def softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """exp(input) / Σ exp(input) over dim."""
    x = input if dtype is None else ops.cast(input, dtype=np.dtype(dtype))
    return ops.softmax(x, dim=axis("softmax", x._array.ndim, dim))


def log_softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """The logarithm of softmax, computed without it."""
    x = input if dtype is None else ops.cast(input, dtype=np.dtype(dtype))
    return ops.log_softmax(x, dim=axis("log_softmax", x._array.ndim, dim))


# --- Products and scans -------------------------------------------------------------------------


def prod(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Π input over the axis dim, or of all; the gradient is right where elements are 0, too.

    >>> import tinygrad_cnn as tc
    >>> tc.tensor([[1, 2], [3, 4]]).prod(1)
    tensor([ 2, 12])
    """
    x = _summable(input, dtype)
    if dim is None or not x._array.ndim:
        axis("prod", 0, dim or 0)
        return ops.prod(x)
    return ops.prod(x, dim=axis("prod", x._array.ndim, dim), keepdim=keepdim)


def _running(name: str, op: Any, doc: str) -> Any:
    def scan(input: Any, dim: int, *, dtype: Any = None) -> Any:
        x = _summable(input, dtype)
        dim = axis(name, x._array.ndim, dim)
        return op(x, dim=dim) if x._array.ndim else ops.clone(x)

    scan.__name__, scan.__doc__ = name, doc
    return scan


cumsum = _running("cumsum", ops.cumsum, "Along dim, each element and all before it, added up.")
cumprod = _running("cumprod", ops.cumprod, "Along dim, each element and all before it, multiplied.")
