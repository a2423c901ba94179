"""Timing libraries in turn in one process, and memory in processes of their own.

The machine is shared and noisy, so that no absolute time is worth quoting: contestants run in short
alternating blocks, and what counts is the median over the rounds of the ratio within a round.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

PAUSE = 0.05  # seconds: threads of the one library spin on for a while and slow the other


@dataclass
class Result:
    """Seconds for one call of each contestant, and ratios to the first: median and quartiles."""

    seconds: dict[str, float]
    ratio: dict[str, float]
    spread: dict[str, tuple[float, float]]


def compare(
    contestants: dict[str, Callable[[], object]], *, rounds: int = 12, block: float = 0.1
) -> Result:
    """Time calls of each contestant, `rounds` times a block of some `block` seconds each."""
    calls = {}
    for name, run in contestants.items():
        run()  # compiles, fills caches
        start = time.perf_counter()
        run()
        calls[name] = max(1, round(block / (time.perf_counter() - start)))
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            time.sleep(PAUSE)
            run()
            samples = []
            for _ in range(calls[name]):
                start = time.perf_counter()
                run()
                samples.append(time.perf_counter() - start)
            times[name].append(statistics.median(samples))
    first = next(iter(contestants))
    ratios = {
        name: [a / b for a, b in zip(times[name], times[first], strict=True)] for name in times
    }
    quartiles = {name: statistics.quantiles(r, n=4) for name, r in ratios.items()}
    return Result(
        {name: statistics.median(t) for name, t in times.items()},
        {name: statistics.median(r) for name, r in ratios.items()},
        {name: (q[0], q[2]) for name, q in quartiles.items()},
    )


def in_process(code: str, timeout: float = 300) -> float:
    """Run `code` in a new Python process, which prints a number last, and return that.

    It keeps compiled bytecode, as users' do, whatever this process was told.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=environment,
    )
    if done.returncode:
        raise RuntimeError(f"the measured process failed:\n{done.stderr[-2000:]}")
    return float(done.stdout.strip().splitlines()[-1])
