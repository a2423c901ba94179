"""Elementwise functions of two Tensors and more. Shapes broadcast, and dtypes meet in one.

The result has the broadcast shape of the inputs, and the dtype in which they meet
(`result_type`): a number, or a Tensor without axes, does not widen the dtype of a Tensor with axes
of the same kind. Shapes that do not broadcast are a RuntimeError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import ops
from ..dtypes import shown
from ..engine import Recorded, grad_mode, no_grad, wrap
from ..engine.dtypes import FLOATING, bool_, get_default_dtype, result_type, uint8
from ..types import Number
from .arguments import array_of, broadcast_shape, check_floating, constant, in_floats, scaled
from .indexing import nonzero
from .public import alias, public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "add", "addcdiv", "addcmul", "atan2", "clamp", "clamp_max", "clamp_min", "clip", "div",
    "divide", "floor_divide", "fmod", "hypot", "lerp", "logaddexp", "maximum", "minimum", "mul",
    "multiply", "pow", "remainder", "rsub", "sub", "subtract", "true_divide", "where",
]  # fmt: skip


# --- Arithmetic. PyTorch takes two numbers too, for these. -----------------------------------------


def _tensor(input: Any, other: Any) -> Any:
    """`input`, as a Tensor if neither of the two is one."""
    if isinstance(input, Recorded) or isinstance(other, Recorded):
        return input
    return wrap(np.asarray(input, result_type(input)))


@public
def add(
    input: Tensor | Number, other: Tensor | Number, *, alpha: Number = 1, out: Tensor | None = None
) -> Tensor:
    """input + alpha · other, elementwise.

    The shapes broadcast, and the dtypes promote. RuntimeError if the shapes do not broadcast.

    >>> tc.add(tc.tensor([1.0, 2.0]), tc.tensor([10.0]), alpha=2)
    tensor([21., 22.])
    """
    input = _tensor(input, other)
    return ops.add(
        input, other if type(alpha) is int and alpha == 1 else scaled(other, alpha, input)
    )


@public
def sub(
    input: Tensor | Number, other: Tensor | Number, alpha: Number = 1, *, out: Tensor | None = None
) -> Tensor:
    """input − alpha · other, elementwise.

    The shapes broadcast, and the dtypes promote. TypeError for two Tensors of bool. RuntimeError if
    the shapes do not broadcast.

    >>> tc.sub(tc.tensor([1.0, 2.0]), 0.5)
    tensor([0.5000, 1.5000])
    """
    input = _tensor(input, other)
    return ops.sub(
        input, other if type(alpha) is int and alpha == 1 else scaled(other, alpha, input)
    )


@public(overloads=True)
def rsub(input: Tensor, other: Tensor | Number, alpha: Number = 1) -> Tensor:
    """other − alpha · input, elementwise.

    The shapes broadcast, and the dtypes promote. TypeError for two Tensors of bool. RuntimeError if
    the shapes do not broadcast.

    >>> tc.rsub(tc.tensor([1.0, 2.0]), 3)
    tensor([2., 1.])
    """
    return ops.sub(
        other, input if type(alpha) is int and alpha == 1 else scaled(input, alpha, other)
    )


@public
def mul(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """input · other, elementwise.

    The shapes broadcast, and the dtypes promote. RuntimeError if the shapes do not broadcast.

    >>> tc.mul(tc.tensor([[1.0], [2.0]]), tc.tensor([10.0, 20.0]))
    tensor([[10., 20.],
            [20., 40.]])
    """
    return ops.mul(_tensor(input, other), other)


@public
def div(
    input: Tensor | Number,
    other: Tensor | Number,
    *,
    rounding_mode: str | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """input / other, elementwise. "floor" rounds the quotient down, "trunc" towards 0.

    The shapes broadcast, and the dtypes promote. Integers give the default dtype, and stay integers
    with a rounding mode. RuntimeError if the shapes do not broadcast, for another rounding mode,
    and for integers that are divided by 0 with one.

    >>> tc.div(tc.tensor([-7, 7]), 2), tc.div(tc.tensor([-7, 7]), 2, rounding_mode="trunc")
    (tensor([-3.5000,  3.5000]), tensor([-3,  3]))
    """
    input = _tensor(input, other)
    if rounding_mode is None:
        return ops.div(input, other)
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(
            "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
            f"'{rounding_mode}'"
        )
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if _whole("div", input, other):
        return floor_divide(ops.sub(input, ops.fmod(input, other)), other)
    with no_grad():
        y = ops.trunc(ops.div(input, other))
    return constant(y, input, other) if grad_mode.enabled else y


@public
def floor_divide(
    input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """⌊input / other⌋, elementwise. The gradients are 0.

    The shapes broadcast, and the dtypes promote. RuntimeError if the shapes do not broadcast, and
    for integers that are divided by 0.

    >>> tc.floor_divide(tc.tensor([-7.0, 7.0]), 2)
    tensor([-4.,  3.])
    """
    input = _tensor(input, other)
    _whole("floor_divide", input, other)
    return ops.floor_divide(input, other)


def _whole(name: str, a: Any, b: Any) -> bool:
    """Whether both are integers or bools; RuntimeError if one would then divide by 0."""
    whole = result_type(array_of(a), array_of(b)).kind not in FLOATING
    if whole and not np.all(array_of(b)):
        raise RuntimeError(f"ZeroDivisionError: {name} of integers by 0")
    return whole


@public(overloads=True)
def remainder(
    input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """input − other · ⌊input / other⌋, elementwise: of the sign of other, as Python's %.

    The shapes broadcast, and the dtypes promote. RuntimeError if the shapes do not broadcast, and
    for integers that are divided by 0.

    >>> tc.remainder(tc.tensor([-3.0, 3.0]), 2), tc.remainder(7, tc.tensor([2, 4]))
    (tensor([1., 1.]), tensor([1, 3]))
    """
    remainder.edge.wants_tensor(input, other)  # type: ignore[attr-defined]
    _whole("remainder", input, other)
    return ops.remainder(input, other)


@public(overloads=True)
def fmod(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """input − other · trunc(input / other), elementwise: of the sign of input, as in C.

    The shapes broadcast, and the dtypes promote. RuntimeError if the shapes do not broadcast, and
    for integers that are divided by 0.

    >>> tc.fmod(tc.tensor([-3.0, 3.0]), 2)
    tensor([-1.,  1.])
    """
    _whole("fmod", input, other)
    return ops.fmod(input, other)


@public(overloads=True)
def pow(input: Tensor | Number, exponent: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """input to the power of exponent, elementwise. One of them may be a number.

    The shapes broadcast, and the dtypes promote. RuntimeError if the shapes do not broadcast, and
    for integers to negative integers.

    >>> tc.pow(tc.tensor([2.0, 3.0]), 2), tc.pow(2, tc.tensor([2.0, 3.0]))
    (tensor([4., 9.]), tensor([4., 8.]))
    """
    pow.edge.wants_tensor(input, exponent)  # type: ignore[attr-defined]
    return ops.pow(input, exponent)


# --- Choices --------------------------------------------------------------------------------------


@public
def maximum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The larger of input and other, elementwise; NaN if one is NaN.

    The shapes broadcast, and the dtypes promote. Equal elements share the gradient evenly.
    RuntimeError if the shapes do not broadcast.

    >>> tc.maximum(tc.tensor([1.0, 5.0]), tc.tensor([3.0, 2.0]))
    tensor([3., 5.])
    """
    return ops.maximum(input, other)


@public
def minimum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smaller of input and other, elementwise; NaN if one is NaN.

    The shapes broadcast, and the dtypes promote. Equal elements share the gradient evenly.
    RuntimeError if the shapes do not broadcast.

    >>> tc.minimum(tc.tensor([1.0, 5.0]), tc.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """
    return ops.minimum(input, other)


@public(overloads=True)
def clamp(
    input: Tensor,
    min: Tensor | Number | None = None,
    max: Tensor | Number | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """input, but not under `min` and not over `max`: numbers, Tensors or None.

    The shapes broadcast, and the dtypes promote. On a bound the gradient goes to the input. Where
    min > max the result is max. RuntimeError if the shapes do not broadcast, and if both bounds are
    None.

    >>> tc.clamp(tc.tensor([-2.0, 0.5, 3.0]), -1.0, 1.0)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Recorded) or isinstance(max, Recorded):
        y = input if min is None else _bounded(input, min, np.greater_equal)
        return y if max is None else _bounded(y, max, np.less_equal)
    if input._array.dtype.kind not in FLOATING and (
        isinstance(min, float) or isinstance(max, float)
    ):
        input = ops.cast(input, dtype=get_default_dtype())
    return ops.clamp(input, min=min, max=max)


def _bounded(x: Any, bound: Any, inside: np.ufunc) -> Any:
    """x where it is `inside` of the bound, else the bound; NaN, of gradient 0, where either is NaN."""
    a, b = x._array, array_of(bound)
    if a.shape != np.shape(b):
        broadcast_shape("clamp", a.shape, np.shape(b))
    y = ops.where(inside(a, b), x, bound)
    if y._array.dtype.kind in FLOATING:
        bad = np.isnan(a) | np.isnan(b)
        if bad.any():
            return ops.where(bad, wrap(np.array(np.nan, y._array.dtype)), y)
    return y


@public(overloads=True)
def clamp_min(input: Tensor, min: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """input, but not under `min`: a number or a Tensor.

    The shapes broadcast, and the dtypes promote. On the bound the gradient goes to the input.
    RuntimeError if the shapes do not broadcast.

    >>> tc.clamp_min(tc.tensor([-2.0, 0.5]), 0)
    tensor([0.0000, 0.5000])
    """
    return clamp(input, min)


@public(overloads=True)
def clamp_max(input: Tensor, max: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """input, but not over `max`: a number or a Tensor.

    The shapes broadcast, and the dtypes promote. On the bound the gradient goes to the input.
    RuntimeError if the shapes do not broadcast.

    >>> tc.clamp_max(tc.tensor([-2.0, 0.5]), 0)
    tensor([-2.,  0.])
    """
    return clamp(input, None, max)


@public
def where(
    condition: Tensor,
    input: Tensor | Number | None = None,
    other: Tensor | Number | None = None,
    *,
    out: Tensor | None = None,
) -> Any:
    """input where the condition holds, else other. With the condition alone, where it is nonzero.

    The shapes broadcast, and the dtypes promote. With the condition alone the result is a tuple of
    index Tensors, of int64, one for each axis. RuntimeError if the shapes do not broadcast, and for
    a condition that is neither of bool nor of uint8.

    >>> tc.where(tc.tensor([True, False]), 1.0, tc.zeros(2))
    tensor([1., 0.])
    >>> tc.where(tc.tensor([0, 3, 4]))
    (tensor([1, 2]),)
    """
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    holds = condition._array
    if holds.dtype == uint8:
        holds = holds != 0
    elif holds.dtype != bool_:
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{shown(holds.dtype)}"
        )
    if not isinstance(input, Recorded) and not isinstance(other, Recorded):
        input = wrap(np.asarray(input, result_type(input, other)))
    return ops.where(holds, input, other)


# --- Formulas -------------------------------------------------------------------------------------


@public
def atan2(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle of the point (other, input) in radians, in (−π, π], elementwise.

    The shapes broadcast, and the dtypes promote. At (0, 0) the gradients are 0. RuntimeError if the
    shapes do not broadcast.

    >>> tc.atan2(tc.tensor([1.0, -1.0]), tc.tensor([0.0, -1.0]))
    tensor([ 1.5708, -2.3562])
    """
    if input._array.dtype.kind not in FLOATING and other._array.dtype.kind not in FLOATING:
        input, other = in_floats(input, other)
    return ops.atan2(input, other)


@public
def hypot(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """√(input² + other²), without forming the squares, which could overflow.

    The gradients are NaN where both are 0. NotImplementedError if neither is of floating point.

    >>> tc.hypot(tc.tensor([3.0, 1e30]), tc.tensor([4.0]))
    tensor([5.0000e+00, 1.0000e+30])
    """
    check_floating("hypot", input, other)
    return ops.hypot(input, other)


@public
def logaddexp(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """ln(exp(input) + exp(other)), in a form in which no exponential overflows.

    It adds probabilities that are given by their logarithms. NotImplementedError if neither input is
    of floating point.

    >>> tc.logaddexp(tc.tensor([0.0, 1000.0]), tc.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0007e+03])
    """
    check_floating("logaddexp", input, other)
    return ops.logaddexp(input, other)


@public(overloads=True)
def lerp(
    input: Tensor, end: Tensor, weight: Tensor | Number, *, out: Tensor | None = None
) -> Tensor:
    """input + weight · (end − input), elementwise, exact at weight 0 and 1. The weight is a number or a
    Tensor.

    The shapes broadcast. RuntimeError if they do not, and for several dtypes.

    >>> tc.lerp(tc.tensor([0.0, 10.0]), tc.tensor([10.0, 20.0]), 0.5)
    tensor([ 5., 15.])
    """
    dtype = input._array.dtype
    for name, x in (("end", end), ("weight", weight)):
        weak = x is weight and not np.ndim(array_of(x))
        if isinstance(x, Recorded) and x._array.dtype != dtype and not weak:
            raise RuntimeError(
                f"expected dtype {shown(dtype)} for `{name}` but got dtype {x.dtype}"
            )
    start = np.abs(array_of(weight)) < 0.5  # nearer to it than to the end
    way = ops.sub(end, input)
    nearer: Any
    part: Any
    if isinstance(weight, Recorded):
        nearer, part = ops.where(start, input, end), ops.where(start, weight, weight - 1)
    else:
        nearer, part = (input, weight) if start else (end, weight - 1)
    return ops.add(nearer, ops.mul(way, part))


def _factor(value: Number) -> Number:
    """A factor of floating point for True and False."""
    return float(value) if isinstance(value, bool) else value


@public
def addcmul(
    input: Tensor,
    tensor1: Tensor,
    tensor2: Tensor,
    *,
    value: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """input + value · tensor1 · tensor2, elementwise.

    The shapes broadcast, and the dtypes promote. RuntimeError if the shapes do not broadcast.

    >>> tc.addcmul(tc.ones(2), tc.tensor([1.0, 2.0]), tc.tensor([3.0, 4.0]), value=0.5)
    tensor([2.5000, 5.0000])
    """
    return add(input, ops.mul(tensor1, tensor2), alpha=_factor(value))


@public
def addcdiv(
    input: Tensor,
    tensor1: Tensor,
    tensor2: Tensor,
    *,
    value: Number = 1,
    out: Tensor | None = None,
) -> Tensor:
    """input + value · tensor1 / tensor2, elementwise.

    The shapes broadcast, and the dtypes promote. RuntimeError if the shapes do not broadcast, and for
    integers.

    >>> tc.addcdiv(tc.ones(2), tc.tensor([1.0, 2.0]), tc.tensor([2.0, 4.0]))
    tensor([1.5000, 1.5000])
    """
    if result_type(input._array, tensor1._array, tensor2._array).kind not in FLOATING:
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported: convert to floating point, or "
            "round the quotient by div"
        )
    return add(input, ops.div(tensor1, tensor2), alpha=_factor(value))


subtract = alias("subtract", sub)
multiply = alias("multiply", mul)
divide = alias("divide", div)
true_divide = alias("true_divide", div)
clip = alias("clip", clamp)
