"""Comparisons, and logic on their results: Tensors of bool, outside of the graph.

Shapes broadcast; RuntimeError if they do not. A number may be compared with a Tensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import shown
from ..engine import Recorded, wrap
from ..engine.dtypes import FLOATING, bool_, result_type
from ..types import Number
from .arguments import array_of, broadcast_shape
from .public import alias, public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "allclose", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "eq", "equal", "ge",
    "greater", "greater_equal", "gt", "isclose", "isfinite", "isinf", "isnan", "isneginf",
    "isposinf", "le", "less", "less_equal", "logical_and", "logical_not", "logical_or",
    "logical_xor", "lt", "ne", "not_equal",
]  # fmt: skip

_OPERANDS = (Recorded, np.ndarray, np.generic, int, float)


def compare(ufunc: np.ufunc, a: Any, b: Any) -> Any:
    """`ufunc` of a Tensor and an operand; NotImplemented for what is no operand, as operators want."""
    if not isinstance(b, _OPERANDS):
        return NotImplemented
    try:
        return wrap(ufunc(array_of(a), array_of(b)))
    except ValueError:
        raise RuntimeError(
            f"{ufunc.__name__}: shapes {np.shape(array_of(a))} and {np.shape(array_of(b))} do not "
            "broadcast"
        ) from None


def combine_bits(ufunc: np.ufunc, a: Any, b: Any) -> Any:
    """`compare` of integers or bools, in the type in which they meet."""
    if not isinstance(b, _OPERANDS):
        return NotImplemented
    a, b = array_of(a), array_of(b)
    dtype = result_type(a, b)
    if dtype.kind in FLOATING:
        raise NotImplementedError(f"{ufunc.__name__} is not implemented for floating point")
    return compare(ufunc, np.asarray(a).astype(dtype), np.asarray(b).astype(dtype))


@public(overloads=True)
def eq(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """input == other, elementwise.

    The shapes broadcast; RuntimeError if they cannot. The result is of bool and records no
    gradient.

    >>> tc.eq(tc.tensor([1, 2]), tc.tensor([1, 3]))
    tensor([ True, False])
    """
    return compare(np.equal, input, other)


@public(overloads=True)
def ne(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """input ≠ other, elementwise.

    The shapes broadcast; RuntimeError if they cannot. The result is of bool and records no
    gradient.

    >>> tc.ne(tc.tensor([1, 2]), tc.tensor([1, 3]))
    tensor([False,  True])
    """
    return compare(np.not_equal, input, other)


@public(overloads=True)
def lt(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """input < other, elementwise.

    The shapes broadcast; RuntimeError if they cannot. The result is of bool and records no
    gradient.

    >>> tc.lt(tc.tensor([1, 2]), tc.tensor([1, 3]))
    tensor([False,  True])
    """
    return compare(np.less, input, other)


@public(overloads=True)
def le(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """input ≤ other, elementwise.

    The shapes broadcast; RuntimeError if they cannot. The result is of bool and records no
    gradient.

    >>> tc.le(tc.tensor([1, 2]), tc.tensor([1, 3]))
    tensor([True, True])
    """
    return compare(np.less_equal, input, other)


@public(overloads=True)
def gt(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """input > other, elementwise.

    The shapes broadcast; RuntimeError if they cannot. The result is of bool and records no
    gradient.

    >>> tc.gt(tc.tensor([1, 2]), tc.tensor([1, 3]))
    tensor([False, False])
    """
    return compare(np.greater, input, other)


@public(overloads=True)
def ge(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """input ≥ other, elementwise.

    The shapes broadcast; RuntimeError if they cannot. The result is of bool and records no
    gradient.

    >>> tc.ge(tc.tensor([1, 2]), tc.tensor([1, 3]))
    tensor([ True, False])
    """
    return compare(np.greater_equal, input, other)


@public
def logical_and(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether both are nonzero, elementwise.

    The shapes broadcast; RuntimeError if they cannot. The result is of bool and records no
    gradient.

    >>> tc.logical_and(tc.tensor([0, 0, 2]), tc.tensor([0, 1, 3]))
    tensor([False, False,  True])
    """
    return compare(np.logical_and, input, other)


@public
def logical_or(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether at least one is nonzero, elementwise.

    The shapes broadcast; RuntimeError if they cannot. The result is of bool and records no
    gradient.

    >>> tc.logical_or(tc.tensor([0, 0, 2]), tc.tensor([0, 1, 3]))
    tensor([False,  True,  True])
    """
    return compare(np.logical_or, input, other)


@public
def logical_xor(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether exactly one is nonzero, elementwise.

    The shapes broadcast; RuntimeError if they cannot. The result is of bool and records no
    gradient.

    >>> tc.logical_xor(tc.tensor([0, 0, 2]), tc.tensor([0, 1, 3]))
    tensor([False,  True, False])
    """
    return compare(np.logical_xor, input, other)


@public(overloads=True)
def bitwise_and(
    input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """input & other, elementwise, of integers or bools. One of them may be a number.

    The shapes broadcast, and the dtypes promote to one. NotImplementedError for floating point.

    >>> tc.bitwise_and(tc.tensor([0, 1, 2]), tc.tensor([1, 1, 3]))
    tensor([0, 1, 2])
    """
    bitwise_and.edge.wants_tensor(input, other)  # type: ignore[attr-defined]
    return combine_bits(np.bitwise_and, input, other)


@public(overloads=True)
def bitwise_or(
    input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """input | other, elementwise, of integers or bools. One of them may be a number.

    The shapes broadcast, and the dtypes promote to one. NotImplementedError for floating point.

    >>> tc.bitwise_or(tc.tensor([0, 1, 2]), tc.tensor([1, 1, 3]))
    tensor([1, 1, 3])
    """
    bitwise_or.edge.wants_tensor(input, other)  # type: ignore[attr-defined]
    return combine_bits(np.bitwise_or, input, other)


@public(overloads=True)
def bitwise_xor(
    input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """input ^ other, elementwise, of integers or bools. One of them may be a number.

    The shapes broadcast, and the dtypes promote to one. NotImplementedError for floating point.

    >>> tc.bitwise_xor(tc.tensor([0, 1, 2]), tc.tensor([1, 1, 3]))
    tensor([1, 0, 1])
    """
    bitwise_xor.edge.wants_tensor(input, other)  # type: ignore[attr-defined]
    return combine_bits(np.bitwise_xor, input, other)


@public
def bitwise_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Each bit of an integer flipped, or each bool negated.

    NotImplementedError for floating point.

    >>> tc.bitwise_not(tc.tensor([0, 1])), tc.bitwise_not(tc.tensor([True, False]))
    (tensor([-1, -2]), tensor([False,  True]))
    """
    if input._array.dtype.kind in FLOATING:
        raise NotImplementedError(f"bitwise_not is not implemented for {input.dtype}")
    return wrap(~input._array)


@public
def logical_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether each element of input is zero.

    The result has the shape of input, is of bool, and records no gradient.

    >>> tc.logical_not(tc.tensor([0, 2]))
    tensor([ True, False])
    """
    return wrap(np.logical_not(input._array))


@public
def isnan(input: Tensor) -> Tensor:
    """Whether each element of input is NaN.

    The result has the shape of input, is of bool, and records no gradient.

    >>> tc.isnan(tc.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """
    return wrap(np.isnan(input._array))


@public
def isinf(input: Tensor) -> Tensor:
    """Whether each element of input is ∞ or −∞.

    The result has the shape of input, is of bool, and records no gradient.

    >>> tc.isinf(tc.tensor([1.0, -float("inf")]))
    tensor([False,  True])
    """
    return wrap(np.isinf(input._array))


@public
def isfinite(input: Tensor) -> Tensor:
    """Whether each element of input is neither NaN nor infinite.

    The result has the shape of input, is of bool, and records no gradient.

    >>> tc.isfinite(tc.tensor([1.0, -float("inf")]))
    tensor([ True, False])
    """
    return wrap(np.isfinite(input._array))


@public
def isposinf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether each element of input is ∞.

    The result has the shape of input, is of bool, and records no gradient.

    >>> tc.isposinf(tc.tensor([float("inf"), -float("inf")]))
    tensor([ True, False])
    """
    return wrap(np.isposinf(input._array))


@public
def isneginf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether each element of input is −∞.

    The result has the shape of input, is of bool, and records no gradient.

    >>> tc.isneginf(tc.tensor([float("inf"), -float("inf")]))
    tensor([False,  True])
    """
    return wrap(np.isneginf(input._array))


@public
def isclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> Tensor:
    """Whether |input − other| ≤ atol + rtol · |other|, elementwise.

    NaNs are close to each other only with `equal_nan`. RuntimeError for two dtypes, and for a
    negative tolerance.

    >>> tc.isclose(tc.tensor([1.0, 1.0]), tc.tensor([1.0, 1.1]))
    tensor([ True, False])
    """
    a, b = input._array, other._array
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {tolerance}")
    broadcast_shape("isclose", a.shape, b.shape)
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"{shown(a.dtype)} did not match {shown(b.dtype)}: isclose compares one dtype"
        )
    if a.dtype == bool_:
        return wrap(a == b)
    return wrap(np.isclose(a, b, rtol, atol, equal_nan))


@public
def allclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> bool:
    """Whether |input − other| ≤ atol + rtol · |other| everywhere, as a bool. See `isclose`.

    The shapes broadcast. RuntimeError for different dtypes.

    >>> tc.allclose(tc.tensor([1.0]), tc.tensor([1.0 + 1e-7]))
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


@public
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether the shapes are equal, and all elements.

    >>> tc.equal(tc.ones(2), tc.ones(2)), tc.equal(tc.ones(2), tc.ones(1))
    (True, False)
    """
    return bool(np.array_equal(input._array, other._array))


not_equal = alias("not_equal", ne)
less = alias("less", lt)
less_equal = alias("less_equal", le)
greater = alias("greater", gt)
greater_equal = alias("greater_equal", ge)
