"""Whether a gradient is right along a line: decided by exclusion, never by one comparison.

The estimates of the error at all steps are intervals. Intervals of neighbouring steps that overlap
describe one slope: they form a *segment*, and their intersection is what is left. A function may
have several slopes. Where it is a staircase by rounding, small steps see the flat of a stair and
large ones the slope; where it oscillates, it is the other way round. So the gradient is wrong only
if it differs from the slope at small steps, and from each slope that noise separates from it.
"""

from __future__ import annotations

import enum
import itertools
import math
from dataclasses import dataclass

from .line import Estimate, Line

NARROW = 0.1  # of the size of the slope: wider intervals say nothing; more if outputs are coarse
ONSET = 16.0  # noise that is so much larger than that of smaller steps has another cause
SUDDEN = (
    2  # steps, at most, until noise that sets in keeps its size; where φ saturates it takes many
)
STAIR = 2.0**-9  # of the outputs: higher stairs are not made by rounding
QUICK = (9, 12, 15)  # steps to try before all of them: 2⁻¹⁰, 2⁻¹⁶, 2⁻²²


class Outcome(enum.Enum):
    """What the comparison along a line showed."""

    RIGHT = "right"
    WRONG = "wrong"
    UNSEEN = "unseen"


class Reason(enum.Enum):
    """Why a comparison could not tell."""

    KINK = "the slopes on the two sides of the input differ"
    JUMP = "the function jumps at the input"
    STAIRS = "the function is a staircase: flat for small steps"
    NOISE = "the function is too rough"
    INFINITE = "the function is not finite near the input"


@dataclass(frozen=True)
class Verdict:
    """The outcome along a line. An error of the slope smaller than `seen` would not be seen."""

    outcome: Outcome
    seen: float
    estimate: Estimate | None = None  # the best one, if the outcome is not RIGHT
    reason: Reason | None = None


@dataclass
class _Segment:
    """Overlapping intervals of neighbouring steps, `[first, last]` in the list of estimates."""

    low: float
    high: float
    best: Estimate
    length: int = 1

    @property
    def width(self) -> float:
        return self.high - self.low

    @property
    def centre(self) -> float:
        return (self.low + self.high) / 2

    def contains(self, tolerance: float) -> bool:
        """Whether the error may be zero, up to the tolerance."""
        return self.low <= tolerance and self.high >= -tolerance


def quick(line: Line, rtol: float) -> Verdict | None:
    """RIGHT if the gradient agrees to `rtol` of its size at a few steps. Otherwise None."""
    tolerance = rtol * line.size + line.floor
    enough = max(100 * tolerance, 1e-6 * line.unit if line.size == 0 else 0.0)
    for j in QUICK if line.size else QUICK[:1]:
        j += line.offset
        found = line.estimate(j, 0.0)
        if found is None:
            continue
        narrow = line.level(j + 1)
        noise = 4 * line.rounding / narrow.h + narrow.rounding
        if noise > enough:
            return None
        falls = abs(found.error - narrow.error) <= 1e-3 * line.size + noise
        if abs(found.error) <= tolerance + noise and falls:
            return Verdict(Outcome.RIGHT, tolerance + noise)
    return None


def decide(line: Line, rtol: float, jitter: float = 0.0, slack: float = 0.0) -> Verdict:
    """The verdict from all steps.

    `jitter` is the noise of the claim ⟨ḡ, v⟩ that was measured, and `slack` one that was not.
    """
    estimates = line.estimates(jitter)
    if not estimates:
        return Verdict(Outcome.UNSEEN, math.inf, reason=Reason.INFINITE)
    tolerance = rtol * line.size + line.floor + slack
    best = min(estimates, key=lambda e: e.bound)
    kept = line.size if line.size > 64 * jitter else max(line.size, 1e-3 * line.unit)
    narrow = max(NARROW, line.epsilon ** (1 / 3))
    segments = [
        s
        for s in _segments(estimates)
        if s.length > 1 and s.width <= 2 * narrow * max(kept, abs(s.centre))
    ]
    if not segments:
        return Verdict(Outcome.UNSEEN, best.bound + tolerance, best, _reason(line))
    fine = segments[0]
    above = _above_stairs(estimates, fine)
    coarse = [s for s in segments if above and s.best.h >= above[0].h]
    seen = min([e.bound for e in above], default=best.bound)
    stairs = Verdict(Outcome.UNSEEN, seen, best, Reason.STAIRS)
    if line.size == 0:  # what large steps see of a rough function is no excuse for a claim of zero
        judged = [fine]
        if fine.contains(tolerance) and not all(s.contains(tolerance) for s in coarse):
            return stairs
    else:
        judged = [fine, *coarse]
    inside = [s for s in judged if s.contains(tolerance)]
    if inside and fine not in inside and _height(above) > STAIR * line.magnitude:
        return stairs
    if inside and slack > NARROW * line.size > 64 * jitter:
        return Verdict(Outcome.UNSEEN, tolerance, best, Reason.NOISE)
    if inside:
        return Verdict(Outcome.RIGHT, min(s.width for s in inside) / 2 + tolerance)
    if above and not coarse:
        return stairs
    seen = judged[0].width / 2 + tolerance
    if all(min(abs(s.low), abs(s.high)) > tolerance + s.width / 2 for s in judged):
        return Verdict(Outcome.WRONG, seen, judged[0].best)
    return Verdict(Outcome.UNSEEN, seen, best, Reason.NOISE)


def _above_stairs(estimates: list[Estimate], fine: _Segment) -> list[Estimate]:
    """The estimates by steps above those of `fine` where noise sets in and then keeps its size.

    So it does on a staircase, and small steps then see the flat of one stair. At a kink it grows
    by 4 from step to step: here it may grow by 2.
    """
    above = [e for e in estimates if e.h > fine.best.h and e.noise > ONSET * fine.best.noise]
    for k in range(min(SUDDEN + 1, len(above) - 1)):
        steps = min(3, len(above) - 1 - k)
        if above[k + steps].noise <= 2.0**steps * above[k].noise:
            return above
    return []


def _height(above: list[Estimate]) -> float:
    """The noise above the stairs where it keeps its size: their height."""
    return next((a.noise for a, b in itertools.pairwise(above) if b.noise <= 2 * a.noise), 0.0)


def _segments(estimates: list[Estimate]) -> list[_Segment]:
    """The segments, from the smallest step to the largest."""
    segments: list[_Segment] = []
    for e in estimates:
        now = segments[-1] if segments else None
        if now is None or e.low > now.high or e.high < now.low:
            segments.append(_Segment(e.low, e.high, e))
            continue
        now.low, now.high = max(now.low, e.low), min(now.high, e.high)
        now.length += 1
        if e.bound < now.best.bound:
            now.best = e
    return segments


def _reason(line: Line) -> Reason:
    """Why no interval is narrow: what the bend and the rise do from step to step."""
    levels = [line.level(j) for j in range(line.levels) if math.isfinite(line.level(j).bend)]
    for power, reason in ((1, Reason.KINK), (0, Reason.JUMP)):
        run = 0
        for wide, narrow in itertools.pairwise(levels):
            a, b = wide.turn, narrow.turn
            steady = 0.8 < b * 4.0**power / a < 1.25 if a and b else False
            run = run + 1 if steady else 0
            if run >= 6:
                return reason
    return Reason.NOISE
