"""Comparisons, and logic on what they give: Tensors of bool, outside the graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine import Recorded, wrap
from ..engine.dtypes import RANK, bool_, promote
from .arguments import array_of, tensors

__all__ = [
    "allclose", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "eq", "equal", "ge",
    "greater", "greater_equal", "gt", "isclose", "isfinite", "isinf", "isnan", "isneginf",
    "isposinf", "le", "less", "less_equal", "logical_and", "logical_not", "logical_or",
    "logical_xor", "lt", "ne", "not_equal",
]  # fmt: skip


def _binary(ufunc: Any, doc: str, check: Any = None) -> Any:
    def run(input: Any, other: Any) -> Any:
        a, b = array_of(input), array_of(other)
        if isinstance(b, (list, tuple, str)) or b is None:
            return NotImplemented
        if check is not None:
            a, b = check(ufunc.__name__, a, b)
        try:
            return wrap(ufunc(a, b))
        except ValueError:
            raise RuntimeError(
                f"{ufunc.__name__}: shapes {np.shape(a)} and {np.shape(b)} do not broadcast"
            ) from None

    run.__name__ = ufunc.__name__
    run.__doc__ = doc
    return run


def _compared(symbol: str) -> str:
    return f"input {symbol} other, elementwise: a Tensor of bool."


eq = _binary(np.equal, _compared("=="))
ne = not_equal = _binary(np.not_equal, _compared("!="))
lt = less = _binary(np.less, _compared("<"))
le = less_equal = _binary(np.less_equal, _compared("<="))
gt = greater = _binary(np.greater, _compared(">"))
ge = greater_equal = _binary(np.greater_equal, _compared(">="))


def _bits(name: str, a: Any, *others: Any) -> Any:
    """Integers and bools in the type that they meet in."""
    found = promote(a, *others)
    kinds = {getattr(x, "dtype", np.dtype(type(x))).kind for x in found}
    if "f" in kinds:
        raise NotImplementedError(f"{name} is not implemented for floating point")
    return found


logical_and = _binary(np.logical_and, "Whether both are nonzero: a Tensor of bool.")
logical_or = _binary(np.logical_or, "Whether one is nonzero: a Tensor of bool.")
logical_xor = _binary(np.logical_xor, "Whether one is nonzero and the other not.")
bitwise_and = _binary(np.bitwise_and, "input & other, of integers or bools.", _bits)
bitwise_or = _binary(np.bitwise_or, "input | other, of integers or bools.", _bits)
bitwise_xor = _binary(np.bitwise_xor, "input ^ other, of integers or bools.", _bits)


def bitwise_not(input: Any) -> Any:
    """~input: each bit turned; of bools the other one."""
    if RANK[input._array.dtype.kind] == RANK["f"]:
        raise TypeError(
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors, got "
            f"{input._array.dtype}"
        )
    return wrap(~input._array)


def _test(ufunc: Any, what: str) -> Any:
    def test(input: Any) -> Any:
        return wrap(ufunc(array_of(input)))

    test.__name__ = ufunc.__name__
    test.__doc__ = f"Whether each element {what}: a Tensor of bool."
    return test


isnan, isinf = _test(np.isnan, "is a NaN"), _test(np.isinf, "is infinite")
isfinite = _test(np.isfinite, "is finite")
isposinf, isneginf = _test(np.isposinf, "is ∞"), _test(np.isneginf, "is −∞")
logical_not = _test(np.logical_not, "is zero")


def isclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether |input − other| ≤ atol + rtol |other|, elementwise."""
    tensors("isclose", input=input, other=other)
    a, b = input._array, other._array
    if a.dtype != b.dtype:
        raise RuntimeError(f"{a.dtype} did not match {b.dtype}: isclose compares one dtype")
    if a.dtype == bool_:
        return wrap(a == b)
    return wrap(np.isclose(a, b, rtol, atol, equal_nan))


def allclose(
    input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether |input − other| ≤ atol + rtol |other| everywhere."""
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


def equal(input: Any, other: Any) -> bool:
    """Whether shapes and all elements are equal."""
    if not isinstance(other, Recorded):
        raise TypeError(f"equal: argument 'other' must be Tensor, not {type(other).__name__}")
    return bool(np.array_equal(input._array, other._array))
