"""Elementwise functions of one Tensor.

Each takes a Tensor of any shape and returns one of the same shape. Functions with values between the
integers (exp, sqrt ...) give integers and bools the default dtype; the others keep the dtype. Where a
function has no value the result is NaN, and overflow is infinite: no error and no warning.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .. import ops
from ..engine import wrap
from ..engine.dtypes import FLOATING, float16, float32
from ..metadata import memory_format as MemoryFormat
from .arguments import in_floats
from .public import alias, public

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "arccos",
    "arcsin",
    "arctan",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "ceil",
    "clone",
    "cos",
    "cosh",
    "erf",
    "erfinv",
    "exp",
    "expm1",
    "fix",
    "floor",
    "frac",
    "log",
    "log1p",
    "log2",
    "log10",
    "logit",
    "nan_to_num",
    "neg",
    "negative",
    "reciprocal",
    "relu",
    "round",
    "rsqrt",
    "sgn",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
]  # fmt: skip


@public
def abs(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """|x| of each element x of input.

    The result has the shape and the dtype of input. At x = 0 the gradient is 0.

    >>> tc.abs(tc.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """
    return ops.abs(input)


@public
def neg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """−x of each element x of input.

    The result has the shape and the dtype of input. RuntimeError for bools.

    >>> tc.neg(tc.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    return ops.neg(input)


@public
def sign(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The sign of each element of input: −1, 0 or 1; 0 for NaN.

    The result has the shape and the dtype of input. The gradient is 0.

    >>> tc.sign(tc.tensor([-3.0, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """
    return ops.sign(input)


@public
def square(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """x² of each element x of input.

    The result has the shape of input, and its dtype unless that is bool.

    >>> tc.square(tc.tensor([3.0]))
    tensor([9.])
    """
    return ops.square(input)


@public
def reciprocal(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """1 / x of each element x of input.

    The result has the shape of input. Integers and bools give the default dtype. 1 / 0 is infinite.

    >>> tc.reciprocal(tc.tensor([2.0, 4.0]))
    tensor([0.5000, 0.2500])
    """
    return ops.reciprocal(input)


@public
def sqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """√x of each element x of input; NaN for x < 0.

    The result has the shape of input. Integers and bools give the default dtype. At x = 0 the
    gradient is infinite.

    >>> tc.sqrt(tc.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return ops.sqrt(input)


@public
def rsqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """1 / √x of each element x of input; infinite for 0, NaN for x < 0.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.rsqrt(tc.tensor([4.0]))
    tensor([0.5000])
    """
    return ops.rsqrt(input)


@public
def exp(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """eˣ of each element x of input.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.exp(tc.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return ops.exp(input)


@public
def expm1(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """eˣ − 1 of each element x of input, exact for small x too.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.expm1(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 1.7183])
    """
    return ops.expm1(input)


@public
def log(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The natural logarithm ln x of each element x of input; −∞ for 0, NaN for x < 0.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.log(tc.tensor([1.0, 10.0]))
    tensor([0.0000, 2.3026])
    """
    return ops.log(input)


@public
def log1p(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """ln(1 + x) of each element x of input, exact for small x too; NaN for x < −1.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.log1p(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    return ops.log1p(input)


@public
def log2(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """log₂ x of each element x of input; −∞ for 0, NaN for x < 0.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.log2(tc.tensor([8.0]))
    tensor([3.])
    """
    return ops.log2(input)


@public
def log10(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """log₁₀ x of each element x of input; −∞ for 0, NaN for x < 0.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.log10(tc.tensor([1.0, 1e4]))
    tensor([0., 4.])
    """
    return ops.log10(input)


@public
def sin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The sine of each element of input, in radians.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.sin(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """
    return ops.sin(input)


@public
def cos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The cosine of each element of input, in radians.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.cos(tc.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """
    return ops.cos(input)


@public
def tan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The tangent of each element of input, in radians.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.tan(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """
    return ops.tan(input)


@public
def asin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle in [−π/2, π/2] whose sine is x, for each element x of input; NaN if |x| > 1.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.asin(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """
    return ops.asin(input)


@public
def acos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle in [0, π] whose cosine is x, for each element x of input; NaN if |x| > 1.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.acos(tc.tensor([1.0, 0.0]))
    tensor([0.0000, 1.5708])
    """
    return ops.acos(input)


@public
def atan(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle in (−π/2, π/2) whose tangent is x, for each element x of input.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.atan(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """
    return ops.atan(input)


@public
def sinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The hyperbolic sine (eˣ − e⁻ˣ) / 2 of each element x of input.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.sinh(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """
    return ops.sinh(input)


@public
def cosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The hyperbolic cosine (eˣ + e⁻ˣ) / 2 of each element x of input.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.cosh(tc.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """
    return ops.cosh(input)


@public
def tanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The hyperbolic tangent of each element of input, in (−1, 1).

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.tanh(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return ops.tanh(input)


@public
def asinh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The number whose hyperbolic sine is x, for each element x of input.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.asinh(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """
    return ops.asinh(input)


@public
def acosh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The number ≥ 0 whose hyperbolic cosine is x, for each element x of input; NaN if x < 1.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.acosh(tc.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """
    return ops.acosh(input)


@public
def atanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The number whose hyperbolic tangent is x, for each element x of input; NaN if |x| > 1.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.atanh(tc.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """
    return ops.atanh(input)


@public
def sigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """1 / (1 + e⁻ˣ) of each element x of input, in (0, 1).

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.sigmoid(tc.tensor([0.0, 1.0]))
    tensor([0.5000, 0.7311])
    """
    return ops.sigmoid(input)


@public
def relu(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """max(x, 0) of each element x of input.

    The result has the shape and the dtype of input. At x = 0 the gradient is 0. RuntimeError for bools.

    >>> tc.relu(tc.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    if input._array.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu")
    return ops.relu(input)


@public
def erf(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The error function of each element x of input: 2/√π ∫ e^(−t²) dt from 0 to x.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.erf(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    return ops.erf(input)


@public
def erfinv(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The number whose error function is x, for each element x of input; NaN if |x| > 1.

    The result has the shape of input. Integers and bools give the default dtype.

    >>> tc.erfinv(tc.tensor([0.0, 0.5]))
    tensor([0.0000, 0.4769])
    """
    return ops.erfinv(input)


@public
def floor(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """⌊x⌋ of each element x of input: the largest integer ≤ x.

    The result has the shape and the dtype of input. The gradient is 0.

    >>> tc.floor(tc.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """
    return ops.floor(input)


@public
def ceil(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """⌈x⌉ of each element x of input: the smallest integer ≥ x.

    The result has the shape and the dtype of input. The gradient is 0.

    >>> tc.ceil(tc.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """
    return ops.ceil(input)


@public
def trunc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Each element of input, rounded towards 0.

    The result has the shape and the dtype of input. The gradient is 0.

    >>> tc.trunc(tc.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """
    return ops.trunc(input)


@public
def frac(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """x − trunc(x) of each element x of input, with the sign of x.

    The result has the shape and the dtype of input. TypeError for bools.

    >>> tc.frac(tc.tensor([-1.5, 1.25]))
    tensor([-0.5000,  0.2500])
    """
    return ops.sub(input, ops.trunc(input))


@public
def logit(input: Tensor, eps: float | None = None, *, out: Tensor | None = None) -> Tensor:
    """ln(x / (1 − x)) of each element x of input: the inverse of `sigmoid`.

    The result has the shape of input. Integers and bools give the default dtype. With `eps`, x is
    clamped to [eps, 1 − eps]; otherwise it is infinite at 0 and 1, and NaN outside.

    >>> tc.logit(tc.tensor([0.5, 0.9]))
    tensor([0.0000, 2.1972])
    """
    (x,) = in_floats(input)
    if eps is not None:
        x = ops.clamp(x, min=eps, max=1 - eps)
    return ops.sub(ops.log(x), ops.log1p(ops.neg(x)))


@public
def round(input: Tensor, *, decimals: int = 0, out: Tensor | None = None) -> Tensor:
    """Each element of input, rounded to `decimals` decimals; of two as near, to the even one.

    The result has the shape of input, and its dtype if that is of floating point or `decimals` is
    0. The gradient is 0.

    >>> tc.round(tc.tensor([0.5, 1.5, 2.6]))
    tensor([0., 2., 3.])
    """
    if not decimals:
        return ops.round(input)
    if input._array.dtype == float16:  # which x · 10ᵈ may overflow
        return ops.cast(round(ops.cast(input, dtype=float32), decimals=decimals), dtype=float16)
    scale = 10.0 ** math.fabs(decimals)
    if decimals < 0:
        return ops.mul(ops.round(ops.div(input, scale)), scale)
    return ops.div(ops.round(ops.mul(input, scale)), scale)


@public
def nan_to_num(
    input: Tensor,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """The elements of input, with numbers in the place of NaN, ∞ and −∞.

    The result has the shape and the dtype of input. By default NaN becomes 0, and ±∞ the largest
    and the least number of the dtype.

    >>> tc.nan_to_num(tc.tensor([float("nan"), 1.0]), nan=3.0)
    tensor([3., 1.])
    """
    a = input._array
    if a.dtype.kind not in FLOATING:
        return ops.clone(input)
    put = np.nan_to_num(a, True, nan or 0.0, posinf, neginf)
    return ops.where(np.isfinite(a), input, wrap(put))


@public
def clone(input: Tensor, *, memory_format: MemoryFormat | None = None) -> Tensor:
    """A copy of input in memory of its own, with its shape and dtype. Gradients pass through it.

    >>> x = tc.ones(2)
    >>> tc.clone(x).zero_(), x
    (tensor([0., 0.]), tensor([1., 1.]))
    """
    return ops.clone(input)


absolute = alias("absolute", abs)
negative = alias("negative", neg)
sgn = alias("sgn", sign)
arcsin = alias("arcsin", asin)
arccos = alias("arccos", acos)
arctan = alias("arctan", atan)
fix = alias("fix", trunc)
