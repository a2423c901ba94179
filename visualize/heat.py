"""Colours of boxes by time, memory, gradients, verdicts of gradient checks, or differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from .graph import Graph, Kind, Node
from .look import Heat
from .marks import SIGNS
from .palette import HEAT, HEAT_BORDER, STATUS, VERDICTS, Pair
from .words import bytes_text, norm_text, seconds_text

MEASURABLE: tuple[Kind, ...] = ("op", "module", "vjp")
WRONG_ERROR, DOUBTFUL_ERROR = 1e-4, 1e-6  # relative; a float64 check that is right stays under 1e-6
GRADIENT_RANGE = 1e-6  # of the largest norm: smaller norms share the palest colour


@dataclass
class Key:
    """The legend: a title, and each colour with its words ("" for none)."""

    title: str
    steps: list[tuple[str, str]]


def value(node: Node, heat: Heat) -> float | None:
    """The measurement that `heat` shows for a node; None where there is none.

    "time" is the seconds of the forward pass, for a vjp of the backward pass. "bytes" is the memory
    kept for backward. "grad" is the norm of the gradient of the op's output.

    >>> from .graph import Saved
    >>> value(Node("op", "exp", saved=(Saved("y", (2,), 8),)), "bytes")
    8.0
    """
    if node.kind not in MEASURABLE:
        return None
    if heat == "bytes":
        return None if node.saved is None else float(node.kept())
    if node.measured is None:
        return None
    if heat == "grad":
        return node.measured.grad_norm
    return node.measured.backward if node.kind == "vjp" else node.measured.forward


def unit(heat: Heat) -> Callable[[float], str]:
    """The function that writes a measurement of "time", "bytes" or "grad" with its unit."""
    return {"time": seconds_text, "bytes": bytes_text, "grad": norm_text}[heat]


def colours(graph: Graph, heat: Heat) -> tuple[dict[int, Pair], Key]:
    """Fill and border of each op, module and vjp, by position, and the legend.

    The scale of time and bytes is their square root, from 0, so that small ops stay visible. The
    scale of gradients is logarithmic. A value that is not finite has the colour of a wrong verdict.

    Raises ValueError where nothing was measured.
    """
    if heat in ("verdict", "status"):
        return _named(graph, heat)
    values = {at: value(node, heat) for at, node in enumerate(graph.nodes)}
    known = {at: v for at, v in values.items() if v is not None and math.isfinite(v)}
    if not known:
        raise ValueError(
            f"heat={heat!r}: nothing was measured; visualize.trace(model, x) measures"
            + (" a model whose parameters require grad" if heat == "grad" else "")
            if heat != "bytes"
            else "heat='bytes': backward() freed the saved arrays; draw before it"
        )
    high = max(known.values()) or 1.0
    low = 0.0
    if heat == "grad":
        folded = [n.measured.grad_range[0] for n in graph.nodes
                  if n.measured and n.measured.grad_range and n.kind in MEASURABLE]  # fmt: skip
        smallest = min((v for v in (*known.values(), *folded) if v > 0), default=high)
        low = max(smallest, high * GRADIENT_RANGE)

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


def verdict_name(node: Node) -> str:
    """The name of a node's verdict in `palette.VERDICTS`.

    A relative error above 1e-4 is "wrong", above 1e-6 "doubtful".

    >>> from .graph import Verdict
    >>> verdict_name(Node("op", "exp", verdict=Verdict(3e-6)))
    'doubtful'
    """
    v = node.verdict
    if v is None:
        return "not checked"
    if v.failed:
        return "wrong"
    error = v.error or 0.0
    return "wrong" if error > WRONG_ERROR else "doubtful" if error > DOUBTFUL_ERROR else "right"


def _named(graph: Graph, heat: Heat) -> tuple[dict[int, Pair], Key]:
    """`colours` for "verdict" and "status", which have names and no scale."""
    table = VERDICTS if heat == "verdict" else STATUS
    names: dict[int, str] = {}
    for at, node in enumerate(graph.nodes):
        if heat == "verdict" and node.kind in MEASURABLE:
            names[at] = verdict_name(node)
        elif heat == "status" and node.kind != "output":
            names[at] = node.status
    used = set(names.values())
    words = {"": "same", "follows": "(~) follows from a change"}
    words |= {name: f"{SIGNS[name]} {name}" for name in ("added", "removed", "changed")}
    steps = [(fill, words.get(name, name)) for name, (fill, _) in table.items() if name in used]
    title = "gradient checks" if heat == "verdict" else "difference"
    return {at: table[name] for at, name in names.items()}, Key(title, steps)
