"""Param groups that are added while a schedule runs, as in gradual unfreezing."""

import copy

import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.optim import lr_scheduler as schedules

# Each schedule, and the rates of a group with rate 1 that is added after three steps. They are
# PyTorch's where it takes the group: it raises for functions, cosines and cycles.
SCHEDULES = {
    "LambdaLR": (lambda o: schedules.LambdaLR(o, lambda t: 0.5**t), [0.0625, 0.03125]),
    "MultiplicativeLR": (lambda o: schedules.MultiplicativeLR(o, lambda t: 0.5), [0.5, 0.25]),
    "StepLR": (lambda o: schedules.StepLR(o, 2, 0.5), [0.5, 0.5, 0.25, 0.25]),
    "MultiStepLR": (lambda o: schedules.MultiStepLR(o, [1, 3, 5], 0.5), [1.0, 0.5, 0.5, 0.5]),
    "ConstantLR": (lambda o: schedules.ConstantLR(o, 0.5, 4), [2.0, 2.0, 2.0, 2.0]),
    "LinearLR": (lambda o: schedules.LinearLR(o, 0.5, 1.0, 6), [10 / 9, 11 / 9, 12 / 9, 12 / 9]),
    "ExponentialLR": (lambda o: schedules.ExponentialLR(o, 0.5), [0.5, 0.25, 0.125, 0.0625]),
    "PolynomialLR": (lambda o: schedules.PolynomialLR(o, 8), [0.8, 0.6, 0.4, 0.2]),
    "CosineAnnealingLR": (lambda o: schedules.CosineAnnealingLR(o, 4), [0.0, 0.14645, 0.5]),
    "CosineAnnealingWarmRestarts": (
        lambda o: schedules.CosineAnnealingWarmRestarts(o, 3),
        [0.75, 0.25, 1.0, 0.75],
    ),
    "CyclicLR": (lambda o: schedules.CyclicLR(o, 1.0, 2.0, 2), [1.0, 1.5, 2.0, 1.5]),
    "OneCycleLR": (
        lambda o: schedules.OneCycleLR(o, 2.0, 8, anneal_strategy="linear", pct_start=0.25),
        [1.0, 2 / 3, 1 / 3],
    ),
    "ChainedScheduler": (
        lambda o: schedules.ChainedScheduler(
            [schedules.ConstantLR(o, 0.5, 6), schedules.ExponentialLR(o, 0.5)]
        ),
        [0.5, 0.25, 0.25, 0.125],
    ),
    "SequentialLR": (
        lambda o: schedules.SequentialLR(
            o, [schedules.ConstantLR(o, 0.5, 2), schedules.ExponentialLR(o, 0.5)], [4]
        ),
        [1.0, 0.5, 0.25, 0.125],
    ),
    "ReduceLROnPlateau": (
        lambda o: schedules.ReduceLROnPlateau(o, factor=0.5, patience=0),
        [0.5, 0.25, 0.125, 0.0625],
    ),
}


def parameter():
    return tc.zeros(1, requires_grad=True)


def optimizer_of(rate=8.0):
    return tc.optim.SGD([parameter()], lr=rate, momentum=0.9)


def stepped(scheduler, steps):
    """The rates of all groups after each step."""
    rates = []
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step(*[1.0] * isinstance(scheduler, schedules.ReduceLROnPlateau))
        rates.append([group["lr"] for group in scheduler.optimizer.param_groups])
        assert scheduler.get_last_lr() == rates[-1]
    return rates


def test_every_schedule_is_here():
    assert SCHEDULES.keys() == {
        name
        for name, value in vars(schedules).items()
        if isinstance(value, type) and name.lstrip("_") != "LRScheduler"
    }


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_takes_in_a_group(name):
    make, wanted = SCHEDULES[name]
    alone, scheduler = make(optimizer_of()), make(optimizer_of())
    stepped(alone, 3)
    stepped(scheduler, 3)
    saved = copy.deepcopy(scheduler.state_dict())
    kept = scheduler.state_dict()
    scheduler.optimizer.add_param_group({"params": [parameter()], "lr": 1.0})
    rates = stepped(scheduler, len(wanted))
    assert [lr for (lr,) in stepped(alone, len(wanted))] == [lr for lr, _ in rates]
    assert [lr for _, lr in rates] == pytest.approx(wanted, abs=1e-4)
    if "base_lrs" in saved:
        assert kept["base_lrs"] == saved["base_lrs"]  # a saved state does not change


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("late", [True, False])
def test_a_state_with_an_added_group_is_loaded(name, late):
    make, _ = SCHEDULES[name]
    first = make(optimizer_of())
    stepped(first, 2)
    first.optimizer.add_param_group({"params": [parameter()], "lr": 1.0})
    stepped(first, 1)
    states = first.state_dict(), first.optimizer.state_dict()
    wanted = stepped(copy.deepcopy(first), 3)

    second = make(optimizer_of())
    if late:  # the state comes before the group, and says how the group began
        second.load_state_dict(copy.deepcopy(states[0]))
        second.optimizer.add_param_group({"params": [parameter()], "lr": 1.0})
    else:
        second.optimizer.add_param_group({"params": [parameter()], "lr": 1.0})
        second.load_state_dict(copy.deepcopy(states[0]))
    second.optimizer.load_state_dict(states[1])
    assert stepped(second, 3) == wanted


@pytest.mark.parametrize("name", [n for n in SCHEDULES if n not in ("SequentialLR",)])
def test_the_state_of_one_group_is_loaded_where_there_are_two(name):
    make, _ = SCHEDULES[name]
    first = make(optimizer_of())
    stepped(first, 2)
    second = make(optimizer_of())
    second.optimizer.add_param_group({"params": [parameter()], "lr": 1.0})
    second.load_state_dict(first.state_dict())
    second.optimizer.param_groups[0]["lr"] = first.optimizer.param_groups[0]["lr"]
    wanted = stepped(first, 2)
    assert [lr for lr, _ in stepped(second, 2)] == [lr for (lr,) in wanted]


@pytest.mark.parametrize(
    "make",
    [
        lambda o: schedules.LambdaLR(o, [lambda t: 1.0, lambda t: 2.0]),
        lambda o: schedules.MultiplicativeLR(o, [lambda t: 1.0, lambda t: 2.0]),
        lambda o: schedules.CyclicLR(o, [1.0, 2.0], 3.0),
        lambda o: schedules.CyclicLR(o, 1.0, 3.0, max_momentum=[0.9, 0.8]),
        lambda o: schedules.OneCycleLR(o, [1.0, 2.0], 10),
    ],
)
def test_a_setting_that_differs_between_groups_must_be_given(make):
    optimizer = tc.optim.SGD(
        [{"params": [parameter()]}, {"params": [parameter()]}], lr=1.0, momentum=0.9
    )
    scheduler = make(optimizer)
    optimizer.add_param_group({"params": [parameter()]})
    optimizer.step()
    with pytest.raises(RuntimeError, match="a param group was added to the optimizer, and its"):
        scheduler.step()


def test_a_function_that_is_appended_belongs_to_the_new_group():
    functions = [lambda t: 0.5**t, lambda t: 1.0]
    optimizer = tc.optim.SGD([{"params": [parameter()]}, {"params": [parameter()]}], lr=1.0)
    scheduler = schedules.LambdaLR(optimizer, functions)
    optimizer.add_param_group({"params": [parameter()], "lr": 3.0})
    scheduler.lr_lambdas.append(lambda t: 1.0 + t)
    assert stepped(scheduler, 2) == [[0.5, 1.0, 6.0], [0.25, 1.0, 9.0]]


def test_a_schedule_of_a_users_own_sees_the_rates_of_new_groups():
    class Halving(schedules.LRScheduler):
        def get_lr(self):
            return [base * 0.5**self.last_epoch for base in self.base_lrs]

    scheduler = Halving(optimizer_of(4.0))
    scheduler.optimizer.add_param_group({"params": [parameter()], "lr": 8.0})
    assert stepped(scheduler, 2) == [[2.0, 4.0], [1.0, 2.0]]
