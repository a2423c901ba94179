"""Large arrays in parts that stay in the cache, with what broadcasts with them."""

from functools import lru_cache
from math import prod

import numpy as np

from ._threads import one_blas_thread, run, workers
from ._windows import split

PART = 1 << 19  # elements, at most; more calls, and threads at each, cost more than the cache gains
LARGE = 1 << 16  # elements, from which a `Table` pays
RUN = 1024  # elements; NumPy takes longer for each where rows are shorter


@lru_cache(maxsize=1024)
def _order(shape, strides, itemsize):
    """The axes as they lie in memory that has no gaps; None where it has some."""
    axes = sorted((d for d, n in enumerate(shape) if n > 1), key=lambda d: -strides[d])
    expected = itemsize
    for d in reversed(axes):
        if strides[d] != expected:
            return None
        expected *= shape[d]
    return axes


def alike(x, *others):
    """The axes as they lie in memory, if it has no gaps and is alike for all of the arrays, or None."""
    order = _order(x.shape, x.strides, x.itemsize)
    same = (a.shape == x.shape and _order(a.shape, a.strides, a.itemsize) == order for a in others)
    return order if order is not None and all(same) else None


def each_part(work, parts):
    """[work(part) for each of the parts], on all threads, in the caller's error state."""
    if len(parts) == 1:
        return [work(parts[0])]
    state, results = np.geterr(), [None] * len(parts)

    def one(k):
        with np.errstate(**state):
            results[k] = work(parts[k])

    run(one, range(len(parts)), workers())
    return results


def apart(work, given, vectors):
    """work(*given, *vectors, y) makes and returns y, of their shape; from a `Table` by parts."""
    table = given[0].size >= LARGE and _lying(given, vectors)
    if not table:
        return work(*given, *vectors)
    y = np.empty_like(given[-1])
    *fulls, made = map(table.full, (*given, y))
    vectors = [table.vector(v) for v in vectors]
    each_part(lambda p: work(*(a[p] for a in fulls), *vectors, made[p]), table.parts)
    return y


def sums(work, given, vectors, dims):
    """Σ along `dims`, which it keeps, of each array of work(*given, *vectors); from a `Table` by parts."""
    table = given[0].size >= LARGE and _lying(given, vectors)
    if not table or table.summed != set(dims):
        return [a.sum(axis=dims, keepdims=True) for a in work(*given, *vectors)]
    fulls, vectors = [table.full(a) for a in given], [table.vector(v) for v in vectors]
    found = each_part(
        lambda p: [table.sum(a) for a in work(*(a[p] for a in fulls), *vectors)], table.parts
    )
    totals = (sum(of_parts)[0, : table.n] for of_parts in zip(*found, strict=True))
    return [total.reshape(table.kept) for total in totals]


def _lying(given, vectors):
    """The `Table` that all of them are, or None: `vectors` vary along the innermost axis alone."""
    x, order = given[-1], alike(*given)
    if order and x.dtype.kind == "f" and all(a.dtype == x.dtype for a in given):
        table = _table(x.shape, order[-1])
        if all(v is None or v.size == 1 or list(v.shape) == table.kept for v in vectors):
            return table
    return None


class Table:
    """Rows of k times the innermost axis, of n elements: x as its memory is, vectors k times over."""

    def __init__(self, shape, axis):
        self.n, self.kept = shape[axis], [n if d == axis else 1 for d, n in enumerate(shape)]
        rows = prod(shape) // self.n
        self.k = next((k for k in range(RUN // self.n, 1, -1) if rows % k == 0), 1)
        self.summed = {d for d in range(len(shape)) if d != axis}
        pieces = -(-rows * self.n // (2 * PART))  # an even number, as threads mostly are, or one
        self.parts = split(rows // self.k, 2 * pieces if rows * self.n >= 2 * PART else 1)

    def full(self, a):
        return a.ravel(order="K").reshape(-1, self.k * self.n)

    def vector(self, v):
        return v if v is None else np.tile(np.broadcast_to(v.ravel(), (1, self.n)), self.k)

    def sum(self, a):
        """By BLAS: NumPy adds short rows slowly, and rounds at each."""
        with one_blas_thread():
            total = np.ones(len(a), a.dtype) @ a
        return self.vector(total.reshape(self.k, self.n).sum(axis=0))


_table = lru_cache(maxsize=1024)(Table)
