"""The backward pass: the walk back through the graph, which runs the vjps.

A parent has a smaller number than its child, so "the largest number first" is a topological order.
Nothing here recurses on a graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy import ndarray

from .dtypes import NARROW
from .nodes import Node, Recorded, provided, wrap
from .observers import observers
from .writes import check_unchanged, latest


def backward(
    roots: list[tuple[Node, Any]],
    *,
    targets: Sequence[Node] | None = None,
    inner: bool = False,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> dict[Node, Any]:
    """Run the vjps from `roots`, pairs of a node and its cotangent. Changes no `.grad`.

    Cotangents are arrays, or Tensors where `create_graph` asks for a graph of the gradient. The list
    `roots` is emptied, so that its cotangents are freed as early as all others.

    Returns the cotangents of leaves and of nodes that retain theirs; with `targets`, only of targets
    that were reached. With `targets`, only vjps that lead to them run. An `inner` walk is a part of the
    vjp that an outer walk runs: it ends at its targets, whose hooks and gradients are left to the outer.
    """
    needed = None if targets is None else _leading_to(targets, roots, inner)
    ends = frozenset(targets or ())
    kept: dict[Node, Any] = {}
    pending: dict[Node, Any] = {}  # cotangents: complete when their node is popped
    sums: set[Node] = set()  # nodes whose pending cotangent is a sum made here, to add to in place
    heap: list[tuple[int, Node]] = []
    top: Any = None  # The node of the largest number and its cotangent stay outside `heap` and
    top_g: Any = None  # `pending`, so that a chain of ops needs neither.
    node: Any = None
    contributions: Any = tuple(roots)
    roots.clear()
    while True:
        for parent, g in contributions:
            if g is None:
                if hasattr(node.op, "vjps") and not node.op.composite:
                    raise RuntimeError(f"{_of(node, parent)} returned None: is there no `return`?")
                continue
            if g.shape != parent.shape or g.dtype is not parent.dtype:
                g = _fit(g, parent, node)
            if parent is top:
                top_g = _add(top_g, g, parent, sums)
            elif parent in pending:
                if parent in sums:
                    total = pending[parent]
                    total += g
                else:
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
        contributions = None  # each cotangent lives no longer than its own vjps need it
        node, g, top, top_g = top, top_g, None, None
        if heap:
            top = heappop(heap)[1]
            top_g = pending.pop(top)
        if not node.shape and isinstance(g, np.generic):
            g = np.asarray(g)  # NumPy's arithmetic makes scalars of 0-d arrays
        if node.extra is not None and not (inner and node in ends):
            g = _complete(node, g, kept)
        first, second = node.first, node.second
        if needed is not None:
            if node in ends:
                kept[node] = g
            parents = tuple(p if p in needed else None for p in node.parents)
            if (inner and node in ends) or not any(parents):
                contributions = ()
                continue
            first, second = (parents, None) if isinstance(first, tuple) else (*parents, None)[:2]
        saved = node.saved
        if saved is None:
            raise RuntimeError(
                "Trying to backward through the graph a second time: what "
                f"{node.op.name} (output {node.shape}) saved is freed, by a backward pass that ended "
                "or one that raised. Call that with retain_graph=True"
            )
        if saved and latest[0] > node.number:
            check_unchanged(node)
        if observers:
            for observer in list(observers):
                observer.vjp_begins(node, g)
        if create_graph:
            contributions = _recorded_vjps(node, g, first, second, saved)
        else:
            contributions = node.op.backward(g, first, second, saved, node.static)
        if observers:
            _show(node, g, first, second, contributions)
        if saved and not retain_graph:
            node.saved = None
        saved = None
    for node, g in pending.items():  # the leaves
        if needed is None or node in ends:
            kept[node] = g if node.extra is None or inner else _complete(node, g, kept)
    return kept


def _add(known: Any, g: Any, node: Node, sums: set[Node]) -> Any:
    """The sum of two cotangents of `node`: in place if the first is a sum made here."""
    if node in sums:
        known += g
        return known
    if type(known) is ndarray and type(g) is ndarray:
        known = provided.add(known, g)
    else:
        known = known + g
    if type(known) is ndarray:
        sums.add(node)
    return known


def _show(node: Node, g: Any, first: Any, second: Any, contributions: Any) -> None:
    """Tell observers that the vjps of `node` ran."""
    found = iter(contributions)
    parents = first if isinstance(first, tuple) else (first, second)[: len(node.op.inputs)]
    gradients = [None if p is None else next(found)[1] for p in parents]
    for observer in list(observers):
        observer.vjp_ran(node, g, gradients)


def _leading_to(
    targets: Sequence[Node], roots: Sequence[tuple[Node, Any]], inner: bool
) -> set[Node | None]:
    """The nodes on paths from `roots` to `targets`, both included."""
    ends = set(targets)
    seen: set[Any] = set()
    stack: list[Any] = [node for node, _ in roots]
    while stack:
        node = stack.pop()
        if node is not None and node not in seen:
            seen.add(node)
            if not (inner and node in ends):
                stack.extend(node.parents)
    leading: set[Any] = {node for node in ends if node.op is None}
    for node in sorted((n for n in seen if n.op is not None), key=lambda n: n.number):
        if node in ends or not leading.isdisjoint(node.parents):
            leading.add(node)
    return leading


def _fit(g: Any, parent: Node, node: Node) -> Any:
    """`g` in the shape and dtype of `parent`.

    The adjoint of a broadcast is the sum over the repeated axes. Any other difference is an error.
    """
    shape = parent.shape
    if g.shape != shape:
        lead = len(g.shape) - len(shape)
        broadcast = lead >= 0 and all(
            s in (1, t) for s, t in zip(shape, g.shape[lead:], strict=True)
        )
        if not broadcast or not node.op.elementwise:
            hint = (
                ". If the inputs broadcast, declare that by @op(elementwise=True): then the engine sums "
                "the gradient over the repeated axes"
            )
            raise RuntimeError(
                f"{_of(node, parent)} returned shape {tuple(g.shape)}, wanted that of the input, {shape}"
                + hint * (broadcast and len(node.op.inputs) > 1)
            )
        axes = [*range(lead)]
        axes += [lead + i for i, s in enumerate(shape) if s == 1 != g.shape[lead + i]]
        if type(g) is ndarray and g.dtype.char in NARROW:
            g = g.astype(np.float32)  # a sum of many rounds once
        g = g.sum(axis=tuple(axes), keepdims=True).reshape(shape)
    if g.dtype != parent.dtype:
        g = g.astype(parent.dtype) if isinstance(g, (ndarray, np.generic)) else g.to(parent.dtype)
    return g


def _of(node: Node, parent: Node) -> str:
    """The vjp of `node` for `parent`, in words."""
    names = [n for n, p in zip(node.op.inputs, node.parents, strict=False) if p is parent]
    return f"the vjp of {node.op.name} for {' or '.join(names) or 'an input'}"


def _recorded_vjps(node: Node, g: Any, first: Any, second: Any, saved: tuple[Any, ...]) -> Any:
    """The vjps of `node` on Tensors, which record the graph of the gradient."""
    op = node.op
    parents = [node.parents] if op.variadic else node.parents
    place = {**dict(zip(op.inputs, parents, strict=False)), "y": node}
    values = [_placed(v, place.get(n, op)) for n, v in zip(op.saved, saved, strict=True)]
    if op.composite is None:
        contributions = op.backward(g, first, second, tuple(values), node.static)
        if op.replace is not None:
            op.replace(node)
        bare = (ndarray, np.generic)  # of a vjp that is constant
        return [(p, wrap(d) if isinstance(d, bare) else d) for p, d in contributions]
    named = dict(zip(op.saved, values, strict=True))
    y = op.composite(*(named[name] for name in op.inputs), **node.attributes)
    ends = [p for p in (first if isinstance(first, tuple) else (first, second)) if p is not None]
    found = backward([(y._node, g)], targets=ends, inner=True, create_graph=True, retain_graph=True)
    return [(p, found.pop(p, None)) for p in ends]  # pop: a tensor that is two inputs counts once


def _placed(value: Any, place: Any) -> Any:
    """A saved input or output as a Tensor at its place in the graph. Residuals stay arrays."""
    if isinstance(value, tuple) and isinstance(place, tuple):  # the inputs of a variadic op
        return tuple(map(_placed, value, place))
    if isinstance(value, ndarray) and (place is None or isinstance(place, Node)):
        return wrap(value, place)
    return value


def _complete(node: Node, g: Any, kept: dict[Node, Any]) -> Any:
    """Run the hooks of `node` on its complete cotangent, and keep it for `retain_grad`."""
    extra = node.extra or {}
    bare = not isinstance(g, Recorded)
    for hook in list(extra.get("hooks", {}).values()):
        seen = np.asarray(g if bare else g._array).view()
        seen.flags.writeable = False  # another tensor may have the same gradient
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
