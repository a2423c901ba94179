"""What the callers of the compiled loops share: addresses, distances in elements, memory, threads."""

from math import prod

import numpy as np

from .._threads import run, scratch, workers
from ._vectors import BYTES

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
SOME = 3 * 10**6  # multiply-adds, some 50 µs, from which a second thread is worth waking
PIECES = 3  # of the work for each thread: it takes the next when done, and none waits long


def address(x):
    return x.ctypes.data  # three times as fast as from `__array_interface__`


def place(x):
    """The address and the strides, in elements."""
    return address(x), *(stride // x.itemsize for stride in x.strides)


def ready(x, dtype):
    """x in that dtype, in memory that Numba can read, in any strides."""
    return x if x.dtype == dtype and x.flags.aligned else x.astype(dtype)


def aligned(shape, dtype):
    """Fresh memory that begins with a line of the cache."""
    count = prod(shape)
    memory = np.empty(count + 64 // dtype.itemsize, dtype)
    first = -address(memory) % 64 // dtype.itemsize
    return memory[first : first + count].reshape(shape)


def work_memory(nbytes):
    """The address of so much memory of this thread, at the beginning of a line."""
    return -(-address(scratch("compiled", (nbytes + 64,), np.uint8)) // 64) * 64


def images(shape, dtype):
    """Fresh NCHW memory, channels innermost."""
    N, C, H, W = shape
    return aligned((N, H, W, C), dtype).transpose(0, 3, 1, 2)


def share(work, units, cost, pieces=PIECES):
    """Call `work(first, last)` for ranges that make up `units`, on all threads if the cost says so."""
    threads = min(workers(), units) if cost > SOME else 1
    if threads <= 1:
        work(0, units)
        return
    count = min(units, threads * pieces)
    blocks = [(units * k // count, units * (k + 1) // count) for k in range(count)]
    run(lambda block: work(*block), blocks, threads)


def add_up(work, units, shape, dtype, cost):
    """Σ over the units, where `work(sums, first, last)` adds a range of them to its sums.

    Each thread has sums of its own, and they are added in order: the same bits at every run.
    """
    threads = min(workers(), units) if cost > SOME else 1
    sums = aligned((threads, *shape), dtype)
    sums[...] = 0

    def part(k):
        work(address(sums[k]), units * k // threads, units * (k + 1) // threads)

    run(part, range(threads), threads)
    for other in sums[1:]:
        sums[0] += other
    return sums[0]


def padded(values, count, dtype):
    """A vector with zeros after it, at least so many elements in all; zeros for None."""
    result = aligned((count,), dtype)
    result[...] = 0
    if values is not None:
        result[: len(values)] = values
    return result


def whole(count, of):
    """The next multiple."""
    return -(-count // of) * of


def lanes(dtype):
    return BYTES // dtype.itemsize
