"""From Tensors to a `Graph`: a walk back through the recorded nodes, without recursion."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_cnn import Tensor, engine, nn

from .graph import Edge, Form, Graph, Kind, Measured, Node, Saved, Shape, no_collection
from .scopes import Scope, clusters, inferred, key


@dataclass(slots=True)
class Note:
    """Facts about one call of an op that only an observer of the run sees (see `watch.py`)."""

    scope: Scope = ()
    measured: Measured | None = None
    line: str = ""
    form: Form = ""


Notes = Mapping[engine.Node, Note]


def record(
    tensors: Tensor | Sequence[Tensor],
    model: nn.Module | None = None,
    names: Mapping[str, Tensor] | None = None,
) -> Graph:
    """The graph that was recorded for one or several tensors, as plain data.

    Args:
        tensors: a Tensor that requires grad, or a sequence of Tensors.
        model: a Module. Its parameters get the names of `model.named_parameters()`, and ops get the
            clusters of the modules that they ran in, as far as their parameters show.
        names: names of further tensors, inputs or outputs: `{"images": x}`.

    Each input of each op is one edge. An input that needs no gradient is a constant. An optional
    input (a bias) that nobody recorded has no edge. After `backward` freed the saved values the
    graph can still be recorded, but constants have lost their shapes.

    Raises TypeError for an argument that is not a Tensor, and ValueError for a Tensor without a
    graph and for an empty sequence.

    >>> import tinygrad_cnn as tc
    >>> w = tc.tensor([3.0], requires_grad=True)
    >>> graph = record(w * w)
    >>> [(edge.source, edge.target, edge.name) for edge in graph.edges]
    [(0, 1, 'a'), (0, 1, 'b'), (1, 2, 'input')]
    """
    with no_collection():
        return walk(tensors, model, names).graph()


def walk(
    tensors: Tensor | Sequence[Tensor],
    model: nn.Module | None,
    names: Mapping[str, Tensor] | None,
    notes: Notes | None = None,
) -> Walk:
    """As `record`, but returns the `Walk`, which also knows the position of each recorded node.

    `notes` come from a watched run. They give the module that each op ran in.
    """
    roots: Sequence[Tensor] = [tensors] if isinstance(tensors, Tensor) else tensors
    if not isinstance(roots, Sequence):
        raise TypeError(f"expected a Tensor or a sequence of Tensors, got {type(roots).__name__}")
    if not roots:
        raise ValueError("nothing to draw: got no tensors")
    for tensor in roots:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"expected a Tensor, got {type(tensor).__name__}")
        if not tensor.requires_grad:
            raise ValueError(
                f"no graph was recorded for this tensor of shape {tuple(tensor.shape)}: it was "
                "computed under no_grad(), or no input of it requires grad"
            )
    walked = Walk(model, names or {}, notes)
    for node in recorded_nodes(tensor.grad_fn for tensor in roots):
        walked.add_op(node)
    for k, tensor in enumerate(roots):
        walked.add_output(tensor, "output" if len(roots) == 1 else f"output {k}")
    return walked


def recorded_nodes(roots: Iterable[engine.Node | None]) -> list[engine.Node]:
    """All nodes of ops that `roots` depend on, in order of creation: each after its parents."""
    seen: dict[int, engine.Node] = {}
    stack = [root for root in roots if root is not None]
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen[id(node)] = node
            stack.extend(p for p in node.parents if p is not None and p.op is not None)
    return sorted(seen.values(), key=lambda node: node.number)


class Walk:
    """The graph under construction. It identifies nodes, tensors and arrays by their `id`.

    Attributes:
        at: the position in the graph of each recorded node, leaf tensor and constant array, by id.
        alive: the objects with those ids, kept so that no id is reused.
    """

    def __init__(
        self, model: nn.Module | None, names: Mapping[str, Tensor], notes: Notes | None = None
    ) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.at: dict[int, int] = {}
        self.alive: list[object] = []
        self.names: dict[int, str] = {}  # by id of a tensor, and by id of its array
        self.parameters: dict[int, str] = {}  # names in the model, by id of the tensor
        self.kinds: dict[str, str] = {}  # class names of the modules, by path
        self.notes = notes
        self.counted: set[int] = set()  # ids of memory that needs no counting again
        self.scopes: list[Scope] = []  # of each op; filled from the notes
        self.uses: list[list[str]] = []  # of each op, the names of its parameters
        self.places: list[int] = []  # of each op, its position
        if model is not None:
            self.kinds = {path: type(m).__name__ for path, m in model.named_modules()}
            for name, parameter in model.named_parameters():
                self._call(parameter, name)
                self.parameters[id(parameter)] = name
        for name, tensor in names.items():
            if not isinstance(tensor, Tensor):
                raise TypeError(f"names[{name!r}]: expected a Tensor, got {type(tensor).__name__}")
            self._call(tensor, name)

    def _call(self, tensor: Tensor, name: str) -> None:
        """Name a tensor, and its array, which ops may have saved."""
        array = array_of(tensor)
        self.alive += [tensor, array]
        self.names[id(tensor)] = self.names[id(array)] = str(name)
        self.counted.add(_memory(array))

    def _add(self, node: Node, *known: object) -> int:
        """Add a node that represents the `known` objects, and return its position."""
        at = len(self.nodes)
        self.nodes.append(node)
        for item in known:
            self.alive.append(item)
            self.at[id(item)] = at
        return at

    def add_op(self, node: engine.Node) -> None:
        """Add a node for an op, after nodes for its inputs that are leaves or constants."""
        op = node.op
        values = {} if node.saved is None else dict(zip(op.saved, node.saved, strict=False))
        edges: list[Edge] = []
        uses: list[str] = []
        required = _required(node)
        for slot, (name, parent) in enumerate(zip(input_names(node), node.parents, strict=True)):
            value = values.get(name)
            source: int | None
            if parent is None:
                source = self._constant(name, value, slot < required)
            elif parent.op is None:
                source = self._leaf(parent, name)
                if self.nodes[source].kind == "parameter":
                    uses.append(self.nodes[source].name)
            else:
                source = self.at[id(parent)]
            if source is not None:
                edges.append(Edge(source, 0, slot, name, isinstance(value, np.ndarray)))
        family, formula = _facts(op.forward) if isinstance(op, engine.Op) else ("", _doc(op))
        made = Node(
            "op", op.name, node.shape, _dtype_name(node.dtype), node.attributes,
            None if node.saved is None else tuple(self._saved(values)),
            family=family, formula=formula, form="view" if op.view else "",
        )  # fmt: skip
        if self.notes is not None:
            note = self.notes.get(node) or Note()
            self.scopes.append(note.scope)
            made.measured, made.line = note.measured, note.line
            made.form = note.form or made.form
        self.uses.append(uses)
        at = self._add(made, node)
        self.places.append(at)
        for edge in edges:
            edge.target = at
        self.edges += edges

    def _saved(self, values: Mapping[str, Any]) -> Iterator[Saved]:
        for name, value in values.items():
            for array in value if isinstance(value, tuple) else (value,):
                if isinstance(array, np.ndarray):
                    memory = _memory(array)
                    yield Saved(name, array.shape, array.nbytes, memory not in self.counted)
                    self.counted.add(memory)

    def _leaf(self, leaf: engine.Node, role: str) -> int:
        """The position of a leaf, whose tensor may no longer exist."""
        tensor = leaf.variable
        return self._leaf_node(leaf if tensor is None else tensor, leaf.shape, leaf.dtype, role)

    def _leaf_node(self, known: object, shape: Shape, dtype: Any, role: str) -> int:
        if id(known) in self.at:
            return self.at[id(known)]
        parameter = self.parameters.get(id(known))
        name = self.names.get(id(known), role) if parameter is None else parameter
        kind: Kind = "leaf" if parameter is None else "parameter"
        return self._add(Node(kind, name, tuple(shape), _dtype_name(dtype)), known)

    def _constant(self, role: str, value: object, required: bool) -> int | None:
        """The position of an input that requires no grad; None for an optional one nobody saved."""
        if isinstance(value, (bool, int, float)):
            return self._add(Node("constant", role, (), value=value))
        if not isinstance(value, (np.ndarray, np.generic)):  # nobody saved it
            return self._add(Node("constant", role)) if required else None
        if id(value) in self.at:
            return self.at[id(value)]
        name = self.names.get(id(value), role)
        number = value.item() if value.ndim == 0 else None
        return self._add(
            Node("constant", name, value.shape, _dtype_name(value.dtype), value=number), value
        )

    def add_output(self, tensor: Tensor, role: str) -> None:
        """Add the end of the graph at a tensor, named `role` unless it has a name."""
        if tensor.grad_fn is None:
            source = self._leaf_node(tensor, tensor.shape, tensor.dtype, "leaf")
        else:
            source = self.at[id(tensor.grad_fn)]
        value = tensor.item() if tensor.ndim == 0 else None
        name = self.names.get(id(tensor), role)
        shape, dtype = tuple(tensor.shape), _dtype_name(tensor.dtype)
        at = self._add(Node("output", name, shape, dtype, value=value))
        self.edges.append(Edge(source, at, 0, "input"))

    def graph(self) -> Graph:
        """The finished graph."""
        if self.notes is not None:
            scopes = self.scopes
        else:
            names = [self.nodes[at].name for at in self.places]
            scopes = inferred(self.uses, self.kinds, names)
        scope_at = dict(zip(self.places, scopes, strict=True))
        for at, scope in scope_at.items():
            self.nodes[at].cluster = key(scope)
        saves_output = {
            at for at, node in enumerate(self.nodes)
            if any(saved.name == "y" for saved in node.saved or ())
        }  # fmt: skip
        for at, node in enumerate(self.nodes):
            node.origin = (at,)
        users: dict[int, list[Scope]] = {}  # of each input, the scopes of the ops that use it
        for edge in self.edges:
            edge.kept = edge.kept or edge.source in saves_output
            if edge.target in scope_at and self.nodes[edge.source].kind != "op":
                users.setdefault(edge.source, []).append(scope_at[edge.target])
        for at, found in users.items():  # an input that one op alone uses belongs to its module
            node = self.nodes[at]
            small = node.kind == "parameter" or (node.kind != "leaf" and node.value is not None)
            if small and len(found) == 1:
                node.cluster = key(found[0])
        return Graph(tuple(self.nodes), tuple(self.edges), clusters(scopes, self.kinds))


def array_of(tensor: Tensor) -> np.ndarray:
    """The array of a Tensor, not a copy.

    >>> import tinygrad_cnn as tc
    >>> array_of(tc.ones(2, requires_grad=True))
    array([1., 1.], dtype=float32)
    """
    array: np.ndarray = tensor.detach().numpy()
    return array


def input_names(node: engine.Node) -> list[str]:
    """A name for each parent of a node; of a variadic op `xs[0]`, `xs[1]` ..."""
    if node.op.variadic:
        return [f"{node.op.inputs[0]}[{k}]" for k in range(len(node.parents))]
    return list(node.op.inputs)


def _required(node: engine.Node) -> int:
    """How many inputs, counted from the first, every call gives: those without a default."""
    if node.op.variadic:
        return len(node.parents)
    return node.op.required if isinstance(node.op, engine.Op) else 0  # of a Function nobody knows


@functools.cache
def _dtype_name(dtype: Any) -> str | None:  # NumPy takes microseconds to make it
    return None if dtype is None else str(np.dtype(dtype))


@functools.cache
def _facts(forward: Callable[..., Any]) -> tuple[str, str]:
    """The family of an op, and the mathematics in its docstring."""
    return str(forward.__module__).rpartition(".")[2], inspect.cleandoc(forward.__doc__ or "")


def _doc(op: Any) -> str:
    """The docstring of a `Function`, or of the op that selects one of its outputs."""
    return inspect.cleandoc(getattr(op, "function", op).__doc__ or "")


def _memory(array: np.ndarray) -> int:
    """The id of the array that owns the memory: equal for two views of one array."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return id(array)
