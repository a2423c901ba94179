"""The number of threads of a kernel, and a limit of one thread for BLAS.

Kernels have their own threads. So matrix products inside kernels must not start more threads, and a
process-wide setting of OpenBLAS prevents that.
"""

import ctypes
import functools
import os
import threading
import time
from functools import partial
from operator import call

import numpy as np

from .. import forks
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
    """Who uses BLAS how: at one thread, or on all.

    `counts` has the thread count that each caller found who holds BLAS at one thread. The first is
    that of the time before; the others are 1. `busy` has the threads inside of `all_blas_threads`.
    """

    def __init__(self):
        self.lock = threading.RLock()
        self.counts = []
        self.busy = []


hold = Hold()

# The locks under which kernels are loaded and compiled, in the order in which they are taken. A fork
# waits for all: half of a module or of a library's state is of no use to the child.
building: list = [threading.RLock()]

GONE = (
    "a thread that took part in a kernel is gone: it was ended from outside, or this is a child "
    "that was forked within the kernel, as by a signal handler"
)


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


class all_blas_threads(Closing):
    """A block that may use the threads of BLAS, as linear algebra does: a fork waits for its end.

    OpenBLAS ends its threads before a fork. If they work for another thread, the process hangs.
    """

    def __enter__(self):
        lock, busy, me = hold.lock, hold.busy, threading.get_ident()
        self.close = partial(busy.remove, me)
        [*_] = map(call, (lock.acquire, partial(busy.append, me), lock.release))


# --- Forks --------------------------------------------------------------------------------------

_held: dict[int, list] = {}  # locks, by the thread that forks


def _before_fork():
    """Wait until no other thread loads or compiles kernels, nor uses the threads of BLAS."""
    me = threading.get_ident()
    if me in _held:  # this is registered twice
        return
    held = _held[me] = []
    for lock in building:  # which another thread may extend until the first is ours
        lock.__enter__()
        held.append(lock)
    hold.lock.acquire()
    held.append(hold.lock)
    while any(thread != me for thread in hold.busy):
        hold.lock.release()
        time.sleep(1e-4)
        hold.lock.acquire()


def _after_fork():
    for lock in reversed(_held.pop(threading.get_ident(), [])):
        lock.__exit__(None, None, None)


def _after_fork_in_child():
    """A child has none of the threads that held BLAS at one thread."""
    global hold
    _after_fork()
    counts, hold = hold.counts, Hold()
    if counts and openblas():
        openblas()[1](counts[0])
        counts[:] = counts[:1] * len(counts)  # a block that goes on here restores any of them


def wait_first():
    """Have forks wait here before what other modules registered until now."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child
        )


wait_first()


@functools.cache
def wait_before_logging():
    """Before kernels are compiled: a fork that has taken logging's lock must not wait for a compiler.

    The compiler logs, so each would wait for the other. Handlers run from the last registered to the first.
    """
    import logging as logging  # here, because it takes 3 ms and only compilers need it

    wait_first()
    forks.wait_first()
