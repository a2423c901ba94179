"""The difference between two graphs: ops added, removed, or with other shapes or attributes.

A change is a cause if the user made it: another attribute, a parameter of another shape. It follows
from others if only the shape or dtype of an op's output is another and an input has changed too.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Unpack

from .graph import Edge, Graph, Node, Status, used_clusters
from .look import Layout
from .picture import Picture
from .words import REDUNDANT, bytes_text, shape_text, value_text


@dataclass(repr=False)
class Difference:
    """Two graphs in one `picture`, and the changes as text. It is false if there are none.

    Attributes:
        picture: both graphs as one. "+" marks added, "-" removed and "~" changed boxes, "(~)" boxes
            whose change follows from others.
        added, removed: names of nodes: "tanh in layer1".
        changed: nodes with their change: "sum: dim 1 → 0".
        follows: nodes whose shape or dtype is another because that of an input is.
        totals: numbers before and after: ops, parameters, bytes kept for backward.

    `str` has a line for each change, causes first, and the totals.
    """

    picture: Picture
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    follows: list[str] = field(default_factory=list)
    totals: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.follows)

    def __repr__(self) -> str:
        counts = (
            f"+{len(self.added)} -{len(self.removed)} ~{len(self.changed)}, "
            f"{len(self.follows)} follow"
        )
        return f"<Difference {counts}>" if self else "<Difference: none>"

    def __str__(self) -> str:
        lines = [f"+ {name}" for name in self.added]
        lines += [f"- {name}" for name in self.removed]
        lines += [f"~ {words}" for words in self.changed]
        if self.follows:
            lines += ["these follow:", *(f"  ~ {words}" for words in self.follows)]
        if not lines:
            return "no difference"
        return "\n".join([*lines, totals_text(self.totals)])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture, and return the path. Raises as `Picture.save`."""
        return self.picture.save(path)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {**self.picture._repr_mimebundle_(), "text/plain": str(self)}


def diff(before: Picture | Graph, after: Picture | Graph, **layout: Unpack[Layout]) -> Difference:
    """The changes from one Picture or Graph to another.

    Nodes are matched by kind, name and module, in execution order; numbers in paths are ignored. A
    node without a counterpart was added or removed. A node with another shape, dtype or attribute
    was changed.

    The options are those of `Picture` without `fold` and `heat`. Raises TypeError for an argument
    that is neither a Picture nor a Graph.

    >>> import tinygrad_cnn as tc
    >>> from .picture import draw
    >>> x = tc.ones(2, 3, requires_grad=True)
    >>> print(diff(draw(x.exp().sum(dim=1)), draw(x.exp().tanh().sum(dim=0))))
    + tanh
    ~ sum: shape 2 → 3, dim 1 → 0
    these follow:
      ~ output: shape 2 → 3
    ops 2 → 3, parameters 0, kept 24 B → 48 B
    """
    old, new = _graph(before), _graph(after)
    union = _Union(old, new)
    union.merge()
    graph = union.graph()
    before_after = {
        name: (of(old), of(new)) for name, of in (
            ("ops", lambda g: sum(node.count for _, node in g.ops())), ("parameters", _parameters),
            ("kept", lambda g: sum(node.kept() for _, node in g.ops())),
        )
    }  # fmt: skip
    title = totals_text(before_after)
    picture = Picture(graph, heat="status", fold=False, title=title, **layout)
    return Difference(
        picture, union.added, union.removed, union.changed, union.follows, before_after
    )


def totals_text(totals: dict[str, tuple[int, int]]) -> str:
    """The totals on one line.

    >>> totals_text({"ops": (2, 3), "parameters": (1000, 1000), "kept": (8, 4096)})
    'ops 2 → 3, parameters 1,000, kept 8 B → 4.1 kB'
    """
    found = []
    for name, numbers in totals.items():
        words = [bytes_text(n) if name == "kept" else f"{n:,}" for n in numbers]
        found.append(f"{name} {' → '.join(dict.fromkeys(words))}")
    return ", ".join(found)


def _parameters(graph: Graph) -> int:
    """The number of elements of all parameters."""
    return sum(math.prod(n.shape or ()) for n in graph.nodes if n.kind == "parameter")


def _graph(given: Picture | Graph) -> Graph:
    graph = given.graph if isinstance(given, Picture) else given
    if not isinstance(graph, Graph):
        raise TypeError(f"diff: expected a Picture or a Graph, got {type(given).__name__}")
    return graph


class _Union:
    """Both graphs as one, under construction. Removed nodes keep their place in the order."""

    def __init__(self, old: Graph, new: Graph) -> None:
        self.old, self.new = old, new
        self.nodes: list[Node] = []
        self.old_at: dict[int, int] = {}  # position in the old graph -> position in `nodes`
        self.new_at: dict[int, int] = {}
        self.added: list[str] = []
        self.removed: list[str] = []
        self.changed: list[str] = []
        self.follows: list[str] = []

    def merge(self) -> None:
        """Put the nodes of both graphs in order, with their status."""
        pairs = _matched([_key(n) for n in self.old.nodes], [_key(n) for n in self.new.nodes])
        old_of = {after: before for before, after in pairs}
        matched = set(old_of.values())
        gone = [at for at in range(len(self.old.nodes)) if at not in matched]
        for at, node in enumerate(self.new.nodes):
            while gone and gone[0] < old_of.get(at, -1):
                self._remove(gone.pop(0))
            self._keep(at, node, old_of.get(at))
        for at in gone:
            self._remove(at)

    def _keep(self, at: int, node: Node, old_at: int | None) -> None:
        """Add a node of the new graph; `old_at` is the position of its counterpart."""
        status: Status = ""
        changes: list[str] = []
        if old_at is None:
            status = "added"
            self.added.append(_name(node))
        else:
            self.old_at[old_at] = len(self.nodes)
            changes = _changes(self.old.nodes[old_at], node)
            if changes:
                status = "changed"
        self.new_at[at] = len(self.nodes)
        self.nodes.append(replace(node, status=status, line=", ".join(changes)))

    def _remove(self, at: int) -> None:
        """Add a node of the old graph that has no counterpart."""
        self.old_at[at] = len(self.nodes)
        self.nodes.append(replace(self.old.nodes[at], status="removed", line=""))
        self.removed.append(_name(self.old.nodes[at]))

    def graph(self) -> Graph:
        """The finished graph."""
        nodes = self.nodes
        edges = [
            replace(e, source=self.new_at[e.source], target=self.new_at[e.target])
            for e in self.new.edges
        ]
        self._causes(edges)
        edges += self._removed_edges(edges)
        edges.sort(key=lambda e: (e.target, e.slot))
        known = {c.path for c in self.new.clusters}
        clusters = (*self.new.clusters, *(c for c in self.old.clusters if c.path not in known))
        return Graph(tuple(nodes), tuple(edges), used_clusters(nodes, clusters))

    def _causes(self, edges: Sequence[Edge]) -> None:
        """Tell causes from consequences; an op of a changed parameter is changed with it."""
        inputs: dict[int, list[Edge]] = {}
        for edge in edges:
            inputs.setdefault(edge.target, []).append(edge)
        gone = {self.old_at[e.target] for e in self.old.edges
                if self.nodes[self.old_at[e.source]].status == "removed"}  # fmt: skip
        for at, node in enumerate(self.nodes):
            sources = [(edge, self.nodes[edge.source]) for edge in inputs.get(at, ())]
            for edge, source in sources:
                if source.kind == "parameter" and source.status and not node.status:
                    node.status, node.line = (
                        "follows",
                        f"{edge.name} {source.line or source.status}",
                    )
            if node.status == "changed":
                derived = all(
                    word.startswith(("shape ", "dtype ")) for word in node.line.split(", ")
                )
                fed = at in gone or any(source.status for _, source in sources)
                if derived and fed and node.kind != "parameter":
                    node.status = "follows"
            if node.status in ("changed", "follows"):
                found = self.changed if node.status == "changed" else self.follows
                found.append(f"{_name(node)}: {node.line}")

    def _removed_edges(self, edges: Iterable[Edge]) -> list[Edge]:
        """The edges of the old graph from or to removed nodes, in slots after the occupied ones."""
        slots: dict[int, int] = {}
        for edge in edges:
            slots[edge.target] = max(slots.get(edge.target, -1), edge.slot)
        found = []
        for edge in self.old.edges:
            source, target = self.old_at[edge.source], self.old_at[edge.target]
            if "removed" in (self.nodes[source].status, self.nodes[target].status):
                slots[target] = slot = slots.get(target, -1) + 1
                found.append(replace(edge, source=source, target=target, slot=slot))
        return found


_Key = tuple[str, str, str]


def _key(node: Node) -> _Key:
    """The facts by which nodes match, without numbers in paths: an inserted layer shifts those."""
    name = re.sub(r"\d+", "#", node.name) if node.kind == "parameter" else node.name
    return node.kind, name, re.sub(r"\d+", "#", node.cluster or "")


def _name(node: Node) -> str:
    inside = f" in {node.cluster}" if node.cluster and node.kind != "parameter" else ""
    return f"{node.name}{inside}"


def _matched(a: Sequence[_Key], b: Sequence[_Key]) -> list[tuple[int, int]]:
    """Pairs of positions with equal keys, in order.

    The common start and the common end match first, since SequenceMatcher takes quadratic time.
    """
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
    """The differences of shape, dtype and attributes: "shape 2 → 3"."""
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
