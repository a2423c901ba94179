"""The number of threads of a kernel, and a limit of one thread for BLAS.

Kernels have their own threads. So matrix products inside kernels must not start more threads, and a
process-wide setting of OpenBLAS prevents that.
"""

import ctypes
import functools
import os
import threading
from contextlib import contextmanager

import numpy as np


@functools.cache
def openblas():
    """(get, set) of the thread count of the OpenBLAS that NumPy uses; None for another BLAS.

    Looks the symbols up through NumPy's own extension module, whose dependencies the dynamic linker
    searches too. That finds the right library wherever it was installed.
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


class Hold:
    """The callers that hold BLAS at one thread: the first saves the count, the last restores it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.holders = 0
        self.threads = 1


hold = Hold()


def get_num_threads() -> int:
    """How many threads share a kernel's work: as many as BLAS may use, 1 if BLAS cannot be held.

    OPENBLAS_NUM_THREADS and threadpoolctl therefore limit the kernels too.
    """
    blas = openblas()
    if blas is None:
        return 1
    with hold.lock:
        return hold.threads if hold.holders else blas[0]()


def set_num_threads(n: int) -> None:
    """Let n threads share a kernel's work, and BLAS use as many. No effect without OpenBLAS."""
    blas = openblas()
    if blas is None:
        return
    with hold.lock:
        if hold.holders:
            hold.threads = n
        else:
            blas[1](n)


@contextmanager
def one_blas_thread():
    """Hold BLAS at one thread in the whole process. Cheap, and holds may overlap in any order."""
    blas = openblas()
    if blas is None:
        yield
        return
    get, set_ = blas
    with hold.lock:
        if not hold.holders:
            hold.threads = get()
            set_(1)
        hold.holders += 1
    try:
        yield
    finally:
        with hold.lock:
            hold.holders -= 1
            if not hold.holders:
                set_(hold.threads)


def _after_fork():
    """A child has none of the threads that held BLAS, and one of them may have had the lock."""
    global hold
    held, threads = hold.holders, hold.threads
    hold = Hold()
    if held:
        openblas()[1](threads)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
