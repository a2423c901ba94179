"""assert_close: values that are equal up to rounding, with a message that says where they are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np

from ..engine import wrap
from ..engine.dtypes import result_type
from ..functions import isclose
from ..tensor import Tensor

TOLERANCES = {  # relative and absolute, by the name of the dtype; 0 for others
    "float16": (1e-3, 1e-5), "bfloat16": (1.6e-2, 1e-5), "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
}  # fmt: skip
Place = tuple[Any, ...]  # of a pair in nested sequences and mappings
Pair = tuple[Any, Any, Place]


class _Options:
    """The arguments of `assert_close`."""

    def __init__(
        self, rtol: float | None, atol: float | None, equal_nan: bool, dtype: bool, stride: bool
    ):
        if (rtol is None) != (atol is None):
            missing = "rtol" if rtol is None else "atol"
            raise ValueError(
                f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}."
            )
        for name, value in (("rtol", rtol), ("atol", atol)):
            if value is not None and value < 0:
                raise ValueError(f"assert_close: {name} must be at least 0, got {value}")
        self.given = None if rtol is None or atol is None else (rtol, atol)
        self.equal_nan, self.dtype, self.stride = equal_nan, dtype, stride

    def tolerances(self, *names: str) -> tuple[float, float]:
        """Those that are given, else the largest of the dtypes of these names."""
        if self.given is not None:
            return self.given
        pairs = [TOLERANCES.get(name, (0.0, 0.0)) for name in names]
        return max(r for r, _ in pairs), max(a for _, a in pairs)


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """AssertionError unless |actual − expected| ≤ atol + rtol · |expected| for all elements.

    Both are Tensors, arrays or numbers, or sequences or mappings of them. The tolerances (rtol, atol)
    are those of the dtype by default: (1.3e-6, 1e-5) for float32, (1e-7, 1e-7) for float64 and Python's
    floats, (1e-3, 1e-5) for float16, and 0 for integers and bools. Shapes must be equal, dtypes unless
    `check_dtype=False`, and strides with `check_stride`. NaN equals NaN only with `equal_nan`. The
    message is `msg`, or `msg(message)`. There is one device and one layout, so `check_device` and
    `check_layout` have no effect. TypeError for other objects, and for a Tensor beside an array.

    >>> assert_close(tc.tensor([1.0, 2.0]), tc.tensor([1.0, 2.5]))
    Traceback (most recent call last):
    AssertionError: Tensor-likes are not close!
    <BLANKLINE>
    Mismatched elements: 1 / 2 (50.0%)
    Greatest absolute difference: 0.5 at index (1,) (up to 1e-05 allowed)
    Greatest relative difference: 0.2 at index (1,) (up to 1.3e-06 allowed)
    """
    __tracebackhide__ = True
    options = _Options(rtol, atol, equal_nan, check_dtype, check_stride)
    try:
        for a, b, place in _pairs(actual, expected, allow_subclasses):
            fault = _fault(a, b, options)
            if fault is not None:
                raise AssertionError(fault + _at(place))
    except AssertionError as error:
        text = str(error)
        message = msg(text) if callable(msg) else msg or text
        raise AssertionError(message) from None


def _at(place: Place) -> str:
    if not place:
        return ""
    return "\n\nThe failure occurred for item " + "".join(f"[{key!r}]" for key in place)


def _pairs(actual: Any, expected: Any, subclasses: bool) -> list[Pair]:
    """The pairs of leaves of two values of one form. AssertionError if the forms differ."""
    found: list[Pair] = []
    todo: list[Pair] = [(actual, expected, ())]
    while todo:
        a, b, place = todo.pop()
        kinds = [
            kind
            for kind in (Mapping, Sequence)
            if isinstance(a, kind) and isinstance(b, kind) and not isinstance(a, str)
        ]
        if kinds and kinds[0] is Mapping:
            missing, more = (
                sorted(b.keys() - a.keys(), key=str),
                sorted(a.keys() - b.keys(), key=str),
            )
            if missing or more:
                raise AssertionError(
                    "The keys of the mappings do not match:\n"
                    f"Missing keys in the actual mapping: {missing}\n"
                    f"Additional keys in the actual mapping: {more}" + _at(place)
                )
            todo += [(a[k], b[k], (*place, k)) for k in sorted(a, key=str, reverse=True)]
        elif kinds:
            if len(a) != len(b):
                raise AssertionError(
                    f"The length of the sequences mismatch: {len(a)} != {len(b)}" + _at(place)
                )
            todo += [(a[k], b[k], (*place, k)) for k in reversed(range(len(a)))]
        else:
            _check_kinds(a, b, place, subclasses)
            found.append((a, b, place))
    return found


def _check_kinds(a: Any, b: Any, place: Place, subclasses: bool) -> None:
    if a is None or b is None:
        return
    if all(isinstance(x, (Number, np.bool_)) for x in (a, b)):
        return
    for kind in (Tensor, np.ndarray):
        if isinstance(a, kind) and isinstance(b, kind) and (subclasses or type(a) is type(b)):
            return
    raise TypeError(
        f"No comparison pair was able to handle inputs of type {type(a)} and {type(b)}."
        + _at(place)
    )


def _fault(a: Any, b: Any, options: _Options) -> str | None:
    """The difference of two leaves in words, or None."""
    if a is None or b is None:
        return None if a is b else f"None mismatch: {a} is not {b}"
    if all(isinstance(x, (bool, np.bool_)) for x in (a, b)):
        return None if a == b else f"Booleans mismatch: {a} is not {b}"
    if not isinstance(a, (Tensor, np.ndarray)):
        return _fault_of_numbers(a, b, options)
    x, y = (v._array if isinstance(v, Tensor) else v for v in (a, b))
    for name, of_a, of_b, checked in (
        ("shape", a.shape, b.shape, True),
        ("stride()", _strides(x), _strides(y), options.stride),
        ("dtype", _name(x.dtype), _name(y.dtype), options.dtype),
    ):
        if checked and of_a != of_b:
            return f"The values for attribute '{name}' do not match: {of_a} != {of_b}."
    return _fault_of_arrays(x, y, options)


def _strides(x: np.ndarray) -> tuple[int, ...]:
    return tuple(n // x.itemsize for n in x.strides)


def _name(dtype: Any) -> str:
    return f"torch.{np.dtype(dtype).name}"


def _fault_of_numbers(a: Any, b: Any, options: _Options) -> str | None:
    a, b = (x.item() if isinstance(x, np.generic) else x for x in (a, b))
    if options.dtype and type(a) is not type(b):
        return f"The (d)types do not match: {type(a)} != {type(b)}."
    exact = not any(isinstance(x, (float, complex)) for x in (a, b))
    rtol, atol = options.tolerances("int64" if exact else "float64")
    both_nan = options.equal_nan and a != a and b != b
    if a == b or both_nan or (abs(b) != np.inf and abs(a - b) <= atol + rtol * abs(b)):
        return None
    return _of_scalars(a, b, rtol, atol)


def _of_scalars(a: Any, b: Any, rtol: float, atol: float) -> str:
    a, b = (int(x) if isinstance(x, bool) else x for x in (a, b))
    difference = abs(a - b)
    ratio = np.inf if b == 0 else difference / abs(b)
    return (
        f"Scalars are not {_relation(rtol, atol)}!\n\nExpected {b} but got {a}.\n"
        f"Absolute difference: {difference}{_allowed(atol)}\n"
        f"Relative difference: {ratio}{_allowed(rtol)}"
    )


def _relation(rtol: float, atol: float) -> str:
    return "equal" if rtol == atol == 0 else "close"


def _allowed(tolerance: float) -> str:
    return f" (up to {tolerance} allowed)" if tolerance else ""


def _fault_of_arrays(x: np.ndarray, y: np.ndarray, options: _Options) -> str | None:
    rtol, atol = options.tolerances(x.dtype.name, y.dtype.name)
    dtype = result_type(x, y) if x.ndim else np.result_type(x, y)
    x, y = x.astype(dtype, copy=False), y.astype(dtype, copy=False)
    if rtol == atol == 0 and dtype.kind != "f":
        same = x == y
    else:
        same = isclose(wrap(x), wrap(y), rtol, atol, options.equal_nan)._array
    if same.all():
        return None
    if not x.ndim:
        return _of_scalars(x.item(), y.item(), rtol, atol)
    with np.errstate(all="ignore"):
        if dtype.kind != "f":
            x, y = x.astype(np.int64), y.astype(np.int64)
        differences = np.where(same, 0, np.abs(x - y))
        ratios = differences / np.abs(y)
        ratios = np.where(same, 0, ratios if dtype.kind == "f" else ratios.astype(np.float32))
    lines = [
        f"Tensor-likes are not {_relation(rtol, atol)}!\n",
        f"Mismatched elements: {(~same).sum()} / {same.size} ({(~same).mean():.1%})",
    ]
    for kind, values, tolerance in (("absolute", differences, atol), ("relative", ratios, rtol)):
        worst = int(np.argmax(values))  # the first NaN, if there is one
        place = tuple(map(int, np.unravel_index(worst, values.shape)))
        value = values.flat[worst].item()
        lines.append(f"Greatest {kind} difference: {value} at index {place}{_allowed(tolerance)}")
    return "\n".join(lines)
