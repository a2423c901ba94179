"""Our checkers notice as many of the 41 wrong vjps as the guide says, and right vjps pass."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, settings

from benchmarks import checkers, foreign, peers

AT_A_KINK = {"relu: `>=` at the kink", "max_pool2d: tie paid in full to every maximum"}


@pytest.fixture(scope="module", autouse=True)
def unshrunk():
    """Failures are not shrunk: that takes time."""
    before = settings.get_current_profile_name()
    settings.register_profile("unshrunk", settings(), phases=[Phase.generate])
    settings.load_profile("unshrunk")
    yield
    settings.load_profile(before)


def test_check_vjp_notices_all_but_the_two_at_a_kink():
    result = checkers.at_drawn(peers.ours, 20)
    assert result.alarms == {}
    assert set(result.survivors) == AT_A_KINK


def test_at_one_square_shape_nobody_notices_half():
    for check in (peers.ours, peers.PEERS["loss = `sum()`, finite differences"][0]):
        result = checkers.at_square(check)
        assert result.alarms == {}
        assert result.killed < 25


def test_check_op_with_conventions_notices_all():
    result = checkers.by_check_op(20)
    assert result.alarms == {}
    assert result.survivors == []


def test_an_accusation_counts_only_if_the_right_vjp_passes(monkeypatch):
    """A checker that accuses everything has noticed nothing."""
    few = [case for case in checkers.RIGHT if case.family == "plain"]
    wrong = [case for case in checkers.WRONG if case.family == "matrices" and case.right in few]
    monkeypatch.setattr(checkers, "RIGHT", few)
    monkeypatch.setattr(checkers, "WRONG", wrong)

    def accuses_all(functions, inputs):
        raise AssertionError

    ours, all_, none = (
        checkers.HardResult(checker, 1)
        for checker in (peers.ours_of_functions, accuses_all, lambda functions, inputs: None)
    )
    names = [case.name for case in wrong]
    assert (ours.noticed, ours.both, ours.missed, ours.alarms) == (names, [], [], {})
    assert (all_.noticed, all_.both, set(all_.alarms)) == ([], names, {case.name for case in few})
    assert (none.noticed, none.missed, none.alarms) == ([], names, {})
    found = checkers.hard_table({"all": all_}, 1)
    assert f"noticed, of {len(names)}" in found
    assert f"| all | 0 | {len(names)} | 0 | {len(few)} |" in found


def test_checkers_of_one_output_get_several_in_one_array():
    value, vjp = foreign.in_one(
        (lambda x: (x, 2 * x[:1]), lambda xs, gs: (gs[0] + np.append(2 * gs[1], 0 * xs[0][1:]),))
    )
    x = np.array([1.0, 3.0])
    assert value(x).tolist() == [1, 3, 2]
    assert vjp([x], [np.array([10.0, 20.0, 30.0])])[0].tolist() == [70, 20]


def test_the_guide_says_so():
    guide = Path(__file__).parents[2] / "docs" / "testing.md"
    cells = re.findall(
        r"^\| (`check_\w+`)[^|]*\|([^|]*)\|([^|]*)\|([^|]*)\|", guide.read_text(), re.M
    )
    rows = {name: [int(cell) for cell in cells if cell.strip()] for name, *cells in cells}
    square = checkers.at_square(peers.ours).killed
    assert rows == {"`check_vjp`": [square, 39, 0], "`check_op`": [41, 0]}
