"""Threads for NumPy code: a pool, scratch memory of each thread, and BLAS held at one thread.

NumPy lets go of the interpreter lock while it copies, adds and multiplies (not in einsum), so
Python threads that work on blocks of their own keep all cores busy. Their matrix products must then
not start threads of their own, and a process-wide setting of OpenBLAS says so.
"""

import ctypes
import functools
import os
import queue
import threading
from collections import deque
from contextlib import contextmanager

import numpy as np


@functools.cache
def _openblas():
    """(get, set) of the thread count of the OpenBLAS that NumPy uses, None for another BLAS.

    The symbols are looked up through NumPy's own extension module, whose dependencies the dynamic
    linker searches too. So the right library is found, wherever and however it was installed.
    """
    try:
        library = ctypes.CDLL(np._core._multiarray_umath.__file__)
    except (AttributeError, OSError):
        return None
    for prefix in ("scipy_openblas", "openblas"):
        for suffix in ("64_", ""):
            get = getattr(library, f"{prefix}_get_num_threads{suffix}", None)
            set_ = getattr(library, f"{prefix}_set_num_threads{suffix}", None)
            if get and set_:
                return get, set_
    return None


class _Hold:
    """Who holds BLAS at one thread: the first saves the count, the last to go restores it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.holders = 0
        self.threads = 1


_hold = _Hold()


def workers():
    """How many threads share a kernel's work: as many as BLAS may have, 1 if it cannot be held.

    So OPENBLAS_NUM_THREADS and threadpoolctl limit the kernels too.
    """
    blas = _openblas()
    if blas is None:
        return 1
    with _hold.lock:
        return _hold.threads if _hold.holders else blas[0]()


def set_workers(n):
    """Let BLAS have n threads, and so the kernels; nothing where it cannot be told."""
    blas = _openblas()
    if blas is None:
        return
    with _hold.lock:
        if _hold.holders:
            _hold.threads = n
        else:
            blas[1](n)


@contextmanager
def one_blas_thread():
    """Hold BLAS at one thread in the whole process. Cheap, and holds may overlap in any order."""
    blas = _openblas()
    if blas is None:
        yield
        return
    get, set_ = blas
    with _hold.lock:
        if not _hold.holders:
            _hold.threads = get()
            set_(1)
        _hold.holders += 1
    try:
        yield
    finally:
        with _hold.lock:
            _hold.holders -= 1
            if not _hold.holders:
                set_(_hold.threads)


class _Pool:
    """Threads that wait for something to call. They are daemons and hold nothing between calls."""

    def __init__(self):
        self.lock = threading.Lock()
        self.calls = queue.SimpleQueue()
        self.threads = 0

    def submit(self, call, times):
        """Have that many threads call it, starting them when first needed."""
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
    """Call `work(block)` for every block, on so many threads, and wait for the last.

    The calling thread takes its share. What a block computes must not depend on the thread or on
    the order. The first exception is raised again, once nothing runs any more. BLAS has one thread
    here also where the work has: its threads would cost more than a small product gains by them.
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

    def help_out():  # finds nothing to do if it comes late, as when the pool serves other callers
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


_scratch = threading.local()


def scratch(name, shape, dtype):
    """Uninitialised memory of this thread, the same for each call with this name, grown as needed.

    It is good until the next call with the name; kernels do not call each other while they use it.
    """
    dtype = np.dtype(dtype)
    size = dtype.itemsize
    for length in shape:
        size *= length
    memory = _scratch.__dict__.get(name)
    if memory is None or memory.size < size:
        memory = _scratch.__dict__[name] = np.empty(size, np.uint8)
    return np.ndarray(shape, dtype, memory)


def _after_fork():
    """Threads do not survive a fork, and a lock may have been held by one that did not."""
    global _hold, _pool
    held, threads = _hold.holders, _hold.threads
    _hold = _Hold()
    _pool = _Pool()
    if held:
        _openblas()[1](threads)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
