"""The layout of a sheet of fixed proportions: the graph wraps into columns, read from the left.

Each frame is laid out on its own, in rows, and then counts as one box of the frame around it.
Coordinates are points, y grows downwards. `sheet.py` writes the result as DOT text.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from .graph import Graph
from .routes import GUTTER, ROW_GAP, Frame, Place, Wire, routes

GAP = 14.0  # between boxes of a row
PAD = 8.0  # between a frame and the boxes in it
MAX_COLUMNS = 9
FULLEST = (1.0, 1.08, 1.18, 1.3)  # of the mean height: the bounds of a column that are tried
EARLY_BREAK = 0.55  # of a column's height, where it may end so as to keep a frame in one piece


@dataclass(frozen=True)
class Title:
    """The room that the title of a frame takes: `beside` the path of the data, which it must not
    meet, `above` and `left` of the boxes; and the least height of the frame.
    """

    beside: float = 0.0
    above: float = PAD
    left: float = PAD
    height: float = 0.0


@dataclass
class Wrapped:
    """The result, by position in the graph: columns and places of boxes, frames, and arrows."""

    width: float
    height: float
    column: list[int]
    boxes: dict[int, Place] = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)


@dataclass(eq=False)
class _Item:
    """A box, or a frame with its items; the place is relative to the item around it at first."""

    node: int = -1
    frame: Frame | None = None
    place: Place = field(default_factory=Place)
    rank: int = 0
    items: list[_Item] = field(default_factory=list)
    around: _Item | None = None
    axis: float = 0.0  # x of the path of the data, from the left edge


def wrap(
    graph: Graph,
    sizes: Mapping[int, tuple[float, float]],
    chains: Mapping[int, tuple[str, ...]],
    titles: Mapping[str, Title],
    proportion: float,
    without: Collection[tuple[int, int]] = (),
) -> Wrapped:
    """Lay a graph out in as many columns as suit a sheet.

    Args:
        graph: its nodes stand after their inputs.
        sizes: width and height of the box of each node.
        chains: the drawn frames around each node, outermost first.
        titles: the room for the title of each frame, by path.
        proportion: width of the sheet divided by its height.
        without: (source, target) of edges that get no arrow.

    >>> from .graph import Edge, Node
    >>> graph = Graph(tuple(Node("op", str(k)) for k in range(9)),
    ...               tuple(Edge(k, k + 1, 0, "x") for k in range(8)))
    >>> found = wrap(graph, {k: (60, 20) for k in range(9)}, {k: () for k in range(9)}, {}, 1.0)
    >>> [len({round(found.boxes[k].x) for k in range(9)}), found.boxes[4].y, found.boxes[5].y]
    [2, 156.0, 0.0]
    """
    layout = _Layout(graph, sizes, chains, titles)
    tall = layout.columns([0] * len(graph.nodes))
    best = tall
    for count in range(2, MAX_COLUMNS + 1):
        for share in FULLEST:
            column = layout.broken(tall, tall.height / count * share)
            if max(column, default=0) + 1 > count:
                continue
            found = layout.columns(column)
            if _fit(found, proportion) < _fit(best, proportion):
                best = found
            break
    best.wires = routes(graph, best.boxes, best.frames, chains, best.column, without)
    return best


def _fit(found: Wrapped, proportion: float) -> float:
    """The height of the smallest sheet that holds a layout."""
    return max(found.height, found.width / proportion)


class _Layout:
    def __init__(
        self,
        graph: Graph,
        sizes: Mapping[int, tuple[float, float]],
        chains: Mapping[int, tuple[str, ...]],
        titles: Mapping[str, Title],
    ) -> None:
        self.graph, self.sizes, self.chains, self.titles = graph, sizes, chains, titles

    def broken(self, tall: Wrapped, bound: float) -> list[int]:
        """The column of each node, where the one column `tall` breaks below height `bound`.

        Among the rows that may end a column, the last one is taken that breaks the fewest frames.
        """
        order = sorted(tall.boxes, key=lambda at: (tall.boxes[at].y, at))
        column = [0] * len(order)
        first, k = 0, 0
        while first < len(order):
            end = self.column_end(tall, order, first, bound)
            for at in order[first:end]:
                column[at] = k
            first, k = end, k + 1
        return column

    def column_end(self, tall: Wrapped, order: Sequence[int], first: int, bound: float) -> int:
        """The end in `order` of the column that starts at `first`."""
        top = tall.boxes[order[first]].y
        low = top
        ends: list[tuple[float, int]] = []  # the height of the column, and its end
        for end in range(first + 1, len(order)):
            low = max(low, tall.boxes[order[end - 1]].bottom)
            if low - top > bound and ends:
                break
            if tall.boxes[order[end]].y >= low:  # a row is not cut
                ends.append((low - top, end))
        else:
            if max(low, tall.boxes[order[-1]].bottom) - top <= bound or not ends:
                return len(order)
        late = [end for height, end in ends if height >= EARLY_BREAK * bound] or [ends[-1][1]]
        return min(late, key=lambda end: (self.cut_frames(order, end), -end))

    def cut_frames(self, order: Sequence[int], end: int) -> int:
        """How many frames hold both the node before `end` and the one at it."""
        a, b = self.chains[order[end - 1]], self.chains[order[end]]
        n = 0
        while n < min(len(a), len(b)) and a[n] == b[n]:
            n += 1
        return n

    def columns(self, column: Sequence[int]) -> Wrapped:
        """The layout with each node in its column."""
        found = Wrapped(0.0, 0.0, list(column))
        left = 0.0
        seen: set[str] = set()
        within: dict[int, list[tuple[int, int]]] = {}  # the edges in each column
        for edge in self.graph.edges:
            if column[edge.source] == column[edge.target]:
                within.setdefault(column[edge.source], []).append((edge.source, edge.target))
        for k in range(max(column, default=0) + 1):
            root = self.tree(
                k, [at for at, c in enumerate(column) if c == k], within.get(k, ()), seen
            )
            items = [root]
            for item in items:  # grows while it is walked: all items, outer ones first
                items += item.items
            for item in reversed(items):
                if item.node < 0:
                    self.rows(item, within.get(k, ()))
            for item in items:
                if item.around is None:
                    item.place.x, item.place.y = left, 0.0
                else:
                    item.place.x += item.around.place.x
                    item.place.y += item.around.place.y
                if item.node >= 0:
                    found.boxes[item.node] = item.place
                elif item.frame is not None:
                    item.frame.place = item.place
                    found.frames.append(item.frame)
            left += root.place.w + GUTTER
            found.height = max(found.height, root.place.h)
        found.width = left - GUTTER
        return found

    def tree(
        self, k: int, nodes: Sequence[int], edges: Sequence[tuple[int, int]], seen: set[str]
    ) -> _Item:
        """The boxes of a column in their frames."""
        root = _Item()
        frames: dict[str, _Item] = {}
        for at in nodes:
            around = root
            for path in self.chains[at]:
                if path not in frames:
                    made = _Item(frame=Frame(path, k, path in seen), around=around)
                    around.items.append(made)
                    frames[path] = made
                around = frames[path]
            w, h = self.sizes[at]
            around.items.append(_Item(at, None, Place(w=w, h=h), around=around, axis=w / 2))
        seen.update(frames)
        self.link(root, frames, edges)
        return root

    def link(
        self, root: _Item, frames: Mapping[str, _Item], edges: Sequence[tuple[int, int]]
    ) -> None:
        """Set the row of each item: below all items of its frame that it uses."""
        box: dict[int, _Item] = {}
        for item in (root, *frames.values()):
            box |= {inner.node: inner for inner in item.items if inner.node >= 0}
        used: dict[_Item, list[_Item]] = {}
        known: set[_Item] = set()
        users: dict[_Item, list[_Item]] = {}
        for source, target in edges:
            up, down = [box[source]], [box[target]]
            for chain in (up, down):
                while chain[-1].around is not None:
                    chain.append(chain[-1].around)
            while up[-1] is down[-1]:
                up.pop()
                down.pop()
            used.setdefault(down[-1], []).append(up[-1])
            users.setdefault(up[-1], []).append(down[-1])
        for item in (root, *frames.values()):
            for inner in item.items:  # the items stand in the order of execution
                inner.rank = max(
                    (other.rank + 1 for other in used.get(inner, ()) if other in known), default=0
                )
                known.add(inner)
            for inner in item.items:
                if inner.node >= 0 and inner not in used and users.get(inner):
                    inner.rank = max(0, min(other.rank for other in users[inner]) - 1)

    def rows(self, item: _Item, edges: Sequence[tuple[int, int]]) -> None:
        """Place the items of a frame relative to it, and set its size."""
        rows: dict[int, list[_Item]] = {}
        for inner in item.items:
            rows.setdefault(inner.rank, []).append(inner)
        title = Title(above=0.0, left=0.0) if item.frame is None else self.titles[item.frame.path]
        y = title.above
        for rank in sorted(rows):
            row = sorted(rows[rank], key=lambda inner: self.is_input(inner))
            height = max(inner.place.h for inner in row)
            main = [inner for inner in row if not self.is_input(inner)]
            whole = sum(inner.place.w for inner in row) + GAP * (len(row) - 1)
            x = -whole / 2 if len(main) != 1 else -main[0].axis
            for inner in row:  # x is relative to the axis of the frame
                inner.place.x, inner.place.y = x, y + (height - inner.place.h) / 2
                x += inner.place.w + GAP
            y += height + ROW_GAP
        left = min((inner.place.x for inner in item.items), default=0.0)
        right = max((inner.place.x + inner.place.w for inner in item.items), default=0.0)
        pad = PAD if item.frame is not None else 0.0
        # arrows miss the title
        axis = max(title.left - left, title.beside + pad + 8 if title.beside else 0.0)
        for inner in item.items:
            inner.place.x += axis
        lanes = self.lanes(item, edges)
        item.place.w, item.axis = axis + right + pad + lanes, axis
        item.place.h = max(y - ROW_GAP + pad, title.height)

    def is_input(self, item: _Item) -> bool:
        return item.node >= 0 and self.graph.nodes[item.node].kind in (
            "constant", "leaf", "parameter",
        )  # fmt: skip

    def lanes(self, item: _Item, edges: Sequence[tuple[int, int]]) -> float:
        """The room to the right of the rows for arrows that pass boxes."""
        inside = {inner.node: inner.rank for inner in item.items if inner.node >= 0}
        passing = sum(
            1 for source, target in edges
            if source in inside and target in inside and inside[target] > inside[source] + 1
        )  # fmt: skip
        return 9.0 * min(passing, 3) + (3.0 if passing else 0.0)
