"""Why a gradient and the differences disagree, and where they do so most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..graph import wrap
from .differences import central, evaluate, moved, richardson, taylor_slope
from .errors import GradientError
from .subject import Subject
from .values import Array

MOST_INDICES = 2000  # that are differenced one by one, to find the worst


class Pairing:
    """⟨u, f(x)⟩ for a direction v: its derivative by differences, and why that may differ."""

    def __init__(self, subject: Subject, us: Sequence[Array], h: float):
        self.subject, self.us, self.h = subject, us, h
        self.xs = subject.doubles

    def pair(self, parts: Sequence[Array]) -> tuple[float, float]:
        """⟨u, parts⟩, and the sum of the magnitudes of its terms."""
        with np.errstate(all="ignore"):
            terms = [
                np.asarray(u * part, np.float64) for u, part in zip(self.us, parts, strict=True)
            ]
            return sum(float(t.sum()) for t in terms), sum(float(np.abs(t).sum()) for t in terms)

    def directions(self, k: int, v: Array) -> list[Any]:
        """v for input k; the others stay."""
        return [v if j == k else None for j in range(len(self.xs))]

    def derivative(self, k: int, v: Array) -> tuple[float, float]:
        """⟨u, J v⟩ by differences, and the sum of the magnitudes of its terms."""
        return self.pair(richardson(self.subject.fn, self.xs, self.directions(k, v), self.h))

    def paired(self, *xs: Any) -> Any:
        """⟨u, f(x)⟩ itself, as a Tensor; infinite outputs left out."""
        parts = [np.where(np.isfinite(y), y, 0.0) for y in evaluate(self.subject.fn, xs)]
        return wrap(np.asarray(self.pair(parts)[0]))

    def one_sided(self, k: int, v: Array, h: float) -> tuple[float, float]:
        """The slopes of ⟨u, f⟩ behind and ahead of x."""
        fn, vs = self.subject.fn, self.directions(k, v)
        back, at, ahead = (evaluate(fn, moved(self.xs, vs, t)) for t in (-h, 0.0, h))
        with np.errstate(all="ignore"):
            left = [np.where(a == b, 0.0, (a - b) / h) for a, b in zip(at, back, strict=True)]
            right = [np.where(a == b, 0.0, (a - b) / h) for a, b in zip(ahead, at, strict=True)]
        return self.pair(left)[0], self.pair(right)[0]


def disagreement(
    pairing: Pairing, k: int, v: Array, gradient: Array, tolerance: float
) -> GradientError:
    """The error for input k, whose `gradient` failed in direction v by more than `tolerance`."""
    subject = pairing.subject
    by_vjp = float((gradient.astype(np.float64) * v).sum())
    index, at_vjp, at_difference = _worst(pairing, k, gradient)
    verdict, detail = _verdict(pairing, k, v, by_vjp, tolerance)
    return GradientError(
        verdict,
        detail,
        op=subject.name,
        input=f"{subject.names[k]} {subject.xs[k].shape}",
        index=index,
        by_vjp=at_vjp,
        by_difference=at_difference,
    )


def _worst(
    pairing: Pairing, k: int, gradient: Array
) -> tuple[tuple[int, ...] | None, float | None, float | None]:
    """The index where gradient and difference disagree most, and both values."""
    worst: tuple[Any, ...] = (None, None, None)
    most = -1.0
    for flat in range(min(gradient.size, MOST_INDICES)):
        index = tuple(int(i) for i in np.unravel_index(flat, gradient.shape))
        v = np.zeros(gradient.shape)
        v[index] = 1.0
        by_difference = pairing.derivative(k, v)[0]
        error = abs(by_difference - float(gradient[index]))
        if math.isnan(error):
            return index, float(gradient[index]), by_difference
        if error > most:
            most, worst = error, (index, float(gradient[index]), by_difference)
    return worst


def _verdict(
    pairing: Pairing, k: int, v: Array, by_vjp: float, tolerance: float
) -> tuple[str, str]:
    fn, directions, h = pairing.subject.fn, pairing.directions(k, v), pairing.h
    if not math.isfinite(by_vjp):
        return "vjp wrong", "the gradient is not finite"
    # differences with ever smaller steps: they settle, unless it is noise
    steps = [h / 4**j for j in range(8)]
    found = [pairing.pair(central(fn, pairing.xs, directions, s))[0] for s in steps]
    errors = [abs(d - by_vjp) for d in found]
    if not all(math.isfinite(d) for d in found):
        return "function not finite near the input", "choose inputs away from where it is not"
    if min(errors[3:]) <= max(tolerance, 1e-5 * errors[0]) < errors[0]:
        return (
            "kink crossed: choose inputs with a gap",
            f"differences agree with the gradient for steps under {h / 64:.1g}, not for {h:.1g}",
        )
    if all(abs(abs(b) / abs(a) - 4) < 0.5 for a, b in pairwise(found) if a):
        return (
            "kink crossed: choose inputs with a gap",
            "it jumps at the input (differences grow as 1/h), as the gradient of a kink does",
        )
    left, right = pairing.one_sided(k, v, steps[-1])
    nearer = pairing.one_sided(k, v, steps[-1] / 4)
    gap = abs(left - right)
    stable = abs(left - nearer[0]) + abs(right - nearer[1]) < gap / 10
    if stable and gap > 100 * tolerance and min(left, right) <= by_vjp <= max(left, right):
        return (
            "kink crossed: choose inputs with a gap",
            f"the input stands on a kink: the slopes on its sides are {left:.6g} and {right:.6g}, "
            f"the gradient gives {by_vjp:.6g} between them",
        )
    spread = abs(found[2] - found[1]) + abs(found[1] - found[0])
    if spread > errors[0]:
        return (
            "difference noise",
            f"differences with steps of {steps[0]:.1g} to {steps[2]:.1g} vary by {spread:.2g}, "
            f"more than they are off ({errors[0]:.2g}): the function is rough, or of low precision",
        )
    slope = taylor_slope(pairing.paired, pairing.xs, directions, by_vjp)
    return (
        "vjp wrong",
        f"along a random direction {by_vjp:.10g} by the vjp, {found[0]:.10g} by differences; "
        f"Taylor slope {slope:.2f} (2 is right, 1 is wrong)",
    )
