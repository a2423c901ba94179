"""All tests run on one set of kernels, and the last line of the output names it.

The kernels in Numba are collected, for their doctests, only if Numba is installed, and a file for
POSIX systems only there. The programs in tests/typing are for type checkers and are not run.
"""

import importlib.util
import sys

import pytest

collect_ignore = ["tests/typing"]
if not importlib.util.find_spec("numba"):
    collect_ignore.append("tinygrad_cnn/kernels/compiled")
if sys.platform == "win32":
    collect_ignore.append("tinygrad_cnn/serialization/scratch.py")


@pytest.hookimpl(trylast=True)  # after the fixtures have restored everything
def pytest_runtest_teardown(item):
    from tinygrad_cnn import kernels

    now, kept = kernels.current(), item.session.kernels
    if now != kept:
        kernels.use(kept)
        pytest.fail(f"{item.nodeid} changed the kernels to {now!r} from {kept!r}", pytrace=False)


def pytest_sessionstart(session):
    from tinygrad_cnn import kernels

    session.kernels = kernels.current()


def pytest_terminal_summary(terminalreporter):
    """Print the set at the end: `-q` hides the header."""
    from tinygrad_cnn import kernels

    terminalreporter.write_line(f"kernels: {kernels.current()}")


@pytest.fixture(autouse=True)
def _name_of_the_package(request):
    """Examples in docstrings can use the package as `tc`."""
    if isinstance(request.node, pytest.DoctestItem):
        import tinygrad_cnn

        request.getfixturevalue("doctest_namespace")["tc"] = tinygrad_cnn


@pytest.fixture
def vectorized():
    """The test runs on the kernels in NumPy, which need not be compiled first."""
    from tinygrad_cnn import kernels

    before = kernels.current()
    kernels.use("vectorized")
    yield
    kernels.use(before)
