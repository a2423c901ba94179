"""Views: tensors that share the memory of another one, their base."""

from __future__ import annotations

import functools
import weakref
from typing import Any

import numpy as np

from .modes import recording
from .nodes import Recorded, wrap
from .writes import owner

LONG = 16  # steps of a path; longer ones are searched for steps that cancel out


def note_view(y: Recorded, x: Recorded, op: Any, attributes: dict[str, Any]) -> None:
    """Remember that `y` is `op` of `x`, if they share memory."""
    if owner(y._array) is not owner(x._array):
        return
    base = getattr(x, "_base", x)
    before = getattr(x, "_replay", None)
    length = 1 if before is None else before[3] + 1
    y._base = base
    y._replay = before, op, attributes, length, None
    if length > LONG:
        y._replay = _shortened(y)
    views = getattr(base, "_views", None)
    if views is None:
        base._views = views = []
    elif len(views) > 64 and len(views) & (len(views) - 1) == 0:  # at powers of two: O(1) a view
        views[:] = [view for view in views if view() is not None]
    views.append(weakref.ref(y))


def _shortened(y: Recorded) -> Any:
    """The path of `y`, or an earlier one that leads to the same view: y.t().t() is y.

    So a loop of views of views keeps paths short, and each write through one is cheap.
    """
    earlier = path = y._replay
    array = y._array
    layout = array.__array_interface__["data"][0], array.shape, array.strides
    for _ in range(LONG // 2):
        earlier = earlier[0]
        if earlier[4] == layout:
            return earlier
    return (*path[:4], layout)


def steps(view: Recorded) -> tuple[tuple[Any, dict[str, Any]], ...]:
    """The path from the base to `view`: pairs of a view op and its attributes."""
    path, found = view._replay, []
    while path is not None:
        found.append((path[1], path[2]))
        path = path[0]
    return tuple(reversed(found))


def replay(x: Any, path: tuple[tuple[Any, dict[str, Any]], ...]) -> Any:
    """The view of `x` that `path` describes. `x` is an array or a Tensor."""
    for op, attributes in path:
        x = op.record(x, **attributes)
    return x


def settle(x: Any) -> None:
    """Give `x` memory in row-major order, if a kernel chose another order. Its views move along.

    Users see the output of an op as contiguous: they can reshape it as a view and take its array.
    Nodes that saved the old array keep that, unchanged.
    """
    base = getattr(x, "_base", x)
    if x._array.flags.c_contiguous or base._array.flags.c_contiguous or hasattr(base, "_shared"):
        return
    storage = owner(base._array)
    base._array = np.ascontiguousarray(base._array)
    known = [*getattr(base, "_views", ()), *getattr(base, "_outdated", {}).values()]
    for view in [reference() for reference in known]:
        if view is not None and owner(view._array) is storage:
            view._array = replay(base._array, steps(view))


def share(x: Any) -> None:
    """Fix the memory of `x` where it is: others are about to see it, or made it."""
    settle(x)
    getattr(x, "_base", x)._shared = True


# --- Views of a base that was written -------------------------------------------------------------
#
# After a recorded write, a view is a view of the new values: its node is another one. Views get that
# when it is first asked for, since there may be many views and many writes.


def outdate(base: Any) -> None:
    """Give each view of `base` a new node, made when it is first read: `base` moves to another."""
    outdated = getattr(base, "_outdated", None)
    if outdated is None:
        base._outdated = outdated = {}
    views, base._views = getattr(base, "_views", ()), []
    for view in [reference() for reference in views]:
        if view is not None and owner(view._array) is owner(base._array):
            key = id(view)
            notes = {} if view._node is None else view._node.extra or {}
            view._retains = notes.pop("retain", None) is not None
            cls: Any = type(view)
            forget = functools.partial(outdated.pop, key)  # its default is the reference
            outdated[key] = weakref.ref(view, forget)
            view.__class__ = _outdated_class(cls)


@functools.cache
def _outdated_class(cls: Any) -> Any:
    """The class of an outdated view, which was a `cls` and becomes one again."""
    members = {"__slots__": (), "__module__": cls.__module__, "_node": property(_updated)}
    return type(cls.__name__, (cls,), members)


def _updated(view: Any) -> Any:
    """The node of an outdated view, which is outdated no longer."""
    view.__class__ = type(view).__base__
    base = view._base
    base._outdated.pop(id(view))
    with recording(True):
        node = replay(wrap(base._array, base._node), steps(view))._node
    if view._retains and node is not None:
        node.extra = {**(node.extra or {}), "retain": weakref.ref(view)}
    view._node = node
    base._views.append(weakref.ref(view))
    return node


def release(x: Recorded) -> None:
    """Separate `x` from its views and from its base: it is about to leave its memory or its graph."""
    for reference in list(getattr(x, "_outdated", {}).values()):
        view = reference()
        if view is not None:
            _updated(view)
    if hasattr(x, "_base"):
        x._node = x._node  # the reading makes the node of an outdated view
        del x._base, x._replay
