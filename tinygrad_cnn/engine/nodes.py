"""The record: the part of a Tensor that the engine knows, and the nodes of the graph.

A node holds its parents and never the output tensor. So there is no reference cycle: reference
counting frees an array that no vjp saved as soon as the user drops it.
"""

from __future__ import annotations

import functools
import operator
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, Protocol

import numpy as np
from numpy import ndarray

next_number = count(1).__next__  # a parent's number is smaller than its child's


class Recorded:
    """The part of a Tensor that the engine knows: its array, and its place in the graph."""

    # Every tensor has an array and a node. The attributes that few have are in the dict.
    __slots__ = ("__dict__", "__weakref__", "_array", "_node")
    _array: ndarray
    _node: Node | None  # None: requires no grad
    _grad: Any  # unset until there is one
    _base: Any  # only in views: the tensor that shares its memory ...
    _replay: Any  # ... and the ops that make the view from it; see views.py
    _views: list[Any]  # weak references to the views of this tensor ...
    _outdated: dict[int, Any]  # ... and to those, by id, that need a new node: see views.py
    _shared: bool  # set if arrays or tensors outside of these views share the memory


class Provided:
    """The parts that other rooms pass to the engine by `provide`. Until then, simple defaults."""

    __slots__ = ("add", "new_tensor")

    def __init__(self) -> None:
        self.new_tensor: Callable[[], Any] = Recorded  # an empty one
        self.add: Callable[[Any, Any], Any] = operator.add


provided = Provided()


def provide(
    *, tensor: type[Recorded] | None = None, add: Callable[[Any, Any], Any] | None = None
) -> None:
    """Pass the engine the class of tensors to make, or the function that adds two arrays."""
    if tensor is not None:
        provided.new_tensor = functools.partial(object.__new__, tensor)
    if add is not None:
        provided.add = add


def wrap(array: Any, node: Node | None = None) -> Any:
    """A new Tensor that holds `array`, at `node` of the graph."""
    tensor = provided.new_tensor()
    tensor._array = array if type(array) is ndarray else np.asarray(array)
    tensor._node = node
    return tensor


class Operation(Protocol):
    """The protocol of an op. `Op`, `Function` and the selection of an output satisfy it.

    A subclass that names this protocol as its base gets the defaults.
    """

    name: str
    inputs: tuple[str, ...]  # one name for each parent; a variadic op has one name for all
    attributes: tuple[str, ...] = ()  # names of the first values of `Node.static`
    saved: tuple[str, ...] = ()  # names of the values of `Node.saved`
    elementwise: bool = False  # inputs broadcast: the engine sums gradients back to their shapes
    view: bool = False  # the output shares the memory of the first input
    variadic: bool = False
    composite: Callable[..., Any] | None = None  # the same function made of other ops
    replace: Callable[[Node], None] | None = None  # by a graph, after a recorded vjp

    def backward(
        self, g: Any, first: Any, second: Any, saved: Any, static: Any
    ) -> Iterable[tuple[Any, Any]]:
        """Pairs of a parent and its gradient. A parent that is None needs none.

        `first` and `second` are the parents as a Node holds them.
        """


class Node:
    """One call of an op: the nodes of its inputs, and the values for its vjps. Or a leaf.

    `saved` holds arrays; it is None once they are freed. `static` holds attributes, then shapes (of
    a leaf, the weak reference to its tensor). `extra` is None, or a dict of hooks, of the weak
    reference of `retain_grad` and of notes that observers leave; `made` is the moment of its creation if
    that is not its number. A leaf has no op. Calls and leaves are one class, which makes the loop of the
    backward pass faster.

    For an op of one or two inputs, `first` and `second` are the parents, which saves a tuple. For
    any other op, `first` is the tuple of the parents. `parents` reads both forms.
    """

    __slots__ = (
        "depth", "dtype", "extra", "first", "number", "op", "saved", "second", "shape", "static",
    )  # fmt: skip
    op: Any  # an Operation; None for a leaf
    first: Any
    second: Node | None
    saved: tuple[Any, ...] | None
    static: tuple[Any, ...]
    number: int
    depth: int  # the length of the longest path to a leaf or a cut; see below
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    extra: dict[str, Any] | None

    def name(self) -> str:
        """The name as PyTorch writes it: `MulBackward0`, and `AccumulateGrad` for a leaf."""
        if self.op is None:
            return "AccumulateGrad"
        return "".join(part.capitalize() for part in self.op.name.split("_")) + "Backward0"

    @property
    def parents(self) -> tuple[Node | None, ...]:
        """The node of each input; None where the input requires no grad."""
        if isinstance(self.first, tuple):
            return self.first
        return (self.first, self.second) if len(self.op.inputs) == 2 else (self.first,)

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The parents, each with the number of its output (always 0)."""
        return tuple((parent, 0) for parent in self.parents)

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes of this call: stride, padding, dim ..."""
        return dict(zip(self.op.attributes, self.static, strict=False)) if self.op else {}

    @property
    def variable(self) -> Any:
        """The tensor of a leaf, or None if it no longer exists."""
        return self.static[0]() if self.op is None else None

    def __repr__(self) -> str:
        return f"<{self.name()}>"


# --- Release --------------------------------------------------------------------------------------
#
# A node that dies drops its parents, which may die in turn: a recursion on the stack of the thread.
# Cuts end it. The path from a node to the next cuts or leaves is at most MAX_DEPTH nodes long.

MAX_DEPTH = 200  # a level takes up to 150 bytes of stack in Python 3.13, of 128 KiB or more


class _Released:
    name, inputs = "released", ()


class _Release(threading.local):
    waiting: Any = staticmethod(lambda: None)  # gives the dead cuts while a loop frees, else None
    deque, ref, op = deque, weakref.ref, _Released  # globals may be gone when Python exits


class Cut(Node):
    """A node that leaves everything that it holds to a loop, which the first dead cut runs.

    Each thread has its own loop. `waiting` is a weak reference, so it ends with the loop, even if an
    exception ends that.
    """

    __slots__ = ()

    def __del__(self, release: Any = _Release()) -> None:  # noqa: B008  as it outlives all globals
        waiting = release.waiting()
        if waiting is not None:
            waiting.append(self)
            return
        waiting = release.deque([self])
        release.waiting = release.ref(waiting)
        while waiting:
            node = waiting.pop()
            # A finalizer of the user's may save a cut from the collector: walks to it raise.
            node.op, node.static, node.first, node.saved = release.op, (), (), None
            node.second = node.extra = None


def cut(node: Node) -> None:
    """Make `node` a cut, as it may hold tensors besides its parents."""
    node.__class__, node.depth = Cut, 0


# By the depth of the deepest parent: the class of a node, and its depth.
KINDS: tuple[type[Node], ...] = (*[Node] * (MAX_DEPTH - 1), Cut)
DEPTHS = (*range(1, MAX_DEPTH), 0)


def leaf(tensor: Recorded) -> Node:
    """The end of the graph at a tensor that requires grad.

    The tensor holds its leaf, and the leaf holds a weak reference: no cycle.
    """
    return new_node(None, (), tensor._array.shape, tensor._array.dtype, (weakref.ref(tensor),))


def new_node(op: Any, parents: tuple[Any, ...], shape: Any, dtype: Any, static: Any = ()) -> Node:
    """A node with a tuple of parents, which saves nothing yet."""
    node = Cut() if parents else Node()  # `op` may be the call of a Function, which holds tensors
    node.op, node.first, node.second, node.extra, node.static = op, parents, None, None, static
    node.number, node.shape, node.dtype, node.saved, node.depth = next_number(), shape, dtype, (), 0
    return node
