"""Elementwise passes over arrays, the large ones on all threads."""

import numpy as np

from ._parts import LARGE, alike, each_part
from ._threads import workers
from ._windows import split


def relu(x):
    """y = max(x, 0); NaN stays."""
    return spread(lambda x, y: np.maximum(x, 0, out=y), (x,), x.dtype)[0]


def keep(x, mask):
    """x where the mask, of bool, holds, else 0; they may broadcast."""
    if x.shape != np.shape(mask):
        return _keep(x, mask)
    return spread(_keep, (x, mask), x.dtype)[0]


def relu_input(g, y):
    """g where not y ≤ 0, else 0."""
    if g.size < LARGE:
        return _keep(g, ~(y <= 0))
    return spread(lambda g, y, x: _keep(g, ~(y <= 0), x), (g, y), g.dtype)[0]


def hardtanh(x, low, high):
    """y = x, but not under low nor over high; and where x is strictly between, or NaN."""

    def work(x, y, inside):
        np.clip(x, low, high, out=y)
        np.less_equal(x, low, out=inside)
        np.logical_or(inside, x >= high, out=inside)
        np.logical_not(inside, out=inside)

    return tuple(spread(work, (x,), x.dtype, np.dtype(bool)))


def _keep(x, mask, y=None):
    """Times 0 or 1 as integers: exact, no NaN comes of an infinity, and ten times as fast as np.where."""
    if x.dtype.kind != "f":
        return np.multiply(x, mask, out=y)
    bits = f"i{x.dtype.itemsize}"
    return np.multiply(x.view(bits), mask, out=None if y is None else y.view(bits)).view(x.dtype)


def spread(work, given, *dtypes):
    """Call `work(*given, *results)`, on parts of them where they are large; the results."""
    made = [np.empty_like(given[0], dtype) for dtype in dtypes]
    if given[0].size >= LARGE and alike(*given, *made):
        flat = [array.ravel(order="K") for array in (*given, *made)]
        blocks = split(flat[0].size, 2 * workers())
        each_part(lambda block: work(*(array[block] for array in flat)), blocks)
    else:
        work(*given, *made)
    return made
