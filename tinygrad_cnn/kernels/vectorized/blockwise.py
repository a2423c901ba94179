"""Optimizer updates: NumPy's operations, block by block for large arrays."""

import numpy as np

from . import tuning


def blockwise(jobs):
    """In blocks that stay in the cache: memory is read and written once, spare arrays are small.

    On one thread. Two would wait for the interpreter between many short operations, and large
    arrays are limited by memory anyway.
    """
    block = tuning.UPDATE_BLOCK_ELEMENTS
    with np.errstate(all="ignore"):
        for update, arrays, scratch, numbers in jobs:
            p, g, *state = arrays
            if (
                p.size <= block
                or np.may_share_memory(p, g)
                or not all([a.flags.c_contiguous and a.shape == p.shape for a in (p, *state)])
            ):
                update(arrays, [np.empty(p.shape, p.dtype) for _ in range(scratch)], numbers)
                continue
            flat = [a.reshape(-1) for a in arrays]  # copies a gradient in another layout
            spare = [np.empty(block, p.dtype) for _ in range(scratch)]
            for at in range(0, p.size, block):
                parts = [a[at : at + block] for a in flat]
                update(parts, [s[: len(parts[0])] for s in spare], numbers)
