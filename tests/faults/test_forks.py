"""Forks while another thread is in the middle of something: the child finds all free and whole."""

import gc
import os
import sys
import threading
import time
import warnings
from contextlib import contextmanager

import numpy as np
import pytest

import tinygrad_cnn as tc
import visualize
from tests.soak.forks import fork, outcome
from tinygrad_cnn import engine, random
from tinygrad_cnn.distributions import Categorical, categorical
from tinygrad_cnn.engine import gradients, modes, writes
from tinygrad_cnn.kernels import threads
from tinygrad_cnn.utils.data import DataLoader, TensorDataset
from visualize import graph

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

HANG_SECONDS = 10
MOMENT_SECONDS = 0.05  # for which a thread holds what a fork waits for


def succeeds(check):
    """Whether `check()` is true in a child. None if it hangs."""
    status = outcome(fork(lambda: 0 if check() else 1), HANG_SECONDS)
    return None if status is None else status == 0


@contextmanager
def elsewhere(manager, after=lambda: None, seconds=None):
    """Another thread is inside of `manager` in this block, or for some seconds; then it calls `after`."""
    inside, over = threading.Event(), threading.Event()

    def work():
        with manager:
            inside.set()
            over.wait(seconds)
            after()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    inside.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()


def trains():
    x = tc.ones(2, requires_grad=True)
    (x * 3.0).sum().backward()
    return x.grad.tolist() == [3.0, 3.0]


def test_gradients_are_added_though_another_thread_was_at_it():
    with elsewhere(gradients._commit_lock):
        assert succeeds(trains)


def test_the_clock_of_writes_never_goes_back(monkeypatch):
    """Without a lock a thread may come late with its number."""
    engine.note_write()
    before = writes.latest[0]
    monkeypatch.setattr(writes, "next_number", lambda: before - 1)
    assert engine.note_write() == before - 1
    assert writes.latest[0] == before


def test_blocks_of_other_threads_end_with_the_fork():
    with elsewhere(tc.no_grad()):
        assert "no_grad" in modes.special.values()
        assert succeeds(lambda: not modes.special and trains())
        with tc.no_grad():
            assert succeeds(lambda: len(modes.special) == 1 and not tc.is_grad_enabled())


# --- Random numbers -----------------------------------------------------------------------------


def test_numbers_can_be_drawn_though_another_thread_drew(monkeypatch):
    generator = tc.Generator().manual_seed(3)
    monkeypatch.setattr(random, "_WAIT_SECONDS", 0.01)
    with elsewhere(generator.numpy.bit_generator.lock):
        assert succeeds(lambda: tc.rand(3, generator=generator).shape == (3,))
    assert tc.rand(3, generator=generator).shape == (3,)  # the parent's lock is as it was


def test_a_seed_and_its_state_are_of_one_moment():
    generator, wanted = tc.Generator().manual_seed(3), tc.Generator().manual_seed(4)

    def seed():  # what `manual_seed` does while it has the lock, which some NumPy give once only
        generator.numpy.bit_generator.state = wanted.numpy.bit_generator.state
        generator._seed = 4

    with elsewhere(generator.numpy.bit_generator.lock, seed, MOMENT_SECONDS):
        assert succeeds(
            lambda: (
                generator.initial_seed() == 4
                and tc.equal(tc.rand(3, generator=generator), tc.rand(3, generator=wanted))
            )
        )


def test_generators_that_are_gone_are_forgotten():
    count = len(random._made)
    generator = tc.Generator().manual_seed(3)
    assert len(random._made) == count + 1
    del generator
    assert len(random._made) == count


# --- Kernels ------------------------------------------------------------------------------------


def test_blas_gets_its_threads_back_in_the_child():
    count = threads.get_num_threads()
    with elsewhere(threads.one_blas_thread()):
        assert succeeds(
            lambda: (
                (threads.get_num_threads(), blas_threads(), threads.hold.counts)
                == (count, count, [])
            )
        )
        own = threads.one_blas_thread()
        with own:  # a block that ends in the child too
            assert succeeds(lambda: own.__exit__(None, None, None) or blas_threads() == count)


def blas_threads():
    blas = threads.openblas()
    return 1 if blas is None else blas[0]()


@pytest.mark.parametrize("what", ["BLAS with threads", "loading or compiling"])
def test_a_fork_waits_for(what):
    manager = threads.all_blas_threads() if what.startswith("BLAS") else threads.building[0]
    over = []
    with elsewhere(manager, lambda: over.append(True), MOMENT_SECONDS):
        assert succeeds(lambda: over == [True])
    assert threads.hold.busy == []
    assert not threads._held


def test_a_thread_does_not_wait_for_itself():
    with threads.all_blas_threads(), threads.building[0], threads.hold.lock:
        assert succeeds(trains)


def test_linear_algebra_is_among_the_calls_that_a_fork_waits_for(monkeypatch):
    seen = []
    monkeypatch.setattr(np.linalg, "inv", lambda a: seen.append(list(threads.hold.busy)) or a)
    tc.linalg.inv(tc.eye(2))
    assert seen == [[threading.get_ident()]]


def test_two_threads_may_fork_at_once():
    """Each releases its own locks, and leaves those of a third."""
    others = [random._held, threads._held]
    for held in others:
        held[-1] = []
    found = []

    def work():
        found.extend(succeeds(trains) for _ in range(5))

    callers = [threading.Thread(target=work) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert found == 10 * [True]
    for held in others:
        assert held == {-1: []}
        held.clear()


# --- Modules, properties, the collector ---------------------------------------------------------


def test_a_fork_waits_for_a_module_that_another_thread_imports(tmp_path, monkeypatch):
    """The child could never import it."""
    name = "imported_slowly"
    (tmp_path / f"{name}.py").write_text(
        f"import sys, time\nsys.argv.append({name!r})\ntime.sleep({MOMENT_SECONDS})\ndone = True\n"
    )
    monkeypatch.setattr(tc, "__path__", [*tc.__path__, str(tmp_path)])
    monkeypatch.setattr(sys, "argv", [])

    def load():
        return __import__(f"tinygrad_cnn.{name}", fromlist=["done"]).done

    thread = threading.Thread(target=load)
    thread.start()
    while not sys.argv:
        time.sleep(0.001)
    assert succeeds(load)
    thread.join()
    del sys.modules[f"tinygrad_cnn.{name}"]


def test_a_property_can_be_computed_though_another_thread_was_at_it(monkeypatch):
    """Python 3.11 computes all values of a `cached_property` under one lock."""
    inside, over, compute = threading.Event(), threading.Event(), categorical.probs_to_logits

    def slow(probs):
        inside.set()
        over.wait()
        return compute(probs)

    monkeypatch.setattr(categorical, "probs_to_logits", slow)
    first, second = (Categorical(tc.tensor([0.5, 0.5])) for _ in range(2))
    thread = threading.Thread(target=lambda: first.logits)
    thread.start()
    inside.wait()
    monkeypatch.setattr(categorical, "probs_to_logits", compute)
    try:
        assert succeeds(lambda: second.logits.shape == (2,))
    finally:
        over.set()
        thread.join()


def test_a_picture_can_be_drawn_and_the_collector_runs():
    """A thread that makes a picture has the garbage collector off."""
    picture = visualize.draw(tc.ones(2, requires_grad=True).exp())
    with elsewhere(graph.no_collection()):
        assert not gc.isenabled()
        assert succeeds(lambda: gc.isenabled() and "digraph" in picture.source)
    assert gc.isenabled()
    with graph.no_collection(), graph.no_collection():
        assert succeeds(lambda: not gc.isenabled())


# --- Forks from inside --------------------------------------------------------------------------


def test_a_fork_in_a_hook():
    """The child ends the backward pass that it finds itself in."""
    x, children = tc.ones(2, requires_grad=True), []
    y = x * 2.0
    y.register_hook(lambda g: children.append(os.fork()))
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # Python 3.12's, of forks beside threads
        y.sum().backward()
    if not children[0]:
        os._exit(0 if x.grad.tolist() == [2.0, 2.0] and trains() else 1)
    assert outcome(children[0], HANG_SECONDS) == 0


def test_an_iterator_with_workers_is_of_its_process():
    data = TensorDataset(tc.arange(6.0))
    batches = iter(DataLoader(data, 2, num_workers=2))
    first = next(batches)

    def check():
        with pytest.raises(RuntimeError, match="before a fork"):
            next(batches)
        return [b[0].tolist() for b in DataLoader(data, 2, num_workers=2)] == [
            [0, 1],
            [2, 3],
            [4, 5],
        ]

    assert succeeds(check)
    with elsewhere(batches.gi_frame.f_locals["self"]._pulling):  # as a worker has it for moments
        assert succeeds(lambda: batches.close() is None)  # as the end of the child does
    assert [first[0].tolist(), *(b[0].tolist() for b in batches)] == [[0, 1], [2, 3], [4, 5]]


def test_a_worker_may_fork():
    class Forking:
        def __len__(self):
            return 4

        def __getitem__(self, k):
            return float(succeeds(trains) is True)

    assert [b.tolist() for b in DataLoader(Forking(), 2, num_workers=2)] == [[1, 1], [1, 1]]
