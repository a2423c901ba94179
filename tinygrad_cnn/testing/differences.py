"""Derivatives by differences: of any function of Tensors, in any direction, in float64.

The central difference (f(x + hv) − f(x − hv)) / 2h is off by a series in h², h⁴, ...; two of them,
with h and h/2, give (4 D(h/2) − D(h)) / 3, which is off by h⁴ (Richardson). Rounding adds ε/h: they
meet at h = ε^(1/5), 2⁻¹⁰ in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..engine import Recorded, no_grad, wrap
from .values import Array

Function = Callable[..., Any]


def is_floating(x: Any) -> bool:
    """Whether x is an array, or a Tensor, of floating point."""
    array = plain(x)
    return isinstance(array, np.ndarray) and array.dtype.kind == "f"


def plain(x: Any) -> Any:
    """The array of a Tensor; anything else as it is."""
    return x._array if isinstance(x, Recorded) else x


def double(x: Any) -> Any:
    """A float64 copy of what is of floating point; anything else as it is."""
    return plain(x).astype(np.float64) if is_floating(x) else plain(x)


def floating_outputs(result: Any) -> list[Any]:
    """The Tensors of floating point among what a function returned.

    TypeError where it returned something else than Tensors, or none of floating point.
    """
    outputs = list(result) if isinstance(result, (tuple, list)) else [result]
    if not outputs or not all(isinstance(y, Recorded) for y in outputs):
        raise TypeError(
            f"the function must return a Tensor, or several, got {type(result).__name__}"
        )
    found = [y for y in outputs if is_floating(y)]
    if not found:
        raise TypeError(
            "the function returned no Tensor of floating point: "
            f"{', '.join(str(y.dtype) for y in outputs)}"
        )
    return found


def evaluate(fn: Function, xs: Sequence[Any]) -> list[Array]:
    """The floating-point outputs of `fn`, as arrays; nothing is recorded."""
    with no_grad(), np.errstate(all="ignore"):
        given = [wrap(x) if isinstance(x, np.ndarray) else x for x in xs]
        return [y._array for y in floating_outputs(fn(*given))]


def precision(outputs: Iterable[Any]) -> float:
    """The machine epsilon of the least precise of some arrays or Tensors of floating point."""
    return max((float(np.finfo(y.dtype).eps) for y in outputs), default=2.0**-52)


def smallest(outputs: Iterable[Any]) -> float:
    """Below this some of them lose digits: the smallest normal number of the coarsest dtype."""
    return max((float(np.finfo(y.dtype).tiny) for y in outputs), default=0.0)


def step_for(epsilon: float) -> float:
    """The step h for functions that round to `epsilon`: a power of two near ε^(1/5)."""
    return float(2.0 ** round(math.log2(epsilon) / 5))


def moved(xs: Sequence[Any], directions: Sequence[Any], h: float) -> list[Any]:
    """x + h v for each x that has a direction."""
    return [x if v is None else np.asarray(x + h * v) for x, v in zip(xs, directions, strict=True)]


def central(fn: Function, xs: Sequence[Any], directions: Sequence[Any], h: float) -> list[Array]:
    """(f(x + hv) − f(x − hv)) / 2h; what is the same on both sides, infinite even, counts as 0."""
    after = evaluate(fn, moved(xs, directions, h))
    before = evaluate(fn, moved(xs, directions, -h))
    with np.errstate(all="ignore"):
        return [
            np.where(a == b, 0.0, (a.astype(np.float64) - b) / (2 * h))
            for a, b in zip(after, before, strict=True)
        ]


def richardson(fn: Function, xs: Sequence[Any], directions: Sequence[Any], h: float) -> list[Array]:
    """Two central differences extrapolated to h = 0."""
    wide, narrow = central(fn, xs, directions, h), central(fn, xs, directions, h / 2)
    with np.errstate(all="ignore"):
        return [(4 * b - a) / 3 for a, b in zip(wide, narrow, strict=True)]


def numerical_jvp(
    fn: Function, xs: Sequence[Any], directions: Sequence[Any], h: float | None = None
) -> Any:
    """The derivative of `fn` at `xs` in `directions`, by differences on a float64 copy.

    `fn` takes Tensors and returns one, or several (then the result is a tuple). A direction is an
    array of the shape of its x, or None for an x that stays. Of `h`, ½ h too is used.

    >>> import tinygrad_cnn as tc
    >>> numerical_jvp(tc.exp, [np.zeros(2)], [np.array([1.0, -2.0])]).round(9)
    array([ 1., -2.])
    """
    xs, directions = _float64(xs, directions)
    if h is None:
        h = step_for(precision(evaluate(fn, xs)))
    found = richardson(fn, xs, directions, h)
    return found[0] if len(found) == 1 else tuple(found)


def taylor_slope(
    fn: Function, xs: Sequence[Any], directions: Sequence[Any], jvp: Any, largest: float = 2.0**-5
) -> float:
    """The order with which f(x + hv) − f(x) − h · jvp vanishes: 2 if `jvp` is right, 1 if wrong.

    It needs no tolerance. Infinite where nothing remains but rounding, as of a linear function.

    >>> import tinygrad_cnn as tc
    >>> x, v = np.array([1.0]), np.array([1.0])
    >>> [round(taylor_slope(tc.exp, [x], [v], np.e * c), 1) for c in (1.0, 1.0005)]
    [2.0, 1.0]
    """
    xs, directions = _float64(xs, directions)
    jvps = jvp if isinstance(jvp, (tuple, list)) else [jvp]
    at = evaluate(fn, xs)
    noise = 64 * precision(at) * max((float(np.abs(y).max(initial=0)) for y in at), default=0.0)
    remainders = []
    for k in range(16):
        h = largest / 2**k
        after = evaluate(fn, moved(xs, directions, h))
        with np.errstate(all="ignore"):
            parts = [
                np.where(a == b, 0.0, a.astype(np.float64) - b) - h * np.asarray(d)
                for a, b, d in zip(after, at, jvps, strict=True)
            ]
        remainder = math.sqrt(sum(float((part**2).sum()) for part in parts))
        if not remainder > noise:
            break
        remainders.append(remainder)
    if len(remainders) < 2:
        return math.inf
    slopes = np.log2(np.array(remainders[:-1]) / remainders[1:])
    return float(np.median(slopes[-3:]))


def _float64(xs: Sequence[Any], directions: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    if len(xs) != len(directions):
        raise ValueError(f"got {len(xs)} inputs and {len(directions)} directions")
    points = [double(x) for x in xs]
    vs = [None if v is None else double(np.asarray(plain(v), np.float64)) for v in directions]
    for x, v in zip(points, vs, strict=True):
        if v is not None and np.shape(x) != v.shape:
            raise ValueError(f"a direction has shape {v.shape}, its input {np.shape(x)}")
    return points, vs
