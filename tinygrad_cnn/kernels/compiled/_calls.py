"""What the callers of the compiled loops share: addresses, distances in elements, memory, threads."""

from math import prod

import numpy as np

from .._threads import workers
from ._jit import address as address
from ._team import call
from ._vectors import BYTES

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
SOME = 3 * 10**6  # multiply-adds, some 50 µs, from which a second thread is worth waking
PIECES = 3  # of the work for each thread: it takes the next when done, and none waits long


def place(x):
    """The address and the strides, in elements."""
    size = x.itemsize
    return address(x), *[stride // size for stride in x.strides]


def ready(x, dtype):
    """x in that dtype, in memory that Numba can read, in any strides."""
    return x if x.dtype == dtype and x.flags.aligned else x.astype(dtype)


def aligned(shape, dtype):
    """Fresh memory that begins with a line of the cache."""
    count = prod(shape)
    memory = np.empty(count + 64 // dtype.itemsize, dtype)
    first = -address(memory) % 64 // dtype.itemsize
    return memory[first : first + count].reshape(shape)


def images(shape, dtype):
    """Fresh NCHW memory, channels innermost."""
    N, C, H, W = shape
    return aligned((N, H, W, C), dtype).transpose(0, 3, 1, 2)


def share(kernel, dtype, common, units, cost, nbytes=0, pieces=PIECES, check=0, sums=()):
    """Call the kernel for ranges first to last that make up `units`, on all threads if the cost says so.

    Its arguments are the common ones, then where each call has that many zeros of its own to check
    the results by, or the address of sums, if one is given, then first and last, and at last so many
    bytes of scratch memory. Returns whether the zeros still are.
    """
    threads = min(workers(), units) if cost > SOME else 1
    count = min(units, threads * pieces) if threads > 1 else 1
    rows = [(*sums, units * k // count, units * (k + 1) // count) for k in range(count)]
    if not check:
        call(kernel, dtype, common, rows, threads, nbytes)
        return True
    zeros = np.zeros((count, check), dtype)
    at, step = address(zeros), check * dtype.itemsize
    rows = [(at + k * step, *row) for k, row in enumerate(rows)]
    call(kernel, dtype, common, rows, threads, nbytes)
    return not zeros.any()


def add_up(kernel, dtype, common, units, shape, cost, nbytes=0):
    """Σ over the units, where the kernel adds a range of them to its sums: common, sums, first, last.

    Each thread has sums of its own, and they are added in order: the same bits at every run.
    """
    count = min(workers(), units) if cost > SOME else 1
    sums = aligned((count, *shape), dtype)
    sums[...] = 0
    at, step = address(sums), sums.strides[0]
    rows = [(at + k * step, units * k // count, units * (k + 1) // count) for k in range(count)]
    call(kernel, dtype, common, rows, count, nbytes)
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
