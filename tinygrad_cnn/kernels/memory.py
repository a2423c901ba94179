"""Memory that is reused: scratch memory of each thread, and freed memory kept by malloc."""

import ctypes
import os
import sys
import threading

import numpy as np

from . import tuning

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h

_scratch = threading.local()


def scratch(name, shape, dtype):
    """Uninitialized memory of this thread: the same for each call with this name, grown as needed.

    It is valid until the next call with the name. A kernel calls no other while it uses scratch
    memory.
    """
    dtype = np.dtype(dtype)
    size = dtype.itemsize
    for length in shape:
        size *= length
    memory = _scratch.__dict__.get(name)
    if memory is None or memory.size < size:
        memory = _scratch.__dict__[name] = np.empty(size, np.uint8)
    return np.ndarray(shape, dtype, memory)


def keep_freed_memory():
    """Have malloc keep freed memory in the process; returns whether that was possible.

    By default glibc returns the pages of every large array to the system when the array is freed,
    and the next array of that size pays for each page again: up to half the time of a training
    step. Raising two thresholds of its malloc, once for the process, ends that. The memory stays
    with the process until it exits, and never exceeds the peak of what was needed.

    `TINYGRAD_CNN_KEEP_MEMORY=0` leaves malloc unchanged, and so do C libraries other than glibc.
    """
    if not sys.platform.startswith("linux") or os.environ.get("TINYGRAD_CNN_KEEP_MEMORY") == "0":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # not glibc
        return False
    thresholds = _M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD
    return all([mallopt(threshold, tuning.KEPT_BYTES) for threshold in thresholds])
