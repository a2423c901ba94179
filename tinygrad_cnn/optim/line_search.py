"""A step length along a direction that satisfies the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..atomic import quiet
from ..kernels import all_blas_threads

_DECREASE, _CURVATURE = 1e-4, 0.9  # c₁ and c₂ of the conditions
_SMALLEST_CHANGE = 1e-9  # of a parameter, for which the search goes on


def dot(a: Any, b: Any) -> Any:
    """aᵀb."""
    with all_blas_threads():
        return a @ b


class Point:
    """The loss, its gradient g and its slope gᵀd at the length t along the direction d."""

    def __init__(self, t: float, loss: float, g: Any, d: Any):
        self.t, self.loss, self.g, self.slope = t, loss, g, float(dot(g, d))


def strong_wolfe(
    at: Callable[[float], Point], t: float, start: Point, scale: float, most: int
) -> tuple[Point, int]:
    """A point with f(t) ≤ f(0) + c₁ t f′(0) and |f′(t)| ≤ c₂ |f′(0)|, and the number of calls of `at`.

    `t` is the first length, `start` the point at 0, `scale` the largest element of the direction. The
    search first grows t until an interval holds such a point, then shrinks the interval (Nocedal and
    Wright 2006, algorithms 3.5 and 3.6), by cubic interpolation. After `most` calls beyond the first,
    it is the best end of the interval.
    """

    def too_high(p: Point) -> bool:
        return p.loss > start.loss + _DECREASE * p.t * start.slope

    def flat(p: Point) -> bool:
        return abs(p.slope) <= -_CURVATURE * start.slope

    previous, point, tries = start, at(t), 0
    while True:
        if tries >= most:
            ends = [start, point]
            break
        if too_high(point) or (tries > 1 and point.loss >= previous.loss):
            ends = [previous, point]
            break
        if flat(point):
            return point, tries + 1
        if point.slope >= 0:
            ends = [previous, point]
            break
        least, longest = point.t + 0.01 * (point.t - previous.t), point.t * 10
        t = _interpolated(previous, point, least, longest)
        previous, point, tries = point, at(t), tries + 1

    slow = False  # whether the last length was near an end of the interval
    low = 0 if ends[0].loss <= ends[1].loss else 1
    while tries < most:
        first, last = sorted((ends[0].t, ends[1].t))
        if (last - first) * scale < _SMALLEST_CHANGE:
            break
        t = _interpolated(ends[0], ends[1], first, last)
        margin = 0.1 * (last - first)
        if min(last - t, t - first) < margin:
            if slow or t >= last or t <= first:
                t = last - margin if abs(t - last) < abs(t - first) else first + margin
                slow = False
            else:
                slow = True
        else:
            slow = False
        point, tries = at(t), tries + 1
        if too_high(point) or point.loss >= ends[low].loss:
            ends[1 - low] = point
            low = 0 if ends[0].loss <= ends[1].loss else 1
            continue
        done = flat(point)
        if not done and point.slope * (ends[1 - low].t - ends[low].t) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = point
        if done:
            break
    return ends[low], tries + 1


def _interpolated(p: Point, q: Point, least: float, most: float) -> float:
    """The minimum of the cubic through both points with their slopes, kept between the bounds.

    The middle of the bounds for a cubic without a minimum.
    """
    if p.t > q.t:
        p, q = q, p
    width = q.t - p.t
    a = p.slope + q.slope + 3 * (p.loss - q.loss) / width if width else math.nan
    square = a * a - p.slope * q.slope
    if not square >= 0:
        return (least + most) / 2
    root = math.sqrt(square)
    with quiet():  # a divisor of 0, of a line, gives infinity: the bound
        ratio = np.float64(q.slope + root - a) / (q.slope - p.slope + 2 * root)
    t = float(q.t - width * ratio)
    return min(max(t, least), most)
