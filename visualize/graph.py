"""The graph as plain data: nodes, edges and clusters. It holds no array, no tensor and no Graphviz.

It can be kept after the recorded graph is freed, compared, folded, cut, drawn and written as JSON.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int, ...]

# What a node may be: see Node.
KINDS = ("op", "parameter", "leaf", "constant", "output", "module", "vjp", "gradient", "cut")


@dataclass(slots=True)
class Saved:
    """An array that an op keeps for its vjps: its name there, its shape and its size.

    `own` is False where it costs no memory beside what is counted elsewhere: a parameter, or an
    array that an earlier op keeps too.
    """

    name: str
    shape: Shape
    nbytes: int
    own: bool = True


@dataclass(slots=True)
class Measured:
    """What one run showed of an op; a cluster's are the sums (of norms and such the largest).

    `forward` and `backward` are seconds, `nbytes` the size of the output, `grad_norm` the 2-norm of
    the gradient of the output, `bad` and `bad_gradients` how many values of each are not finite.
    """

    forward: float = 0.0
    backward: float = 0.0
    nbytes: int = 0
    grad_norm: float | None = None
    bad: int = 0
    bad_gradients: int = 0

    def add(self, other: Measured) -> None:
        """Take in what another op showed."""
        self.forward += other.forward
        self.backward += other.backward
        self.nbytes += other.nbytes
        self.bad += other.bad
        self.bad_gradients += other.bad_gradients
        if other.grad_norm is not None:
            self.grad_norm = max(self.grad_norm or 0.0, other.grad_norm)


@dataclass(slots=True)
class Verdict:
    """What gradient checks found of an op: the worst relative error, and why it failed if so."""

    error: float | None
    failed: str | None = None


@dataclass(slots=True)
class Node:
    """A box of the picture.

    `kind` is "op"; "parameter" (a leaf that the model names), "leaf" (another tensor that requires
    grad), "constant" (what needs no gradient: images, labels, numbers); "output" (what was drawn);
    "module" (a closed one), "vjp" (of an op, in the backward graph), "gradient" (of a leaf), "cut"
    (stands for nodes left out).

    `shape` and `dtype` are those of the value, None where nobody kept them; `value` is the number
    of a scalar that is known. `saved` is None once it was freed. `cluster` is the key of the
    innermost cluster that the node is in; `family`, of an op, the module of `tinygrad_cnn.ops` that
    it stands in ("conv", "pool"). `form` is "view" or "in place" where the op is that; `rows` are
    what is written into the box instead of having one (name, text, kind); `count` how often it
    stands there, `members` how many ops a module holds. `line` is the place in the user's source;
    `formula` the mathematics of the op; `origin` the places in the recorded graph of what the node
    stands for; `status` "added", "removed" or "changed" in a diff.
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
    form: str = ""
    rows: tuple[tuple[str, str, str], ...] = ()
    count: int = 1
    members: int = 0
    measured: Measured | None = None
    verdict: Verdict | None = None
    line: str = ""
    formula: str = ""
    origin: tuple[int, ...] = ()
    status: str = ""

    def kept(self) -> int:
        """Bytes that live for this node's vjps alone."""
        return sum(saved.nbytes for saved in self.saved or () if saved.own)


@dataclass(slots=True)
class Edge:
    """The value that goes from node `source` to input number `slot`, called `name`, of `target`.

    `source` and `target` are positions in `Graph.nodes`. `kept`: the value is kept for backward.
    `kind` is "" or, from an op to its vjp, "saved".
    """

    source: int
    target: int
    slot: int
    name: str
    kept: bool = False
    kind: str = ""


@dataclass(slots=True)
class Cluster:
    """One call of a module, or a repeated piece: what is drawn as a frame around nodes.

    `path` is its key: the module's path in the model ("layer1.0.conv1"), with " (2)" where the
    module is called a second time; `kind` the name of its class; `parent` the key of the frame
    around it. `count` tells how many alike stand there, the first of which is drawn.
    """

    path: str
    kind: str
    parent: str | None = None
    count: int = 1
    label: str = ""  # what is written instead of the path


@dataclass(slots=True)
class Graph:
    """Nodes in an order in which each comes after its inputs, edges by target, then by slot."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...] = ()

    def inputs(self, target: int) -> list[Edge]:
        """The edges that end at a node, in the order of the op's inputs."""
        return [edge for edge in self.edges if edge.target == target]

    def chains(self) -> dict[str | None, tuple[str, ...]]:
        """For each cluster the keys of those around it, outermost first, and its own."""
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
        """Positions and nodes of the ops."""
        return ((at, node) for at, node in enumerate(self.nodes) if node.kind == "op")


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the garbage collector out of this block, which makes much that stays and no garbage.

    It would go through all of a large graph again and again: a third of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def rebuilt(graph: Graph, place: list[int], nodes: Mapping[int, Node] | None = None) -> Graph:
    """The graph with node i moved to the place of node `place[i]` (-1: left out).

    A node that is another's place stays; `nodes` replaces some. An edge follows its ends; loops and
    second edges between the same places into the same slot go, and clusters that nothing is in.
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


def used_clusters(nodes: list[Node], clusters: tuple[Cluster, ...]) -> tuple[Cluster, ...]:
    """Those of the clusters that a node is in, directly or not."""
    by_path = {cluster.path: cluster for cluster in clusters}
    used: set[str] = set()
    for path in {node.cluster for node in nodes}:
        at = path
        while at is not None and at not in used and at in by_path:
            used.add(at)
            at = by_path[at].parent
    return tuple(cluster for cluster in clusters if cluster.path in used)
