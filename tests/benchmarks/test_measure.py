"""Measuring in turn: rounds, ratios, and contestants that are excluded."""

import math

import pytest

from benchmarks import measure
from benchmarks.measure import Effort, Samples

SHORT = Effort(rounds=3, block_seconds=0.0, budget_seconds=60, processes=2)


@pytest.fixture
def compare():
    """compare(name=worker) returns the samples of one workload."""

    def run(**workers):
        return measure.compare(workers, dict.fromkeys(workers, ("workload", {})), SHORT, pause=0)

    return run


def test_ratios_are_of_one_round():
    samples = Samples("s", {"a": [1.0, 10.0, 3.0], "b": [2.0, 20.0, 3.0]})
    assert samples.ratio("a", "b") == (0.5, 0.5, 0.75)
    assert samples.best(["a", "b", "c"]) == "a"
    assert samples.best(["c"]) is None


def test_each_has_a_block_in_each_round(compare, fake_worker):
    samples = compare(ours=fake_worker(2), torch=fake_worker(1))
    assert samples.values == {"ours": [2, 2, 2], "torch": [1, 1, 1]}


def test_a_contestant_that_fails_is_excluded_with_its_reason(compare, fake_worker):
    torch, jax = fake_worker(fails="prepare"), fake_worker(fails="time_block")
    samples = compare(ours=fake_worker(), torch=torch, jax=jax)
    assert list(samples.values) == ["ours"]
    assert samples.failed == {"torch": "no such thing here", "jax": "out of memory"}


def test_a_contestant_that_computes_something_else_is_excluded(compare, fake_worker):
    torch, jax = fake_worker(value=2.2), fake_worker(value=math.nan)
    samples = compare(ours=fake_worker(value=2.0), torch=torch, jax=jax)
    assert list(samples.values) == ["ours"]
    assert "it computes 2.2, the first one 2" in samples.failed["torch"]
    assert "jax" in samples.failed


def test_other_workloads_may_compute_something_else(fake_worker):
    workers = {"kernel": fake_worker(value=2.0), "peak": fake_worker(value=5.0)}
    workloads = {"kernel": ("kernel", {}), "peak": ("product", {})}
    assert not measure.compare(workers, workloads, SHORT, pause=0).failed


def test_slow_contestants_have_fewer_rounds_but_the_minimum(fake_worker):
    effort = Effort(rounds=10, block_seconds=0.0, budget_seconds=0.0)
    samples = measure.compare({"a": fake_worker()}, {"a": ("workload", {})}, effort, pause=0)
    assert len(samples.values["a"]) == Effort.min_rounds
