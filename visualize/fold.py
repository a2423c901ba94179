"""Folding: of pieces that repeat one behind the other the first alone stays, with their number.

Pieces are alike if their ops, attributes, shapes and parameters' shapes are, and if each is wired
to the one before it (or to what all share) in the same way. Only the last may be used further on.
A module is never cut in two.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from .model import Cluster, Graph, Node, rebuilt
from .words import value_text

LONGEST = 256  # ops of a piece
WORTH = 4  # ops that a fold must save


def fold(graph: Graph) -> Graph:
    """The graph with repeated pieces folded; folded pieces that repeat are folded again.

    >>> import tinygrad_cnn as tc
    >>> from .record import record
    >>> y = tc.ones(2, requires_grad=True)
    >>> for _ in range(100):
    ...     y = (y * 2).exp()
    >>> folded = fold(record(y))
    >>> [node.name for node in folded.nodes], folded.clusters[0].count
    (['a', 'b', 'mul', 'exp', 'output'], 100)
    """
    while True:
        shorter = _Fold(graph).run()
        if shorter is graph:
            return graph
        graph = shorter


class _Fold:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.ops = [at for at, _ in graph.ops()]
        self.order = {at: k for k, at in enumerate(self.ops)}
        self.inputs: list[list[tuple[int, int]]] = [[] for _ in self.ops]  # (slot, source)
        self.uses = [0] * len(graph.nodes)
        self.last_use = [-1] * len(graph.nodes)
        for edge in graph.edges:
            k = self.order.get(edge.target, len(self.ops))
            self.uses[edge.source] += 1
            self.last_use[edge.source] = max(self.last_use[edge.source], k)
            if k < len(self.ops):
                self.inputs[k].append((edge.slot, edge.source))
        self.chains = graph.chains()
        self.by_path = {cluster.path: cluster for cluster in graph.clusters}
        self.span: dict[str, tuple[int, int]] = {}  # first and last op of each cluster
        for k, at in enumerate(self.ops):
            for path in self.chains[graph.nodes[at].cluster]:
                self.span[path] = (self.span.get(path, (k, k))[0], k)

    def run(self) -> Graph:
        graph = self.graph
        place = list(range(len(graph.nodes)))
        nodes: dict[int, Node] = {}
        self.clusters = {path: replace(c) for path, c in self.by_path.items()}
        found = self.repeats()
        if not found:
            return graph
        for start, period, count in found:
            self.merge(start, period, count, place, nodes)
        self.graph = Graph(graph.nodes, graph.edges, tuple(self.clusters.values()))
        edges = tuple(e for e in graph.edges if place[e.target] == e.target)
        return rebuilt(replace(self.graph, edges=edges), place, nodes)

    def signature(self, k: int) -> tuple[object, ...]:
        node = self.graph.nodes[self.ops[k]]
        own = [
            (slot, other.shape, other.value)
            for slot, other in ((slot, self.graph.nodes[at]) for slot, at in self.inputs[k])
            if other.kind == "parameter" or other.value is not None
        ]
        where = re.sub(r"\d+", "#", node.cluster.partition(" (")[0]) if node.cluster else ""
        facts = tuple((name, value_text(value)) for name, value in node.attributes.items())
        counts = tuple(self.by_path[path].count for path in self.chains[node.cluster])
        return (node.name, node.shape, node.dtype, facts, where, counts, node.count, tuple(own))

    def repeats(self) -> list[tuple[int, int, int]]:
        """(first op, ops of a piece, pieces) of each repetition, none overlapping another."""
        n = len(self.ops)
        known: dict[tuple[object, ...], int] = {}
        marks = np.array([known.setdefault(self.signature(k), len(known)) for k in range(n)])
        taken = np.zeros(n + 1, bool)
        found = []
        for period in range(1, min(LONGEST, n // 2) + 1):
            same = np.zeros(n - period + 2, np.int8)
            same[1:-1] = marks[period:] == marks[:-period]
            turns = np.flatnonzero(np.diff(same)).reshape(-1, 2)
            turns = turns[turns[:, 1] - turns[:, 0] >= max(period, WORTH)]
            for start, end in turns.tolist():  # ops alike to those a period later
                if not taken[start : end + period].any():
                    best = self.best(start, period, end - start)
                    if best is not None:
                        found.append(best)
                        taken[best[0] : best[0] + period * best[2]] = True
        return found

    def best(self, start: int, period: int, alike: int) -> tuple[int, int, int] | None:
        """The longest repetition in a stretch, whole modules in each piece."""
        for first in range(start, start + alike % period + 1):
            count = (start + alike - first) // period + 1
            if self.whole(first, period, count):
                count = self.wired(first, period, count)
                if (count - 1) * period >= WORTH:
                    return first, period, count
        return None

    def whole(self, first: int, period: int, count: int) -> bool:
        """Whether each module is in one piece of the first two, or around them all."""
        for k in range(first, first + 2 * period):
            piece = first + (k - first) // period * period
            for path in self.chains[self.graph.nodes[self.ops[k]].cluster]:
                a, b = self.span[path]
                if not (a >= piece and b < piece + period) and not (
                    a <= first and b >= first + count * period - 1
                ):
                    return False
        return True

    def wired(self, first: int, period: int, count: int) -> int:
        """How many pieces, from the first on, are wired alike."""
        for piece in range(1, count):
            start = first + piece * period
            for k in range(start, start + period):
                for (slot, source), (slot_before, before) in zip(
                    self.inputs[k], self.inputs[k - period], strict=True
                ):
                    if slot != slot_before or not self.alike(source, before, start, period, piece):
                        return piece
            before_last = range(start - period, start)
            if any(self.last_use[self.ops[k]] >= start + period for k in before_last):
                return piece  # something else uses the piece before: it must be the last
        return count

    def alike(self, source: int, before: int, start: int, period: int, piece: int) -> bool:
        """Whether an input of a piece is what the input of the piece before was to that."""
        if source == before:
            return True  # all share it
        a, b = self.order.get(source), self.order.get(before)
        first = start - piece * period
        if a is None:  # its own parameter, or constant
            x, y = self.graph.nodes[source], self.graph.nodes[before]
            once = self.uses[source] == self.uses[before] == 1
            return once and b is None and (x.kind, x.shape) == (y.kind, y.shape)
        if b is None or b < first:  # the first piece begins with what comes from outside
            return piece == 1 and start - period <= a < start
        return a >= start - period and a - b == period

    def merge(
        self, first: int, period: int, count: int, place: list[int], nodes: dict[int, Node]
    ) -> None:
        """Let the nodes of the later pieces go where those of the first are."""
        graph = self.graph
        for offset in range(period):
            k = first + offset
            node = replace(graph.nodes[self.ops[k]])
            measured = replace(node.measured) if node.measured else None
            saved, origin = list(node.saved or ()), list(node.origin)
            for later in range(k + period, first + count * period, period):
                other = graph.nodes[self.ops[later]]
                place[self.ops[later]] = self.ops[k]
                for (_, source), (_, mine) in zip(self.inputs[later], self.inputs[k], strict=True):
                    if graph.nodes[source].kind != "op" and source != mine:
                        place[source] = mine
                if measured and other.measured:
                    measured.add(other.measured)
                saved += other.saved or ()
                origin += other.origin
            node.measured = measured
            node.saved = None if node.saved is None else tuple(saved)
            node.origin = tuple(origin)
            nodes[self.ops[k]] = node
        chains = [
            self.chains[graph.nodes[self.ops[k]].cluster] for k in range(first, first + period)
        ]
        inside = {
            path for chain in chains for path in chain
            if self.span[path][0] >= first and self.span[path][1] < first + period
        }  # fmt: skip
        depth = next((d for d, path in enumerate(chains[0]) if path in inside), len(chains[0]))
        outer = chains[0][depth] if depth < len(chains[0]) else None
        if outer is not None and all(outer in chain for chain in chains):  # a piece is one module
            last = self.chains[graph.nodes[self.ops[first + (count - 1) * period]].cluster][depth]
            cluster = self.clusters[outer]
            cluster.count *= count
            cluster.label = f"{cluster.path} … {_tail(cluster.path, last)}"
            return
        parent = chains[0][depth - 1] if depth else None
        name = f"repeated {first}"
        while name in self.clusters:
            name += "'"
        for path in inside:
            if self.clusters[path].parent == parent:
                self.clusters[path].parent = name
        self.clusters[name] = Cluster(name, "", parent, count, " ")
        for offset in range(period):
            node = nodes[self.ops[first + offset]]
            if node.cluster == parent:
                node.cluster = name
            for _, source in self.inputs[first + offset]:
                other = graph.nodes[source]
                if other.kind != "op" and other.cluster == parent and self.uses[source] == 1:
                    nodes[source] = replace(other, cluster=name)


def _tail(path: str, other: str) -> str:
    """What of `other` differs from `path`, from the last common dot on."""
    common = 0
    for k, (a, b) in enumerate(zip(path, other, strict=False)):
        if a != b:
            break
        if a == ".":
            common = k + 1
    return other[common:]
