"""Updates of large arrays, block by block."""

import numpy as np

from ._threads import run, workers
from ._windows import split

BLOCK = 1 << 15  # elements: all that an update touches of a block stays in the cache
LARGE = 1 << 17  # elements, from which threads pay


def blockwise(update, arrays, scratch):
    """Call `update(*arrays, *scratch)` on blocks of the arrays and that many scratch arrays.

    The arrays are contiguous and of one shape; `update` is elementwise and writes into them.
    """
    flat = [array.reshape(-1) for array in arrays]
    p = flat[0]

    def work(block):
        spare = [np.empty(block.stop - block.start, p.dtype) for _ in range(scratch)]
        with np.errstate(all="ignore"):  # a thread's own
            update(*(array[block] for array in flat), *spare)

    run(work, split(p.size, -(-p.size // BLOCK)), workers() if p.size >= LARGE else 1)
