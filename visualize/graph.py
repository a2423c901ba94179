"""The graph as plain data: nodes, edges, clusters, and the steps of a backward pass.

It holds no array, no Tensor and nothing of Graphviz. So it outlives the recorded graph, and it can
be compared, folded, cut, drawn and written as JSON.
"""

from __future__ import annotations

import gc
import math
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

Shape = tuple[int, ...]
Kind = Literal[
    "op", "parameter", "leaf", "constant", "output", "module", "vjp", "gradient", "cut"
]  # fmt: skip
Form = Literal["", "view", "in place"]
Status = Literal["", "added", "removed", "changed", "follows", "failed"]


@dataclass(slots=True)
class Saved:
    """An array that an op keeps for its vjps: its name there, its shape and the memory that it holds.

    A view holds all of the array that it is a view of. `own` is False where the array costs no extra memory: it is a parameter, or an earlier op keeps
    the same memory.
    """

    name: str
    shape: Shape
    nbytes: int
    own: bool = True


@dataclass(slots=True)
class Measured:
    """Measurements of an op in one run. A closed module or a folded op has sums over its ops.

    Attributes:
        forward, backward: seconds.
        nbytes: size of the output in bytes.
        grad_norm: 2-norm of the gradient of the output; of several ops the largest.
        grad_range: of several ops the smallest and the largest of these norms.
        bad, bad_gradients: how many values of the output and of its gradient are NaN or infinite.
        std: standard deviation of the output; of several ops that of the last.
        dead: share of the units of an activation that are 0 for the whole batch; of several ops the
            largest.
    """

    forward: float = 0.0
    backward: float = 0.0
    nbytes: int = 0
    grad_norm: float | None = None
    bad: int = 0
    bad_gradients: int = 0
    std: float | None = None
    dead: float | None = None
    grad_range: tuple[float, float] | None = None

    def add(self, other: Measured) -> None:
        """Add the measurements of another op to these.

        >>> total = Measured(forward=1.0, grad_norm=3.0)
        >>> total.add(Measured(forward=0.5, grad_norm=2.0))
        >>> total.forward, total.grad_norm
        (1.5, 3.0)
        """
        self.forward += other.forward
        self.backward += other.backward
        self.nbytes += other.nbytes
        self.bad += other.bad
        self.bad_gradients += other.bad_gradients
        if other.grad_norm is not None:
            low, high = other.grad_range or (other.grad_norm, other.grad_norm)
            if self.grad_norm is not None:
                mine = self.grad_range or (self.grad_norm, self.grad_norm)
                low, high = _least((low, mine[0])), -_least((-high, -mine[1]))
            self.grad_range = low, high
            self.grad_norm = high
        self.std = self.std if other.std is None else other.std
        if other.dead is not None:
            self.dead = max(self.dead or 0.0, other.dead)


def _least(numbers: Sequence[float]) -> float:
    """The smallest number; NaN if one is NaN."""
    return math.nan if any(map(math.isnan, numbers)) else min(numbers)


@dataclass(slots=True)
class Verdict:
    """Result of the gradient checks of an op: largest relative error, and reason of a failure."""

    error: float | None
    failed: str | None = None


@dataclass(slots=True)
class Node:
    """A box of the picture.

    Attributes:
        kind: "op"; "parameter" (a leaf that the model names); "leaf" (another tensor that requires
            grad); "constant" (an input that needs no gradient: images, labels, numbers); "output"
            (a tensor that the user asked to draw); "module" (a closed module); "vjp" (the vjps of
            an op, in the backward graph); "gradient" (of a leaf); "cut" (replaces omitted nodes).
        name: of an op its name, of a module its path, of a tensor its name.
        shape, dtype: of the value; None where the graph has lost them.
        attributes: of an op, by name: stride, padding, dim.
        saved: arrays kept for the vjps; None after `backward` freed them.
        value: the number, where the value is a scalar that is known.
        cluster: the path of the innermost cluster around the node.
        family: of an op, the module of `tinygrad_cnn.ops` that defines it: "conv", "pool".
        form: "view" or "in place" for an op of that form.
        rows: inputs written into the box instead of separate boxes: (name, text, kind).
        links: arrows that the box names instead: "from 29 linear".
        count: how many such nodes repeat here; one is drawn.
        uses: of a parameter, how many inputs of recorded ops it is.
        frozen: no gradient passes: the op was not recorded, or the parameter requires no grad.
        given: the user's name for the output of an op.
        buffer: the constant is a buffer of the model.
        members: of a module, how many ops it holds.
        measured: from `trace`.
        verdict: from the gradient checks.
        line: the user's source line, `file:number, in function`.
        formula: the mathematics of the op, from its docstring.
        origin: positions in the recorded graph of the nodes that became this one.
        status: in a difference "added", "removed" or "changed"; "follows" where the shape is another
            because that of an input is. "failed" for a call that raised, of `explain`.
    """

    kind: Kind
    name: str
    shape: Shape | None = None
    dtype: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    saved: tuple[Saved, ...] | None = ()
    value: float | None = None
    cluster: str | None = None
    family: str = ""
    form: Form = ""
    rows: tuple[tuple[str, str, str], ...] = ()
    count: int = 1
    members: int = 0
    measured: Measured | None = None
    verdict: Verdict | None = None
    line: str = ""
    formula: str = ""
    origin: tuple[int, ...] = ()
    status: Status = ""
    links: tuple[str, ...] = ()
    uses: int = 0
    frozen: bool = False
    given: str = ""
    buffer: bool = False

    def kept(self) -> int:
        """Bytes kept for this node's vjps alone.

        >>> Node("op", "mul", saved=(Saved("a", (2,), 8), Saved("b", (2,), 8, own=False))).kept()
        8
        """
        return sum(saved.nbytes for saved in self.saved or () if saved.own)


@dataclass(slots=True)
class Edge:
    """The value of node `source` as input number `slot`, named `name`, of node `target`.

    `source` and `target` are positions in `Graph.nodes`. `kept` is True where the value is kept for
    the backward pass. `kind` is "saved" for an edge from an op to its vjp, "detached" where no
    gradient flows although the source has one, "again" for the arrow from the end of a loop that is
    folded back to its start, else "".
    """

    source: int
    target: int
    slot: int
    name: str
    kept: bool = False
    kind: Literal["", "saved", "detached", "again"] = ""


@dataclass(slots=True)
class Cluster:
    """One call of a module, or a repeated piece of the graph. A picture draws it as a frame.

    Attributes:
        path: the key. The module's path in the model ("layer1.0.conv1"); " (2)" follows for the
            second call of the same module.
        kind: the name of the module's class.
        parent: the path of the cluster around it.
        count: how many alike repeat here; the first is drawn.
        label: text to show instead of the path.
        shared: the repetitions have the same parameters: they are the turns of a loop.
        loops: (source, target) of the values that a turn hands to the next one: positions of both ops
            in the recorded graph.
    """

    path: str
    kind: str
    parent: str | None = None
    count: int = 1
    label: str = ""
    shared: bool = False
    loops: tuple[tuple[int, int], ...] = ()


@dataclass(slots=True, repr=False)
class Graph:
    """Nodes, each after its inputs; edges, sorted by target and slot; clusters, outer ones first.

    >>> import tinygrad_cnn as tc
    >>> from .record import record
    >>> w = tc.ones(2, requires_grad=True)
    >>> graph = record(w.exp().sum(), names={"w": w})
    >>> [(node.kind, node.name, node.shape) for node in graph.nodes][:2]
    [('leaf', 'w', (2,)), ('op', 'exp', (2,))]
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...] = ()

    def __repr__(self) -> str:
        ops = sum(1 for _ in self.ops())
        return f"<Graph of {len(self.nodes)} nodes, {ops} ops, {len(self.edges)} edges>"

    def inputs(self, target: int) -> list[Edge]:
        """The edges into a node, in the order of the op's inputs.

        >>> graph = Graph((Node("leaf", "x"), Node("op", "exp")), (Edge(0, 1, 0, "x"),))
        >>> [edge.source for edge in graph.inputs(1)]
        [0]
        """
        return [edge for edge in self.edges if edge.target == target]

    def chains(self) -> dict[str | None, tuple[str, ...]]:
        """The clusters around each cluster, outermost first, and itself last; `()` for None.

        >>> Graph((), (), (Cluster("a", ""), Cluster("a.b", "", "a"))).chains()
        {None: (), 'a': ('a',), 'a.b': ('a', 'a.b')}
        """
        parents = {cluster.path: cluster.parent for cluster in self.clusters}
        chains: dict[str | None, tuple[str, ...]] = {None: ()}
        for path in parents:
            chain: list[str] = []
            at: str | None = path
            while at is not None and at not in chains:
                chain.append(at)
                at = parents[at]
            known = chains[at]
            for key in reversed(chain):
                chains[key] = known = (*known, key)
        return chains

    def ops(self) -> Iterator[tuple[int, Node]]:
        """The position and the node of each op.

        >>> list(Graph((Node("leaf", "x"), Node("op", "exp")), ()).ops())[0][0]
        1
        """
        return ((at, node) for at, node in enumerate(self.nodes) if node.kind == "op")


# --- The backward pass --------------------------------------------------------------------------


@dataclass(slots=True)
class Glance:
    """A summary of an array: shape, 2-norm, and `numbers` (flat) if it is small, else `png`.

    `png` is an image of it, in which 0 is grey and the largest magnitude, `limit`, is blue
    (negative) or orange (positive).
    """

    shape: Shape
    norm: float
    numbers: tuple[float, ...] | None = None
    png: bytes | None = None
    limit: float = 0.0


@dataclass(slots=True)
class Step:
    """One step of a backward pass: the vjps of one op.

    Attributes:
        node: position of the op in `Graph.nodes`.
        name: of the op.
        arrives: the cotangent of the op's output; None where the op has several outputs.
        leaves: (slot, name, cotangent) of each input that requires grad: the user's name of the input,
            or else the op that made it.
        filled: the gradients so far of the leaves that this step adds to, by position.
    """

    node: int
    name: str
    arrives: Glance | None
    leaves: tuple[tuple[int, str, Glance], ...]
    filled: Mapping[int, Glance]


# --- Changing a graph ---------------------------------------------------------------------------


_uncollected: list[int] = []  # the thread whose block has the collector off


def _after_fork() -> None:
    """The thread whose block has the collector off may not be in the child."""
    if _uncollected and _uncollected != [threading.get_ident()]:
        _uncollected.clear()
        gc.enable()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def no_collection() -> Iterator[None]:
    """Switch the garbage collector off in this block, which allocates much and leaves no garbage.

    The collector would walk a large graph again and again, which takes a third of the time.
    """
    thread = threading.get_ident()
    if not _uncollected and gc.isenabled():
        _uncollected.append(thread)  # this block switches it on again
        try:
            gc.disable()
            yield
        finally:
            gc.enable()
            _uncollected.remove(thread)
    else:
        yield


def rebuilt(graph: Graph, place: Sequence[int], nodes: Mapping[int, Node] | None = None) -> Graph:
    """The graph after each node i merges into node `place[i]`; -1 removes a node.

    A node stays where `place[i] == i`; `nodes` replaces some of those. Edges follow their ends.
    Self loops, duplicate edges and clusters that have become empty are removed.

    >>> chain = Graph((Node("op", "a"), Node("op", "b"), Node("op", "c")),
    ...               (Edge(0, 1, 0, "x"), Edge(1, 2, 0, "x")))
    >>> shorter = rebuilt(chain, [0, 0, 2])
    >>> [node.name for node in shorter.nodes], [(e.source, e.target) for e in shorter.edges]
    (['a', 'c'], [(0, 1)])
    """
    replaced = nodes or {}
    stays = [at for at, where in enumerate(place) if where == at]
    number = {at: k for k, at in enumerate(stays)}
    kept = [replaced.get(at, graph.nodes[at]) for at in stays]
    edges, seen = [], set()
    for edge in graph.edges:
        source, target = place[edge.source], place[edge.target]
        if source < 0 or target < 0 or source == target:
            continue
        key = (source, target, edge.slot, edge.kind)
        if key not in seen:
            seen.add(key)
            edges.append(
                Edge(number[source], number[target], edge.slot, edge.name, edge.kept, edge.kind)
            )
    return Graph(tuple(kept), tuple(edges), used_clusters(kept, graph.clusters))


def used_clusters(nodes: Sequence[Node], clusters: tuple[Cluster, ...]) -> tuple[Cluster, ...]:
    """The clusters that contain a node, directly or through an inner cluster."""
    by_path = {cluster.path: cluster for cluster in clusters}
    used: set[str] = set()
    for path in {node.cluster for node in nodes}:
        at = path
        while at is not None and at not in used and at in by_path:
            used.add(at)
            at = by_path[at].parent
    return tuple(cluster for cluster in clusters if cluster.path in used)
