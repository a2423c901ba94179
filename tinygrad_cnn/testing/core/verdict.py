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

from .line import Estimate, Line

NARROW = 0.1  # of the size of the slope: wider intervals say nothing; more if outputs are coarse
ONSET = 16.0  # noise that is so much larger than that of smaller steps has another cause
STAIR = 2.0**-9  # of an output: a function that rounds to float16 inside makes such stairs
GRAIN = 2.0**-20  # of the outputs: roughness as of float32, which need not be stairs
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
    tolerance = rtol * line.size + line.floor
    best = min(estimates, key=lambda e: e.bound)
    kept = line.size if line.size > 64 * jitter else max(line.size, 1e-3 * line.unit)
    narrow = max(NARROW, line.epsilon ** (1 / 3))
    segments = [
        s
        for s in _segments(estimates)
        if s.length > 1 and s.width <= 2 * narrow * max(kept, abs(s.centre))
    ]
    if not segments:
        return Verdict(Outcome.UNSEEN, best.bound + tolerance + slack, best, _reason(line))
    fine, *coarse = segments
    seen = fine.width / 2 + tolerance
    if fine.contains(tolerance):
        if line.size == 0 and _on_a_stair(line, fine, coarse, tolerance):
            return Verdict(Outcome.UNSEEN, coarse[0].width / 2, best, Reason.STAIRS)
        return Verdict(Outcome.RIGHT, seen)
    if fine.contains(tolerance + slack):
        if slack <= NARROW * line.size:
            return Verdict(Outcome.RIGHT, seen + slack)
        return Verdict(Outcome.UNSEEN, seen + slack, best, Reason.NOISE)
    flat = abs(fine.centre + line.claim) <= fine.width
    agree = [s for s in coarse if _agrees(s, fine, line, tolerance + slack, flat)]
    if agree:
        smooth = min(agree, key=lambda s: s.best.noise)
        seen = smooth.width / 2 + tolerance + slack
        roughest = (STAIR if flat else GRAIN) * line.magnitude
        if smooth.best.noise <= roughest:
            return Verdict(Outcome.RIGHT, seen)
        if line.size:  # any bounded function agrees with a claim of zero at large steps
            return Verdict(Outcome.UNSEEN, seen, best, Reason.STAIRS if flat else Reason.NOISE)
    if min(abs(fine.low), abs(fine.high)) > tolerance + slack + fine.width / 2:
        return Verdict(Outcome.WRONG, seen, fine.best)
    return Verdict(Outcome.UNSEEN, seen + slack, best, Reason.NOISE)


def _agrees(s: _Segment, fine: _Segment, line: Line, tolerance: float, flat: bool) -> bool:
    """Whether a segment at larger steps shows the slope of the claim, and not the fine one.

    At large steps the slope of any bounded function is zero. That agrees with small claims, but
    says nothing.
    """
    if not s.contains(tolerance):
        return False
    if flat or line.size == 0:
        return True
    return s.width <= abs(fine.centre) and not s.low <= -line.claim <= s.high


def _on_a_stair(line: Line, fine: _Segment, coarse: list[_Segment], tolerance: float) -> bool:
    """Whether a slope of zero at small steps is that of a stair, made by rounding.

    Larger steps see a slope then, and the first stair that they meet is a small part of an output.
    """
    sloped = [s for s in coarse if not s.contains(tolerance)]
    if not sloped or sloped[0].best.noise > STAIR * line.magnitude:
        return False
    floor = ONSET * max(fine.best.noise, line.rounding)
    levels = (line.level(j) for j in reversed(range(line.levels)))
    first = next((v for v in levels if v.h >= fine.best.h / 4 and v.turn > floor), None)
    return first is not None and first.jump <= STAIR


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
