"""The picture of a calculation by hand as DOT text: `a 2.0 | ∂L/∂a 6.0` in each box, small arrays as grids."""

from __future__ import annotations

import numpy as np

from ..dot import FONT
from ..escape import quoted, text
from ..palette import EDGE, FAMILIES, INK, KIND_COLOURS, MUTED, OTHER, PAPER
from ..words import shape_text
from .lines import Lines
from .windows import MAX_ELEMENTS, values_of
from .worked import Quantity

CELL = '<TD BORDER="1" COLOR="{colour}" CELLPADDING="2">{text}</TD>'


def to_dot(lines: Lines) -> str:
    """The DOT text.

    >>> import tinygrad_cnn as tc
    >>> from .by_hand import by_hand
    >>> a = tc.tensor(2.0, requires_grad=True)
    >>> "∂L/∂a 3.0" in by_hand(a * 3.0, names={"a": a}).source
    True
    """
    found = [
        "digraph {",
        f'  graph [rankdir=LR bgcolor="{PAPER}" fontname="{FONT}" pad=0.2 nodesep=0.25 ranksep=0.35'
        ' tooltip=" "]',
        f'  node [shape=box style="rounded,filled" fontname="{FONT}" fontsize=11 margin="0.1,0.05"',
        f'        penwidth=0.9 fontcolor="{INK}"]',
        f'  edge [color="{EDGE}" arrowsize=0.55 penwidth=0.9]',
    ]
    for at, quantity in enumerate(lines.quantities):
        fill, line = _colours(quantity)
        found.append(
            f'  n{at} [label=<{_label(lines, at, line)}> fillcolor="{fill}" color="{line}" '
            f'tooltip="{quoted(quantity.name)}"]'
        )
        found += [f"  n{k} -> n{at}" for k in quantity.inputs if k is not None]
    return "\n".join([*found, "}", ""])


def _colours(quantity: Quantity) -> tuple[str, str]:
    if quantity.node is None:
        return KIND_COLOURS[quantity.kind]
    module = str(getattr(getattr(quantity.node.op, "forward", None), "__module__", ""))
    return FAMILIES.get(module.rpartition(".")[2], OTHER)


def _label(lines: Lines, at: int, colour: str) -> str:
    quantity = lines.quantities[at]
    value, gradient = quantity.value, quantity.gradient
    slope = f"∂{lines.worked.symbol}/∂{quantity.name}"
    head = "" if quantity.node is None else text(f"{quantity.name} = {lines.how(at)}")
    rows = (
        f'<TR><TD COLSPAN="2"><FONT POINT-SIZE="9" COLOR="{MUTED}">{head}</FONT></TD></TR>'
        * bool(head)
    )
    if quantity.size == 1:
        sides = [f"{text(quantity.name)} {box_number(lines, value)}"]
        if quantity.name == box_number(lines, value).removesuffix(".0"):
            sides = [box_number(lines, value)]
        if gradient is not None:
            sides.append(f"{text(slope)} {box_number(lines, gradient)}")
        rows += f"<TR><TD>{' | '.join(sides)}</TD></TR>"
    else:
        captions = [(quantity.name, value), (slope, gradient)]
        known = [
            (name, array) for name, array in captions if array is not None or name == quantity.name
        ]
        rows += "<TR>" + "".join(f"<TD><B>{text(name)}</B></TD>" for name, _ in known) + "</TR>"
        rows += "<TR>" + "".join(f"<TD>{_grid(lines, a, quantity, colour)}</TD>" for _, a in known) + "</TR>"  # fmt: skip
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">{rows}</TABLE>'


def _grid(lines: Lines, array: object, quantity: Quantity, colour: str) -> str:
    if array is None or quantity.size > MAX_ELEMENTS or quantity.size == 0:
        return text(shape_text(quantity.shape))
    numbers = values_of(array).reshape(-1, quantity.shape[-1])  # type: ignore[arg-type]
    rows = "".join(
        "<TR>" + "".join(CELL.format(colour=colour, text=lines.number(v)) for v in row) + "</TR>"
        for row in numbers
    )
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="0">{rows}</TABLE>'


def box_number(lines: Lines, value: object) -> str:
    """The number of a scalar as a box shows it: 2.0, and ? where it is unknown."""
    if value is None:
        return "?"
    number = float(np.ravel(values_of(value))[0])  # type: ignore[arg-type]
    short = lines.number(number)
    return short + ".0" if short.lstrip("−").isdigit() else short
