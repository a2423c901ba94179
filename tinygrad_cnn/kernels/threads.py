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
    """Who uses BLAS how: at one thread, which the first saves and the last restores, or on all."""

    def __init__(self):
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.holders = 0  # callers that hold BLAS at one thread
        self.threads = None  # the number to restore; None if nothing is held
        self.busy = []  # the threads inside of `all_blas_threads`


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
    blas, own = openblas(), hold  # in a child that is forked meanwhile, `hold` is another
    if blas is None:
        yield
        return
    get, set_ = blas
    with own.lock:
        if not own.holders:
            own.threads = get()
            set_(1)
        own.holders += 1
    try:
        yield
    finally:
        with own.lock:
            own.holders -= 1
            if not own.holders:
                set_(own.threads)
                own.threads = None


class all_blas_threads:
    """A block that may use the threads of BLAS, as linear algebra does: a fork waits for its end.

    OpenBLAS ends its threads before a fork. If they work for another thread, the process hangs.
    """

    def __enter__(self):
        with hold.lock:
            hold.busy.append(threading.get_ident())

    def __exit__(self, *exc):
        with hold.lock:
            if hold.busy:  # not in a child that was forked in the block
                hold.busy.remove(threading.get_ident())
                hold.changed.notify_all()


# --- Forks --------------------------------------------------------------------------------------

_held: dict[int, list] = {}  # locks, by the thread that forks


def _before_fork():
    """Wait until no other thread loads or compiles kernels, nor uses the threads of BLAS."""
    me = threading.get_ident()
    held = _held.setdefault(me, [])
    for lock in building:  # which another thread may extend until the first is ours
        lock.__enter__()
        held.append(lock)
    hold.lock.acquire()
    held.append(hold.lock)
    while any(thread != me for thread in hold.busy):
        hold.changed.wait()


def _after_fork():
    for lock in reversed(_held.pop(threading.get_ident(), [])):
        lock.__exit__(None, None, None)


def _after_fork_in_child():
    """A child has none of the threads that held BLAS at one thread."""
    global hold
    _after_fork()
    threads, hold = hold.threads, Hold()
    if threads is not None:
        openblas()[1](threads)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child
    )
