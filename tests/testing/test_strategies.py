"""Strategies: what one example draws differs, replays to the same values, and shrinks."""

from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings, strategies as st
from hypothesis.database import InMemoryExampleDatabase

from tinygrad_cnn.testing import label_arrays, separated_arrays, shapes, strategy_for
from tinygrad_cnn.testing.strategies import generators

QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def drawn(strategy, examples, **options):
    """The examples that Hypothesis draws from the strategy."""
    found = []

    @settings(max_examples=examples, phases=[Phase.generate], database=None, **QUIET, **options)
    @given(strategy)
    def collect(value):
        found.append(value)

    collect()
    return found


def test_arrays_of_one_example_differ_and_have_no_ties():
    examples = drawn(st.tuples(*[separated_arrays((3, 2))] * 10), 25)
    pairs = [pair for arrays in examples for pair in combinations(arrays, 2)]
    assert len(pairs) > 1000
    assert not any(set(a.ravel()) & set(b.ravel()) for a, b in pairs)


@pytest.mark.parametrize(
    "strategy",
    [
        separated_arrays((2, 3), avoid=[0.0], dtype=np.float32),
        label_arrays((4, 5), 10, ignore_index=-100),
        generators().map(lambda rng: rng.random(3)),
    ],
    ids=["separated", "labels", "generators"],
)
def test_two_draws_of_a_strategy_differ(strategy):
    pairs = drawn(st.tuples(strategy, strategy), 60)
    assert len(pairs) > 10
    assert not any(np.array_equal(a, b) for a, b in pairs)


def test_inputs_of_a_call_differ():
    """Strategies of ops that draw their inputs apart."""
    for name in ("maximum", "mul", "where"):
        for call in drawn(strategy_for(name), 40):
            arrays = [x for x in call.inputs if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
            for a, b in combinations(arrays, 2):
                assert not a.size or not np.array_equal(a, b), (name, call)


def test_a_failure_replays_with_the_same_values():
    """Within one run, from the database, and in a derandomized run."""
    database, seen = InMemoryExampleDatabase(), []

    @settings(max_examples=30, database=database, report_multiple_bugs=False, **QUIET)
    @given(separated_arrays(shapes(1, 2)), separated_arrays((2,)))
    def test(a, b):
        if a.size >= 3:
            seen.append((a, b))
            raise AssertionError

    for _ in range(2):
        with pytest.raises(AssertionError):
            test()
        seen, last = [], seen[-1]
    first = seen or last
    assert last[0].shape == (3,)  # the smallest
    with pytest.raises(AssertionError):
        test()
    assert np.array_equal(seen[0][0], first[0])
    assert np.array_equal(seen[0][1], first[1])
    once, again = (drawn(separated_arrays((2,)), 5, derandomize=True) for _ in range(2))
    assert np.array_equal(once, again)


def test_arrays_shrink_to_small_shapes():
    """The counter of generators costs no steps: a strategy of NumPy's own took 206 here."""
    examined = []

    def large(pair):
        examined.append(pair)
        return pair[0].size >= 2 and pair[1].ndim == 2

    pairs = st.tuples(separated_arrays(), separated_arrays())
    options = settings(max_examples=200, database=None, **QUIET)
    a, b = find(pairs, large, settings=options, random=Random(0))
    assert a.shape == (2,)
    assert b.shape == (1, 1)
    assert len(examined) < 300
