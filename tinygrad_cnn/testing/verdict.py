"""Why a gradient and the differences disagree, and at which element most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..engine import wrap
from ..tensor import Tensor
from .differences import central, evaluate, moved, richardson, taylor_slope
from .errors import GradientError
from .subject import Subject
from .values import Array

KINK = "kink crossed: choose inputs with a gap"
MOST_INDICES = 2000  # elements that are differenced one by one, in search of the worst


class Pairing:
    """The scalar function ⟨u, f(x)⟩ of a subject f, for fixed cotangents u: its differences.

    `h` is the step of the differences.
    """

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

    def directions(self, k: int, v: Array) -> list[Array | None]:
        """The direction v for input k. The other inputs stay."""
        return [v if j == k else None for j in range(len(self.xs))]

    def derivative(self, k: int, v: Array) -> tuple[float, float]:
        """⟨u, J v⟩ by differences, and the sum of the magnitudes of its terms."""
        return self.pair(richardson(self.subject.fn, self.xs, self.directions(k, v), self.h))

    def settles(self, k: int, v: Array, by_vjp: float, noise: float, tolerance: float) -> bool:
        """Whether the difference disagrees with `by_vjp` only because its step is too large.

        Then halving the step reduces the error as h⁴, or as h⁶ where the h⁴ term cancels, down to
        `tolerance`. It does not reduce it at once, as where a kink is between two steps. `noise` is
        the rounding error of the difference at h. It doubles whenever h is halved.
        """
        directions, error, falls = self.directions(k, v), math.inf, 0
        for j in range(9):
            before, floor = error, noise * 2**j
            parts = richardson(self.subject.fn, self.xs, directions, self.h / 2**j)
            error = abs(self.pair(parts)[0] - by_vjp)
            if j and not before <= 1000 * (error + floor):
                return False
            falls = falls + 1 if j and before >= 8 * (error - floor) else 0
            if error <= floor or (falls >= 2 and error <= tolerance):
                return 0 < j == falls or falls >= 2
        return False

    def paired(self, *xs: Any) -> Tensor:
        """⟨u, f(x)⟩ as a Tensor, without infinite outputs."""
        parts = [np.where(np.isfinite(y), y, 0.0) for y in evaluate(self.subject.fn, xs)]
        y: Tensor = wrap(np.asarray(self.pair(parts)[0]))
        return y

    def one_sided(self, k: int, v: Array, h: float) -> tuple[float, float]:
        """The slopes of ⟨u, f⟩ on the two sides of x along v, with step h."""
        fn, vs = self.subject.fn, self.directions(k, v)
        back, at, ahead = (evaluate(fn, moved(self.xs, vs, t)) for t in (-h, 0.0, h))
        with np.errstate(all="ignore"):
            left = [np.where(a == b, 0.0, (a - b) / h) for a, b in zip(at, back, strict=True)]
            right = [np.where(a == b, 0.0, (a - b) / h) for a, b in zip(ahead, at, strict=True)]
        return self.pair(left)[0], self.pair(right)[0]


def disagreement(
    pairing: Pairing, k: int, v: Array, gradient: Array, tolerance: float
) -> GradientError:
    """The error for input k, whose `gradient` is off by more than `tolerance` along v."""
    subject = pairing.subject
    by_vjp = float((gradient.astype(np.float64) * v).sum())
    verdict, detail = _of_steps(pairing, k, v, by_vjp, tolerance)
    worst = _Worst(None, None, None)
    if verdict != "difference noise":
        worst, kinks = _by_element(pairing, k, gradient)
        if verdict == "vjp wrong" and kinks and not worst.wrong:
            verdict, detail = KINK, f"its slopes on the two sides of the input differ at {kinks[0]}"
        elif verdict == KINK and worst.wrong:
            verdict, detail = "vjp wrong", "where there is no kink; and elsewhere one is near"
    return GradientError(
        verdict,
        detail,
        op=subject.name,
        input=f"{subject.names[k]} {subject.xs[k].shape}",
        index=worst.index,
        by_vjp=worst.by_vjp,
        by_difference=worst.by_difference,
    )


@dataclass(frozen=True)
class _Worst:
    """The element where gradient and difference disagree most, with both values.

    `wrong` says that no kink explains the disagreement.
    """

    index: tuple[int, ...] | None
    by_vjp: float | None
    by_difference: float | None
    wrong: bool = False


def _by_element(pairing: Pairing, k: int, gradient: Array) -> tuple[_Worst, list[tuple[int, ...]]]:
    """The worst element, and the elements at a kink: there the slopes of the two sides differ.

    An element at a kink is wrong only if it is outside of the slopes of its two sides.
    """
    worst, most = _Worst(None, None, None), (False, -1.0)
    kinks: list[tuple[int, ...]] = []
    for flat in range(min(gradient.size, MOST_INDICES)):
        index = tuple(int(i) for i in np.unravel_index(flat, gradient.shape))
        v = np.zeros(gradient.shape)
        v[index] = 1.0
        given = float(gradient[index])
        by_difference = pairing.derivative(k, v)[0]
        fine = [pairing.one_sided(k, v, pairing.h / 4**j) for j in (6, 7)]
        slopes = [by_difference, *fine[0], *fine[1]]
        if math.isnan(given) or not all(map(math.isfinite, slopes)):
            return _Worst(index, given, by_difference, True), kinks
        size = max(*map(abs, slopes), abs(given))
        near = max(slopes[1:]) - min(slopes[1:]) <= 1e-5 * size + 1e-9  # both sides agree
        least, largest = (slopes[1], slopes[1]) if near else (min(slopes), max(slopes))
        off = max(least - given, given - largest, 0.0)
        wrong = off > 1e-4 * size + 1e-9
        if not near:
            kinks.append(index)
        error = off if wrong else abs(given - by_difference)
        if (wrong, error) > most:
            most = (wrong, error)
            worst = _Worst(index, given, slopes[1] if wrong and near else by_difference, wrong)
    return worst, kinks


def _of_steps(
    pairing: Pairing, k: int, v: Array, by_vjp: float, tolerance: float
) -> tuple[str, str]:
    """The verdict and its detail from differences along v with smaller and smaller steps."""
    fn, directions, h = pairing.subject.fn, pairing.directions(k, v), pairing.h
    if not math.isfinite(by_vjp):
        return "vjp wrong", "the gradient is not finite"
    steps = [h / 4**j for j in range(8)]
    found = [pairing.pair(central(fn, pairing.xs, directions, s))[0] for s in steps]
    errors = [abs(d - by_vjp) for d in found]
    if not all(math.isfinite(d) for d in found):
        return "function not finite near the input", "choose inputs away from where it is not"
    if min(errors[3:]) <= max(tolerance, 1e-5 * errors[0]) < errors[0]:
        return (
            KINK,
            f"differences agree with the gradient for steps under {h / 64:.1g}, not for {h:.1g}",
        )
    if all(a and abs(abs(b) / abs(a) - 4) < 0.5 for a, b in pairwise(found)):
        return KINK, "it jumps at the input (differences grow as 1/h)"
    # f(x + hv) − 2 f(x) + f(x − hv) falls as h², at a kink as h. Noise keeps its size.
    sides = [pairing.one_sided(k, v, s) for s in steps[5:]]
    floor = max(abs(b - a) * s for (a, b), s in zip(sides, steps[5:], strict=True))
    if 4 * floor / h > errors[0]:
        return (
            "difference noise",
            f"the function is rough by {floor:.2g}, or of low precision: differences with steps of "
            f"{h:.1g} may be off by {floor / h:.2g}, and are by {errors[0]:.2g}",
        )
    slope = taylor_slope(pairing.paired, pairing.xs, directions, by_vjp)
    return (
        "vjp wrong",
        f"along a random direction {by_vjp:.10g} by the vjp, {found[0]:.10g} by differences; "
        f"Taylor slope {slope:.2f} (2 is right, 1 is wrong)",
    )
