"""Arrays that lie in memory in other ways than NumPy makes them."""

import numpy as np


def lying(x, order, extra=0):
    """x with its axes in memory in that order, and a gap of so many numbers after each innermost run."""
    turned = np.ascontiguousarray(x.transpose(order))
    if extra:
        wide = np.full((*turned.shape[:-1], turned.shape[-1] + extra), np.nan, x.dtype)
        wide[..., : turned.shape[-1]] = turned
        turned = wide[..., : turned.shape[-1]]
    x = turned.transpose(np.argsort(order))
    x.flags.writeable = False
    return x
