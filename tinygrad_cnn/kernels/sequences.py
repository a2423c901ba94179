"""Packed sequences: where the rows of each step are, and the state before each row.

Sequences of different lengths are sorted by length, the longest first. The rows of all of them that
belong to one step are next to each other, and the steps follow one another. `sizes` is the number
of sequences that reach each step, so it never increases.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy import ndarray

Sizes = tuple[int, ...]


@lru_cache(maxsize=256)
def step_rows(sizes: Sizes, reverse: bool) -> tuple[tuple[int, int], ...]:
    """(first row, row behind the last) of each step, in the order of processing.

    >>> step_rows((3, 2, 2), False), step_rows((3, 2, 2), True)
    (((0, 3), (3, 5), (5, 7)), ((5, 7), (3, 5), (0, 3)))
    """
    ends = tuple(accumulate(sizes))
    steps = tuple(zip((0, *ends[:-1]), ends, strict=True))
    return steps[::-1] if reverse else steps


@lru_cache(maxsize=64)
def last_rows(sizes: Sizes, reverse: bool) -> ndarray | slice:
    """The row of the state that each sequence ends with, as an index.

    >>> last_rows((3, 2, 2), False).tolist(), last_rows((2, 2), False), last_rows((3, 2), True)
    ([5, 6, 2], slice(2, 4, None), slice(0, 3, None))
    """
    if reverse:
        return slice(0, sizes[0])
    if sizes[0] == sizes[-1]:
        return slice(sum(sizes) - sizes[0], sum(sizes))
    rows = np.zeros(sizes[0], np.int64)
    for first, end in step_rows(sizes, False):
        rows[: end - first] = range(first, end)
    rows.flags.writeable = False
    return rows


@lru_cache(maxsize=64)
def _rows_before(sizes: Sizes, reverse: bool) -> ndarray:
    """The row of the state before each row, in the states followed by the initial ones."""
    total = sum(sizes)
    now, rows = np.arange(total, total + sizes[0]), np.zeros(total, np.int64)
    for first, end in step_rows(sizes, reverse):
        rows[first:end] = now[: end - first]
        now[: end - first] = range(first, end)
    return rows


def states_before(states: ndarray, initial: ndarray, sizes: Sizes, reverse: bool) -> ndarray:
    """The state before each row: that of the same sequence one step earlier, or the initial one.

    states (rows, H), initial (N, H) → (rows, H), in fresh memory.
    """
    n = sizes[0]
    if n == sizes[-1]:
        parts = (states[n:], initial) if reverse else (initial, states[: len(states) - n])
        return np.concatenate(parts)
    return np.concatenate([states, initial])[_rows_before(sizes, reverse)]
