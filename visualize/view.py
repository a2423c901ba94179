"""Views of a graph, each a graph again: modules closed, small inputs inlined, early nodes cut."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import prod

from .frames import local
from .graph import Edge, Graph, Measured, Node, rebuilt, used_clusters
from .words import shape_text, value_text

MOST_ARROWS = 3  # a parameter with more is written into the boxes that use it


def close(graph: Graph, depth: int) -> Graph:
    """The graph with all modules deeper than `depth` closed: at 0 each outermost is one node.

    A module of one op stays that op. Several edges between a closed module and one node become one.

    >>> import tinygrad_cnn as tc
    >>> from tinygrad_cnn import nn
    >>> from .record import record
    >>> model = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2)))
    >>> [node.name for node in close(record(model(tc.ones(1, 2)), model), 0).nodes]
    ['x', '0', 'output']
    """
    chains, by_path = graph.chains(), {c.path: c for c in graph.clusters}
    levels: dict[str | None, str | None] = {}  # cluster -> the closed one around it
    for path, chain in chains.items():
        modules = [p for p in chain if by_path[p].kind or by_path[p].count == 1]
        levels[path] = modules[depth] if len(modules) > depth else None
    used: dict[int, list[int]] = {}  # of each op, its parameters
    uses: Counter[int] = Counter()
    for edge in graph.edges:
        if graph.nodes[edge.source].kind == "parameter":
            used.setdefault(edge.target, []).append(edge.source)
            uses[edge.source] += 1
    members: dict[str, list[int]] = {}
    for at, node in enumerate(graph.nodes):
        closed = levels[node.cluster]
        if closed is not None:
            members.setdefault(closed, []).append(at)
    place = list(range(len(graph.nodes)))
    nodes: dict[int, Node] = {}
    for path, inside in members.items():
        ops = [at for at in inside if graph.nodes[at].kind == "op"]
        if len(ops) < 2:
            continue
        for at in inside:
            place[at] = ops[-1]
        own = Counter(parameter for at in ops for parameter in used.get(at, ()))
        nodes[ops[-1]] = module_node(graph, path, inside, list(own))
        if any(uses[parameter] > times for parameter, times in own.items()):
            ((name, text, kind),) = nodes[ops[-1]].rows
            nodes[ops[-1]].rows = ((name, f"{text} shared", kind),)
    return _one_edge(rebuilt(graph, place, nodes))


def module_node(graph: Graph, path: str, inside: list[int], parameters: list[int]) -> Node:
    """The node that replaces a closed module: sums over the nodes at the positions `inside`.

    `parameters` are the positions of those that its ops use.

    `grad_norm` is that of the last op, whose output is the module's. The verdict is the first
    failed one, else the one with the largest error.
    """
    cluster = next(c for c in graph.clusters if c.path == path)
    nodes = [graph.nodes[at] for at in inside]
    ops = [node for node in nodes if node.kind == "op"]
    measured = None
    if any(node.measured for node in ops):
        measured = Measured()
        for node in ops:
            measured.add(node.measured or Measured())
        if ops[-1].measured and ops[-1].measured.grad_norm is not None:
            measured.grad_norm = ops[-1].measured.grad_norm
    failed = [n.verdict for n in ops if n.verdict and n.verdict.failed]
    errors = [n.verdict for n in ops if n.verdict and n.verdict.error is not None]
    worst = max(errors, key=lambda v: v.error or 0.0, default=None)
    freed = all(node.saved is None for node in ops)
    rows: tuple[tuple[str, str, str], ...] = ()
    if total := parameter_count([graph.nodes[at] for at in parameters]):
        rows = (("parameters", f"{total:,}", "sum"),)
    return Node(
        "module",
        path,
        ops[-1].shape,
        ops[-1].dtype,
        {"class": cluster.kind} if cluster.kind else {},
        None if freed else tuple(s for node in ops for s in node.saved or ()),
        cluster=cluster.parent,
        rows=rows,
        count=cluster.count,
        members=sum(max(node.members, len(node.origin), 1) for node in ops),
        measured=measured,
        verdict=failed[0] if failed else worst,
        line=ops[0].line,
        frozen=all(node.frozen for node in ops),
        origin=tuple(at for node in ops for at in node.origin),
    )


def parameter_count(nodes: list[Node]) -> int:
    """The number of elements of all parameters among the nodes, and of those folded into them.

    >>> parameter_count([Node("parameter", "w", (3, 4)), Node("parameter", "b", (3,))])
    15
    """
    return sum(
        prod(node.shape) * node.count
        for node in nodes
        if node.kind == "parameter" and node.shape is not None
    )


def _one_edge(graph: Graph) -> Graph:
    """The graph with one edge, the first, for each pair of a closed module and another node."""
    seen, edges = set(), []
    for edge in graph.edges:
        ends = (edge.source, edge.target)
        if "module" in {graph.nodes[at].kind for at in ends}:
            if ends in seen:
                continue
            seen.add(ends)
        edges.append(edge)
    edges.sort(key=lambda e: (e.target, e.slot))
    return replace(graph, edges=tuple(edges))


def inline(graph: Graph, parameters: bool = True) -> Graph:
    """The graph with parameters and numbers written into the box of the op, where one op uses them.

    They become `rows` of that op. A parameter that more than three boxes use is written into each of
    them, as shared: its arrows would hide all others. `parameters=False` omits all parameters.

    >>> import tinygrad_cnn as tc
    >>> from .record import record
    >>> graph = inline(record(tc.ones(3, requires_grad=True) * 2.5))
    >>> [(node.name, node.rows) for node in graph.nodes]
    [('a', ()), ('mul', (('b', '2.5', 'constant'),)), ('output', ())]
    """
    uses: dict[int, list[Edge]] = {}
    for edge in graph.edges:
        uses.setdefault(edge.source, []).append(edge)
    place = list(range(len(graph.nodes)))
    nodes: dict[int, Node] = {}
    for at, node in enumerate(graph.nodes):
        if node.kind == "parameter" and not parameters:
            place[at] = -1
            continue
        edges = uses.get(at, [])
        small = (
            node.kind == "parameter"
            or node.buffer
            or (node.kind == "constant" and node.value is not None)
        )
        if not small or not (len(edges) == 1 or len(edges) > MOST_ARROWS):
            continue
        if len(edges) == 1 and graph.nodes[edges[0].target].kind != "op":
            continue
        place[at] = -1
        for edge in edges:
            target = graph.nodes[edge.target]
            if target.kind == "op":  # a closed module counts its parameters
                target = nodes.setdefault(edge.target, replace(target))
                target.rows = (*target.rows, _row(node, target, len(edges) > 1))
    return rebuilt(graph, place, nodes)


def _row(node: Node, target: Node, shared: bool) -> tuple[str, str, str]:
    """The row of a parameter or a number in the box of an op that uses it."""
    if node.value is not None:
        text = value_text(node.value)
    else:
        text = "" if node.shape is None else shape_text(node.shape)
    if node.kind == "parameter" and (shared or node.uses > 1):
        return local(node.name, target.cluster), f"{text} shared".strip(), node.kind
    return node.name.rpartition(".")[2], text, node.kind


def cut(graph: Graph, limit: int) -> Graph:
    """The last `limit` nodes of a graph that is too large to lay out.

    A node of kind "cut" replaces the earlier nodes. Edges from any of them start there.

    >>> import tinygrad_cnn as tc
    >>> from .record import record
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
    return Graph(
        (Node("cut", f"{hidden} more nodes"), *kept),
        edges,
        used_clusters(kept, graph.clusters),
    )
