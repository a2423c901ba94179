"""The pytest plugin: the mark `gradcheck` and the option `--gradcheck-report`.

`@pytest.mark.gradcheck` turns a function that returns `(fn, inputs)` into a gradient test. `fn`
takes Tensors, or is a Module. Fixtures, parameters and `@given` work as usual.
`--gradcheck-report=FILE` writes the measurements of all checks of the session (see `report`).

pytest loads `tinygrad_cnn_pytest`, which imports this module when a mark or the option needs it.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import pytest

from ..nn import Module
from .check import verify_second_order
from .check_module import check_module
from .differences import Function
from .errors import GradientError
from .report import Record, Recorder, as_record, checking, listeners, merged
from .subject import Subject
from .verify import verify

OPTIONS = ("wrt", "second_order", "directions", "seed", "rtol")


class MarkError(TypeError):
    """A marked function did not return (fn, inputs), or its mark has an unknown option."""


def call(item: pytest.Function) -> bool:
    """Run a marked test: call the function and check its result. Returns True: the test was run."""
    __tracebackhide__ = True
    options = options_of(item)
    arguments = {name: item.funcargs[name] for name in item._fixtureinfo.argnames}
    handle = getattr(item.obj, "hypothesis", None)
    if handle is None:
        check(item.name, item.obj(**arguments), options)
        return True
    inner = handle.inner_test  # @given: each example returns its own (fn, inputs)
    handle.inner_test = checked(item.name, inner, options)
    try:
        item.obj(**arguments)
    finally:
        handle.inner_test = inner
    return True


def checked(
    name: str, inner: Callable[..., object], options: dict[str, Any]
) -> Callable[..., None]:
    """The function `inner`, with a check of its result."""

    @functools.wraps(inner)
    def test(*args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = True
        check(name, inner(*args, **kwargs), options)

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
    return options


def check(name: str, result: object, options: dict[str, Any]) -> None:
    """Check the result of a marked function. Raises MarkError if it is not (fn, inputs)."""
    __tracebackhide__ = True
    if not _fn_and_inputs(result):
        if inspect.iscoroutine(result):
            result.close()
        raise MarkError(
            f"{name} is marked gradcheck and must return (fn, inputs), a function and the tuple of "
            f"its inputs (a lone x as (x,)); it returned {_describe(result)}"
        )
    fn, inputs = result
    subject = Subject(fn, inputs, options.get("wrt"))
    if subject.name == "<lambda>":
        subject.name = name
    how = {key: value for key, value in options.items() if key not in ("wrt", "second_order")}
    with checking(subject.name):
        if isinstance(fn, Module):  # its parameters too
            check_module(fn, *inputs, wrt=options.get("wrt"), **how)
        else:
            verify(subject, **how)
        if options.get("second_order", False):
            verify_second_order(subject, **how)


def _fn_and_inputs(result: object) -> TypeGuard[tuple[Function, Sequence[Any]]]:
    return (
        isinstance(result, tuple)
        and len(result) == 2
        and callable(result[0])
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
    if not isinstance(error, (GradientError, MarkError)) or report.outcome != "failed":
        return
    if call.excinfo is not None and not item.config.getoption("fulltrace"):
        shown = call.excinfo.getrepr(style="value")
        if notes := getattr(error, "__notes__", []):
            shown.addsection("Hypothesis", "\n".join(notes))
        report.longrepr = shown


class Reporter:
    """The plugin of `--gradcheck-report`.

    Each process of pytest-xdist has a recorder. The main process collects them and writes the file.
    """

    def __init__(self, config: pytest.Config):
        self.config, self.recorder = config, Recorder()
        self.path = config.invocation_params.dir / Path(config.getoption("gradcheck_report"))
        if not self.path.parent.is_dir():
            raise pytest.UsageError(f"--gradcheck-report: there is no folder {self.path.parent}")
        self.parts: list[list[Record]] = []
        listeners.append(self.recorder)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Tell the recorder which test runs."""
        self.recorder.test = item.nodeid
        try:
            return (yield)
        finally:
            self.recorder.test = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell the recorder the outcome of a test."""
        if report.when == "call":
            self.recorder.finish(report.nodeid, report.outcome)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Collect the checks of a worker of pytest-xdist."""
        self.parts.append(getattr(node, "workeroutput", {}).get("gradcheck", []))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write the file, or in a worker, send the checks to the main process."""
        mine = [as_record(check) for check in self.recorder.checks.values()]
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["gradcheck"] = mine
            return
        report = merged([mine, *self.parts])
        text = json.dumps(report, indent=1, allow_nan=False)
        self.path.write_text(text + "\n", encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the path of the report."""
        terminalreporter.write_line(
            f"gradient checks written to {self.config.getoption('gradcheck_report')}"
        )

    def pytest_unconfigure(self) -> None:
        """Stop listening."""
        listeners.remove(self.recorder)
