"""From tensors to a `Graph`: the walk back through what was recorded. It does not recurse."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from tinygrad_cnn import Tensor

from .model import Edge, Graph, Measured, Node, Saved, Shape, no_collection
from .scopes import Scope, clusters, inferred, key


class Notes(Protocol):
    """What a run that was watched tells of each recorded node (see `trace`)."""

    def scope(self, node: Any) -> Scope:
        """The calls of modules that it ran in."""

    def measured(self, node: Any) -> Measured | None:
        """What was measured, None where it was not seen."""

    def line(self, node: Any) -> str:
        """The line of the user's source."""

    def form(self, node: Any) -> str:
        """ "in place", or "" """


def record(
    tensors: Any,
    model: Any = None,
    names: Mapping[str, Any] | None = None,
    notes: Notes | None = None,
) -> Graph:
    """The graph that was recorded for a tensor, or for several.

    Args:
        tensors: a Tensor that requires grad, or a sequence of them.
        model: a Module; its parameters are then called as in `model.named_parameters()`, and ops
            are put into clusters for the modules that they ran in, as far as parameters tell.
        names: names for further tensors, `{"images": x}`: inputs, or what `tensors` holds.
        notes: what a watched run tells; `trace` gives them.

    Every input of every op is one edge. An input that needs no gradient is a constant; of an
    optional one (a bias) that was never seen to exist there is none. A graph whose saved values
    were freed by `backward` can be recorded too; constants then have lost their shapes.

    Raises TypeError for what is no Tensor, ValueError for one that no graph was recorded for.

    >>> import tinygrad_cnn as tc
    >>> w = tc.tensor([3.0], requires_grad=True)
    >>> graph = record(w * w)
    >>> [(edge.source, edge.target, edge.name) for edge in graph.edges]
    [(0, 1, 'a'), (0, 1, 'b'), (1, 2, 'input')]
    """
    with no_collection():
        return walk(tensors, model, names, notes).graph()


def walk(
    tensors: Any, model: Any, names: Mapping[str, Any] | None, notes: Notes | None = None
) -> Walk:
    """`record`, with the place of each recorded node known: `Walk.at`."""
    roots = list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]
    if not roots:
        raise ValueError("nothing to draw: got no tensors")
    for tensor in roots:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"expected a Tensor that was computed, got {type(tensor).__name__}")
        if not tensor.requires_grad:
            raise ValueError(
                f"no graph was recorded for this tensor of shape {tuple(tensor.shape)}: it was computed "
                "under no_grad(), or from tensors none of which requires grad"
            )
    walked = Walk(model, names or {}, notes)
    for node in recorded_nodes([tensor.grad_fn for tensor in roots]):
        walked.add_op(node)
    for k, tensor in enumerate(roots):
        walked.add_output(tensor, "output" if len(roots) == 1 else f"output {k}")
    return walked


def recorded_nodes(roots: Iterable[Any]) -> list[Any]:
    """All nodes of ops behind `roots`, each after its parents: in the order of their creation."""
    seen: dict[int, Any] = {}
    stack = [root for root in roots if root is not None]
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen[id(node)] = node
            stack.extend(p for p in node.parents if p is not None and p.op is not None)
    return sorted(seen.values(), key=lambda node: node.number)


class Walk:
    """The graph while it grows. Tensors and arrays are known by their identity."""

    def __init__(self, model: Any, names: Mapping[str, Any], notes: Notes | None = None) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.at: dict[int, int] = {}  # id of a graph node, a leaf or an array -> position
        self.names: dict[int, str] = {}  # id of a tensor, or of its array -> name
        self.alive: list[Any] = []  # what those ids belong to, so that they stay theirs
        self.parameters: dict[int, str] = {}  # id of a tensor -> its name in the model
        self.kinds: dict[str, str] = {}
        self.notes = notes
        self.counted: set[int] = set()  # ids of memory that is somebody's already
        self.scopes: list[Scope] = []  # of each op, where a run was watched
        self.uses: list[list[str]] = []  # the parameters of each op
        self.places: list[int] = []  # of each op
        if model is not None:
            self.kinds = {path: type(m).__name__ for path, m in model.named_modules()}
            for name, parameter in model.named_parameters():
                self._call(parameter, name)
                self.parameters[id(parameter)] = name
        for name, tensor in names.items():
            if not isinstance(tensor, Tensor):
                raise TypeError(f"names[{name!r}]: expected a Tensor, got {type(tensor).__name__}")
            self._call(tensor, name)

    def _call(self, tensor: Any, name: str) -> None:
        array = tensor.detach().numpy()  # no copy: the array that ops saved
        self.alive += [tensor, array]
        self.names[id(tensor)] = self.names[id(array)] = str(name)
        self.counted.add(_memory(array))

    def _add(self, node: Node, *keys: Any) -> int:
        at = len(self.nodes)
        self.nodes.append(node)
        for known in keys:
            self.alive.append(known)
            self.at[id(known)] = at
        return at

    def add_op(self, node: Any) -> None:
        """A node for an op, after nodes for those of its inputs that no op made."""
        saved = None if node.saved is None else dict(zip(node.op.saved, node.saved, strict=False))
        edges: list[Edge] = []
        uses: list[str] = []
        for slot, (name, parent) in enumerate(zip(_input_names(node), node.parents, strict=True)):
            if parent is None:
                source = self._constant(name, (saved or {}).get(name), slot < _required(node))
            elif parent.op is None:
                source = self._leaf(parent.variable, parent.shape, parent.dtype, name, parent)
                if self.nodes[source].kind == "parameter":
                    uses.append(self.nodes[source].name)
            else:
                source = self.at[id(parent)]
            if source is not None:
                kept = isinstance((saved or {}).get(name), np.ndarray)
                edges.append(Edge(source, 0, slot, name, kept))
        made = Node("op", node.op.name, node.shape, _dtype_name(node.dtype), node.attributes)
        made.saved = None if saved is None else tuple(self._kept(saved))
        made.family, made.formula = _facts(getattr(node.op, "forward", None))
        made.form = "view" if node.op.view else ""
        if not made.family:
            made.formula = inspect.cleandoc(getattr(node.op, "function", node.op).__doc__ or "")
        if self.notes is not None:
            self.scopes.append(self.notes.scope(node))
            made.measured, made.line = self.notes.measured(node), self.notes.line(node)
            made.form = self.notes.form(node) or made.form
        self.uses.append(uses)
        at = self._add(made, node)
        self.places.append(at)
        for edge in edges:
            edge.target = at
        self.edges += edges

    def _kept(self, saved: Mapping[str, Any]) -> Iterable[Saved]:
        for name, value in saved.items():
            for array in value if isinstance(value, tuple) else (value,):
                if isinstance(array, np.ndarray):
                    memory = _memory(array)
                    yield Saved(name, array.shape, array.nbytes, memory not in self.counted)
                    self.counted.add(memory)

    def _leaf(self, tensor: Any, shape: Shape, dtype: Any, role: str, leaf: Any = None) -> int:
        """The place of a leaf; `tensor` is None where it lives no more."""
        known = leaf if tensor is None else tensor
        if id(known) in self.at:
            return self.at[id(known)]
        parameter = self.parameters.get(id(known))
        name = self.names.get(id(known), role) if parameter is None else parameter
        kind = "leaf" if parameter is None else "parameter"
        return self._add(Node(kind, name, shape, _dtype_name(dtype)), known)

    def _constant(self, role: str, value: Any, required: bool) -> int | None:
        if isinstance(value, (bool, int, float)):
            return self._add(Node("constant", role, (), value=value))
        if not isinstance(value, (np.ndarray, np.generic)):  # nobody kept it
            return self._add(Node("constant", role)) if required else None
        if id(value) in self.at:
            return self.at[id(value)]
        name = self.names.get(id(value), role)
        number = value.item() if value.ndim == 0 else None
        return self._add(
            Node("constant", name, value.shape, _dtype_name(value.dtype), value=number), value
        )

    def names_of(self, node: Any) -> list[str]:
        """The name of each input of a recorded node."""
        return _input_names(node)

    def add_output(self, tensor: Any, role: str) -> None:
        """The end of the graph, at a tensor."""
        if tensor.grad_fn is None:
            source = self._leaf(tensor, tensor.shape, tensor.dtype, "leaf")
        else:
            source = self.at[id(tensor.grad_fn)]
        value = tensor.item() if tensor.ndim == 0 else None
        name = self.names.get(id(tensor), role)
        at = self._add(Node("output", name, tensor.shape, _dtype_name(tensor.dtype), value=value))
        self.edges.append(Edge(source, at, 0, "input"))

    def graph(self) -> Graph:
        """What was gathered."""
        scopes = (
            self.scopes
            if self.notes is not None
            else inferred(self.uses, self.kinds, [self.nodes[at].name for at in self.places])
        )
        used: dict[int, list[Scope]] = {}
        of = dict(zip(self.places, scopes, strict=True))
        for at, scope in of.items():
            self.nodes[at].cluster = key(scope)
        results = {at for at, node in enumerate(self.nodes)
                   if any(saved.name == "y" for saved in node.saved or ())}  # fmt: skip
        for at, node in enumerate(self.nodes):
            node.origin = (at,)
        for edge in self.edges:
            edge.kept = edge.kept or edge.source in results
            if edge.target in of and self.nodes[edge.source].kind != "op":
                used.setdefault(edge.source, []).append(of[edge.target])
        for at, users in used.items():  # what one module alone uses stands in it
            if self.nodes[at].kind != "leaf" and len(users) == 1 and (
                self.nodes[at].kind == "parameter" or self.nodes[at].value is not None
            ):  # fmt: skip
                self.nodes[at].cluster = key(users[0])
        return Graph(tuple(self.nodes), tuple(self.edges), clusters(scopes, self.kinds))


@functools.cache
def _dtype_name(dtype: Any) -> str | None:  # NumPy takes some µs to find it
    return None if dtype is None else str(dtype)


@functools.cache
def _facts(forward: Any) -> tuple[str, str]:
    """The family of an op, and the mathematics in its docstring."""
    if forward is None:
        return "", ""
    return str(forward.__module__).rpartition(".")[2], inspect.cleandoc(forward.__doc__ or "")


def _memory(array: Any) -> int:
    """What tells whether two arrays show one memory: the identity of the array that owns it."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return id(array)


def _input_names(node: Any) -> list[str]:
    """A name for each parent: of a variadic op `xs[0]`, `xs[1]` ..."""
    if node.op.variadic:
        return [f"{node.op.inputs[0]}[{k}]" for k in range(len(node.parents))]
    return list(node.op.inputs)


def _required(node: Any) -> int:
    """How many inputs, the first ones, every call gives: those without a default."""
    if node.op.variadic:
        return len(node.parents)
    forward = getattr(node.op, "forward", None)  # a Function's arguments may be anything
    return 0 if forward is None else len(node.op.inputs) - len(forward.__defaults__ or ())
