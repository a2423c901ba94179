"""The words below a picture: its legend, the memory kept for backward, and a note."""

from __future__ import annotations

from .escape import text
from .graph import Graph
from .heat import Key
from .look import Heat
from .marks import families, swatch
from .palette import FRAME_BORDER, INK
from .words import bytes_text

LEGEND_COLUMNS = 3


def caption(graph: Graph, key: Key | None, heat: Heat | None, note: str) -> str:
    """The label of the graph in DOT: the legend of the colours, the total kept, and the note."""
    rows = []
    if key is not None:
        cells = "".join(
            f'<TD BGCOLOR="{colour}" BORDER="1" COLOR="{FRAME_BORDER}" WIDTH="34" HEIGHT="16">'
            f'<FONT COLOR="{INK}">{text(words or " ")}</FONT></TD>'
            for colour, words in key.steps
        )
        rows.append(
            '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3"><TR>'
            f"<TD>{text(key.title + ' ')}</TD>{cells}</TR></TABLE>"
        )
    elif shown := families(graph):
        entries = [
            f'<TD {swatch(fill, own)}><FONT COLOR="{INK}">{text(own.words)}</FONT></TD>'
            for fill, own in shown
        ]
        listed = "".join(
            f"<TR>{''.join(entries[k : k + LEGEND_COLUMNS])}</TR>"
            for k in range(0, len(entries), LEGEND_COLUMNS)
        )
        rows.append(f'<TABLE BORDER="0" CELLSPACING="5" CELLPADDING="3">{listed}</TABLE>')
    if not heat and (words := _kept_text(graph)):
        rows.append(text(words, 200))
    if note:
        rows.append(text(note, 200))
    if not rows:
        return ""
    lines = "".join(f"<TR><TD>{row}</TD></TR>" for row in rows)
    return f'label=<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">{lines}</TABLE>>'


def _kept_text(graph: Graph) -> str:
    """The memory that all ops keep for the backward pass, in words; "" where it is nothing."""
    ops = [node for node in graph.nodes if node.kind in ("op", "module")]
    kept = sum(node.kept() for node in ops)
    return f"{bytes_text(kept)} kept for backward" if kept else ""
