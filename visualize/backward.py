"""The backward graph: one node for the vjps of each op, and one for the gradient of each leaf.

It follows from the forward graph. The vjps of an op receive the cotangent of its output from the
vjps of all ops that use that output, and send one cotangent to the vjps of each op that made an
input. Constants receive none.
"""

from __future__ import annotations

from dataclasses import replace

from .frames import local
from .graph import Edge, Graph, Node, rebuilt, used_clusters
from .view import MOST_ARROWS
from .words import shape_text


def backward(graph: Graph) -> Graph:
    """The backward graph of a graph.

    >>> import tinygrad_cnn as tc
    >>> from .record import record
    >>> w = tc.ones(2, requires_grad=True)
    >>> graph = backward(record((w * w).sum(), names={"w": w}))
    >>> [(node.kind, node.name) for node in graph.nodes]
    [('output', 'output'), ('vjp', 'sum'), ('vjp', 'mul'), ('gradient', 'w')]
    >>> [(e.source, e.target, e.name) for e in graph.edges]
    [(0, 1, 'seed'), (1, 2, 'x'), (2, 3, 'a'), (2, 3, 'b')]
    """
    both = forward_and_backward(graph)
    first = len(graph.nodes)
    outputs = [at for at in range(first) if graph.nodes[at].kind == "output"]
    stay = [*outputs, *range(first, len(both.nodes))]
    number = {at: k for k, at in enumerate(stay)}
    nodes = tuple(both.nodes[at] for at in stay)
    edges = [
        replace(edge, source=number[edge.source], target=number[edge.target])
        for edge in both.edges
        if edge.source in number and edge.target in number
    ]
    return Graph(nodes, tuple(edges), used_clusters(nodes, graph.clusters))


def forward_and_backward(graph: Graph) -> Graph:
    """The forward graph and the backward graph as one graph; forward nodes keep their positions.

    An edge of kind "saved" leads from each op to its vjps. It is `kept` if the op saves anything.

    >>> import tinygrad_cnn as tc
    >>> from .record import record
    >>> graph = forward_and_backward(record(tc.ones(2, requires_grad=True).exp()))
    >>> [(node.kind, node.name) for node in graph.nodes]
    [('leaf', 'x'), ('op', 'exp'), ('output', 'output'), ('vjp', 'exp'), ('gradient', 'x')]
    """
    nodes = list(graph.nodes)
    place: dict[int, int] = {}
    for at in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[at]
        if node.kind in ("op", "module") and not node.frozen:
            place[at] = len(nodes)
            nodes.append(replace(node, kind="vjp", rows=()))
    learns = {
        edge.source for edge in graph.edges
        if edge.target in place or graph.nodes[edge.target].kind == "output"
    }  # fmt: skip
    for at, node in enumerate(graph.nodes):
        if node.kind in ("parameter", "leaf") and not node.frozen and at in learns:
            place[at] = len(nodes)
            cluster = node.cluster
            nodes.append(Node("gradient", node.name, node.shape, node.dtype, cluster=cluster))
    edges = []
    for edge in graph.edges:
        target = graph.nodes[edge.target]
        if edge.source not in place or edge.kind:
            continue
        if target.kind != "output" and edge.target not in place:
            continue
        if target.kind == "output":
            edges.append(Edge(edge.target, place[edge.source], 0, "seed"))
        else:
            edges.append(Edge(place[edge.target], place[edge.source], edge.slot, edge.name))
    edges.sort(key=lambda e: (e.target, nodes[e.source].kind != "output", -e.source))
    slots: dict[int, int] = {}
    for edge in edges:
        edge.slot = slots[edge.target] = slots.get(edge.target, -1) + 1
    saves = [
        Edge(at, where, 0, "saved", bool(graph.nodes[at].saved), "saved")
        for at, where in place.items()
        if nodes[where].kind == "vjp"
    ]
    return Graph(tuple(nodes), (*graph.edges, *edges, *saves), graph.clusters)


def inline_gradients(graph: Graph) -> Graph:
    """The graph with gradients of parameters written into the box of their vjp, if it is one.

    The gradient of a parameter that more than three boxes use is written into each of them.
    """
    arrives: dict[int, list[Edge]] = {}
    for edge in graph.edges:
        arrives.setdefault(edge.target, []).append(edge)
    place = list(range(len(graph.nodes)))
    made: dict[int, Node] = {}
    for at, node in enumerate(graph.nodes):
        edges = arrives.get(at, [])
        own = node.cluster is not None and len(edges) == 1
        if node.kind != "gradient" or not (own or len(edges) > MOST_ARROWS):
            continue
        place[at] = -1
        for edge in edges:
            vjp = made.setdefault(edge.source, replace(graph.nodes[edge.source]))
            shape = "" if node.shape is None else shape_text(node.shape)
            name = node.name.rpartition(".")[2] if own else local(node.name, vjp.cluster)
            row = (f"grad {name}", shape if own else f"{shape} shared".strip(), "gradient")
            vjp.rows = (*vjp.rows, row)
    return rebuilt(graph, place, made)
