"""A graph as DOT text for a sheet of fixed size: a slide, or a page of paper.

`wrap.py` has placed everything, so the layout program only draws. Letters keep a least size; a
graph that is too large for that does not fit, and `Picture` then closes modules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from .boxes import CHARACTER, LEADING, Boxes, Sheet, cut_text
from .dot import FONT
from .escape import quoted, text
from .graph import Graph
from .heat import Key, colours
from .look import Detail, Heat
from .marks import Line, families, line, pair
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
from .routes import MAX_FAR, Place, Point, Wire
from .words import describe
from .wrap import Title, Wrapped, wrap

MAX_GROWTH = 1.7  # a small graph fills its sheet, but its letters do not become larger
CORNER = 5.0  # radius of the bends of arrows, in points
LEGEND_GAP = 8.0  # between two entries, in points
RING = 4.0  # from a line to the second one around it, in points
HEAD = 5.0  # length of an arrow's head, in points


def to_sheet(
    graph: Graph,
    sheet: Sheet,
    *,
    show: Sequence[Detail],
    heat: Heat | None = None,
    turned: bool = False,
    title: str = "",
    note: str = "",
) -> tuple[str, bool]:
    """The DOT text of a graph on a sheet, and whether it fits with letters of the least size.

    Args:
        graph: the view to draw.
        show, heat: as in `Picture`.
        turned: the path of the data runs from left to right, in rows.
        title, note: written above and below.

    Raises ValueError where `heat` was not measured.
    """
    writer = _Writer(graph, sheet, show, heat, turned)
    return writer.write(title, note)


class _Writer:
    def __init__(
        self, graph: Graph, sheet: Sheet, show: Sequence[Detail], heat: Heat | None, turned: bool
    ) -> None:
        self.graph, self.sheet, self.shown, self.heat = graph, sheet, set(show), heat
        self.turned = turned
        self.paint: dict[int, Pair] = {}
        self.key: Key | None = None
        if heat is not None:
            self.paint, self.key = colours(graph, heat)
        self.words = Boxes(graph, sheet, show, heat)

    # --- The sheet ------------------------------------------------------------------------------

    def write(self, title: str, note: str) -> tuple[str, bool]:
        s, graph = self.sheet, self.graph
        inner = s.width - 2 * s.margin, s.height - 2 * s.margin
        bands = [s.name * 1.3 * LEADING + 6 if title else 0.0, self.legend_height(note, inner[0])]
        room = inner[0], inner[1] - sum(bands)
        words = {at: self.words.lines(at, ()) for at in range(len(graph.nodes))}
        if sum(w * h for w, h in map(self.words.size, words.values())) > room[0] * room[1]:
            return "", False
        named: dict[tuple[int, int], int] = {}
        while True:  # each turn names more ends
            extra = self.named_ends(named)
            words = {at: self.words.lines(at, extra.get(at, ())) for at in range(len(graph.nodes))}
            sizes = {at: self.words.size(each) for at, each in words.items()}
            found = self.wrapped(sizes, room, named)
            far = [wire for wire in found.wires if wire.far]
            if len(far) <= MAX_FAR:
                break
            for wire in far:
                named[graph.edges[wire.edge].source, graph.edges[wire.edge].target] = wire.edge
        low_x, low_y, high_x, high_y = self.extent(found)
        width, height = high_x - low_x, high_y - low_y
        grow = MAX_GROWTH
        for _ in range(3):  # a narrower sheet has a legend of more lines
            bands[1] = self.legend_height(note, inner[0] / grow)
            grow = min(inner[0] / width, inner[1] / (height + sum(bands)), MAX_GROWTH)
        canvas = s.width / grow, s.height / grow
        margin = s.margin / grow
        left = (canvas[0] - width) / 2 - low_x
        spare = canvas[1] - 2 * margin - sum(bands) - height
        top = margin + bands[0] - low_y + spare / (2 if s.width > s.height else 8)

        def place(x: float, y: float) -> Point:
            return x + left, canvas[1] - (y + top)

        lines = self.head(canvas)
        if title:
            lines.append(
                _words("title", cut_text(title, 60), margin, canvas[1] - margin, s.name * 1.3, INK)
            )
        lines += self.frame_lines(found, place)
        lines += [self.box(at, words[at], place(p.cx, p.cy), p) for at, p in found.boxes.items()]
        lines += [self.wire(wire, place) for wire in found.wires]
        lines += self.legend(margin, note, canvas[0] - 2 * margin)
        return "\n".join([*lines, "}", ""]), grow >= 1

    def named_ends(self, named: Collection[tuple[int, int]]) -> dict[int, list[str]]:
        """A line in the box of each target for the sources of arrows that are not drawn."""
        sources: dict[int, Counter[str]] = {}
        for source, target in named:
            sources.setdefault(target, Counter())[self.words.title(source)[0]] += 1
        return {
            target: [f"from {name}" + (f" x{n}" if n > 1 else "") for name, n in names.items()]
            for target, names in sources.items()
        }

    def wrapped(
        self, sizes: Mapping[int, tuple[float, float]], room: tuple[float, float],
        named: Mapping[tuple[int, int], int],
    ) -> Wrapped:  # fmt: skip
        """The layout, turned if the sheet is."""
        titles = {}
        for path, cluster in self.words.frames.items():
            label, quiet = self.words.frame_title(path, cluster)
            letters = len(label) + max(3, len(quiet) + 1)  # " .." where it continues
            width = CHARACTER * self.sheet.fact * letters
            height = self.sheet.fact * LEADING + 9
            across = Title(left=height, height=width + 16)
            titles[path] = across if self.turned else Title(width, height)
        if self.turned:
            sizes = {at: (h, w) for at, (w, h) in sizes.items()}
            room = room[::-1]
        found = wrap(self.graph, sizes, self.words.chains, titles, room[0] / room[1], named)
        if self.turned:
            for p in (*found.boxes.values(), *(frame.place for frame in found.frames)):
                p.x, p.y, p.w, p.h = p.y, p.x, p.h, p.w
            for wire in found.wires:
                wire.points = [(y, x) for x, y in wire.points]
        return found

    def extent(self, found: Wrapped) -> tuple[float, float, float, float]:
        """The smallest and the largest x and y of everything that is drawn."""
        places = [*found.boxes.values(), *(frame.place for frame in found.frames)]
        xs = [x for p in places for x in (p.x, p.right)]
        ys = [y for p in places for y in (p.y, p.bottom)]
        for wire in found.wires:
            xs += [x for x, _ in wire.points]
            ys += [y for _, y in wire.points]
        if not xs:
            return 0.0, 0.0, 1.0, 1.0
        return min(xs), min(ys), max(xs), max(ys)

    def head(self, canvas: tuple[float, float]) -> list[str]:
        s = self.sheet
        corners = [
            f'  corner{k} [label="" shape=point style=invis width=0.001 height=0.001 '
            f'pos="{x:.2f},{y:.2f}"]'
            for k, (x, y) in enumerate(((0, 0), canvas))
        ]
        return [
            "digraph {",
            f'  graph [layout=nop2 bgcolor="{PAPER}" fontname="{FONT}" pad=0 margin=0 tooltip=" "]',
            f'  node [shape=box fontname="{FONT}" fontsize={s.fact:g} fontcolor="{INK}"'
            ' fixedsize=true margin="0,0"]',
            f'  edge [color="{EDGE}" arrowsize=0.55 penwidth=1]',
            *corners,
        ]

    def frame_lines(self, found: Wrapped, place: Callable[[float, float], Point]) -> list[str]:
        """The frames, nested as the layout program draws them: outer ones first."""
        s = self.sheet
        lines = []
        for k, frame in enumerate(found.frames):
            cluster = self.words.frames[frame.path]
            label, quiet = self.words.frame_title(frame.path, cluster)
            p = frame.place
            x0, y0 = place(p.x, p.bottom)
            x1, y1 = place(p.right, p.y)
            width = CHARACTER * s.fact * (len(label) + len(quiet) + (len(quiet) > 0))
            words = f"<B>{text(label)}</B>" if label else ""
            if frame.again:
                words, quiet = f"{text(label)} .." if label else "..", ""
                width = CHARACTER * s.fact * (len(label) + 3)
            if quiet:
                words += f' <FONT COLOR="{MUTED}">{text(quiet)}</FONT>'
            at = x0 + 7 + width / 2, y1 - 4 - s.fact * LEADING / 2
            tip = quoted(f"{frame.path} {cluster.kind}".strip())
            lines += [
                f'  subgraph cluster_{k} {{ graph [style="rounded,filled" '
                f'fillcolor="{FRAME}" color="{FRAME_BORDER}" penwidth=1 tooltip="{tip}" '
                f'fontsize={s.fact:g} fontcolor="{INK}" label=<{words or " "}> '
                f'lp="{at[0]:.2f},{at[1]:.2f}" bb="{x0:.2f},{y0:.2f},{x1:.2f},{y1:.2f}"] }}',
            ]
        return lines

    def box(self, at: int, words: tuple[str, str, list[str]], at_point: Point, p: Place) -> str:
        node, s = self.graph.nodes[at], self.sheet
        name, quiet, rows = words
        fill, border = pair(node)
        if node.kind != "output" and (
            self.heat == "status" or node.kind in ("op", "module", "vjp")
        ):
            fill, border = self.paint.get(at, (fill, border) if not self.heat else (PAPER, border))
        ink = ON_OUTPUT if node.kind == "output" else INK
        faint = ON_OUTPUT if node.kind == "output" else INK if self.heat else MUTED
        label = f'<FONT POINT-SIZE="{s.name:g}"><B>{text(name)}</B></FONT>'
        if quiet:
            label += f' <FONT COLOR="{faint}">{text(quiet)}</FONT>'
        for row in rows:
            label += f'<BR/><FONT COLOR="{faint}">{text(row, 60)}</FONT>'
        return (
            f'  n{at} [label=<{label}> pos="{at_point[0]:.2f},{at_point[1]:.2f}" '
            f'{_extent(p.w, p.h, line(node))} fillcolor="{fill}" color="{border}" '
            f'fontcolor="{ink}" {line(node).dot()} id="node-{at}" class="{node.kind}" '
            f'tooltip="{quoted(describe(node))}"]'
        )

    def wire(self, wire: Wire, place: Callable[[float, float], Point]) -> str:
        edge = self.graph.edges[wire.edge]
        source = self.graph.nodes[edge.source]
        back = self.graph.nodes[edge.target].kind in ("vjp", "gradient")
        colour = BACK_EDGE if back else FAINT_EDGE if source.kind == "parameter" else EDGE
        points = [place(*point) for point in wire.points]
        return (
            f'  n{edge.source} -> n{edge.target} [pos="{_spline(points)}" color="{colour}" '
            f'id="edge-{edge.target}-{edge.slot}" tooltip="{quoted(edge.name or source.name)}"]'
        )

    # --- The legend -----------------------------------------------------------------------------

    def entries(self) -> list[tuple[Pair, Line, str]]:
        if self.key is not None:
            return [((colour, INK), Line(words, 0.6, rounded=False), words)
                    for colour, words in self.key.steps]  # fmt: skip
        return [(fill, own, own.words) for fill, own in families(self.graph)]

    def legend_rows(self, room: float) -> list[list[tuple[float, Pair, Line, str]]]:
        """The entries, each with its width, in lines that are as wide as the sheet."""
        rows: list[list[tuple[float, Pair, Line, str]]] = []
        used = 0.0
        for fill, own, words in self.entries():
            width = CHARACTER * self.sheet.fact * len(words) + 12 if words else 14.0
            width += 2 * RING if own.double else 0.0
            if not rows or used + width > room:
                rows.append([])
                used = 0.0
            rows[-1].append((width, fill, own, words))
            used += width + LEGEND_GAP
        return rows

    def legend_height(self, note: str, room: float) -> float:
        rows = len(self.legend_rows(room)) + bool(note or self.key)
        return rows * (self.sheet.fact * LEADING + 10) + (4 if rows else 0)

    def legend(self, margin: float, note: str, room: float) -> list[str]:
        """Swatches and their words above the lower margin, and the note above them."""
        s, lines = self.sheet, []
        height = s.fact * LEADING + 4
        y, k = margin + height / 2, 0
        for row in reversed(self.legend_rows(room)):
            x = margin
            for width, fill, own, words in row:
                lines.append(
                    f'  legend{k} [label=<{text(words)}> pos="{x + width / 2:.2f},{y:.2f}" '
                    f'{_extent(width, height + 2 * RING * own.double, own)} fillcolor="{fill[0]}" '
                    f'color="{fill[1]}" fontcolor="{INK}" {own.dot()}]'
                )
                x += width + (0 if self.key is not None else LEGEND_GAP)
                k += 1
            y += height + 6
        words = ". ".join(filter(None, (self.key.title if self.key else "", note)))
        if words:
            lines.append(_words("note", words, margin, y + height / 2, s.fact, MUTED))
        return lines


def _extent(width: float, height: float, own: Line) -> str:
    """The size of a box in inches. The outer one of two lines lies outside of the size in DOT."""
    inset = 2 * RING if own.double else 0.0
    return f"width={(width - inset) / 72:.4f} height={(height - inset) / 72:.4f}"


def _words(name: str, words: str, x: float, top: float, size: float, colour: str) -> str:
    """A node that is only text, its upper left corner at (x, top)."""
    width, height = CHARACTER * size * len(words) + 2, size * LEADING
    return (
        f"  {name} [shape=plaintext label=<{text(words, 200)}> fontsize={size:g} "
        f'fontcolor="{colour}" width={width / 72:.4f} height={height / 72:.4f} '
        f'pos="{x + width / 2:.2f},{top - height / 2:.2f}"]'
    )


def _spline(points: Sequence[Point]) -> str:
    """Corners as the cubic Bézier curves of DOT, rounded, with room for the head at the end."""
    (x0, y0), (x1, y1) = points[-2], points[-1]
    length = max(abs(x1 - x0), abs(y1 - y0), 1e-9)
    head = min(HEAD, length / 2)
    end = (x1 - (x1 - x0) / length * head, y1 - (y1 - y0) / length * head)
    corners = [*points[:-1], end]
    found: list[Point] = [corners[0]]

    def straight(to: Point) -> None:
        a = found[-1]
        found.extend([((2 * a[0] + to[0]) / 3, (2 * a[1] + to[1]) / 3),
                      ((a[0] + 2 * to[0]) / 3, (a[1] + 2 * to[1]) / 3), to])  # fmt: skip

    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        d0 = max(abs(corner[0] - before[0]), abs(corner[1] - before[1]), 1e-9)
        d1 = max(abs(after[0] - corner[0]), abs(after[1] - corner[1]), 1e-9)
        r = min(CORNER, d0 / 2, d1 / 2)
        start = tuple(c - (c - b) / d0 * r for b, c in zip(before, corner, strict=True))
        leave = tuple(c + (a - c) / d1 * r for a, c in zip(after, corner, strict=True))
        straight((start[0], start[1]))
        found.extend([corner, corner, (leave[0], leave[1])])
    straight(corners[-1])
    return f"e,{x1:.2f},{y1:.2f} " + " ".join(f"{x:.2f},{y:.2f}" for x, y in found)
