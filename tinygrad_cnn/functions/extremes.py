"""Extremes: the largest, the smallest and the middle of some elements, and their positions.

`dim` is an axis, from 0 or negative from the end, or None for all elements. The result has no such
axis, or has it with size 1 if `keepdim`. NaN counts as both the largest and the smallest. IndexError
for an axis that does not exist or has no elements, RuntimeError for no elements at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from .. import ops
from ..engine import Recorded, wrap
from ..engine.dtypes import int64
from ..types import Ints
from .arguments import axes, axis, constant, kind_of
from .public import public
from .results import AminmaxResult, MaxResult, MedianResult, MinResult

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["amax", "amin", "aminmax", "argmax", "argmin", "max", "median", "min"]


def _refuse_empty(
    name: str, shape: tuple[int, ...], dims: tuple[int, ...], error: Any = RuntimeError
) -> None:
    """Refuse to choose among no elements, along `dims` or, if there are none, among all."""
    if not dims:
        raise error(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0, shape {shape}"
        )
    if shape and 0 in [shape[d] for d in dims]:
        raise IndexError(f"{name}(): Expected reduction dim to have non-zero size, shape {shape}")


def refuse_keepdim(name: str, keepdim: Any) -> None:
    """TypeError for keepdim where no dim is given, if the result then has no axes at all."""
    if keepdim:
        raise TypeError(f'{name}() missing 1 required positional arguments: "dim", with keepdim')


def _extreme(
    name: str,
    of_all: Callable[..., Any],
    along: Callable[..., Any],
    of_two: Callable[..., Any],
    result: Any,
    arguments: tuple[Any, ...],
) -> Any:
    """`max` or `min`: of all elements, along an axis, or of two Tensors."""
    input, dim, keepdim, other = arguments
    if other is not None or isinstance(dim, Recorded):
        if keepdim or (other is not None and dim is not None):
            raise TypeError(
                f"{name}() received an invalid combination of arguments - got ({kind_of(input)}, "
                f"dim={kind_of(dim)}, keepdim={keepdim}, other={kind_of(other)}): wanted dim and "
                "keepdim, or other"
            )
        return of_two(input, dim if other is None else other)
    a = input._array
    if dim is None:
        refuse_keepdim(name, keepdim)
        if not a.size:
            _refuse_empty(name, a.shape, ())
        return of_all(input)
    dim = axis(name, a.ndim, dim)
    if not a.size:
        _refuse_empty(name, a.shape, (dim,))
    if not a.ndim:
        return result(ops.clone(input), wrap(np.zeros((), int64)))
    return result(*along(input, dim=dim, keepdim=keepdim))


@overload
def max(input: Tensor, *, out: Tensor | None = None) -> Tensor: ...
@overload
def max(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor: ...
@overload
def max(
    input: Tensor, dim: int, keepdim: bool = False, *, out: Sequence[Tensor] | None = None
) -> MaxResult: ...
@public  # type: ignore[misc]
def max(  # `public` also takes `other` as a positional argument
    input: Tensor,
    dim: int | Tensor | None = None,
    keepdim: bool = False,
    *,
    other: Tensor | None = None,
    out: Tensor | Sequence[Tensor] | None = None,
) -> Any:
    """The maximum: of all elements; along `dim`, with its index; or of two Tensors, elementwise.

    Equal maxima of all elements share the gradient evenly. Along `dim` the result is a pair of
    `values` and `indices` (int64), and the first of equal maxima takes the gradient. A Tensor in
    the place of `dim`, or as `other`, makes it `maximum`. The result is NaN if an element is.

    The result has no axis `dim`, or has it with size 1 if `keepdim`. IndexError for an axis that
    input does not have, RuntimeError for no elements.

    >>> x = tc.tensor([[1.0, 5.0], [3.0, 2.0]])
    >>> tc.max(x), tc.max(x, 1).indices, tc.max(x, tc.tensor(2.0))
    (tensor(5.), tensor([1, 0]), tensor([[2., 5.], [3., 2.]]))
    """
    arguments = (input, dim, keepdim, other)
    return _extreme("max", ops.amax, ops.max_along, ops.maximum, MaxResult, arguments)


@overload
def min(input: Tensor, *, out: Tensor | None = None) -> Tensor: ...
@overload
def min(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor: ...
@overload
def min(
    input: Tensor, dim: int, keepdim: bool = False, *, out: Sequence[Tensor] | None = None
) -> MinResult: ...
@public  # type: ignore[misc]
def min(
    input: Tensor,
    dim: int | Tensor | None = None,
    keepdim: bool = False,
    *,
    other: Tensor | None = None,
    out: Tensor | Sequence[Tensor] | None = None,
) -> Any:
    """The minimum: of all elements; along `dim`, with its index; or of two Tensors, elementwise.

    Equal minima of all elements share the gradient evenly. Along `dim` the result is a pair of
    `values` and `indices` (int64), and the first of equal minima takes the gradient. A Tensor in
    the place of `dim`, or as `other`, makes it `minimum`. The result is NaN if an element is.

    The result has no axis `dim`, or has it with size 1 if `keepdim`. IndexError for an axis that
    input does not have, RuntimeError for no elements.

    >>> tc.min(tc.tensor([[1.0, 5.0], [3.0, 2.0]]), dim=1).values
    tensor([1., 2.])
    """
    arguments = (input, dim, keepdim, other)
    return _extreme("min", ops.amin, ops.min_along, ops.minimum, MinResult, arguments)


@public
def amax(
    input: Tensor, dim: Ints = (), keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """The maximum over one axis, several, or all by default; NaN if an element is NaN.

    Equal maxima share the gradient evenly. The result has no axes `dim`, or has them with size 1 if
    `keepdim`. IndexError for an axis that input does not have, RuntimeError for no elements.

    >>> tc.amax(tc.tensor([[1.0, 5.0], [3.0, 2.0]]), dim=0)
    tensor([3., 5.])
    """
    over = axes("amax", input._array.ndim, dim)
    if not input._array.size:
        _refuse_empty("amax", input._array.shape, over or ())
    return ops.amax(input, dim=over, keepdim=keepdim)


@public
def amin(
    input: Tensor, dim: Ints = (), keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """The minimum over one axis, several, or all by default; NaN if an element is NaN.

    Equal minima share the gradient evenly. The result has no axes `dim`, or has them with size 1 if
    `keepdim`. IndexError for an axis that input does not have, RuntimeError for no elements.

    >>> tc.amin(tc.tensor([[1.0, 5.0], [3.0, 2.0]]), dim=0)
    tensor([1., 2.])
    """
    over = axes("amin", input._array.ndim, dim)
    if not input._array.size:
        _refuse_empty("amin", input._array.shape, over or ())
    return ops.amin(input, dim=over, keepdim=keepdim)


max.edge.numpys, min.edge.numpys = amax, amin  # type: ignore[attr-defined]  # np.max(x, axis=0)


@public
def aminmax(
    input: Tensor,
    *,
    dim: int | None = None,
    keepdim: bool = False,
    out: Sequence[Tensor] | None = None,
) -> AminmaxResult:
    """The minimum and the maximum along `dim`, or of all elements: a pair of `min` and `max`.

    The result has no axis `dim`, or has it with size 1 if `keepdim`. IndexError for an axis that
    input does not have, RuntimeError for no elements. Equal elements share the gradient evenly.

    >>> tc.aminmax(tc.tensor([[1.0, 5.0], [3.0, 2.0]]), dim=0).max
    tensor([3., 5.])
    """
    over = () if dim is None else dim
    return AminmaxResult(amin(input, over, keepdim), amax(input, over, keepdim))


def _position(name: str, function: Callable[..., Any], input: Any, dim: Any, keepdim: bool) -> Any:
    a = input._array
    if a.dtype.kind == "b":
        raise RuntimeError(f"{name}(): does not support bool input")
    if dim is not None:
        dim = axis(name, a.ndim, dim)
    if not a.size:
        _refuse_empty(name, a.shape, () if dim is None else (dim,), IndexError)
    return wrap(function(a, axis=dim if a.ndim else None, keepdims=keepdim))


@public
def argmax(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """The index, int64, of the first maximum along dim, or among all elements in row-major order.

    The result has no axis `dim`, or has it with size 1 if `keepdim`. IndexError for an axis that
    input does not have, and for no elements.

    >>> x = tc.tensor([[1.0, 5.0], [3.0, 2.0]])
    >>> tc.argmax(x), tc.argmax(x, dim=0)
    (tensor(1), tensor([1, 0]))
    """
    return _position("argmax", np.argmax, input, dim, keepdim)


@public
def argmin(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """The index, int64, of the first minimum along dim, or among all elements in row-major order.

    The result has no axis `dim`, or has it with size 1 if `keepdim`. IndexError for an axis that
    input does not have, and for no elements.

    >>> x = tc.tensor([[1.0, 5.0], [3.0, 2.0]])
    >>> tc.argmin(x), tc.argmin(x, dim=0)
    (tensor(0), tensor([0, 1]))
    """
    return _position("argmin", np.argmin, input, dim, keepdim)


@overload
def median(input: Tensor) -> Tensor: ...
@overload
def median(
    input: Tensor, dim: int, keepdim: bool = False, *, out: Sequence[Tensor] | None = None
) -> MedianResult: ...
@public
def median(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    out: Sequence[Tensor] | None = None,
) -> Any:
    """The median: of all elements; or along `dim`, with its index.

    Along `dim` the result is a pair of `values` and `indices` (int64). Of an even number of
    elements the median is the lower of the two in the middle. If an element is NaN, so is the
    median; the median of no elements is NaN too. Equal medians of all elements share the gradient
    evenly; along `dim` the element at the index takes it.

    The result has no axis `dim`, or has it with size 1 if `keepdim`. IndexError for an axis that
    input does not have.

    >>> x = tc.tensor([[1.0, 5.0, 2.0], [3.0, 2.0, 4.0]])
    >>> tc.median(x), tc.median(x, 1).values, tc.median(x, 1).indices
    (tensor(2.), tensor([2., 3.]), tensor([2, 0]))
    """
    a = input._array
    if dim is None:
        refuse_keepdim("median", keepdim)
        if not a.size:
            return constant(wrap(np.full((), np.nan, a.dtype)), input)
        if not a.ndim:
            return ops.clone(input)
        value = a.ravel()[_middle(a.ravel(), 0)]
        equal = np.isnan(a) if np.isnan(value).any() else a == value
        return ops.amax(ops.getitem(input, index=(np.asarray(equal),)))
    dim = axis("median", a.ndim, dim)
    if not a.size:
        _refuse_empty("median", a.shape, (dim,))
    if not a.ndim:
        return MedianResult(ops.clone(input), wrap(np.zeros((), int64)))
    index = _middle(a, dim)
    values = ops.gather(input, index, dim=dim)
    if not keepdim:
        first: Any = (slice(None),) * dim + (0, ...)
        values, index = ops.getitem(values, index=first), index[first]
    return MedianResult(values, wrap(index))


def _middle(a: np.ndarray, dim: int) -> np.ndarray:
    """The index along dim of the lower median, or of the first NaN. The axis stays, with size 1."""
    order = np.argsort(a, axis=dim, kind="stable")
    middle = np.take(order, [(a.shape[dim] - 1) // 2], axis=dim)
    bad = np.isnan(a)
    if not bad.any():
        return middle
    return np.where(bad.any(axis=dim, keepdims=True), bad.argmax(axis=dim, keepdims=True), middle)
