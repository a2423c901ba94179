"""What changed between two graphs: ops added and removed, and ops whose shape or attributes differ."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Any

from .model import Edge, Graph, Node, used_clusters
from .picture import Picture
from .words import REDUNDANT, shape_text, value_text


@dataclass
class Difference:
    """`picture` shows both graphs as one; `added`, `removed` and `changed` say it in words."""

    picture: Picture
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def __str__(self) -> str:
        lines = [f"+ {name}" for name in self.added]
        lines += [f"- {name}" for name in self.removed]
        lines += [f"~ {words}" for words in self.changed]
        return "\n".join(lines) or "no difference"

    def save(self, path: Any) -> Any:
        """Write the picture."""
        return self.picture.save(path)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {**self.picture._repr_mimebundle_(), "text/plain": str(self)}


def diff(before: Any, after: Any, **how: Any) -> Difference:
    """What changed from one Picture (or Graph) to another, as a picture and as text.

    Nodes are matched in the order in which they ran, by module and name: what has no counterpart
    was added or removed, what has another shape, dtype or attribute was changed. `how` as in
    `draw`: direction, show, limit. Raises TypeError for what is no Picture and no Graph.

    >>> import tinygrad_cnn as tc
    >>> from .picture import draw
    >>> x = tc.ones(2, 3, requires_grad=True)
    >>> print(diff(draw(x.exp().sum(dim=1)), draw(x.exp().tanh().sum(dim=0))))
    + tanh
    ~ sum: shape 2 → 3, dim 1 → 0
    ~ output: shape 2 → 3
    """
    graphs = []
    for given in (before, after):
        graph = given.graph if isinstance(given, Picture) else given
        if not isinstance(graph, Graph):
            raise TypeError(f"diff: expected a Picture or a Graph, got {type(given).__name__}")
        graphs.append(graph)
    old, new = graphs
    pairs = dict(_matched([_key(n) for n in old.nodes], [_key(n) for n in new.nodes]))
    result = Difference(Picture(new))
    of_new = {b: a for a, b in pairs.items()}
    nodes: list[Node] = []
    place: dict[tuple[int, int], int] = {}  # (0 old, 1 new; position) -> position in both
    gone = [at for at in range(len(old.nodes)) if at not in pairs]
    for at, node in enumerate(new.nodes):
        while gone and gone[0] < of_new.get(at, -1):
            _keep_removed(old, gone.pop(0), nodes, place, result)
        status = "added" if at not in of_new else ""
        changes: list[str] = []
        if at in of_new:
            place[0, of_new[at]] = len(nodes)
            changes = _changes(old.nodes[of_new[at]], node)
            status = "changed" if changes else ""
        if status == "added":
            result.added.append(_name(node))
        elif changes:
            result.changed.append(f"{_name(node)}: {', '.join(changes)}")
        place[1, at] = len(nodes)
        nodes.append(replace(node, status=status, line=", ".join(changes)))
    for at in gone:
        _keep_removed(old, at, nodes, place, result)
    edges = [replace(e, source=place[1, e.source], target=place[1, e.target]) for e in new.edges]
    for edge in edges:  # an op whose parameter is another
        source, target = nodes[edge.source], nodes[edge.target]
        if source.kind == "parameter" and source.status and not target.status:
            target.status, target.line = "changed", f"{edge.name} {source.line or source.status}"
    edges += _removed_edges(old, place, edges, nodes)
    edges.sort(key=lambda e: (e.target, e.slot))
    known = {c.path for c in new.clusters}
    clusters = (*new.clusters, *(c for c in old.clusters if c.path not in known))
    both = Graph(tuple(nodes), tuple(edges), used_clusters(nodes, clusters))
    result.picture = Picture(both, heat="status", fold=False, title="Difference", **how)
    return result


def _keep_removed(
    old: Graph, at: int, nodes: list[Node], place: dict[tuple[int, int], int], result: Difference
) -> None:
    place[0, at] = len(nodes)
    nodes.append(replace(old.nodes[at], status="removed", line=""))
    result.removed.append(_name(old.nodes[at]))


def _removed_edges(
    old: Graph, place: dict[tuple[int, int], int], there: Iterable[Edge], nodes: list[Node]
) -> list[Edge]:
    """The edges of the old graph at nodes that were removed."""
    slots: dict[int, int] = {}
    for edge in there:
        slots[edge.target] = max(slots.get(edge.target, -1), edge.slot)
    found = []
    for edge in old.edges:
        source, target = place[0, edge.source], place[0, edge.target]
        if "removed" in (nodes[source].status, nodes[target].status):
            slots[target] = slot = slots.get(target, -1) + 1
            found.append(replace(edge, source=source, target=target, slot=slot))
    return found


def _key(node: Node) -> tuple[str, str, str]:
    """What tells a node: numbers in paths do not, for they move when a layer is put in before."""
    name = re.sub(r"\d+", "#", node.name) if node.kind == "parameter" else node.name
    return node.kind, name, re.sub(r"\d+", "#", node.cluster or "")


def _name(node: Node) -> str:
    inside = f" in {node.cluster}" if node.cluster and node.kind != "parameter" else ""
    return f"{node.name}{inside}"


def _matched(a: list[Any], b: list[Any]) -> list[tuple[int, int]]:
    """Pairs of positions with the same key, in order: a common beginning, a common end, the rest."""
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    pairs = [(k, k) for k in range(start)]
    matcher = SequenceMatcher(
        None, a[start : len(a) - end], b[start : len(b) - end], autojunk=False
    )
    for i, j, n in matcher.get_matching_blocks():
        pairs += [(start + i + k, start + j + k) for k in range(n)]
    return pairs + [(len(a) - k, len(b) - k) for k in range(end, 0, -1)]


def _changes(old: Node, new: Node) -> list[str]:
    """What differs, in words."""
    found = []
    if old.shape != new.shape:
        shapes = ["?" if n.shape is None else shape_text(n.shape) for n in (old, new)]
        found.append(f"shape {shapes[0]} → {shapes[1]}")
    if old.dtype != new.dtype and old.dtype and new.dtype:
        found.append(f"dtype {old.dtype} → {new.dtype}")
    for name in dict.fromkeys([*old.attributes, *new.attributes]):
        was, now = (value_text(n.attributes.get(name)) for n in (old, new))
        if was != now and name not in REDUNDANT:
            found.append(f"{name} {was} → {now}")
    return found
