"""The pytest plugin: the mark `gradcheck` and the option `--gradcheck-report`.

`@pytest.mark.gradcheck` turns a function that returns `(fn, inputs)` into a gradient test. `fn`
takes Tensors, or is a Module or a Differentiable. Fixtures, parameters and `@given` work as usual.
`--gradcheck-report=FILE` writes the measurements of all checks of the session (see `report`).

pytest loads `tinygrad_cnn_pytest`, which imports this module when a mark or the option needs it.
"""

from __future__ import annotations

import functools
import inspect
import json
import unittest
from collections.abc import Callable, Generator, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import pytest

from ..nn import Module
from .check import subject_at, verify_second
from .check_module import check_module
from .core.differentiable import Differentiable
from .differences import Function
from .errors import GradientError
from .report import Check, Name, Record, Recorder, checking, listeners, merged
from .verify import verify


def _whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


OPTIONS: dict[str, Callable[[Any], bool]] = {  # of the mark, each with what it may be
    "wrt": lambda v: (
        v is None
        or _whole(v)
        or (isinstance(v, (tuple, list)) and len(v) > 0 and all(map(_whole, v)))
    ),
    "second_order": lambda v: isinstance(v, bool),
    "directions": lambda v: _whole(v) and v > 0,
    "seed": lambda v: _whole(v) and v >= 0,
    "allow_unseen": lambda v: isinstance(v, bool),
    "rtol": lambda v: isinstance(v, (int, float, np.floating)) and bool(0 < v < 1),
}


class MarkError(TypeError):
    """A marked test cannot be a gradient test, did not return (fn, inputs), or has a bad mark."""


def call(item: pytest.Function) -> bool:
    """Run a marked test: call the function and check its result. Returns True: the test was run."""
    __tracebackhide__ = True
    refuse(item)
    options = options_of(item)
    arguments = {name: item.funcargs[name] for name in item._fixtureinfo.argnames}
    handle = getattr(item.obj, "hypothesis", None)
    if handle is None:
        check(item, item.obj(**arguments), options)
        return True
    inner = handle.inner_test  # @given: each example returns its own (fn, inputs)
    handle.inner_test = checked(item, inner, options)
    try:
        item.obj(**arguments)
    finally:
        handle.inner_test = inner
    return True


def refuse(item: pytest.Item) -> None:
    """Raise MarkError for a marked test whose result cannot be checked."""
    __tracebackhide__ = True
    test: Any = getattr(item, "function", None)
    test = getattr(getattr(test, "hypothesis", None), "inner_test", test)
    test = inspect.unwrap(test) if callable(test) else test
    if test is None:
        kind = f"a {type(item).__name__}, no function"
    elif issubclass(getattr(item, "cls", None) or object, unittest.TestCase):
        kind = "a method of a unittest.TestCase, whose result nobody gets"
    elif inspect.iscoroutinefunction(test) or inspect.isasyncgenfunction(test):
        kind = "an async function"
    elif inspect.isgeneratorfunction(test):
        kind = "a generator"
    else:
        return
    raise MarkError(
        f"{item.name} is marked gradcheck but is {kind}: "
        "mark a plain function or method that returns (fn, inputs)"
    )


def checked(
    item: pytest.Function, inner: Callable[..., object], options: dict[str, Any]
) -> Callable[..., None]:
    """The function `inner`, with a check of its result."""

    @functools.wraps(inner)
    def test(*args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = True
        check(item, inner(*args, **kwargs), options)

    return test


def options_of(item: pytest.Function) -> dict[str, Any]:
    """The options in the marks of a test; the nearest mark wins.

    Raises MarkError for an unknown option.
    """
    options: dict[str, Any] = {}
    for mark in item.iter_markers("gradcheck"):
        unknown = [*map(repr, mark.args), *(k for k in mark.kwargs if k not in OPTIONS)]
        if unknown:
            raise MarkError(
                f"the mark gradcheck of {item.name} takes no {', '.join(unknown)}: its options are "
                f"{', '.join(f'{name}=' for name in OPTIONS)}"
            )
        options = {**mark.kwargs, **options}
    for name, value in options.items():
        wanted = OPTIONS[name]
        if not wanted(value):
            raise MarkError(f"the mark gradcheck of {item.name} has a bad {name}: {value!r}")
    return options


def check(item: pytest.Function, result: object, options: dict[str, Any]) -> None:
    """Check the result of a marked test. Raises MarkError if it is not (fn, inputs)."""
    __tracebackhide__ = True
    if not _fn_and_inputs(result):
        raise MarkError(
            f"{item.name} is marked gradcheck and must return (fn, inputs), a function and the "
            f"tuple of its inputs (a lone x as (x,)); it returned {_describe(result)}"
            f"{_whose_mark(item)}"
        )
    fn, inputs = result
    subject = subject_at(fn, inputs, options.get("wrt"))
    module = subject.module
    if subject.name == "<lambda>":
        subject.name, module = item.name, item.module.__name__
    how = {key: value for key, value in options.items() if key not in ("wrt", "second_order")}
    with checking(subject.name, module):
        if isinstance(fn, Module):  # its parameters too
            check_module(fn, *inputs, wrt=options.get("wrt"), **how)
        else:
            verify(subject, **how)
        if options.get("second_order", False):
            verify_second(subject, **how)


def _whose_mark(item: pytest.Item) -> str:
    """Where the mark is, if not at the test itself: it then holds for tests that return nothing."""
    for node, _ in item.iter_markers_with_node("gradcheck"):
        if node is not item:
            return f". The mark is on {node.name}, and so on each of its tests"
        return ""
    return ""


def _fn_and_inputs(result: object) -> TypeGuard[tuple[Function | Differentiable, Sequence[Any]]]:
    return (
        isinstance(result, tuple)
        and len(result) == 2
        and (callable(result[0]) or isinstance(result[0], Differentiable))
        and isinstance(result[1], (tuple, list))
    )


def _describe(result: object) -> str:
    if isinstance(result, tuple):
        return f"({', '.join(type(part).__name__ for part in result)})"
    return "nothing" if result is None else f"a {type(result).__name__}"


def shorten(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Show only the message of a failed check in a marked test.

    The traceback runs through the checker, not through the user's code.
    """
    error = None if call.excinfo is None else call.excinfo.value
    if call.excinfo is None or not _is_known(error) or report.outcome != "failed":
        return
    if not item.config.getoption("fulltrace"):
        first, *others = getattr(error, "exceptions", [error])
        shown = pytest.ExceptionInfo.from_exception(first).getrepr(style="value")
        if notes := getattr(first, "__notes__", []):
            shown.addsection("Hypothesis", "\n".join(notes))
        for other in others:  # Hypothesis shows several failures of one test
            text = "\n".join([str(other), *getattr(other, "__notes__", [])])
            shown.addsection("another failure", text)
        report.longrepr = shown


def _is_known(error: object) -> bool:
    """Whether an error needs no traceback; or a group of such errors, which Hypothesis raises."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_known, error.exceptions))
    return isinstance(error, (GradientError, MarkError))


class Reporter:
    """The plugin of `--gradcheck-report`.

    The checks of a test travel with pytest's report of the test. So the main process of
    pytest-xdist has them as soon as the test ends, and keeps them if the worker crashes later.
    """

    def __init__(self, config: pytest.Config):
        self.config, self.recorder = config, Recorder()
        self.worker = hasattr(config, "workerinput")
        self.path = config.invocation_params.dir / Path(config.getoption("gradcheck_report"))
        if not self.worker:
            _check_writable(self.path)
        self.by_test: dict[str, list[Record]] = {}
        self.others: list[list[Record]] = []  # checks outside of tests
        self.problem = ""
        listeners.append(self.recorder)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Tell the recorder which test runs."""
        self.recorder.test = item.nodeid
        self.recorder.module = getattr(getattr(item, "module", None), "__name__", "")
        try:
            return (yield)
        finally:
            self.recorder.test = self.recorder.module = ""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, pytest.TestReport]:
        """Add the checks to the report of each phase of a test."""
        report: Any = yield
        if item.get_closest_marker("gradcheck") is not None:
            error = None if call.excinfo is None else call.excinfo.value
            self._note_marked(item, error, report.when)
        report.gradcheck = [check.as_record() for check in self.recorder.of_test(item.nodeid)]
        return report

    def _note_marked(self, item: pytest.Item, error: object, when: str) -> None:
        """Record a marked test that did not come to a check."""
        if not self.recorder.of_test(item.nodeid) and (when == "call" or error is not None):
            check = self.recorder.check(Name("<lambda>"))
            if isinstance(error, MarkError):
                check.verdict = "bad mark"
            elif isinstance(error, Exception) and when == "call":
                check.verdict = f"raised {type(error).__name__}"

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep the checks of a test with its outcome."""
        records = getattr(report, "gradcheck", None)
        outcome = _outcome(report)
        before = self.by_test.get(report.nodeid, [])
        if records is None:  # not from this plugin: the report of a crash
            records = before
            if outcome == "crashed":
                records = before or [Check(None, "", report.nodeid).as_record()]
        if outcome is None and before:
            outcome = before[0]["outcome"]
        self.by_test[report.nodeid] = [{**record, "outcome": outcome} for record in records]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Collect the checks that a worker of pytest-xdist made outside of tests."""
        self.others.append(getattr(node, "workeroutput", {}).get("gradcheck", []))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the file, or in a worker, send the checks outside of tests to the main process."""
        outside = [check.as_record() for check in self.recorder.of_test("")]
        if self.worker:
            self.config.workeroutput["gradcheck"] = outside  # type: ignore[attr-defined]
            return
        report = merged([outside, *self.others, *self.by_test.values()])
        text = json.dumps(report, indent=1, allow_nan=False)
        try:
            self.path.write_text(text + "\n", encoding="utf-8")
        except OSError as error:  # it could be written when the session began
            self.problem = str(error)
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the path of the report."""
        file = self.config.getoption("gradcheck_report")
        if self.problem:
            terminalreporter.write_line(f"--gradcheck-report: {self.problem}", red=True)
        else:
            terminalreporter.write_line(f"gradient checks written to {file}")

    def pytest_unconfigure(self) -> None:
        """Stop listening."""
        listeners.remove(self.recorder)


def _check_writable(path: Path) -> None:
    """Raise UsageError if no file can be written there."""
    there = path.exists()
    try:
        with path.open("a", encoding="utf-8"):
            pass
        if not there:
            path.unlink()
    except (OSError, ValueError) as error:  # ValueError: a null character
        why = getattr(error, "strerror", None) or error
        raise pytest.UsageError(f"--gradcheck-report: cannot write {path}: {why}") from None


def _outcome(report: Any) -> str | None:
    """The outcome of a test by the report of a phase; None if that of an earlier phase stands."""
    expected = hasattr(report, "wasxfail")
    if report.when not in ("setup", "call", "teardown"):
        return "crashed"  # pytest-xdist's report for a test whose worker is gone
    if report.when == "call" or (report.when == "setup" and report.skipped):
        if expected:
            return "xfailed" if report.skipped else "xpassed"
        return str(report.outcome)
    return "error" if report.failed else None
