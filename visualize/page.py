"""The HTML page: one file with the graph as JSON, styles and scripts; no network, no framework.

The scripts in `web/` insert every text as text, never as markup. The security policy of the page
forbids loading anything.
"""

from __future__ import annotations

import base64
import html
import json
import linecache
from collections.abc import Sequence
from importlib import resources
from typing import Any

from .escape import xml_text
from .graph import Glance, Graph, Node, Shape, Step
from .health import health
from .heat import verdict_name
from .look import Direction, Heat, Phase
from .marks import LINES, OTHER_LINE
from .palette import DARK, FAMILIES, HEAT, KIND_COLOURS, OTHER, STATUS, VERDICTS
from .words import attributes, bytes_text, shape_text, value_text, verdict_text, warnings

SCRIPTS = ("view.js", "layout.js", "draw.js", "panel.js", "page.js", "save.js")
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)


def page(
    graph: Graph,
    recorded: Graph,
    *,
    title: str = "",
    direction: Direction = "TB",
    depth: int | None = None,
    heat: Heat | None = None,
    phase: Phase = "forward",
    hidden: int = 0,
    steps: Sequence[Step] | None = None,
) -> str:
    """The text of the page.

    Args:
        graph: the graph to show, with small inputs inlined. The scripts close modules and derive
            the backward graph.
        recorded: the recorded graph, in which `steps` have their positions.
        title, direction, depth, heat, phase: the initial state of the page; see `Picture`.
        hidden: how many nodes were cut from the graph.
        steps: the steps of the backward pass to play.

    >>> graph = Graph((Node("leaf", "w"),), ())
    >>> '"name":"w"' in page(graph, graph, title="One leaf")
    True
    """
    nodes = [_node(node) for node in graph.nodes]
    if any(node.measured for _, node in graph.ops()):
        for strip in health(graph, recorded).strips:
            nodes[strip.node]["health"] = [strip.gradients, strip.spreads, strip.dead, strip.bad]
    data = {
        "title": title or "Recorded graph",
        "direction": "LR" if direction in ("LR", "RL") else "TB",
        "depth": depth,
        "heat": heat,
        "phase": phase,
        "cut": hidden,
        "nodes": nodes,
        "edges": [
            [e.source, e.target, e.slot, e.name, int(e.kept), int(e.kind == "detached")]
            for e in graph.edges
        ],
        "clusters": [
            {"path": c.path, "kind": c.kind, "parent": c.parent, "count": c.count, "label": c.label}
            for c in graph.clusters
        ],
        "steps": None if steps is None else _steps(steps, graph, recorded),
        "heats": list(HEAT),
        "families": {**{name: own.words for name, own in LINES.items()}, "other": OTHER_LINE.words},
    }
    heading = html.escape(xml_text(title) or "Recorded graph")
    web = resources.files("visualize") / "web"
    style = (web / "style.css").read_text(encoding="utf-8")
    script = "\n".join((web / name).read_text(encoding="utf-8") for name in SCRIPTS)
    body = (web / "body.html").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{heading}</title>\n<style>\n{_colours()}{style}</style>\n"
        f"</head>\n<body>\n{body}"
        f'<script type="application/json" id="data">{as_json(data)}</script>\n'
        f"<script>\n'use strict';\n{script}</script>\n</body>\n</html>\n"
    )


def as_json(data: object) -> str:
    """JSON that is safe in a script element: it contains no `<`, and NaN and infinity are strings.

    >>> as_json({"name": "</script>", "norm": float("inf")})
    '{"name":"\\\\u003c/script>","norm":"Infinity"}'
    """
    text = json.dumps(_finite(data), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _finite(value: Any) -> Any:
    """The value with NaN and infinity, which JSON lacks, as strings."""
    if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _node(node: Node) -> dict[str, Any]:
    """The facts about a node that the page shows; empty ones are omitted."""
    saved: dict[tuple[str, Shape, bool], list[int]] = {}  # bytes, and the number of arrays
    for s in node.saved or ():
        entry = saved.setdefault((s.name, s.shape, s.own), [0, 0])
        entry[0] += s.nbytes
        entry[1] += 1
    facts: dict[str, Any] = {
        "kind": node.kind,
        "name": node.name,
        "cluster": node.cluster,
        "family": node.family if node.family in FAMILIES else "other" if node.kind == "op" else "",
        "shape": None if node.shape is None else shape_text(node.shape),
        "dtype": node.dtype,
        "value": node.value,
        "brief": attributes(node) if node.kind == "op" else [],
        "attributes": [[name, value_text(value)] for name, value in node.attributes.items()],
        "rows": [list(row) for row in node.rows],
        "kept": node.kept(),
        "saved": [[name, shape_text(shape), bytes_text(size), own, times]
                  for (name, shape, own), (size, times) in saved.items()],
        "freed": node.saved is None,
        "form": node.form,
        "formula": node.formula,
        "frozen": node.frozen,
        "given": node.given,
        "warnings": warnings(node),
        "ops": len(node.origin) if node.kind == "op" else 0,
        "status": node.status,
        "line": node.line,
        "code": _code(node.line),
    }  # fmt: skip
    if node.measured is not None:
        m = node.measured
        facts["measured"] = [
            m.forward, m.backward, m.nbytes, m.grad_norm, m.bad, m.bad_gradients, m.std, m.dead
        ]  # fmt: skip
        if m.grad_range is not None:
            facts["range"] = list(m.grad_range)
    if node.verdict is not None:
        facts["verdict"] = [verdict_name(node), verdict_text(node)]
    return {name: fact for name, fact in facts.items() if fact not in (None, [], "", False, 0)}


def _code(line: str) -> str:
    """The source text of a line that is named `file:number, in function`; "" if it is not found."""
    file, _, number = line.split(", in ")[0].rpartition(":")
    return linecache.getline(file, int(number)).strip() if number.isdigit() else ""


def _steps(steps: Sequence[Step], graph: Graph, recorded: Graph) -> list[dict[str, Any]]:
    """The steps, with positions in `graph` instead of `recorded`; -1 for a hidden node."""
    place = {at: k for k, node in enumerate(graph.nodes) for at in node.origin}
    found = []
    for step in steps:
        found.append(
            {
                "node": place.get(step.node, -1),
                "name": step.name,
                "arrives": None if step.arrives is None else _glance(step.arrives),
                "leaves": [[name, _glance(g)] for _, name, g in step.leaves],
                "filled": [
                    [recorded.nodes[at].name, place.get(at, -1), _glance(g)]
                    for at, g in step.filled.items()
                ],
            }
        )
    return found


def _glance(g: Glance) -> dict[str, Any]:
    found: dict[str, Any] = {"shape": shape_text(g.shape), "norm": g.norm}
    if g.numbers is not None:
        found["numbers"] = g.numbers
        found["columns"] = g.shape[-1] if g.shape else 1
    if g.png is not None:
        found["png"] = base64.b64encode(g.png).decode()
        found["limit"] = g.limit
    return found


def _colours() -> str:
    """The colours of `palette.py` as CSS, for a light and a dark page, and the lines of boxes."""
    pairs = {f"family-{name}": pair for name, pair in FAMILIES.items()}
    pairs["family-other"] = OTHER
    pairs |= {f"kind-{name}": pair for name, pair in KIND_COLOURS.items()}
    pairs |= {f"verdict-{name.replace(' ', '-')}": pair for name, pair in VERDICTS.items()}
    pairs |= {f"status-{name or 'same'}": pair for name, pair in STATUS.items()}
    light = {f"--{name}-fill": fill for name, (fill, _) in pairs.items()}
    light |= {f"--{name}-line": line for name, (_, line) in pairs.items()}
    light |= {f"--heat-{k}": colour for k, colour in enumerate(HEAT)}

    lines = "".join(
        f":is(.box,.sample).family-{name}:not(.removed) > rect:first-of-type{{{own.css()}}}\n"
        for name, own in {**LINES, "other": OTHER_LINE}.items()
    )

    def rules(dark: bool) -> str:
        return "".join(f"{name}:{DARK[c] if dark else c};" for name, c in light.items())

    return (
        f":root{{{rules(False)}}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{rules(True)}}}}}\n"
        f":root[data-theme=dark]{{{rules(True)}}}\n{lines}"
    )
