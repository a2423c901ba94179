"""The gradients of float32 and float16 inputs, against those of the same numbers in float64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .core.subject import Array, Subject, blur, double
from .errors import GradientError

JITTERS = 3  # backward passes at inputs changed in their last digits


def in_own_dtype(subject: Subject, us: Sequence[Array]) -> None:
    """Compare the gradients for the inputs as they are with those for the same numbers in float64.

    Rounding may explain 16 times the change that random relative changes of the size of the machine
    epsilon make: in inputs, in cotangents, and in what was saved. Raises GradientError beyond.
    """
    with np.errstate(all="ignore"):
        ys = subject.value(subject.xs)
        if not all(np.isfinite(y).all() for y in ys):
            return  # too large for the dtype
        us = [u.astype(y.dtype) for u, y in zip(us, ys, strict=True)]
        own = [np.asarray(g) for g in subject.vjp(subject.xs, us)]
        wide = [u.astype(np.float64) for u in us]
        exact = [np.asarray(g, np.float64) for g in subject.vjp(subject.doubles, wide)]
        epsilon = max(float(np.finfo(a.dtype).eps) for a in (*ys, *own))
        rng = np.random.default_rng(11)
        changed = [subject.blurred(wide, rng, epsilon) for _ in range(JITTERS)]
        for place, (g, e) in enumerate(zip(own, exact, strict=True)):
            _compare(subject, place, us, g, e, [c[place] for c in changed], epsilon)


def _compare(
    subject: Subject, place: int, us: Sequence[Array], g: Array, e: Array, changed: Sequence[Array],
    epsilon: float,
) -> None:  # fmt: skip
    """Compare the gradient `g` with the exact one `e`, which small changes make into `changed`."""
    spread = np.max([np.abs(c - e) for c in changed], axis=0)
    limits = np.finfo(g.dtype)
    mean = spread.mean() if spread.size else 0.0
    slack = 16 * (np.maximum(spread, mean) + epsilon * np.abs(e) + limits.tiny)
    off = ~(np.abs(g.astype(np.float64) - e) <= slack) & (np.abs(e) < limits.max / 2)
    if off.any() and not subject.blurs_saved:
        off &= _systematic(subject, place, us, epsilon)
    if not off.any():
        return
    worst = np.where(off, np.abs(g - e) / slack, -1.0)
    index = tuple(int(i) for i in np.unravel_index(np.argmax(worst), g.shape))
    name = np.dtype(g.dtype).name
    raise GradientError(
        f"wrong in {name}",
        f"at index {index}: {g[index]:.9g} in {name}, {e[index]:.9g} in float64; "
        f"rounding explains {slack[index]:.2g}",
        op=subject.name,
        input=subject.describe(subject.wrt[place]),
        index=None,
    )


def _systematic(subject: Subject, place: int, us: Sequence[Array], epsilon: float) -> Array:
    """Where the gradient in the own dtype is off in one direction, for inputs close by.

    Rounding is off in both. A part that only rounding in the function itself could make, as of a
    saved value, is not counted.
    """
    rng, offs = np.random.default_rng(13), []
    for _ in range(2 * JITTERS):
        xs = [
            blur(x, rng, 64 * epsilon) if k in subject.wrt else x for k, x in enumerate(subject.xs)
        ]
        own = np.asarray(subject.vjp(xs, us)[place], np.float64)
        wide = [u.astype(np.float64) for u in us]
        offs.append(own - np.asarray(subject.vjp([double(x) for x in xs], wide)[place]))
    mean, spread = np.mean(offs, axis=0), np.std(offs, axis=0)
    unit = max((float(np.abs(u).max(initial=0.0)) for u in us), default=0.0)
    return (np.abs(mean) > 4 * spread) & (np.abs(mean) > 16 * epsilon * unit)
