"""KeyboardInterrupt at the places where Python can raise it: contexts, gradients, steps, averages."""

import contextlib
import functools
import threading
import time

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import engine, kernels
from tinygrad_cnn.atomic import quiet
from tinygrad_cnn.kernels import threads
from tinygrad_cnn.random import drawing_from, restoring
from tinygrad_cnn.utils.data import DataLoader, TensorDataset

from .interrupts import PACKAGE, count, interrupted
from .steps import OPTIMIZERS, contexts, wrong_after

HERE = (PACKAGE, __file__)
HANG_SECONDS = 10


def interruptions(run, step=1):
    """Interrupt `run` at each `step`-th instruction, and yield after each."""
    run()
    places = range(1, count(run, HERE) + 1, step)
    assert len(places) > 5
    for k in places:
        assert interrupted(run, k, HERE)
        yield k


@functools.cache
def each_set():
    """The names of the sets of kernels that are here."""
    found = []
    for name in kernels.SETS:
        with contextlib.suppress(ImportError):
            kernels.load(name)
            found.append(name)
    return found


@pytest.fixture(params=kernels.SETS)
def with_set(request):
    """A set of kernels is in use."""
    if request.param not in each_set():
        pytest.skip("not installed")
    before = kernels.current()
    kernels.use(request.param)
    yield
    kernels.use(before)


# --- Contexts -----------------------------------------------------------------------------------

CONTEXTS = {
    "no_grad": tc.no_grad,
    "inference_mode": tc.inference_mode,
    "observe": lambda: engine.observe(engine.Observer()),
    "detect_anomaly": tc.autograd.detect_anomaly,
    "autocast": lambda: tc.autocast("cpu", enabled=False, dtype=tc.float16),
    "drawing_from": lambda: drawing_from(tc.default_generator),
    "restoring": restoring,
    "recording": lambda: engine.recording(False),
    "quiet": quiet,
    "one_blas_thread": threads.one_blas_thread,
}


@pytest.mark.parametrize("name", CONTEXTS)
def test_a_context_ends(name):
    make, before = CONTEXTS[name], contexts()

    def run():
        with make():
            pass

    for k in interruptions(run):
        assert contexts() == before, k
    run()
    assert contexts() == before


def test_nested_modes_end_and_one_instance_serves_again():
    before, once = contexts(), tc.no_grad()

    def run():
        with once, tc.enable_grad(), once:
            pass

    for _ in interruptions(run):
        assert contexts() == before
    with once:
        assert not tc.is_grad_enabled()
        with tc.enable_grad():
            assert tc.is_grad_enabled()
        with once:
            pass
        assert not tc.is_grad_enabled()
    assert contexts() == before


def test_decorated_functions_and_generators_end_their_mode():
    before = contexts()

    @tc.no_grad()
    def function():
        return tc.is_grad_enabled()

    @tc.no_grad()
    def generator():
        yield tc.is_grad_enabled()
        yield tc.is_grad_enabled()

    def run():
        assert not function()
        assert not any(list(generator()))

    for _ in interruptions(run):
        assert contexts() == before


def test_blocks_work_in_an_exit_stack_and_by_hand():
    before = contexts()
    with contextlib.ExitStack() as stack:
        stack.enter_context(tc.no_grad())
        assert not tc.is_grad_enabled()
    block = tc.no_grad()
    block.__enter__()
    assert not tc.is_grad_enabled()
    block.__exit__(None, None, None)
    assert contexts() == before
    with pytest.raises(IndexError):
        block.__exit__(None, None, None)  # it is not open


# --- Gradients ----------------------------------------------------------------------------------


def test_a_backward_pass_adds_to_all_gradients_or_to_none():
    def make():
        xs = [tc.ones(2, requires_grad=True) for _ in range(3)]
        xs[0].grad = tc.full((2,), 5.0)
        return xs, (xs[0] * xs[1]).sum() + xs[2].sum()

    check_whole(make, lambda made: made[1].backward(), lambda made: grads(made[0]), 3)


def test_an_interrupted_backward_pass_can_be_repeated_or_says_why_not():
    x = tc.ones(2, requires_grad=True)
    made = []

    def run():
        x.grad = None
        made[:] = [(x * x).exp().sum()]
        made[0].backward()

    outcomes = set()
    for _ in interruptions(run, 23):
        if x.grad is None and made:
            try:
                made[0].backward()
            except RuntimeError as error:
                outcomes.add("one that raised" in str(error))
            else:
                outcomes.add("repeated")
                assert x.grad.tolist() == pytest.approx([2 * np.e] * 2)
    assert outcomes == {True, "repeated"}


# --- Steps --------------------------------------------------------------------------------------


def stepped(make, steps):
    """Two parameters and their optimizer after that many steps."""
    ps = [tc.linspace(-1, 1, n).requires_grad_() for n in (3, 7)]
    optimizer = make(ps)
    for p in ps:
        p.grad = tc.linspace(-2, 1, p.numel())
    for _ in range(steps):
        optimizer.step()
    return ps, optimizer


def states(ps, optimizer):
    """Of each parameter its values and its state."""
    return [
        [p.tolist(), *[(name, x.tolist()) for name, x in sorted(optimizer.state[p].items())]]
        for p in ps
    ]


def check_steps(make, done, stride):
    """Interrupt a step after `done` steps: each parameter and its state are of one step."""
    known = list(zip(*[states(*stepped(make, n)) for n in (done, done + 1)], strict=True))
    length, before, seen = count(stepped(make, done)[1].step), contexts(), set()
    for k in range(1, length, stride):
        ps, optimizer = stepped(make, done)
        assert interrupted(optimizer.step, k)
        assert contexts() == before
        for state, allowed in zip(states(ps, optimizer), known, strict=True):
            assert state in allowed, k
            seen.add(allowed.index(state))
    assert seen == {0, 1}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weight_and_state_of_a_parameter_are_of_one_step(name, with_set):
    check_steps(OPTIMIZERS[name], 1, 97)


def test_the_first_momentum_is_made_with_the_first_step(with_set):
    check_steps(OPTIMIZERS["SGD"], 0, 29)


class OfItsOwn(tc.optim.Optimizer):
    """Its update calls a method of arrays: no set records it."""

    def __init__(self, params):
        super().__init__(params, {})

    def update_of(self, p, group):
        _, arrays, counted = self.next_step(p, "v")

        def update(arrays, scratch, numbers):
            p, g, v = arrays
            v += abs(g).clip(0, 1)
            p -= v.reshape(p.shape)

        return update, arrays, 0, (), counted


def test_an_update_that_is_not_recorded_is_undone(with_set):
    check_steps(OfItsOwn, 1, 7)


# --- Other state --------------------------------------------------------------------------------


def check_whole(make, act, state, stride=1):
    """Interrupt `act(made)`: `state(made)` is that of before or that of after."""
    made = make()
    before = state(made)
    act(made)
    allowed = [before, state(made)]
    assert allowed[0] != allowed[1]
    length, seen, around = count(functools.partial(act, make())), set(), contexts()
    for k in range(1, length, stride):
        made = make()
        if interrupted(functools.partial(act, made), k):
            assert contexts() == around
            assert state(made) in allowed, k
            seen.add(allowed.index(state(made)))
    assert 0 in seen


def with_grads():
    ps = [tc.ones(3, requires_grad=True) for _ in "ab"]
    for p in ps:
        p.grad = tc.full((3,), 4.0)
    return ps


def grads(ps):
    return [None if p.grad is None else p.grad.tolist() for p in ps]


CLEARING = {
    "clip_grad_norm_": lambda ps: tc.nn.utils.clip_grad_norm_(ps, 1.0),
    "clip_grad_value_": lambda ps: tc.nn.utils.clip_grad_value_(ps, 1.0),
    "zero_grad": lambda ps: tc.optim.SGD(ps, 0.1).zero_grad(),
    "zero_grad to zeros": lambda ps: tc.optim.SGD(ps, 0.1).zero_grad(set_to_none=False),
}


@pytest.mark.parametrize("name", CLEARING)
def test_all_gradients_change_or_none(name):
    check_whole(with_grads, CLEARING[name], grads, 17)


def test_running_statistics_and_their_count_move_together(with_set):
    x = tc.linspace(0, 1, 12).reshape(3, 2, 2)
    check_whole(
        lambda: tc.nn.BatchNorm1d(2),
        lambda layer: layer(x),
        lambda layer: [b.tolist() for b in layer.buffers()],
        23,
    )


SCHEDULES = {
    "StepLR": lambda o: tc.optim.lr_scheduler.StepLR(o, 1, 0.5),
    "chained": lambda o: tc.optim.lr_scheduler.ChainedScheduler(
        [tc.optim.lr_scheduler.ExponentialLR(o, 0.5), tc.optim.lr_scheduler.LinearLR(o)]
    ),
    "sequential": lambda o: tc.optim.lr_scheduler.SequentialLR(
        o, [tc.optim.lr_scheduler.ConstantLR(o), tc.optim.lr_scheduler.ExponentialLR(o, 0.5)], [1]
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("lr", ["number", "Tensor"])
def test_a_schedule_and_the_rates_move_together(name, lr):
    def make():
        ps = [tc.ones(1).requires_grad_() for _ in "ab"]
        rate = [tc.tensor(1.0), tc.tensor(2.0)] if lr == "Tensor" else [1.0, 2.0]
        groups = [{"params": [p], "lr": r} for p, r in zip(ps, rate, strict=True)]
        optimizer = tc.optim.SGD(groups, 0.1)
        schedule = SCHEDULES[name](optimizer)
        optimizer.step()
        return schedule

    def state(schedule):
        parts = [schedule, *getattr(schedule, "_schedulers", ())]
        return repr([
            [float(group["lr"]) for group in schedule.optimizer.param_groups],
            [[vars(part).get(n) for n in ("last_epoch", "_step_count", "_last_lr")] for part in parts],
        ])  # fmt: skip

    check_whole(make, lambda schedule: schedule.step(), state, 29 if lr == "number" else 211)


def test_averages_and_their_count_move_together():
    model = tc.nn.Linear(2, 2)

    def make():
        averaged = tc.optim.swa_utils.AveragedModel(model)
        averaged.n_averaged.fill_(3)
        for p in averaged.module.parameters():
            p.data.zero_()
        return averaged

    check_whole(
        make,
        lambda averaged: averaged.update_parameters(model),
        lambda averaged: [x.tolist() for x in averaged.state_dict().values()],
        307,
    )


def test_a_scaler_and_the_gradients_move_together():
    def make():
        scaler, ps = tc.amp.GradScaler("cpu", init_scale=4.0), with_grads()
        scaler.scale(tc.ones(1))
        return scaler, ps, tc.optim.SGD(ps, 0.1)

    check_whole(
        make,
        lambda made: made[0].unscale_(made[2]),
        lambda made: [grads(made[1]), list(made[0]._stages.values()), made[0]._overflows != {}],
        3,
    )


def test_a_loader_ends_and_can_be_started_again():
    loader, before = DataLoader(TensorDataset(tc.arange(6)), batch_size=2), contexts()

    def run():
        return [batch.tolist() for (batch,) in loader]

    for _ in interruptions(run, 41):
        assert contexts() == before
    assert run() == [[0, 1], [2, 3], [4, 5]]


# Python drops an interrupt that comes in the callback of a weak reference, as `threading` has some.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_loader_with_workers_holds_no_lock_and_its_threads_end():
    loader = DataLoader(TensorDataset(tc.arange(6)), batch_size=2, num_workers=2)
    before, alive, places = contexts(), set(threading.enumerate()), (*HERE, threading.__file__)

    def run():
        return [batch.tolist() for (batch,) in loader]

    run()
    came = 0
    for k in range(1, count(run, places), 11):
        came += interrupted(
            run, k, places
        )  # how long it waits for a thread differs from run to run
        assert contexts() == before
        late = time.monotonic() + HANG_SECONDS
        while set(threading.enumerate()) - alive:
            assert time.monotonic() < late, k
            time.sleep(0)
    assert came > 20
    assert run() == [[0, 1], [2, 3], [4, 5]]


def test_whole_training_steps():
    before = kernels.current()
    kernels.use("vectorized")
    for k, net, optimizer in ((9_000, "Dense", "Adam"), (61_000, "Net", "SGD")):
        wrong = wrong_after(lambda step, k=k: interrupted(step, k), net, optimizer, None)
        assert not wrong
    kernels.use(before)
