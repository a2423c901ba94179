"""How time and memory grow with the size of the work: series of sizes, and the fitted exponents.

The exponent is the slope of log(time or memory) against log(size), by least squares. It is fitted
to the upper half of the sizes, since small sizes cost the overhead of a call. A second fit uses all
sizes. Each round gives one exponent, and the quartiles over the rounds are the spread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .measure import Samples, quartiles
from .rows import EAGER, step_arguments


@dataclass(frozen=True)
class Series:
    """One workload at several sizes; `expected` is the exponent of its time in theory."""

    name: str
    workload: str
    arguments: Callable[[int], dict[str, Any]]  # for a size
    sizes: tuple[int, ...]
    rivals: tuple[str, ...]
    expected: float


SERIES = (
    Series("batch of LeNet-5", "training_step", lambda n: step_arguments("lenet", n, 1, 28, 28),
           (1, 2, 4, 8, 16, 32, 64, 128, 256, 512), EAGER, 1),
    Series("depth in 3x3 layers", "training_step",
           lambda n: step_arguments("plain", 4, 3, 32, 32, depth=n),
           (2, 4, 8, 16, 32, 64), EAGER, 1),
    Series("image side", "training_step", lambda n: step_arguments("plain", 4, 3, n, n, depth=4),
           (16, 28, 56, 112, 224), EAGER, 2),
    Series("graph length", "chain", lambda n: {"length": n},
           (1_000, 10_000, 100_000, 1_000_000), ("torch",), 1),
)  # fmt: skip


@dataclass
class Scaled:
    """A measured series: samples of time and of memory for each size."""

    series: Series
    time: list[Samples]
    memory: list[Samples]


def exponents(
    sizes: Sequence[int], samples: Sequence[Samples], name: str
) -> dict[str, tuple[float, float, float]] | None:
    """Quartiles of the exponents of one contestant, for the "upper" half and for "all" sizes.

    None if fewer than two sizes were measured.
    """
    pairs = [(n, s.values[name]) for n, s in zip(sizes, samples, strict=True) if s.values.get(name)]
    pairs = [(n, values) for n, values in pairs if min(values) > 0]  # memory may not have risen
    if len(pairs) < 2:
        return None
    half = pairs[min(len(pairs) // 2, len(pairs) - 2) :]
    return {"upper": quartiles(slopes(half)), "all": quartiles(slopes(pairs))}


def slopes(pairs: Sequence[tuple[int, list[float]]]) -> list[float]:
    """Log-log slopes through (size, values), one for each round that all sizes have."""
    x = np.log([n for n, _ in pairs])
    rounds = min(len(values) for _, values in pairs)
    y = np.log([values[:rounds] for _, values in pairs])  # (sizes, rounds)
    x = x - x.mean()
    return list((x @ (y - y.mean(0))) / (x @ x))
