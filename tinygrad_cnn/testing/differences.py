"""Derivatives by finite differences: of any function of Tensors, in any direction, in float64.

The central difference D(h) = (f(x + hv) − f(x − hv)) / 2h has an error of c₂h² + c₄h⁴ + …
Richardson extrapolation, (4 D(h/2) − D(h)) / 3, removes the h² term. Rounding contributes ε/h. The
two errors meet at h = ε^(1/5), which is 2⁻¹⁰ in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..engine import no_grad, wrap
from ..tensor import Tensor
from .inputs import double, is_floating, plain
from .values import Array

Function = Callable[..., Tensor | Sequence[Tensor]]  # of Tensors and any other arguments
Direction = ArrayLike | Tensor | None  # None for an input that stays


def floating_outputs(result: object) -> list[Tensor]:
    """The Tensors of floating point that a function returned.

    Raises TypeError if it returned anything but Tensors, or no Tensor of floating point.
    """
    outputs = list(result) if isinstance(result, (tuple, list)) else [result]
    tensors = [y for y in outputs if isinstance(y, Tensor)]
    if not outputs or len(tensors) < len(outputs):
        raise TypeError(
            f"the function must return a Tensor, or several, got {type(result).__name__}"
        )
    found = [y for y in tensors if is_floating(y)]
    if not found:
        raise TypeError(
            "the function returned no Tensor of floating point: "
            f"{', '.join(str(y.dtype) for y in tensors)}"
        )
    return found


def evaluate(fn: Function, xs: Sequence[Any]) -> list[Array]:
    """The floating-point outputs of `fn`, as arrays. Nothing is recorded."""
    with no_grad(), np.errstate(all="ignore"):
        given = [wrap(x) if isinstance(x, np.ndarray) else x for x in xs]
        return [y._array for y in floating_outputs(fn(*given))]


def precision(outputs: Iterable[Array | Tensor]) -> float:
    """The machine epsilon of the least precise of some floating-point arrays or Tensors."""
    return max((float(np.finfo(y.dtype).eps) for y in outputs), default=2.0**-52)


def smallest(outputs: Iterable[Array | Tensor]) -> float:
    """The smallest normal number of the coarsest dtype. Smaller numbers lose digits."""
    return max((float(np.finfo(y.dtype).tiny) for y in outputs), default=0.0)


def step_for(epsilon: float) -> float:
    """The step h for a function that rounds to `epsilon`: a power of two near ε^(1/5)."""
    return float(2.0 ** round(math.log2(epsilon) / 5))


def moved(xs: Sequence[Any], directions: Sequence[Array | None], h: float) -> list[Any]:
    """x + h v for each x that has a direction v."""
    return [x if v is None else np.asarray(x + h * v) for x, v in zip(xs, directions, strict=True)]


def central(
    fn: Function, xs: Sequence[Any], directions: Sequence[Array | None], h: float
) -> list[Array]:
    """(f(x + hv) − f(x − hv)) / 2h for each output; 0 where both sides are equal, even infinite."""
    after = evaluate(fn, moved(xs, directions, h))
    before = evaluate(fn, moved(xs, directions, -h))
    with np.errstate(all="ignore"):
        return [
            np.where(a == b, 0.0, (a.astype(np.float64) - b) / (2 * h))
            for a, b in zip(after, before, strict=True)
        ]


def richardson(
    fn: Function, xs: Sequence[Any], directions: Sequence[Array | None], h: float
) -> list[Array]:
    """Central differences with h and h/2, extrapolated to h = 0."""
    wide, narrow = central(fn, xs, directions, h), central(fn, xs, directions, h / 2)
    with np.errstate(all="ignore"):
        return [(4 * b - a) / 3 for a, b in zip(wide, narrow, strict=True)]


def numerical_jvp(
    fn: Function, xs: Sequence[object], directions: Sequence[Direction], h: float | None = None
) -> Array | tuple[Array, ...]:
    """The derivative of `fn` at `xs` along `directions`, by differences on a float64 copy.

    `fn` takes Tensors and returns one or several; for several the result is a tuple. A direction
    has the shape of its input, or is None for an input that stays. The differences use the steps
    `h` and `h / 2`; by default `h` fits the precision of the outputs.

    Raises ValueError if the directions do not match the inputs in number or shape.

    >>> import tinygrad_cnn as tc
    >>> numerical_jvp(tc.exp, [np.zeros(2)], [np.array([1.0, -2.0])]).round(9)
    array([ 1., -2.])
    """
    points, vs = _float64(xs, directions)
    if h is None:
        h = step_for(precision(evaluate(fn, points)))
    found = richardson(fn, points, vs, h)
    return found[0] if len(found) == 1 else tuple(found)


def taylor_slope(
    fn: Function,
    xs: Sequence[object],
    directions: Sequence[Direction],
    jvp: ArrayLike | Sequence[ArrayLike],
    largest: float = 2.0**-5,
) -> float:
    """The order in h of the remainder f(x + hv) − f(x) − h · jvp.

    It is 2 for a right `jvp` and 1 for a wrong one. It needs no tolerance. It is infinite where
    only rounding remains, as for a linear function. `largest` is the largest step. For a function
    of several outputs, `jvp` is a tuple.

    >>> import tinygrad_cnn as tc
    >>> x, v = np.array([1.0]), np.array([1.0])
    >>> [round(taylor_slope(tc.exp, [x], [v], np.e * c), 1) for c in (1.0, 1.0005)]
    [2.0, 1.0]
    """
    points, vs = _float64(xs, directions)
    jvps = jvp if isinstance(jvp, (tuple, list)) else [jvp]
    at = evaluate(fn, points)
    noise = 64 * precision(at) * max((float(np.abs(y).max(initial=0)) for y in at), default=0.0)
    remainders = []
    for k in range(16):
        h = largest / 2**k
        after = evaluate(fn, moved(points, vs, h))
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


def _float64(
    xs: Sequence[object], directions: Sequence[Direction]
) -> tuple[list[Any], list[Array | None]]:
    """Float64 copies of the inputs and of the directions, checked against each other."""
    if len(xs) != len(directions):
        raise ValueError(f"got {len(xs)} inputs and {len(directions)} directions")
    points = [double(x) for x in xs]
    vs = [None if v is None else double(np.asarray(plain(v), np.float64)) for v in directions]
    for x, v in zip(points, vs, strict=True):
        if v is not None and np.shape(x) != v.shape:
            raise ValueError(f"a direction has shape {v.shape}, its input {np.shape(x)}")
    return points, vs
