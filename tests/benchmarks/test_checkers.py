"""Our checkers notice as many of the 41 wrong vjps as the guide says, and right vjps pass."""

import re
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from benchmarks import checkers, peers

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
    for check in (peers.ours, peers.sum_of_outputs):
        result = checkers.at_square(check)
        assert result.alarms == {}
        assert result.killed < 25


def test_check_op_with_conventions_notices_all():
    result = checkers.by_check_op(20)
    assert result.alarms == {}
    assert result.survivors == []


def test_the_guide_says_so():
    guide = Path(__file__).parents[2] / "docs" / "testing.md"
    cells = re.findall(
        r"^\| (`check_\w+`)[^|]*\|([^|]*)\|([^|]*)\|([^|]*)\|", guide.read_text(), re.M
    )
    rows = {name: [int(cell) for cell in cells if cell.strip()] for name, *cells in cells}
    square = checkers.at_square(peers.ours).killed
    assert rows == {"`check_vjp`": [square, 39, 0], "`check_op`": [41, 0]}
