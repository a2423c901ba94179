"""Processes: spawn, its errors, and Tensors that travel through queues."""

import os
import signal
import time

import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.multiprocessing as mp


def put(index, queue, x):
    queue.put((index, (x * index).sum()))


def fail(index):
    if index == 1:
        raise ValueError("the reason")
    time.sleep(20)  # until it is terminated


def die(index):
    os.kill(os.getpid(), signal.SIGKILL)


def leave(index):
    os._exit(3)


METHOD = {"start_method": "fork"}  # fast; `spawn` by default is tested once


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_compute_with_tensors(method):
    queue = mp.get_context(method).SimpleQueue()
    x = tc.ones(2, 3)
    assert mp.spawn(put, (queue, x), nprocs=2, start_method=method) is None
    found = dict(queue.get() for _ in range(2))
    assert {k: y.item() for k, y in found.items()} == {0: 0.0, 1: 6.0}


def test_an_exception_in_a_process_has_its_traceback_and_ends_the_others():
    with pytest.raises(mp.ProcessRaisedException, match="the reason") as caught:
        mp.spawn(fail, nprocs=2, **METHOD)
    assert caught.value.error_index == 1
    assert "-- Process 1 terminated with the following error:" in str(caught.value)
    assert 'raise ValueError("the reason")' in str(caught.value)


@pytest.mark.parametrize(
    ("function", "how", "code"), [(die, "signal 9", -9), (leave, "exit code 3", 3)]
)
def test_a_process_that_just_ends(function, how, code):
    with pytest.raises(mp.ProcessExitedException, match=how) as caught:
        mp.spawn(function, nprocs=1, **METHOD)
    assert caught.value.exit_code == code


def test_without_join_the_processes_are_returned():
    queue = mp.SimpleQueue()
    started = mp.spawn(put, (queue, tc.ones(1)), nprocs=1, join=False, **METHOD)
    assert len(started.pids()) == 1
    assert started.join()
    assert queue.get()[0] == 0


def test_a_join_may_time_out():
    started = mp.spawn(fail, nprocs=1, join=False, **METHOD)
    assert started.join(timeout=0.05) is False
    started.processes[0].terminate()
    with pytest.raises(mp.ProcessExitedException, match="signal 15"):
        started.join()
