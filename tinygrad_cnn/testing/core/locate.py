"""Which element of a gradient is wrong, or at a kink: found by halving the direction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .line import Estimate, Line
from .subject import Array
from .verdict import Outcome, Reason, Verdict, decide, reason

MOST_KINKS = 32  # elements at kinks that are set apart, in search of a wrong one


def _halves(v: Array) -> tuple[Array, Array]:
    places = np.flatnonzero(v)
    first, second = np.zeros_like(v), np.zeros_like(v)
    middle = len(places) // 2
    first.flat[places[:middle]] = v.flat[places[:middle]]
    second.flat[places[middle:]] = v.flat[places[middle:]]
    return first, second


def level_of(estimate: Estimate) -> int:
    """The number of the larger of the two steps of an estimate."""
    return 4 - round(math.log(estimate.h, 4))


def wrong_element(line: Line, verdict: Verdict) -> tuple[Line, Verdict] | None:
    """The line along the element that is most wrong, and its verdict. None if no single one is.

    `verdict` is that of `line`. The half with the larger error is halved again: log₂ n times.
    """
    if verdict.estimate is None:
        return None
    j = level_of(verdict.estimate)
    v = line.v
    while np.count_nonzero(v) > 1:
        parts = [line.along(half) for half in _halves(v)]
        errors = [_error(part, j) for part in parts]
        v = parts[int(errors[1] > errors[0])].v
    alone = line.along(np.where(v != 0, np.abs(v).max(), 0.0))
    found = decide(alone, 0.0)
    return (alone, found) if found.outcome is Outcome.WRONG else None


def _error(line: Line, j: int) -> float:
    estimate = line.estimate(j, 0.0)
    return math.inf if estimate is None else abs(estimate.error)


class Entry(NamedTuple):
    """An entry of the Jacobian: of one element of one output, by the element of the line."""

    output: int
    place: tuple[int, ...]
    by_vjp: float
    by_difference: float


def entry_of(alone: Line, verdict: Verdict) -> Entry | None:
    """The entry of the Jacobian that is most wrong, for a line along a single element.

    The cotangent is halved, with a backward pass for each half. None if no single entry is wrong.
    """
    if verdict.estimate is None:
        return None
    j = level_of(verdict.estimate)
    us = [np.array(u) for u in alone.us]
    while sum(np.count_nonzero(u) for u in us) > 1:
        parts = [_with_cotangent(alone, half) for half in _halves_of_all(us)]
        errors = [_error(part, j) for part in parts]
        us = list(parts[int(errors[1] > errors[0])].us)
    found = [(n, u) for n, u in enumerate(us) if u.any()]
    if not found:
        return None
    n, u = found[0]
    flat = int(np.flatnonzero(u)[0])
    line = _with_cotangent(alone, [np.where(u != 0, u.dtype.type(1), u) for u in us])
    of_entry = decide(line, 0.0)
    if of_entry.outcome is not Outcome.WRONG or of_entry.estimate is None:
        return None
    size = float(np.abs(line.v).max())
    index = tuple(int(i) for i in np.unravel_index(flat, u.shape))
    slope = line.claim + of_entry.estimate.error
    return Entry(n, index, line.claim / size, slope / size)


def _with_cotangent(line: Line, us: Sequence[Array]) -> Line:
    """The same direction for another cotangent, with the gradient for it."""
    place = line.subject.wrt.index(line.k)
    gradient = line.subject.vjp(line.subject.doubles, us)[place]
    return Line(line.subject, us, line.k, line.v, gradient, line.at, line.scale)


def _halves_of_all(us: Sequence[Array]) -> tuple[list[Array], list[Array]]:
    """The two halves of several arrays, counted over their elements that are not zero."""
    flat = np.concatenate([np.ravel(u) for u in us])
    ends = np.cumsum([u.size for u in us])[:-1]
    first, second = (
        [
            part.reshape(u.shape).astype(u.dtype)
            for part, u in zip(np.split(half, ends), us, strict=True)
        ]
        for half in _halves(flat)
    )
    return first, second


def kinks(line: Line) -> list[Array]:
    """Directions along the single elements whose two slopes differ, at most MOST_KINKS of them."""
    found: list[Array] = []
    todo = [line.v]
    while todo and len(found) < MOST_KINKS:
        v = todo.pop()
        if reason(line.along(v)) is not Reason.KINK:
            continue
        if np.count_nonzero(v) == 1:
            found.append(v)
        else:
            todo += reversed(_halves(v))
    return found
