"""Threads for NumPy code: a pool, scratch memory of each thread, and BLAS held at one thread.

NumPy lets go of the interpreter lock while it copies, adds and multiplies, so Python threads that work
on blocks of their own keep all cores busy. Their matrix products must then not start threads of their
own, and a process-wide setting of OpenBLAS says so.
"""

import ctypes
import functools
import os
import threading
from collections import deque
from contextlib import contextmanager

import numpy as np


@functools.cache
def _openblas():
    """(get, set) of the thread count of the OpenBLAS that NumPy uses, None where there is another BLAS.

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
    """Who holds BLAS at one thread: the first to come saves the count, the last to go restores it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.holders = 0
        self.threads = 1


_hold = _Hold()


def workers():
    """How many threads share a kernel's work: as many as BLAS is allowed, 1 where it cannot be held.

    So OPENBLAS_NUM_THREADS and threadpoolctl limit the kernels too.
    """
    blas = _openblas()
    if blas is None:
        return 1
    with _hold.lock:
        return _hold.threads if _hold.holders else blas[0]()


@contextmanager
def one_blas_thread():
    """Hold BLAS at one thread in the whole process. Cheap, and holds may overlap in any order."""
    get, set_ = _openblas()
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


@functools.cache
def _pool():
    from concurrent.futures import ThreadPoolExecutor  # imported and started when first needed

    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="tinygrad_cnn")


def run(work, blocks, threads):
    """Call `work(*block)` for every block, on so many threads, and wait for the last.

    The calling thread takes its share. What a block computes must not depend on the thread or on the
    order. The first exception is raised again, once nothing runs any more.
    """
    threads = min(threads, len(blocks))
    if threads <= 1:
        for block in blocks:
            work(*block)
        return
    todo = deque(blocks)

    def drain():
        try:
            while True:
                try:
                    block = todo.popleft()
                except IndexError:
                    return
                work(*block)
        except BaseException:
            todo.clear()
            raise

    with one_blas_thread():
        helpers = [_pool().submit(drain) for _ in range(threads - 1)]
        try:
            drain()
        finally:
            # a helper that has not begun (the pool serves other callers) has nothing left to do
            begun = [helper for helper in helpers if not helper.cancel()]
            errors = [helper.exception() for helper in begun]
    for error in errors:
        if error is not None:
            raise error


_scratch = threading.local()


def scratch(name, shape, dtype):
    """Uninitialised memory of this thread, the same at every call with this name, grown as needed."""
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
    global _hold
    held, threads = _hold.holders, _hold.threads
    _hold = _Hold()
    _pool.cache_clear()
    if held:
        _openblas()[1](threads)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
