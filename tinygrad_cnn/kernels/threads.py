"""The number of threads of a kernel, and a limit of one thread for BLAS.

Kernels have their own threads. So matrix products inside kernels must not start more threads, and a
process-wide setting of OpenBLAS prevents that.
"""

import ctypes
import functools
import os
import threading
from functools import partial
from operator import call

import numpy as np

from ..atomic import Closing, as_one


@functools.cache
def openblas():
    """(get, set) of the thread count of the OpenBLAS that NumPy uses; None for another BLAS.

    Looks the symbols up through NumPy's own extension module, whose dependencies the dynamic linker
    searches too. That finds the right library wherever it was installed. The calls keep the
    interpreter lock.
    """
    try:
        library = ctypes.PyDLL(np._core._multiarray_umath.__file__)
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
    """The callers that hold BLAS at one thread: for each, the thread count that it found.

    The first count is that of the time before; the others are 1.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = []


hold = Hold()


def get_num_threads() -> int:
    """How many threads share a kernel's work: as many as BLAS may use, 1 if BLAS cannot be held.

    OPENBLAS_NUM_THREADS and threadpoolctl therefore limit the kernels too.
    """
    blas = openblas()
    if blas is None:
        return 1
    with hold.lock:
        return hold.counts[0] if hold.counts else blas[0]()


def set_num_threads(n: int) -> None:
    """Let n threads share a kernel's work, and BLAS use as many. No effect without OpenBLAS."""
    blas = openblas()
    if blas is None:
        return
    with hold.lock:
        if hold.counts:
            hold.counts[0] = n
        else:
            blas[1](n)


class one_blas_thread(Closing):
    """Hold BLAS at one thread in the whole process. Cheap, and holds may overlap in any order.

    The last of several holders takes out the first count, which is that of the time before.
    """

    def __enter__(self):
        lock, counts = hold.lock, hold.counts
        get, set_ = openblas() or (int, int)  # of another BLAS no count is known
        save = partial(next, map(counts.append, map(call, (get,))))
        restore = partial(next, map(set_, map(call, (counts.pop,))))
        self.close = as_one(lock.acquire, restore, lock.release)
        [*_] = map(call, (lock.acquire, save, partial(set_, 1), lock.release))


def _after_fork():
    """A child has none of the threads that held BLAS, and one of them may have had the lock."""
    global hold
    counts, hold = hold.counts, Hold()
    if counts and openblas():
        openblas()[1](counts[0])


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
