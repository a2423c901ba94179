"""Keep freed memory in the process, so that the next training step finds it warm.

By default glibc hands every large array's pages back to the system when it is freed, and the next
array of that size pays for each page anew: up to half the time of a step. Raising two thresholds of
its malloc, once for the process, ends that; the memory stays with the process until it exits, and
never exceeds what was needed at the peak. `TINYGRAD_CNN_KEEP_MEMORY=0` leaves malloc as it is, and
other C libraries are left alone.
"""

import ctypes
import os
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_MOST = 1 << 30  # bytes: arrays up to this size come from memory that stays


def keep_freed_memory():
    """Raise the thresholds; whether that was done."""
    if not sys.platform.startswith("linux") or os.environ.get("TINYGRAD_CNN_KEEP_MEMORY") == "0":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # not glibc
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _MOST) and mallopt(_M_TRIM_THRESHOLD, _MOST))
