"""Marks besides colour: the line around a box tells its family, a sign tells a difference.

So a picture can be read in black and white, and by people who see few colours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .graph import Graph, Node
from .palette import FAMILIES, KIND_COLOURS, OTHER, PAPER, VERDICTS, Pair

SIGNS = {"added": "+", "removed": "-", "changed": "~", "follows": "(~)", "failed": "!", "": ""}


@dataclass(frozen=True)
class Line:
    """The line around the boxes of a family: its words, width, dash, corners, and if it is double.

    `dash` is "", "dashed" or "dotted".
    """

    words: str
    width: float = 0.9
    dash: str = ""
    rounded: bool = True
    double: bool = False

    def dot(self) -> str:
        """The attributes of a box in DOT.

        >>> Line("pooling", double=True).dot()
        'style="rounded,filled" penwidth=0.9 peripheries=2'
        """
        style = ",".join(filter(None, ("rounded" if self.rounded else "", "filled", self.dash)))
        return f'style="{style}" penwidth={self.width:g}' + (
            " peripheries=2" if self.double else ""
        )

    def css(self) -> str:
        """The same for a rectangle in SVG; a double line is a second rectangle.

        >>> Line("norm", 1.2, "dashed").css()
        'stroke-width:1.4;stroke-dasharray:5 3'
        """
        dashes = {"dashed": ";stroke-dasharray:5 3", "dotted": ";stroke-dasharray:1.5 2.5", "": ""}
        corners = "" if self.rounded else ";rx:0"
        return f"stroke-width:{self.width + 0.2:.2g}{dashes[self.dash]}{corners}"


_LEARNED = Line("convolution, linear", 2.0)
_ELEMENTWISE = Line("elementwise")
_REDUCED = Line("reduction, loss", 1.3, rounded=False)
_MOVED = Line("view, reshape", 1.2, "dotted")
LINES: dict[str, Line] = {
    **dict.fromkeys(("conv", "linear", "embedding", "recurrent"), _LEARNED),
    **dict.fromkeys(("elementwise", "arithmetic", "activation", "special", "gamma"), _ELEMENTWISE),
    **dict.fromkeys(("reduce", "softmax", "loss", "scan", "distance"), _REDUCED),
    **dict.fromkeys(("shape", "sparse", "sampling", "windows"), _MOVED),
    "pool": Line("pooling", double=True),
    "norm": Line("normalisation, dropout", 1.3, "dashed"),
}
OTHER_LINE = Line("other op", 1.3, "dotted", rounded=False)
MODULE_LINE = Line("closed module", 1.5)
PLAIN = Line("")
FAILED_LINE = Line("failed", 2.4, rounded=False)
REMOVED_LINE = Line("removed", 1.2, "dashed")


def line(node: Node) -> Line:
    """The line around the box of a node.

    >>> line(Node("op", "max_pool2d", family="pool")).words
    'pooling'
    """
    if node.status == "failed":
        return FAILED_LINE
    if node.kind == "cut" or node.status == "removed":
        return REMOVED_LINE
    if node.kind == "module":
        return MODULE_LINE
    if node.kind == "vjp" and node.members:
        return MODULE_LINE
    return LINES.get(node.family, OTHER_LINE) if node.kind in ("op", "vjp") else PLAIN


def pair(node: Node) -> Pair:
    """Fill and border of the box of a node, without heat."""
    if node.status == "failed":
        return VERDICTS["wrong"]
    if node.kind == "vjp" and node.members:
        return KIND_COLOURS["module"]
    return KIND_COLOURS.get(node.kind) or FAMILIES.get(node.family, OTHER)


def families(graph: Graph) -> list[tuple[Pair, Line]]:
    """The legend: fill and border, and the line, of each family of ops in a graph.

    >>> nodes = (Node("op", "relu", family="activation"), Node("op", "mul", family="elementwise"))
    >>> [line.words for _, line in families(Graph(nodes, ()))]
    ['elementwise']
    """
    found: dict[str, tuple[Pair, Line]] = {}
    for node in graph.nodes:
        if node.kind in ("op", "vjp", "module"):
            shown = replace(node, status="failed" if node.status == "failed" else "")
            found[line(shown).words] = (pair(shown), line(shown))
    order = [each.words for each in (*LINES.values(), OTHER_LINE, MODULE_LINE, FAILED_LINE)]
    return [found[words] for words in dict.fromkeys(order) if words in found]


def sign(node: Node) -> str:
    """The sign of a node in a difference, with a space, or nothing.

    >>> sign(Node("op", "tanh", status="added"))
    '+ '
    """
    return f"{SIGNS[node.status]} " if node.status else ""


def swatch(pair: Pair, own: Line) -> str:
    """The attributes of a cell of an HTML-like label that shows a family: fill and border."""
    style = f' STYLE="{own.dash}"' if own.dash else ' STYLE="rounded"' if own.rounded else ""
    return (
        f'BGCOLOR="{pair[0] or PAPER}" COLOR="{pair[1]}" BORDER="{max(1, round(own.width))}"{style}'
    )
