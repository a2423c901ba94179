"""How a picture groups boxes: the frames around them, and the boxes beside an op."""

from __future__ import annotations

from collections import Counter

from .graph import Cluster, Graph, Kind

INPUTS: tuple[Kind, ...] = ("constant", "leaf", "parameter")


def local(path: str, around: str | None) -> str:
    """The path of a module as written inside the frame `around`: without the common start.

    >>> local("layer1.0.conv1", "layer1.0"), local("fc", None), local("cell.w (2)", "cell (2)")
    ('conv1', 'fc', 'w')
    """
    if around is None:
        return path
    name, _, call = around.partition(" (")
    if not path.startswith(name + "."):
        return path
    return path[len(name) + 1 :].removesuffix(f" ({call}" if call else "")


def frames(graph: Graph) -> dict[str, Cluster]:
    """The clusters to draw, by path: each contains at least two boxes or frames.

    >>> from .graph import Node
    >>> a, b, c = (Node("op", name, cluster=path) for name, path in zip("abc", "xxy"))
    >>> list(frames(Graph((a, b, c), (), (Cluster("x", ""), Cluster("y", "")))))
    ['x']
    """
    direct = Counter(node.cluster for node in graph.nodes if node.cluster is not None)
    things: Counter[str | None] = Counter()
    drawn: set[str] = set()
    depth = {path: len(chain) for path, chain in graph.chains().items()}
    for cluster in sorted(graph.clusters, key=lambda c: -depth[c.path]):
        inside = direct[cluster.path] + things[cluster.path]
        if inside >= 2:
            drawn.add(cluster.path)
        things[cluster.parent] += min(inside, 1) if cluster.path in drawn else inside
    return {c.path: c for c in graph.clusters if c.path in drawn}


def sides(graph: Graph) -> dict[int, tuple[int, ...]]:
    """For each op, the inputs to draw beside it instead of above: its own parameters and constants.

    The path of the data is then a straight line. If all inputs of an op qualify, the first stays
    above.
    """
    uses = Counter(edge.source for edge in graph.edges)
    beside: dict[int, list[int]] = {}
    main: set[int] = set()
    for edge in graph.edges:
        source, target = graph.nodes[edge.source], graph.nodes[edge.target]
        own = source.kind in INPUTS and uses[edge.source] == 1
        if own and target.kind == "op" and source.cluster == target.cluster:
            beside.setdefault(edge.target, []).append(edge.source)
        else:
            main.add(edge.target)
    return {
        target: tuple(sources[target not in main :])
        for target, sources in beside.items()
        if sources[target not in main :]
    }
