"""Whether a gradient is right along a line: decided by exclusion, never by one comparison.

The estimates of the error at all steps are intervals. Intervals of neighbouring steps that overlap
describe one slope: they form a *segment*, and their intersection is what is left. A function may
have several slopes. On a staircase by rounding, small steps see the flat of a stair and large ones
the slope; where it oscillates, it is the other way round. So a gradient is wrong only if it
differs from the slope at small steps, and no larger steps agree with it. Where they do, it is right
if the roughness between them is as small as that of rounding. Otherwise this cannot be told.
"""

from __future__ import annotations

import enum
import itertools
import math
from dataclasses import dataclass

from .line import Estimate, Level, Line

NARROW = 0.1  # of the size of the slope: wider intervals say nothing; more if outputs are coarse
ONSET = 16.0  # noise that is so much larger than that of smaller steps has another cause
STAIR = 2.0**-9  # of an output: a function that rounds to float16 inside makes such stairs
GRAIN = 2.0**-20  # of the outputs: roughness as of float32, which need not be stairs
ROUNDING = 2.0**-48  # of numbers of the size of the cotangent
LONG = 5  # steps that agree with a claim not by chance, where the function is rough
SINGLE = 2.0**-21  # of the slope: functions that stop at single precision are inexact by so much
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
    CLOSE = "the gradient agrees to single precision, and not to double"
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


def decide(
    line: Line, rtol: float, jitter: float = 0.0, slack: float = 0.0, doubt: float = 0.0
) -> Verdict:
    """The verdict from all steps.

    `jitter` is the noise of the claim ⟨ḡ, v⟩ under changes of all numbers that it is made of, and
    `slack` the noise along the line. `doubt` bounds what no such measurement shows: an error that is
    smaller is not called wrong.
    """
    estimates = line.estimates(jitter)
    if not estimates:
        return Verdict(Outcome.UNSEEN, math.inf, reason=Reason.INFINITE)
    tolerance = rtol * line.size + line.floor
    best = min(estimates, key=lambda e: e.bound)
    kept = line.size if line.size > 64 * jitter else max(line.size, 1e-3 * line.unit)
    widest = 2 * max(NARROW, line.epsilon ** (1 / 3))
    segments = [s for s in _segments(estimates) if s.length > 1]
    narrow = [s for s in segments if s.width <= widest * max(kept, abs(s.centre))]
    if not narrow:
        return Verdict(Outcome.UNSEEN, best.bound + tolerance + slack, best, reason(line))
    fine = narrow[0]
    place = segments.index(fine)
    finer, coarse = segments[:place], segments[place + 1 :]
    seen = fine.width / 2 + tolerance
    if fine.contains(tolerance):
        if line.size == 0 and _on_a_stair(line, fine, narrow[1:], tolerance):
            return Verdict(Outcome.UNSEEN, narrow[1].width / 2, best, Reason.STAIRS)
        return Verdict(Outcome.RIGHT, seen)
    if fine.contains(tolerance + slack):
        if slack <= NARROW * line.size:
            return Verdict(Outcome.RIGHT, seen + slack)
        return Verdict(Outcome.UNSEEN, seen + slack, best, Reason.NOISE)
    if any(s.contains(tolerance + slack) and s.width <= abs(fine.centre) for s in finer):
        return Verdict(Outcome.UNSEEN, best.bound + tolerance + slack, best, reason(line))
    flat = abs(fine.centre + line.claim) <= fine.width
    roughest = max((STAIR if flat else GRAIN) * line.magnitude, ROUNDING * line.cotangent)
    near = tolerance + max(slack, doubt / 8, SINGLE * line.size if flat else 0.0)
    agree = [
        s
        for s in coarse
        if s.contains(near + 2 * s.width) and (s.width <= 2 * abs(fine.centre) or flat)
    ]
    # Of all that larger steps show, the most precise counts.
    precise = min(coarse, key=lambda s: s.width, default=None)
    onset = ONSET * fine.best.noise
    as_rounding = [s for s in coarse if onset < s.best.noise <= roughest]
    smooth = min(as_rounding, key=lambda s: s.width, default=None)
    # At large steps the slope of any bounded function is zero: near a small claim, but no evidence.
    bounded = [s for s in agree if line.size == 0 or s.low <= -line.claim <= s.high]
    rough = [s for s in agree if s not in bounded and s.length >= LONG]
    if smooth not in agree:
        smooth = precise if flat and line.size and precise in agree else None
    if smooth is None and rough:
        smooth = min(rough, key=lambda s: s.width)
    if smooth is not None:
        seen = max(abs(smooth.low), abs(smooth.high)) + tolerance + slack
        if smooth in as_rounding and smooth in narrow:
            return Verdict(Outcome.RIGHT, seen)
        return Verdict(Outcome.UNSEEN, seen, best, Reason.STAIRS if flat else Reason.NOISE)
    if max(abs(fine.low), abs(fine.high)) <= SINGLE * line.size:
        return Verdict(Outcome.UNSEEN, SINGLE * line.size, best, Reason.CLOSE)
    stairs = _beside_stairs(estimates, fine, roughest) if line.size else None
    if stairs and not any(s in narrow and s.best.h >= stairs.h for s in as_rounding):
        return Verdict(Outcome.UNSEEN, stairs.bound + tolerance, stairs, Reason.STAIRS)
    unsure = max(slack, doubt)
    if min(abs(fine.low), abs(fine.high)) > tolerance + unsure + fine.width / 2:
        return Verdict(Outcome.WRONG, seen, fine.best)
    return Verdict(Outcome.UNSEEN, seen + unsure, best, Reason.NOISE)


def _beside_stairs(estimates: list[Estimate], fine: _Segment, roughest: float) -> Estimate | None:
    """The estimate that agrees best with the claim, of those by steps of more than one stair.

    Their intervals may be so wide that the slope of the stair lies in them. None if none is
    much closer to the claim than that is.
    """
    above = [
        e
        for e in estimates
        if ONSET * fine.best.noise < e.noise <= roughest and abs(e.error) <= abs(fine.centre) / 4
    ]
    return min(above, key=lambda e: e.bound, default=None)


def _on_a_stair(line: Line, fine: _Segment, coarse: list[_Segment], tolerance: float) -> bool:
    """Whether a slope of zero at small steps is that of a stair, made by rounding.

    Larger steps see a slope then. The first stair that they meet is a small part of an output, and
    so are the next ones: at a kink that part grows with the step.
    """
    sloped = [s for s in coarse if not s.contains(tolerance)]
    if not sloped or sloped[0].best.noise > STAIR * line.magnitude:
        return False
    floor = ONSET * max(fine.best.noise, line.rounding)
    first = next((j for j in reversed(range(line.levels)) if line.level(j).turn > floor), 0)
    jump, later = line.level(first).jump, line.level(max(first - 2, 0)).jump
    return first > 1 and jump <= STAIR and later <= 4 * jump


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


def jumps(line: Line) -> bool:
    """Whether an output jumps at the input, by more than single precision.

    It does so at the smallest steps, where a steep function does not, and at larger ones, where
    rounding is a small part of an output that is zero.
    """
    levels = [*_finite(line)[-4:], *(line.level(j) for j in QUICK)]
    return min(level.jump for level in levels) > GRAIN


def _finite(line: Line) -> list[Level]:
    """The levels at which the function is finite, from the largest step to the smallest."""
    return [line.level(j) for j in range(line.levels) if math.isfinite(line.level(j).bend)]


def reason(line: Line) -> Reason:
    """Why differences do not tell: what the bend and the rise do from step to step."""
    levels = _finite(line)
    for power, reason in ((1, Reason.KINK), (0, Reason.JUMP)):
        run = 0
        for wide, narrow in itertools.pairwise(levels):
            a, b = wide.turn, narrow.turn
            steady = 0.8 < b * 4.0**power / a < 1.25 if a and b else False
            run = run + 1 if steady else 0
            if run >= 6:
                return reason
    return Reason.NOISE
