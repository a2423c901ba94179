"""Measuring contestants in turn, and statistics of the samples: medians, quartiles, ratios.

On a shared, noisy machine no absolute time is worth quoting. So contestants run in short
alternating blocks, and a result is the median over the rounds of the ratio within a round.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

# Idle time between the blocks of two contestants. The threads of a library spin for a while after
# its last call, and slow down the next contestant.
PAUSE_SECONDS = 0.05

# Contestants must compute the same number. The float32 losses of a LeNet step agree to 2e-6.
RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 0.01, 1e-3

Workload = tuple[str, dict[str, Any]]  # the name of a function of `workloads`, and its arguments


class Worker(Protocol):
    """A place where a contestant runs; see `workers`. Methods raise if the contestant fails."""

    def prepare(self, workload: str, arguments: dict[str, Any], threads: int | None) -> float:
        """Set up a call, run it, and return its result as a number."""

    def time_block(self, seconds: float) -> float:
        """Run the call for so many seconds, and return the median seconds of one call."""

    def memory_rise(self, workload: str, arguments: dict[str, Any], threads: int | None) -> float:
        """Return the MiB by which the workload raises the memory of a fresh process."""

    def close(self) -> None:
        """Free its memory, and end its process."""


Start = Callable[[str], Worker]  # the worker of a contestant, by its name


@dataclass(frozen=True)
class Effort:
    """How long to measure: at most so many rounds of blocks, within a time budget for each row."""

    rounds: int = 12
    block_seconds: float = 0.15
    budget_seconds: float = 60.0
    processes: int = 3  # fresh ones for each measurement of memory

    min_rounds = 3  # however long they take


QUICK = Effort(rounds=3, block_seconds=0.1, budget_seconds=5.0, processes=1)


@dataclass
class Samples:
    """The measurements of each contestant, one for each round, in `unit`; and why others failed."""

    unit: str
    values: dict[str, list[float]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def median(self, name: str) -> float:
        """The median of one contestant."""
        return float(np.median(self.values[name]))

    def ratio(self, name: str, other: str) -> tuple[float, float, float]:
        """Quartiles of the ratios within a round: lower, median, upper."""
        pairs = zip(self.values[name], self.values[other], strict=False)
        return quartiles([a / b for a, b in pairs])

    def best(self, names: Iterable[str]) -> str | None:
        """The contestant with the smallest median; None if none of them was measured."""
        return min((n for n in names if n in self.values), key=self.median, default=None)


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile."""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return float(low), float(middle), float(high)


def compare(
    workers: Mapping[str, Worker],
    workloads: Mapping[str, Workload],
    effort: Effort,
    threads: int | None = None,
    pause: float = PAUSE_SECONDS,
) -> Samples:
    """Seconds of one call of each contestant's workload.

    Contestants with equal workloads must compute the same number. One whose number differs from
    that of the first is excluded, and `failed` tells why.
    """
    samples = Samples("s")
    first: dict[str, float] = {}  # the number of the first contestant, by workload
    for name, worker in workers.items():
        try:
            number = worker.prepare(*workloads[name], threads)
        except Exception as error:
            samples.failed[name] = str(error)
            continue
        expected = first.setdefault(repr(workloads[name]), number)
        if not math.isclose(
            number, expected, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE
        ):
            samples.failed[name] = f"it computes {number:.6g}, the first one {expected:.6g}"
        else:
            samples.values[name] = []
    begin = time.perf_counter()
    for done in range(effort.rounds):
        if done >= effort.min_rounds and time.perf_counter() - begin > effort.budget_seconds:
            break
        for name in list(samples.values):
            time.sleep(pause)
            try:
                samples.values[name].append(workers[name].time_block(effort.block_seconds))
            except Exception as error:
                samples.failed[name] = str(error)
                del samples.values[name]
    return samples


def peaks(
    names: Iterable[str],
    start: Start,
    workload: Workload,
    effort: Effort,
    threads: int | None = None,
) -> Samples:
    """MiB by which the workload raises the memory of a fresh process of each contestant."""
    samples = Samples("MiB")
    for _ in range(effort.processes):
        for name in names:
            if name in samples.failed:
                continue
            worker = start(name)
            try:
                samples.values.setdefault(name, []).append(worker.memory_rise(*workload, threads))
            except Exception as error:
                samples.failed[name] = str(error)
                samples.values.pop(name, None)
            finally:
                worker.close()
    return samples
