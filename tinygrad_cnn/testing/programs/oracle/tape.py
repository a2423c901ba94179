"""The tape: nodes with explicit Jacobians, and the walk back that multiplies them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import count
from typing import Protocol

import numpy as np

from ...values import Array, Shape

float64 = np.dtype(np.float64)

_numbers = count()
_recording = [True]


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

    @property
    def node(self) -> Node | None:
        """Its place on the tape."""

    def receive(self, g: Array) -> None:
        """Add g, of one axis, to its gradient."""


class Memory:
    """The memory that tensors share, including detached ones. `version` counts the writes."""

    version = 0


class Node:
    """A vector on the tape: the nodes that it depends on, each with the Jacobian.

    - `owner`: the tensor of a leaf;
    - `read`: the memories that derivatives read, with their versions; `saves`: whether they read
      any value; `spent`: whether backward has freed the node;
    - `hooks`: functions of the gradient; `keepers`: tensors that retain their gradient.
    """

    def __init__(self, edges: Sequence[tuple[Node, Array]] = (), owner: Receiver | None = None):
        self.number = next(_numbers)
        self.edges = list(edges)
        self.owner = owner
        self.saves = self.spent = False
        self.read: list[tuple[Memory, int]] = []
        self.hooks: list[Callable[[Array], Array]] = []
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


def walk_back(root: Node, g: Array, retain_graph: bool) -> list[tuple[Receiver, Array]]:
    """The gradients of leaves, and of tensors that retain theirs, for the gradient g of the root.

    Raises RuntimeError if a node was freed, or if a derivative reads memory that was written since.
    """
    pending, found, passed = {root: g}, [], []
    while pending:
        node = max(pending, key=lambda n: n.number)
        g = pending.pop(node)
        for hook in node.hooks:
            g = hook(g)
        found += [(tensor, g) for tensor in node.keepers]
        if node.owner is not None:
            found.append((node.owner, g))
        if node.spent and node.saves:
            raise RuntimeError("backward: a second time through a graph that is freed")
        if any(memory.version != version for memory, version in node.read):
            raise RuntimeError("backward: a value that a derivative reads was changed in place")
        for parent, jacobian in node.edges:
            pending[parent] = pending.get(parent, 0.0) + g @ jacobian
        passed.append(node)
    for node in passed:
        node.spent |= not retain_graph
    return found
