"""Elementwise functions. Most are ops as they are; the rest are composed of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import ops
from ..engine import Recorded, wrap
from ..engine.dtypes import bool_, get_default_dtype, result_type
from ..metadata import memory_format as MemoryFormat
from .arguments import array_of, tensors
from .indexing import nonzero

__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "addcdiv", "addcmul", "arccos", "arcsin", "arctan",
    "asin", "asinh", "atan", "atan2", "atanh", "ceil", "clamp", "clamp_max", "clamp_min", "clip",
    "clone", "cos", "cosh", "div", "divide", "erf", "erfinv", "exp", "expm1", "fix", "floor",
    "floor_divide", "fmod", "frac", "lerp", "log", "log1p", "log2", "log10", "logit", "maximum",
    "minimum", "mul", "multiply", "nan_to_num", "neg", "negative", "pow", "reciprocal", "relu",
    "remainder", "round", "rsqrt", "rsub", "sgn", "sigmoid", "sign", "sin", "sinh", "sqrt",
    "square", "sub", "subtract", "tan", "tanh", "true_divide", "trunc", "where",
]  # fmt: skip

abs = absolute = ops.abs
neg = negative = ops.neg
sign = sgn = ops.sign
mul = multiply = ops.mul
pow, maximum, minimum = ops.pow, ops.maximum, ops.minimum
exp, expm1, log, log1p, log2, log10 = ops.exp, ops.expm1, ops.log, ops.log1p, ops.log2, ops.log10
sqrt, rsqrt, square, reciprocal = ops.sqrt, ops.rsqrt, ops.square, ops.reciprocal
sin, cos, tan, atan2 = ops.sin, ops.cos, ops.tan, ops.atan2
sinh, cosh, tanh = ops.sinh, ops.cosh, ops.tanh
asin = arcsin = ops.asin
acos = arccos = ops.acos
atan = arctan = ops.atan
asinh, acosh, atanh = ops.asinh, ops.acosh, ops.atanh
sigmoid, relu, erf, erfinv = ops.sigmoid, ops.relu, ops.erf, ops.erfinv
floor, ceil = ops.floor, ops.ceil
trunc = fix = ops.trunc


def clone(input: Any, *, memory_format: MemoryFormat | None = None) -> Any:
    """A copy, in memory of its own."""
    return ops.clone(input)


def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input + alpha · other, broadcast."""
    return ops.add(input, other if alpha == 1 else ops.mul(other, alpha))


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input − alpha · other, broadcast."""
    return ops.sub(input, other if alpha == 1 else ops.mul(other, alpha))


subtract = sub


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """other − alpha · input, broadcast."""
    return ops.sub(other, input if alpha == 1 else ops.mul(input, alpha))


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """input / other; "floor" and "trunc" round the quotient down or towards zero.

    >>> import tinygrad_cnn as tc
    >>> tc.div(tc.tensor([-7, 7]), 2, rounding_mode="trunc")
    tensor([-3,  3])
    """
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
    return ops.trunc(ops.div(input, other))


divide = true_divide = div


def _whole(name: str, a: Any, b: Any) -> bool:
    """Whether both are integers, or bools; RuntimeError where one would then divide by 0."""
    whole = result_type(array_of(a), array_of(b)).kind != "f"
    if whole and not np.all(array_of(b)):
        raise RuntimeError(f"ZeroDivisionError: {name} of integers by 0")
    return whole


def floor_divide(input: Any, other: Any) -> Any:
    """⌊input / other⌋; its gradients are 0."""
    _whole("floor_divide", input, other)
    return ops.floor_divide(input, other)


def remainder(input: Any, other: Any) -> Any:
    """input − other ⌊input / other⌋: of the sign of other, as Python's %."""
    _whole("remainder", input, other)
    return ops.remainder(input, other)


def fmod(input: Any, other: Any) -> Any:
    """input − other trunc(input / other): of the sign of input, as C's."""
    _whole("fmod", input, other)
    return ops.fmod(input, other)


def frac(input: Any) -> Any:
    """What is behind the point, of the sign of input."""
    return ops.sub(input, ops.trunc(input))


def round(input: Any, *, decimals: int = 0) -> Any:
    """The nearest number with so many decimals; of two as near the even one."""
    if not decimals:
        return ops.round(input)
    scale = 10.0 ** math.fabs(decimals)
    if decimals < 0:
        return ops.round(input / scale) * scale
    return ops.round(input * scale) / scale


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """input, kept between min and max: numbers, Tensors or None.

    On a bound the gradient is the input's; where min > max all is max.
    """
    if min is None and max is None:
        raise RuntimeError("clamp: at least one of min and max must not be None")
    if isinstance(min, Recorded) or isinstance(max, Recorded):
        y = input if min is None else ops.where(array_of(input) < array_of(min), min, input)
        return y if max is None else ops.where(array_of(y) > array_of(max), max, y)
    if input._array.dtype.kind != "f" and (isinstance(min, float) or isinstance(max, float)):
        input = ops.cast(input, dtype=get_default_dtype())
    return ops.clamp(input, min=min, max=max)


clip = clamp


def clamp_min(input: Any, min: Any) -> Any:
    """input, but not under min."""
    return clamp(input, min)


def clamp_max(input: Any, max: Any) -> Any:
    """input, but not over max."""
    return clamp(input, None, max)


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """input where the condition, of bool, holds, else other; alone, the places where it holds.

    >>> import tinygrad_cnn as tc
    >>> tc.where(tc.tensor([True, False]), 1.0, tc.zeros(2))
    tensor([1., 0.])
    >>> tc.where(tc.tensor([0, 3, 4]))
    (tensor([1, 2]),)
    """
    if not isinstance(condition, np.ndarray):
        tensors("where", condition=condition)
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if array_of(condition).dtype != bool_:
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{array_of(condition).dtype}"
        )
    if not isinstance(input, Recorded) and not isinstance(other, Recorded):
        input = wrap(np.asarray(input, result_type(input, other)))
    return ops.where(condition, input, other)


def lerp(input: Any, end: Any, weight: Any) -> Any:
    """input + weight · (end − input)."""
    return ops.add(input, ops.mul(ops.sub(end, input), weight))


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value · tensor1 · tensor2."""
    return add(input, ops.mul(tensor1, tensor2), alpha=value)


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value · tensor1 / tensor2."""
    return add(input, ops.div(tensor1, tensor2), alpha=value)


def logit(input: Any, eps: float | None = None) -> Any:
    """ln(x / (1 − x)), of x clamped to [eps, 1 − eps]."""
    x = input if eps is None else ops.clamp(input, min=eps, max=1 - eps)
    return ops.log(ops.div(x, ops.sub(1.0, x)))


def nan_to_num(
    input: Any, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """With numbers for what is none: 0 for NaN, the largest and the least for ±∞ unless told."""
    a = input._array
    if a.dtype.kind != "f":
        return ops.clone(input)
    put = np.nan_to_num(a, True, nan or 0.0, posinf, neginf)
    return ops.where(np.isfinite(a), input, wrap(put))
