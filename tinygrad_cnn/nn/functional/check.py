"""Checks of arguments that functions of a network share.

A right call passes them quickly: the text of an error is made for a wrong one alone.
"""

from __future__ import annotations

from typing import Any

from ... import ops
from ...dtypes import shown
from ...engine.dtypes import FLOATING
from ...functions.arguments import optional_tensors, tensors
from ...tensor import Tensor

Shape = tuple[int, ...]

NUMBERS = FLOATING + "iu"  # kinds of dtypes: all but bool
INTEGERS = {1: "an integer", 2: "an integer or two", 3: "an integer or three"}


def sizes(name: str, setting: str, value: Any, least: int, n: int) -> tuple[int, ...]:
    """An integer, or n of them, as a tuple of n. Each must be at least `least`, 0 or 1.

    Raises TypeError for a value that is no integer, RuntimeError for another number of values and
    for one below `least`.
    """
    if type(value) is int:
        if value >= least:
            return (value,) * n
    elif type(value) is tuple and len(value) == n:
        for v in value:
            if type(v) is not int or v < least:
                break
        else:
            return value
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if any(isinstance(v, (float, bool, str)) or not hasattr(v, "__index__") for v in values):
        raise TypeError(f"{name}: {setting} must be {INTEGERS[n]}, got {value!r}")
    if len(values) not in (1, n):
        raise RuntimeError(f"{name}: {setting} must be {INTEGERS[n]}, got {value!r}")
    if min(values) < least:
        wanted = "non-negative" if least == 0 else "greater than zero"
        raise RuntimeError(f"{name}: {setting} must be {wanted}, got {value}")
    return tuple(int(v) for v in values) * (n // len(values))


# --- Dtypes -------------------------------------------------------------------------------------


def floating(name: str, **arguments: Any) -> None:
    """Raise unless the first arguments of `name` are Tensors of one floating-point dtype.

    They are given in order. The error is a TypeError for the first that is no Tensor, and otherwise
    that of `one_dtype`.
    """
    dtype = None
    for x in arguments.values():
        if not isinstance(x, Tensor) or (dtype or x._array.dtype) is not x._array.dtype:
            break
        dtype = x._array.dtype
    else:
        if dtype is not None and dtype.kind in FLOATING:
            return
    tensors(name, **arguments)
    one_floating_dtype(name, **arguments)


def floating_affine(
    name: str, input: Any, weight: Any, bias: Any, place: int = 2, integers: tuple[str, ...] = ()
) -> bool:
    """Raise as `floating` unless input, weight and bias are of one floating-point dtype.

    The bias may be None. `place` is the position of the weight, and the bias comes next. From
    place 3 on the weight may be None too. `integers` names further dtypes. Returns whether the
    Tensors have one of these.
    """
    if (
        isinstance(input, Tensor)
        and (isinstance(weight, Tensor) or (weight is None and place > 2))
        and (bias is None or isinstance(bias, Tensor))
    ):
        dtype = input._array.dtype
        if (
            dtype.kind in FLOATING
            and (weight is None or weight._array.dtype is dtype)
            and (bias is None or bias._array.dtype is dtype)
        ):
            return False
    tensors(name, input=input, **({"weight": weight} if place == 2 else {}))
    optional_tensors(name, place, weight=weight, bias=bias)
    return one_dtype(name, integers, input=input, weight=weight, bias=bias)


def one_floating_dtype(name: str, **arguments: Any) -> None:
    """Raise as `one_dtype` unless the Tensors have one floating-point dtype. Some may be None."""
    one_dtype(name, (), **arguments)


def one_dtype(name: str, integers: tuple[str, ...], /, **arguments: Any) -> bool:
    """Whether the Tensors have one of the dtypes `integers`. Some may be None.

    Otherwise they must have one floating-point dtype: RuntimeError for several dtypes, and
    NotImplementedError for one of another kind.
    """
    dtypes = {a: t._array.dtype for a, t in arguments.items() if t is not None}
    first = next(iter(dtypes.values()))
    several = len(set(dtypes.values())) > 1
    if several or (first.kind not in FLOATING and first.name not in integers):
        got = ", ".join(f"{argument} {shown(dtype)}" for argument, dtype in dtypes.items())
        error = RuntimeError if several else NotImplementedError
        raise error(f"{name}: expected all tensors to have one floating-point dtype, got {got}")
    return first.kind not in FLOATING


def check_kind(name: str, input: Any, kinds: str = FLOATING) -> None:
    """Raise unless `input` is a Tensor whose dtype is of one of these kinds (NumPy's letters)."""
    if not isinstance(input, Tensor):
        tensors(name, input=input)
    if input._array.dtype.kind not in kinds:
        raise NotImplementedError(
            f'"{name}" not implemented for {input.dtype}: wanted floating point'
        )


# --- Axes of space ------------------------------------------------------------------------------

ADD_BATCH, TAKE_BATCH = (None, ...), (0, ...)  # indices: (C, ..) to (1, C, ..), and back
ADD_ROW = (slice(None), slice(None), None, ...)  # (N, C, L) to (N, C, 1, L) ...
TAKE_ROW = (slice(None), slice(None), 0, ...)  # ... and back


def check_spatial(name: str, shape: Shape, n: int) -> None:
    """RuntimeError unless the shape is (N, C, ..) or (C, ..) with n axes of space."""
    if len(shape) not in (n + 1, n + 2):
        raise RuntimeError(
            f"{name}: expected {n + 1}D (unbatched) or {n + 2}D (batched) input, got shape {shape}"
        )


def batched(x: Any, n: int) -> Any:
    """(C, ..) with n axes of space as (1, C, ..), and (N, C, ..) as it is."""
    return x if x._array.ndim == n + 2 else ops.getitem(x, index=ADD_BATCH)


def as_images(x: Any, n: int) -> Any:
    """`batched`, and one axis of space as two: (N, C, L) as (N, C, 1, L)."""
    x = batched(x, n)
    return ops.getitem(x, index=ADD_ROW) if n == 1 else x


def restored(y: Any, n: int, ndim: int) -> Any:
    """y without the axes that `as_images` added to an input of ndim axes."""
    if n == 1:
        y = ops.getitem(y, index=TAKE_ROW)
    return y if ndim == n + 2 else ops.getitem(y, index=TAKE_BATCH)
