"""Reductions: sums, means, norms and truth, over some axes or over all elements.

`dim` is an axis, several, or None for all. It counts from 0, or from the end if negative. The result
has no such axes, or has them with size 1 if `keepdim`. IndexError for an axis that does not exist,
RuntimeError for one that is named twice.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import ops
from ..dtypes import dtype_of, shown
from ..engine import grad_mode, wrap
from ..engine.dtypes import FLOATING, get_default_dtype, int64, uint8
from ..types import DType, Ints, Number
from .arguments import axes, axis, kind_of
from .extremes import refuse_keepdim
from .public import public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "all", "any", "count_nonzero", "logsumexp", "mean", "norm", "prod", "std", "std_mean", "sum",
    "var", "var_mean",
]  # fmt: skip


def converted(name: str, x: Any, dtype: Any) -> Any:
    """`x` in `dtype`; itself if that is None."""
    return x if dtype is None else cast_for_gradient(name, x, dtype_of(name, dtype))


def cast_for_gradient(name: str, x: Any, dtype: np.dtype[Any]) -> Any:
    """`x` in `dtype`. RuntimeError for integers, if the result would have to require grad."""
    if dtype.kind not in FLOATING and x._node is not None and grad_mode.enabled:
        raise RuntimeError(
            f"{name}: Only Tensors of floating point dtype can require gradients, got dtype "
            f"{shown(dtype)}: "
            "detach() the input"
        )
    return ops.cast(x, dtype=dtype)


def summable(name: str, x: Any, dtype: Any) -> Any:
    """`x` in `dtype`. If that is None, in int64 where `x` is of integers or bools."""
    if dtype is None:
        kept = x._array.dtype
        return x if kept.kind in FLOATING or kept is int64 else ops.cast(x, dtype=int64)
    return cast_for_gradient(name, x, dtype_of(name, dtype))


def unwidened(y: Any, x: Any) -> Any:
    """`y`, made of `x` by NumPy, which widens bools and small integers, in the dtype of `x`."""
    dtype = x._array.dtype
    return y if y._array.dtype is dtype else ops.cast(y, dtype=dtype)


# --- Sums and products --------------------------------------------------------------------------


@public
def sum(
    input: Tensor,
    dim: Ints | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Σ input over dim; 0 for no elements.

    `dim` is an axis, several, or None for all; the result has no such axes, or has them with size 1
    if `keepdim`. It has the dtype of input, or int64 for integers and bools; `dtype` converts input
    first. IndexError for an axis that input does not have.

    >>> x = tc.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> tc.sum(x), tc.sum(x, 0), tc.sum(x, (0, 1), keepdim=True)
    (tensor(10.), tensor([4., 6.]), tensor([[10.]]))
    """
    input = summable("sum", input, dtype)
    y = ops.sum(input, dim=axes("sum", input._array.ndim, dim), keepdim=keepdim)
    return y if dtype is None else unwidened(y, input)


@public
def prod(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Π input over one axis, or over all elements; 1 for no elements.

    The result has no axis `dim`, or has it with size 1 if `keepdim`. It has the dtype of input, or
    int64 for integers and bools; `dtype` converts input first. The gradient is right where elements
    are 0, too. IndexError for an axis that input does not have, TypeError for keepdim without dim.

    >>> tc.prod(tc.tensor([[1, 2], [3, 4]]), 1)
    tensor([ 2, 12])
    """
    x = summable("prod", input, dtype)
    if dim is None:
        refuse_keepdim("prod", keepdim)
        return unwidened(ops.prod(x), x)
    dim = axis("prod", x._array.ndim, dim)
    return unwidened(ops.prod(x, dim=dim, keepdim=keepdim) if x._array.ndim else ops.prod(x), x)


@public
def logsumexp(
    input: Tensor, dim: Ints, keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """ln Σ exp(input) over dim, without overflow; −∞ for no elements.

    `dim` is an axis, several, or None for all; the result has no such axes, or has them with size 1
    if `keepdim`. Integers give the default dtype. IndexError for an axis that input does not have.

    >>> tc.logsumexp(tc.tensor([1000.0, 1000.0]), 0)
    tensor(1000.6932)
    """
    return ops.logsumexp(input, dim=axes("logsumexp", input._array.ndim, dim), keepdim=keepdim)


@public
def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: Ints | None = None,
    keepdim: bool = False,
    out: Tensor | None = None,
    dtype: DType | None = None,
) -> Tensor:
    """(Σ |x|ᵖ)^(1/p) over dim, of the elements x of input.

    `dim` is an axis, several, or None for all; the result has no such axes, or has them with size 1
    if `keepdim`. "fro" and 2 are the Euclidean norm, ∞ and −∞ the largest and the smallest |x|, and
    0 counts the elements that are not 0. `dtype` converts input first. IndexError for an axis that
    input does not have, RuntimeError for integers, NotImplementedError for "nuc".

    >>> tc.norm(tc.tensor([3.0, 4.0])), tc.norm(tc.tensor([3.0, -4.0]), p=1)
    (tensor(5.), tensor(7.))
    """
    if out is not None:  # positional; `public` handles the keyword
        return norm.edge.into(out, (input, p, dim, keepdim), {"dtype": dtype})  # type: ignore[attr-defined]
    if input._array.dtype.kind not in FLOATING:
        raise RuntimeError(f"norm: Expected a floating point dtype, got {input.dtype}")
    x = converted("norm", input, dtype)
    a = x._array
    over = axes("norm", a.ndim, dim)
    if p in ("fro", None):
        p = 2
    if not isinstance(p, (int, float)):
        raise NotImplementedError(f"norm: p must be a number or 'fro', got {p!r}")
    return p_norm("norm", x, p, over, keepdim)


def p_norm(name: str, x: Any, p: float, dim: Any, keepdim: bool) -> Any:
    """‖x‖ₚ over the axes dim, or over all if that is None: every p-norm goes through here.

    RuntimeError for a norm that no elements have: of ∞, −∞ and p < 0.
    """
    a = x._array
    if a.dtype.kind not in FLOATING:
        x = ops.cast(x, dtype=get_default_dtype())
    if not a.ndim:
        dim = None
    if p == 2:
        return ops.norm(x, dim=dim, keepdim=keepdim)
    if not a.size and (p < 0 or math.isinf(p)):
        over = range(a.ndim) if dim is None else dim
        for d in over:
            if not a.shape[d]:
                raise RuntimeError(
                    f"{name} cannot compute the {p} norm on the dimension {d} because this "
                    "dimension is empty and the operation does not have an identity"
                )
    if math.isinf(p):
        return (ops.amax if p > 0 else ops.amin)(ops.abs(x), dim=dim, keepdim=keepdim)
    if p == 1:
        return ops.sum(ops.abs(x), dim=dim, keepdim=keepdim)
    return ops.p_norm(x, p=float(p), dim=dim, keepdim=keepdim)


# --- Means and variances --------------------------------------------------------------------------


@public
def mean(
    input: Tensor,
    dim: Ints | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """The mean over dim; NaN for no elements.

    `dim` is an axis, several, or None for all; the result has no such axes, or has them with size 1
    if `keepdim`. `dtype` converts input first. IndexError for an axis that input does not have,
    RuntimeError for integers and bools.

    >>> tc.mean(tc.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
    tensor([1.5000, 3.5000])
    """
    if dtype is not None:
        input = ops.cast(input, dtype=dtype_of("mean", dtype))
    if input._array.dtype.kind not in FLOATING:
        raise RuntimeError(
            f"mean(): could not infer output dtype. Input dtype must be a floating point dtype, "
            f"got {input.dtype}"
        )
    return ops.mean(input, dim=axes("mean", input._array.ndim, dim), keepdim=keepdim)


def _spread(
    name: str, op: Any, input: Any, dim: Any, unbiased: Any, keepdim: bool, correction: Any
) -> Any:
    """`var` or `std`. The second positional argument may be `unbiased`."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if input._array.dtype.kind not in FLOATING:
        raise RuntimeError(
            f"{name}: std and var only support floating point dtypes, got {input.dtype}"
        )
    if correction is None:
        correction = int(unbiased)
    elif unbiased is not True:
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got unbiased="
            f"{kind_of(unbiased)} and correction={kind_of(correction)}: wanted one of them"
        )
    return op(input, dim=axes(name, input._array.ndim, dim), correction=correction, keepdim=keepdim)


@public(overloads=True)
def var(
    input: Tensor,
    dim: Ints | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """The variance over dim: the sum of squared distances from the mean, over n − correction.

    The correction is 1 by default, and 0 if not unbiased. `unbiased` may stand in the place of dim.
    NaN for no more elements than the correction. `dim` is an axis, several, or None for all; the
    result has no such axes, or has them with size 1 if `keepdim`. IndexError for an axis that input
    does not have, RuntimeError for integers and bools.

    >>> x = tc.tensor([1.0, 3.0])
    >>> tc.var(x), tc.var(x, correction=0), tc.var(x, unbiased=False)
    (tensor(2.), tensor(1.), tensor(1.))
    """
    return _spread("var", ops.var, input, dim, unbiased, keepdim, correction)


@public(overloads=True)
def std(
    input: Tensor,
    dim: Ints | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """The square root of `var`, with the same arguments. Where it is 0, its gradient is 0.

    `dim` is an axis, several, or None for all; the result has no such axes, or has them with size 1
    if `keepdim`. IndexError for an axis that input does not have, RuntimeError for integers and
    bools.

    >>> tc.std(tc.tensor([[0.0, 2.0], [4.0, 4.0]]), dim=1, correction=0)
    tensor([1., 0.])
    """
    return _spread("std", ops.std, input, dim, unbiased, keepdim, correction)


@public(overloads=True)
def var_mean(
    input: Tensor,
    dim: Ints | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
) -> tuple[Tensor, Tensor]:
    """The variance over dim, and the mean: a tuple of two. The arguments are those of `var`.

    `dim` is an axis, several, or None for all; the result has no such axes, or has them with size 1
    if `keepdim`. RuntimeError for integers and bools.

    >>> tc.var_mean(tc.tensor([1.0, 3.0]))
    (tensor(2.), tensor(2.))
    """
    spread = _spread("var_mean", ops.var, input, dim, unbiased, keepdim, correction)
    return spread, mean(input, None if isinstance(dim, bool) else dim, keepdim)


@public(overloads=True)
def std_mean(
    input: Tensor,
    dim: Ints | None = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: Number | None = None,
) -> tuple[Tensor, Tensor]:
    """The square root of the variance over dim, and the mean: a tuple of two. See `var`.

    `dim` is an axis, several, or None for all; the result has no such axes, or has them with size 1
    if `keepdim`. RuntimeError for integers and bools.

    >>> tc.std_mean(tc.tensor([1.0, 3.0]), correction=0)
    (tensor(1.), tensor(2.))
    """
    spread = _spread("std_mean", ops.std, input, dim, unbiased, keepdim, correction)
    return spread, mean(input, None if isinstance(dim, bool) else dim, keepdim)


# --- Truth --------------------------------------------------------------------------------------


def _truth(name: str, function: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    a = input._array
    if isinstance(dim, (tuple, list)) and not dim:  # PyTorch reduces nothing then
        y = a != 0
    else:
        y = function(a, axis=axes(name, a.ndim, dim), keepdims=keepdim)
    return wrap(y.astype(uint8) if a.dtype == uint8 else y)


@public(overloads=True)
def all(
    input: Tensor, dim: Ints | None = None, keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Whether all elements over dim are nonzero: a Tensor of bool, or of uint8 for uint8.

    `dim` is an axis, several, or None for all; the result has no such axes, or has them with size 1
    if `keepdim`. An empty sequence of axes reduces nothing. IndexError for an axis that input does
    not have.

    >>> tc.all(tc.tensor([[1, 0], [2, 3]]), dim=1)
    tensor([False,  True])
    """
    return _truth("all", np.all, input, dim, keepdim)


@public(overloads=True)
def any(
    input: Tensor, dim: Ints | None = None, keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """Whether at least one element over dim is nonzero: a Tensor of bool, or of uint8 for uint8.

    `dim` is an axis, several, or None for all; the result has no such axes, or has them with size 1
    if `keepdim`. An empty sequence of axes reduces nothing. IndexError for an axis that input does
    not have.

    >>> tc.any(tc.tensor([[0, 0], [2, 0]]), dim=1)
    tensor([False,  True])
    """
    return _truth("any", np.any, input, dim, keepdim)


@public(overloads=True)
def count_nonzero(input: Tensor, dim: Ints | None = None) -> Tensor:
    """The number of elements over dim that are not 0, as int64.

    `dim` is an axis, several, or None for all; the result has no such axes. IndexError for an axis
    that input does not have.

    >>> tc.count_nonzero(tc.tensor([[1, 0], [2, 3]]), dim=1)
    tensor([1, 2])
    """
    a = input._array
    return wrap(np.count_nonzero(a, axis=axes("count_nonzero", a.ndim, dim)))
