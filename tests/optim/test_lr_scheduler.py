"""Schedules: the rates of PyTorch 2.13, step by step; stopped and gone on; chained."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.optim import SGD, Adam, lr_scheduler

# name, settings, the rates from lr = 0.1, and those of a schedule made with last_epoch=4 on an
# optimizer with lr = 0.1 and initial_lr = 0.2
RECORDED = [
    ("StepLR", {"step_size": 3}, [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001],
     [0.1, 0.01, 0.01, 0.01]),
    ("StepLR", {"step_size": 1, "gamma": 0.5},
     [0.1, 0.05, 0.025, 0.0125, 0.00625, 0.003125, 0.0015625, 0.00078125, 0.000390625],
     [0.05, 0.025, 0.0125, 0.00625]),
    ("MultiStepLR", {"milestones": [2, 5, 5, 7]},
     [0.1, 0.1, 0.01, 0.01, 0.01, 0.0001, 0.0001, 1e-05, 1e-05], [0.001, 0.001, 0.0001, 0.0001]),
    ("ExponentialLR", {"gamma": 0.9},
     [0.1, 0.09, 0.081, 0.0729, 0.06561, 0.059049, 0.0531441, 0.04782969, 0.043046721],
     [0.1, 0.09, 0.081, 0.0729]),
    ("CosineAnnealingLR", {"T_max": 4},
     [0.1, 0.0853553390593, 0.05, 0.0146446609407, 0, 0.0146446609407, 0.05, 0.0853553390593, 0.1],
     [0.1, 0.341421356237, 0.582842712475, 0.682842712475]),
    ("CosineAnnealingLR", {"T_max": 3, "eta_min": 0.01},
     [0.1, 0.0775, 0.0325, 0.01, 0.0325, 0.0775, 0.1, 0.0775, 0.0325], [0.1, 0.13, 0.1, 0.04]),
    ("LinearLR", {}, [0.0333333333333, 0.0466666666667, 0.06, 0.0733333333333, 0.0866666666667,
     0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1]),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.7, "total_iters": 3},
     [0.01, 0.03, 0.05, 0.07, 0.07, 0.07, 0.07, 0.07, 0.07], [0.1, 0.1, 0.1, 0.1]),
    ("LambdaLR", {"lr_lambda": lambda t: 0.9**t},
     [0.1, 0.09, 0.081, 0.0729, 0.06561, 0.059049, 0.0531441, 0.04782969, 0.043046721],
     [0.118098, 0.1062882, 0.09565938, 0.086093442]),
]  # fmt: skip


def optimizer_of(*rates):
    return SGD([{"params": [tc.zeros(1, requires_grad=True)], "lr": lr} for lr in rates])


def rates_of(scheduler, n):
    """The rate of the first group in `n` epochs."""
    found = []
    for _ in range(n):
        found.append(scheduler.optimizer.param_groups[0]["lr"])
        assert scheduler.get_last_lr()[0] == found[-1]
        scheduler.optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(("name", "settings", "wanted", "_"), RECORDED)
def test_recorded(name, settings, wanted, _):
    scheduler = getattr(lr_scheduler, name)(optimizer_of(0.1, 0.2), **settings)
    assert rates_of(scheduler, 9) == pytest.approx(wanted, rel=1e-10, abs=1e-16)
    a, b = scheduler.get_last_lr()
    assert b == pytest.approx(2 * a) or "eta_min" in settings


@pytest.mark.parametrize(("name", "settings", "_", "wanted"), RECORDED)
def test_recorded_after_an_epoch(name, settings, _, wanted):
    optimizer = optimizer_of(0.1)
    with pytest.raises(KeyError, match=r"'initial_lr' is not specified in param_groups\[0\]"):
        getattr(lr_scheduler, name)(optimizer, **settings, last_epoch=4)
    optimizer.param_groups[0]["initial_lr"] = 0.2
    scheduler = getattr(lr_scheduler, name)(optimizer, **settings, last_epoch=4)
    assert scheduler.last_epoch == 5
    assert rates_of(scheduler, 4) == pytest.approx(wanted, rel=1e-10, abs=1e-16)


@pytest.mark.parametrize(("name", "settings", "wanted", "_"), RECORDED)
@pytest.mark.parametrize("stop", range(8))
def test_stopping_and_going_on_changes_nothing(name, settings, wanted, _, stop):
    make = getattr(lr_scheduler, name)
    first = make(optimizer_of(0.1), **settings)
    rates_of(first, stop)
    optimizer = optimizer_of(5.0)
    second = make(optimizer, **settings)
    second.load_state_dict(first.state_dict())
    optimizer.load_state_dict(first.optimizer.state_dict())
    assert rates_of(second, 9 - stop) == pytest.approx(wanted[stop:], rel=1e-10, abs=1e-16)


@given(st.integers(1, 6), st.floats(0, 0.5), st.integers(0, 15), st.floats(0.6, 2))
def test_cosine_is_its_closed_form(period, low, t, base):
    scheduler = lr_scheduler.CosineAnnealingLR(optimizer_of(base), period, low)
    wanted = low + (base - low) * (1 + math.cos(math.pi * t / period)) / 2
    assert rates_of(scheduler, t + 1)[-1] == pytest.approx(wanted, abs=1e-12)


def test_schedules_chain_and_keep_what_a_user_sets():
    optimizer = optimizer_of(1.0)
    first = lr_scheduler.ExponentialLR(optimizer, 0.5)
    second = lr_scheduler.StepLR(optimizer, 2, 0.1)
    rates = []
    for t in range(5):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        first.step()
        second.step()
        if t == 3:
            optimizer.param_groups[0]["lr"] = 8.0
    assert rates == pytest.approx([1, 0.5, 0.025, 0.0125, 8.0])


def test_functions_for_groups_and_their_state():
    class Half:
        calls = 0

        def __init__(self):
            self.by = 0.5

        def __call__(self, t):
            return self.by**t

    optimizer = optimizer_of(1.0, 1.0)
    half = Half()
    scheduler = lr_scheduler.LambdaLR(optimizer, [lambda t: 1.0, half])
    optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [1.0, 0.5]
    assert scheduler.state_dict()["lr_lambdas"] == [None, {"by": 0.5}]
    state = scheduler.state_dict()
    state["lr_lambdas"][1]["by"] = 0.25
    scheduler.load_state_dict(state)
    assert half.by == 0.25
    with pytest.raises(ValueError, match="Expected 2 lr_lambdas, but got 1"):
        lr_scheduler.LambdaLR(optimizer, [half])


def test_a_schedule_of_ones_own():
    class Root(lr_scheduler.LRScheduler):
        def get_lr(self):
            return [base / math.sqrt(self.last_epoch + 1) for base in self.base_lrs]

    assert rates_of(Root(optimizer_of(1.0)), 3) == pytest.approx([1, 2**-0.5, 3**-0.5])
    with pytest.raises(NotImplementedError, match="LRScheduler defines no rates"):
        lr_scheduler.LRScheduler(optimizer_of(1.0))


def test_stepping_before_the_optimizer_is_warned_of():
    scheduler = lr_scheduler.StepLR(Adam([tc.zeros(1, requires_grad=True)]), 2)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        scheduler.step()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: lr_scheduler.StepLR(3, 2), TypeError, "int is not an Optimizer"),
        (lambda: lr_scheduler.LinearLR(optimizer_of(1.0), 0.0), ValueError, "greater than 0"),
        (lambda: lr_scheduler.LinearLR(optimizer_of(1.0), end_factor=2), ValueError,
         "between 0 and 1"),
    ],
)  # fmt: skip
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()
