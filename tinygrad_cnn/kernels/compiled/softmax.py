"""The calls of the loops of softmax: for float32 and float64 without gaps, the axis innermost in memory.

Others go to `_softmax` in NumPy.
"""

from array import array

import numpy as np

from .. import _softmax as plain
from . import _softmax
from ._calls import FLOATS, address, share

PASS = 16  # multiply-adds in whose time a number is read from memory, or its exponential computed


def _lies(x, dim):
    """Whether x is rows along that axis, one behind the other."""
    if not (x.size and x.ndim) or x.dtype not in FLOATS or not x.flags.aligned:
        return False
    if x.flags.c_contiguous and dim in (-1, x.ndim - 1):
        return True
    order = [d for d in range(x.ndim) if d != dim % x.ndim]
    return x.transpose(*order, dim).flags.c_contiguous


def _call(kernel, a, b, dim):
    """c, in memory as b is."""
    if a.strides != b.strides or not a.flags.aligned:
        a, given = np.empty_like(b), a
        a[...] = given
    c, n = np.empty_like(b), b.shape[dim]
    common = address(a), address(b), address(c), n
    share(kernel, b.dtype, common, b.size // n, b.size * PASS)
    return c


def softmax(x, dim):
    """See `_softmax.softmax`."""
    return _call(_softmax.softmax, x, x, dim) if _lies(x, dim) else plain.softmax(x, dim)


def log_softmax(x, dim):
    """See `_softmax.log_softmax`."""
    return _call(_softmax.log_softmax, x, x, dim) if _lies(x, dim) else plain.log_softmax(x, dim)


def softmax_input(g, y, dim):
    """See `_softmax.softmax_input`."""
    if not _lies(y, dim) or g.dtype != y.dtype:
        return plain.softmax_input(g, y, dim)
    return _call(_softmax.softmax_input, g, y, dim)


def log_softmax_input(g, y, dim):
    """See `_softmax.log_softmax_input`."""
    if not _lies(y, dim) or g.dtype != y.dtype:
        return plain.log_softmax_input(g, y, dim)
    return _call(_softmax.log_softmax_input, g, y, dim)


def _labelled(kernel, given, x, target, weight, ignore_index, results):
    """Call a kernel of rows with labels; whether all labels are classes, or are ignored."""
    target = np.ascontiguousarray(target, np.int64)
    weight = None if weight is None else np.ascontiguousarray(weight, x.dtype)
    wrong, n = array("q", [0]), x.shape[1]
    common = (
        *given, address(x), address(target), 0 if weight is None else address(weight),
        ignore_index, n, *results, wrong.buffer_info()[0],
    )  # fmt: skip
    share(kernel, x.dtype, common, target.size, x.size * PASS)
    return not wrong[0]


def _labels(x, ignore_index):
    """Whether the loops can: an index beyond 64 bits is NumPy's."""
    return _lies(x, 1) and isinstance(ignore_index, int) and -(2**63) <= ignore_index < 2**63


def cross_entropy(x, target, weight, ignore_index):
    """See `_softmax.cross_entropy`."""
    if _labels(x, ignore_index):
        both = np.empty((2, *target.shape), x.dtype)
        at = address(both)
        results = at, at + both.strides[0]
        if _labelled(_softmax.cross_entropy, (), x, target, weight, ignore_index, results):
            return both
    return plain.cross_entropy(x, target, weight, ignore_index)


def cross_entropy_input(g, x, target, weight, ignore_index):
    """See `_softmax.cross_entropy_input`."""
    if _labels(x, ignore_index):
        dx, of_rows = np.empty_like(x), np.ascontiguousarray(g, x.dtype)
        given = address(of_rows), x.itemsize if np.ndim(g) else 0
        results = (address(dx),)
        if _labelled(_softmax.cross_entropy_input, given, x, target, weight, ignore_index, results):
            return dx
    return plain.cross_entropy_input(g, x, target, weight, ignore_index)
