"""A scenario: one kind of fault, tried again and again. `run` counts what went wrong."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

FIGURES = dict[str, float]  # the name of a measured value, with its unit, and the value


@dataclass(frozen=True)
class Trial:
    """One trial. `wrong` says in a few words what went wrong; "" means that nothing did."""

    wrong: str = ""
    figures: FIGURES = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """A kind of fault. `trials(seed)` yields a Trial after each attempt, without an end.

    `count` is the number of trials in a full run, `short` in `tests/faults`. `what` completes the
    sentence "One trial is ...". A scenario that holds resources frees them when it is closed.
    """

    name: str
    what: str
    trials: Callable[[int], Iterator[Trial]]
    count: int
    short: int


@dataclass
class Result:
    """The number of trials, how often each thing went wrong, and the largest value of each figure."""

    scenario: Scenario
    done: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    figures: FIGURES = field(default_factory=dict)
    seconds: float = 0.0

    def row(self) -> str:
        """A row of the table."""
        wrong = ", ".join(f"{n} × {text}" for text, n in self.wrong.most_common()) or "0"
        figures = "; ".join(f"{name}: {value:,.4g}" for name, value in self.figures.items())
        cells = (
            self.scenario.name, self.scenario.what, f"{self.done:,}", wrong, figures,
            f"{self.seconds:,.0f}",
        )  # fmt: skip
        return "| " + " | ".join(cells) + " |"


HEADER = """\
| scenario | one trial is | trials | wrong | largest figures | s |
|---|---|---:|---|---|---:|"""


def run(scenario: Scenario, count: int, minutes: float | None = None, seed: int = 0) -> Result:
    """Run `count` trials, or as many as start within `minutes`."""
    result, start = Result(scenario), time.monotonic()
    trials = scenario.trials(seed)
    try:
        while result.done < count:
            if minutes is not None and time.monotonic() - start > 60 * minutes:
                break
            trial = next(trials)
            result.done += 1
            if trial.wrong:
                result.wrong[trial.wrong] += 1
            for name, value in trial.figures.items():
                result.figures[name] = max(value, result.figures.get(name, value))
    finally:
        trials.close()  # type: ignore[attr-defined]
        result.seconds = time.monotonic() - start
    return result
