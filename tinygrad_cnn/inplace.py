"""In-place operations.

An op in place is the op with another forward: it writes y into the memory of its first input, and
that Tensor moves on to the new node. Its base and views (engine/views.py) move along: a write through
a view is recorded on the base as "the base, except for this part" (`write_view`), and each view is
replayed on that once it is used again.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import engine
from .dtypes import shown
from .engine import OVERWRITTEN, Recorded, grad_mode, replay, steps
from .engine.dtypes import FLOATING, RANK, get_default_dtype, number_in, result_type
from .ops import setitem, write_view

if TYPE_CHECKING:
    from .tensor import Tensor


def _writing(op: Any, write: Callable[..., Any] | None) -> Callable[..., Any]:
    """The forward of `op` that writes y into its first input, by `write` or else by a copy."""

    def forward(x: Any, *others: Any, **attributes: Any) -> Any:
        if write is not None:
            if x.dtype.kind in "iu":
                others = tuple([o if isinstance(o, np.ndarray) else number_in(x.dtype, o)
                                for o in others])  # fmt: skip
            try:
                write(x, *others, out=x, casting="unsafe", **attributes)
            except TypeError as error:  # NumPy's, for the difference of bools
                raise RuntimeError(f"{op.name}_: {error}") from None
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
    """The in-place form of an op, as a method: `Tensor.__imul__ = in_place(ops.mul, np.multiply)`.

    `write` takes the arrays and `out=`. Without it, the forward of the op runs and its result is
    copied. `floating`: the result is of floating point even if all operands are integers.
    """
    op = record.op
    forward = _writing(op, write)

    def of_one(self: Tensor) -> Tensor:
        return _run(op, forward, floating, self, (), {})

    def of_several(self: Tensor, *others: Any, **attributes: Any) -> Tensor:
        return _run(op, forward, floating, self, others, attributes)

    method: Any = of_one if len(op.inputs) == 1 and not op.attributes else of_several
    method.__name__ = method.__qualname__ = op.name + "_"
    return method


def _run(
    op: Any, forward: Any, floating: bool, x: Any, others: tuple[Any, ...], attributes: Any
) -> Any:
    recorded = _check(x, op.name, others, op.elementwise)
    if floating and x._array.dtype.kind not in FLOATING:
        _check_type(op.name, get_default_dtype(), x._array.dtype)
    needed = recorded and op.inputs[0] in op.saved  # by a vjp: the values that are overwritten
    old = x._array.copy() if needed else None
    y = engine.call(op, forward, (x, *others), attributes, promoting=False)
    engine.mark_written(x._array)
    if y._node is not None and x._array.dtype.kind in FLOATING:  # integers require no grad
        _record(x, y._node, old)
    elif hasattr(getattr(x, "_base", x), "_views"):
        _move_on(x)
    return x


overwrite = in_place(  # x[index] = v
    setitem, lambda x, v, *, index, out, casting: x.__setitem__(index, v)
)


def composed(function: Any) -> Callable[..., Any]:
    """The in-place form of a public function of several ops, as a method: x takes over its result.

    If the write is recorded, those ops save a copy of x. `as_method` gives it a name and a signature.
    """
    name = function.__name__
    body = function.edge.function if hasattr(function, "edge") else function

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        recorded = _check(self, name, (*args, *kwargs.values()))
        x = engine.wrap(self._array.copy(), self._node) if recorded else self
        y = body(x, *args, **kwargs)
        if y is NotImplemented:
            raise TypeError(
                f"unsupported operand type(s) for {name}_: 'Tensor' and '{type(args[0]).__name__}'"
            )
        if y._array.shape != self._array.shape:
            raise RuntimeError(
                f"{name}_: output with shape {list(self._array.shape)} doesn't match the broadcast "
                f"shape {list(y._array.shape)}"
            )
        _check_type(name, y._array.dtype, self._array.dtype)
        return overwrite(self, y, index=(...,))

    return method


def become(x: Any, name: str, make: Callable[[Any], Any]) -> Any:
    """Let `x` become `make(x)`, a view of it: its own shape changes in place. Returns `x`.

    Hooks and `retain_grad` serve the gradient in the old shape, as in PyTorch.
    """
    _check_graph(x, name, ())
    engine.settle(x)
    shaped = make(engine.wrap(x._array))._array  # raises before anything changes
    node = x._node  # the reading makes the node of an outdated view
    if node is not None and node.op is None:  # a leaf, outside of recording
        if _views(x):
            raise NotImplementedError(
                f"{name}_: a leaf that requires grad and has views cannot change its shape in place"
            )
        x._array, node.shape = shaped, shaped.shape
        return x
    source = x
    if not hasattr(x, "_base"):
        source = engine.wrap(x._array, node)
        if _views(x) or not shaped.flags.c_contiguous:  # a view keeps its order of axes
            _stand_in(source, x)
    with engine.enable_grad():
        y = make(source)
    x._array, x._node = y._array, y._node
    if hasattr(x, "_base"):
        x._replay = y._replay
    return x


def _views(x: Any) -> list[Any]:
    """The views of `x` that still exist."""
    known = [*getattr(x, "_views", ()), *getattr(x, "_outdated", {}).values()]
    return [view for view in [reference() for reference in known] if view is not None]


def _stand_in(source: Any, x: Any) -> None:
    """Let `source`, which is like `x`, become the base of the views of `x`, and of `x` itself."""
    for key in ("_views", "_outdated", "_shared"):
        if key in vars(x):
            vars(source)[key] = vars(x).pop(key)
    for view in _views(source):
        view._base = source
    x._base, x._replay = source, None
    source._views = [*getattr(source, "_views", ()), weakref.ref(x)]


def _check(x: Any, name: str, others: tuple[Any, ...], elementwise: bool = False) -> bool:
    """Refuse a write that cannot be done, before anything changes. Returns whether it is recorded."""
    if not isinstance(x, Recorded):
        raise TypeError(
            f"descriptor '{name}_' for 'Tensor' objects doesn't apply to a '{type(x).__name__}' object"
        )
    recorded = _check_graph(x, name, others)
    array = x._array
    if not array.flags.c_contiguous and _overlaps(array):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory location, as after expand() or unfold(): "
            f"{name}_ on shape {array.shape}. clone() it first"
        )
    if not array.flags.writeable:
        raise RuntimeError(
            f"{name}_: the memory of this tensor (shape {array.shape}) is read-only: clone() it "
            "first"
        )
    if elementwise:
        _check_fit(array, [t._array if isinstance(t, Recorded) else t for t in others], name)
    return recorded


def _overlaps(array: np.ndarray) -> bool:
    """Whether two elements share memory. Exact for views of an array in which none do."""
    reach = array.itemsize
    if array.size:
        for stride, n in sorted(zip(map(abs, array.strides), array.shape, strict=True)):
            if n > 1:
                if stride < reach:
                    return True
                reach += (n - 1) * stride
    return False


def _check_graph(x: Any, name: str, others: Any) -> bool:
    """Refuse a change in place that the graph forbids. Returns whether it is recorded."""
    array, own, base = x._array, x._node, getattr(x, "_base", x)
    recorded = (grad_mode.enabled and array.dtype.kind in FLOATING) and any(
        [isinstance(t, Recorded) and t._node is not None for t in (base, x, *others)]
    )
    if recorded:
        node = base._node
        leaf = own if own is not None and own.op is None else node
        if leaf is not None and leaf.op is None:
            kind = "a leaf Variable" if leaf is own else "a view of a leaf Variable"
            raise RuntimeError(
                f"{kind} that requires grad is being used in an in-place operation: {name}_ on "
                f"shape {array.shape}. Do it under no_grad(), or on a clone()"
            )
        if own is None and node is not None:
            raise RuntimeError(
                "A view was created in no_grad mode and is being modified inplace with grad mode "
                f"enabled: {name}_ on shape {array.shape}, a view of the output of {node.op.name}. "
                "Move both into the no_grad block, or both out of it"
            )
    return recorded


def _check_fit(array: np.ndarray, others: list[Any], name: str) -> None:
    """The others must broadcast to the shape of `array`, and meet in a dtype that it can hold."""
    shapes = [np.shape(other) for other in others]
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
    _check_type(name, result_type(array, *others), array.dtype)


def _check_type(name: str, result: np.dtype, target: np.dtype) -> None:
    if RANK[result.kind] > RANK[target.kind]:
        raise RuntimeError(
            f"{name}_: result type {shown(result)} can't be cast to the desired output type "
            f"{shown(target)}"
        )


def _record(x: Any, node: Any, old: Any) -> None:
    """Move `x`, which `node` has just written, its base and all its views to their new nodes.

    `old` is a copy of the values before the write, if `node` saves them.
    """
    if x._node is not None and x is not getattr(x, "_base", x):
        _pass_by_hooks(x, node)
    node.number = engine.next_number()  # younger than the write: if y is saved, it is not stale
    storage = engine.owner(x._array)
    saved = []
    for name, array in zip(node.op.saved, node.saved, strict=True):
        if name == node.op.inputs[0] and array is not None:
            array = old
        elif name != "y" and isinstance(array, np.ndarray) and engine.owner(array) is storage:
            array = OVERWRITTEN
            engine.note_write()  # the walk then checks this node
        saved.append(array)
    node.saved = tuple(saved)
    _move_on(x, node)


def _move_on(x: Any, node: Any = None) -> None:
    """Move the family of `x` to new nodes after a write to `x`, by `node` if the write is recorded.

    Views are replayed on the base: hooks on their old nodes serve the values read before the write.
    """
    base = getattr(x, "_base", x)
    if node is None and base._node is None:
        return
    retains = node is not None and base.retains_grad
    if retains:
        base._node.extra.pop("retain")
    engine.outdate(base)
    if node is not None:
        base._node = node if base is x else _written_through(base, x, node)
    if retains:
        base.retain_grad()


def _pass_by_hooks(view: Any, node: Any) -> None:
    """Connect `node`, which writes `view`, to the base by new nodes, as PyTorch does.

    Hooks on the view, and on the views between it and the base, serve the values read before.
    """
    base, passed = view._base, [view._node]
    while passed[-1].op is not None and passed[-1].op.view and passed[-1] is not base._node:
        passed.append(passed[-1].first)
    if any("hooks" in (p.extra or ()) for p in passed):
        warnings.warn(
            f"{node.op.name}_ writes to a view that has a hook: the gradient passes the hook by, "
            "register it after the write (or on a clone)",
            stacklevel=5,
        )
        fresh = replay(engine.wrap(base._array, base._node), steps(view))._node
        parents = node.parents
        node.first = (fresh, *parents[1:]) if isinstance(node.first, tuple) else fresh
        engine.cut(node)  # its depth was that of its first parents


def _written_through(base: Any, view: Any, node: Any) -> Any:
    """The node of `base` after the write to its part `view` by `node`."""
    op, inputs = write_view.op, (base, engine.wrap(view._array, node))
    return engine.call(op, lambda x, v, path: x, inputs, {"path": steps(view)})._node
