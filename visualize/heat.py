"""Boxes coloured by what was found: time, memory, gradients, verdicts of checks, differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from .model import Graph, Node
from .palette import HEAT, HEAT_BORDER, STATUS, VERDICTS, Pair
from .words import bytes_text, norm_text, seconds_text

HEATS = ("time", "bytes", "grad", "verdict", "status")
BOXES = ("op", "module", "vjp")


@dataclass
class Key:
    """What the colours mean: a title, and each colour with its words ("" for none)."""

    title: str
    steps: list[tuple[str, str]]


def value(node: Node, heat: str) -> float | None:
    """What `heat` measures of a node; None where it was not measured.

    Time is that of the forward pass, of a vjp that of the backward pass; bytes are those that are
    kept for backward; a gradient is that of the op's output.
    """
    if node.kind not in BOXES:
        return None
    if heat == "bytes":
        return None if node.saved is None else float(node.kept())
    if node.measured is None:
        return None
    if heat == "grad":
        return node.measured.grad_norm
    return node.measured.backward if node.kind == "vjp" else node.measured.forward


def unit(heat: str) -> Callable[[float], str]:
    """How a measure is written."""
    return {"time": seconds_text, "bytes": bytes_text, "grad": norm_text}[heat]


def colours(graph: Graph, heat: str) -> tuple[dict[int, Pair], Key]:
    """Fill and border of each op, module and vjp, by place, and the key to them.

    Time and bytes go by their square root, from 0; gradients by their logarithm. Raises ValueError
    where nothing was measured.
    """
    if heat in ("verdict", "status"):
        return _named(graph, heat)
    values = {at: value(node, heat) for at, node in enumerate(graph.nodes)}
    known = {at: v for at, v in values.items() if v is not None and math.isfinite(v)}
    if not known:
        raise ValueError(
            f"heat={heat!r}: nothing was measured; visualize.trace(model, x) runs and measures"
            if heat != "bytes"
            else "heat='bytes': what was saved is freed; draw before backward()"
        )
    high = max(known.values()) or 1.0
    low = 0.0
    if heat == "grad":
        low = max(min((v for v in known.values() if v > 0), default=high), high * 1e-6)

    def level(v: float) -> float:
        if heat == "grad":
            return 0.0 if v <= low else math.log(v / low) / math.log(high / low)
        return math.sqrt(v / high)

    def at_level(s: float) -> float:
        return low * (high / low) ** s if heat == "grad" else high * s * s

    steps = len(HEAT)
    found = {
        at: (HEAT[min(int(level(v) * steps), steps - 1)], HEAT_BORDER) for at, v in known.items()
    }
    for at, v in values.items():
        if v is not None and not math.isfinite(v):
            found[at] = VERDICTS["wrong"]
    titles = {
        "time": "time of an op", "bytes": "kept for backward", "grad": "norm of the gradient",
    }  # fmt: skip
    write = unit(heat)
    words = ["" for _ in HEAT]
    words[0], words[steps // 2], words[-1] = (write(at_level(s)) for s in (0, 0.5, 1))
    return found, Key(titles[heat], list(zip(HEAT, words, strict=True)))


def verdict(node: Node) -> str:
    """Which of `palette.VERDICTS` a node has: an error above 1e-4 is wrong, above 1e-6 doubtful."""
    v = node.verdict
    if v is None:
        return "not checked"
    if v.failed:
        return "wrong"
    error = v.error or 0.0
    return "wrong" if error > 1e-4 else "doubtful" if error > 1e-6 else "right"


def _named(graph: Graph, heat: str) -> tuple[dict[int, Pair], Key]:
    table, of = (VERDICTS, verdict) if heat == "verdict" else (STATUS, lambda node: node.status)
    found = {
        at: table[of(node)]
        for at, node in enumerate(graph.nodes)
        if node.kind in BOXES or (heat == "status" and node.kind != "output")
    }
    used = {of(graph.nodes[at]) for at in found}
    title = "gradient checks" if heat == "verdict" else "difference"
    return found, Key(title, [(pair[0], name or "same") for name, pair in table.items()
                              if name in used])  # fmt: skip
