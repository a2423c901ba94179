"""Threads that share the rows of a compiled kernel's call."""

import random
import threading

import numpy as np
import pytest

from tinygrad_cnn import kernels
from tinygrad_cnn.kernels.compiled import team
from tinygrad_cnn.kernels.compiled.jit import jit
from tinygrad_cnn.kernels.compiled.scalars import get, put

DOUBLE = np.dtype(np.float64)


@jit
def add_one(zero, at, times, first, last, scratch):
    """Add 1 `times` times to the numbers first to last, through scratch memory."""
    for k in range(first, last):
        for _ in range(times):
            put(get(zero, at + 8 * k) + 1.0, scratch)
            put(get(zero, scratch), at + 8 * k)


def added(rows, threads, times=1):
    """The numbers after a call of `rows` rows. Each row adds to its own range."""
    numbers = np.zeros(rows)
    at = numbers.__array_interface__["data"][0]
    team.call(add_one, DOUBLE, (at, times), [(k, k + 1) for k in range(rows)], threads, 8)
    return numbers


def test_each_row_is_done_once():
    draw = random.Random(0)
    for _ in range(2000):
        rows = draw.randint(1, 12)
        threads, times = draw.randint(1, 4), draw.choice([1, 1, 1, 200])
        np.testing.assert_array_equal(added(rows, threads, times), np.full(rows, times))


def test_integers_of_another_count_are_refused():
    with pytest.raises(TypeError, match="add_one takes 2 integers, not 1"):
        team.call(add_one, DOUBLE, (0,), [(0, 1)])


def test_callers_at_once_do_not_mix_their_rows():
    """One caller uses the threads, and the others work alone."""
    wrong = []

    def call(times):
        wrong.extend(k for k in range(300) if (added(5, 3, times) != times).any())

    callers = [threading.Thread(target=call, args=(times,)) for times in (1, 20, 300)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


def test_threads_that_slept_come_again():
    added(6, 3)
    members = team._team
    for helper in members.helpers:
        for _ in range(1000):
            if helper.asleep:
                break
            threading.Event().wait(0.01)
        assert helper.asleep
    np.testing.assert_array_equal(added(50, 3, 1000), np.full(50, 1000))
    assert len(members.helpers) >= 2


def test_an_interrupted_call_still_waits_for_its_rows(monkeypatch):
    """Other threads may still write to memory that the caller is about to free."""

    def interrupt(self, board):
        raise KeyboardInterrupt

    monkeypatch.setattr(team._Team, "wait_for", interrupt)
    numbers = np.zeros(9)
    at = numbers.__array_interface__["data"][0]
    with pytest.raises(KeyboardInterrupt):
        team.call(add_one, DOUBLE, (at, 5000), [(k, k + 1) for k in range(9)], 3, 8)
    np.testing.assert_array_equal(numbers, np.full(9, 5000))
    monkeypatch.undo()
    np.testing.assert_array_equal(added(6, 3), np.ones(6))


def test_threads_rest_when_they_are_asked_to_and_come_again():
    added(6, 3)
    a = np.ones((100, 3000), np.float32)  # too many terms for our product
    kernels.load("compiled").matmul(a, a.T)
    board = team._team.board
    assert board[team.REST] == 1
    np.testing.assert_array_equal(added(50, 3, 1000), np.full(50, 1000))
    assert board[team.REST] == 0


def test_without_more_threads_the_caller_works_alone(monkeypatch):
    """As if the system has no threads left, and while the interpreter exits."""

    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(team, "_team", team._Team())
    monkeypatch.setattr(threading.Thread, "start", start)
    np.testing.assert_array_equal(added(6, 3), np.ones(6))


def test_threads_that_ended_are_replaced(monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    members = team._Team()
    before = set(threading.enumerate())

    def end(board, me):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(team, "serve", end)
        members.gather(1)
        for thread in set(threading.enumerate()) - before:
            thread.join()
    members.gather(2)
    assert [(helper.me, helper.ended) for helper in members.helpers] == [(1, False), (2, False)]


def test_a_child_does_not_wait_for_threads_of_its_parent(monkeypatch):
    """A signal handler may fork while a row is in work."""
    monkeypatch.setattr(team, "_team", team._Team())

    def forked(board):
        monkeypatch.setattr(team, "_team", team._Team())  # as in a child
        return False

    forked.compiled = team.wait.compiled
    monkeypatch.setattr(team, "wait", forked)
    with pytest.raises(RuntimeError, match="forked within the kernel"):
        added(6, 3)


def test_no_thread_is_started_while_the_interpreter_ends(monkeypatch):
    monkeypatch.setattr(team, "_team", team._Team())
    monkeypatch.setattr(team.sys, "is_finalizing", lambda: True)
    np.testing.assert_array_equal(added(6, 3), np.full(6, 1))
    assert team._team.helpers == []
