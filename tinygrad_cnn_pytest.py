"""The entry point of the pytest plugin. The plugin itself is `tinygrad_cnn.testing.plugin`.

pytest imports every installed plugin at each start. So this module is outside of the package, and
it imports the package, NumPy and Hypothesis only when a mark or an option needs them. Coverage
tools start after pytest loads plugins; they too see the whole import of the package. `-p
no:tinygrad_cnn` turns the plugin off.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

MARK = (
    "gradcheck(wrt=None, second_order=False, directions=3, seed=0, rtol=1e-6): "
    "the function returns (fn, inputs); check the gradients of fn there"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gradcheck", "gradients (tinygrad_cnn)")
    group.addoption(
        "--gradcheck-report",
        metavar="FILE",
        help="write the results of the gradient checks to FILE, as JSON: the error, Taylor slope, "
        "number of examples and time of each op and each test",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Register the profiles before any conftest runs, so that the user's profiles replace ours."""
    if getattr(early_config.known_args_namespace, "hypothesis_profile", None) in ("ci", "nightly"):
        from tinygrad_cnn.testing.profiles import register

        register()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)
    if config.getoption("gradcheck_report") is not None:
        from tinygrad_cnn.testing.plugin import Reporter

        config.pluginmanager.register(Reporter(config), "tinygrad_cnn report")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    __tracebackhide__ = True
    if pyfuncitem.get_closest_marker("gradcheck") is None:
        return None
    from tinygrad_cnn.testing.plugin import call

    return call(pyfuncitem)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Refuse tests that pytest does not run by `pytest_pyfunc_call`, or runs inside of a loop."""
    __tracebackhide__ = True
    if item.get_closest_marker("gradcheck") is not None:
        from tinygrad_cnn.testing.plugin import refuse

        refuse(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    report = yield
    if call.excinfo is not None and item.get_closest_marker("gradcheck") is not None:
        from tinygrad_cnn.testing.plugin import shorten

        shorten(item, call, report)
    return report
