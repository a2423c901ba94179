"""Arrows that a picture names instead of drawing, and the ranks that tell which ones are long.

Many long arrows at one box hide the picture and take the layout minutes: the inputs of a `stack` of
all time steps, the skips of a DenseNet. Both ends of such an arrow name the other one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from .graph import Edge, Graph, Node

MOST_SKIPS = 6  # long arrows that are drawn at one box


def ranks(graph: Graph, edges: Sequence[Edge] | None = None) -> tuple[list[int], list[int]]:
    """The first and the last rank (row of the picture) that each node can have.

    The first is the longest path from an input; the last leaves room for the longest path to an
    output.

    >>> chain = Graph((Node("leaf", "x"), Node("op", "exp"), Node("op", "mul")),
    ...               (Edge(0, 1, 0, "x"), Edge(1, 2, 0, "a"), Edge(0, 2, 1, "b")))
    >>> ranks(chain)
    ([0, 1, 2], [0, 1, 2])
    """
    drawn = [e for e in (graph.edges if edges is None else edges) if e.kind != "saved"]
    order = _order(len(graph.nodes), drawn)
    after: list[list[int]] = [[] for _ in graph.nodes]
    for edge in drawn:
        after[edge.source].append(edge.target)
    first = [0] * len(graph.nodes)
    for at in order:
        for target in after[at]:
            first[target] = max(first[target], first[at] + 1)
    depth = max(first, default=0)
    last = [depth] * len(graph.nodes)
    for at in reversed(order):
        for target in after[at]:
            last[at] = min(last[at], last[target] - 1)
    return first, last


def _order(size: int, edges: Sequence[Edge]) -> list[int]:
    """The positions in an order in which each edge leads forward."""
    if all(edge.source < edge.target for edge in edges):
        return list(range(size))
    waits, after = [0] * size, [[] for _ in range(size)]  # type: ignore[var-annotated]
    for edge in edges:
        waits[edge.target] += 1
        after[edge.source].append(edge.target)
    ready = [at for at in range(size) if not waits[at]]
    for at in ready:
        for target in after[at]:
            waits[target] -= 1
            if not waits[target]:
                ready.append(target)
    return ready


def turns(graph: Graph) -> dict[tuple[int, int], int]:
    """The arrows back to the start of each loop that is folded, (source, target), and its turns.

    >>> from .graph import Cluster
    >>> loop = Cluster("repeated 0", "", count=9, loops=((1, 1),))
    >>> turns(Graph((Node("leaf", "x"), Node("op", "exp", origin=(1,))), (), (loop,)))
    {(1, 1): 9}
    """
    place = {
        origin: at for at, node in enumerate(graph.nodes)
        if node.kind in ("op", "module") for origin in node.origin
    }  # fmt: skip
    return {
        (place[source], place[target]): cluster.count
        for cluster in graph.clusters
        for source, target in cluster.loops
        if source in place and target in place
    }


def named(graph: Graph, most: int = MOST_SKIPS) -> Graph:
    """The graph without the long arrows of each node that has more than `most`; `links` name them.

    An arrow is long if it passes a rank, whether its ends are placed early or late. An op keeps the
    arrow from its latest input, and a value that to its first use.

    >>> import tinygrad_cnn as tc
    >>> from .record import record
    >>> x, kept = tc.ones(2, requires_grad=True), []
    >>> for _ in range(9):
    ...     x = x.exp()
    ...     kept.append(x)
    >>> graph = named(record(tc.stack(kept)))
    >>> graph.nodes[1].links, graph.nodes[-2].links
    (('to stack',), ('from 8 exp',))
    """
    first, last = ranks(graph)
    skips = [
        edge
        for edge in graph.edges
        if not edge.kind
        and max(
            first[edge.target] - first[edge.source], last[edge.target] - last[edge.source]
        ) > 1
    ]  # fmt: skip
    into, out = Counter(e.target for e in skips), Counter(e.source for e in skips)
    latest: dict[int, int] = {}
    for edge in graph.edges:
        latest[edge.target] = max(latest.get(edge.target, -1), edge.source)
    hidden: dict[int, Edge] = {}  # by id
    long = {id(edge) for edge in skips}
    met: set[int] = set()  # values whose first use is past
    for edge in graph.edges:
        late = edge.source in met
        met.add(edge.source)
        if id(edge) not in long:
            continue
        many = into[edge.target] > most and edge.source != latest[edge.target]
        if many or (out[edge.source] > most and late):
            hidden[id(edge)] = edge
    if not hidden:
        return graph
    nodes = list(graph.nodes)
    gone = list(hidden.values())
    for ends in _by_end(gone, "target"):
        sources = list(dict.fromkeys(e.source for e in ends))
        _link(nodes, ends[0].target, "from", [graph.nodes[at] for at in sources])
    for ends in _by_end(gone, "source"):
        targets = list(dict.fromkeys(e.target for e in ends))
        if graph.nodes[ends[0].source].kind in ("op", "module", "vjp"):
            _link(nodes, ends[0].source, "to", [graph.nodes[at] for at in targets])
    return replace(
        graph, nodes=tuple(nodes), edges=tuple(e for e in graph.edges if id(e) not in hidden)
    )


def _by_end(edges: list[Edge], end: str) -> list[list[Edge]]:
    def key(edge: Edge) -> int:
        return int(getattr(edge, end))

    return [list(group) for _, group in groupby(sorted(edges, key=key), key)]


def _link(nodes: list[Node], at: int, word: str, others: Sequence[Node]) -> None:
    lines = tuple(f"{word} {words}" for words in _names(others, nodes[at].cluster))
    nodes[at] = replace(nodes[at], links=(*nodes[at].links, *lines))


def _names(others: Sequence[Node], around: str | None) -> list[str]:
    """Short names of nodes; several alike are one text: "29 linear, o … o (29)", "3 b0 … b2"."""
    groups: dict[str, list[str]] = {}
    for node in others:
        place = _relative(node.cluster or "", around)
        if node.kind == "module":
            name, place = "", _relative(node.name, around)
        else:
            name = node.given or node.name
        elsewhere = node.kind in ("op", "vjp") and node.cluster != around
        shown = place if elsewhere or node.kind == "module" else ""
        groups.setdefault(name or re.sub(r"\d+", "#", place), []).append(shown)
    words = []
    for key, places in groups.items():
        name = "" if "#" in key or key in places else key
        text = " ".join(filter(None, (f"{len(places)}" if len(places) > 1 else "", name)))
        if all(places):
            ends = places[0] if len(set(places)) == 1 else f"{places[0]} … {places[-1]}"
            text += f", {ends}" if name and len(places) > 1 else f" {ends}"
        words.append(text.strip())
    return words


def _relative(path: str, around: str | None) -> str:
    """The path of a module without the modules that it shares with the path `around`."""
    parts, others = path.split("."), (around or "").split(".")
    same = next((k for k, (a, b) in enumerate(zip(parts, others, strict=False)) if a != b), None)
    return ".".join(parts[min(same or 0, len(parts) - 1) :])
