"""Arrays in memory layouts that NumPy does not make by itself."""

import numpy as np


def lying(x, order, extra=0):
    """x with its axes in memory in that order, and `extra` unused elements after each row."""
    turned = np.ascontiguousarray(x.transpose(order))
    if extra:
        wide = np.full((*turned.shape[:-1], turned.shape[-1] + extra), np.nan, x.dtype)
        wide[..., : turned.shape[-1]] = turned
        turned = wide[..., : turned.shape[-1]]
    x = turned.transpose(np.argsort(order))
    x.flags.writeable = False
    return x
