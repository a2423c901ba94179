"""Measurements of the checks, for listeners. `Recorder` is the listener that makes the report.

A check names its op with `checking(name)`, and reports each comparison of a gradient with a
difference by `compared`. A check that runs inside another counts for the outer one. By default
there is no listener, and nothing is measured.

>>> import tinygrad_cnn as tc
>>> from tinygrad_cnn.testing import check_op
>>> with recording() as recorder:
...     check_op(tc.tanh)
>>> found = recorder.report()["ops"]["tanh"]
>>> found["examples"] > 0 and found["error"] < 1e-6 and round(found["slope"])
2

The report, which `pytest --gradcheck-report=FILE` writes as JSON:

- `format`: 1;
- `ops`: for each op by name, over all its checks. A check that failed in a test that passed does
  not count: that test expected the failure.
  - `examples`: number of points at which the gradient was compared;
  - `seconds`: time of the checks;
  - `error`: the largest |by the vjp − by differences| / sum of the magnitudes of the terms. The
    sum is raised by the rounding of the differences over rtol: else a gradient that is 0 but for
    rounding, as of a bias before a batch norm, would be off by the whole of it;
  - `slope`: the Taylor slope, a median: 2 is right, 1 is wrong, null for a linear function;
  - `second_order_error`, `second_order_slope`: the same for second derivatives; null if not
    checked;
  - `verdict`: the reason of a failure; null without a failure;
- `checks`: the same for each test, with `op`, `test` (its pytest name) and `outcome` ("passed",
  "failed"; null outside of pytest).
"""

from __future__ import annotations

import functools
import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec

from .core import Subject
from .errors import GradientError

Record = dict[str, Any]  # an entry of the report, for JSON

MOST_SLOPES = 5  # measured of one op in one test: each costs about 16 calls of the op


class Listener:
    """Base class of listeners. Its methods do nothing."""

    def compared(self, name: str, order: int, error: float, slope: Callable[[], float]) -> None:
        """A gradient (order 1) or a second derivative (order 2) was compared with a difference.

        `error` is relative. `slope` computes the Taylor slope.
        """

    def examined(self, name: str) -> None:
        """A check compares the gradient at one more point."""

    def ended(self, name: str, seconds: float, verdict: str | None) -> None:
        """A check ended. `verdict` is the reason if it failed, else None."""


listeners: list[Listener] = []
_current: ContextVar[str | None] = ContextVar("the running check", default=None)


@contextmanager
def checking(name: str) -> Iterator[None]:
    """Comparisons in this context count for `name`, unless an outer `checking` has another name."""
    if not listeners or _current.get() is not None:
        yield
        return
    token, start, verdict = _current.set(name), time.perf_counter(), None
    try:
        yield
    except GradientError as error:
        verdict = error.verdict
        raise
    except Exception as error:
        verdict = f"raised {type(error).__name__}"
        raise
    finally:
        _current.reset(token)
        for listener in listeners:
            listener.ended(name, time.perf_counter() - start, verdict)


P = ParamSpec("P")


def reported(
    check: Callable[Concatenate[Subject, P], None],
) -> Callable[Concatenate[Subject, P], None]:
    """Wrap a check of a subject in `checking` with the name of the subject."""

    @functools.wraps(check)
    def run(subject: Subject, /, *args: P.args, **kwargs: P.kwargs) -> None:
        with checking(subject.name):
            check(subject, *args, **kwargs)

    return run


def examined(name: str) -> None:
    """Tell the listeners that a gradient is compared at one more point."""
    for listener in listeners:
        listener.examined(_current.get() or name)


def compared(name: str, order: int, error: float, slope: Callable[[], float]) -> None:
    """Tell the listeners the result of one comparison."""
    for listener in listeners:
        listener.compared(_current.get() or name, order, error, slope)


@dataclass
class Check:
    """The measurements of one op in one test."""

    op: str
    test: str
    outcome: str | None = None
    examples: int = 0
    seconds: float = 0.0
    errors: dict[int, float] = field(default_factory=dict)
    slopes: dict[int, list[float]] = field(default_factory=dict)
    verdict: str | None = None

    def measures(self) -> Record:
        """The entries of the report for this check."""
        return {
            "examples": self.examples,
            "seconds": round(self.seconds, 6),
            "error": self.errors.get(1),
            "slope": _median(self.slopes.get(1, [])),
            "second_order_error": self.errors.get(2),
            "second_order_slope": _median(self.slopes.get(2, [])),
            "verdict": self.verdict,
        }


class Recorder(Listener):
    """Records the checks by test and op. `test` is the name of the running test."""

    def __init__(self) -> None:
        self.test = ""
        self.checks: dict[tuple[str, str], Check] = {}

    def check(self, name: str) -> Check:
        """The record of an op in the running test. A lambda gets the name of the test."""
        if name == "<lambda>" and self.test:
            name = self.test.split("::")[-1]
        return self.checks.setdefault((self.test, name), Check(name, self.test))

    def examined(self, name: str) -> None:
        self.check(name).examples += 1

    def compared(self, name: str, order: int, error: float, slope: Callable[[], float]) -> None:
        check = self.check(name)
        if math.isfinite(error):
            check.errors[order] = max(error, check.errors.get(order, 0.0))
        slopes = check.slopes.setdefault(order, [])
        if len(slopes) < MOST_SLOPES:
            slopes.append(slope())

    def ended(self, name: str, seconds: float, verdict: str | None) -> None:
        check = self.check(name)
        check.seconds += seconds
        check.verdict = verdict or check.verdict

    def finish(self, test: str, outcome: str) -> None:
        """Record the outcome of a test."""
        for check in self.checks.values():
            if check.test == test:
                check.outcome = outcome

    def report(self) -> Record:
        """The report: plain dicts, lists, strings and finite numbers."""
        return merged([[as_record(check) for check in self.checks.values()]])


def as_record(check: Check) -> Record:
    """One element of the report's `checks`."""
    return {"op": check.op, "test": check.test, "outcome": check.outcome, **check.measures()}


def merged(parts: Iterable[list[Record]]) -> Record:
    """The report made of the `checks` of several processes."""
    checks = sorted((c for part in parts for c in part), key=lambda c: (c["op"], c["test"]))
    by_op: dict[str, list[Record]] = {}
    for check in checks:
        if check["verdict"] is None or check["outcome"] != "passed":
            by_op.setdefault(check["op"], []).append(check)
    ops = {name: _summary(found) for name, found in by_op.items()}
    return {"format": 1, "ops": ops, "checks": checks}


def _summary(checks: list[Record]) -> Record:
    def known(key: str) -> list[Any]:
        return [check[key] for check in checks if check[key] is not None]

    return {
        "examples": sum(known("examples")),
        "seconds": round(sum(known("seconds")), 6),
        "error": max(known("error"), default=None),
        "slope": _median(known("slope")),
        "second_order_error": max(known("second_order_error"), default=None),
        "second_order_slope": _median(known("second_order_slope")),
        "verdict": next(iter(known("verdict")), None),
    }


def _median(slopes: list[float]) -> float | None:
    finite = [slope for slope in slopes if math.isfinite(slope)]
    return round(statistics.median(finite), 3) if finite else None


@contextmanager
def recording() -> Iterator[Recorder]:
    """Record the checks inside this context."""
    recorder = Recorder()
    listeners.append(recorder)
    try:
        yield recorder
    finally:
        listeners.remove(recorder)
