"""The checks at the public edge that functions of a network share."""

from __future__ import annotations

from typing import Any

from ... import functions
from ...engine import Recorded

SEVERAL = {1: "an integer", 2: "an integer or two", 3: "an integer or three"}


def sizes(name: str, what: str, value: Any, least: int, n: int) -> tuple[int, ...]:
    """An integer, or n, each at least `least`, as n.

    TypeError for what is no integer, RuntimeError for another number of them and for small ones.
    """
    if type(value) is int and value >= least:
        return (value,) * n
    plain = type(value) is tuple and set(map(type, value)) == {int} and len(value) == n
    if plain and min(value) >= least:
        return value
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if any(isinstance(v, (float, bool, str)) or not hasattr(v, "__index__") for v in values):
        raise TypeError(f"{name}: {what} must be {SEVERAL[n]}, got {value!r}")
    if len(values) not in (1, n):
        raise RuntimeError(f"{name}: {what} must be {SEVERAL[n]}, got {value!r}")
    if min(values) < least:
        raise RuntimeError(
            f"{name}: {what} must be {'non-negative' if least == 0 else 'greater than zero'}, got "
            f"{value}"
        )
    return tuple(int(v) for v in values) * (n // len(values))


def tensors(name: str, **arguments: Any) -> None:
    """Each a Tensor; TypeError that says which is not."""
    for argument, value in arguments.items():
        if not isinstance(value, Recorded):
            raise TypeError(f"{name}: expected a Tensor for {argument}, got {type(value).__name__}")


def spatial(name: str, x: Any, n: int) -> tuple[Any, bool]:
    """x as (N, C, ..) with n axes of space, and whether it came without N."""
    tensors(name, input=x)
    shape = x._array.shape
    if len(shape) not in (n + 1, n + 2):
        raise RuntimeError(
            f"{name}: expected {n + 1}D (unbatched) or {n + 2}D (batched) input, got shape {shape}"
        )
    if len(shape) == n + 1:
        return functions.unsqueeze(x, 0), True
    return x, False


def floating(name: str, **arguments: Any) -> None:
    """Tensors, or None, of one dtype, of floating point."""
    dtype = None
    for t in arguments.values():  # what is right is passed quickly
        if t is not None:
            if not isinstance(t, Recorded) or (dtype or t._array.dtype) is not t._array.dtype:
                break
            dtype = t._array.dtype
    else:
        if dtype is not None and dtype.kind == "f":
            return
    given = {argument: t for argument, t in arguments.items() if t is not None}
    tensors(name, **given)
    dtypes = {t._array.dtype for t in given.values()}
    if len(dtypes) > 1 or next(iter(dtypes)).kind != "f":
        got = ", ".join(f"{argument} {t._array.dtype}" for argument, t in given.items())
        raise RuntimeError(
            f"{name}: expected all tensors to have one floating-point dtype, got {got}"
        )
