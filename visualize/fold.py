"""Folding: of pieces that repeat one after another, the first stays, with their number.

Pieces repeat if their ops, attributes, shapes and parameter shapes are equal, and if each takes its
inputs from the piece before it (or from a node that all share) in the same way. Nothing outside may
use a piece other than the last. Folding never cuts a module in two.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from .graph import Cluster, Graph, Node, rebuilt
from .words import value_text

MAX_PERIOD_OPS = 256  # ops in a piece; bounds the time of the search, which is periods × ops
MIN_SAVED_OPS = 4  # ops; a fold that saves fewer is not worth its frame


def fold(graph: Graph) -> Graph:
    """The graph with repeated pieces folded, again until nothing repeats.

    A piece of one module becomes one cluster with a `count`; another piece gets a cluster of its
    own. Measurements and saved arrays of the removed pieces are added to the piece that stays.

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
        self.ops = [at for at, _ in graph.ops()]  # positions; below, an op is its index k in here
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
        inside = [graph.nodes[at].cluster is not None for at in self.ops]
        self.before = np.concatenate(
            [[0], np.cumsum(inside)]
        )  # how many earlier ops are in modules
        self.span: dict[str, tuple[int, int]] = {}  # the first and the last op of each cluster
        for k, at in enumerate(self.ops):
            for path in self.chains[graph.nodes[at].cluster]:
                self.span[path] = (self.span.get(path, (k, k))[0], k)

    def run(self) -> Graph:
        """The graph with each repetition folded; the same graph if there is none."""
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
        """The facts about op k that must be equal in all pieces."""
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
        """(first op, ops in a piece, pieces) of each repetition. None overlaps another."""
        n = len(self.ops)
        known: dict[tuple[object, ...], int] = {}
        marks = np.array([known.setdefault(self.signature(k), len(known)) for k in range(n)])
        taken = np.zeros(n + 1, bool)
        found = []
        for period in range(1, min(MAX_PERIOD_OPS, n // 2) + 1):
            same = np.zeros(n - period + 2, np.int8)
            same[1:-1] = marks[period:] == marks[:-period]
            turns = np.flatnonzero(np.diff(same)).reshape(-1, 2)
            turns = turns[turns[:, 1] - turns[:, 0] >= max(period, MIN_SAVED_OPS)]
            for start, end in turns.tolist():  # ops start to end equal those one period later
                if not taken[start : end + period].any():
                    best = self.best(start, period, end - start)
                    if best is not None:
                        found.append(best)
                        taken[best[0] : best[0] + period * best[2]] = True
        return found

    def best(self, start: int, period: int, alike: int) -> tuple[int, int, int] | None:
        """The longest repetition in `alike` ops from `start` on, with whole modules in a piece."""
        for first in range(start, start + alike % period + 1):
            count = (start + alike - first) // period + 1
            if self.whole(first, period, count):
                count = self.wired(first, period, count)
                if (count - 1) * period >= MIN_SAVED_OPS:
                    return first, period, count
        return None

    def whole(self, first: int, period: int, count: int) -> bool:
        """Whether each module lies inside one piece, or contains all of them.

        The first two pieces are examined; the others equal them.
        """
        if self.before[first] == self.before[first + 2 * period]:
            return True
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
        """How many pieces, from the first on, take their inputs in the same way."""
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
                return piece  # a later op uses the piece before, which must then be the last
        return count

    def alike(self, source: int, before: int, start: int, period: int, piece: int) -> bool:
        """Whether an input of a piece corresponds to `before`, the same input of the previous one.

        `start` is the first op of the piece, `piece` its number.
        """
        if source == before:
            return True  # all pieces share it
        a, b = self.order.get(source), self.order.get(before)
        first = start - piece * period
        if a is None:  # an unshared parameter or constant
            x, y = self.graph.nodes[source], self.graph.nodes[before]
            once = self.uses[source] == self.uses[before] == 1
            return once and b is None and (x.kind, x.shape) == (y.kind, y.shape)
        if b is None or b < first:  # the input of the first piece comes from outside
            return piece == 1 and start - period <= a < start
        return a >= start - period and a - b == period

    def loop(self, first: int, period: int, count: int) -> tuple[tuple[tuple[int, int], ...], bool]:
        """What each piece hands to the next one, if all have the same parameters or none.

        Returns the positions in the recorded graph of both ops, and whether there are parameters.
        """
        carried, shared = [], False
        for k in range(first + period, first + 2 * period):
            for (_, source), (_, before) in zip(
                self.inputs[k], self.inputs[k - period], strict=True
            ):
                if source != before and self.graph.nodes[source].kind == "parameter":
                    return (), False
                if source == before and self.graph.nodes[source].kind == "parameter":
                    shared = True
                if first <= self.order.get(source, -1) < first + period:
                    ends = (source, self.ops[k - period])
                    carried.append(ends)
        nodes = self.graph.nodes
        turns = tuple((nodes[a].origin[0], nodes[b].origin[0]) for a, b in carried)
        return tuple(dict.fromkeys(turns)), shared

    def merge(
        self, first: int, period: int, count: int, place: list[int], nodes: dict[int, Node]
    ) -> None:
        """Merge the nodes of later pieces into the first piece: writes to `place` and `nodes`."""
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
                        kept = nodes.setdefault(mine, replace(graph.nodes[mine]))
                        kept.count += graph.nodes[source].count
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
        loops, shared = self.loop(first, period, count)
        inside = {
            path for chain in chains for path in chain
            if self.span[path][0] >= first and self.span[path][1] < first + period
        }  # fmt: skip
        depth = next((d for d, path in enumerate(chains[0]) if path in inside), len(chains[0]))
        outer = chains[0][depth] if depth < len(chains[0]) else None
        if outer is not None and all(
            outer in chain for chain in chains
        ):  # each piece is one module
            last = self.chains[graph.nodes[self.ops[first + (count - 1) * period]].cluster][depth]
            cluster = self.clusters[outer]
            cluster.count *= count
            cluster.loops, cluster.shared = loops, shared
            cluster.label = f"{cluster.path} … {_tail(cluster.path, last)}"
            return
        parent = chains[0][depth - 1] if depth else None
        name = f"repeated {first}"
        while name in self.clusters:
            name += "'"
        for path in inside:
            if self.clusters[path].parent == parent:
                self.clusters[path].parent = name
        self.clusters[name] = Cluster(name, "", parent, count, " ", shared, loops)
        for offset in range(period):
            node = nodes[self.ops[first + offset]]
            if node.cluster == parent:
                node.cluster = name
            again = dict(self.inputs[first + offset + period])
            for slot, source in self.inputs[first + offset]:
                other = graph.nodes[source]
                if again[slot] in self.order:
                    continue  # only the first piece has this input
                if other.kind != "op" and other.cluster == parent and self.uses[source] == 1:
                    nodes[source] = replace(nodes.get(source, other), cluster=name)


def _tail(path: str, other: str) -> str:
    """The end of `other` after the last dot that both paths share: "3" of "a.b.0", "a.b.3"."""
    common = 0
    for k, (a, b) in enumerate(zip(path, other, strict=False)):
        if a != b:
            break
        if a == ".":
            common = k + 1
    return other[common:]
