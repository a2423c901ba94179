"""Fixtures of the tests of the benchmarks: fake workers with given times.

No test asserts a measured time.
"""

import pytest

from benchmarks import __main__ as command, contestants, measure
from tinygrad_cnn import kernels


class FakeWorker:
    """A worker that reports these seconds per block and computes `value`, or fails."""

    def __init__(self, seconds=1.0, value=1.0, fails=None):
        self.seconds, self.value, self.fails, self.closed = seconds, value, fails, False

    def prepare(self, workload, arguments, threads):
        if self.fails == "prepare":
            raise RuntimeError("no such thing here")
        return self.value

    def time_block(self, seconds):
        if self.fails == "time_block":
            raise RuntimeError("out of memory")
        return self.seconds

    def memory_rise(self, workload, arguments, threads):
        return 100 * self.seconds

    def close(self):
        self.closed = True


@pytest.fixture
def fake_worker():
    return FakeWorker


@pytest.fixture
def all_installed(monkeypatch):
    """Every contestant counts as installed, and nobody pauses."""
    monkeypatch.setattr(contestants.Contestant, "installed", lambda self: True)
    monkeypatch.setattr(command, "compare", lambda *a, **k: measure.compare(*a, **k | {"pause": 0}))


@pytest.fixture
def kernels_as_they_were():
    before, threads = kernels.current(), kernels.get_num_threads()
    yield
    kernels.use(before)
    kernels.set_num_threads(threads)
