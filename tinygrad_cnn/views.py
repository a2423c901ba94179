"""Views: tensors that show the memory of another, their base, and how they are made from it."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from . import graph
from .graph import Recorded


def note_view(y: Recorded, x: Recorded, op: Any, attributes: dict[str, Any]) -> None:
    """Remember that `y`, if it shows the memory of `x`, is `op` of it."""
    if graph.owner(y._array) is not graph.owner(x._array):
        return
    base = getattr(x, "_base", x)
    y._base = base
    y._replay = (*getattr(x, "_replay", ()), (op, attributes))
    views = getattr(base, "_views", None)
    if views is None:
        base._views = views = []
    elif len(views) > 64 and len(views) & (len(views) - 1) == 0:  # at powers of two: O(1) a view
        views[:] = [view for view in views if view() is not None]
    views.append(weakref.ref(y))


def replay(x: Any, path: tuple[tuple[Any, dict[str, Any]], ...]) -> Any:
    """The view of `x`, an array or a Tensor, that `path` describes."""
    for op, attributes in path:
        x = op.record(x, **attributes)
    return x


def family(x: Recorded) -> tuple[Recorded, list[Recorded]]:
    """The base of `x`, and the living views of it which really show its memory."""
    base = getattr(x, "_base", x)
    storage = graph.owner(base._array)
    views = [view() for view in getattr(base, "_views", ())]
    return base, [v for v in views if v is not None and graph.owner(v._array) is storage]


def settle(x: Any) -> None:
    """Give `x` memory in row-major order, if a kernel chose another for it; its views move along.

    To users what an op returns is contiguous: its reshapes are views, and so is what they take out.
    Nodes that saved the old array keep that, unchanged.
    """
    base = getattr(x, "_base", x)
    if x._array.flags.c_contiguous or base._array.flags.c_contiguous or hasattr(base, "_shared"):
        return
    _, views = family(base)
    base._array = np.ascontiguousarray(base._array)
    for view in views:
        view._array = replay(base._array, view._replay)


def share(x: Any) -> None:
    """The memory of `x` is about to be seen by others, or was made by them: it stays where it is."""
    settle(x)
    getattr(x, "_base", x)._shared = True
