"""Which kernels the tests run on: they are the same from first to last, and it is said which.

Those in Numba are collected, for their doctests, where that is installed. The programs in
tests/typing are for type checkers, not to be run.
"""

import importlib.util

import pytest

collect_ignore = ["tests/typing"]
if not importlib.util.find_spec("numba"):
    collect_ignore.append("tinygrad_cnn/kernels/compiled")


@pytest.hookimpl(trylast=True)  # after the fixtures have put things back
def pytest_runtest_teardown(item):
    from tinygrad_cnn import kernels

    now, kept = kernels.current(), item.session.kernels
    if now != kept:
        kernels.use(kept)
        pytest.fail(f"{item.nodeid} left the {now!r} kernels in use, found {kept!r}", pytrace=False)


def pytest_sessionstart(session):
    from tinygrad_cnn import kernels

    session.kernels = kernels.current()


def pytest_terminal_summary(terminalreporter):
    """In the end, for what is printed first is not, with `-q`."""
    from tinygrad_cnn import kernels

    terminalreporter.write_line(f"kernels: {kernels.current()}")


@pytest.fixture(autouse=True)
def _name_of_the_package(request):
    """The examples of docstrings know the package as `tc`."""
    if isinstance(request.node, pytest.DoctestItem):
        import tinygrad_cnn

        request.getfixturevalue("doctest_namespace")["tc"] = tinygrad_cnn
