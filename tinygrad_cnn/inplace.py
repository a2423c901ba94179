"""In-place operations.

An in-place op is its out-of-place op with another forward: it writes y into the memory of its first
input, and that tensor moves on to the new node. Its base and views (views.py) must move along: a
write through a view is recorded on the base as "the base, but for this part" (`write_view`), and
each living view is replayed on that.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from . import engine
from .engine import OVERWRITTEN, Recorded, enable_grad, family, grad_mode, replay
from .engine.dtypes import RANK, get_default_dtype, result_type
from .ops import setitem, write_view


def _writing(op: Any, write: Callable[..., Any] | None) -> Callable[..., Any]:
    """The forward of `op` that writes y into its first input: by `write`, else by a copy."""

    def forward(x: Any, *others: Any, **attributes: Any) -> Any:
        if write is not None:
            write(x, *others, out=x, casting="unsafe", **attributes)
            return x
        result = op.forward(x, *others, **attributes)
        y, *residuals = result if op.residuals else (result,)
        _check_type(op.name, y.dtype, x.dtype)
        np.copyto(x, y, casting="unsafe")
        return (x, *residuals) if residuals else x

    return forward


def in_place(
    record: Any, write: Callable[..., Any] | None = None, floating: bool = False
) -> Callable[..., Any]:
    """The in-place form of an op, as a method: `Tensor.mul_ = in_place(mul, np.multiply)`.

    `write` takes the arrays and `out=`; without it the op's forward runs and its result is copied.
    `floating`: the result is of floating point even where all operands are integers.
    """
    op = record.op
    forward = _writing(op, write)

    def method(self: Any, *others: Any, **attributes: Any) -> Any:
        _check(self, op.name, others, op.elementwise)
        if floating and self._array.dtype.kind != "f":
            _check_type(op.name, get_default_dtype(), self._array.dtype)
        old = None
        if (
            grad_mode.enabled
            and op.inputs[0] in op.saved
            and any(map(_requires_grad, (self, *others)))
        ):
            old = self._array.copy()  # a vjp may want what is about to be overwritten
        y = engine.call(op, forward, (self, *others), attributes, promoting=False)
        engine.mark_written(self._array)
        if y._node is not None:
            _record(self, y._node, old)
        elif hasattr(getattr(self, "_base", self), "_views"):
            _move_on(self)
        return self

    method.__name__ = method.__qualname__ = op.name + "_"
    method.__doc__ = f"In-place form of `{op.name}`; returns this same tensor."
    return method


overwrite = in_place(  # x[index] = v
    setitem, lambda x, v, *, index, out, casting: x.__setitem__(index, v)
)


def composed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The in-place form of a function of several ops, as a method: x takes over its result.

    What those ops save of x is a copy, where a gradient will want it.
    """
    name = function.__name__

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        others = (*args, *kwargs.values())
        _check(self, name, others)
        x = self
        if grad_mode.enabled and any(map(_requires_grad, (self, *others))):
            x = engine.wrap(self._array.copy(), self._node)
        y = function(x, *args, **kwargs)
        if y._array.shape != self._array.shape:
            raise RuntimeError(
                f"{name}_: output with shape {list(self._array.shape)} doesn't match the broadcast "
                f"shape {list(y._array.shape)}"
            )
        _check_type(name, y._array.dtype, self._array.dtype)
        return overwrite(self, y, index=(...,))

    method.__name__ = method.__qualname__ = name + "_"
    method.__doc__ = f"In-place form of `{name}`; returns this same tensor."
    return method


def _requires_grad(x: Any) -> bool:
    return isinstance(x, Recorded) and x._node is not None


def _check(x: Any, name: str, others: tuple[Any, ...], elementwise: bool = False) -> None:
    """Refuse, before anything is changed, what an in-place op cannot do."""
    array = x._array
    base = getattr(x, "_base", x)
    if grad_mode.enabled and any(map(_requires_grad, (base, x, *others))):
        own, node = x._node, base._node
        leaf = own if own is not None and own.op is None else node
        if leaf is not None and leaf.op is None:
            what = "a leaf Variable" if leaf is own else "a view of a leaf Variable"
            raise RuntimeError(
                f"{what} that requires grad is being used in an in-place operation: {name}_ on "
                f"shape {array.shape}. Do it under no_grad(), or on a clone()"
            )
        if own is None and node is not None:
            raise RuntimeError(
                "A view was created in no_grad mode and is being modified inplace with grad mode "
                f"enabled: {name}_ on shape {array.shape}, of what {node.op.name} made. Move both "
                "into the no_grad block, or both out of it"
            )
    if array.size and any(
        n > 1 and s == 0 for n, s in zip(array.shape, array.strides, strict=True)
    ):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            f"single memory location, as after expand(): {name}_ on shape {array.shape}. clone() it "
            "first"
        )
    if not array.flags.writeable:
        raise RuntimeError(
            f"{name}_: the memory of this tensor (shape {array.shape}) is read-only: clone() it "
            "first"
        )
    if elementwise:
        arrays = [x._array if isinstance(x, Recorded) else x for x in others]
        shapes = [np.shape(a) for a in arrays]
        if any(shape not in ((), array.shape) for shape in shapes):
            try:
                shape = np.broadcast_shapes(array.shape, *shapes)
            except ValueError:
                raise RuntimeError(
                    f"{name}_: the size of one tensor must match that of the other at each axis, or "
                    f"be 1; got {[array.shape, *shapes]}"
                ) from None
            if shape != array.shape:
                raise RuntimeError(
                    f"{name}_: output with shape {list(array.shape)} doesn't match the broadcast "
                    f"shape {list(shape)}"
                )
        _check_type(name, result_type(array, *arrays), array.dtype)


def _check_type(name: str, result: np.dtype, target: np.dtype) -> None:
    if RANK[result.kind] > RANK[target.kind]:
        raise RuntimeError(
            f"{name}_: result type {result} can't be cast to the desired output type {target}"
        )


def _record(x: Any, node: Any, old: Any) -> None:
    """Put `x`, just written by `node`, its base and all its views at their new places.

    `old` is a copy of what it held before, where `node` saves that.
    """
    if x._node is not None and x is not getattr(x, "_base", x):
        _pass_by_hooks(x, node)
    node.number = engine.next_number()  # after the write: y, if saved, is what was written
    storage = engine.owner(x._array)
    saved = []
    for name, array in zip(node.op.saved, node.saved, strict=True):
        if name == node.op.inputs[0] and array is not None:
            array = old
        elif name != "y" and isinstance(array, np.ndarray) and engine.owner(array) is storage:
            array = OVERWRITTEN
            engine.note_write()  # so that the walk looks at this node
        saved.append(array)
    node.saved = tuple(saved)
    _move_on(x, node)


def _move_on(x: Any, node: Any = None) -> None:
    """Put the family of `x`, which was written (by `node`, if that was recorded), at new places.

    Views are made anew from the base, so that hooks on the old nodes are for what was read before.
    """
    base, views = family(x)
    if node is None and base._node is None:
        return
    moved: list[Any] = (
        [*views] if node is None else [*{id(t): t for t in (base, x, *views)}.values()]
    )
    retaining = [t for t in moved if t.retains_grad]
    for t in retaining:
        t._node.extra.pop("retain")
    if node is not None:
        x._node = node
        if base is not x:
            _written_through(base, x)
    with enable_grad():
        for view in views:
            at = engine.wrap(base._array, base._node)
            view._node = replay(at, view._replay)._node
    for t in retaining:
        t.retain_grad()


def _pass_by_hooks(view: Any, node: Any) -> None:
    """Lead `node`, which writes `view`, to its base by a path of its own, as PyTorch does: hooks on
    the view, and on those that it is made through, are for what was read from them before.
    """
    base, passed = view._base, [view._node]
    while passed[-1].op is not None and len(passed) < len(view._replay):
        passed.append(passed[-1].first)
    if any("hooks" in (p.extra or ()) for p in passed):
        warnings.warn(
            f"{node.op.name}_ writes to a view that has a hook: the gradient passes the hook by, "
            "register it after the write (or on a clone)",
            stacklevel=4,
        )
        fresh = replay(engine.wrap(base._array, base._node), view._replay)._node
        parents = node.parents
        node.first = (fresh, *parents[1:]) if isinstance(node.first, tuple) else fresh


def _written_through(base: Any, view: Any) -> None:
    """Record on `base` that its part `view` was written."""
    op, inputs, attributes = write_view.op, (base, view), {"path": view._replay}
    base._node = engine.call(op, lambda x, v, path: x, inputs, attributes)._node
