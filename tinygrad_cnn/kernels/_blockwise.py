"""Updates of large arrays, block by block."""

import numpy as np

from ._windows import split

BLOCK = 1 << 15  # elements: all that an update touches of a block stays in the cache


def blockwise(update, arrays, scratch):
    """Call `update(*arrays, *scratch)` on blocks of the arrays and that many scratch arrays.

    The arrays are contiguous and of one shape; `update` is elementwise and writes into them.

    On one thread: two would wait for the interpreter between the many short operations, and the
    large arrays take what the memory gives.
    """
    flat = [array.reshape(-1) for array in arrays]
    size = flat[0].size
    spare = [np.empty(min(size, BLOCK), flat[0].dtype) for _ in range(scratch)]
    with np.errstate(all="ignore"):
        for block in split(size, -(-size // BLOCK)):
            length = block.stop - block.start
            update(*(array[block] for array in flat), *(array[:length] for array in spare))
