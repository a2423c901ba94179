"""Calls of compiled loops: addresses, strides in elements, memory, work shared by threads."""

from math import prod

import numpy as np

from .. import threads
from ..contract import load
from . import tuning
from .jit import address as address
from .machine import CACHE_LINE_BYTES, VECTOR_BYTES
from .team import call

FALLBACK = load("vectorized")  # the kernels for what the loops do not cover
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))  # the dtypes that kernels are compiled for


def lanes(dtype):
    """Elements of a vector."""
    return VECTOR_BYTES // dtype.itemsize


def round_up(count, multiple):
    return -(-count // multiple) * multiple


def pointer(x):
    """The address and the strides, in elements."""
    size = x.itemsize
    return address(x), *[stride // size for stride in x.strides]


def readable(x, dtype):
    """x in that dtype, aligned, so that compiled code can read it; any strides."""
    return x if x.dtype == dtype and x.flags.aligned else x.astype(dtype)


def aligned(shape, dtype):
    """Uninitialized memory that begins with a cache line."""
    count = prod(shape)
    memory = np.empty(count + CACHE_LINE_BYTES // dtype.itemsize, dtype)
    first = -address(memory) % CACHE_LINE_BYTES // dtype.itemsize
    return memory[first : first + count].reshape(shape)


def channels_last(shape, dtype):
    """Uninitialized (N, C, H, W), channels innermost."""
    N, C, H, W = shape
    return aligned((N, H, W, C), dtype).transpose(0, 3, 1, 2)


def padded(values, count, dtype):
    """A vector of `count` elements: the values, then zeros. None stands for no values."""
    result = aligned((count,), dtype)
    result[...] = 0
    if values is not None:
        result[: len(values)] = values
    return result


def share(kernel, dtype, common, units, cost, nbytes=0, pieces=None, check=0, sums=(), changes=()):
    """Call a kernel for ranges of `units`, on all threads if the cost (in multiply-adds) is large.

    Each thread gets about `pieces` ranges. The kernel's arguments are the common ones; then an
    address, either of `check` zeros for each call or the one in `sums`; then first and last; and
    at last the address of `nbytes` of scratch memory. Returns whether the zeros are still zero: a
    kernel writes to them where a result is not finite.
    """
    count = min(threads.get_num_threads(), units) if cost > tuning.SHARED_MULTIPLY_ADDS else 1
    pieces = pieces or tuning.PIECES_PER_THREAD
    ranges = min(units, count * pieces) if count > 1 else 1
    rows = [(*sums, units * k // ranges, units * (k + 1) // ranges) for k in range(ranges)]
    if not check:
        call(kernel, dtype, common, rows, count, nbytes, changes)
        return True
    zeros = np.zeros((ranges, check), dtype)
    at, step = address(zeros), check * dtype.itemsize
    rows = [(at + k * step, *row) for k, row in enumerate(rows)]
    call(kernel, dtype, common, rows, count, nbytes)
    return not zeros.any()


def sum_over_threads(kernel, dtype, common, units, shape, cost, nbytes=0):
    """Σ over the units, of a kernel that adds a range of them to its sums of that shape.

    The kernel's arguments are those of `share`, with `sums`. Each thread has separate sums,
    which are added in order: every run gives the same bits.
    """
    count = min(threads.get_num_threads(), units) if cost > tuning.SHARED_MULTIPLY_ADDS else 1
    sums = aligned((count, *shape), dtype)
    sums[...] = 0
    at, step = address(sums), sums.strides[0]
    rows = [(at + k * step, units * k // count, units * (k + 1) // count) for k in range(count)]
    call(kernel, dtype, common, rows, count, nbytes)
    for other in sums[1:]:
        sums[0] += other
    return sums[0]
