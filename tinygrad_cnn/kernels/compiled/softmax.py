"""The calls of the softmax loops, for dense float32 and float64 arrays with the axis innermost.

Other arrays go to the fallback.
"""

from array import array

import numpy as np

from . import tuning
from .calls import FALLBACK, FLOATS, address, share
from .loops import softmax as loops


def _has_rows(x, dim):
    """Whether x is contiguous rows along that axis, one after the other."""
    if not (x.size and x.ndim) or x.dtype not in FLOATS or not x.flags.aligned:
        return False
    if x.flags.c_contiguous and dim in (-1, x.ndim - 1):
        return True
    order = [d for d in range(x.ndim) if d != dim % x.ndim]
    return x.transpose(*order, dim).flags.c_contiguous


def _call(kernel, a, b, dim):
    """c of the kernel, in the layout of b."""
    if a.strides != b.strides or not a.flags.aligned:
        a, given = np.empty_like(b), a
        a[...] = given
    c, n = np.empty_like(b), b.shape[dim]
    common = address(a), address(b), address(c), n
    share(kernel, b.dtype, common, b.size // n, b.size * tuning.PASS_MULTIPLY_ADDS)
    return c


def softmax(x, dim):
    """One pass."""
    return _call(loops.softmax, x, x, dim) if _has_rows(x, dim) else FALLBACK.softmax(x, dim)


def log_softmax(x, dim):
    """One pass."""
    if not _has_rows(x, dim):
        return FALLBACK.log_softmax(x, dim)
    return _call(loops.log_softmax, x, x, dim)


def softmax_input(g, y, dim):
    """One pass."""
    if not _has_rows(y, dim) or g.dtype != y.dtype:
        return FALLBACK.softmax_input(g, y, dim)
    return _call(loops.softmax_input, g, y, dim)


def log_softmax_input(g, y, dim):
    """One pass."""
    if not _has_rows(y, dim) or g.dtype != y.dtype:
        return FALLBACK.log_softmax_input(g, y, dim)
    return _call(loops.log_softmax_input, g, y, dim)


def _labelled(kernel, given, x, target, weight, ignore_index, results):
    """Call a kernel of rows with labels; whether all labels are classes or ignored."""
    target = np.ascontiguousarray(target, np.int64)
    weight = None if weight is None else np.ascontiguousarray(weight, x.dtype)
    wrong, n = array("q", [0]), x.shape[1]
    common = (
        *given, address(x), address(target), 0 if weight is None else address(weight),
        ignore_index, n, *results, wrong.buffer_info()[0],
    )  # fmt: skip
    share(kernel, x.dtype, common, target.size, x.size * tuning.PASS_MULTIPLY_ADDS)
    return not wrong[0]


def _covers(x, ignore_index):
    """Whether the loops can: a larger index than 64 bits goes to NumPy."""
    return _has_rows(x, 1) and isinstance(ignore_index, int) and -(2**63) <= ignore_index < 2**63


def cross_entropy(x, target, weight, ignore_index):
    """One pass. A label that is no class is the fallback's to refuse."""
    if _covers(x, ignore_index):
        both = np.empty((2, *target.shape), x.dtype)
        at = address(both)
        results = at, at + both.strides[0]
        if _labelled(loops.cross_entropy, (), x, target, weight, ignore_index, results):
            return both
    return FALLBACK.cross_entropy(x, target, weight, ignore_index)


def cross_entropy_input(g, x, target, weight, ignore_index):
    """One pass. A label that is no class is the fallback's to refuse."""
    if _covers(x, ignore_index):
        dx, of_rows = np.empty_like(x), np.ascontiguousarray(g, x.dtype)
        given = address(of_rows), x.itemsize if np.ndim(g) else 0
        results = (address(dx),)
        if _labelled(loops.cross_entropy_input, given, x, target, weight, ignore_index, results):
            return dx
    return FALLBACK.cross_entropy_input(g, x, target, weight, ignore_index)
