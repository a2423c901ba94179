"""The engine: the graph that ops record, and the walk back through it. It knows no op.

Nodes hold their parents and never the output, so that there is no cycle: what no vjp saved is freed
by reference counting. A parent's number is smaller than its child's, so "the largest number first"
is a topological order, and nothing here recurses on a graph.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import Any

import numpy as np
from numpy import ndarray

from .modes import observers

next_number = count(1).__next__


# --- What is recorded ---------------------------------------------------------------------------


class Recorded:
    """What the engine knows of a Tensor: its array, and its place in the graph."""

    # every tensor has an array and a node; what few have is in the dict
    __slots__ = ("__dict__", "__weakref__", "_array", "_node")
    _array: ndarray
    _node: Node | None
    _grad: Any  # unset until there is one
    _base: Any  # of a view alone: the tensor whose memory it shows ...
    _replay: Any  # ... and how it is made from that; see views.py
    _views: list[Any]  # weak references to the views of this
    _shared: bool  # set where arrays or tensors outside that family show its memory


new_tensor: Callable[[], Any] = Recorded  # makes an empty one of what ops return; tensor.py sets it
LARGE = 1 << 16  # elements, from which an elementwise pass is worth a kernel
add_large: Callable[[Any, Any], Any] = ndarray.__add__  # of such arrays; ops/elementwise.py sets it


def wrap(array: Any, node: Node | None = None) -> Any:
    """A Tensor on `array`, at `node` of the graph."""
    tensor = new_tensor()
    tensor._array = array if type(array) is ndarray else np.asarray(array)
    tensor._node = node
    return tensor


class Node:
    """One op that ran: its inputs' nodes, and what its vjps need. Or, without an op, a leaf.

    `saved` holds arrays and is None once they are freed; `static` the attributes, then shapes (of a
    leaf: the weak reference to its tensor). `extra` is None or holds hooks, the weak reference of
    `retain_grad`, notes of observers. (One class for both: the engine's loop is faster so.)

    The parents of an op of one or two inputs are in `first` and `second`, with no tuple to make and
    to collect; those of any other are a tuple in `first`. Read them as `parents`.
    """

    __slots__ = (
        "dtype",
        "extra",
        "first",
        "number",
        "op",
        "saved",
        "second",
        "shape",
        "static",
    )
    op: Any
    first: Any
    second: Node | None
    saved: tuple[Any, ...] | None
    static: tuple[Any, ...]
    number: int
    shape: tuple[int, ...]
    dtype: np.dtype
    extra: dict[str, Any] | None

    def name(self) -> str:
        """The name as PyTorch writes it, `MulBackward0`; of a leaf `AccumulateGrad`."""
        if self.op is None:
            return "AccumulateGrad"
        return "".join(part.capitalize() for part in self.op.name.split("_")) + "Backward0"

    @property
    def parents(self) -> tuple[Node | None, ...]:
        """The node of each input, None where that asks for no gradient."""
        if isinstance(self.first, tuple):
            return self.first
        return (self.first, self.second) if len(self.op.inputs) == 2 else (self.first,)

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The parents, each with the number of the output that came from there (always 0)."""
        return tuple((parent, 0) for parent in self.parents)

    @property
    def attributes(self) -> dict[str, Any]:
        """The op's attributes (stride, padding, dim ...) of this call."""
        return dict(zip(self.op.attributes, self.static, strict=False)) if self.op else {}

    @property
    def variable(self) -> Any:
        """Of a leaf: its tensor, or None where that lives no more."""
        return self.static[0]() if self.op is None else None

    def __repr__(self) -> str:
        return f"<{self.name()}>"


def leaf(tensor: Recorded) -> Node:
    """The end of the graph at a tensor that asks for its gradient.

    The weak reference lets the tensor hold its leaf with no cycle.
    """
    return new_node(None, (), tensor._array.shape, tensor._array.dtype, (weakref.ref(tensor),))


def new_node(op: Any, parents: tuple[Any, ...], shape: Any, dtype: Any, static: Any = ()) -> Node:
    """A node that saves nothing so far."""
    node = Node()
    node.op, node.first, node.second, node.saved, node.static = op, parents, None, (), static
    node.number, node.shape, node.dtype, node.extra = next_number(), shape, dtype, None
    return node


# --- Writes: storage that views share has one clock ------------------------------------------------

# When the storage with this id was last written, as a node number, and how often; kept only for
# storage that was written and still lives. A node's saved array is stale if written after the node.
written: dict[int, list[Any]] = {}
last_write = 0  # the number of the latest: what a younger node saved cannot be stale
_write_lock = threading.Lock()


def owner(array: ndarray) -> ndarray:
    """The array that owns the memory which `array` shows, through any chain of views."""
    last, base = array, array.base
    while base is not None:
        if isinstance(base, ndarray):
            last = base
        base = getattr(base, "base", None)
    return last


def note_write() -> int:
    """Nodes of smaller numbers than the one returned are looked at before their vjps run."""
    global last_write
    with _write_lock:
        last_write = next_number()
        return last_write


def mark_written(array: ndarray) -> None:
    """Note that the storage of `array` has just been changed in place."""
    storage = owner(array)
    key = id(storage)
    entry = written.get(key)
    if entry is None:
        dies = weakref.ref(storage, lambda _: written.pop(key, None))
        written[key] = [note_write(), 1, dies]
    else:
        entry[0] = note_write()
        entry[1] += 1


class _Overwritten:
    """Stands for an input that the op itself wrote over, in place."""


OVERWRITTEN = _Overwritten()


def _check_unchanged(node: Node) -> None:
    for name, array in zip(node.op.saved, node.saved or (), strict=False):
        if isinstance(array, ndarray):
            entry = written.get(id(owner(array)))
            if entry is None or entry[0] < node.number:
                continue
        elif array is not OVERWRITTEN:
            continue
        shape = getattr(array, "shape", node.shape)
        raise RuntimeError(
            "one of the variables needed for gradient computation has been modified by an inplace "
            f"operation: `{name}` of {node.op.name}, of shape {shape}, was changed after "
            f"{node.op.name} saved it. Use the out-of-place form of that operation, or clone() "
            "what it changes"
        )


# --- The walk back ------------------------------------------------------------------------------


def backward(
    roots: list[tuple[Node, Any]],
    *,
    targets: Sequence[Node] | None = None,
    stop: bool = False,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> dict[Node, Any]:
    """Run the vjps from `roots`, pairs of a node and its cotangent, and commit nothing.

    Cotangents are arrays, or Tensors where `create_graph` asks for a graph of the gradient. The list
    of roots is emptied, so that their cotangents are freed as all others are. Returns them for the leaves and for the nodes that retain their gradient; with `targets` for those of
    them that were reached, and only vjps that lead to them run (with `stop`, none behind them).
    """
    needed = None if targets is None else _leading_to(targets, roots, stop)
    ends = frozenset(targets or ())
    kept: dict[Node, Any] = {}
    pending: dict[Node, Any] = {}  # cotangents, complete when their node is popped
    sums: set[Node] = set()  # whose pending cotangent is a sum made here: add in place
    heap: list[tuple[int, Node]] = []
    top: Any = None  # the node of the largest number, and its cotangent, are kept out of `heap` and
    top_g: Any = None  # `pending`, so that a chain needs neither
    node: Any = None
    contributions: Any = tuple(roots)
    roots.clear()
    while True:
        for parent, g in contributions:
            if g is None:
                continue
            if g.shape != parent.shape or g.dtype is not parent.dtype:
                g = _fit(g, parent, node)
            if parent is top:
                top_g = _add(top_g, g, parent, sums)
            elif parent in pending:
                pending[parent] = _add(pending[parent], g, parent, sums)
            elif parent.op is None:
                pending[parent] = g
            elif top is None:
                top, top_g = parent, g
            elif parent.number < top.number:
                pending[parent] = g
                heappush(heap, (-parent.number, parent))
            else:
                pending[top] = top_g
                heappush(heap, (-top.number, top))
                top, top_g = parent, g
        if top is None:
            break
        contributions = None  # so that each cotangent lives no longer than its own vjps need it
        node, g, top, top_g = top, top_g, None, None
        if heap:
            top = heappop(heap)[1]
            top_g = pending.pop(top)
        if not node.shape and isinstance(g, np.generic):
            g = np.asarray(g)  # NumPy's arithmetic makes scalars of 0-d arrays
        if node.extra is not None:
            g = _complete(node, g, kept)
        first, second = node.first, node.second
        if needed is not None:
            if node in ends:
                kept[node] = g
            parents = tuple(p if p in needed else None for p in node.parents)
            if (stop and node in kept) or not any(parents):
                contributions = ()
                continue
            first, second = (parents, None) if isinstance(first, tuple) else (*parents, None)[:2]
        saved = node.saved
        if saved is None:
            raise RuntimeError(
                "Trying to backward through the graph a second time: what "
                f"{node.op.name} (output {node.shape}) saved is freed. Call the first backward or "
                "grad with retain_graph=True"
            )
        if saved and last_write > node.number:
            _check_unchanged(node)
        if observers:
            for observer in list(observers):
                observer.vjp_begins(node, g)
        if create_graph:
            contributions = _recorded_vjps(node, g, first, second, saved)
        else:
            contributions = node.op.backward(g, first, second, saved, node.static)
        if observers:
            found = iter(contributions)
            ran = first if isinstance(first, tuple) else (first, second)[: len(node.op.inputs)]
            gradients = [None if p is None else next(found)[1] for p in ran]
            for observer in list(observers):
                observer.vjp_ran(node, g, gradients)
        if saved and not retain_graph:
            node.saved = None
        saved = None
    for node, g in pending.items():  # the leaves
        if needed is None or node in ends:
            kept[node] = g if node.extra is None else _complete(node, g, kept)
    return kept


def _add(known: Any, g: Any, node: Node, sums: set[Node]) -> Any:
    """The sum of two cotangents of `node`: in place, where the first is a sum made here."""
    if node in sums:
        known += g
        return known
    total = add_large(known, g) if type(g) is ndarray and g.size >= LARGE else known + g
    if type(total) is ndarray:
        sums.add(node)
    return total


def _leading_to(
    targets: Sequence[Node], roots: Sequence[tuple[Node, Any]], stop: bool
) -> set[Node | None]:
    """The nodes between `roots` and `targets`, both included."""
    ends = set(targets)
    seen: set[Any] = set()
    stack: list[Any] = [node for node, _ in roots]
    while stack:
        node = stack.pop()
        if node is not None and node not in seen:
            seen.add(node)
            if not (stop and node in ends):
                stack.extend(node.parents)
    leading: set[Any] = {node for node in ends if node.op is None}
    for node in sorted((n for n in seen if n.op is not None), key=lambda n: n.number):
        if node in ends or not leading.isdisjoint(node.parents):
            leading.add(node)
    return leading


def _fit(g: Any, parent: Node, node: Node) -> Any:
    """`g` in the shape and dtype of the tensor that it is the gradient of.

    The adjoint of a broadcast is the sum over what it repeated; any other difference is an error.
    """
    shape = parent.shape
    if g.shape != shape:
        lead = len(g.shape) - len(shape)
        if (
            not node.op.elementwise
            or lead < 0
            or any(s not in (1, t) for s, t in zip(shape, g.shape[lead:], strict=True))
        ):
            names = [n for n, p in zip(node.op.inputs, node.parents, strict=False) if p is parent]
            raise RuntimeError(
                f"the vjp of {node.op.name} for {' or '.join(names) or 'an input'} returned shape "
                f"{tuple(g.shape)}, wanted that of the input, {shape}"
            )
        axes = [*range(lead)]
        axes += [lead + i for i, s in enumerate(shape) if s == 1 != g.shape[lead + i]]
        g = g.sum(axis=tuple(axes), keepdims=True).reshape(shape)
    if g.dtype != parent.dtype:
        g = g.astype(parent.dtype) if isinstance(g, (ndarray, np.generic)) else g.to(parent.dtype)
    return g


def _recorded_vjps(node: Node, g: Any, first: Any, second: Any, saved: tuple[Any, ...]) -> Any:
    """The vjps of `node` on Tensors, which record the graph of the gradient."""
    op = node.op
    place = {**dict(zip(op.inputs, node.parents, strict=False)), "y": node}
    values = [
        wrap(value, place[name]) if name in place and isinstance(value, ndarray) else value
        for name, value in zip(op.saved, saved, strict=True)
    ]
    if op.composite is None:
        return op.backward(g, first, second, tuple(values), node.static)
    named = dict(zip(op.saved, values, strict=True))
    y = op.composite(*(named[name] for name in op.inputs), **node.attributes)
    ends = [p for p in (first if isinstance(first, tuple) else (first, second)) if p is not None]
    found = backward([(y._node, g)], targets=ends, stop=True, create_graph=True, retain_graph=True)
    return [(p, found.pop(p, None)) for p in ends]  # pop: one tensor given twice counts once


def _complete(node: Node, g: Any, kept: dict[Node, Any]) -> Any:
    """The cotangent of `node` is complete: run its hooks, keep it where `retain_grad` asks."""
    extra = node.extra or {}
    bare = not isinstance(g, Recorded)
    for hook in list(extra.get("hooks", {}).values()):
        seen = np.asarray(g if bare else g._array).view()
        seen.flags.writeable = False  # it may be another tensor's gradient too
        result = hook(wrap(seen, None if bare else g._node))
        if result is None:
            continue
        if not isinstance(result, Recorded) or result._array.shape != node.shape:
            raise RuntimeError(
                f"a hook of {node.name()} returned {getattr(result, 'shape', type(result))}: "
                f"wanted None or a Tensor of shape {node.shape}"
            )
        g = result._array.astype(node.dtype, copy=False) if bare else result
    if "retain" in extra:
        kept[node] = g
    return g


# --- Gradients of leaves ------------------------------------------------------------------------

_commit_lock = threading.Lock()


def _references(kept: dict[Any, Any], key: Any) -> tuple[Any, int, int]:
    """Take a cotangent out; how many references there are to it, and to the array it views."""
    g = kept.pop(key)
    return g, sys.getrefcount(g), sys.getrefcount(g.base)


# Those counts for an array, or its base, that nobody else holds: measured, for it depends on Python.
_ALONE = _references({0: np.empty(2)[::1]}, 0)[1:]


_SPARE = 128  # bytes that a kernel may have asked for so as to begin at a line of the cache


def _own(kept: dict[Any, Any], key: Any) -> ndarray:
    """A cotangent as an array that nothing else refers to: copied only where something does."""
    if not isinstance(kept[key], ndarray):
        return np.array(kept.pop(key))
    g, references, base_references = _references(kept, key)
    if references > _ALONE[0] or not g.flags.writeable:
        return np.array(g)
    if g.base is not None:
        whole = isinstance(g.base, ndarray) and g.base.nbytes - g.nbytes < _SPARE
        if base_references > _ALONE[1] or not whole:
            return np.array(g)
    return g


def accumulate(kept: dict[Node, Any], create_graph: bool = False) -> None:
    """Add cotangents to the `.grad` of the tensors they belong to: of all, or of none."""
    with _commit_lock:
        ready: list[tuple[Any, Any, Any, Any]] = []
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
            else:
                after = None  # in place, as PyTorch: who holds x.grad sees it grow
            ready.append((tensor, before, after, kept.get(place)))
        for tensor, before, after, g in ready:
            if after is None:
                before._array += g
                mark_written(before._array)
            else:
                tensor._grad = after
