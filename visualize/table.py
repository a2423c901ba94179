"""The ops of a graph as a table, sorted by the memory that they keep or the time that they take."""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from .escape import xml_text
from .graph import Graph, Measured, Node
from .look import check_word
from .words import bytes_text, norm_text, seconds_text

Order = Literal["kept", "forward", "backward", "time", "order"]
ORDERS: tuple[Order, ...] = get_args(Order)


@dataclass
class Row:
    """One op.

    Attributes:
        op: its name.
        module: the path of the module that it ran in.
        kept: bytes kept for the backward pass.
        forward, backward: seconds; 0 where they were not measured.
        grad_norm: 2-norm of the gradient of its output, if measured.
        line: the user's source line, `file:number, in function`.
    """

    op: str
    module: str
    kept: int
    forward: float
    backward: float
    grad_norm: float | None
    line: str

    @property
    def time(self) -> float:
        """Seconds of both passes."""
        return self.forward + self.backward


@dataclass(repr=False)
class Table:
    """Rows in the requested order. `str` writes them in columns, with the sums in the last line; a
    notebook shows them as a table.

    `measured` tells whether the rows have times and gradients.
    """

    rows: list[Row]
    measured: bool

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<Table of {len(self.rows)} ops>"

    def __str__(self) -> str:
        lines = self._lines()
        left = self._left(lines)
        widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if k in left else cell.rjust(width)
                for k, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        lines = self._lines()
        return html_table(lines, self._left(lines))

    def _left(self, lines: list[list[str]]) -> set[int]:
        """The columns of words."""
        return {0, 1, len(lines[0]) - 1}

    def _lines(self) -> list[list[str]]:
        """The heads, the rows and the sums, as text."""
        heads = ["op", "module", "kept"]
        if self.measured:
            heads += ["forward", "backward", "gradient"]
        heads.append("line")
        lines = [heads, *(self._cells(row) for row in self.rows)]
        total = Row("all", "", sum(row.kept for row in self.rows),
                    sum(row.forward for row in self.rows),
                    sum(row.backward for row in self.rows), None, "")  # fmt: skip
        lines.append(self._cells(total))
        return lines

    def _cells(self, row: Row) -> list[str]:
        cells = [row.op, row.module, bytes_text(row.kept) if row.kept else ""]
        if self.measured:
            cells += [seconds_text(row.forward), seconds_text(row.backward)]
            cells.append("" if row.grad_norm is None else norm_text(row.grad_norm))
        return [*cells, row.line.split(", in ")[0].rpartition("/")[2]]


def html_table(lines: Sequence[Sequence[str]], left: Collection[int]) -> str:
    """Lines of cells as an HTML table: the first are heads, the last are sums.

    >>> html_table([["op"], ["exp"], ["all"]], {0}).count("<td")
    2
    """
    rows = []
    for k, line in enumerate(lines):
        tag = "th" if k == 0 else "td"
        weight = ";font-weight:600" if k in (0, len(lines) - 1) else ""
        cells = "".join(
            f'<{tag} style="text-align:{"left" if j in left else "right"}{weight}">'
            f"{html.escape(xml_text(cell))}</{tag}>"
            for j, cell in enumerate(line)
        )
        rows.append(f"<tr>{cells}</tr>")
    return f"<table>{''.join(rows)}</table>"


def table(graph: Graph, by: Order = "kept", top: int | None = None) -> Table:
    """The ops of a graph, sorted.

    Args:
        graph: from `record`, or `picture.graph`.
        by: largest first: "kept" (bytes kept for backward), "forward", "backward" or "time"
            (seconds of a pass or of both, measured by `trace`); or "order", as they ran.
        top: at most so many rows.

    Raises ValueError for another order.

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
    check_word("by", by, ORDERS)
    rows = [_row(node) for _, node in graph.ops()]
    if by != "order":
        rows.sort(key=lambda row: float(getattr(row, by)), reverse=True)
    return Table(rows[:top], any(node.measured for _, node in graph.ops()))


def _row(node: Node) -> Row:
    m = node.measured or Measured()
    return Row(
        node.name, node.cluster or "", node.kept(), m.forward, m.backward, m.grad_norm, node.line
    )
