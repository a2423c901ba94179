"""check_op ends: shrinking is bounded, and an op that varies is called that."""

import itertools
from unittest import SkipTest

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from hypothesis.errors import FailedHealthCheck

from tinygrad_cnn.engine import define
from tinygrad_cnn.testing import Call, GradientError, check_op, separated_arrays, shapes
from tinygrad_cnn.testing.report import recording
from tinygrad_cnn.testing.search import Search, cost

ARRAYS = separated_arrays(shapes(0, 2, 1, 6))
CALLS = ARRAYS.map(lambda x: Call((x,)))


def made(vjp):
    """The op y = x² with that vjp."""

    @define
    def squared(x):
        return x * x

    squared.defvjp(x=vjp)
    return squared


def searched(check, strategy=CALLS, is_steady=lambda call: True):
    """The search after its end, and the error if there is one."""
    search = Search("an op", check, is_steady)
    try:
        search.run(strategy)
    except GradientError as error:
        return search, error
    return search, None


def fails_from(size):
    def check(call):
        if call.inputs[0].size >= size:
            raise GradientError("vjp wrong", call.inputs[0].shape)
        return True

    return check


# --- The bound ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 4, 9])
def test_the_failing_search_costs_as_much_as_the_passing_one(size):
    """In checks, weighed by the sizes of their inputs."""
    large = separated_arrays(shapes(1, 2, 1, 300)).map(lambda x: Call((x,)))
    for strategy, least in ((CALLS, size), (large, 1000 * size)):
        passing, _ = searched(lambda call: True, strategy)
        spent = []

        def check(call, least=least, spent=spent):
            spent.append(cost(call))
            return fails_from(least)(call)

        search, error = searched(check, strategy)
        assert error is not None
        assert sum(spent) <= 3 * passing.cost
        assert search.failures[0].call.inputs[0].size >= least


def test_a_bounded_search_still_shrinks():
    search, error = searched(fails_from(3))
    assert error.detail in ((3,), (1, 3), (3, 1))
    assert len(search.failures) < 40


def test_a_long_search_ends_at_its_bound():
    """Hypothesis alone takes hundreds of steps here."""
    numbers = st.lists(st.integers(0, 10**6), min_size=20, max_size=20)
    examined = []

    def check(call):
        examined.append(call)
        if len(set(call.inputs[0])) > 10 and call.inputs[0].sum() > 10**5:
            raise GradientError("vjp wrong")
        return True

    _, error = searched(check, numbers.map(lambda v: Call((np.array(v, np.float64),))))
    assert error is not None
    assert len(examined) <= 3 * settings().max_examples


def test_a_search_that_reaches_its_bound_returns_the_smallest_failure(monkeypatch):
    """The one that the search found so far, which fails once more."""

    def check(call):
        if call.inputs[0].size >= 8 or len(search.failures) > 3:
            search.bound = 0  # after a few failures there is no more to spend
            raise GradientError("vjp wrong", call.inputs[0].size)
        return True

    search = Search("an op", check, lambda call: True)
    with pytest.raises(GradientError) as caught:
        search.run(CALLS)
    assert caught.value.detail == min(f.call.inputs[0].size for f in search.failures)
    assert caught.value.__notes__ == []


# --- Ops that vary --------------------------------------------------------------------------------


@pytest.mark.parametrize("period", [2, 3, 7, 11, 23, 100])
def test_a_gradient_that_varies_is_not_deterministic(period):
    calls = itertools.count(1)
    op = made(lambda g, x: 2 * g * x * (1.01 if next(calls) % period == 0 else 1.0))
    with pytest.raises(GradientError, match="not deterministic") as caught:
        check_op(op, CALLS)
    assert caught.value.verdict == "not deterministic"


def test_random_noise_is_not_deterministic():
    rng = np.random.default_rng(0)
    op = made(lambda g, x: 2 * g * x * (1 + 1e-3 * rng.random()))
    with pytest.raises(GradientError, match="not deterministic"):
        check_op(op, CALLS)


def test_a_check_that_passes_the_second_time_is_not_deterministic():
    seen = set()

    def check(call):
        if (key := call.inputs[0].tobytes()) in seen or call.inputs[0].size < 3:
            return True
        seen.add(key)
        raise GradientError("vjp wrong", op="an op")

    _, error = searched(check)
    assert error.verdict == "not deterministic"
    assert "vjp wrong" in error.detail


def test_a_wrong_gradient_that_is_steady_is_called_wrong():
    with pytest.raises(GradientError, match="vjp wrong"):
        check_op(made(lambda g, x: g * x), CALLS)


def test_a_vjp_that_writes_to_its_input_is_not_called_unsteady():
    def writes(g, x):
        if isinstance(x, np.ndarray):
            x += 1.0
        return 2 * g * x

    with pytest.raises(GradientError, match="changed|vjp wrong") as caught:
        check_op(made(writes), CALLS)
    assert caught.value.verdict != "not deterministic"


# --- Second order, interrupts, and the settings of the user ---------------------------------------


def test_without_second_order_nothing_records_a_graph_of_the_gradient():
    """In a vjp there are arrays alone."""
    kinds = set()

    @define
    def product(u, v):
        return u * v

    def times(g, other):
        kinds.update({type(g), type(other)})
        return g * other

    product.defvjp(u=lambda g, v: times(g, v), v=lambda g, u: times(g, u))
    pairs = st.tuples(separated_arrays((2, 3)), separated_arrays((2, 3))).map(Call)
    check_op(product, pairs, second_order=False)
    assert kinds == {np.ndarray}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_interrupt_ends_the_search_at_once_and_shows_the_last_failure(number):
    interrupted = []

    def check(call):
        assert not interrupted
        if call.inputs[0].size >= 2:
            if len(search.failures) == number:
                interrupted.append(call)
                raise KeyboardInterrupt
            raise GradientError("vjp wrong", f"at size {call.inputs[0].size}")
        return True

    search = Search("an op", check, lambda call: True)
    with pytest.raises(KeyboardInterrupt) as caught:
        search.run(ARRAYS.filter(lambda x: x.size > 1).map(lambda x: Call((x,))))
    (note,) = caught.value.__notes__
    assert "The last failure until then:\nthe function: vjp wrong\n  at size" in note


@pytest.fixture
def profile():
    """Load a Hypothesis profile for the test."""
    before = settings.get_current_profile_name()

    def load(**options):
        settings.register_profile("of_a_test", parent=settings.get_profile("ci"), **options)
        settings.load_profile("of_a_test")

    yield load
    settings.load_profile(before)


def test_the_phases_of_the_profile_hold(profile):
    profile(phases=[Phase.generate])
    search, error = searched(fails_from(9))
    assert error is not None
    assert len(search.failures) == 2  # found, and shown
    profile(phases=[Phase.explicit])
    with pytest.raises(SkipTest, match="no test cases"):  # as of any test with @given
        check_op("exp")


def test_inside_of_given_the_error_says_what_to_do():
    def nested(k):
        check_op("exp", st.just(Call((np.array([float(k)]),))))

    options = {"max_examples": 2, "database": None, "deadline": None}
    refused = settings(**options)(given(st.integers(0, 3))(nested))
    with pytest.raises(FailedHealthCheck) as caught:
        refused()
    assert any("or use check_call" in note for note in caught.value.__notes__)
    suppressed = [HealthCheck.nested_given]
    settings(**options, suppress_health_check=suppressed)(given(st.integers(0, 3))(nested))()


def test_slow_and_large_calls_fail_no_health_check():
    arrays = st.integers(0, 1).map(lambda k: np.full(100_000, k + 0.5))
    _, error = searched(lambda call: True, arrays.map(lambda x: Call((x,))))
    assert error is None


def test_a_derandomized_search_finds_the_same_call_each_time():
    found = [searched(fails_from(4))[0].failures[-1].call for _ in range(2)]
    assert repr(found[0]) == repr(found[1])


def test_the_report_counts_a_failing_search_once():
    with recording() as recorder, pytest.raises(GradientError):
        check_op(made(lambda g, x: g * x), CALLS)
    (found,) = recorder.report()["ops"].values()
    assert found["verdict"] == "vjp wrong"
