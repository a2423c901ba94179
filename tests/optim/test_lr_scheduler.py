"""Schedules: the rates of PyTorch 2.13, step by step, after saving and loading, and chained."""

import math

import pytest
from hypothesis import given, strategies as st

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
    ("MultiplicativeLR", {"lr_lambda": lambda t: 0.5 if t % 2 else 1.5},
     [0.1, 0.05, 0.075, 0.0375, 0.05625, 0.028125, 0.0421875, 0.02109375, 0.031640625],
     [0.1, 0.15, 0.075, 0.1125]),
    ("ConstantLR", {"factor": 0.5, "total_iters": 3},
     [0.05, 0.05, 0.05, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1]),
    ("PolynomialLR", {"total_iters": 4, "power": 2.0},
     [0.1, 0.05625, 0.025, 0.00625, 0, 0, 0, 0, 0], [0.1, 0.1, 0.1, 0.1]),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 2, "eta_min": 0.01},
     [0.1, 0.055, 0.1, 0.0868198051534, 0.055, 0.0231801948466, 0.1, 0.096574578963,
      0.0868198051534],
     # the rates of a schedule that ran so far (with lr 0.2); PyTorch takes T_cur modulo T_0 here
     [0.0378248557873, 0.2, 0.192768555585, 0.172175144213]),
]  # fmt: skip

# name, settings, rates, momenta
WITH_MOMENTUM = [
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 2, "step_size_down": 3,
                  "mode": "triangular2"},
     [0.1, 0.55, 1.0, 0.7, 0.4, 0.1, 0.325, 0.55, 0.4],
     [0.9, 0.85, 0.8, 0.8333333333, 0.8666666667, 0.9, 0.875, 0.85, 0.8666666667]),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 2, "mode": "exp_range",
                  "gamma": 0.9},
     [0.1, 0.505, 0.829, 0.42805, 0.1, 0.3657205, 0.5782969, 0.315233605, 0.1],
     [0.9, 0.855, 0.819, 0.86355, 0.9, 0.8704755, 0.8468559, 0.876085155, 0.9]),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9},
     [0.04, 0.6513582352, 0.9944154355, 0.8985666593, 0.705644729, 0.4626371027, 0.2287299532,
      0.06089296976, 4e-06],
     [0.95, 0.8863168505, 0.8505584587, 0.8601433746, 0.8794356448, 0.9037365047, 0.9271273132,
      0.9439110787, 0.95]),
    ("OneCycleLR", {"max_lr": 1.0, "epochs": 3, "steps_per_epoch": 3, "three_phase": True,
                    "anneal_strategy": "linear"},
     [0.04, 0.6047058824, 0.8305882353, 0.2658823529, 0.03478313043, 0.02608834783,
      0.01739356522, 0.008698782609, 4e-06],
     [0.95, 0.8911764706, 0.8676470588, 0.9264705882, 0.95, 0.95, 0.95, 0.95, 0.95]),
]  # fmt: skip

MEASURES = [3, 2, 2, 2, 1, 1, 1, 1, 1, 0.99999, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
PLATEAU = [
    ({"patience": 1}, [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001, 0.0001, 0.0001, 0.0001,
                       0.0001, 1e-05, 1e-05, 1e-06, 1e-06]),
    ({"patience": 0, "cooldown": 2, "factor": 0.5},
     [0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.0125, 0.0125, 0.0125, 0.00625, 0.00625,
      0.00625, 0.003125, 0.003125]),
    ({"mode": "max", "threshold_mode": "abs", "threshold": 0.6, "patience": 2, "min_lr": 0.005},
     [0.1, 0.1, 0.1, 0.01, 0.01, 0.01] + [0.005] * 10),
    ({"mode": "max", "patience": 1, "factor": 0.5},
     [0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.0125, 0.0125, 0.00625, 0.00625, 0.003125, 0.003125,
      0.0015625, 0.0015625, 0.00078125, 0.00078125]),
    ({"threshold_mode": "abs", "patience": 1, "factor": 0.5, "eps": 0.03},
     [0.1, 0.1, 0.1] + [0.05] * 13),
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


@pytest.mark.parametrize(("name", "settings", "rates", "momenta"), WITH_MOMENTUM)
@pytest.mark.parametrize("stop", [None, 1, 4])
@pytest.mark.parametrize("adam", [False, True])
def test_schedules_with_momentum(name, settings, rates, momenta, stop, adam):
    """The recorded rates; saving and loading both states changes nothing."""

    def make():
        p = tc.zeros(1, requires_grad=True)
        optimizer = Adam([p]) if adam else SGD([p], lr=0.1, momentum=0.5)
        return getattr(lr_scheduler, name)(optimizer, **settings)

    scheduler, found = make(), []
    for t in range(9):
        if t == stop:
            before, scheduler = scheduler, make()
            scheduler.optimizer.load_state_dict(before.optimizer.state_dict())
            scheduler.load_state_dict(before.state_dict())
        group = scheduler.optimizer.param_groups[0]
        found.append((group["lr"], group["betas"][0] if adam else group["momentum"]))
        scheduler.optimizer.step()
        scheduler.step()
    assert [lr for lr, _ in found] == pytest.approx(rates, rel=1e-9)
    assert [m for _, m in found] == pytest.approx(momenta, rel=1e-9)


def test_one_cycle_ends():
    scheduler = lr_scheduler.OneCycleLR(SGD([tc.zeros(1)], momentum=0.9), 1.0, 2)
    rates_of(scheduler, 2)
    with pytest.raises(ValueError, match=r"Tried to step 3 times. The specified number of total"):
        scheduler.step()


def test_a_cycle_of_ones_own_scale():
    scheduler = lr_scheduler.CyclicLR(
        optimizer_of(0.5), 0.0, 1.0, 1, scale_fn=lambda t: 1 / (1 + t), scale_mode="iterations",
        cycle_momentum=False,
    )  # fmt: skip
    assert rates_of(scheduler, 5) == pytest.approx([0, 1 / 2, 0, 1 / 4, 0])
    assert scheduler.state_dict()["_scale_fn_custom"] is None


@pytest.mark.parametrize(("settings", "wanted"), PLATEAU)
@pytest.mark.parametrize("stop", [0, 3, 7])
def test_reduce_on_plateau(settings, wanted, stop):
    scheduler, found = lr_scheduler.ReduceLROnPlateau(optimizer_of(0.1), **settings), []
    for t, measure in enumerate(MEASURES):
        if t == stop:
            state, optimizer = scheduler.state_dict(), scheduler.optimizer
            scheduler = lr_scheduler.ReduceLROnPlateau(optimizer)
            scheduler.load_state_dict(state)
        scheduler.step(tc.tensor(float(measure)) if t % 2 else measure)
        found += scheduler.get_last_lr()
    assert found == pytest.approx(wanted)


def test_reduce_on_plateau_of_groups():
    optimizer = optimizer_of(1.0, 1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.0, 0.5])
    for _ in range(3):
        scheduler.step(1.0)
    assert scheduler.get_last_lr() == pytest.approx([0.01, 0.5])
    optimizer.add_param_group({"params": tc.zeros(1), "lr": 1.0})
    with pytest.raises(RuntimeError, match=r"number of param groups in the `optimizer` \(3\)"):
        scheduler.step(1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=0.005)
    optimizer.add_param_group({"params": tc.zeros(1), "lr": 1.0})
    scheduler.step(1.0)
    scheduler.step(float("nan"))
    assert scheduler.get_last_lr() == pytest.approx([0.005, 0.05, 0.1, 0.1])


def sequence(optimizer):
    parts = [
        lr_scheduler.LinearLR(optimizer, 0.1, 1, 3),
        lr_scheduler.MultiplicativeLR(optimizer, lambda t: 0.9),
        lr_scheduler.CosineAnnealingLR(optimizer, 4),
    ]
    return lr_scheduler.SequentialLR(optimizer, parts, [3, 6])


def chain(optimizer):
    return lr_scheduler.ChainedScheduler(
        [lr_scheduler.ConstantLR(optimizer, 0.1, 3), lr_scheduler.ExponentialLR(optimizer, 0.9)]
    )


SEQUENCE = [0.01, 0.04, 0.07, 0.063, 0.0567, 0.05103, 0.1, 0.08535533906, 0.05, 0.01464466094, 0]
CHAIN = [0.01, 0.009, 0.0081, 0.0729, 0.06561, 0.059049]


@pytest.mark.parametrize(("make", "wanted"), [(sequence, SEQUENCE), (chain, CHAIN)])
@pytest.mark.parametrize("stop", [0, 1, 3, 5])
def test_composed_schedules(make, wanted, stop):
    first = make(optimizer_of(0.1))
    assert rates_of(first, stop) == pytest.approx(wanted[:stop])
    optimizer = optimizer_of(5.0)
    second = make(optimizer)
    second.load_state_dict(first.state_dict())
    optimizer.load_state_dict(first.optimizer.state_dict())
    rest = rates_of(second, len(wanted) - stop)
    assert rest == pytest.approx(wanted[stop:], rel=1e-9, abs=1e-16)


def test_composed_schedules_nest():
    """A sequence or a chain can be a part too: it starts when its turn comes."""
    optimizer = optimizer_of(0.1)
    outer = lr_scheduler.SequentialLR(optimizer, [sequence(optimizer), chain(optimizer)], [11])
    assert rates_of(outer, 17) == pytest.approx(SEQUENCE + CHAIN, rel=1e-9, abs=1e-16)
    optimizer = optimizer_of(0.1)
    outer = lr_scheduler.SequentialLR(optimizer, [chain(optimizer), sequence(optimizer)], [6])
    assert rates_of(outer, 17) == pytest.approx(CHAIN + SEQUENCE, rel=1e-9, abs=1e-16)


@pytest.mark.parametrize("name", ["StepLR", "MultiStepLR", "ConstantLR", "LinearLR",
                                  "ExponentialLR", "PolynomialLR", "CosineAnnealingLR"])  # fmt: skip
def test_a_jump_to_an_epoch_is_where_steps_lead(name):
    for other, settings, wanted, _ in RECORDED:
        if other == name:
            scheduler = getattr(lr_scheduler, name)(optimizer_of(0.1), **settings)
            scheduler.optimizer.step()
            for t in (3, 8, 1):
                with pytest.warns(UserWarning, match="epoch parameter in `scheduler.step"):
                    scheduler.step(t)
                assert scheduler.get_last_lr() == pytest.approx([wanted[t]], rel=1e-9, abs=1e-16)


@given(st.integers(1, 5), st.integers(1, 3), st.integers(0, 40))
def test_warm_restarts_take_fractions_and_jumps(first, factor, t):
    make = lr_scheduler.CosineAnnealingWarmRestarts
    stepped, jumped = (make(optimizer_of(1.0), first, factor) for _ in range(2))
    rates_of(stepped, t)
    jumped.step(t)
    assert jumped.get_last_lr() == stepped.get_last_lr()
    between = make(optimizer_of(1.0), 2)
    between.step(4.5)
    assert between.get_last_lr() == pytest.approx([(1 + math.cos(math.pi / 4)) / 2])


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
        (lambda: lr_scheduler.ConstantLR(optimizer_of(1.0), 2), ValueError, "between 0 and 1"),
        (lambda: lr_scheduler.LambdaLR(optimizer_of(1.0), 3), TypeError, "should be a function"),
        (lambda: lr_scheduler.CosineAnnealingWarmRestarts(optimizer_of(1.0), 0), ValueError,
         "Expected positive integer T_0, but got 0"),
        (lambda: lr_scheduler.CosineAnnealingWarmRestarts(optimizer_of(1.0), 1, 0), ValueError,
         "Expected integer T_mult >= 1, but got 0"),
        (lambda: lr_scheduler.CosineAnnealingWarmRestarts(optimizer_of(1.0), 1, 1, "a"),
         ValueError, "Expected float or int eta_min"),
        (lambda: lr_scheduler.CosineAnnealingWarmRestarts(optimizer_of(1.0), 1).step(-1),
         ValueError, "Expected non-negative epoch"),
        (lambda: lr_scheduler.CyclicLR(optimizer_of(1.0), 0.1, [1.0, 2.0]), ValueError,
         "max_lr must have the same length"),
        (lambda: lr_scheduler.CyclicLR(optimizer_of(1.0), 0.1, 1.0, mode="x"), ValueError,
         "mode is invalid and scale_fn is None"),
        (lambda: lr_scheduler.CyclicLR(tc.optim.Adagrad([tc.zeros(1)]), 0.1, 1.0), ValueError,
         "optimizer must support momentum or beta1"),
        (lambda: lr_scheduler.OneCycleLR(optimizer_of(1.0), 0.1), ValueError,
         "You must define either total_steps OR"),
        (lambda: lr_scheduler.OneCycleLR(optimizer_of(1.0), 0.1, -2), ValueError,
         "Expected positive integer total_steps, but got -2"),
        (lambda: lr_scheduler.OneCycleLR(optimizer_of(1.0), 0.1, 5, pct_start=2.0), ValueError,
         "Expected float between 0 and 1 pct_start, but got 2.0"),
        (lambda: lr_scheduler.OneCycleLR(optimizer_of(1.0), 0.1, 5, anneal_strategy="x"),
         ValueError, "anneal_strategy must be one of"),
        (lambda: lr_scheduler.SequentialLR(optimizer_of(1.0), [], []), ValueError,
         "SequentialLR expects at least one scheduler, but got no"),
        (lambda: lr_scheduler.SequentialLR(optimizer_of(1.0), [3], []), TypeError,
         "SequentialLR at index 0 should have `optimizer`"),
        (lambda: lr_scheduler.SequentialLR(optimizer_of(1.0), [chain(optimizer_of(1.0))], []),
         ValueError, "expects all schedulers to belong to the same optimizer"),
        (lambda: (lambda o: lr_scheduler.SequentialLR(o, [chain(o)], [1]))(optimizer_of(1.0)),
         ValueError, "Sequential Schedulers expects number of schedulers"),
        (lambda: lr_scheduler.ChainedScheduler([]), ValueError, "expects at least one scheduler"),
        (lambda: lr_scheduler.ChainedScheduler(
            [lr_scheduler.ReduceLROnPlateau(optimizer_of(1.0))]), ValueError,
         "does not support `ReduceLROnPlateau`"),
        (lambda: lr_scheduler.ReduceLROnPlateau(optimizer_of(1.0), factor=1.0), ValueError,
         "Factor should be < 1.0"),
        (lambda: lr_scheduler.ReduceLROnPlateau(optimizer_of(1.0), "x"), ValueError,
         "mode x is unknown"),
        (lambda: lr_scheduler.ReduceLROnPlateau(optimizer_of(1.0), threshold_mode="x"), ValueError,
         "threshold mode x is unknown"),
        (lambda: lr_scheduler.ReduceLROnPlateau(optimizer_of(1.0), min_lr=[1, 2]), ValueError,
         "expected 1 min_lrs, got 2"),
    ],
)  # fmt: skip
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()
