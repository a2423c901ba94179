"""verify: the gradients of a subject against differences, block by block, and what a failure says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from .compare import same_bits
from .core.blocks import Block, blocks, cotangent_masks
from .core.line import Line
from .core.locate import entry_of, kinks, wrong_element
from .core.subject import Array, Subject, joined
from .core.verdict import Outcome, Reason, Verdict, decide, jumps, quick, reason
from .errors import GradientError, both
from .own_dtype import JITTERS, in_own_dtype
from .report import compared, examined, listeners, reported
from .values import signed

KINK = "at a kink: choose inputs with a gap"
UNSEEN = "cannot tell here"
LARGE = 1e280
NEAR = 0.1  # of a gradient: it changes by more within 2⁻⁴⁰ of the input, at a break alone
STEPS = (2.0**-11, 2.0**-20, 2.0**-30, 2.0**-40)  # along a line, to measure the rounding of a vjp
ADVICE = {
    Reason.KINK: "choose inputs with a gap",
    Reason.JUMP: "choose inputs away from it",
    Reason.STAIRS: "compute in float64, or check at inputs where its stairs are finer",
    Reason.NOISE: "choose inputs where it loses fewer digits, or compute in float64",
    Reason.CLOSE: "is the function inexact, as a series or an integral is that stops early?",
    Reason.INFINITE: "choose inputs away from where it is not",
}


@reported
def verify(
    subject: Subject,
    *,
    directions: int = 3,
    seed: int = 0,
    rtol: float = 1e-7,
    order: int = 1,
    allow_unseen: bool = False,
) -> None:
    """Compare the gradients of the subject with differences in signed random directions.

    `order` is for reports: 2 if the subject is itself a gradient. With `allow_unseen`, points where
    differences cannot tell pass. Raises GradientError.
    """
    if directions < 1:
        raise ValueError(f"directions must be at least 1, got {directions}")
    rng = np.random.default_rng(seed)
    at = repeated(subject)
    us = [np.where(np.isfinite(y), signed(rng, y.shape, y.dtype), y.dtype.type(0)) for y in at]
    if any(float(np.abs(y[np.isfinite(y)]).max(initial=0.0)) > LARGE for y in at):
        us = [u * u.dtype.type(2.0**-60) for u in us]  # sums of products would be infinite
    if order == 1:
        examined(subject.name)
    if order == 1 and any(subject.xs[k].dtype != np.float64 for k in subject.wrt):
        in_own_dtype(subject, us)
    unseen: list[Unseen] = []
    seen = {k: np.zeros(subject.doubles[k].shape, bool) for k in subject.wrt}
    for mask in cotangent_masks(at):
        parts = us if mask is None else [np.where(m, u, 0) for m, u in zip(mask, us, strict=True)]
        point = Point(subject, at, parts, rtol)
        for k, gradient in zip(subject.wrt, point.gradients, strict=True):
            for _ in range(directions):
                v = _direction(rng, gradient)
                for block in blocks(subject.doubles[k], gradient):
                    found = point.compare(k, gradient, v, block, order)
                    if found is None:
                        seen[k] |= (block.of(v) != 0) & ((gradient != 0) | (mask is None))
                    else:
                        unseen.append(found)
        point.ties()
    # What vanishes in the rounding of large outputs may have been seen in small ones.
    left = [u for u in unseen if u.elements is None or (u.elements & ~seen[u.k]).any()]
    if left and not allow_unseen:
        raise max(left, key=lambda u: u.share).error


def _direction(rng: np.random.Generator, gradient: Array) -> Array:
    """A random direction: of two, the one along which the gradient is larger.

    Along a direction in which it cancels, an error of all of it would cancel too.
    """
    with np.errstate(all="ignore"):
        return max(
            (signed(rng, gradient.shape) for _ in range(2)),
            key=lambda v: abs(float((gradient * v).sum())),
        )


class Unseen(NamedTuple):
    """A comparison that could not tell: the error to raise, and the elements that it moved.

    `share` is the part of the slope that would not be seen. `elements` is None where the reason is
    not rounding.
    """

    error: GradientError
    share: float
    k: int
    elements: Array | None


def repeated(subject: Subject) -> list[Array]:
    """The outputs of the function in float64.

    Raises GradientError if a second call gives other outputs.
    """
    with np.errstate(all="ignore"):
        once, again = ([np.array(y) for y in subject.value(subject.doubles)] for _ in range(2))
    if len(once) != len(again) or not all(map(same_bits, once, again)):
        raise GradientError(
            "not deterministic", "called twice, it gave two results", op=subject.name
        )
    return once


class Point:
    """The gradients of a subject for one cotangent, and their comparison with differences."""

    def __init__(self, subject: Subject, at: Sequence[Array], us: Sequence[Array], rtol: float):
        self.subject, self.at, self.us = subject, at, us
        self.gradients = [np.asarray(g) for g in subject.vjp(subject.doubles, us)]
        for k, g in zip(subject.wrt, self.gradients, strict=True):
            if g.shape != subject.doubles[k].shape:
                raise GradientError(
                    f"gradient of shape {g.shape}", op=subject.name, input=subject.describe(k)
                )
        # the elements at kinks where the gradient is between the slopes on the two sides
        self.kinked = {k: np.zeros(subject.doubles[k].shape, bool) for k in subject.wrt}
        coarse = [np.finfo(a.dtype).eps for a in (*at, *self.gradients) if a.dtype.kind == "f"]
        self.rtol = max([rtol, *(16 * float(eps) for eps in coarse)])

    @cached_property
    def jittered(self) -> list[list[Array]]:
        """The gradients for inputs and cotangents that are changed in their last digits."""
        rng = np.random.default_rng(7)
        return [self.subject.blurred(self.us, rng, 2.0**-52) for _ in range(JITTERS)]

    def jitter(self, line: Line) -> float:
        """How much the claim ⟨ḡ, v⟩ changes with the last digits of the inputs.

        Raises GradientError if it changes as much for the same inputs.
        """
        place = self.subject.wrt.index(line.k)
        found = self._change(line, place, self.jittered)
        if found > 1e-6 * line.size:
            xs = [x.copy() if isinstance(x, np.ndarray) else x for x in self.subject.doubles]
            again = [[np.asarray(g) for g in self.subject.vjp(xs, self.us)] for _ in range(4)]
            if self._change(line, place, again) > 0.1 * found:
                detail = (
                    "a copy of the same inputs has another gradient: does it depend on a state "
                )
                detail += "or on strides?"
                raise self.error("not deterministic", detail, line.k)
        return found

    def _change(self, line: Line, place: int, others: Sequence[Sequence[Array]]) -> float:
        """The largest change of the claim, if the gradients are others."""
        with np.errstate(all="ignore"):
            changes = [
                abs(float(((gs[place] - self.gradients[place]) * line.v).sum())) for gs in others
            ]
        return max((c for c in changes if math.isfinite(c)), default=0.0)

    def compare(self, k: int, gradient: Array, v: Array, block: Block, order: int) -> Unseen | None:
        """Compare along v within a block. Raises GradientError if the gradient is wrong.

        Returns None if it is right.
        """
        v = block.of(v) * max(block.scale, 1.0)
        line = Line(self.subject, self.us, k, v, gradient, self.at, block.scale)
        if not math.isfinite(line.claim):
            index = tuple(int(i) for i in np.argwhere(~np.isfinite(gradient))[0])
            detail = f"the gradient is not finite: {gradient[index]} at index {index}"
            raise self.error("vjp wrong", detail, k)
        verdict = self.judge(line)
        if listeners and gradient.size:
            e = verdict.estimate or line.estimate(line.last, 0.0)
            floor = line.size + verdict.seen / self.rtol
            error = abs(e.error) / floor if e is not None and floor else 0.0
            right = verdict.outcome is Outcome.RIGHT
            zero = right and line.size <= verdict.seen
            slope = partial(_slope, line, right)
            compared(self.subject.name, order, error, slope, zero=zero)
        if verdict.outcome is Outcome.RIGHT or self.negligible(line, verdict):
            return None
        if reason(line) is Reason.KINK:
            return self.at_kinks(line, verdict)
        if verdict.outcome is Outcome.WRONG and verdict.estimate and jumps(line):
            # Steps beyond the jump have a slope that is none of the function here.
            seen = abs(verdict.estimate.error) + verdict.seen
            verdict = Verdict(Outcome.UNSEEN, seen, verdict.estimate, Reason.JUMP)
        if verdict.outcome is Outcome.WRONG:
            found = self.wrong(line, verdict)
            if found.verdict != KINK:
                raise found
            return Unseen(found, math.inf, k, None)
        return self.unseen(line, verdict)

    def negligible(self, line: Line, verdict: Verdict) -> bool:
        """Whether what is unseen is less than the rounding of the largest gradient of the input."""
        if verdict.outcome is not Outcome.UNSEEN or verdict.reason is not Reason.NOISE:
            return False
        sizes = np.abs(line.gradient[np.isfinite(line.gradient)])
        count, step = np.count_nonzero(line.v), float(np.abs(line.v).max(initial=0.0))
        rounding = 2.0**-46 * float(sizes.max(initial=0.0))
        return verdict.seen <= rounding * step * math.sqrt(count)

    def judge(self, line: Line) -> Verdict:
        """The verdict along a line."""
        found = quick(line, self.rtol)
        if found is not None:
            return found
        jitter = self.jitter(line)
        found = decide(line, self.rtol, jitter)
        if found.outcome is Outcome.RIGHT or self.subject.blurs_saved:
            return found
        # The rounding in a vjp whose saved values are hidden is at most a few epsilons.
        doubt = 2.0**-48 * line.unit
        slack = min(doubt, self.slack(line)) if line.size else doubt
        return decide(line, self.rtol, jitter, slack, doubt)

    def slack(self, line: Line) -> float:
        """The rounding of the claim along the line: its third differences, where it is smooth."""
        place, x, found = self.subject.wrt.index(line.k), self.subject.doubles[line.k], [0.0]
        for step in STEPS:
            xs = list(self.subject.doubles)
            total = 0.0
            for t, weight in ((-1.5, -1), (-0.5, 3), (0.5, -3), (1.5, 1)):
                xs[line.k] = np.asarray(x + t * step * line.v)
                with np.errstate(all="ignore"):
                    g = np.asarray(self.subject.vjp(xs, self.us)[place], np.float64)
                    total += weight * float((g * line.v).sum())
            found.append(abs(total) if math.isfinite(total) else math.inf)
        return max(found)

    def error(self, verdict: str, detail: str, k: int) -> GradientError:
        """The error for input k."""
        name = f"{self.subject.names[k]} {self.subject.doubles[k].shape}"
        return GradientError(verdict, detail, op=self.subject.name, input=name)

    def wrong(self, line: Line, verdict: Verdict, note: str = "") -> GradientError:
        """The error for a gradient that is wrong along a line."""
        off = verdict.estimate.error if verdict.estimate else math.nan
        detail = f"along a random direction {both(line.claim, line.claim + off)}"
        detail += f"; Taylor slope {line.taylor():.2f} (2 is right, 1 is wrong)" + note
        error = self.error("vjp wrong", detail, line.k)
        found = wrong_element(line, verdict)
        if self.breaks(line if found is None else found[0]):
            return self.error(KINK, "its gradient is another one right beside the input", line.k)
        if found is None or found[1].estimate is None:
            return error
        alone, of_element = found
        flat = int(np.flatnonzero(alone.v)[0])
        size = float(alone.v.flat[flat])
        error.index = tuple(int(i) for i in np.unravel_index(flat, alone.v.shape))
        error.by_vjp = alone.claim / size
        error.by_difference = (alone.claim + found[1].estimate.error) / size
        entry = entry_of(alone, of_element)
        if entry is not None:
            name = f"output {entry.output}" if len(self.at) > 1 else "the output"
            values = both(entry.by_vjp, entry.by_difference)
            error.entry = f"the derivative of {name} at {entry.place} by it: {values}"
        return error

    def breaks(self, line: Line) -> bool:
        """Whether the claim of the vjp along a line is another one right beside the input.

        So it is where several branches meet, as in a median of equal numbers. The slope along an
        element is then not that of any branch.
        """
        rng, place, claims = np.random.default_rng(5), self.subject.wrt.index(line.k), []
        for _ in range(2):
            xs = list(self.subject.doubles)
            step = 2.0**-40 * (line.scale or 1.0)
            xs[line.k] = np.asarray(line.x + step * signed(rng, line.x.shape))
            with np.errstate(all="ignore"):
                g = np.asarray(self.subject.vjp(xs, self.us)[place], np.float64)
                claims.append(float((g * line.v).sum()))
        return abs(claims[0] - claims[1]) > NEAR * max(line.size, *map(abs, claims))

    def at_kinks(self, line: Line, verdict: Verdict) -> Unseen | None:
        """Hold the gradient to the slopes on the two sides, where these differ.

        Along each element at a kink, along all of them, and along the rest. Raises GradientError
        beyond. Returns None if the gradient is between them everywhere.
        """
        found = kinks(line)
        rest = line.v.copy()
        for v in found:
            rest[v != 0] = 0.0
        right = bool(found)
        if rest.any():
            others = line.along(rest)
            of_rest = self.judge(others)
            if of_rest.outcome is Outcome.WRONG:
                raise self.wrong(others, of_rest, "; elsewhere there is a kink")
            right &= of_rest.outcome is Outcome.RIGHT or self.negligible(others, of_rest)
        all_found = [np.sum([np.abs(v) for v in found], axis=0)] if len(found) > 1 else []
        for v in (*map(np.abs, found), *all_found):
            self.between(line.along(v))
        if right:
            self.kinked[line.k] |= line.v != rest
            return None
        where = "the input"
        if found:
            flat = int(np.flatnonzero(found[0])[0])
            where = f"index {tuple(int(i) for i in np.unravel_index(flat, line.v.shape))}"
        detail = f"its slopes on the two sides differ at {where}"
        return Unseen(self.error(KINK, detail, line.k), math.inf, line.k, None)

    def ties(self) -> None:
        """Hold the gradients of several inputs to the slopes where all their kinks are met at once.

        As of maximum(a, b) at a tie, which may pay a or b, and not both.
        """
        if sum(bool(mask.any()) for mask in self.kinked.values()) < 2:
            return
        whole = joined(self.subject)
        v = np.concatenate([np.ravel(self.kinked[k]) for k in self.subject.wrt])
        v = v * max(1.0, float(np.abs(whole.doubles[0][v]).max()))
        gradient = np.concatenate([np.ravel(g) for g in self.gradients])
        self.between(Line(whole, self.us, 0, v, gradient, self.at))

    def between(self, line: Line) -> None:
        """Raise GradientError unless the claim is between the slopes on the two sides."""
        low, high = sorted(line.slopes())
        slack = 1e-4 * max(abs(low), abs(high)) + 1e-9 * line.unit
        if low - slack <= line.claim <= high + slack:
            return
        places, size = np.flatnonzero(line.v), float(line.v.max())
        name = f"{line.subject.names[line.k]} {line.x.shape}"
        error = GradientError("vjp wrong", op=self.subject.name, input=name)
        error.detail = f"the slopes on its two sides are {low / size:.6g} and {high / size:.6g}"
        if len(places) == 1:
            error.index = tuple(int(i) for i in np.unravel_index(places[0], line.v.shape))
        else:
            error.detail += f", along {len(places)} elements at once"
        error.by_vjp, error.by_difference = line.claim / size, (low + high) / 2 / size
        raise error

    def unseen(self, line: Line, verdict: Verdict) -> Unseen:
        """The error where differences cannot tell."""
        reason = verdict.reason or Reason.NOISE
        share = verdict.seen / line.size if line.size else math.inf
        seen = f"an error of the slope below {verdict.seen:.2g} would not be seen"
        if math.isfinite(share):
            seen += f", and the slope is {line.size:.2g}"
        detail = f"{reason.value}: {seen}\n  {ADVICE[reason]}"
        error = self.error(f"{UNSEEN}: {reason.value.split(':')[0]}", detail, line.k)
        return Unseen(error, share, line.k, line.v != 0)


def _slope(line: Line, right: bool) -> float:
    slope = line.taylor()
    return math.inf if right and slope < 1.5 else slope
