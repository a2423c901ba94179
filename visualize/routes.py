"""The arrows of a sheet: lines of horizontal and vertical pieces that pass beside the boxes."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from .graph import Graph

Point = tuple[float, float]
Point3 = tuple[float, float, float]
ROW_GAP = 19.0  # points between rows of boxes, with room for an arrow
GUTTER = 34.0  # between columns
STEP = 5.0  # between two lines that run side by side
MAX_FAR = 6  # arrows that leave their column; of more, the ends are named instead
CLEAR = 2.0  # from a line to a box that it passes


@dataclass
class Place:
    """A rectangle, its upper left corner at (x, y)."""

    x: float = 0.0
    y: float = 0.0
    w: float = 0.0
    h: float = 0.0

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.h

    @property
    def cx(self) -> float:
        """The middle, from left to right."""
        return self.x + self.w / 2

    @property
    def cy(self) -> float:
        """The middle, from top to bottom."""
        return self.y + self.h / 2


@dataclass
class Frame:
    """A frame in one column; `again` where its start stands in an earlier column."""

    path: str
    column: int
    again: bool
    place: Place = field(default_factory=Place)


@dataclass
class Wire:
    """The arrow of edge number `edge`. `far` if it leads to another column, but for the arrow from
    the last box of a column to the first of the next.
    """

    edge: int
    points: list[Point]
    far: bool = False


def routes(
    graph: Graph,
    boxes: Mapping[int, Place],
    frames: Sequence[Frame],
    chains: Mapping[int, tuple[str, ...]],
    column: Sequence[int],
    without: Collection[tuple[int, int]],
) -> list[Wire]:
    """An arrow for each edge, but for those `without`; of several between two boxes the first.

    Of more than `MAX_FAR` far ones none has points: their ends are to be named instead.
    """
    router = _Router(boxes, frames, chains, column)
    found: list[Wire] = []
    seen = set(without)
    # near ones first: they get the lanes next to the boxes
    order = sorted(
        (e for e in range(len(graph.edges))),
        key=lambda e: (abs(graph.edges[e].target - graph.edges[e].source), e),
    )
    drawn = []
    for e in order:
        ends = graph.edges[e].source, graph.edges[e].target
        if ends not in seen:
            seen.add(ends)
            drawn.append((e, *ends))
    far = {
        e for e, source, target in drawn
        if column[target] > column[source] and not router.follows(source, target)
    }  # fmt: skip
    for e, source, target in drawn:
        if e not in far or len(far) <= MAX_FAR:
            found.append(Wire(e, _tidy(router.route(source, target)), e in far))
        else:
            found.append(Wire(e, [], True))
    return found


class _Router:
    def __init__(
        self,
        boxes: Mapping[int, Place],
        frames: Sequence[Frame],
        chains: Mapping[int, tuple[str, ...]],
        column: Sequence[int],
    ) -> None:
        self.boxes, self.chains, self.column = boxes, chains, column
        self.frame = {(f.column, f.path): f.place for f in frames}
        self.members: dict[int, list[Place]] = {}
        for at, k in enumerate(column):
            self.members.setdefault(k, []).append(boxes[at])
        extents = [
            [f.place for f in frames if f.column == k] + places
            for k, places in sorted(self.members.items())
        ]
        self.left = [min(p.x for p in places) for places in extents]
        self.right = [max(p.right for p in places) for places in extents]
        # (at, from, to) of the lanes, by direction and place in steps
        self.taken: dict[tuple[bool, int], list[Point3]] = {}

    def route(self, source: int, target: int) -> list[Point]:
        """The corners of an arrow, ends included."""
        a, b = self.boxes[source], self.boxes[target]
        i, j = self.column[source], self.column[target]
        top = self.entry(source, target)
        if i == j:
            if b.y < a.bottom:  # side by side
                ends = (a.right, b.x) if a.cx < b.cx else (a.x, b.right)
                return [(ends[0], a.cy), (ends[1], b.cy)]
            bend = max(a.bottom + 4, top - ROW_GAP / 2)
            direct = [(a.cx, a.bottom), (a.cx, bend), (b.cx, bend), (b.cx, b.y)]
            if self.clear(direct, i, a, b):
                return direct
            shared = set(self.chains[source]) & set(self.chains[target])
            passed = [p for (k, path), p in self.frame.items() if k == i and path not in shared]
            passed += self.members[i]
            between = [p.right for p in passed if p.bottom > a.y and p.y < b.bottom]
            x = self.lane(True, max(between) + 7, a.cy, b.cy)
            return [*self.leave(a, x, i), *reversed(self.arrive(b, x, top, i))]
        channel = self.lane(True, self.left[j] - GUTTER / 2 + STEP, a.cy, b.cy, back=True)
        last = self.is_last(source)
        if i + 1 == j:
            x, up = channel, None
        else:
            x = self.lane(True, self.right[i] + GUTTER / 2 - STEP, a.cy, 0.0)
            up = self.lane(False, -ROW_GAP / 2 - 2 * STEP, x, channel, back=True)
        if last:
            floor = self.exit(source, i) + 8
            start: list[Point] = [(a.cx, a.bottom), (a.cx, floor), (x, floor)]
        else:
            start = self.leave(a, x, i)
        if up is not None:
            start += [(x, up), (channel, up)]
        if self.is_first(target):
            return [*start, (channel, top - ROW_GAP / 2), (b.cx, top - ROW_GAP / 2), (b.cx, b.y)]
        if self.clear([(channel, b.cy), (b.x, b.cy)], j, a, b):
            return [*start, (channel, b.cy), (b.x, b.cy)]
        return [*start, (channel, b.y - 6), (b.cx, b.y - 6), (b.cx, b.y)]

    def is_last(self, at: int) -> bool:
        """Whether no box of the column ends below this one."""
        p = self.boxes[at]
        return all(other.bottom <= p.bottom for other in self.members[self.column[at]])

    def is_first(self, at: int) -> bool:
        """Whether no box of the column starts above this one."""
        p = self.boxes[at]
        return all(other.y >= p.y for other in self.members[self.column[at]])

    def follows(self, source: int, target: int) -> bool:
        """Whether the target is the first of its column and the source the last of the one before."""
        near = self.column[target] == self.column[source] + 1
        return near and self.is_last(source) and self.is_first(target)

    def entry(self, source: int, target: int) -> float:
        """The top of the outermost frame that an arrow enters, or of the target."""
        j = self.column[target]
        around = set(self.chains[source]) if self.column[source] == j else set()
        outer = next((path for path in self.chains[target] if path not in around), None)
        return self.boxes[target].y if outer is None else self.frame[j, outer].y

    def exit(self, source: int, i: int) -> float:
        """The bottom of the outermost frame around a box, or of the box."""
        chain = self.chains[source]
        return self.frame[i, chain[0]].bottom if chain else self.boxes[source].bottom

    def leave(self, a: Place, x: float, i: int) -> list[Point]:
        """From box `a` to a lane at its right."""
        if self.clear([(a.right, a.cy), (x, a.cy)], i, a, a):
            return [(a.right, a.cy), (x, a.cy)]
        return [(a.cx, a.bottom), (a.cx, a.bottom + 6), (x, a.bottom + 6)]

    def arrive(self, b: Place, x: float, top: float, j: int) -> list[Point]:
        """From box `b` back to a lane at its right."""
        if self.clear([(b.right, b.cy), (x, b.cy)], j, b, b):
            return [(b.right, b.cy), (x, b.cy)]
        return [(b.cx, b.y), (b.cx, top - 6), (x, top - 6)]

    def clear(self, points: Sequence[Point], k: int, a: Place, b: Place) -> bool:
        """Whether a line crosses no box of a column but those at its ends."""
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            for p in self.members[k]:
                if p is a or p is b:
                    continue
                if (
                    max(x0, x1) > p.x - CLEAR and min(x0, x1) < p.right + CLEAR
                    and max(y0, y1) > p.y - CLEAR and min(y0, y1) < p.bottom + CLEAR
                ):  # fmt: skip
                    return False
        return True

    def lane(
        self, vertical: bool, at: float, start: float, end: float, back: bool = False
    ) -> float:
        """A free lane at or after (with `back` before) a place, which is then taken."""
        low, high = min(start, end), max(start, end)
        while any(
            abs(at - other) < STEP - 0.5 and low < h and high > l
            for k in (-1, 0, 1)
            for other, l, h in self.taken.get((vertical, int(at // STEP) + k), ())
        ):
            at += -STEP if back else STEP
        self.taken.setdefault((vertical, int(at // STEP)), []).append((at, low, high))
        return at


def _tidy(points: Sequence[Point]) -> list[Point]:
    """The corners without those on a straight line.

    >>> _tidy([(0, 0), (0, 1), (0, 2), (3, 2)])
    [(0, 0), (0, 2), (3, 2)]
    """
    found: list[Point] = []
    for point in points:
        if found and abs(found[-1][0] - point[0]) + abs(found[-1][1] - point[1]) < 0.01:
            continue
        if len(found) > 1:
            (x0, y0), (x1, y1) = found[-2], found[-1]
            if (x0 == x1 == point[0]) or (y0 == y1 == point[1]):
                found[-1] = point
                continue
        found.append(point)
    return found
