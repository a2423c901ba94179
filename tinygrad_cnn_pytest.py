"""The door to the pytest plugin, `tinygrad_cnn.testing.plugin`.

pytest imports the plugins of all that is installed at every start. So this module stands outside
the package and imports nothing of it, of NumPy or of Hypothesis until a mark or an option asks;
coverage tools, which begin later, then still see the package being imported.
`-p no:tinygrad_cnn` switches it off.
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
        help="write what the gradient checks found to FILE, as JSON: by op and by test the error, "
        "Taylor slope, number of examples and time",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before any conftest, so that a profile of the same name that one registers replaces ours."""
    if getattr(early_config.known_args_namespace, "hypothesis_profile", None) in ("ci", "nightly"):
        from tinygrad_cnn.testing.profiles import register

        register()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)
    if config.getoption("gradcheck_report"):
        from tinygrad_cnn.testing.plugin import Reporter

        config.pluginmanager.register(Reporter(config), "tinygrad_cnn report")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    __tracebackhide__ = True
    if pyfuncitem.get_closest_marker("gradcheck") is None:
        return None
    from tinygrad_cnn.testing.plugin import call

    return call(pyfuncitem)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    report = yield
    if call.excinfo is not None and item.get_closest_marker("gradcheck") is not None:
        from tinygrad_cnn.testing.plugin import shorten

        shorten(item, call, report)
    return report
