"""A naive oracle for whole graphs: a small library with PyTorch's API, written apart from the engine.

Everything is float64. Each op leaves its Jacobians behind as explicit matrices, from a table of
plain derivatives, and backward multiplies them. Tensors on one memory form a family: a view knows
the cells that it shows, a write gives the family's base a new node (the old values but for the cells
written, those from the op), and a view is read out of the base anew after that. So writes and views
are right by construction, and it is far too slow for anything but tests.

What a derivative reads is noted with the version of its memory, so that the oracle raises where a
graph was spent or what it needs was changed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .values import Array, Shape

float64 = np.dtype(np.float64)

_numbers = count()
_recording = [True]


class no_grad(AbstractContextManager[None]):
    """Record nothing in this block."""

    def __enter__(self) -> None:
        _recording.append(False)

    def __exit__(self, *exc: object) -> None:
        _recording.pop()


class Memory:
    """What tensors share, detached ones too; how often it was written."""

    version = 0


class Node:
    """A vector of the tape: the nodes that it was made of, each with the Jacobian."""

    def __init__(self, edges: Sequence[tuple[Node, Array]] = (), owner: Tensor | None = None):
        self.number = next(_numbers)
        self.edges = list(edges)
        self.owner = owner  # of a leaf: its tensor
        self.saves = self.spent = False
        self.read: list[tuple[Memory, int]] = []
        self.hooks: list[Callable[[Any], Any]] = []
        self.keepers: list[Tensor] = []  # tensors that retain their gradient


class Family:
    """The tensors that show parts of one memory and move together when one of them is written."""

    def __init__(self, memory: Memory, shape: Shape, node: Node | None):
        self.memory, self.shape, self.node = memory, shape, node
        self.size = int(np.prod(shape))
        self.writes = 0  # recorded ones
        self.keepers: list[Tensor] = []  # the tensors that retain their gradient


class Part(NamedTuple):
    """An operand of an op: its Jacobian, when asked for, and what that reads."""

    tensor: Any
    jacobian: Callable[[], Array]
    reads: tuple[Any, ...]  # tensors, "y" for the result, or the name of what nobody can change


class Result(NamedTuple):
    """What an op gives, and how that depends on its operands."""

    value: Array
    parts: list[Part]


class Tensor:
    """An array in float64 with its place on the tape."""

    def __init__(self, array: Array, family: Family | None = None, cells: Array | None = None):
        self.array = array
        self.family = family or Family(Memory(), array.shape, None)
        self.cells = cells  # of a view: the positions in the base that it shows
        self.seen = self.family.writes
        self.view_node: Node | None = None
        self.grad: Tensor | None = None
        self.retains_grad = False
        self.certain = True  # whether libraries agree on the order of its elements in memory
        self.made_in_no_grad = False
        self.repeated = False  # whether one place in memory may be several of its cells

    # --- its place on the tape ---

    @property
    def node(self) -> Node | None:
        """Where it is on the tape now: for a view of what was written since, at a new place."""
        family = self.family
        if self.cells is None:
            return family.node
        if self.seen != family.writes:
            self.seen = family.writes
            self.view_node = None
            if family.node is not None:
                picked = np.eye(family.size)[self.cells.ravel()]
                self.view_node = Node([(family.node, picked)])
        return self.view_node

    @property
    def requires_grad(self) -> bool:
        """Whether it is on the tape."""
        return self.node is not None

    @property
    def is_leaf(self) -> bool:
        """Whether nothing on the tape made it."""
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

    def register_hook(self, hook: Callable[[Any], Any]) -> None:
        """Let `hook` see, and replace, the gradient of what it holds now."""
        if self.node is None:
            raise RuntimeError("register_hook: not on the tape")
        self.node.hooks.append(hook)

    def detach(self) -> Tensor:
        """The same memory, off the tape."""
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
        if _recording[-1]:
            if (node := self.node) is not None:
                y.view_node = Node([(node, np.eye(self.array.size)[mine.ravel()])])
        else:
            y.made_in_no_grad = True
        return y

    def __getitem__(self, index: Any) -> Tensor:
        items = index if isinstance(index, tuple) else (index,)
        return self._view(lambda a: a[(*items, ...)])

    def transpose(self, i: int, j: int) -> Tensor:
        """Two axes exchanged."""
        return self._view(lambda a: a.swapaxes(i, j))

    def expand(self, *shape: int) -> Tensor:
        """Repeated along axes of 1, and in front."""
        y = self._view(lambda a: as_strided(a, shape, np.broadcast_to(a, shape).strides))
        y.repeated = True
        return y

    def unsqueeze(self, dim: int) -> Tensor:
        """An axis of 1 more."""
        return self._view(lambda a: np.expand_dims(a, dim))

    def view(self, *shape: int) -> Tensor:
        """In another shape."""
        return self._view(lambda a: a.reshape(shape))

    def reshape(self, *shape: int) -> Tensor:
        """In another shape: a view where strides allow it."""
        if np.shares_memory(self.array.reshape(shape), self.array):
            return self.view(*shape)
        moved = np.eye(self.array.size)
        return _make(Result(self.array.reshape(shape), [Part(self, lambda: moved, ())]))

    # --- writes ---

    def _write(self, result: Result) -> Tensor:
        family = self.family
        recorded = _recording[-1] and any(_on_tape(p.tensor) for p in [*result.parts, _whole(self)])
        if recorded and family.node is not None and family.node.owner is not None:
            raise RuntimeError("a write to a leaf, or to a view of one")
        if _recording[-1] and self.made_in_no_grad and (recorded or family.node is not None):
            raise RuntimeError("a write to a view that was made in no_grad")
        if self.repeated:
            raise RuntimeError("a write to what expand() made, or to a part of it")
        if result.value.shape != self.shape:
            raise RuntimeError("a write of another shape")
        path = None
        if recorded and self.cells is not None and family.node is not None:
            path = Node([(family.node, np.eye(family.size)[self.cells.ravel()])])
        node = _node(result) if recorded else None
        if node is not None and path is not None:  # past the hooks of this view and those before it
            node.edges[0] = (path, node.edges[0][1])
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
            pass  # views get new places, the base keeps its own
        elif self.cells is None:
            family.node = node
        else:
            scattered = np.eye(family.size)[:, self.cells.ravel()]
            edges = [(node, scattered)]
            if family.node is not None:
                edges.append((family.node, np.diag(1.0 - scattered.sum(1))))
            family.node = Node(edges)
        family.writes += 1
        for kept in family.keepers:
            if (place := kept.node) is not None:
                place.keepers.append(kept)
        return self

    def copy_(self, other: Any) -> Tensor:
        """Take over the values of another; the old ones get a gradient of zeros."""
        result = _copied(other, self.shape)
        none = np.zeros((self.array.size, self.array.size))
        return self._write(Result(result.value, [Part(self, lambda: none, ()), *result.parts]))

    def __setitem__(self, index: Any, value: Any) -> None:
        self[index].copy_(value)

    def fill_(self, value: float) -> Tensor:
        """All cells `value`."""
        return self.copy_(value)

    def zero_(self) -> Tensor:
        """All cells 0."""
        return self.copy_(0.0)

    # --- reductions, products ---

    def sum(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Σ over an axis, or all."""
        return self._reduced(np.sum, lambda x, y: np.ones_like(x), dim, keepdim, ())

    def mean(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """The mean over an axis, or all."""
        return self._reduced(
            np.mean, lambda x, y: np.full_like(x, y.size / x.size), dim, keepdim, ()
        )

    def amax(self, dim: int, keepdim: bool = False) -> Tensor:
        """The largest over an axis: no two may be equal."""
        largest = lambda x, y: np.asarray(x == y, float64)  # noqa: E731
        return self._reduced(np.max, largest, dim, keepdim, (self, "y"))

    def _reduced(
        self, value: Any, slope: Any, dim: int | None, keepdim: bool, reads: tuple[Any, ...]
    ) -> Tensor:
        x = self.array.copy()
        kept = value(x, axis=dim, keepdims=True)
        goal = np.broadcast_to(np.arange(kept.size).reshape(kept.shape), x.shape).ravel()

        def jacobian() -> Array:
            matrix = np.zeros((kept.size, x.size))
            matrix[goal, np.arange(x.size)] = slope(x, kept).ravel()
            return matrix

        return _make(Result(value(x, axis=dim, keepdims=keepdim), [Part(self, jacobian, reads)]))

    def __matmul__(self, other: Tensor) -> Tensor:
        a, b = self.array.copy(), other.array.copy()

        def by_a() -> Array:
            return np.stack([(e.reshape(a.shape) @ b).ravel() for e in np.eye(a.size)], 1)

        def by_b() -> Array:
            return np.stack([(a @ e.reshape(b.shape)).ravel() for e in np.eye(b.size)], 1)

        return _make(Result(a @ b, [Part(self, by_a, (other,)), Part(other, by_b, (self,))]))

    def clone(self) -> Tensor:
        """A copy, on the tape."""
        return _make(_copied(self, self.shape))

    def __gt__(self, other: float) -> Array:
        return self.array > other

    # --- backward ---

    def backward(self, gradient: Tensor | None = None, retain_graph: bool = False) -> None:
        """Multiply the Jacobians from here to the leaves, and add to their gradients."""
        root = self.node
        if root is None or (gradient is None and self.array.size != 1):
            raise RuntimeError("backward: not on the tape, or no scalar")
        start = np.ones(1) if gradient is None else gradient.array.ravel()
        pending, found, passed = {root: start.copy()}, [], []
        while pending:
            node = max(pending, key=lambda n: n.number)
            g = pending.pop(node)
            for hook in node.hooks:
                g = hook(Tensor(g)).array
            found += [(tensor, g) for tensor in node.keepers]
            if node.owner is not None:
                found.append((node.owner, g))
            if node.spent and node.saves:
                raise RuntimeError("backward: a second time through a graph that is spent")
            if any(memory.version != version for memory, version in node.read):
                raise RuntimeError("backward: what a derivative reads was changed in place")
            for parent, jacobian in node.edges:
                pending[parent] = pending.get(parent, 0.0) + g @ jacobian
            passed.append(node)
        for node in passed:
            node.spent |= not retain_graph
        for tensor, g in found:
            g = g.reshape(tensor.shape)
            tensor.grad = Tensor(g.copy() if tensor.grad is None else tensor.grad.array + g)


# --- How ops meet the tape ----------------------------------------------------------------------


def _on_tape(x: Any) -> bool:
    return isinstance(x, Tensor) and x.node is not None


def _whole(x: Tensor) -> Part:
    return Part(x, lambda: np.eye(x.array.size), ())


def _node(result: Result) -> Node:
    """The node of an op; its result, if a derivative reads that, is noted by `_reads_result`."""
    parts = [p for p in result.parts if _on_tape(p.tensor)]
    node = Node([(p.tensor.node, p.jacobian()) for p in parts])
    for what in (r for p in parts for r in p.reads):
        node.saves = True
        if isinstance(what, Tensor):
            node.read.append((what.family.memory, what.family.memory.version))
    return node


def _reads_result(result: Result) -> bool:
    """Whether a derivative that is needed reads what the op gives."""
    return any(isinstance(r, str) and r == "y" for p in result.parts if _on_tape(p.tensor)
               for r in p.reads)  # fmt: skip


def _make(result: Result) -> Tensor:
    """A new tensor."""
    y = Tensor(np.array(result.value, float64, order="C"))
    operands = [p.tensor for p in result.parts if isinstance(p.tensor, Tensor)]
    y.certain = all(x.certain and x.array.flags.c_contiguous for x in operands)
    if _recording[-1] and any(map(_on_tape, operands)):
        y.family.node = _node(result)
        if _reads_result(result):
            y.family.node.read.append((y.family.memory, 0))
    return y


def _array(x: Any) -> Array:
    return x.array if isinstance(x, Tensor) else np.asarray(x, float64)


def _spread(shape: Shape, target: Shape, slope: Array) -> Array:
    """The Jacobian of what is elementwise but for broadcasting `shape` to `target`."""
    size = int(np.prod(shape))
    cells = np.broadcast_to(np.arange(size).reshape(shape), target).ravel()
    matrix = np.zeros((cells.size, size))
    matrix[np.arange(cells.size), cells] = np.broadcast_to(slope, target).ravel()
    return matrix


def _copied(x: Any, shape: Shape) -> Result:
    value = np.broadcast_to(_array(x), shape).copy()
    return Result(value, [Part(x, lambda: _spread(np.shape(_array(x)), shape, np.ones(())), ())])


def _elementwise(
    value: Any, slopes: Sequence[tuple[Any, str]], operands: Sequence[Any], first: Any
) -> Result:
    """An op of the table; a slope that reads a reads `first`."""
    arrays = [_array(x).copy() for x in operands]
    y = np.asarray(value(*arrays))
    named = {"y": "y", "a": first, "b": operands[-1], "c": "the condition"}

    def part(k: int) -> Part:
        slope, reads = slopes[k]
        jacobian = lambda: _spread(arrays[k].shape, y.shape, slope(*arrays, y))  # noqa: E731
        return Part(operands[k], jacobian, tuple(named[r] for r in reads))

    return Result(y, [part(k) for k in range(len(operands))])


def _sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


# the function, and for each operand its slope, with the letters of what the slope needs
TABLE: dict[str, tuple[Any, tuple[tuple[Any, str], ...]]] = {
    "neg": (np.negative, ((lambda a, y: -1.0, ""),)),
    "sin": (np.sin, ((lambda a, y: np.cos(a), "a"),)),
    "cos": (np.cos, ((lambda a, y: -np.sin(a), "a"),)),
    "exp": (np.exp, ((lambda a, y: y, "y"),)),
    "log": (np.log, ((lambda a, y: 1.0 / a, "a"),)),
    "sqrt": (np.sqrt, ((lambda a, y: 0.5 / y, "y"),)),
    "tanh": (np.tanh, ((lambda a, y: 1.0 - y**2, "y"),)),
    "sigmoid": (_sigmoid, ((lambda a, y: y * (1.0 - y), "y"),)),
    "relu": (lambda a: np.where(a > 0, a, 0.0), ((lambda a, y: a > 0, "y"),)),
    "abs": (np.abs, ((lambda a, y: np.sign(a), "a"),)),
    "add": (np.add, ((lambda a, b, y: 1.0, ""), (lambda a, b, y: 1.0, ""))),
    "sub": (np.subtract, ((lambda a, b, y: 1.0, ""), (lambda a, b, y: -1.0, ""))),
    "mul": (np.multiply, ((lambda a, b, y: b, "b"), (lambda a, b, y: a, "a"))),
    "div": (np.divide, ((lambda a, b, y: 1.0 / b, "b"), (lambda a, b, y: -a / b**2, "ab"))),
    "maximum": (np.maximum, ((lambda a, b, y: a > b, "ab"), (lambda a, b, y: b > a, "ab"))),
    "minimum": (np.minimum, ((lambda a, b, y: a < b, "ab"), (lambda a, b, y: b < a, "ab"))),
}


def _method(name: str, in_place: bool) -> Callable[..., Tensor]:
    value, slopes = TABLE[name]

    def method(self: Tensor, *others: Any) -> Tensor:
        if in_place:  # what is written over is copied before
            return self._write(_elementwise(value, slopes, (self, *others), "a copy"))
        return _make(_elementwise(value, slopes, (self, *others), self))

    return method


for _name in TABLE:
    setattr(Tensor, _name, _method(_name, False))
    setattr(Tensor, _name + "_", _method(_name, True))
for _name, _operator in {"add": "add", "sub": "sub", "mul": "mul", "div": "truediv"}.items():
    setattr(Tensor, f"__{_operator}__", _method(_name, False))
    setattr(Tensor, f"__i{_operator}__", _method(_name, True))


def tensor(values: Any, dtype: Any = float64, requires_grad: bool = False) -> Tensor:
    """A new tensor of numbers."""
    y = Tensor(np.array(values, dtype))
    return y.requires_grad_() if requires_grad else y


def where(condition: Array, a: Any, b: Any) -> Tensor:
    """a where the condition holds, else b."""
    slopes = (lambda a, b, y: condition, "c"), (lambda a, b, y: ~condition, "c")
    return _make(_elementwise(lambda a, b: np.where(condition, a, b), slopes, (a, b), a))


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors one after the other along an axis."""
    y = np.concatenate([x.array for x in tensors], dim)
    parts = []
    for k, x in enumerate(tensors):
        marks = [np.full(t.shape, -1) for t in tensors]
        marks[k] = np.arange(x.array.size).reshape(x.shape)
        cells = np.concatenate(marks, dim).ravel()
        matrix = np.zeros((cells.size, x.array.size))
        matrix[np.flatnonzero(cells >= 0), cells[cells >= 0]] = 1.0
        parts.append(Part(x, functools.partial(np.asarray, matrix), ()))
    return _make(Result(y, parts))


def maximum(a: Tensor, b: Tensor) -> Tensor:
    """The larger of each two, which are never equal."""
    return _method("maximum", False)(a, b)


def minimum(a: Tensor, b: Tensor) -> Tensor:
    """The smaller of each two, which are never equal."""
    return _method("minimum", False)(a, b)
