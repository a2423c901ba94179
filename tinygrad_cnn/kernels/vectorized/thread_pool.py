"""Python threads that share blocks of NumPy work.

NumPy releases the interpreter lock while it copies, adds and multiplies (not in einsum), so threads
with separate blocks keep all cores busy.
"""

import os
import queue
import threading
from collections import deque

from ..threads import one_blas_thread


class _Pool:
    """Threads that wait for something to call. They are daemons and hold nothing between calls."""

    def __init__(self):
        self.lock = threading.Lock()
        self.calls = queue.SimpleQueue()
        self.threads = 0

    def submit(self, call, times):
        """Have that many threads call it. Threads start when first needed."""
        if self.threads < times:
            with self.lock:
                while self.threads < times:
                    self.threads += 1
                    name = f"tinygrad_cnn-{self.threads}"
                    threading.Thread(target=self.serve, name=name, daemon=True).start()
        for _ in range(times):
            self.calls.put(call)

    def serve(self):
        while True:
            self.calls.get()()


_pool = _Pool()


def run(work, blocks, threads):
    """Call `work(block)` for every block on up to `threads` threads, and wait for the last.

    The calling thread takes part. The result of a block must not depend on the thread or the
    order. The first exception is raised once nothing runs any more. BLAS is held at one thread
    even if `run` uses one: its own threads would cost a small product more than they gain.
    """
    threads = min(threads, len(blocks))
    if threads <= 1:
        with one_blas_thread():
            for block in blocks:
                work(block)
        return
    todo, done = deque(blocks), queue.SimpleQueue()

    def take():
        try:
            return todo.popleft()
        except IndexError:
            return None

    def help_out():  # finds nothing left if it comes late, as when the pool serves other callers
        while (block := take()) is not None:
            try:
                work(block)
                done.put(None)
            except BaseException as error:
                done.put(error)

    with one_blas_thread():
        _pool.submit(help_out, threads - 1)
        taken = 0
        try:
            while (block := take()) is not None:
                taken += 1
                work(block)
        finally:
            while take() is not None:
                taken += 1
            errors = [done.get() for _ in range(len(blocks) - taken)]
    for error in errors:
        if error is not None:
            raise error


def _after_fork():
    """A child has no threads yet, and its lock must be free."""
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
