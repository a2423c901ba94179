"""A graph as DOT text: boxes, frames, arrows and colours. User-given names are escaped here, once.

The text is laid out in Courier New, whose widths every renderer knows. The SVG then names better
looking fonts of the same width (see `render.py`), so no text is wider than its box.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from .arrows import turns
from .caption import caption
from .escape import MAX_LINE_CHARACTERS, quoted, text
from .frames import INPUTS, frames, local, sides
from .graph import Cluster, Edge, Graph, Node
from .heat import Key, colours, unit, value
from .look import (
    DEFAULT_DETAILS,
    DIRECTIONS,
    Detail,
    Direction,
    Heat,
    check_word,
    details,
)
from .marks import PLAIN, line, pair, sign
from .palette import (
    BACK_EDGE,
    EDGE,
    FAINT_EDGE,
    FRAME,
    FRAME_BORDER,
    INK,
    MUTED,
    ON_OUTPUT,
    PAPER,
    Pair,
)  # fmt: skip
from .words import (
    attributes,
    bytes_text,
    describe,
    gradient_text,
    keeps,
    shape_text,
    verdict_text,
    warnings,
    wrapped,
)

FONT = "Courier New"
SPACE = "&#160;"  # some versions of dot drop a plain space at the end of a text
CONTAINERS = ("", "Sequential", "ModuleList")  # class names that tell a reader nothing
FRAME_TITLE_CHARACTERS = 16  # the arrow into a frame would cross a longer title
BOX_LINE_CHARACTERS = 34  # a line of several facts wraps there


def to_dot(
    graph: Graph,
    direction: Direction = "TB",
    show: Detail | Iterable[Detail] = DEFAULT_DETAILS,
    heat: Heat | None = None,
    note: str = "",
) -> str:
    """The DOT text of a graph, with a note below. The options are those of `Picture`.

    Raises ValueError for a word that an option does not accept, and where `heat` was not measured.

    >>> source = to_dot(Graph((Node("leaf", "a < b"),), ()), direction="LR")
    >>> "a &lt; b" in source, "rankdir=LR" in source
    (True, True)
    """
    check_word("direction", direction, DIRECTIONS)
    return _Writer(graph, set(details(show)), heat, note).write(direction)


class _Writer:
    """Writes one graph. Each method returns a piece of the DOT text."""

    def __init__(self, graph: Graph, shown: set[str], heat: Heat | None, note: str) -> None:
        self.graph, self.shown, self.heat, self.note = graph, shown, heat, note
        self.paint: dict[int, Pair] = {}
        self.key: Key | None = None
        if heat is not None:
            self.paint, self.key = colours(graph, heat)
        self.sides = sides(graph)
        self.chains = graph.chains()
        self.both = any(edge.kind == "saved" for edge in graph.edges)
        # frames would keep the forward and the backward column apart
        self.frames: dict[str, Cluster] = {} if self.both else frames(graph)
        self.by_path = {c.path: c for c in graph.clusters}
        self.sums: dict[str, str] = {}  # of each frame, the sum of the heat in it
        if heat in ("time", "bytes"):
            self.sums = {path: unit(heat)(total) for path, total in self.totals(heat).items()}
        self.flow: dict[int, list[int]] = {}  # of each op, its inputs without parameters
        for edge in graph.edges:
            if not edge.kind and graph.nodes[edge.source].kind != "parameter":
                self.flow.setdefault(edge.target, []).append(edge.source)

    def write(self, direction: Direction) -> str:
        """The whole text."""
        graph = self.graph
        lines = [
            "digraph {",
            f'  graph [rankdir={direction} bgcolor="{PAPER}" fontname="{FONT}" fontsize=10 pad=0.2',
            f'         nodesep=0.25 ranksep=0.3 tooltip=" " labelloc=b fontcolor="{MUTED}"'
            f" {caption(self.graph, self.key, self.heat, self.note)}]",
            f'  node [shape=box style="rounded,filled" fontname="{FONT}" fontsize=11 height=0.3',
            f'        margin="0.12,0.05" penwidth=0.9 fontcolor="{INK}"]',
            f'  edge [fontname="{FONT}" fontsize=9 fontcolor="{MUTED}" color="{EDGE}"'
            " arrowsize=0.55",
            "        penwidth=0.9]",
        ]
        boxes: dict[str | None, list[str]] = {}
        for at, node in enumerate(graph.nodes):
            here = boxes.setdefault(self.frame(node), [])
            here.append(self.node(at, node))
            if at in self.sides:
                here.append(f"{{rank=same; {'; '.join(f'n{k}' for k in (at, *self.sides[at]))}}}")
        lines += self.clusters(boxes)
        lines += [f"  {line}" for line in boxes.get(None, [])]
        if self.both:
            lines += [
                f"  {{rank=same; n{edge.source}; n{edge.target}}}"
                for edge in graph.edges if edge.kind == "saved"
            ]  # fmt: skip
        entering = Counter(e.target for e in graph.edges if graph.nodes[e.source].kind == "op")
        for edge in graph.edges:
            lines.append(f"  {self.edge(edge, entering)}")
        lines += [f"  {self.loop(*ends, count)}" for ends, count in turns(graph).items()]
        return "\n".join([*lines, "}", ""])

    # --- Frames ---------------------------------------------------------------------------------

    def frame(self, node: Node) -> str | None:
        """The path of the innermost frame around a node."""
        drawn = [path for path in self.chains.get(node.cluster, ()) if path in self.frames]
        return drawn[-1] if drawn else None

    def clusters(self, boxes: dict[str | None, list[str]]) -> list[str]:
        """The frames with the boxes in them, nested."""
        lines: list[str] = []
        opened: list[str] = []
        numbers = {path: k for k, path in enumerate(self.frames)}
        inside: dict[str | None, list[str]] = {}
        for path in self.frames:
            around = [p for p in self.chains[path][:-1] if p in self.frames]
            inside.setdefault(around[-1] if around else None, []).append(path)
        stack: list[tuple[str, bool]] = [(p, True) for p in reversed(inside.get(None, []))]
        while stack:
            path, opening = stack.pop()
            indent = "  " * (len(opened) + 1)
            if not opening:
                opened.pop()
                lines.append("  " * (len(opened) + 1) + "}")
                continue
            outer = opened[-1] if opened else None
            opened.append(path)
            lines.append(f"{indent}subgraph cluster_{numbers[path]} {{")
            lines += self.frame_lines(path, outer, indent)
            lines += [f"{indent}  {box}" for box in boxes.pop(path, [])]
            stack.append((path, False))
            stack += [(p, True) for p in reversed(inside.get(path, []))]
        return lines

    def totals(self, heat: Heat) -> dict[str, float]:
        """The sum of the heat in each cluster."""
        found: dict[str, float] = {}
        for node in self.graph.nodes:
            for path in self.chains.get(node.cluster, ()):
                found[path] = found.get(path, 0.0) + (value(node, heat) or 0.0)
        return found

    def frame_lines(self, path: str, around: str | None, indent: str) -> list[str]:
        cluster = self.by_path[path]
        words = local(cluster.label or path, around).strip()
        label = f"<B>{text(words)}</B>" if words else ""
        fits = len(words) + len(cluster.kind) <= FRAME_TITLE_CHARACTERS
        if cluster.kind not in CONTAINERS and fits:
            label += f" {_muted(cluster.kind)}"
        if cluster.count > 1:
            label += f" <B>×{cluster.count:,}</B>"
        if cluster.shared:
            label += f" {_muted('shared weights')}"
        if path in self.sums:
            # on a separate line, which keeps the title short
            label += f'<BR ALIGN="LEFT"/>{_muted(self.sums[path])}<BR ALIGN="LEFT"/>'
        whole = f"{path} {cluster.kind}".strip()
        border = "1.4" if cluster.count > 1 else "0.9"
        return [
            f'{indent}  graph [style="rounded,filled" fillcolor="{FRAME}" color="{FRAME_BORDER}"',
            f'{indent}         margin=13 penwidth={border} fontcolor="{INK}" labeljust=l'
            " labelloc=t",
            f'{indent}         label=<{label.strip() or " "}> tooltip="{quoted(whole)}"]',
        ]

    # --- Boxes ----------------------------------------------------------------------------------

    def node(self, at: int, node: Node) -> str:
        fill, border = pair(node)
        heated = node.kind != "output" and node.status != "failed"
        if heated and (self.heat == "status" or node.kind not in INPUTS):
            default = (PAPER, FRAME_BORDER) if self.heat else (fill, border)
            fill, border = self.paint.get(at, default)
        own = line(node)
        style = "" if own is PLAIN else f" {own.dot()}"
        ink = f' fontcolor="{ON_OUTPUT}"' if node.kind == "output" else ""
        return (
            f'n{at} [label=<{self.label(at, node)}> fillcolor="{fill}" color="{border}"'
            f"{style}{ink} "
            f'id="node-{at}" class="{node.kind}" tooltip="{quoted(describe(node))}"]'
        )

    def label(self, at: int, node: Node) -> str:
        """The text in a box: the title, and below it the facts."""
        rows = [self.title(node)]
        if node.kind in ("op", "module", "vjp"):
            colour = (
                INK if self.heat or node.status == "failed" else MUTED
            )  # muted text fades on the colours of heat
            rows += [_muted(row, colour) for row in self.facts(node)]
        if len(rows) == 1:
            return rows[0]
        lines = "".join(f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in rows)
        return f'<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="1">{lines}</TABLE>'

    def title(self, node: Node) -> str:
        """The first line of a box: the name in bold, then the module, the class or the shape."""
        frame = self.frame(node)
        count = f" <B>×{node.count:,}</B>" if node.count > 1 else ""
        if node.kind == "module":
            kind = str(node.attributes.get("class", ""))
            return f"<B>{text(local(node.name, frame))}</B> {_muted(kind)}{count}"
        if node.kind in ("op", "vjp"):
            given = f"{node.given} = " if node.given and node.kind == "op" else ""
            title = f"<B>{text(sign(node) + given + node.name)}</B>"
            if node.kind == "vjp":
                title += f" {_muted('vjp')}"
            inner = self.chains.get(node.cluster, ())
            hidden = [p for p in inner if p not in self.frames and self.by_path[p].kind]
            if hidden and hidden[-1] == inner[-1]:
                title += f" {_muted(local(hidden[-1], frame))}"
            for path in inner:
                if path not in self.frames and self.by_path[path].count > 1:
                    title += f" <B>×{self.by_path[path].count:,}</B>"
            return title + count
        name = node.name
        if node.kind in ("parameter", "gradient"):
            name = local(name, frame)
        if node.kind == "gradient":
            name = f"grad {name}"
        rest = []
        if node.value is not None:
            rest.append(f"{node.value:.6g}")
        elif "shapes" in self.shown and node.shape is not None:
            rest.append(shape_text(node.shape))
        if "dtypes" in self.shown and node.dtype:
            rest.append(node.dtype)
        words = " ".join(rest)
        title = f"<B>{text(sign(node) + name)}</B>"
        if not words:
            return title
        if node.kind == "output":
            return f'{title} <FONT COLOR="{ON_OUTPUT}">{text(words)}</FONT>'
        return f"{title} {_muted(words)}"

    def facts(self, node: Node) -> list[str]:
        """The lines below the title of an op, a vjp or a module."""
        rows = []
        if node.kind == "op" and "attributes" in self.shown:
            words = attributes(node)
            rows += wrapped(words, ", ", BOX_LINE_CHARACTERS)
        if node.kind == "module":
            rows.append(f"{node.members:,} ops{' in all' if node.count > 1 else ''}")
        if "params" in self.shown or node.status == "failed":
            rows += wrapped(
                [" ".join(row[:2]).strip() for row in node.rows], "  ", BOX_LINE_CHARACTERS
            )
        if self.heat in ("time", "bytes", "grad"):
            measured = value(node, self.heat)
            if self.heat == "grad" and node.measured is not None:
                rows += [gradient_text(node.measured)] if measured is not None else []
            elif measured:
                rows.append(unit(self.heat)(measured))
        elif self.heat == "verdict" and node.verdict is not None:
            rows.append(verdict_text(node).removeprefix("gradient "))
        elif self.heat == "status" and node.status in ("changed", "follows") and node.line:
            rows.append(node.line)
        elif "saved" in self.shown and node.kind == "op" and node.kept():
            rows.append(keeps(node))
        if "source" in self.shown and node.line and self.heat != "status":
            rows.append(node.line.split(", in ")[0].rpartition("/")[2])
        for link in node.links:
            rows += wrapped(link.split(" "), " ", BOX_LINE_CHARACTERS)
        return rows + warnings(node)

    # --- Arrows ---------------------------------------------------------------------------------

    def edge(self, edge: Edge, entering: Mapping[int, int]) -> str:
        """An arrow; `entering` counts the arrows from ops into each node."""
        source, target = self.graph.nodes[edge.source], self.graph.nodes[edge.target]
        ident = f'id="edge-{edge.target}-{edge.slot}{edge.kind and "-" + edge.kind}"'
        if edge.kind == "saved":
            look = f'style=dotted color="{FAINT_EDGE}" arrowhead=none constraint=false'
            names = ", ".join(dict.fromkeys(saved.name for saved in source.saved or ()))
            if source.kind == "module":
                names = f"keeps {bytes_text(source.kept())}"
            if names and edge.kept:
                look += f" label=<{SPACE}{text(names, BOX_LINE_CHARACTERS)}{SPACE}>"
            return (
                f"n{edge.source} -> n{edge.target} [{ident} {look if edge.kept else 'style=invis'}]"
            )
        facts = []
        back = target.kind in ("vjp", "gradient")
        if self.both and back:
            if "shapes" in self.shown and source.shape is not None and source.kind == "vjp":
                facts.append(shape_text(target.shape or source.shape))
        elif source.kind in ("op", "module", "vjp"):
            if entering[edge.target] > 1 and _ordered(edge, target) and self.heat != "status":
                facts.append(f"{edge.name}:")
            if "shapes" in self.shown and source.shape is not None and self.new_shape(edge):
                facts.append(shape_text(source.shape))
            if "dtypes" in self.shown and source.dtype:
                facts.append(source.dtype)
        label = f" label=<{SPACE}{text(' '.join(facts))}{SPACE}>" if facts else ""
        look = f'color="{FAINT_EDGE}"' if source.kind == "parameter" else ""
        if edge.kind == "detached":
            look += " style=dotted"
        if source.kind in ("op", "module", "vjp"):
            look += " weight=8"
        if back:
            look += f' color="{BACK_EDGE}"'
        ends = f"n{edge.source} -> n{edge.target}"
        beside = self.sides.get(edge.target, ())
        turned = edge.source in beside and (beside.index(edge.source) + len(beside)) % 2 == 0
        if turned or (self.both and back and source.kind != "output"):
            # dot puts the head to the right within a rank, and below between ranks
            ends, look = f"n{edge.target} -> n{edge.source}", f"{look} dir=back"
        tip = quoted(f"input {edge.name}: {source.name}" if edge.name else source.name)
        return f'{ends} [{ident} {look.strip()}{label} tooltip="{tip}"]'

    def loop(self, source: int, target: int, count: int) -> str:
        """The arrow from the end of a loop that is folded back to its start."""
        return (
            f'n{source}:e -> n{target}:e [style=dashed constraint=false color="{EDGE}" '
            f'label=<{SPACE}×{count:,}{SPACE}> tooltip="to the next of {count:,} turns"]'
        )

    def new_shape(self, edge: Edge) -> bool:
        """Whether the value has another shape than the inputs that it was computed from."""
        source = self.graph.nodes[edge.source]
        before = [self.graph.nodes[at].shape for at in self.flow.get(edge.source, ())
                  if self.graph.nodes[at].value is None]  # fmt: skip
        if self.graph.nodes[edge.target].kind == "output":
            return False  # the output's own box has its shape
        return not before or any(shape != source.shape for shape in before)


def _ordered(edge: Edge, target: Node) -> bool:
    """Whether the order of the op's inputs matters, so that the arrow needs the input's name."""
    symmetric = target.name in ("add", "mul", "maximum", "minimum")
    return target.kind == "op" and not symmetric and "[" not in edge.name


def _muted(words: str, colour: str = MUTED) -> str:
    if not words:
        return ""
    return f'<FONT POINT-SIZE="9" COLOR="{colour}">{text(words, 2 * MAX_LINE_CHARACTERS)}</FONT>'
