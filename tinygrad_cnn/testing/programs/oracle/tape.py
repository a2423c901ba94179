"""The tape: nodes with explicit Jacobians, and the walk back that multiplies them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from itertools import count
from typing import Any, NamedTuple, Protocol

import numpy as np

from ...values import Array, Shape

float64 = np.dtype(np.float64)

_numbers = count()
_recording = [True]
IMAGINARY_STEP = 1e-30  # of complex-step derivatives, which have no rounding for any small step


class no_grad(AbstractContextManager[None]):
    """Record nothing in this context."""

    def __enter__(self) -> None:
        _recording.append(False)

    def __exit__(self, *exc: object) -> None:
        _recording.pop()


def recording() -> bool:
    """Whether ops are recorded now."""
    return _recording[-1]


class Receiver(Protocol):
    """A tensor, as the tape sees it."""

    grad: Any

    @property
    def node(self) -> Node | None:
        """Its place on the tape."""

    @property
    def shape(self) -> Shape:
        """Its size along each axis."""


class Memory:
    """The memory that tensors share, including detached ones. `version` counts the writes."""

    version = 0


class Edge(NamedTuple):
    """The dependence of a node on a parent: the Jacobian of its vector by the parent's.

    `again` computes the Jacobian from the values that it reads, also from complex ones. `reads` has
    these values, each with its node; a constant has none.
    """

    parent: Node
    jacobian: Array
    again: Callable[..., Array] | None = None
    reads: Sequence[tuple[Node | None, Array]] = ()


class Node:
    """A vector on the tape, with edges to the nodes that it depends on.

    - `owner`: the tensor of a leaf;
    - `read`: the memories that derivatives read, with their versions; `saves`: whether they read
      any value; `spent`: whether backward has freed the node;
    - `hooks`: functions of the gradient; `keepers`: tensors that retain their gradient.
    """

    def __init__(self, edges: Sequence[Edge] = (), owner: Receiver | None = None):
        self.number = next(_numbers)
        self.edges = list(edges)
        self.owner = owner
        self.saves = self.spent = False
        self.read: list[tuple[Memory, int]] = []
        self.hooks: list[Callable[[Flat], Flat]] = []
        self.keepers: list[Receiver] = []


class Family:
    """A base and its views: tensors that show parts of one memory. A write moves all their nodes.

    `node` is the node of the base, `writes` the number of recorded writes, and `keepers` lists the
    tensors that retain their gradient.
    """

    def __init__(self, memory: Memory, shape: Shape, node: Node | None):
        self.memory, self.shape, self.node = memory, shape, node
        self.size = int(np.prod(shape))
        self.writes = 0
        self.keepers: list[Receiver] = []


class Flat(NamedTuple):
    """A gradient as a vector, with its place on the tape if the walk records."""

    values: Array
    node: Node | None = None


def added(a: Flat | None, b: Flat) -> Flat:
    """The sum of two gradients."""
    if a is None:
        return b
    edges = [Edge(g.node, np.eye(g.values.size)) for g in (a, b) if g.node is not None]
    return Flat(a.values + b.values, Node(edges) if edges else None)


def _through(g: Flat, edge: Edge, record: bool) -> Flat:
    """g times the Jacobian. Recorded, it depends on g and on the values that the Jacobian reads."""
    values = g.values @ edge.jacobian
    edges = []
    if record and g.node is not None:
        edges.append(Edge(g.node, edge.jacobian.T))
    for k, (node, value) in enumerate(edge.reads if record else ()):
        if node is None or edge.again is None:
            continue
        known = [v for _, v in edge.reads]
        columns = []
        for e in np.eye(value.size):
            known[k] = value + 1j * IMAGINARY_STEP * e.reshape(value.shape)
            columns.append((g.values @ edge.again(*known)).imag / IMAGINARY_STEP)
        edges.append(Edge(node, np.stack(columns, 1)))
    return Flat(values, Node(edges) if edges else None)


def leading_to(targets: Collection[Node], root: Node) -> set[Node]:
    """The nodes on the ways from `root` to `targets`."""
    seen: set[Node] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack += [edge.parent for edge in node.edges]
    leading: set[Node] = set()
    for node in sorted(seen, key=lambda n: n.number):
        if node in targets or any(edge.parent in leading for edge in node.edges):
            leading.add(node)
    return leading


def walk_back(
    root: Node,
    g: Array,
    retain_graph: bool,
    record: bool = False,
    targets: Collection[Node] | None = None,
) -> dict[Node, Flat]:
    """The gradients of the nodes that are passed, for the gradient g of the root.

    `record` puts the gradients on the tape: the graph of the gradient. With `targets`, only nodes that
    lead to them are passed.

    Raises RuntimeError if a node was freed, or if a derivative reads memory that was written since.
    """
    needed = None if targets is None else leading_to(targets, root)
    pending: dict[Node, Flat] = {root: Flat(g)} if needed is None or root in needed else {}
    passed: dict[Node, Flat] = {}
    while pending:
        node = max(pending, key=lambda n: n.number)
        flat = pending.pop(node)
        for hook in node.hooks:
            flat = hook(flat)
        passed[node] = flat
        edges = [e for e in node.edges if needed is None or e.parent in needed]
        if not edges:
            continue
        if node.spent and node.saves:
            raise RuntimeError("backward: a second time through a graph that is freed")
        if any(memory.version != version for memory, version in node.read):
            raise RuntimeError("backward: a value that a derivative reads was changed in place")
        for edge in edges:
            part = _through(flat, edge, record)
            pending[edge.parent] = added(pending.get(edge.parent), part)
    for node in passed:
        node.spent |= not retain_graph
    return passed
