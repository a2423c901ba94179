"""Python threads that share blocks of NumPy work.

NumPy releases the interpreter lock while it copies, adds and multiplies (not in einsum), so threads
with separate blocks keep all cores busy.
"""

import os
import queue
import sys
import threading
from collections import deque

from ..threads import GONE, one_blas_thread

_CHECK_SECONDS = 1.0  # between two looks whether a thread that is waited for still runs


class _Pool:
    """Threads that wait for something to call. They are daemons and hold nothing between calls."""

    def __init__(self):
        self.lock = threading.Lock()
        self.calls = queue.SimpleQueue()
        self.threads = 0

    def submit(self, call, times):
        """Have up to that many threads call it: fewer where no more can be started."""
        if self.threads < times and not sys.is_finalizing():
            with self.lock:
                self.grow(times)
        for _ in range(min(times, self.threads)):
            self.calls.put(call)

    def grow(self, times):
        """Start threads until there are that many, or no more can be started."""
        while self.threads < times and self.start():
            pass

    def start(self):
        """Start a thread; whether that was possible."""
        self.threads += 1
        name = f"tinygrad_cnn-{self.threads}"
        try:
            threading.Thread(target=self.serve, name=name, daemon=True).start()
        except RuntimeError:  # a limit of the system, or the interpreter ends
            self.threads -= 1
            return False
        return True

    def serve(self):
        try:
            while True:
                self.calls.get()()
        finally:  # ended by an exception from outside
            with self.lock:
                self.threads -= 1


_pool = _Pool()


def run(work, blocks, threads):
    """Call `work(block)` for every block on up to `threads` threads, and wait for the last.

    The calling thread takes part, and needs no other to finish. The result of a block must not
    depend on the thread or the order. The first exception is raised once nothing runs any more.
    BLAS is held at one thread even if `run` uses one: its own threads would cost a small product
    more than they gain.
    """
    threads = min(threads, len(blocks))
    if threads <= 1:
        with one_blas_thread():
            for block in blocks:
                work(block)
        return
    todo, helpers, done = deque(blocks), [], queue.SimpleQueue()

    def take_part():
        while True:
            try:
                block = todo.popleft()
            except IndexError:
                return
            work(block)

    def help_out():  # finds nothing left if it comes late, as when the pool serves other callers
        helper = _Helper()
        helpers.append(helper)  # before it takes a block
        try:
            take_part()
        except BaseException as error:
            helper.error = error
        finally:
            helper.works = False
            done.put(None)

    with one_blas_thread():
        _pool.submit(help_out, threads - 1)
        try:
            take_part()
        finally:
            todo.clear()
            _wait(helpers, done)
    for helper in helpers:
        if helper.error is not None:
            raise helper.error


class _Helper:
    """A thread that takes part in a call."""

    def __init__(self):
        self.thread, self.works, self.error = threading.current_thread(), True, None


def _wait(helpers, done):
    """Wait for the helpers, each of which puts something into `done`. RuntimeError if one is gone."""
    for _ in helpers:
        while True:
            try:
                done.get(timeout=_CHECK_SECONDS)
                break
            except queue.Empty:
                if any(h.works and not h.thread.is_alive() for h in helpers):
                    raise RuntimeError(GONE) from None


def _after_fork():
    """A child has no threads yet, and its lock must be free."""
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
