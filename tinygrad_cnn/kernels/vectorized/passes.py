"""Passes of several NumPy operations over large arrays, in parts that stay in the cache.

An array that varies along one axis only (a scale or bias of each channel) broadcasts. If its axis
is innermost, the array is a `Table`: rows of channels, taken many at a time.
"""

from functools import lru_cache
from math import prod

import numpy as np

from .. import threads, tuning as shared
from ..layout import common_axes
from . import tuning
from .blocks import split
from .thread_pool import run


def each_part(work, parts):
    """[work(part) for each part], on all threads, in the caller's floating-point error state."""
    if len(parts) == 1:
        return [work(parts[0])]
    state, results = np.geterr(), [None] * len(parts)

    def one(k):
        with np.errstate(**state):
            results[k] = work(parts[k])

    run(one, range(len(parts)), threads.get_num_threads())
    return results


def write(work, given, vectors):
    """work(*given, *vectors, y) makes and returns y; of a `Table` part by part.

    `given` and y have one shape, and `vectors`, which may be None, broadcast with it.
    """
    table = given[0].size >= shared.LARGE_ELEMENTS and _table_of(given, vectors)
    if not table:
        return work(*given, *vectors)
    y = np.empty_like(given[-1])
    *fulls, made = map(table.rows, (*given, y))
    vectors = [table.row(v) for v in vectors]
    each_part(lambda p: work(*(a[p] for a in fulls), *vectors, made[p]), table.parts)
    return y


def sums(work, given, vectors, dims):
    """Σ along `dims`, kept at length 1, of each array of work(*given, *vectors)."""
    table = given[0].size >= shared.LARGE_ELEMENTS and _table_of(given, vectors)
    if not table or table.outer != set(dims):
        return [a.sum(axis=dims, keepdims=True) for a in work(*given, *vectors)]
    fulls, vectors = [table.rows(a) for a in given], [table.row(v) for v in vectors]
    found = each_part(
        lambda p: [table.sum(a) for a in work(*(a[p] for a in fulls), *vectors)], table.parts
    )
    totals = (sum(of_parts)[0, : table.n] for of_parts in zip(*found, strict=True))
    return [total.reshape(table.kept) for total in totals]


def sum_over(x, dims):
    """Large arrays by BLAS: of all their elements, or of all along a short innermost axis.

    BLAS is faster, and before version 2.3 NumPy rounds long sums more.
    """
    added = prod(x.shape[d] for d in dims) == x.size
    if added and x.size >= shared.LARGE_ELEMENTS and x.dtype.char in "fd" and x.flags.forc:
        kept = [1 if d in dims else n for d, n in enumerate(x.shape)]
        return _sum_of_all(x.ravel(order="K")).reshape(kept)
    return sums(lambda x: [x], [x], [], dims)[0]


def _sum_of_all(x):
    """Σ x of one axis, which is long: BLAS adds its rows, NumPy their sums."""
    n = tuning.ROW_ELEMENTS
    rows = x[: len(x) // n * n].reshape(-1, n)
    with threads.one_blas_thread():
        return (rows @ np.ones(n, x.dtype)).sum() + x[rows.size :].sum()


def _table_of(given, vectors):
    """The `Table` that describes all the arrays; None if there is none."""
    x, axes = given[-1], common_axes(*given)
    if axes and x.dtype.kind == "f" and all(a.dtype == x.dtype for a in given):
        table = _table(x.shape, axes[-1])
        if all(v is None or v.size == 1 or list(v.shape) == table.kept for v in vectors):
            return table
    return None


class Table:
    """A dense array as rows of k times its innermost axis, which has n elements.

    A vector along that axis is repeated k times to match.
    """

    def __init__(self, shape, axis):
        self.n, self.kept = shape[axis], [n if d == axis else 1 for d, n in enumerate(shape)]
        rows, most = prod(shape) // self.n, tuning.ROW_ELEMENTS // self.n
        self.k = next((k for k in range(most, 1, -1) if rows % k == 0), 1)
        self.outer = {d for d in range(len(shape)) if d != axis}
        # one part or an even number, because threads mostly are
        pieces = -(-rows * self.n // (2 * tuning.PART_ELEMENTS))
        large = rows * self.n >= 2 * tuning.PART_ELEMENTS
        self.parts = split(rows // self.k, 2 * pieces if large else 1)

    def rows(self, a):
        return a.ravel(order="K").reshape(-1, self.k * self.n)

    def row(self, v):
        return v if v is None else np.tile(np.broadcast_to(v.ravel(), (1, self.n)), self.k)

    def sum(self, a):
        """The sum of the rows, as a row, by BLAS: NumPy adds short rows slowly, and rounds more."""
        with threads.one_blas_thread():
            total = np.ones(len(a), a.dtype) @ a
        return self.row(total.reshape(self.k, self.n).sum(axis=0))


_table = lru_cache(maxsize=1024)(Table)
