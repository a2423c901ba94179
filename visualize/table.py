"""The ops of a graph as a table, those first that hold the most memory or take the most time."""

from __future__ import annotations

from dataclasses import dataclass

from .model import Graph, Measured, Node
from .words import bytes_text, norm_text, seconds_text

BY = ("kept", "forward", "backward", "time", "order")


@dataclass
class Row:
    """One op: its name, its module, what it holds and what it took; `line` is in the user's source."""

    op: str
    module: str
    kept: int
    forward: float
    backward: float
    grad_norm: float | None
    line: str


@dataclass
class Table:
    """Rows in the order asked for; `str` writes them in columns, with the sums."""

    rows: list[Row]
    measured: bool

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        heads = ["op", "module", "kept"]
        if self.measured:
            heads += ["forward", "backward", "gradient"]
        heads.append("line")
        lines = [heads, *(self._cells(row) for row in self.rows)]
        total = Row("all", "", sum(row.kept for row in self.rows),
                    sum(row.forward for row in self.rows),
                    sum(row.backward for row in self.rows), None, "")  # fmt: skip
        lines.append(self._cells(total))
        sizes = [max(len(line[k]) for line in lines) for k in range(len(heads))]
        left = {0, 1, len(heads) - 1}
        return "\n".join(
            "  ".join(
                cell.ljust(size) if k in left else cell.rjust(size)
                for k, (cell, size) in enumerate(zip(line, sizes, strict=True))
            ).rstrip()
            for line in lines
        )

    def _cells(self, row: Row) -> list[str]:
        cells = [row.op, row.module, bytes_text(row.kept) if row.kept else ""]
        if self.measured:
            cells += [seconds_text(row.forward), seconds_text(row.backward)]
            cells.append("" if row.grad_norm is None else norm_text(row.grad_norm))
        return [*cells, row.line.split(", in ")[0].rpartition("/")[2]]


def table(graph: Graph, by: str = "kept", top: int | None = None) -> Table:
    """The ops of a graph, sorted by what they keep for backward ("kept"), by the seconds of their
    "forward" or "backward" pass or both ("time"), or in the "order" in which they ran.

    `top` keeps the first few. Raises ValueError for another order.

    >>> import tinygrad_cnn as tc
    >>> from .record import record
    >>> x = tc.ones(2, 3, requires_grad=True)
    >>> print(table(record((x.exp() * 2).sum())))
    op   module  kept  line
    exp          24 B
    mul
    sum
    all          24 B
    """
    if by not in BY:
        raise ValueError(f"by: {by!r} is not among {list(BY)}")
    rows = [_row(node) for _, node in graph.ops()]
    if by != "order":
        keys = {"time": lambda r: r.forward + r.backward}
        rows.sort(key=keys.get(by, lambda r: getattr(r, by)), reverse=True)
    return Table(rows[:top], any(node.measured for _, node in graph.ops()))


def _row(node: Node) -> Row:
    m = node.measured or Measured()
    return Row(
        node.name, node.cluster or "", node.kept(), m.forward, m.backward, m.grad_norm, node.line
    )
