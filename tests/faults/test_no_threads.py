"""Kernels and loaders where no thread can be started, or where a thread has ended."""

import os
import queue
import threading
import warnings

import pytest

import tinygrad_cnn as tc
from tests.soak.forks import outcome
from tinygrad_cnn.kernels.vectorized import thread_pool
from tinygrad_cnn.utils.data import DataLoader, TensorDataset

BLOCKS = list(range(20))
HANG_SECONDS = 10


@pytest.fixture
def pool(monkeypatch):
    """A pool of its own."""
    monkeypatch.setattr(thread_pool, "_pool", thread_pool._Pool())
    return thread_pool._pool


def limit(monkeypatch, most):
    """Let `most` more threads start."""
    start, left = threading.Thread.start, [None] * most

    def limited(thread):
        if not left:
            raise RuntimeError("can't start new thread")
        left.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)


def squares(count=3):
    found = {}
    thread_pool.run(lambda k: found.__setitem__(k, k * k), BLOCKS, count)
    return found == {k: k * k for k in BLOCKS}


@pytest.mark.parametrize("most", [0, 1])
def test_kernels_work_with_the_threads_that_there_are(pool, monkeypatch, most):
    limit(monkeypatch, most)
    assert squares()
    assert pool.threads == most
    assert most or pool.calls.empty()  # nothing is kept that nobody will do
    monkeypatch.undo()


def test_no_thread_is_started_while_the_interpreter_ends(pool, monkeypatch):
    """Python 3.11 would wait for it forever."""
    monkeypatch.setattr(thread_pool.sys, "is_finalizing", lambda: True)
    assert squares()
    assert pool.threads == 0


def test_threads_that_ended_are_replaced(pool, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    before = set(threading.enumerate())
    assert squares()
    assert pool.threads == 2

    def end():
        raise SystemExit

    for _ in range(2):
        pool.calls.put(end)
    for thread in set(threading.enumerate()) - before:
        thread.join()
    assert pool.threads == 0
    assert squares()
    assert pool.threads == 2


def test_a_thread_that_ends_within_a_block_is_an_error(monkeypatch):
    monkeypatch.setattr(thread_pool, "_CHECK_SECONDS", 0.01)
    helpers = []
    thread = threading.Thread(target=lambda: helpers.append(thread_pool._Helper()))
    thread.start()
    thread.join()
    with pytest.raises(RuntimeError, match="is gone"):
        thread_pool._wait(helpers, queue.SimpleQueue())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_within_a_kernel(pool, monkeypatch):
    """The child lacks the thread that has the other block: an error, and the next kernel works."""
    monkeypatch.setattr(thread_pool, "_CHECK_SECONDS", 0.01)
    taken, forked, caller, children = (
        threading.Event(),
        threading.Event(),
        threading.get_ident(),
        [],
    )

    def work(block):
        if threading.get_ident() != caller:
            taken.set()
            forked.wait()
        else:
            taken.wait()
            children.append(fork_here())
            forked.set()

    parent = os.getpid()
    try:
        thread_pool.run(work, [0, 1], 2)
    except RuntimeError as error:
        assert os.getpid() != parent
        os._exit(0 if "forked within the kernel" in str(error) and squares() else 1)
    if os.getpid() != parent:
        os._exit(2)
    assert outcome(children[0], HANG_SECONDS) == 0


def fork_here():
    """The child goes on where it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


# --- Data loaders -------------------------------------------------------------------------------


def batches():
    loader = DataLoader(TensorDataset(tc.arange(6.0)), 2, num_workers=3)
    return [b[0].tolist() for b in loader]


def test_a_loader_works_with_fewer_workers(monkeypatch):
    limit(monkeypatch, 1)
    assert batches() == [[0, 1], [2, 3], [4, 5]]


def test_a_loader_without_any_worker_says_so(monkeypatch):
    limit(monkeypatch, 0)
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="can't start new thread"):
        batches()
    assert threading.active_count() == before
