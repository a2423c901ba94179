"""Elementwise passes over arrays, the large ones on all threads."""

import numpy as np

from ._parts import PART, alike, each_part
from ._threads import workers
from ._windows import split


def relu(x):
    """y = max(x, 0); NaN stays."""
    return spread(lambda x, y: np.maximum(x, 0, out=y), (x,), x.dtype)[0]


def keep(x, mask):
    """x where the mask, of bool, holds, else 0; they may broadcast."""
    if x.shape != np.shape(mask):
        return _masked(x, mask)
    return spread(_masked, (x, mask), x.dtype)[0]


def relu_input(g, y):
    """g where not y ≤ 0, else 0."""
    if g.size < 2 * PART:
        return _masked(g, ~(y <= 0))
    return spread(lambda g, y, x: _masked(g, ~(y <= 0), x), (g, y), g.dtype)[0]


def hardtanh(x, low, high):
    """y = x, but not under low nor over high; and where x is strictly between, or NaN."""

    def work(x, y, inside):
        np.clip(x, low, high, out=y)
        np.not_equal(y, low, out=inside)
        np.logical_and(inside, y != high, out=inside)

    return tuple(spread(work, (x,), x.dtype, np.dtype(bool)))


def sigmoid(x):
    """y = 1 / (1 + e⁻ˣ), by e^−|x|, which is at most 1 and cannot overflow."""
    with np.errstate(under="ignore"):
        z = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, z) / (1 + z)


def _masked(x, mask, y=None):
    """x where the mask holds, else 0: x's bits times 0 or 1, as integers.

    That is exact, no NaN comes of an infinity, and it is ten times as fast as np.where.
    """
    if x.dtype.kind != "f":
        return np.multiply(x, mask, out=y)
    bits = f"i{x.dtype.itemsize}"
    return np.multiply(x.view(bits), mask, out=None if y is None else y.view(bits)).view(x.dtype)


def spread(work, given, *dtypes):
    """Call `work(*given, *results)`, on parts of them where they are large; the results."""
    made = [np.empty_like(given[0], dtype) for dtype in dtypes]
    if given[0].size >= 2 * PART and alike(*given, *made) is not None:
        flat = [array.ravel(order="K") for array in (*given, *made)]
        each_part(lambda b: work(*(array[b] for array in flat)), split(flat[0].size, workers()))
    else:
        work(*given, *made)
    return made
