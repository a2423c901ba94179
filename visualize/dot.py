"""A graph as DOT text: what it looks like. Everything that a user named is escaped here, once.

Text is laid out in Courier New, whose widths every renderer knows; the SVG then names fonts of
the same width that look better (see `render.py`), so no text is wider than its box.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .model import Cluster, Edge, Graph, Node

SHOW = ("attributes", "params", "saved", "shapes", "dtypes")  # what `show` may name
SHOWN = ("attributes", "params", "shapes")  # ... and what it names unless told
DIRECTIONS = ("TB", "LR", "BT", "RL")

# Fill and border of a box: of ops by the module of `tinygrad_cnn.ops` that they stand in.
OPS = {
    "conv": ("#dbeafe", "#3b82f6"),
    "linear": ("#dbeafe", "#3b82f6"),
    "elementwise": ("#ffedd5", "#f97316"),
    "pool": ("#ede9fe", "#8b5cf6"),
    "norm": ("#ccfbf1", "#14b8a6"),
    "reduce": ("#ffe4e6", "#f43f5e"),
    "softmax": ("#ffe4e6", "#f43f5e"),
    "shape": ("#f1f5f9", "#94a3b8"),
}
OTHER_OP = ("#fef9c3", "#eab308")
KINDS = {
    "parameter": ("#dcfce7", "#22c55e"),
    "leaf": ("#ecfccb", "#84cc16"),
    "constant": ("#fefefe", "#a3a3a3"),
    "output": ("#1e293b", "#1e293b"),
    "cut": ("#fafafa", "#a1a1aa"),
}
BACKGROUND, CLUSTER, CLUSTER_BORDER = "#ffffff", "#f6f8fa", "#d0d7de"
INK, MUTED, ON_OUTPUT, EDGE, PARAMETER_EDGE = "#0f172a", "#57606a", "#f8fafc", "#475569", "#86c79c"

# The same colours for a dark page.
DARK = {
    "#dbeafe": "#17304f", "#3b82f6": "#5b9bf3",
    "#ffedd5": "#412a14", "#f97316": "#f0883e",
    "#ede9fe": "#2d2452", "#8b5cf6": "#a587f5",
    "#ccfbf1": "#0f3a37", "#14b8a6": "#2dbfae",
    "#ffe4e6": "#47202a", "#f43f5e": "#f2708a",
    "#f1f5f9": "#262d37", "#94a3b8": "#76859a",
    "#fef9c3": "#3b3413", "#eab308": "#d4a72c",
    "#dcfce7": "#14361f", "#22c55e": "#3fb950",
    "#ecfccb": "#2b3712", "#84cc16": "#9bc53d",
    "#fefefe": "#1b2129", "#a3a3a3": "#7d8590",
    "#1e293b": "#dde4ec", "#f8fafc": "#0d1117",
    "#fafafa": "#161b22", "#a1a1aa": "#6e7681",
    BACKGROUND: "#0d1117", CLUSTER: "#151b23", CLUSTER_BORDER: "#343c46",
    INK: "#e6edf3", MUTED: "#9da7b3", EDGE: "#8b98a9", PARAMETER_EDGE: "#3d7a4e",
}  # fmt: skip

FONT = "Courier New"
LONGEST = 44  # characters of a line in a box; the tooltip has it all

# What goes without saying: values of attributes that are left out of a box.
_NEUTRAL = {
    "padding": 0, "dilation": 1, "groups": 1, "keepdim": False, "correction": 1,
    "ignore_index": -100, "reduction": "mean", "label_smoothing": 0.0, "eps": 1e-5,
}  # fmt: skip
_WINDOW = {"kernel_size", "stride", "padding", "dilation"}
# What the shapes tell already, or nobody reads.
_REDUNDANT = {"shape", "output_size", "x_shape", "w_shape", "divisor", "random", "path"}


def to_dot(graph: Graph, direction: str = "TB", show: Iterable[str] = SHOWN) -> str:
    """The DOT text of a graph; `show` names what of `SHOW` is drawn.

    Raises ValueError for a direction or a thing to show that there is not.

    >>> text = to_dot(Graph((Node("leaf", "a < b"),), ()), direction="LR")
    >>> "a &lt; b" in text, "rankdir=LR" in text
    (True, True)
    """
    shown = {show} if isinstance(show, str) else set(show)
    if not shown <= set(SHOW):
        raise ValueError(f"show: {sorted(shown - set(SHOW))} is not among {list(SHOW)}")
    if direction not in DIRECTIONS:
        raise ValueError(f"direction: {direction!r} is not among {list(DIRECTIONS)}")
    hidden = set() if "params" in shown else {"parameter"}
    places = [at for at, node in enumerate(graph.nodes) if node.kind not in hidden]
    drawn = set(places)
    lines = [
        "digraph {",
        f'  graph [rankdir={direction} bgcolor="{BACKGROUND}" fontname="{FONT}" fontsize=10 pad=0.25',
        '         nodesep=0.28 ranksep=0.38 tooltip=" "]',
        f'  node [shape=box style="rounded,filled" fontname="{FONT}" fontsize=11 height=0.3',
        f'        margin="0.14,0.055" fontcolor="{INK}"]',
        f'  edge [fontname="{FONT}" fontsize=9 fontcolor="{MUTED}" color="{EDGE}" arrowsize=0.6]',
    ]
    sides = _sides(graph, drawn)
    boxes: dict[str | None, list[str]] = {}
    for at in places:
        node = graph.nodes[at]
        lines_here = boxes.setdefault(node.cluster, [])
        lines_here.append(_node(at, node, shown))
        if at in sides:
            lines_here.append(f"{{rank=same; {'; '.join(f'n{k}' for k in (at, *sides[at]))}}}")
    for number, cluster in enumerate(graph.clusters):
        lines += _cluster(number, cluster, boxes.pop(cluster.path, []))
    lines += [f"  {line}" for line in boxes.get(None, [])]
    entering = Counter(e.target for e in graph.edges if graph.nodes[e.source].kind == "op")
    for edge in graph.edges:
        if edge.source in drawn:
            beside = sides.get(edge.target, ())
            right = edge.source in beside and (beside.index(edge.source) + len(beside)) % 2 == 0
            lines.append(f"  {_edge(edge, graph.nodes[edge.source], shown, right, entering)}")
    return "\n".join([*lines, "}", ""])


def _sides(graph: Graph, drawn: set[int]) -> dict[int, tuple[int, ...]]:
    """What stands beside an op and not before it: parameters and constants of its own.

    So the way of the data is a straight line. Where all inputs of an op are such, the first of
    them stands before it.
    """
    uses = Counter(edge.source for edge in graph.edges)
    beside: dict[int, list[int]] = {}
    main: set[int] = set()
    for edge in graph.edges:
        source, target = graph.nodes[edge.source], graph.nodes[edge.target]
        own = source.kind not in ("op", "cut") and uses[edge.source] == 1
        if own and target.kind == "op" and source.cluster == target.cluster:
            if edge.source in drawn:
                beside.setdefault(edge.target, []).append(edge.source)
        else:
            main.add(edge.target)
    return {
        target: tuple(sources[target not in main :])
        for target, sources in beside.items()
        if sources[target not in main :]
    }


def _cluster(number: int, cluster: Cluster, boxes: Iterable[str]) -> list[str]:
    label = f"<B>{text(cluster.path)}</B>"
    if len(cluster.path) + len(cluster.kind) <= 16:  # or it would lie under the arrow that enters
        label += f" {_muted(cluster.kind)}"
    whole = f"{cluster.path} {cluster.kind}".strip()
    return [
        f"  subgraph cluster_{number} {{",
        f'    graph [style="rounded,filled" fillcolor="{CLUSTER}" color="{CLUSTER_BORDER}" margin=9',
        f'           fontcolor="{INK}" labeljust=l label=<{label}> tooltip="{quoted(whole)}"]',
        *(f"    {box}" for box in boxes),
        "  }",
    ]


def _node(at: int, node: Node, shown: set[str]) -> str:
    fill, border = OPS.get(node.family, OTHER_OP) if node.kind == "op" else KINDS[node.kind]
    style = ' style="rounded,filled,dashed"' if node.kind == "cut" else ""
    ink = f' fontcolor="{ON_OUTPUT}"' if node.kind == "output" else ""
    return (
        f'n{at} [label=<{_label(node, shown)}> fillcolor="{fill}" color="{border}"{style}{ink} '
        f'id="node-{at}" class="{node.kind}" tooltip="{quoted(describe(node))}"]'
    )


def _label(node: Node, shown: set[str]) -> str:
    """The text in a box: a name in bold, and what belongs to it."""
    if node.kind == "op":
        rows = [f"<B>{text(node.name)}</B>"]
        if "attributes" in shown and (facts := attributes(node)):
            rows.append(_muted(", ".join(facts)))
        if "saved" in shown and (keeps := _keeps(node)):
            rows.append(_muted(keeps))
        if len(rows) == 1:
            return rows[0]
        lines = "".join(f"<TR><TD>{row}</TD></TR>" for row in rows)
        return f'<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="1">{lines}</TABLE>'
    name = node.name
    if node.kind == "parameter" and node.cluster:
        name = name.removeprefix(node.cluster + ".")
    facts = []
    if node.value is not None:
        facts.append(f"{node.value:.6g}")
    elif "shapes" in shown and node.shape is not None:
        facts.append(shape_text(node.shape))
    if "dtypes" in shown and node.dtype:
        facts.append(node.dtype)
    rest = " ".join(facts)
    bold = f"<B>{text(name)}</B>"
    if not rest:
        return bold
    return f"{bold} {text(rest) if node.kind == 'output' else _muted(rest)}"


def _edge(
    edge: Edge, source: Node, shown: set[str], right: bool, entering: Mapping[int, int]
) -> str:
    facts = []
    if source.kind == "op":  # other boxes tell their shape themselves
        if entering[edge.target] > 1:  # which of the op's inputs it is
            facts.append(f"{edge.name}:")
        if "shapes" in shown and source.shape is not None:
            facts.append(shape_text(source.shape))
        if "dtypes" in shown and source.dtype:
            facts.append(source.dtype)
    label = f" label=<{text(' ' + ' '.join(facts) + ' ')}>" if facts else ""
    look = f'color="{PARAMETER_EDGE}"' if source.kind == "parameter" else ""
    look += " penwidth=1.3 weight=8" if source.kind == "op" else ""
    ends = f"n{edge.source} -> n{edge.target}"
    if right:  # of two that stand in a rank, an edge's head is to the right
        ends, look = f"n{edge.target} -> n{edge.source}", f"{look} dir=back"
    tip = quoted(f"{source.name} is {edge.name} of this op" if edge.name else source.name)
    return f'{ends} [id="edge-{edge.target}-{edge.slot}" {look.strip()}{label} tooltip="{tip}"]'


# --- Words --------------------------------------------------------------------------------------


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as people write it; in ASCII, whose widths every renderer knows.

    >>> shape_text((64, 3, 8, 8)), shape_text(()), shape_text((0,))
    ('64x3x8x8', 'scalar', '0')
    """
    return "x".join(map(str, shape)) if shape else "scalar"


def attributes(node: Node) -> list[str]:
    """What of an op's attributes is worth reading, in few words.

    >>> attributes(Node("op", "pool", attributes={"kernel_size": (2, 2), "stride": (2, 1),
    ...                                           "padding": ((0, 0), (0, 0))}))
    ['2x2', 'stride 2x1']
    """
    facts = []
    for name, value in node.attributes.items():
        if name in _WINDOW:
            value = _alike(value)
        if name in _REDUNDANT or value is None or (name in _NEUTRAL and _is(value, _NEUTRAL[name])):
            continue
        if name == "kernel_size":
            facts.append(shape_text(value) if isinstance(value, tuple) else f"{value}x{value}")
        elif name in _WINDOW and isinstance(value, tuple) and isinstance(value[0], int):
            facts.append(f"{name} {shape_text(value)}")
        else:
            facts.append(f"{name} {value_text(value)}")
    return facts


def _is(value: Any, neutral: Any) -> bool:
    return type(value) is type(neutral) and bool(value == neutral)


def _alike(value: Any) -> Any:
    """One number for a pair, or a pair of pairs, of that same number."""
    for _ in range(2):
        if isinstance(value, tuple) and value:
            value = tuple(v[0] if _same(v) else v for v in value)
            value = value[0] if _same(value) else value
    return value


def _same(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) > 0 and all(v == value[0] for v in value)


def value_text(value: Any) -> str:
    """The value of an attribute, short: of an array the shape alone, a slice as it is written.

    >>> value_text((slice(1, None), Ellipsis, np.zeros((2, 3)), 0.5))
    '1:, ..., array 2x3, 0.5'
    """
    if isinstance(value, np.ndarray):
        return f"array {shape_text(value.shape)}"
    if isinstance(value, slice):
        parts = ["" if part is None else str(part) for part in (value.start, value.stop)]
        return ":".join(parts if value.step is None else [*parts, str(value.step)])
    if isinstance(value, float):
        return f"{value:.6g}"
    if value is Ellipsis:
        return "..."
    if isinstance(value, tuple) and not any(isinstance(v, tuple) for v in value):
        return ", ".join(map(value_text, value))
    if value is None or isinstance(value, (str, int, tuple, np.generic, np.dtype)):
        return str(value)
    return type(value).__name__  # the text of an object may be long, or hold its address


def _keeps(node: Node) -> str:
    if node.saved is None:
        return "freed"
    if not node.saved:
        return ""
    names = ", ".join(dict.fromkeys(saved.name for saved in node.saved))
    return f"keeps {names}: {bytes_text(sum(saved.nbytes for saved in node.saved))}"


def bytes_text(n: int) -> str:
    """A number of bytes in a unit that people read.

    >>> bytes_text(12), bytes_text(4096), bytes_text(3 << 20)
    ('12 B', '4.1 kB', '3.1 MB')
    """
    size, units = float(n), iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while size >= 1000 and unit != "TB":
        size, unit = size / 1000, next(units)
    return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"


def describe(node: Node) -> str:
    """All that is known of a node, a line for each fact: its tooltip."""
    lines = [f"{node.kind} {node.name}"]
    if node.shape is not None:
        lines.append(f"shape {shape_text(node.shape)}" + (f", {node.dtype}" if node.dtype else ""))
    if node.value is not None:
        lines.append(f"value {node.value!r}")
    if node.cluster:
        lines.append(f"in {node.cluster}")
    lines += [f"{name} = {value_text(value)}" for name, value in node.attributes.items()]
    if node.kind == "op" and (keeps := _keeps(node)):
        lines.append(keeps)
    return "\n".join(lines)


# --- Escaping -----------------------------------------------------------------------------------

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(words: str, longest: int = LONGEST) -> str:
    """Words for an HTML-like label: escaped, on one line, cut where they are too long.

    >>> text("<b>&"), text("a" * 50, 5)
    ('&lt;b&gt;&amp;', 'aaaa…')
    """
    words = re.sub(r"[\t\n\r]+", " ", _NOT_XML.sub("\ufffd", words))
    if len(words) > longest:
        words = words[: longest - 1] + "…"
    return html.escape(words) or " "  # an empty <B></B> is a syntax error


def quoted(words: str, longest: int = 2000) -> str:
    """Words for between the quotes of a DOT string, as `text`, but with their lines."""
    words = _NOT_XML.sub("\ufffd", words)[:longest]
    words = html.escape(words).replace("\\", "&#92;")  # \N, \G ... would be replaced
    return words.replace("\r", "").replace("\n", "&#10;").replace("\t", " ")


def _muted(words: str) -> str:
    if not words:
        return ""
    return f'<FONT POINT-SIZE="9" COLOR="{MUTED}">{text(words, 2 * LONGEST)}</FONT>'
