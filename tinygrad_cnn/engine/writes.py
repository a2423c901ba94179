"""Writes in place: memory that views share has one clock.

A node remembers the moment of its creation, its number. What it saved is stale if the memory was
written after that moment, and the backward pass then raises an error.
"""

from __future__ import annotations

import weakref
from functools import partial
from heapq import heappushpop
from typing import Any

from numpy import ndarray

from .nodes import Node, next_number

# The latest write to any memory, on the scale of node numbers: younger nodes have nothing stale. A
# heap of one number, which one C call makes larger: no thread and no forked child finds less in it.
latest = [0]

# By the id of an array that owns memory: the moment of its last write, the number of writes, and a
# weak reference that removes the entry. Only memory that was written and still exists is here.
written: dict[int, list[Any]] = {}


def owner(array: ndarray) -> ndarray:
    """The array that owns the memory which `array` shows, through any chain of views."""
    last, base = array, array.base
    while base is not None:
        if isinstance(base, ndarray):
            last = base
        base = getattr(base, "base", None)
    return last


def note_write() -> int:
    """Advance the clock. The backward pass checks every node that is older."""
    number = next_number()
    heappushpop(latest, number)
    return number


def mark_written(array: ndarray) -> None:
    """Note that the memory of `array` has just been changed in place."""
    storage = owner(array)
    key = id(storage)
    entry = written.get(key)
    if entry is None:
        dies = weakref.ref(storage, partial(written.pop, key))  # its default is the reference
        written[key] = [note_write(), 1, dies]
    else:
        entry[0] = note_write()
        entry[1] += 1


def version(array: ndarray) -> int:
    """How often the memory of `array` was written in place."""
    entry = written.get(id(owner(array)))
    return entry[1] if entry else 0


class _Overwritten:
    """Stands for a saved input that the op itself wrote over, in place."""


OVERWRITTEN = _Overwritten()


def check_unchanged(node: Node) -> None:
    """RuntimeError if anything that `node` saved was written after it."""
    made = (node.extra or {}).get("made", node.number)
    for name, value in zip(node.op.saved, node.saved or (), strict=False):
        for array in value if isinstance(value, tuple) else (value,):
            if isinstance(array, ndarray):
                entry = written.get(id(owner(array)))
                if entry is None or entry[0] < made:
                    continue
            elif array is not OVERWRITTEN:
                continue
            shape = getattr(array, "shape", node.shape)
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an "
                f"inplace operation: `{name}` of {node.op.name}, of shape {shape}, was changed "
                f"after {node.op.name} saved it. Use the out-of-place form of that operation, or "
                "clone() what it changes"
            )
