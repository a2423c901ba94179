"""Elementwise ops: y[i] = f(a[i], b[i]), with broadcasting. ȳ is the cotangent of y (`g` in code).

Where inputs broadcast, the engine sums each gradient back to its input's shape (`op`'s
`elementwise`), so every vjp here is the scalar formula. The docstring names the subgradient at a kink.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .. import kernels
from ..atomic import quiet
from ..engine import op, provide
from ..engine.dtypes import FLOATING, NARROW, floating, get_default_dtype
from ..kernels import LARGE_ELEMENTS, logistic, masked, rectified
from .precision import rounded

__all__ = [
    "abs", "add", "cast", "clamp", "clone", "cos", "div", "exp", "keep", "log", "maximum",
    "minimum", "mul", "neg", "pow", "rectify", "relu", "sigmoid", "sign", "sin", "sqrt", "sub",
    "tanh", "where",
]  # fmt: skip


def in_one_pass(f: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a forward or a vjp as elementwise: one pass over large arrays, on all threads.

    Its first argument is an array, or a Tensor if a graph of the gradient is recorded. Overflow gives
    infinities and undefined values give NaN, as in PyTorch, without a warning. It computes float16 and
    bfloat16 in float32.
    """

    @functools.wraps(f)
    def run(x: Any, *others: Any, **attributes: Any) -> Any:
        with quiet():
            if type(x) is ndarray:
                if x.dtype.char in NARROW:
                    return rounded(run, (x, *others), attributes)
                if x.size >= LARGE_ELEMENTS:
                    return kernels.elementwise(f, x, *others, **attributes)
            return f(x, *others, **attributes)

    return run


@op(elementwise=True)
def add(a, b):
    """y = a + b        ā = ȳ        b̄ = ȳ"""
    if type(a) is ndarray and a.size >= LARGE_ELEMENTS:
        return kernels.elementwise(np.add, a, b)
    return a + b


add.defvjp(a=lambda g: g, b=lambda g: g)
provide(add=add.op.forward)


@op(elementwise=True)
def sub(a, b):
    """y = a − b        ā = ȳ        b̄ = −ȳ"""
    try:
        return a - b
    except TypeError:  # NumPy's for bools
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
            "`logical_xor()` operator instead."
        ) from None


sub.defvjp(a=lambda g: g, b=lambda g: -g)


@op(elementwise=True)
def mul(a, b):
    """y = a · b        ā = ȳ · b        b̄ = ȳ · a"""
    return a * b


mul.defvjp(a=lambda g, b: g * b, b=lambda g, a: g * a)


@op(elementwise=True)
def div(a, b):
    """y = a / b        ā = ȳ / b        b̄ = −ȳ · a / b²

    The vjps do not use y, so that y may be written in place, as in PyTorch. Integers are divided in
    the default dtype.
    """
    with quiet():
        y = a / b
    whole = all(getattr(x, "dtype", None) is None or x.dtype.kind not in FLOATING for x in (a, b))
    return y.astype(get_default_dtype()) if whole and y.dtype.kind in FLOATING else y


div.defvjp(a=lambda g, b: g / b, b=lambda g, a, b: -g * (a / b) / b)


@op
def neg(x):
    """y = −x        x̄ = −ȳ"""
    try:
        return -x
    except TypeError:  # NumPy's for bools
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
            "invert a mask, use the `~` or `logical_not()` operator instead."
        ) from None


neg.defvjp(x=lambda g: -g)


@op(elementwise=True)
@in_one_pass
def pow(a, b):
    """y = aᵇ        ā = 0 where b = 0, else ȳ · b · aᵇ⁻¹        b̄ = 0 where a = 0 ≤ b, else ȳ · y · ln a"""
    try:
        return a**b
    except ValueError as error:
        if "negative integer" not in str(error):
            raise
    if not isinstance(b, ndarray):
        raise RuntimeError("pow: Integers to negative integer powers are not allowed")
    unit = (a == 1) | (a == -1)  # 1 / a is an integer; else the integer part of aᵇ is 0
    return np.where((b >= 0) | unit, np.power(a, np.abs(b)), 0).astype(np.result_type(a, b))


def pow_a(g, a, b):
    if isinstance(b, (int, float)):
        return g * (b * a ** (b - 1)) if b != 0 else zeros(g)
    return where(b == 0, 0.0, g * b * a ** (b - 1))


def pow_b(g, y, a, b):
    if isinstance(a, (int, float)):
        a = np.full((), a, y.dtype)
    return where((a == 0) & (b >= 0), 0.0, g * y * log(a))


pow.defvjp(a=pow_a, b=pow_b)


@op
@in_one_pass
def exp(x):
    """y = eˣ        x̄ = ȳ · y"""
    return np.exp(floating(x))


exp.defvjp(x=lambda g, y: g * y)


@op
@in_one_pass
def log(x):
    """y = ln x        x̄ = ȳ / x"""
    return np.log(floating(x))


log.defvjp(x=lambda g, x: g / x)


@op
@in_one_pass
def sqrt(x):
    """y = √x        x̄ = ȳ / 2y, infinite at x = 0"""
    return np.sqrt(floating(x))


sqrt.defvjp(x=in_one_pass(lambda g, y: g / (2.0 * y)))


@op
@in_one_pass
def sin(x):
    """y = sin x        x̄ = ȳ · cos x"""
    return np.sin(floating(x))


@op
@in_one_pass
def cos(x):
    """y = cos x        x̄ = −ȳ · sin x"""
    return np.cos(floating(x))


sin.defvjp(x=lambda g, x: g * cos(x))
cos.defvjp(x=lambda g, x: -g * sin(x))


@op
@in_one_pass
def tanh(x):
    """y = tanh x        x̄ = ȳ · (1 − y²)"""
    return np.tanh(floating(x))


tanh.defvjp(x=in_one_pass(lambda g, y: g * (1.0 - y * y)))


@op
@in_one_pass
def sigmoid(x):
    """y = 1 / (1 + e⁻ˣ)        x̄ = ȳ · y · (1 − y)"""
    return kernels.elementwise(logistic, floating(x))


sigmoid.defvjp(x=in_one_pass(lambda g, y: g * y * (1.0 - y)))


@op
def keep(x, mask):
    """y = x where mask holds, else 0        x̄ = ȳ where mask holds, else 0"""
    return (
        masked(x, mask)
        if getattr(x, "size", LARGE_ELEMENTS) < LARGE_ELEMENTS
        else kernels.elementwise(masked, x, mask)
    )


keep.defvjp(x=lambda g, mask: keep(g, mask))


def zeros(g):
    """The gradient of an op that is piecewise constant: 0, also where ȳ is infinite or NaN."""
    return keep(g, np.False_)


@op
def relu(x):
    """y = max(x, 0)        x̄ = ȳ where x > 0, else 0: at the kink x = 0 the subgradient is 0

    NaN stays NaN, and its gradient passes.
    """
    return np.maximum(x, 0) if x.size < LARGE_ELEMENTS else kernels.elementwise(np.maximum, x, 0)


@op
def rectify(x, by):
    """y = x where not by ≤ 0, else 0        x̄ = ȳ where not by ≤ 0, else 0"""
    return rectified(x, by) if x.size < LARGE_ELEMENTS else kernels.elementwise(rectified, x, by)


rectify.defvjp(x=lambda g, by: rectify(g, by))
relu.defvjp(x=lambda g, y: rectify(g, getattr(y, "_array", y)))


@op
def abs(x):
    """y = |x|        x̄ = ȳ · sign x: at the kink x = 0 the subgradient is 0"""
    return np.abs(x)


@op
def sign(x):
    """y = sign x: −1, 0 or 1, of NaN 0        x̄ = 0"""
    if x.dtype.kind == "b":
        return x.copy()
    return np.subtract(x > 0, x < 0, dtype=x.dtype)


abs.defvjp(x=lambda g, x: g * sign(x))
sign.defvjp(x=zeros)


@op
def clamp(x, *, min, max):
    """y = min(max(x, min), max), for bounds that are numbers or None.

    x̄ = ȳ where min ≤ x ≤ max, else 0: on either bound the subgradient is 1, as in PyTorch.
    """
    if x.dtype.kind == "V":  # with a number NumPy gives float32
        return rounded(np.clip, (x, min, max), {})
    return np.clip(x, min, max)


@in_one_pass
def clamp_x(g, x, min, max):
    if min is None:
        return keep(g, x <= max)
    return keep(g, x >= min) if max is None else keep(g, (x >= min) & (x <= max))


clamp.defvjp(x=clamp_x)


@op(elementwise=True)
def maximum(a, b):
    """y = max(a, b)

    ā = ȳ where a > b, ȳ/2 where a = b, else 0        b̄ = ȳ where b > a, ȳ/2 where a = b, else 0
    """
    return np.maximum(a, b)


@op(elementwise=True)
def minimum(a, b):
    """y = min(a, b)

    ā = ȳ where a < b, ȳ/2 where a = b, else 0        b̄ = ȳ where b < a, ȳ/2 where a = b, else 0
    """
    return np.minimum(a, b)


@in_one_pass
def _to_winner(g, a, b, lost):
    """ȳ where not `lost`, else 0, and half of it for equals. With a NaN both get it, as in PyTorch."""
    return keep(where(a == b, g * 0.5, g), ~lost)


maximum.defvjp(
    a=lambda g, a, b: _to_winner(g, a, b, a < b), b=lambda g, a, b: _to_winner(g, a, b, b < a)
)
minimum.defvjp(
    a=lambda g, a, b: _to_winner(g, a, b, a > b), b=lambda g, a, b: _to_winner(g, a, b, b > a)
)


@op(elementwise=True)
def where(condition, a, b):
    """y = a where condition holds, else b

    ā = ȳ where condition holds, else 0        b̄ = 0 where condition holds, else ȳ
    """
    return np.where(condition, a, b)


where.defvjp(a=lambda g, condition: keep(g, condition), b=lambda g, condition: keep(g, ~condition))


@op
def clone(x):
    """y = x, in new memory        x̄ = ȳ"""
    return x.copy(order="K")


clone.defvjp(x=lambda g: g)


@op
def cast(x, *, dtype):
    """y = x, in another dtype        x̄ = ȳ, in that of x

    Values that the dtype cannot hold give infinities, as in PyTorch, without a warning.
    """
    with quiet():
        return x.astype(dtype)


cast.defvjp(x=lambda g: g)
