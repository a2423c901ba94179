"""From Tensors to a `Graph`: a walk back through the recorded nodes, without recursion."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_cnn import Tensor, engine, nn

from .calls import (
    Call,
    Note,
    Notes,
    Unrecorded,
    Watched,
    given_inputs,
    is_call,
    names_of_inputs,
    recorded_calls,
    required_inputs,
)
from .graph import Edge, Graph, Kind, Node, Saved, Shape, no_collection
from .scopes import Scope, clusters, inferred, key

ALIGNMENT_BYTES = 64  # that a kernel may allocate more than it needs


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
    watch: Watched | None = None,
) -> Walk:
    """As `record`, but returns the `Walk`, which also knows the position of each recorded node.

    A `watch` saw the run. It gives the module that each op ran in and the ops without gradients, so
    the tensors need no graph.
    """
    roots: Sequence[Tensor] = [tensors] if isinstance(tensors, Tensor) else tensors
    if not isinstance(roots, Sequence):
        raise TypeError(f"expected a Tensor or a sequence of Tensors, got {type(roots).__name__}")
    if not roots:
        raise ValueError("nothing to draw: got no tensors")
    for tensor in roots:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"expected a Tensor, got {type(tensor).__name__}")
        if not tensor.requires_grad and watch is None:
            raise ValueError(
                f"no graph was recorded for this tensor of shape {tuple(tensor.shape)}: it was "
                "computed under no_grad(), or no input of it requires grad. visualize.trace(model, "
                "x) draws such ops too"
            )
    walked = Walk(model, names or {}, None if watch is None else watch.notes)
    ends = [tensor.grad_fn if watch is None else watch.source(tensor) for tensor in roots]
    for call in recorded_calls(ends, walked.notes or {}):
        walked.add_op(call)
    for k, (tensor, end) in enumerate(zip(roots, ends, strict=True)):
        walked.add_output(tensor, end, "output" if len(roots) == 1 else f"output {k}")
    if watch is None:
        walked.check_names(names or {})
    return walked


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
        self.buffers: set[int] = set()  # ids of the arrays of the model's buffers
        self.roles = set(map(str, names))  # names that nothing else may have
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
                self.parameters[id(array_of(parameter))] = name
            for name, buffer in model.named_buffers():
                self._call(buffer, name)
                self.buffers.add(id(array_of(buffer)))
        for name, tensor in names.items():
            if not isinstance(tensor, Tensor):
                raise TypeError(f"names[{name!r}]: expected a Tensor, got {type(tensor).__name__}")
            self._call(tensor, name)

    def _call(self, tensor: Tensor, name: str) -> None:
        """Name a tensor, its call, and its array, which ops may have saved."""
        array, call = array_of(tensor), tensor.grad_fn
        self.alive += [tensor, array, call]
        self.names[id(tensor)] = self.names[id(array)] = str(name)
        if call is not None:
            self.names[id(call)] = str(name)
        self.counted.add(id(_owner(array)))

    def check_names(self, names: Mapping[str, Tensor]) -> None:
        """Raise ValueError for a name of a Tensor that occurs nowhere in the graph.

        A constant that no op keeps may be an input of an op without anybody knowing.
        """
        unknown = any(n.kind == "constant" and n.shape is None for n in self.nodes)
        for name, tensor in names.items():
            place = tensor if tensor.grad_fn is None else tensor.grad_fn
            known = {id(place), id(tensor), id(array_of(tensor))}
            if known.isdisjoint(self.at) and (tensor.requires_grad or not unknown):
                raise ValueError(f"names[{name!r}]: this Tensor occurs nowhere in the graph")

    def _add(self, node: Node, *known: object) -> int:
        """Add a node that represents the `known` objects, and return its position."""
        at = len(self.nodes)
        self.nodes.append(node)
        for item in known:
            self.alive.append(item)
            self.at[id(item)] = at
        return at

    def add_op(self, call: Call) -> None:
        """Add a node for an op, after nodes for its inputs that are leaves or constants."""
        op, note = call.op, self._note(call)
        values: dict[str, Any] = {}
        saved: tuple[Saved, ...] | None = ()
        parents: Sequence[Any] = ()
        if isinstance(call, engine.Node):
            parents = call.parents
            if call.saved is not None:
                values = dict(zip(op.saved, call.saved, strict=False))
            saved = None if call.saved is None else tuple(self._saved(values))
        given = given_inputs(op, parents, note)
        edges: list[Edge] = []
        uses: list[str] = []
        required = required_inputs(op, len(given))
        roles = names_of_inputs(op, len(given))
        for slot, (name, source) in enumerate(zip(roles, given, strict=True)):
            value = values.get(name)
            data = isinstance(source, Tensor) and source.ndim > 0
            role = note.role if note is not None and note.role and data else name
            at = self._input(source, role, value, slot < required)
            if at is None:
                continue
            node = self.nodes[at]
            if node.kind == "parameter":
                uses.append(node.name)
                node.uses += 1
            passes = slot < len(parents) and parents[slot] is not None
            detached = is_call(source) and not passes and not node.frozen
            edges.append(
                Edge(at, 0, slot, name, isinstance(value, np.ndarray),
                     "detached" if detached else "")
            )  # fmt: skip
        family, formula = _facts(op.forward) if isinstance(op, engine.Op) else ("", _doc(op))
        made = Node(
            "op", op.name, call.shape, _dtype_name(call.dtype), dict(call.attributes), saved,
            family=family, formula=formula, form="view" if op.view else "",
            frozen=isinstance(call, Unrecorded), given=self.names.get(id(call), ""),
        )  # fmt: skip
        if note is not None:
            self.scopes.append(note.scope)
            made.measured, made.line = note.measured, note.line
            made.form = note.form or made.form
        self.uses.append(uses)
        at = self._add(made, call)
        self.places.append(at)
        for edge in edges:
            edge.target = at
        self.edges += edges

    def _note(self, call: Call) -> Note | None:
        if isinstance(call, Unrecorded):
            return call.note
        return None if self.notes is None else self.notes.get(call) or Note()

    def _input(self, source: object, role: str, value: object, required: bool) -> int | None:
        """The position of an input; None for an optional one that was not given, or is unknown.

        `source` is a call, a leaf, a Tensor, or None where nobody watched. Then the saved `value`
        may tell.
        """
        if is_call(source):
            return self.at[id(source)]
        if isinstance(source, engine.Node):
            return self._leaf(source, role)
        if isinstance(source, Tensor):
            if source.requires_grad or id(source) in self.parameters:
                return self._leaf_node(source, source.shape, source.dtype, role)
            return self._constant(role, array_of(source), required, source)
        return self._constant(role, value if source is None else source, required)

    def _saved(self, values: Mapping[str, Any]) -> Iterator[Saved]:
        for name, value in values.items():
            for array in value if isinstance(value, tuple) else (value,):
                if isinstance(array, np.ndarray):
                    owner = _owner(array)
                    aligned = owner.nbytes - array.nbytes <= ALIGNMENT_BYTES
                    held = array.nbytes if aligned else owner.nbytes
                    yield Saved(name, array.shape, held, id(owner) not in self.counted)
                    self.counted.add(id(owner))
                    self.alive.append(owner)

    def _leaf(self, leaf: engine.Node, role: str) -> int:
        """The position of a leaf, whose tensor may no longer exist."""
        tensor = leaf.variable
        return self._leaf_node(leaf if tensor is None else tensor, leaf.shape, leaf.dtype, role)

    def _leaf_node(self, known: object, shape: Shape, dtype: Any, role: str) -> int:
        array = array_of(known) if isinstance(known, Tensor) else known
        for item in (known, array):
            if id(item) in self.at:
                return self.at[id(item)]
        parameter = self.parameters.get(id(known))
        name = self.names.get(id(known), role) if parameter is None else parameter
        kind: Kind = "leaf" if parameter is None else "parameter"
        frozen = isinstance(known, Tensor) and not known.requires_grad
        made = Node(kind, name, tuple(shape), _dtype_name(dtype), frozen=frozen)
        return self._add(made, known, array)

    def _constant(self, role: str, value: object, required: bool, *known: object) -> int | None:
        """The position of an input that requires no grad; None for an optional one nobody saved."""
        if isinstance(value, (bool, int, float)):
            return self._add(Node("constant", role, (), value=value))
        if not isinstance(value, (np.ndarray, np.generic)):  # nobody saved it
            return self._add(Node("constant", role)) if required else None
        if id(value) in self.at:
            return self.at[id(value)]
        parameter = self.parameters.get(id(value))
        if parameter is not None:
            return self._add(
                Node("parameter", parameter, value.shape, _dtype_name(value.dtype), frozen=True),
                value, *known,
            )  # fmt: skip
        name = self.names.get(id(value), "data" if role in self.roles else role)
        number = value.item() if value.ndim == 0 else None
        buffer = id(value) in self.buffers
        return self._add(
            Node("constant", name, value.shape, _dtype_name(value.dtype), value=number,
                 buffer=buffer), value,
            *known,
        )  # fmt: skip

    def add_output(self, tensor: Tensor, end: object, role: str) -> None:
        """Add the end of the graph at a tensor, named `role` unless it has a name."""
        source = self._input(end if is_call(end) else tensor, "leaf", None, True)
        assert source is not None
        value = tensor.item() if tensor.ndim == 0 else None
        name = self.names.get(id(tensor), role)
        shape, dtype = tuple(tensor.shape), _dtype_name(tensor.dtype)
        at = self._add(Node("output", name, shape, dtype, value=value))
        self.nodes[source].given = ""  # the output's own box has the name
        self.edges.append(Edge(source, at, 0, "input"))

    def name_of(self, parent: engine.Node, role: str) -> str:
        """The user's name for a node of the graph, or else its op; of a leaf without a name `role`."""
        known = parent if parent.variable is None else parent.variable
        at = self.at.get(id(known))
        if at is None:
            return role
        return self.nodes[at].given or self.nodes[at].name

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
            small = (
                node.kind == "parameter"
                or node.buffer
                or (node.kind != "leaf" and node.value is not None)
            )
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


def _owner(array: np.ndarray) -> np.ndarray:
    """The array that owns the memory: the same one for two views of it."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
