"""How long the layout of a graph takes, predicted: the same number on every machine.

The time of both renderers follows the boxes n, the invisible ones s where arrows pass ranks, and the
frames f. Measured in seconds of processor time, Graphviz 2.42 and graphviz-pure 0.2.2 on one core of
2026, and predicted:

    graph                               n      s      f    dot   pure   predicted
    RNN of 300 steps                1,804      0      0    2.1    1.4         1.8
    LSTM tagger, 215 steps          1,501      0    214    3.2    2.6         3.2
    DenseNet-121                      433    518     66    0.2    0.2         0.4
    random, each from the last 32     801    893      0    1.5    1.3         1.5
    random, each from any             561    898      0    1.0    1.0         0.9
    random, each from any             746  1,176      0    2.3    1.7         2.1
    random, each from any           1,034  1,760      0    6.6    4.4         6.5

Without frames the time grows with the third power of n + s: the layout moves each box, tries each
place, and counts crossings. Frames cost more.
"""

from __future__ import annotations

from .arrows import ranks
from .frames import frames
from .graph import Graph

SECONDS_PER_BOXES_CUBED = 3e-10
FRAMES_PER_DOUBLING = 100
MOST_SECONDS = 3.3  # a coarser view is drawn above; a machine of a third of the speed takes 10 s


def seconds(graph: Graph) -> float:
    """The predicted seconds of the layout.

    >>> from .graph import Node
    >>> chain = Graph(tuple(Node("op", "exp") for _ in range(1000)), ())
    >>> round(seconds(chain), 2)
    0.3
    """
    boxes = len(graph.nodes) + span(graph)
    slower = 1 + len(frames(graph)) / FRAMES_PER_DOUBLING
    return float(SECONDS_PER_BOXES_CUBED * boxes**3 * slower)


def span(graph: Graph) -> int:
    """How many ranks all arrows pass in a tight picture: the invisible boxes of its layout.

    A node with more arrows in than out stands early, any other late.

    >>> from .graph import Edge, Node
    >>> nodes = tuple(Node("op", name) for name in "abcd")
    >>> ends = [(0, 1), (1, 2), (2, 3), (0, 3)]
    >>> span(Graph(nodes, tuple(Edge(a, b, 0, "") for a, b in ends)))
    2
    """
    drawn = [e for e in graph.edges if e.kind != "saved"]
    place, _ = ranks(graph)
    after: list[list[int]] = [[] for _ in graph.nodes]
    into = [0] * len(graph.nodes)
    for edge in drawn:
        after[edge.source].append(edge.target)
        into[edge.target] += 1
    for at in sorted(range(len(place)), key=lambda k: -place[k]):
        if after[at] and len(after[at]) >= into[at]:
            place[at] = min(place[target] for target in after[at]) - 1
    return sum(place[edge.target] - place[edge.source] - 1 for edge in drawn)
