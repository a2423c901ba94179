"""Elementwise updates of many arrays in place, the large ones block by block."""

import numpy as np

BLOCK = 1 << 15  # elements: all that an update touches of a block stays in the cache


def blockwise(jobs):
    """For each (update, arrays, scratch, numbers): `update(arrays, spare, numbers)`, in that order.

    The arrays are of one shape, and so are the `scratch` many spare ones; `update` is elementwise,
    writes into them but for the second, and does the same whatever the numbers are. Large arrays are
    gone through in blocks, so that memory is read and written once, and the spare ones are small.

    On one thread: two would wait for the interpreter between the many short operations, and the
    large arrays take what the memory gives.
    """
    with np.errstate(all="ignore"):
        for update, arrays, scratch, numbers in jobs:
            p, g, *state = arrays
            if (
                p.size <= BLOCK
                or np.may_share_memory(p, g)
                or not all([a.flags.c_contiguous and a.shape == p.shape for a in (p, *state)])
            ):
                update(arrays, [np.empty(p.shape, p.dtype) for _ in range(scratch)], numbers)
                continue
            flat = [a.reshape(-1) for a in arrays]  # the second anew, if it lies otherwise
            spare = [np.empty(BLOCK, p.dtype) for _ in range(scratch)]
            for at in range(0, p.size, BLOCK):
                parts = [a[at : at + BLOCK] for a in flat]
                update(parts, [s[: len(parts[0])] for s in spare], numbers)
