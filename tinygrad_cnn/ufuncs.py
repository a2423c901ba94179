"""NumPy's functions on Tensors: `Tensor.__array_ufunc__`.

A ufunc that has an op here runs that op: np.exp(x) is tc.exp(x), array * x is x * array, and both are
recorded. Other ufuncs compute the values alone; where a gradient is asked for, they raise an error.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from . import functions as f, ops
from .dtypes import supported
from .engine import Recorded, grad_mode, mark_written, no_grad, wrap
from .engine.dtypes import result_type
from .functions.arguments import array_of
from .functions.comparison import combine_bits, compare
from .functions.products import multiplied


def matmul(a: Any, b: Any) -> Any:
    """The product in the dtype in which the factors meet, as NumPy's."""
    dtype = result_type(array_of(a), array_of(b))
    x, w = (wrap(np.asarray(t)) if not isinstance(t, Recorded) else t for t in (a, b))
    return multiplied(ops.cast(x, dtype=dtype), ops.cast(w, dtype=dtype))


ALIKE = """
    absolute arccos arcsin arctan ceil cos cosh exp expm1 floor isfinite isinf isnan log log10 log1p log2
    logical_not negative reciprocal sign sin sinh sqrt square tan tanh trunc
"""  # ufuncs of one input that are functions of the same name
COMPARISONS = """
    equal greater greater_equal less less_equal logical_and logical_or logical_xor not_equal
"""
FUNCTIONS: dict[np.ufunc, Callable[..., Any]] = {
    **{getattr(np, name): getattr(f, name) for name in ALIKE.split()},
    **{getattr(np, name): partial(compare, getattr(np, name)) for name in COMPARISONS.split()},
    **{u: partial(combine_bits, u) for u in (np.bitwise_and, np.bitwise_or, np.bitwise_xor)},
    np.arccosh: f.acosh, np.arcsinh: f.asinh, np.arctanh: f.atanh, np.invert: f.bitwise_not,
    np.rint: f.round, np.positive: lambda x: x, np.conjugate: lambda x: x,
    np.deg2rad: lambda x: x * (np.pi / 180), np.radians: lambda x: x * (np.pi / 180),
    np.rad2deg: lambda x: x * (180 / np.pi), np.degrees: lambda x: x * (180 / np.pi),
    np.add: ops.add, np.subtract: ops.sub, np.multiply: ops.mul, np.divide: ops.div,
    np.power: ops.pow, np.maximum: ops.maximum, np.minimum: ops.minimum, np.arctan2: ops.atan2,
    np.matmul: matmul,
    **{getattr(np, n): getattr(f, n).edge.function for n in ("floor_divide", "remainder", "fmod")},
}  # fmt: skip
REDUCTIONS = {
    np.add: "sum", np.multiply: "prod", np.maximum: "amax", np.minimum: "amin",
    np.logical_and: "all", np.logical_or: "any",
}  # fmt: skip
SCANS = {np.add: "cumsum", np.multiply: "cumprod"}


def array_ufunc(self: Any, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """NumPy's protocol: `ufunc`, or a `method` of it, was called and a Tensor is among its operands.

    RuntimeError for a ufunc without an op, and for `out`, where a Tensor requires grad.
    """
    outs = kwargs.pop("out", ())
    if not all(_known(x) for x in (*inputs, *outs)):
        return NotImplemented
    if not outs and (function := _recorded(ufunc, method, kwargs)) is not None:
        return function(*map(_operand, inputs))
    if grad_mode.enabled and any(getattr(x, "_node", None) is not None for x in (*inputs, *outs)):
        call = f"np.{ufunc.__name__}" + (f".{method}" if method != "__call__" else "")
        reason = "cannot record a write to an array" if outs else "has no gradient here"
        raise RuntimeError(
            f"Can't call numpy() on Tensor that requires grad: {call} {reason}. Use an expression of "
            "Tensors and the functions of tinygrad_cnn (tc.exp, a = a + x), or tensor.detach().numpy()"
        )
    arrays = [array_of(x) for x in inputs]
    kwargs = {name: array_of(value) for name, value in kwargs.items()}  # where=mask
    if method == "at":
        ufunc.at(*arrays, **kwargs)
        return mark_written(arrays[0]) if isinstance(inputs[0], Recorded) else None
    if any(isinstance(x, Recorded) for x in outs):
        return _into(outs, getattr(ufunc, method)(*arrays, **kwargs))
    if outs:
        return getattr(ufunc, method)(*arrays, out=outs, **kwargs)
    result = getattr(ufunc, method)(*arrays, **kwargs)
    return tuple(map(_wrapped, result)) if isinstance(result, tuple) else _wrapped(result)


def _wrapped(result: Any) -> Any:
    """A Tensor of NumPy's result; the result itself if no Tensor has its dtype."""
    return wrap(result) if supported(result.dtype) else result


def _known(x: Any) -> bool:
    """Whether `x` is no object of another library that has its own idea of ufuncs."""
    return isinstance(x, (Recorded, np.ndarray, np.generic)) or not hasattr(x, "__array_ufunc__")


def _operand(x: Any) -> Any:
    """`x` as a function here takes it: a Tensor or a number."""
    if isinstance(x, (list, tuple)):
        x = np.asarray(x)
    return wrap(x) if isinstance(x, np.ndarray) else x


def _recorded(ufunc: np.ufunc, method: str, kwargs: dict[str, Any]) -> Callable[..., Any] | None:
    """The function that does the same as a method of `ufunc`; None if there is none."""
    if method == "__call__" and not kwargs:
        return FUNCTIONS.get(ufunc)
    options = {"axis": 0, **kwargs}
    if options.get("dtype", ...) is None:
        del options["dtype"]
    if method == "reduce" and ufunc in REDUCTIONS:
        name, known = REDUCTIONS[ufunc], {"axis", "keepdims"}
    elif method == "accumulate" and ufunc in SCANS:
        name, known = SCANS[ufunc], {"axis"}
    else:
        return None
    if name in ("sum", "prod", "cumsum", "cumprod"):
        known = known | {"dtype"}
    if not known.issuperset(options):
        return None
    return partial(getattr(f, name), **options)


def _into(outs: tuple[Any, ...], result: Any) -> Any:
    """`outs`, Tensors and arrays, with the values of `result` written to them."""
    results = result if isinstance(result, tuple) else (result,)
    for out, y in zip(outs, results, strict=True):
        target = array_of(out)
        if not np.can_cast(y.dtype, target.dtype, "same_kind"):
            raise TypeError(f"cannot write {y.dtype} to an output of {target.dtype}")
    with no_grad():
        for out, y in zip(outs, results, strict=True):
            out[...] = wrap(y) if isinstance(out, Recorded) else y
    return outs if isinstance(result, tuple) else outs[0]
