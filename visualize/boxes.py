"""The words in the boxes and frames of a sheet, cut to size, and the sizes of sheets."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from .frames import frames, local
from .graph import Cluster, Graph
from .heat import unit, value
from .look import Detail, Heat
from .marks import sign
from .words import attributes, keeps, shape_text, verdict_text, wrapped

CHARACTER = 0.6  # width of a letter of Courier New, in font sizes
LEADING = 1.28  # height of a line, in font sizes


@dataclass(frozen=True)
class Sheet:
    """A size in points, sizes of letters, and how much is written in a box.

    `name` and `fact` are the least sizes of letters. Lines of a box are cut at `letters`.
    """

    width: float
    height: float
    margin: float
    name: float
    fact: float
    letters: int
    lines: int
    show: tuple[Detail, ...]


SHEETS: dict[str, Sheet] = {
    # 1280 × 720 pixels of 0.75 points: letters of 14 pixels are 10.5 points
    "slide": Sheet(960, 540, 20, 12, 10.5, 22, 1, ("attributes", "shapes")),
    "page": Sheet(595, 842, 34, 9, 8, 26, 3, ("attributes", "params", "shapes", "saved")),  # A4
}


class Boxes:
    """The words of each box and frame of a graph on a sheet, and their sizes.

    Attributes:
        frames: the clusters to draw, by path.
        chains: the drawn frames around each node, outermost first.
    """

    def __init__(
        self, graph: Graph, sheet: Sheet, show: Sequence[Detail], heat: Heat | None
    ) -> None:
        self.graph, self.sheet, self.shown, self.heat = graph, sheet, set(show), heat
        self.frames: dict[str, Cluster] = frames(graph)
        self.by_path = {c.path: c for c in graph.clusters}
        whole = graph.chains()
        self.chains = {
            at: tuple(path for path in whole.get(node.cluster, ()) if path in self.frames)
            for at, node in enumerate(graph.nodes)
        }
        self.hidden = {
            at: [c for c in (self.by_path[p] for p in whole.get(node.cluster, ())) if c.path not in
                 self.frames] for at, node in enumerate(graph.nodes)
        }  # fmt: skip
        self.flow: dict[int, list[int]] = {}
        for edge in graph.edges:
            if graph.nodes[edge.source].kind != "parameter":
                self.flow.setdefault(edge.target, []).append(edge.source)

    def title(self, at: int) -> tuple[str, str]:
        """The name of a box, and the quiet words behind it."""
        node = self.graph.nodes[at]
        around = self.chains[at][-1] if self.chains[at] else None
        count = node.count
        for cluster in self.hidden[at]:
            count *= cluster.count
        times = f" x{count:,}" if count > 1 else ""
        if node.kind == "module":
            kind = str(node.attributes.get("class", ""))
            return local(node.name, around) + times, kind
        if node.kind in ("op", "vjp"):
            inner = [c.path for c in self.hidden[at] if c.kind]
            quiet = local(inner[-1], around) if inner else ""
            return node.name + times, f"vjp {quiet}".strip() if node.kind == "vjp" else quiet
        name = local(node.name, around) if node.kind in ("parameter", "gradient") else node.name
        quiet = "" if node.shape is None or "shapes" not in self.shown else shape_text(node.shape)
        if node.value is not None:
            quiet = f"{node.value:.6g}"
        return ("grad " if node.kind == "gradient" else "") + name + times, quiet

    def facts(self, at: int, extra: Sequence[str]) -> list[str]:
        """The lines below the name."""
        node = self.graph.nodes[at]
        if node.kind not in ("op", "vjp", "module"):
            return list(extra)
        rows: list[str] = []
        if node.kind == "op" and "attributes" in self.shown:
            rows += wrapped(attributes(node), ", ", self.sheet.letters)[: self.sheet.lines]
        words = [" ".join(row[:2]).strip() for row in node.rows]
        if node.status == "failed":
            message = " ".join(row[1] for row in node.rows if not row[0])
            shapes = [" ".join(row[:2]) for row in node.rows if row[0]]
            rows += [*shapes, *textwrap.wrap(message, self.sheet.letters + 4)]
        elif "params" in self.shown:
            rows += wrapped(words, "  ", self.sheet.letters)[: self.sheet.lines]
        before = [self.graph.nodes[k].shape for k in self.flow.get(at, ())
                  if self.graph.nodes[k].value is None]  # fmt: skip
        new = not before or any(shape != node.shape for shape in before)
        if "shapes" in self.shown and node.shape is not None and new and self.heat != "status":
            rows.append(shape_text(node.shape))
        if self.heat in ("time", "bytes", "grad"):
            measured = value(node, self.heat)
            if measured:
                rows.append(unit(self.heat)(measured))
        elif self.heat == "verdict" and node.verdict is not None:
            rows.append(verdict_text(node).removeprefix("gradient "))
        elif self.heat == "status" and node.status in ("changed", "follows") and node.line:
            rows += wrapped(node.line.split(", "), ", ", self.sheet.letters)
        elif "saved" in self.shown and node.kind == "op" and node.kept():
            rows.append(keeps(node))
        return [*rows, *extra]

    def lines(self, at: int, extra: Sequence[str]) -> tuple[str, str, list[str]]:
        """Name, quiet words and facts of a box, cut to its width."""
        name, quiet = self.title(at)
        most = self.sheet.letters
        name = cut_text(sign(self.graph.nodes[at]) + name, most)
        quiet = cut_text(quiet, max(6, most - len(name)))
        return name, quiet, [cut_text(row, most + 4) for row in self.facts(at, extra)]

    def size(self, words: tuple[str, str, list[str]]) -> tuple[float, float]:
        """Width and height of a box with these words."""
        s, (name, quiet, rows) = self.sheet, words
        first = CHARACTER * (s.name * len(name) + s.fact * (len(quiet) + bool(quiet)))
        widest = max([first, *(CHARACTER * s.fact * len(row) for row in rows)])
        return widest + 14, LEADING * (s.name + s.fact * len(rows)) + 7

    def frame_title(self, path: str, cluster: Cluster) -> tuple[str, str]:
        around = [p for p in self.around(path) if p in self.frames]
        label = local(cluster.label or path, around[-1] if around else None).strip()
        count = f" x{cluster.count:,}" if cluster.count > 1 else ""
        quiet = "" if cluster.kind in ("", "Sequential", "ModuleList") else cluster.kind
        return cut_text(label, 16) + count, quiet if len(label) + len(quiet) <= 20 else ""

    def around(self, path: str) -> tuple[str, ...]:
        chain = []
        parent = self.by_path[path].parent
        while parent is not None:
            chain.append(parent)
            parent = self.by_path[parent].parent
        return tuple(reversed(chain))


def cut_text(words: str, most: int) -> str:
    """The words in at most so many letters, without those that renderers measure differently."""
    words = words.replace("…", "..").replace("×", "x").replace("→", "->")
    return words if len(words) <= most else words[: most - 2] + ".."
