"""`health`: a strip for each op beside the graph: gradients, activations, dead units, updates.

A bar is one value; of an op that is folded a small curve has the values of all copies. Gradients
have a logarithmic scale, since they vanish and explode by powers of ten.
"""

from __future__ import annotations

import html
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .escape import xml_text
from .graph import Graph
from .history import History
from .palette import DARK, HEAT, INK, MUTED, PAPER, VERDICTS
from .table import html_table
from .words import norm_text

BAD_LINE = VERDICTS["wrong"][1]
ROW_HEIGHT, BAR_WIDTH, NAME_WIDTH, CELL_WIDTH = 22, 84, 310, 205  # pixels
DECADES = 8  # of the scale of gradients, below the largest
Curve = Sequence[float | None]


@dataclass
class Strip:
    """The health of one op, or of all copies of a folded one: a value for each copy.

    Attributes:
        op, module: its name, and the path of its module.
        node: its position in the graph as drawn.
        gradients: 2-norms of the gradient of its output.
        spreads: standard deviations of its output.
        dead: shares of dead units, of an activation.
        ratios: update-to-weight ratios of its parameters over a training, by step.
        bad: "values" or "gradients" where NaN or infinity begins, else "".
    """

    op: str
    module: str
    node: int
    gradients: list[float | None]
    spreads: list[float | None]
    dead: list[float | None]
    ratios: list[float]
    bad: str = ""


class Health:
    """Strips in execution order. `str` is a table; a notebook shows the strips."""

    def __init__(self, strips: Sequence[Strip]) -> None:
        self.strips = list(strips)

    def __len__(self) -> int:
        return len(self.strips)

    def __repr__(self) -> str:
        bad = next((strip for strip in self.strips if strip.bad), None)
        words = f", not finite from {bad.op} on" if bad else ""
        return f"<Health of {len(self.strips)} ops{words}>"

    def __str__(self) -> str:
        lines = [[cell.ljust(width) for cell, width in zip(row, _widths(self._table()), strict=True)]
                 for row in self._table()]  # fmt: skip
        return "\n".join("  ".join(line).rstrip() for line in lines)

    def _table(self) -> list[list[str]]:
        rows = [["op", "module", "gradient", "spread", "dead", "update", ""]]
        for s in self.strips:
            rows.append([
                s.op, s.module, _range(s.gradients), _range(s.spreads), _percent(s.dead),
                norm_text(s.ratios[-1]) if s.ratios else "",
                f"NaN or infinite {s.bad} begin here" if s.bad else "",
            ])  # fmt: skip
        return rows

    def svg(self) -> str:
        """The strips as SVG.

        >>> Health([Strip("exp", "", 0, [1.0], [0.5], [None], [])]).svg()[:4]
        '<svg'
        """
        heads = [
            ("gradient norm", "gradients"), ("spread of outputs", "spreads"), ("dead units", "dead")
        ]  # fmt: skip
        if any(strip.ratios for strip in self.strips):
            heads.append(("update / weight", "ratios"))
        width = NAME_WIDTH + CELL_WIDTH * len(heads)
        height = ROW_HEIGHT * (len(self.strips) + 1) + 8
        scales = {name: _Scale(self.strips, name) for _, name in heads}
        parts = []
        for k, (words, _) in enumerate(heads):
            parts.append(_text(NAME_WIDTH + CELL_WIDTH * k, 16, words, MUTED))
        for row, strip in enumerate(self.strips, 1):
            y = ROW_HEIGHT * row
            colour = BAD_LINE if strip.bad else INK
            if strip.bad:
                fill = VERDICTS["wrong"][0]
                parts.append(f'<rect x="0" y="{y + 1}" width="{width}" height="{ROW_HEIGHT - 2}" '
                             f'fill="{fill}"/>')  # fmt: skip
            name = f"{strip.op}{f' ×{len(strip.gradients)}' if len(strip.gradients) > 1 else ''}"
            parts.append(_text(6, y + 15, name, INK, "600"))
            where = f"NaN: {strip.bad} begin here" if strip.bad else strip.module
            parts.append(_text(135, y + 15, where[:30], colour if strip.bad else MUTED))
            for k, (_, field) in enumerate(heads):
                values = getattr(strip, field)
                parts += scales[field].cell(NAME_WIDTH + CELL_WIDTH * k, y, values)
        title = html.escape(repr(self))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="health" role="img" width="{width}" '
            f'height="{height}" viewBox="0 0 {width} {height}" '
            'font-family="system-ui, DejaVu Sans, sans-serif" font-size="12" '
            f'style="max-width:100%;height:auto"><title>{title}</title>'
            f"<desc>{html.escape(xml_text(str(self)))}</desc><style>{_dark()}</style>"
            f'<rect width="100%" height="100%" fill="{PAPER}"/>{"".join(parts)}</svg>'
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the strips as .svg, and return the path. ValueError for another suffix."""
        path = Path(path)
        if path.suffix.lower() != ".svg":
            raise ValueError(f"cannot save {str(path)!r}: the name must end in .svg")
        path.write_text(self.svg(), encoding="utf-8")
        return path

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        return html_table(self._table(), {0, 1, 6}) if not self.strips else self.svg()


def health(graph: Graph, recorded: Graph, history: History | None = None) -> Health:
    """The strips of the ops of a graph.

    Args:
        graph: the graph to go by; its folded ops have several copies.
        recorded: the graph in which these copies are ops of their own.
        history: of a training; gives the update-to-weight ratios of the parameters.

    Raises ValueError where nothing was measured.
    """
    if not any(node.measured for _, node in graph.ops()):
        raise ValueError("health: nothing was measured; visualize.trace(model, x) measures")
    origin = bad_origins(recorded)
    strips = []
    for at, node in graph.ops():
        copies = [k for k in node.origin if recorded.nodes[k].kind == "op"]
        found = [recorded.nodes[k].measured for k in copies]
        measured = [m for m in found if m is not None]
        strips.append(
            Strip(
                node.name, node.cluster or "", at,
                [m.grad_norm for m in measured], [m.std for m in measured],
                [m.dead for m in measured], _ratios(recorded, copies, history),
                next((origin[k] for k in copies if k in origin), ""),
            )
        )  # fmt: skip
    return Health(strips)


def bad_origins(graph: Graph) -> dict[int, str]:
    """The op that made the first value that is not finite, and the first such gradient.

    Gradients flow from the last op to the first.

    >>> from .graph import Measured, Node
    >>> ops = [Node("op", "log", measured=Measured(bad=k)) for k in (0, 2, 2)]
    >>> bad_origins(Graph(tuple(ops), ()))
    {1: 'values'}
    """
    ops = [(at, node.measured) for at, node in graph.ops() if node.measured is not None]
    found = {}
    gradients = next((at for at, m in reversed(ops) if m.bad_gradients), None)
    if gradients is not None:
        found[gradients] = "gradients"
    values = next((at for at, m in ops if m.bad), None)
    if values is not None:
        found[values] = "values"
    return found


def _ratios(graph: Graph, ops: Sequence[int], history: History | None) -> list[float]:
    """The largest ratio of the parameters of some ops, step by step."""
    if history is None:
        return []
    names = {graph.nodes[e.source].name for e in graph.edges if e.target in set(ops)
             and graph.nodes[e.source].kind == "parameter"}  # fmt: skip
    steps: dict[int, float] = {}
    for name in names:
        for step, ratio in history.ratios.get(name, ()):
            steps[step] = max(steps.get(step, 0.0), ratio)
    return [steps[step] for step in sorted(steps)]


class _Scale:
    """From a value of one column to a length between 0 and 1."""

    def __init__(self, strips: Sequence[Strip], field: str) -> None:
        self.field = field
        values = [
            v for s in strips for v in getattr(s, field) if v is not None and math.isfinite(v)
        ]
        self.high = max(values, default=0.0) or 1.0

    def of(self, value: float) -> float:
        if self.field == "dead":
            return value
        if self.field in ("gradients", "ratios"):
            if value <= 0:
                return 0.0
            return max(0.02, 1 + math.log10(value / self.high) / DECADES)
        return value / self.high

    def cell(self, x: int, y: int, values: Curve) -> list[str]:
        """The bar or the curve of some values, and their range in words."""
        known = [v for v in values if v is not None]
        if not known:
            return []
        words = _percent(known) if self.field == "dead" else _range(known)
        if self.field == "ratios":
            words = norm_text(known[-1])
        finite = [v for v in known if math.isfinite(v)]
        parts = [_text(x + BAR_WIDTH + 6, y + 15, words, MUTED if finite else BAD_LINE)]
        base, room = y + ROW_HEIGHT - 5, ROW_HEIGHT - 9
        if len(finite) > 1:
            step = (BAR_WIDTH - 8) / (len(finite) - 1)
            points = " ".join(
                f"{x + k * step:.1f},{base - room * self.of(v):.1f}" for k, v in enumerate(finite)
            )
            parts.append(
                f'<polyline points="{points}" fill="none" stroke="{INK}" stroke-width="1.4"/>'
            )
        elif finite:
            length = max(1.0, (BAR_WIDTH - 8) * self.of(finite[0]))
            parts.append(
                f'<rect x="{x}" y="{y + 6}" width="{length:.1f}" height="11" rx="2" '
                f'fill="{HEAT[-1]}"/>'
            )
        return parts


def _text(x: float, y: float, words: str, colour: str, weight: str = "400") -> str:
    return (
        f'<text x="{x}" y="{y}" fill="{colour}" font-weight="{weight}">'
        f"{html.escape(xml_text(words))}</text>"
    )


def _range(values: Curve) -> str:
    """One value, or the smallest and the largest.

    >>> _range([0.5]), _range([2e-8, 5.66]), _range([None])
    ('0.5', '2e-08 … 5.66', '')
    """
    known = [v for v in values if v is not None]
    if not known:
        return ""
    if not all(map(math.isfinite, known)):
        return "not finite" if len(known) == 1 else "some not finite"
    low, high = norm_text(min(known)), norm_text(max(known))
    return low if low == high else f"{low} … {high}"


def _percent(values: Curve) -> str:
    known = [v for v in values if v is not None]
    return f"{100 * max(known):.0f} %" if known else ""


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _dark() -> str:
    colours: Mapping[str, str] = {c: DARK[c] for c in (PAPER, INK, MUTED, HEAT[-1], BAD_LINE,
                                                       VERDICTS["wrong"][0])}  # fmt: skip
    rules = "".join(
        f'.health [{a}="{light}"]{{{a}:{dark}}}'
        for light, dark in colours.items() for a in ("fill", "stroke")
    )  # fmt: skip
    return f"@media (prefers-color-scheme:dark){{{rules}}}"
