"""Numbers in sequence: `arange`, `linspace`, `logspace`; and the identity matrix."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atomic import quiet
from ..dtypes import dtype_of
from ..engine.dtypes import FLOATING, float64, get_default_dtype, int64
from ..functions.arguments import array_of, integer
from ..functions.public import public
from ..types import Device, DType, Layout, Number
from .options import dtype_or_default, made, number

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["arange", "eye", "linspace", "logspace"]


@public
def arange(
    start: Number | Tensor | None = None, end: Number | Tensor | None = None,
    step: Number | Tensor = 1, *, out: Tensor | None = None, dtype: DType | None = None,
    layout: Layout | None = None, device: Device = None, requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """The numbers from start, 0 by default, to end, without it: a vector of ⌈(end − start) / step⌉.

    `arange(end)`, `arange(start, end, step)`. It is of int64 if all three are integers, else of the
    default dtype. For a dtype of integers start and step are rounded towards 0, for int64 end too.
    RuntimeError if step is 0 or leads away from end, and for a range that is not finite.

    >>> tc.arange(3), tc.arange(1, 2, 0.5)
    (tensor([0, 1, 2]), tensor([1.0000, 1.5000]))
    """
    if end is None:
        if start is None:
            raise TypeError('arange() missing 1 required positional arguments: "end"')
        start, end = 0, start
    dtype = None if dtype is None else dtype_of("arange", dtype)
    first, last, by = _number(0 if start is None else start), _number(end), _number(step)
    if by == 0:
        raise RuntimeError("arange: step must be nonzero")
    if (last - first) * by < 0:
        raise RuntimeError(
            f"arange: upper bound and lower bound inconsistent with step sign: {first}, {last}, {by}"
        )
    whole = all(map(math.isfinite, (first, last, by)))
    if dtype == int64 and whole:  # PyTorch counts in it
        first, last, by = int(first), int(last), int(by)
    outside = [type(x) is int and not -(2**63) <= x < 2**63 for x in (first, last, by)]
    if any(outside) or (dtype == int64 and not whole):
        raise RuntimeError("arange: value cannot be converted to type int64_t without overflow")
    try:
        if dtype is None or dtype == int64 or dtype.kind not in "iu":
            array = np.arange(first, last, by)
        else:
            array = int(first) + int(by) * np.arange(math.ceil((last - first) / by))
    except ZeroDivisionError:  # of a step below 1
        raise ValueError("step must be nonzero") from None
    except (MemoryError, OverflowError, ValueError) as error:
        raise RuntimeError(f"arange: unsupported range: {first} -> {last}: {error}") from None
    if dtype is not None:
        array = array.astype(dtype)
    elif array.dtype.kind in FLOATING:
        array = array.astype(get_default_dtype())
    return made("arange", array, layout, device, requires_grad)


def _number(x: Any) -> Any:
    """A number, or the only element of a Tensor or array."""
    x = x.item() if hasattr(x, "item") else x
    if not isinstance(x, (int, float)):
        raise TypeError(f"arange(): wanted numbers, got {type(x).__name__}")
    return x


def _steps(name: str, steps: Any) -> int:
    if steps is None:
        raise TypeError(f'{name}() missing 1 required positional arguments: "steps"')
    steps = integer(name, "steps", steps)
    if steps < 0:
        raise RuntimeError(f"{name}: number of steps must be non-negative, got {steps}")
    return steps


def _line(name: str, start: Any, end: Any, steps: int, dtype: np.dtype[Any]) -> np.ndarray:
    """`steps` numbers from start to end in float64, from either end to the middle, as PyTorch's are.

    For integers the ends are rounded towards 0 first.
    """
    ends = []
    for x in map(array_of, (start, end)):
        if np.ndim(x):
            raise RuntimeError(
                f"{name} only supports 0-dimensional start and end tensors, but got tensor(s) with "
                f"{np.ndim(x)} dimension(s)."
            )
        ends.append(number(name, x, dtype).astype(float64))
    first, last = ends
    if steps == 1:
        return first.reshape(1)
    k = np.arange(steps)
    with quiet():
        step = (last - first) / max(steps - 1, 1)
        return np.where(k < steps // 2, first + step * k, last - step * (steps - 1 - k))


@public
def linspace(
    start: Number | Tensor, end: Number | Tensor, steps: int | None = None, *,
    out: Tensor | None = None, dtype: DType | None = None, layout: Layout | None = None,
    device: Device = None, requires_grad: bool | None = False, pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """`steps` numbers at equal distances from start to end, both included.

    A vector of the default dtype if none is given. RuntimeError for negative steps, and for ends
    with axes or that the dtype cannot hold.

    >>> tc.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    dtype = dtype_or_default("linspace", dtype)
    array = _line("linspace", start, end, _steps("linspace", steps), dtype).astype(dtype)
    return made("linspace", array, layout, device, requires_grad)


@public
def logspace(
    start: Number | Tensor, end: Number | Tensor, steps: int | None = None, base: float = 10.0, *,
    out: Tensor | None = None, dtype: DType | None = None, layout: Layout | None = None,
    device: Device = None, requires_grad: bool | None = False, pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """base to the powers `linspace(start, end, steps)`.

    A vector of the default dtype if none is given. For integers both ends are rounded towards 0
    first. RuntimeError as by `linspace`.

    >>> tc.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    dtype = dtype_or_default("logspace", dtype)
    powers = _line("logspace", start, end, _steps("logspace", steps), dtype)
    with quiet():
        array = (np.float64(base) ** powers).astype(dtype)
    return made("logspace", array, layout, device, requires_grad)


@public
def eye(
    n: int, m: int | None = None, *, out: Tensor | None = None, dtype: DType | None = None,
    layout: Layout | None = None, device: Device = None, requires_grad: bool | None = False,
    pin_memory: bool | None = False,
) -> Tensor:  # fmt: skip
    """The matrix (n, n), or (n, m), with 1 on its diagonal and 0 elsewhere.

    It has the default dtype if none is given. RuntimeError for a negative size.

    >>> tc.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    sides = [integer("eye", name, k) for name, k in (("n", n), ("m", n if m is None else m))]
    if min(sides) < 0:
        raise RuntimeError(f"eye: n and m must be greater or equal to 0, got {sides}")
    array = np.eye(*sides, dtype=dtype_or_default("eye", dtype))
    return made("eye", array, layout, device, requires_grad)
