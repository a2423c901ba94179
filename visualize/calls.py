"""Calls of ops, recorded in the graph or only seen by an observer, and their inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tinygrad_cnn import engine

from .graph import Form, Measured, Shape
from .scopes import Scope


@dataclass(slots=True)
class Note:
    """Facts about one call of an op that only an observer of the run sees (see `watch.py`)."""

    scope: Scope = ()
    measured: Measured | None = None
    line: str = ""
    form: Form = ""
    inputs: tuple[object, ...] = ()  # the call that made each input, or else the input itself
    role: str = ""  # the name of its data that nobody named


@dataclass(slots=True, eq=False)
class Unrecorded:
    """A call of an op that no gradient passes, as an observer saw it.

    `order` is its place in the run: the number of the recorded node before it, and a count.
    """

    op: engine.Operation
    shape: Shape
    dtype: np.dtype[Any]
    attributes: Mapping[str, Any]
    note: Note
    order: tuple[int, int]


Call = engine.Node | Unrecorded
Notes = Mapping[engine.Node, Note]


class Watched(Protocol):
    """The part of a `Watch` that a walk needs."""

    notes: dict[engine.Node, Note]

    def source(self, value: object) -> object:
        """The call that made a value, or else the value itself."""


def is_call(value: object) -> bool:
    """Whether this is the call of an op: recorded or not, and no leaf.

    >>> is_call(None), is_call(Unrecorded(None, (), np.dtype(float), {}, Note(), (0, 1)))
    (False, True)
    """
    if isinstance(value, engine.Node):
        return value.op is not None
    return isinstance(value, Unrecorded)


def recorded_calls(roots: Iterable[object], notes: Notes) -> list[Call]:
    """All calls of ops that `roots` depend on, in the order of the run: each after its inputs'."""
    seen: dict[int, Any] = {}
    stack: list[Any] = [root for root in roots if is_call(root)]
    while stack:
        call = stack.pop()
        if id(call) in seen:
            continue
        seen[id(call)] = call
        if isinstance(call, Unrecorded):
            before = call.note.inputs
        else:
            note = notes.get(call)
            before = call.parents if note is None else (*call.parents, *note.inputs)
        stack.extend(value for value in before if is_call(value))
    return sorted(seen.values(), key=_order)


def _order(call: Call) -> tuple[int, int]:
    return call.order if isinstance(call, Unrecorded) else (call.number, 0)


def input_names(node: engine.Node) -> list[str]:
    """A name for each parent of a node; of a variadic op `xs[0]`, `xs[1]` ..."""
    return names_of_inputs(node.op, len(node.parents))


def names_of_inputs(op: engine.Operation, inputs: int) -> list[str]:
    """A name for each of so many inputs of an op.

    >>> import tinygrad_cnn as tc
    >>> names_of_inputs((tc.ones(1, requires_grad=True) * 2).grad_fn.op, 2)
    ['a', 'b']
    """
    if op.variadic:
        return [f"{op.inputs[0]}[{k}]" for k in range(inputs)]
    return list(op.inputs)


def required_inputs(op: engine.Operation, inputs: int) -> int:
    """How many inputs, counted from the first, every call gives: those without a default."""
    if op.variadic:
        return inputs
    return op.required if isinstance(op, engine.Op) else 0  # of a Function nobody knows


def given_inputs(op: engine.Operation, parents: Sequence[Any], note: Note | None) -> list[Any]:
    """For each input the node of its call or leaf; where there is none, the source that was seen."""
    seen: Sequence[Any] = () if note is None else note.inputs
    size = len(op.inputs) if not op.variadic else max(len(parents), len(seen))
    if parents and not isinstance(op, engine.Op):
        seen = ()  # a Function has inputs besides Tensors, which have no place
    given = [*parents, *[None] * (size - len(parents))]
    for k, source in enumerate(seen[:size]):
        if given[k] is None:
            given[k] = source
    return given
