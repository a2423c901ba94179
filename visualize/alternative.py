"""A picture for people who do not see it: the title and the description of an SVG."""

from __future__ import annotations

import html

from .escape import MAX_TOOLTIP_CHARACTERS, xml_text
from .graph import Graph
from .words import shape_text


def description(graph: Graph) -> str:
    """A graph in words: its inputs, its ops in execution order, and its outputs.

    >>> import tinygrad_cnn as tc
    >>> from .record import record
    >>> w = tc.ones(2, requires_grad=True)
    >>> description(record(w.exp().sum(), names={"w": w}))
    'Inputs: w 2. 2 ops: exp 2, sum scalar. Outputs: output scalar.'
    """
    groups: dict[str, list[str]] = {"Inputs": [], "ops": [], "Outputs": []}
    for node in graph.nodes:
        place = {"output": "Outputs", "op": "ops", "module": "ops", "vjp": "ops"}.get(node.kind)
        shape = "" if node.shape is None else f" {shape_text(node.shape)}"
        status = f" ({node.status})" if node.status else ""
        times = f" ×{node.count:,}" if node.count > 1 else ""
        groups[place or "Inputs"].append(f"{node.name}{shape}{times}{status}")
    ops = groups.pop("ops")
    parts = [f"{name}: {', '.join(words)}." for name, words in groups.items() if words]
    if ops:
        parts.insert(len(groups["Inputs"]) > 0, f"{len(ops)} ops: {', '.join(ops)}.")
    return " ".join(parts)


def described(svg: bytes, title: str, graph: Graph) -> bytes:
    """An SVG with a title and a description, which screen readers read.

    >>> from .graph import Node
    >>> described(b'<svg class="a"><g/></svg>', "Net", Graph((Node("leaf", "w"),), ()))
    b'<svg class="a" role="img"><title>Net</title><desc>Inputs: w.</desc><g/></svg>'
    """
    start = svg.index(b"<svg")
    end = svg.index(b">", start)
    words = description(graph)
    if len(words) > MAX_TOOLTIP_CHARACTERS:
        words = words[: MAX_TOOLTIP_CHARACTERS - 1] + "…"
    title, words = (html.escape(xml_text(each)) for each in (title or "Recorded graph", words))
    spoken = f' role="img"><title>{title}</title><desc>{words}</desc>'
    return svg[:end] + spoken.encode() + svg[end + 1 :]
