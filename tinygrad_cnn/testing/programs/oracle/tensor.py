"""The oracle's Tensor: an array with its place on the tape. Views, writes, reductions, backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import ArrayLike

from ...values import Array, Shape
from .tape import Edge, Family, Flat, Memory, Node, float64, recording

RESULT = "y"  # in a Read: the result of the op


class Read(NamedTuple):
    """A value that a Jacobian reads: of a tensor, of the RESULT, or of a copy that nothing changes.

    `operand` is the operand that it is, or was, the value of.
    """

    of: Tensor | str
    value: Array
    operand: Tensor | ArrayLike | None = None


class Part(NamedTuple):
    """An operand of an op: a function that computes its Jacobian from the values that this reads."""

    operand: Tensor | ArrayLike
    jacobian: Callable[..., Array]
    reads: tuple[Read, ...] = ()


class Result(NamedTuple):
    """The value of an op, and how it depends on its operands."""

    value: Array
    parts: list[Part]


class Tensor:
    """An array in float64 with its place on the tape.

    `cells` are the positions in the base that a view shows; None for a base.
    """

    def __init__(self, array: Array, family: Family | None = None, cells: Array | None = None):
        self.array = array
        self.family = family or Family(Memory(), array.shape, None)
        self.cells = cells
        self.seen = self.family.writes  # the writes that `view_node` knows of
        self.view_node: Node | None = None
        self.grad: Tensor | None = None
        self.retains_grad = False
        self.certain = True  # whether libraries agree on the order of its elements in memory
        self.made_in_no_grad = False
        self.repeated = False  # whether several of its cells may be one place in memory

    # --- its place on the tape ---

    @property
    def node(self) -> Node | None:
        """Its place on the tape. A view gets a new place after a write to its memory."""
        family = self.family
        if self.cells is None:
            return family.node
        if self.seen != family.writes:
            self.seen = family.writes
            self.view_node = None
            if family.node is not None:
                picked = np.eye(family.size)[self.cells.ravel()]
                self.view_node = Node([Edge(family.node, picked)])
        return self.view_node

    @property
    def requires_grad(self) -> bool:
        """Whether it is on the tape."""
        return self.node is not None

    @property
    def is_leaf(self) -> bool:
        """Whether no op on the tape made it."""
        return self.node is None or self.node.owner is not None

    @property
    def shape(self) -> Shape:
        """The sizes of the axes."""
        return self.array.shape

    def requires_grad_(self) -> Tensor:
        """Make it a leaf of the tape."""
        if self.cells is None and self.family.node is None:
            self.family.node = Node(owner=self)
        return self

    def retain_grad(self) -> None:
        """Keep its gradient."""
        node = self.node
        if node is None:
            raise RuntimeError("retain_grad: not on the tape")
        if node.owner is None and not self.retains_grad:
            self.retains_grad = True
            self.family.keepers.append(self)
            node.keepers.append(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> None:
        """Call `hook` with the gradient of the present values. Its result replaces the gradient."""
        if self.node is None:
            raise RuntimeError("register_hook: not on the tape")

        def run(g: Flat) -> Flat:
            result = hook(placed(g.values, g.node))
            return g if result is None else Flat(result.array, result.node)

        self.node.hooks.append(run)

    def detach(self) -> Tensor:
        """A tensor on the same memory, off the tape."""
        y = Tensor(self.array, Family(self.family.memory, self.shape, None))
        y.certain, y.repeated = self.certain, self.repeated
        return y

    def numpy(self) -> Array:
        """The array."""
        return self.array

    # --- views ---

    def _view(self, take: Callable[[Array], Array]) -> Tensor:
        every = np.arange(self.array.size).reshape(self.shape)
        mine = take(every)
        cells = mine if self.cells is None else self.cells.ravel()[mine]
        y = Tensor(take(self.array), self.family, cells)
        y.certain, y.repeated = self.certain, self.repeated
        if recording():
            if (node := self.node) is not None:
                y.view_node = Node([Edge(node, np.eye(self.array.size)[mine.ravel()])])
        else:
            y.made_in_no_grad = True
        return y

    def __getitem__(self, index: Any) -> Tensor:
        items = index if isinstance(index, tuple) else (index,)
        return self._view(lambda a: a[(*items, ...)])

    def transpose(self, i: int, j: int) -> Tensor:
        """Two axes swapped."""
        return self._view(lambda a: a.swapaxes(i, j))

    def expand(self, *shape: int) -> Tensor:
        """Repeated along axes of 1 and along new leading axes."""
        y = self._view(lambda a: as_strided(a, shape, np.broadcast_to(a, shape).strides))
        y.repeated = True
        return y

    def unsqueeze(self, dim: int) -> Tensor:
        """With a new axis of 1."""
        return self._view(lambda a: np.expand_dims(a, dim))

    def view(self, *shape: int) -> Tensor:
        """In another shape."""
        return self._view(lambda a: a.reshape(shape))

    def reshape(self, *shape: int) -> Tensor:
        """In another shape: a view if the strides allow it, else a copy."""
        if np.shares_memory(self.array.reshape(shape), self.array):
            return self.view(*shape)
        moved = np.eye(self.array.size)
        return make(Result(self.array.reshape(shape), [Part(self, lambda: moved)]))

    # --- writes ---

    def _write(self, result: Result) -> Tensor:
        """Write the value of an op into this tensor, and move the nodes of its family."""
        family = self.family
        recorded = recording() and (self.node is not None or any(map(_on_tape, result.parts)))
        if recorded and family.node is not None and family.node.owner is not None:
            raise RuntimeError("a write to a leaf, or to a view of one")
        if recording() and self.made_in_no_grad and (recorded or family.node is not None):
            raise RuntimeError("a write to a view that was made in no_grad")
        if self.repeated:
            raise RuntimeError("a write to an expanded tensor, or to a part of one")
        if result.value.shape != self.shape:
            raise RuntimeError("a write of another shape")
        path = None
        if recorded and self.cells is not None and family.node is not None:
            path = Node([Edge(family.node, np.eye(family.size)[self.cells.ravel()])])
        node = _node(result) if recorded else None
        if node is not None and path is not None:  # past the hooks of this view and earlier ones
            node.edges[0] = node.edges[0]._replace(parent=path)
        of_result = recorded and _reads_result(result)
        self.array[...] = result.value
        family.memory.version += 1
        if node is None and family.node is None:
            return self
        if node is not None and of_result:
            node.read.append((family.memory, family.memory.version))
        for kept in family.keepers:
            if (place := kept.node) is not None:
                place.keepers.remove(kept)
        if node is None:
            pass  # the views get new places, the base keeps its own
        elif self.cells is None:
            family.node = node
        else:
            scattered = np.eye(family.size)[:, self.cells.ravel()]
            edges = [Edge(node, scattered)]
            if family.node is not None:
                edges.append(Edge(family.node, np.diag(1.0 - scattered.sum(1))))
            family.node = Node(edges)
        family.writes += 1
        for kept in family.keepers:
            if (place := kept.node) is not None:
                place.keepers.append(kept)
        return self

    def copy_(self, other: Tensor | ArrayLike) -> Tensor:
        """Take the values of another tensor. The gradient of the old values is zero."""
        result = copied(other, self.shape)
        none = np.zeros((self.array.size, self.array.size))
        return self._write(Result(result.value, [Part(self, lambda: none), *result.parts]))

    def __setitem__(self, index: Any, value: Tensor | ArrayLike) -> None:
        self[index].copy_(value)

    def fill_(self, value: float) -> Tensor:
        """Set all elements to `value`."""
        return self.copy_(value)

    def zero_(self) -> Tensor:
        """Set all elements to 0."""
        return self.copy_(0.0)

    # --- reductions, products ---

    def sum(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Σ over one axis, or all."""
        return self._reduced(np.sum, lambda x, y: np.ones_like(x), dim, keepdim, ())

    def mean(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """The mean over one axis, or all."""
        return self._reduced(
            np.mean, lambda x, y: np.full_like(x, y.size / x.size), dim, keepdim, ()
        )

    def amax(self, dim: int, keepdim: bool = False) -> Tensor:
        """The largest over an axis. No two elements may be equal."""
        largest = lambda x, y: np.asarray(x == y, float64)  # noqa: E731
        return self._reduced(np.max, largest, dim, keepdim, (self, RESULT))

    def _reduced(
        self,
        value: Callable[..., Any],
        slope: Callable[[Array, Array], Array],
        dim: int | None,
        keepdim: bool,
        reads: tuple[Tensor | str, ...],
    ) -> Tensor:
        x = self.array.copy()
        kept = value(x, axis=dim, keepdims=True)
        goal = np.broadcast_to(np.arange(kept.size).reshape(kept.shape), x.shape).ravel()

        def jacobian(*values: Array) -> Array:
            matrix = np.zeros((kept.size, x.size))
            matrix[goal, np.arange(x.size)] = slope(x, kept).ravel()
            return matrix

        read = tuple(Read(of, kept if of is RESULT else x) for of in reads)
        return make(Result(value(x, axis=dim, keepdims=keepdim), [Part(self, jacobian, read)]))

    def __matmul__(self, other: Tensor) -> Tensor:
        a, b = self.array.copy(), other.array.copy()

        def by_a(b: Array) -> Array:
            return np.stack([(e.reshape(a.shape) @ b).ravel() for e in np.eye(a.size)], 1)

        def by_b(a: Array) -> Array:
            return np.stack([(a @ e.reshape(b.shape)).ravel() for e in np.eye(b.size)], 1)

        parts = [
            Part(self, by_a, (Read(other, b, other),)), Part(other, by_b, (Read(self, a, self),))
        ]  # fmt: skip
        return make(Result(a @ b, parts))

    def clone(self) -> Tensor:
        """A copy, on the tape."""
        return make(copied(self, self.shape))

    # `backward` is in gradients.py, elementwise ops are in elementwise.py

    def __gt__(self, other: float) -> Array:
        return self.array > other

    # --- backward ---


# --- How ops meet the tape ----------------------------------------------------------------------


def make(result: Result) -> Tensor:
    """A new tensor with the value of an op."""
    y = Tensor(np.array(result.value, float64, order="C"))
    operands = [p.operand for p in result.parts if isinstance(p.operand, Tensor)]
    y.certain = all(x.certain and x.array.flags.c_contiguous for x in operands)
    if recording() and any(map(_on_tape, result.parts)):
        y.family.node = _node(result)
        if _reads_result(result):
            y.family.node.read.append((y.family.memory, 0))
    return y


def placed(array: Array, node: Node | None) -> Tensor:
    """A tensor at a node of the tape."""
    y = Tensor(array)
    y.family.node = node
    return y


def _on_tape(part: Part) -> bool:
    return isinstance(part.operand, Tensor) and part.operand.node is not None


def _node(result: Result) -> Node:
    """The node of an op. The caller notes a read of the result: see `_reads_result`."""
    parts = [p for p in result.parts if _on_tape(p)]
    places = {id(x): _place(x) for p in parts for x in (p.operand, *[r.operand for r in p.reads])}
    node = Node()  # younger than all these, which may be made only now
    for part in parts:
        values = [read.value for read in part.reads]
        nodes = [node if read.of is RESULT else places[id(read.operand)] for read in part.reads]
        reads = list(zip(nodes, values, strict=True))
        parent = places[id(part.operand)]
        assert parent is not None
        node.edges.append(Edge(parent, part.jacobian(*values), part.jacobian, reads))
        node.saves |= bool(part.reads)
        for read in part.reads:
            if isinstance(read.of, Tensor):
                node.read.append((read.of.family.memory, read.of.family.memory.version))
    return node


def _place(x: Tensor | ArrayLike | None) -> Node | None:
    return x.node if isinstance(x, Tensor) else None


def _reads_result(result: Result) -> bool:
    """Whether a derivative that is needed reads the result of the op."""
    return any(r.of is RESULT for part in result.parts if _on_tape(part) for r in part.reads)


def array_of(x: Tensor | ArrayLike) -> Array:
    """The array of a tensor, or of a number."""
    return x.array if isinstance(x, Tensor) else np.asarray(x, float64)


def spread(shape: Shape, target: Shape, slope: ArrayLike) -> Array:
    """The Jacobian of an elementwise function that broadcasts `shape` to `target`."""
    size = int(np.prod(shape))
    cells = np.broadcast_to(np.arange(size).reshape(shape), target).ravel()
    matrix = np.zeros((cells.size, size), np.result_type(slope, float64))
    matrix[np.arange(cells.size), cells] = np.broadcast_to(slope, target).ravel()
    return matrix


def copied(x: Tensor | ArrayLike, shape: Shape) -> Result:
    """A copy of x, broadcast to `shape`."""
    value = np.broadcast_to(array_of(x), shape).copy()
    return Result(value, [Part(x, lambda: spread(np.shape(array_of(x)), shape, 1.0))])
