"""Views: tensors that share the memory of another one, their base."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from .nodes import Recorded
from .writes import owner


def note_view(y: Recorded, x: Recorded, op: Any, attributes: dict[str, Any]) -> None:
    """Remember that `y` is `op` of `x`, if they share memory."""
    if owner(y._array) is not owner(x._array):
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
    """The view of `x` that `path` describes. `x` is an array or a Tensor."""
    for op, attributes in path:
        x = op.record(x, **attributes)
    return x


def family(x: Recorded) -> tuple[Recorded, list[Recorded]]:
    """The base of `x`, and the views of it that still exist and still share its memory."""
    base = getattr(x, "_base", x)
    storage = owner(base._array)
    views = [view() for view in getattr(base, "_views", ())]
    return base, [v for v in views if v is not None and owner(v._array) is storage]


def settle(x: Any) -> None:
    """Give `x` memory in row-major order, if a kernel chose another order. Its views move along.

    Users see the output of an op as contiguous: they can reshape it as a view and take its array.
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
    """Fix the memory of `x` where it is: others are about to see it, or made it."""
    settle(x)
    getattr(x, "_base", x)._shared = True
