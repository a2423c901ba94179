"""Measurements of the checks, for listeners. `Recorder` is the listener that makes the report.

A check names its op with `checking(name, module)`, and reports each comparison of a gradient with a
difference by `compared`. A check that runs inside another counts for the outer one. By default
there is no listener, and nothing is measured.

>>> import tinygrad_cnn as tc
>>> from tinygrad_cnn.testing import check_op
>>> with recording() as recorder:
...     check_op(tc.tanh)
>>> found = recorder.report()["ops"]["tinygrad_cnn.ops.elementwise.tanh"]
>>> found["examples"] > 0 and found["error"] < 1e-6 and round(found["slope"])
2

The report, which `pytest --gradcheck-report=FILE` writes as JSON:

- `format`: 2;
- `ops`: for each op, by its module and name, over all its checks. A check that failed in a test
  that passed, or that was marked xfail, does not count: the test expected the failure.
  - `examples`: number of points at which the gradient was compared;
  - `seconds`: time of the checks;
  - `error`: the largest |by the vjp − by differences| / sum of the magnitudes of the terms. The
    sum is raised by the rounding of the differences over rtol. Null if each comparison found a
    gradient that is zero to rounding: its error is noise over noise;
  - `slope`: the Taylor slope, a median: 2 is right, 1 is wrong, null for a linear function;
  - `zero`: number of comparisons in which the gradient is zero to rounding;
  - `second_order_error`, `second_order_slope`, `second_order_zero`: the same for second
    derivatives; null or 0 if not checked;
  - `verdict`: the reason of a failure; null without a failure;
- `checks`: the same for each test, with `op`, `module`, `test` (its pytest name) and `outcome`:
  "passed", "failed", "skipped", "xfailed", "xpassed", "error" (in a fixture) or "crashed"; null
  outside of pytest. A marked test that made no check is there too, and so is a test whose worker
  crashed, where `op` is null if it is unknown.
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
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from .core import Subject
from .errors import GradientError

Record = dict[str, Any]  # an entry of the report, for JSON

MOST_SLOPES = 5  # measured of one op in one test: each costs about 16 calls of the op


class Name(NamedTuple):
    """The name of an op or a function, and of its module; the module is "" if it is unknown."""

    name: str
    module: str = ""


class Listener:
    """Base class of listeners. Its methods do nothing."""

    def compared(
        self, name: Name, order: int, error: float, slope: Callable[[], float], zero: bool
    ) -> None:
        """A gradient (order 1) or a second derivative (order 2) was compared with a difference.

        `error` is relative. `slope` computes the Taylor slope. `zero` says that both values are
        zero to rounding, so that `error` is noise over noise.
        """

    def examined(self, name: Name) -> None:
        """A check compares the gradient at one more point."""

    def ended(self, name: Name, seconds: float, verdict: str | None) -> None:
        """A check ended. `verdict` is the reason if it failed, else None."""


listeners: list[Listener] = []
_current: ContextVar[Name | None] = ContextVar("the running check", default=None)


@contextmanager
def checking(name: str, module: str = "") -> Iterator[None]:
    """Comparisons in this context count for `name`, unless an outer `checking` has another name."""
    if not listeners or _current.get() is not None:
        yield
        return
    running, start, verdict = Name(name, module), time.perf_counter(), None
    token = _current.set(running)
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
            listener.ended(running, time.perf_counter() - start, verdict)


P = ParamSpec("P")
S = TypeVar("S", bound=Subject)


def reported(
    check: Callable[Concatenate[S, P], None],
) -> Callable[Concatenate[S, P], None]:
    """Wrap a check of a subject in `checking` with the name of the subject."""

    @functools.wraps(check)
    def run(subject: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
        with checking(subject.name, subject.module):
            check(subject, *args, **kwargs)

    return run


def examined(name: str) -> None:
    """Tell the listeners that a gradient is compared at one more point."""
    for listener in listeners:
        listener.examined(_current.get() or Name(name))


def compared(
    name: str, order: int, error: float, slope: Callable[[], float], *, zero: bool = False
) -> None:
    """Tell the listeners the result of one comparison. The arguments are those of a Listener."""
    for listener in listeners:
        listener.compared(_current.get() or Name(name), order, error, slope, zero)


@dataclass
class Check:
    """The measurements of one op in one test."""

    op: str | None
    module: str
    test: str
    outcome: str | None = None
    examples: int = 0
    seconds: float = 0.0
    errors: dict[int, float] = field(default_factory=dict)
    zeros: dict[int, int] = field(default_factory=dict)
    slopes: dict[int, list[float]] = field(default_factory=dict)
    verdict: str | None = None

    def as_record(self) -> Record:
        """One element of the report's `checks`."""
        return {
            "op": self.op,
            "module": self.module,
            "test": self.test,
            "outcome": self.outcome,
            "examples": self.examples,
            "seconds": round(self.seconds, 6),
            "error": self.errors.get(1),
            "slope": _median(self.slopes.get(1, [])),
            "zero": self.zeros.get(1, 0),
            "second_order_error": self.errors.get(2),
            "second_order_slope": _median(self.slopes.get(2, [])),
            "second_order_zero": self.zeros.get(2, 0),
            "verdict": self.verdict,
        }


class Recorder(Listener):
    """Records the checks by test and op. `test` and `module` name the running test."""

    def __init__(self) -> None:
        self.test = self.module = ""
        self.checks: dict[tuple[str, Name], Check] = {}

    def check(self, name: Name) -> Check:
        """The record of an op in the running test. A lambda gets the name of the test."""
        if name.name == "<lambda>" and self.test:
            name = Name(self.test.split("::")[-1], self.module)
        return self.checks.setdefault((self.test, name), Check(*name, self.test))

    def examined(self, name: Name) -> None:
        self.check(name).examples += 1

    def compared(
        self, name: Name, order: int, error: float, slope: Callable[[], float], zero: bool
    ) -> None:
        check = self.check(name)
        if zero:
            check.zeros[order] = check.zeros.get(order, 0) + 1
            return
        if math.isfinite(error):
            check.errors[order] = max(error, check.errors.get(order, 0.0))
        slopes = check.slopes.setdefault(order, [])
        if len(slopes) < MOST_SLOPES:
            slopes.append(slope())

    def ended(self, name: Name, seconds: float, verdict: str | None) -> None:
        check = self.check(name)
        check.seconds += seconds
        check.verdict = verdict or check.verdict

    def of_test(self, test: str) -> list[Check]:
        """The checks of a test."""
        return [check for check in self.checks.values() if check.test == test]

    def report(self) -> Record:
        """The report: plain dicts, lists, strings and finite numbers."""
        return merged([[check.as_record() for check in self.checks.values()]])


def merged(parts: Iterable[list[Record]]) -> Record:
    """The report made of the `checks` of several processes."""
    checks = sorted(
        (c for part in parts for c in part), key=lambda c: (c["op"] or "", c["module"], c["test"])
    )
    by_op: dict[str, list[Record]] = {}
    for check in checks:
        expected = check["verdict"] and check["outcome"] in ("passed", "xfailed")
        if check["op"] and not expected:
            name = ".".join(filter(None, (check["module"], check["op"])))
            by_op.setdefault(name, []).append(check)
    ops = {name: _summary(found) for name, found in by_op.items()}
    return {"format": 2, "ops": ops, "checks": checks}


def _summary(checks: list[Record]) -> Record:
    def known(key: str) -> list[Any]:
        return [check[key] for check in checks if check[key] is not None]

    return {
        "examples": sum(known("examples")),
        "seconds": round(sum(known("seconds")), 6),
        "error": max(known("error"), default=None),
        "slope": _median(known("slope")),
        "zero": sum(known("zero")),
        "second_order_error": max(known("second_order_error"), default=None),
        "second_order_slope": _median(known("second_order_slope")),
        "second_order_zero": sum(known("second_order_zero")),
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
