"""The checks at the public edge that functions of a network share."""

from __future__ import annotations

from typing import Any

from ... import functions
from ...graph import Recorded


def pair(name: str, what: str, value: Any, least: int) -> tuple[int, int]:
    """An integer, or two, each at least `least`, as two."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    values = values * 2 if len(values) == 1 else values
    if len(values) != 2 or any(isinstance(v, (float, bool, str)) or v is None for v in values):
        raise TypeError(f"{name}: {what} must be an integer or two, got {value!r}")
    if min(values) < least:
        raise RuntimeError(
            f"{name}: {what} must be {'non-negative' if least == 0 else 'greater than zero'}, got "
            f"{value}"
        )
    return int(values[0]), int(values[1])


def tensors(name: str, **arguments: Any) -> None:
    """Each a Tensor; TypeError that says which is not."""
    for argument, value in arguments.items():
        if not isinstance(value, Recorded):
            raise TypeError(f"{name}: expected a Tensor for {argument}, got {type(value).__name__}")


def images(name: str, x: Any) -> tuple[Any, bool]:
    """x as (N, C, H, W), and whether it came without N."""
    tensors(name, input=x)
    shape = x._array.shape
    if len(shape) not in (3, 4):
        raise RuntimeError(
            f"{name}: expected 3D (unbatched) or 4D (batched) input, got shape {shape}"
        )
    if len(shape) == 3:
        return functions.unsqueeze(x, 0), True
    return x, False


def floating(name: str, **arguments: Any) -> None:
    """Tensors, or None, of one dtype, of floating point."""
    given = {argument: t for argument, t in arguments.items() if t is not None}
    tensors(name, **given)
    dtypes = {t._array.dtype for t in given.values()}
    if len(dtypes) > 1 or next(iter(dtypes)).kind != "f":
        got = ", ".join(f"{argument} {t._array.dtype}" for argument, t in given.items())
        raise RuntimeError(
            f"{name}: expected all tensors to have one floating-point dtype, got {got}"
        )
