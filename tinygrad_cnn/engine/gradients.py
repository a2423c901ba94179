"""Gradients of leaves: `accumulate` adds the results of a backward pass to `.grad`."""

from __future__ import annotations

import os
import sys
import threading
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from ..atomic import Change, together
from .nodes import Node, wrap
from .writes import mark_written

_commit_lock = threading.Lock()


def _after_fork() -> None:
    """The thread that held the lock may not be in the child."""
    global _commit_lock
    _commit_lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _references(kept: dict[Any, Any], key: Any) -> tuple[Any, int, int]:
    """Take a cotangent out. Returns it, and the reference counts of it and of the array it views."""
    g = kept.pop(key)
    return g, sys.getrefcount(g), sys.getrefcount(g.base)


# The counts for an array, and its base, that nothing else refers to. They depend on Python's version,
# so they are measured.
_ALONE = _references({0: np.empty(2)[::1]}, 0)[1:]


_SPARE_BYTES = 128  # a kernel may allocate so many more, to align its result with a cache line


def _own(kept: dict[Any, Any], key: Any) -> ndarray:
    """A cotangent as an array that nothing else refers to. Copied only if something does."""
    if not isinstance(kept[key], ndarray):
        return np.array(kept.pop(key))
    g, references, base_references = _references(kept, key)
    if references > _ALONE[0] or not g.flags.writeable:
        return np.array(g)
    if g.base is not None:
        whole = isinstance(g.base, ndarray) and g.base.nbytes - g.nbytes < _SPARE_BYTES
        if base_references > _ALONE[1] or not whole:
            return np.array(g)
    return g


def accumulate(kept: dict[Node, Any], create_graph: bool = False) -> None:
    """Add cotangents to the `.grad` of their tensors: of all, or of none if one fails."""
    with _commit_lock:
        changes: list[Change] = []
        for place in list(kept):
            tensor = place.variable if place.op is None else (place.extra or {})["retain"]()
            if tensor is None:
                continue
            before: Any = getattr(tensor, "_grad", None)
            if create_graph:
                after = kept[place].clone() if before is None else before + kept[place]
            elif before is None:
                after = wrap(_own(kept, place))
            elif before._node is not None or not before._array.flags.writeable:
                after = wrap(before._array + kept[place])
            else:  # in place, as in PyTorch: a reference to x.grad sees it grow
                changes.append(partial(np.add, before._array, kept[place], before._array))
                mark_written(before._array)
                continue
            changes.append(partial(setattr, tensor, "_grad", after))
        together(changes)
