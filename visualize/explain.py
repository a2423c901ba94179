"""`explain`: the graph up to an error, with the call that failed in red and the shapes that met."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from types import FrameType
from typing import Any, Unpack

import numpy as np

from tinygrad_cnn import Tensor, engine, nn

from .graph import Cluster, Edge, Graph, Node, rebuilt, used_clusters
from .look import Look
from .picture import Picture
from .record import record
from .watch import PACKAGES
from .words import shape_text

WRAPPER = os.path.join("functions", "public.py")  # it has the arguments of any function
MAX_MESSAGE_CHARACTERS, MESSAGE_LINE_CHARACTERS = 240, 40


def explain(error: BaseException | None = None, **look: Unpack[Look]) -> Picture:
    """A picture of an error in a forward pass: the ops before it, and the call that raised it.

    Args:
        error: an exception that was raised and caught, by default the last one that nobody caught.
        look: the options of `Picture`.

    The traceback still holds the values of that moment. The last call of a function of
    `tinygrad_cnn` is drawn in red, with the shapes of its arguments and the message, after all ops
    that its arguments were computed by. Modules have their names in the outermost model.

    If the error was raised from another one, that one may have the call. Raises ValueError where no
    call with Tensors is in the traceback, or where there is no error.

    >>> import tinygrad_cnn as tc
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(9, 2))
    >>> try:
    ...     model(tc.ones(1, 4))
    ... except RuntimeError as error:
    ...     graph = explain(error).graph
    >>> [(node.name, node.status) for node in graph.nodes if node.kind == "op"]
    [('linear', ''), ('relu', ''), ('linear', 'failed')]
    >>> graph.nodes[-1].rows[:2]
    (('input', '1x8', 'error'), ('weight', '2x9', 'error'))
    """
    error = error if error is not None else getattr(sys, "last_value", None)
    if error is None or error.__traceback__ is None:
        raise ValueError("explain: no error was raised; pass the exception that you caught")
    cause = next((e for e in _causes(error) if _call([f for f, _ in _frames(e)])), error)
    frames = [frame for frame, _ in _frames(cause)]
    lines = dict(_frames(cause))
    mine = [frame for frame in frames if not frame.f_code.co_filename.startswith(PACKAGES)]
    modules = [frame.f_locals["self"] for frame in frames
               if isinstance(frame.f_locals.get("self"), nn.Module)]  # fmt: skip
    call = _call(frames)
    if call is None:
        raise ValueError(
            f"explain: no call with Tensors is in the traceback of {type(error).__name__}: {error}"
        )
    function, arguments = call
    model = modules[0] if modules else None
    op = function.f_locals.get("op")  # in the engine's own functions
    name = op.name if isinstance(op, engine.Op) else function.f_code.co_name.strip("_")
    failed = Node("op", name, status="failed", rows=_rows(arguments, error))
    if model is not None:
        paths = {id(module): path for path, module in model.named_modules()}
        failed.cluster = next(
            (paths[id(m)] for m in reversed(modules) if paths.get(id(m))), None
        )  # fmt: skip
    if mine:
        failed.line = (
            f"{mine[-1].f_code.co_filename}:{lines[mine[-1]]}, in {mine[-1].f_code.co_name}"
        )
    graph = _joined(arguments, model, failed)
    return Picture(graph, title=f"{type(error).__name__} in {name}", **look)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, the one that it was raised from, and so on."""
    found: BaseException | None = error
    seen: set[int] = set()
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def _frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    """The frames of an error, outermost first, each with the line that it was at."""
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _call(frames: list[FrameType]) -> tuple[FrameType, dict[str, Any]] | None:
    """The outermost function of the last library call that got Tensors, and its arguments."""
    found = None
    for frame in reversed(frames):
        if not frame.f_code.co_filename.startswith(PACKAGES):
            break  # the user's code that made the call
        if isinstance(frame.f_locals.get("self"), nn.Module):
            break
        if frame.f_code.co_filename.endswith(WRAPPER):
            continue
        arguments = _arguments(frame)
        if any(_tensors(value) for value in arguments.values()):
            found = frame, arguments
    return found


def _arguments(frame: FrameType) -> dict[str, Any]:
    """The arguments of a function by name; a method's own Tensor is "input"."""
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    values = {name: frame.f_locals[name] for name in names if name in frame.f_locals}
    return {"input" if name == "self" else name: value for name, value in values.items()}


def _tensors(value: object) -> list[Tensor]:
    """The Tensors in an argument: itself, or those of a sequence."""
    items = value if isinstance(value, (tuple, list)) else [value]
    return [item for item in items if isinstance(item, Tensor)]


def _rows(arguments: dict[str, Any], error: BaseException) -> tuple[tuple[str, str, str], ...]:
    """The shapes of the arguments, their plain values, and the message of the error."""
    rows = []
    for name, value in arguments.items():
        if found := _tensors(value):
            rows.append((name, ", ".join(shape_text(tuple(t.shape)) for t in found), "error"))
        elif isinstance(value, np.ndarray):
            rows.append((name, shape_text(value.shape), "error"))
    message = " ".join(f"{type(error).__name__}: {error}".split())
    if len(message) > MAX_MESSAGE_CHARACTERS:
        message = message[: MAX_MESSAGE_CHARACTERS - 1] + "…"
    rows += [("", line, "error") for line in textwrap.wrap(message, MESSAGE_LINE_CHARACTERS)]
    return tuple(rows)


def _joined(arguments: dict[str, Any], model: nn.Module | None, failed: Node) -> Graph:
    """The graph of the arguments, in which they lead to the call that failed."""
    given = [(name, tensor) for name, value in arguments.items() for tensor in _tensors(value)]
    computed = list({id(t): t for _, t in given if t.grad_fn is not None}.values())
    parameters: dict[int, str] = {}
    if model is not None:
        parameters = {id(p): name for name, p in model.named_parameters()}
    graph = Graph((), ()) if not computed else record(computed, model)
    outputs = [at for at, node in enumerate(graph.nodes) if node.kind == "output"]
    source = {id(t): graph.inputs(at)[0].source for t, at in zip(computed, outputs, strict=True)}
    place = [-1 if node.kind == "output" else at for at, node in enumerate(graph.nodes)]
    number = {at: k for k, at in enumerate(at for at in place if at >= 0)}
    graph = rebuilt(graph, place)
    nodes, edges = list(graph.nodes), list(graph.edges)
    known = {id(t): number[at] for key, at in source.items() for t in computed if id(t) == key}
    joins = []
    for slot, (name, tensor) in enumerate(given):
        if id(tensor) not in known:
            if id(tensor) in parameters:  # its shape stands in the box of the call
                continue
            shape, dtype = tuple(tensor.shape), str(np.dtype(tensor.dtype))
            known[id(tensor)] = len(nodes)
            nodes.append(Node("constant", name, shape, dtype))
        joins.append(Edge(known[id(tensor)], 0, slot, name))
    edges += [replace(edge, target=len(nodes)) for edge in joins]
    nodes.append(failed)
    clusters = graph.clusters
    if failed.cluster is not None and model is not None:
        clusters += _clusters(model, failed.cluster, {c.path for c in clusters})
    return Graph(tuple(nodes), tuple(edges), used_clusters(nodes, clusters))


def _clusters(model: nn.Module, path: str, known: set[str]) -> tuple[Cluster, ...]:
    """Clusters for a module and those around it, as far as they are not known."""
    modules = dict(model.named_modules())
    parts = path.split(".")
    paths = [".".join(parts[: k + 1]) for k in range(len(parts))]
    return tuple(
        Cluster(p, type(modules[p]).__name__, paths[k - 1] if k else None)
        for k, p in enumerate(paths)
        if p not in known and p in modules
    )
