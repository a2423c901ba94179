"""Phases of one cycle that have a single step."""

import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.optim.lr_scheduler import OneCycleLR


def one_cycle(total_steps, **settings):
    """The rate and the momentum at each step, and after the last."""
    optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
    scheduler = OneCycleLR(optimizer, 1.0, total_steps, **settings)
    points = []
    for step in range(total_steps + 1):
        points.append((scheduler.get_last_lr()[0], optimizer.param_groups[0]["momentum"]))
        optimizer.step()
        if step < total_steps:
            scheduler.step()
    return points


@given(
    st.integers(1, 30), st.integers(0, 30), st.booleans(), st.sampled_from(["cos", "linear"])
)  # fmt: skip
def test_any_share_of_the_steps_may_go_up(total, up, three, anneal):
    share = min(up / total, 1.0)
    points = one_cycle(total, pct_start=share, three_phase=three, anneal_strategy=anneal)
    assert all(rate == rate and momentum == momentum for rate, momentum in points)
    if up == 1:
        assert points[0] == (1.0, 0.85)  # at the end of the phase
        if not three:
            rates = [rate for rate, _ in points[:total]]
            assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("total", [1, 2, 3, 4, 10, 20])
def test_a_first_phase_of_one_step_is_the_limit_of_a_shorter_one(total):
    points = one_cycle(total, pct_start=1 / total, anneal_strategy="linear")
    almost = one_cycle(total, pct_start=(1 - 1e-9) / total, anneal_strategy="linear")
    if total > 1:
        for point, other in zip(points, almost, strict=True):
            assert point == pytest.approx(other, abs=1e-6)
