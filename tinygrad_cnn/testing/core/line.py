"""A function along a line: how far a gradient is from its slope, at steps of many sizes.

φ(t) = ⟨u, f(x + t v)⟩ is a function of one number, for a cotangent u and a direction v. A gradient
ḡ = Jᵀu says that its slope at 0 is ⟨ḡ, v⟩. At the step h the *error* of the gradient is

    e(h) = (φ(h) − φ(−h) − ⟨ḡ, x₊ − x₋⟩) / 2h,

where x₊ and x₋ are the points as they are after rounding, so x₊ − x₋ is exact. If ḡ is right,
e(h) = c h² + O(h⁴) plus the noise of φ over h. Richardson extrapolation, (16 e(h/4) − e(h)) / 15,
removes the h² term. The *bend* φ(h) − 2 φ(0) + φ(−h) falls as h² where φ is smooth, as h at a kink,
and keeps its size where it is noise. What is left of the bend at h/4 after a sixteenth of the bend
at h is therefore the noise, and at a kink the change of the slope times h. Noise also shows in
e(h/4) − e(h), times h/4.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .subject import Array, Subject

DEPTH = 30  # number of steps, each a quarter of the one before: the last is near the rounding of x
SAFETY = 1.5  # noise is known from few samples: it may be so much larger


@dataclass(frozen=True)
class Level:
    """What φ does at one step `h`. `error` and `bend` are NaN if φ is not finite there."""

    h: float
    error: float = math.nan  # of the gradient
    bend: float = math.nan
    turn: float = 0.0  # Σ|uᵢ · bend of output i|, in which nothing cancels
    jump: float = 0.0  # the largest bend of an output, relative to that output
    rounding: float = math.nan  # of `error`, by the sums alone


@dataclass(frozen=True)
class Estimate:
    """The error of the gradient is `error` ± `bound`, by the steps `h` and h/4.

    `noise` is the noise of φ that the bound assumes.
    """

    h: float
    error: float
    bound: float
    noise: float = 0.0

    @property
    def low(self) -> float:
        """The smallest possible error."""
        return self.error - self.bound

    @property
    def high(self) -> float:
        """The largest possible error."""
        return self.error + self.bound

    def within(self, bound: float) -> bool:
        """Whether the error may be zero, and the bound is at most this one."""
        return abs(self.error) <= self.bound <= bound


def _norm(x: Array) -> float:
    """√Σx², which neither over- nor underflows."""
    size = np.abs(np.asarray(x, np.float64))
    largest = float(size.max(initial=0.0))
    if not 0 < largest < math.inf:
        return largest
    return largest * math.sqrt(float(((size / largest) ** 2).sum()))


def _share(part: Array, whole: Array) -> float:
    """The largest |partᵢ| / |wholeᵢ|, of the elements that are not zero."""
    some = part != 0
    return float(np.abs(part[some] / whole[some]).max(initial=0.0))


class Line:
    """φ(t) = ⟨u, f(x + t v)⟩ beside the claim that its slope at 0 is ⟨ḡ, v⟩. v moves input `k` alone.

    `v` has the largest size of step to try, and `scale` is the magnitude of the numbers of x that
    move. `gradient` is ḡ, of the shape of x. `at` are the outputs at x.
    """

    def __init__(
        self,
        subject: Subject,
        us: Sequence[Array],
        k: int,
        v: Array,
        gradient: Array,
        at: Sequence[Array],
        scale: float = 1.0,
    ):
        self.subject, self.us, self.k, self.v, self.at = subject, us, k, v, at
        self.scale = scale
        self.x, self.gradient = subject.doubles[k], np.asarray(gradient, np.float64)
        self._levels: dict[int, Level] = {}
        largest = float(np.abs(v).max(initial=0.0))
        # A line whose steps begin above the magnitude of x has more of them.
        self.offset = 0
        if largest > scale > 0:
            self.offset = round((math.log(largest) - math.log(scale)) / math.log(4))
        self.levels = DEPTH + self.offset

    def along(self, v: Array) -> Line:
        """The same function along another direction."""
        return Line(self.subject, self.us, self.k, v, self.gradient, self.at, self.scale)

    @property
    def last(self) -> int:
        """The largest step that was measured with the next smaller one."""
        return min((j for j in self._levels if j + 1 in self._levels), default=0)

    @cached_property
    def claim(self) -> float:
        """The slope by the gradient, ⟨ḡ, v⟩."""
        with np.errstate(all="ignore"):
            return float((self.gradient * self.v).sum())

    @cached_property
    def size(self) -> float:
        """√Σ(ḡᵢvᵢ)²: how far the claim is off, typically, if each term is off by all of itself."""
        with np.errstate(all="ignore"):
            return _norm(self.gradient * self.v)

    @cached_property
    def floor(self) -> float:
        """The slope that the rounding of subnormal numbers makes, at most."""
        dtypes = [y.dtype for y in (*self.at, self.gradient) if y.dtype.kind == "f"]
        least = max(float(np.finfo(dtype).tiny) for dtype in dtypes)
        return least * self.v.size * float(np.abs(self.v).max(initial=0.0))

    @cached_property
    def unit(self) -> float:
        """The size that the slope would have if f were the identity."""
        return float(np.abs(self.v).max(initial=0.0)) * self.cotangent

    @cached_property
    def cotangent(self) -> float:
        """The norm of all parts of the cotangent."""
        return math.hypot(*map(_norm, self.us))

    @cached_property
    def magnitude(self) -> float:
        """Σ|uᵢfᵢ|, of the outputs that are finite."""
        with np.errstate(all="ignore"):
            terms = [np.abs(u * y) for u, y in zip(self.us, self.at, strict=True)]
            return sum(float(t[np.isfinite(t)].sum()) for t in terms)

    @cached_property
    def epsilon(self) -> float:
        """The machine epsilon of the coarsest output."""
        found = [float(np.finfo(y.dtype).eps) for y in self.at if y.dtype.kind == "f"]
        return max(found, default=2.0**-52)

    @cached_property
    def rounding(self) -> float:
        """How far φ is off, typically, by the rounding of the outputs."""
        with np.errstate(all="ignore"):
            return math.hypot(*(
                float(np.finfo(y.dtype).eps) * _norm(np.where(np.isfinite(y), u * y, 0.0))
                for u, y in zip(self.us, self.at, strict=True)
                if y.dtype.kind == "f"
            ))  # fmt: skip

    def level(self, j: int) -> Level:
        """What φ does at the step 4⁴⁻ʲ."""
        if j not in self._levels:
            self._levels[j] = self._measure(4.0 ** (4 - j))
        return self._levels[j]

    def _measure(self, h: float) -> Level:
        ahead, behind = np.asarray(self.x + h * self.v), np.asarray(self.x - h * self.v)
        moved = ahead - behind
        if not (moved != 0).any():
            return Level(h)
        try:
            after, before = (self.subject.outputs(self.k, x) for x in (ahead, behind))
        except Exception:  # as of a matrix that is not positive definite: outside of the domain
            return Level(h)
        rise = bend = turn = size = jump = 0.0
        with np.errstate(all="ignore"):
            for u, a, y, b in zip(self.us, after, self.at, before, strict=True):
                if not a.shape == y.shape == b.shape:  # as of a shape that depends on values
                    return Level(h)
                a, y, b = (np.asarray(part, np.float64) for part in (a, y, b))
                stays = (a == b) & ~np.isfinite(y)  # infinite on both sides
                both = np.where(stays, 0.0, u * (a - b))
                turned = np.where(stays, 0.0, u * ((a - y) - (y - b)))
                rise, bend = rise + float(both.sum()), bend + float(turned.sum())
                size, turn = size + float(np.abs(both).sum()), turn + float(np.abs(turned).sum())
                jump = max(jump, _share(turned, u * np.maximum(abs(y), np.maximum(abs(a), abs(b)))))
            claimed = self.gradient * moved
            error = (rise - float(claimed.sum())) / (2 * h)
            size += float(np.abs(claimed).sum())
        if not (math.isfinite(error) and math.isfinite(bend)):
            return Level(h)
        return Level(h, error, bend, turn, jump, 2.0**-50 * size / (2 * h))

    def estimate(self, j: int, noise: float) -> Estimate | None:
        """The error by the levels j and j + 1, if φ has this noise. None if φ is not finite."""
        wide, narrow = self.level(j), self.level(j + 1)
        error = (16 * narrow.error - wide.error) / 15
        if not math.isfinite(error):
            return None
        bound = abs(error - narrow.error) + SAFETY * noise / narrow.h + narrow.rounding
        return Estimate(wide.h, error, bound, noise)

    def estimates(self, jitter: float = 0.0) -> list[Estimate]:
        """The estimates from the smallest step to the largest. All bounds include 4 · `jitter`."""
        found: list[Estimate] = []
        noise = self.rounding
        for j in reversed(range(self.levels - 1)):
            wide, narrow = self.level(j), self.level(j + 1)
            left = abs(narrow.bend - wide.bend / 16)
            spread = abs(narrow.error - wide.error) * narrow.h
            noise = max([noise, *(n for n in (left, spread) if math.isfinite(n))])
            e = self.estimate(j, noise)
            if e is not None:
                found.append(Estimate(e.h, e.error, e.bound + 4 * jitter, noise))
        return found

    def slopes(self) -> tuple[float, float]:
        """The bounds of the slopes of φ on the two sides of x, by the smallest steps above the noise.

        They are those of each output, added: kinks of several outputs do not cancel.
        """
        noise = self.rounding
        for j in range(self.levels // 2, self.levels):
            level = self.level(j)
            if math.isfinite(level.error) and level.h > 0:
                slope, half = level.error + self.claim, level.turn / (2 * level.h)
                if noise / level.h <= 1e-6 * (abs(slope) + half) or j == self.levels // 2:
                    best = (slope - half, slope + half)
        return best

    def taylor(self) -> float:
        """The power of h with which φ(h) − φ(0) − h⟨ḡ, v⟩ vanishes: 2 if ḡ is right, 1 if not.

        It is infinite where only rounding remains, as for a linear function.
        """
        floor = 64 * self.rounding
        known = sorted(
            (v for v in self._levels.values() if math.isfinite(v.error)), key=lambda v: -v.h
        )
        rests = [(v.h, abs(v.h * v.error + v.bend / 2)) for v in known]
        slopes = [
            math.log(a / b) / math.log(h / k)
            for (h, a), (k, b) in itertools.pairwise(rests)
            if b > floor + 2.0**-48 * k * self.size and a > 0
        ]
        return float(np.median(slopes[-3:])) if slopes else math.inf
