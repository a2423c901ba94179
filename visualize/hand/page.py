"""The HTML page of a calculation by hand: its data as JSON, a style and a script; no network."""

from __future__ import annotations

import html
from importlib import resources
from itertools import accumulate
from typing import Any

import numpy as np

from ..page import POLICY, as_json
from ..words import shape_text
from .arithmetic import sum_text
from .dot import box_number
from .lines import Line, Lines
from .windows import MAX_ELEMENTS, values_of
from .worked import Quantity, Worked, elements

SIDES = {"value": 0, "gradient": 1}
ELEMENT_STEPS = 25  # an array of at most so many elements is filled element by element


def page(lines: Lines, title: str = "") -> str:
    """The text of the page.

    >>> import tinygrad_cnn as tc
    >>> from .by_hand import by_hand
    >>> by_hand(tc.ones(2, requires_grad=True).sum()).html().startswith("<!doctype html>")
    True
    """
    worked = lines.worked
    heading = title or "By hand"
    ranks = _ranks(worked)
    data = {
        "symbol": worked.symbol,
        "root": worked.root,
        "limit": ELEMENT_STEPS,
        "boxes": [_box(lines, at) for at in range(len(worked.quantities))],
        "columns": _columns(worked, ranks),
        "forward": [None if found is None else [_line(lines, x) for x in found]
                    for found in lines.forward],
        "arrivals": _arrivals(lines),
    }  # fmt: skip
    web = resources.files("visualize") / "web"
    style, script, body = (
        (web / f"hand.{kind}").read_text(encoding="utf-8") for kind in ("css", "js", "html")
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(heading)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"{body.replace('{{title}}', html.escape(heading))}"
        f'<script type="application/json" id="data">{as_json(data)}</script>\n'
        f"<script>\n'use strict';\n{script}</script>\n</body>\n</html>\n"
    )


def _box(lines: Lines, at: int) -> dict[str, Any]:
    quantity = lines.quantities[at]
    small = 0 < quantity.size <= MAX_ELEMENTS
    value = quantity.value
    box: dict[str, Any] = {
        "name": quantity.name,
        "kind": quantity.kind,
        "shape": shape_text(quantity.shape),
        "columns": quantity.shape[-1] if quantity.shape else 1,
        "rows": quantity.shape[-2] if len(quantity.shape) > 1 else 1,
        "elements": list(elements(quantity)) if small else [],
        "values": _texts(lines, quantity) if small else [],
        "wants": quantity.gradient is not None,
        "slopes": [lines.slope(at, i) for i in range(quantity.size)] if small else [],
        "start": _start(lines, quantity) if at == lines.worked.root and small else [],
        "inputs": [k for k in quantity.inputs if k is not None],
        "number": quantity.kind == "constant" and quantity.size == 1
        and quantity.name == box_number(lines, value).removesuffix(".0"),
    }  # fmt: skip
    if quantity.node is not None:
        node = quantity.node
        box["op"] = node.op.name
        box["how"] = lines.how(at)
        box["engine"] = f"{node.name()}, the recorded call of the op {node.op.name}"
    return box


def _texts(lines: Lines, quantity: Quantity) -> list[str]:
    if quantity.value is None:
        return ["?"] * quantity.size
    if quantity.size == 1:
        return [box_number(lines, quantity.value)]
    return [lines.number(v) for v in values_of(quantity.value).ravel()]


def _start(lines: Lines, quantity: Quantity) -> list[str]:
    """The gradient that the backward pass starts with."""
    if quantity.size == 1:
        return [box_number(lines, quantity.gradient)]
    return [lines.number(v) for v in values_of(quantity.gradient).ravel()]  # type: ignore[arg-type]


def _line(lines: Lines, line: Line) -> dict[str, Any]:
    running = accumulate(term.value for term in line.terms)
    return {
        "left": line.left,
        "symbols": sum_text([t.symbols for t in line.terms]) or "0",
        "numbers": sum_text([t.numbers for t in line.terms]),
        "value": lines.number(line.value),
        "terms": [
            [t.symbols, t.numbers, lines.number(t.value), lines.number(total)]
            for t, total in zip(line.terms, running, strict=True)
        ],
        "lit": [[[k, SIDES[side], int(i)] for k, side, i in t.lit] for t in line.terms],
        "faint": [[k, SIDES[side], int(i)] for k, side, i in line.faint],
        "reason": line.reason,
        "note": line.note,
    }


def _arrivals(lines: Lines) -> list[dict[str, Any]]:
    """The parts of the gradients, with the words of the classroom and those of the engine."""
    worked, found = lines.worked, []
    sums: dict[int, np.ndarray] = {}
    counts: dict[int, int] = {}
    for arrival, backward in zip(worked.arrivals, lines.backward, strict=True):
        source, target = worked.quantities[arrival.source], worked.quantities[arrival.target]
        assert source.node is not None
        total = sums.get(arrival.target, np.zeros(target.shape)) + arrival.gradient
        sums[arrival.target] = total
        counts[arrival.target] = counts.get(arrival.target, 0) + 1
        op = source.node.op
        name = op.inputs[0] if op.variadic else op.inputs[arrival.slot]
        small = 0 < target.size <= MAX_ELEMENTS
        texts = [lines.number(v) for v in total.ravel()] if small else []
        if target.size == 1:
            texts = [box_number(lines, total)]
        found.append(
            {
                "source": arrival.source,
                "target": arrival.target,
                "order": counts[arrival.target],
                "of": sum(a.target == arrival.target for a in worked.arrivals),
                "totals": texts,
                "lines": None if backward is None else [_line(lines, x) for x in backward],
                "words": _words(lines, arrival.source, arrival.target),
                "engine": f"{source.node.name()}: the cotangent g of the output enters the vjp of "
                f"{op.name} for its input {name!r}; the engine adds the result to what came before.",
            }
        )
    return found


def _words(lines: Lines, source: int, target: int) -> str:
    """What happens, in the words of the classroom."""
    worked = lines.worked
    symbol, to = worked.symbol, worked.quantities[target]
    op = worked.quantities[source].node.op.name  # type: ignore[union-attr]
    goes = to.name if to.node is None else to.node.op.name
    name = worked.quantities[source].name
    return f"∂{symbol}/∂{name} arrives at {op}. ∂{symbol}/∂{to.name} goes to {goes}."


# --- Places -------------------------------------------------------------------------------------


def _ranks(worked: Worked) -> list[int]:
    """The column of each quantity: an op after its inputs, an input just before its first op."""
    ranks = [0] * len(worked.quantities)
    users: dict[int, list[int]] = {}
    for at, quantity in enumerate(worked.quantities):
        sources = [k for k in quantity.inputs if k is not None]
        for k in sources:
            users.setdefault(k, []).append(at)
        ops = [ranks[k] for k in sources if worked.quantities[k].node is not None]
        if quantity.node is not None:
            ranks[at] = max([0, *ops]) + 1
    for at, quantity in enumerate(worked.quantities):
        if quantity.node is None and at in users:
            ranks[at] = min(ranks[k] for k in users[at]) - 1
    return ranks


def _columns(worked: Worked, ranks: list[int]) -> list[list[list[int]]]:
    """The columns from left to right, each a list of [position] of a box or [source, target], a bend.

    A long arrow bends once in each column that it crosses, so that no box covers it. Each item stands
    at the mean height of the items before it.
    """
    columns: list[list[list[int]]] = [[] for _ in range(max(ranks) + 1)]
    before: dict[tuple[int, tuple[int, ...]], list[tuple[int, ...]]] = {}
    for at in range(len(worked.quantities)):
        columns[ranks[at]].append([at])
    for target, quantity in enumerate(worked.quantities):
        for source in dict.fromkeys(k for k in quantity.inputs if k is not None):
            last: tuple[int, ...] = (source,)
            for rank in range(ranks[source] + 1, ranks[target]):
                columns[rank].append([source, target])
                before[rank, (source, target)] = [last]
                last = (source, target)
            before.setdefault((ranks[target], (target,)), []).append(last)
    height: dict[tuple[int, tuple[int, ...]], float] = {}
    for rank, items in enumerate(columns):

        def mean(item: list[int], rank: int = rank) -> float:
            above = [height[rank - 1, x] for x in before.get((rank, tuple(item)), ())
                     if (rank - 1, x) in height]  # fmt: skip
            return sum(above) / len(above) if above else float("inf")

        if rank:
            items.sort(key=mean)
        for k, item in enumerate(items):
            height[rank, tuple(item)] = k - (len(items) - 1) / 2
    return columns
