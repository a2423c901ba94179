"""The recorded graph as plain data: nodes, edges and clusters. No Graphviz, and no recursion.

`record(tensor)` walks back from a tensor and returns a `Graph` that holds no array and no tensor:
it can be kept after the graph is freed, compared, or drawn (see `dot.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinygrad_cnn import Tensor

Shape = tuple[int, ...]


@dataclass(slots=True)
class Saved:
    """An array that an op keeps for its vjps: its name there, its shape and its size."""

    name: str
    shape: Shape
    nbytes: int


@dataclass(slots=True)
class Node:
    """A box of the picture.

    `kind` is "op"; "parameter" (a leaf that the model names), "leaf" (another tensor that requires
    grad), "constant" (what needs no gradient: images, labels, numbers); "output" (what was drawn);
    "cut" (stands for nodes left out). `shape` and `dtype` are those of the value, None where
    nobody kept them; `value` is the number of a scalar that is known. `saved` is None once it was
    freed. `cluster` is the path of the module that the node belongs to, as far as it is known;
    `family`, of an op, the module of `tinygrad_cnn.ops` that it stands in ("conv", "pool").
    """

    kind: str
    name: str
    shape: Shape | None = None
    dtype: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    saved: tuple[Saved, ...] | None = ()
    value: float | None = None
    cluster: str | None = None
    family: str = ""


@dataclass(slots=True)
class Edge:
    """The value that goes from node `source` to input number `slot`, called `name`, of `target`.

    `source` and `target` are positions in `Graph.nodes`.
    """

    source: int
    target: int
    slot: int
    name: str


@dataclass(slots=True)
class Cluster:
    """A module: its path in the model ("layer1.0.conv1") and the name of its class."""

    path: str
    kind: str


@dataclass(slots=True)
class Graph:
    """Nodes in an order in which each comes after its inputs, edges by target, then by slot."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...] = ()

    def inputs(self, target: int) -> list[Edge]:
        """The edges that end at a node, in the order of the op's inputs."""
        return [edge for edge in self.edges if edge.target == target]


def record(tensors: Any, model: Any = None, names: Mapping[str, Any] | None = None) -> Graph:
    """The graph that was recorded for a tensor, or for several.

    Args:
        tensors: a Tensor that requires grad, or a sequence of them.
        model: a Module; its parameters are then called as in `model.named_parameters()`, and what
            uses them is put into a cluster for the module that owns them.
        names: names for further tensors, `{"images": x}`: inputs, or what `tensors` holds.

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
    roots = list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]
    if not roots:
        raise ValueError("nothing to draw: got no tensors")
    for tensor in roots:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"expected a Tensor that was computed, got {type(tensor).__name__}")
        if not tensor.requires_grad:
            raise ValueError(
                f"no graph was recorded for this tensor of shape {tensor.shape}: it was computed "
                "under no_grad(), or from tensors none of which requires grad"
            )
    walk = _Walk(model, names or {})
    for node in _ops([tensor.grad_fn for tensor in roots]):
        walk.add_op(node)
    for k, tensor in enumerate(roots):
        walk.add_output(tensor, "output" if len(roots) == 1 else f"output {k}")
    return walk.graph()


def _ops(roots: Iterable[Any]) -> list[Any]:
    """All nodes of ops behind `roots`, each after its parents: in the order of their creation."""
    seen: dict[int, Any] = {}
    stack = [root for root in roots if root is not None]
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen[id(node)] = node
            stack.extend(p for p in node.parents if p is not None and p.op is not None)
    return sorted(seen.values(), key=lambda node: node.number)


class _Walk:
    """The graph while it grows. Tensors and arrays are known by their identity."""

    def __init__(self, model: Any, names: Mapping[str, Any]):
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.at: dict[int, int] = {}  # id of an engine's node, a leaf tensor, an array -> place
        self.names: dict[int, str] = {}  # id of a tensor, or of its array -> name
        self.alive: list[Any] = []  # what those ids belong to, so that they stay theirs
        self.parameters: set[int] = set()
        self.modules: dict[str, str] = {}
        if model is not None:
            self.modules = {path: type(m).__name__ for path, m in model.named_modules()}
            for name, parameter in model.named_parameters():
                self._call(parameter, name)
                self.parameters.add(id(parameter))
        for name, tensor in names.items():
            if not isinstance(tensor, Tensor):
                raise TypeError(f"names[{name!r}]: expected a Tensor, got {type(tensor).__name__}")
            self._call(tensor, name)

    def _call(self, tensor: Any, name: str) -> None:
        array = tensor.detach().numpy()  # no copy: the array that ops saved
        self.alive += [tensor, array]
        self.names[id(tensor)] = self.names[id(array)] = str(name)

    def _add(self, node: Node, *keys: Any) -> int:
        at = len(self.nodes)
        self.nodes.append(node)
        for key in keys:
            self.alive.append(key)
            self.at[id(key)] = at
        return at

    def add_op(self, node: Any) -> None:
        """A node for an op, after nodes for those of its inputs that no op made."""
        saved = None if node.saved is None else dict(zip(node.op.saved, node.saved, strict=False))
        edges: list[tuple[int, int, str]] = []
        for slot, (name, parent) in enumerate(zip(_input_names(node), node.parents, strict=True)):
            if parent is None:
                source = self._constant(name, (saved or {}).get(name), slot < _required(node))
            elif parent.op is None:
                source = self._leaf(parent.variable, parent.shape, parent.dtype, name, parent)
            else:
                source = self.at[id(parent)]
            if source is not None:
                edges.append((source, slot, name))
        sources = [self.nodes[source] for source, _, _ in edges]
        owners = {source.cluster for source in sources if source.kind == "parameter"}
        at = self._add(
            Node(
                "op",
                node.op.name,
                node.shape,
                _dtype_name(node.dtype),
                node.attributes,
                None if saved is None else tuple(_kept(saved)),
                cluster=owners.pop() if len(owners) == 1 else None,
                family=_family(node.op),
            ),
            node,
        )
        self.edges += [Edge(source, at, slot, name) for source, slot, name in edges]

    def _leaf(self, tensor: Any, shape: Shape, dtype: Any, role: str, leaf: Any = None) -> int:
        """The place of a leaf; `tensor` is None where it lives no more."""
        key = leaf if tensor is None else tensor
        if id(key) in self.at:
            return self.at[id(key)]
        name = self.names.get(id(key), role)
        if id(key) not in self.parameters:
            return self._add(Node("leaf", name, shape, _dtype_name(dtype)), key)
        path = name.rpartition(".")[0]
        return self._add(
            Node("parameter", name, shape, _dtype_name(dtype), cluster=path or None), key
        )

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
        used = dict.fromkeys(node.cluster for node in self.nodes if node.cluster is not None)
        clusters = tuple(Cluster(path, self.modules.get(path, "")) for path in used)
        return Graph(tuple(self.nodes), tuple(self.edges), clusters)


@functools.cache
def _dtype_name(dtype: Any) -> str | None:  # NumPy takes some µs to find it
    return None if dtype is None else str(dtype)


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


def _family(op: Any) -> str:
    forward = getattr(op, "forward", None)
    return "" if forward is None else str(forward.__module__).rpartition(".")[2]


def _kept(saved: Mapping[str, Any]) -> Iterable[Saved]:
    for name, value in saved.items():
        for array in value if isinstance(value, tuple) else (value,):
            if isinstance(array, np.ndarray):
                yield Saved(name, array.shape, array.nbytes)


def cut(graph: Graph, limit: int) -> Graph:
    """The graph without all but its last `limit` nodes, for one that is too large to lay out.

    A node of kind "cut" stands for the others; an edge from any of them comes from there.

    >>> import tinygrad_cnn as tc
    >>> y = tc.ones(1, requires_grad=True)
    >>> for _ in range(100):
    ...     y = y.exp()
    >>> [node.name for node in cut(record(y), 3).nodes]
    ['99 more nodes', 'exp', 'exp', 'output']
    """
    hidden = len(graph.nodes) - limit
    if hidden <= 0:
        return graph
    kept = graph.nodes[hidden:]
    edges = tuple(
        replace(edge, source=max(edge.source - hidden + 1, 0), target=edge.target - hidden + 1)
        for edge in graph.edges
        if edge.target >= hidden
    )
    there = {node.cluster for node in kept}
    return Graph(
        (Node("cut", f"{hidden} more nodes"), *kept),
        edges,
        tuple(cluster for cluster in graph.clusters if cluster.path in there),
    )
