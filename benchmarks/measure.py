"""Measuring contestants in turn, and what the samples say: medians, quartiles, ratios.

The machine is shared and noisy, so that no absolute time is worth quoting: contestants run in short
alternating blocks, and what counts is the median over the rounds of the ratio within a round.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

PAUSE = 0.05  # seconds: threads of the one library spin on for a while and slow the other


class Sits(Protocol):
    """What `compare` asks of a contestant; see `seats`."""

    def prepare(self, work: str, arguments: dict[str, Any], threads: int | None) -> float: ...
    def block(self, seconds: float) -> float: ...
    def rise(self, work: str, arguments: dict[str, Any], threads: int | None) -> float: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Effort:
    """How long to look: rounds of blocks of some seconds each, while the seconds of a row last."""

    rounds: int = 12
    block: float = 0.15
    budget: float = 60.0
    memory: int = 3  # fresh processes for each figure of memory

    least = 3  # rounds, whatever they take


QUICK = Effort(rounds=3, block=0.1, budget=5.0, memory=1)


@dataclass
class Samples:
    """What was measured of each contestant, round by round, in `unit`; and what failed and why."""

    unit: str
    taken: dict[str, list[float]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def median(self, name: str) -> float:
        """Of one contestant."""
        return float(np.median(self.taken[name]))

    def ratio(self, name: str, other: str) -> tuple[float, float, float]:
        """Quartiles of the ratios within a round: lower, median, upper."""
        return quartiles([a / b for a, b in zip(self.taken[name], self.taken[other], strict=False)])

    def best(self, names: Mapping[str, Any] | list[str]) -> str | None:
        """Who of these has the least median, None if none was measured."""
        return min((n for n in names if n in self.taken), key=self.median, default=None)


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return float(low), float(middle), float(high)


def compare(
    seats: Mapping[str, Sits], works: Mapping[str, tuple[str, dict[str, Any]]], effort: Effort,
    threads: int | None = None, same: float = 0.01, pause: float = PAUSE,
) -> Samples:  # fmt: skip
    """Seconds of a call of each one's work. Of those with one work, who finds another number than the
    first of them has failed.
    """
    samples = Samples("s")
    found: dict[str, float] = {}
    for name, seat in seats.items():
        try:
            value = seat.prepare(*works[name], threads)
        except Exception as error:
            samples.failed[name] = str(error)
            continue
        first = found.setdefault(repr(works[name]), value)
        if not math.isclose(value, first, rel_tol=same, abs_tol=1e-3):
            samples.failed[name] = f"computes {value:.6g} where the first has {first:.6g}"
        else:
            samples.taken[name] = []
    begin = time.perf_counter()
    for done in range(effort.rounds):
        if done >= effort.least and time.perf_counter() - begin > effort.budget:
            break
        for name in list(samples.taken):
            time.sleep(pause)
            try:
                samples.taken[name].append(seats[name].block(effort.block))
            except Exception as error:
                samples.failed[name] = str(error)
                del samples.taken[name]
    return samples


def peaks(
    names: list[str], sit: Callable[[str], Sits], work: tuple[str, dict[str, Any]], effort: Effort,
    threads: int | None = None,
) -> Samples:  # fmt: skip
    """MiB that the work of each raises the memory of a fresh process by."""
    samples = Samples("MiB")
    for _ in range(effort.memory):
        for name in names:
            if name in samples.failed:
                continue
            seat = sit(name)
            try:
                samples.taken.setdefault(name, []).append(seat.rise(*work, threads))
            except Exception as error:
                samples.failed[name] = str(error)
                samples.taken.pop(name, None)
            finally:
                seat.close()
    return samples
