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

LONGEST = 60  # characters of a line in a box
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
        label = _scalar(lines, at) if quantity.size == 1 else f"<{_arrays(lines, at, line)}>"
        found.append(
            f'  n{at} [label={label} fillcolor="{fill}" color="{line}" '
            f'tooltip="{quoted(quantity.name)}"]'
        )
        found += [f"  n{k} -> n{at}" for k in quantity.inputs if k is not None]
    return "\n".join([*found, "}", ""])


def _colours(quantity: Quantity) -> tuple[str, str]:
    if quantity.node is None:
        return KIND_COLOURS[quantity.kind]
    module = str(getattr(getattr(quantity.node.op, "forward", None), "__module__", ""))
    return FAMILIES.get(module.rpartition(".")[2], OTHER)


def _ascii(number: str) -> str:
    """With a minus of ASCII: the layout does not know how wide the other one is."""
    return number.replace("−", "-")


def _heading(lines: Lines, at: int) -> str:
    quantity = lines.quantities[at]
    return "" if quantity.node is None else f"{quantity.name} = {lines.how(at)}"


def _scalar(lines: Lines, at: int) -> str:
    """a 2.0 | ∂L/∂a 6.0, below its formula: a plain label, whose lines are centred."""
    quantity = lines.quantities[at]
    value = _ascii(box_number(lines, quantity.value))
    is_number = _ascii(quantity.name) == value.removesuffix(".0")
    sides = [value if is_number else f"{quantity.name} {value}"]
    if quantity.gradient is not None:
        slope = f"∂{lines.worked.symbol}/∂{quantity.name}"
        sides.append(f"{slope} {_ascii(box_number(lines, quantity.gradient))}")
    rows = [text(row, LONGEST) for row in (_heading(lines, at), " | ".join(sides)) if row]
    return '"' + "\\n".join(row.replace("\\", "&#92;") for row in rows) + '"'


def _arrays(lines: Lines, at: int, colour: str) -> str:
    quantity = lines.quantities[at]
    heading = text(_heading(lines, at), LONGEST)
    rows = ""
    if quantity.node is not None:
        rows = (
            f'<TR><TD COLSPAN="2"><FONT POINT-SIZE="9" COLOR="{MUTED}">{heading}</FONT></TD></TR>'
        )
    sides = [(quantity.name, quantity.value)]
    if quantity.gradient is not None:
        sides.append((f"∂{lines.worked.symbol}/∂{quantity.name}", quantity.gradient))
    names = "".join(f"<TD><B>{text(name)}</B></TD>" for name, _ in sides)
    grids = "".join(f"<TD>{_grid(lines, array, quantity, colour)}</TD>" for _, array in sides)
    rows += f"<TR>{names}</TR><TR>{grids}</TR>"
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">{rows}</TABLE>'


def _grid(lines: Lines, array: object, quantity: Quantity, colour: str) -> str:
    if array is None or quantity.size > MAX_ELEMENTS or quantity.size == 0:
        return text(shape_text(quantity.shape))
    numbers = values_of(array).reshape(-1, quantity.shape[-1])  # type: ignore[arg-type]
    rows = "".join(
        "<TR>"
        + "".join(CELL.format(colour=colour, text=_ascii(lines.number(v))) for v in row)
        + "</TR>"
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
