"""`draw`: the recorded graph of a Tensor as a Picture, to save or to show in a notebook."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Unpack

from tinygrad_cnn import Tensor, nn

from .alternative import described
from .arrows import named
from .backward import backward, forward_and_backward, inline_gradients
from .boxes import SHEETS
from .cost import MOST_SECONDS, seconds
from .dot import to_dot
from .fold import fold
from .graph import Graph, Step, no_collection
from .health import Health, health
from .history import History
from .look import (
    ARRANGEMENTS,
    DEFAULT_DETAILS,
    DEFAULT_LIMIT,
    DIRECTIONS,
    HEATS,
    PHASES,
    Arrangement,
    Detail,
    Direction,
    Heat,
    Look,
    Phase,
    check_word,
    details,
)
from .page import page
from .record import record
from .render import FORMATS, Format, RendererNotFound, render
from .sheet import to_sheet
from .table import Order, Table, table
from .verdicts import Report, add_verdicts
from .view import close, cut, inline

RENDERED: dict[str, Format] = {name: name for name in FORMATS}  # by suffix
SUFFIXES = (*RENDERED, "dot", "html")

SHRINK_PERCENT = 85  # of the boxes, until the rest is laid out in time
PAGE_LIMIT = 1500  # boxes that a browser lays out in a second
CLOSED = "{:,} boxes are too many to lay out: closed to depth={}. limit=None draws all"
CUT = "The last {:,} of {:,} boxes. limit=None draws all, fold=True and depth=0 fewer"
SHEET_CLOSED = "Closed to depth={} to fit the sheet. layout='tall' opens all"
SHEET_CUT = "The last boxes fit the sheet. layout='tall' draws all"


class Picture:
    """A graph, and the options of its drawing.

    Args:
        graph: plain data, from `record`.
        layout: "tall" draws one path, as long as it is. "slide" wraps it into columns on a sheet of
            16:9, with letters of at least 14 pixels on 1280 × 720; "page" on a sheet of A4, with
            letters of at least 8 points. Where that does not fit, modules are closed, and then the
            first boxes are left out; the picture says so. The page (.html) has all.
        direction: "TB" draws from top to bottom, "LR" from left to right, also "BT" and "RL". On a
            sheet "LR" and "RL" make rows, the others columns.
        depth: modules deeper than this are closed. At 0 each outermost module is one box, None
            opens all.
        fold: draw blocks that repeat once, with their number.
        heat: colour the boxes by a measurement. "time": seconds of the forward pass, for vjps of
            the backward pass. "bytes": memory kept for backward. "grad": norm of the gradient of
            the op's output. "verdict": result of the gradient checks. "status": difference. "time"
            and "grad" need a graph of `trace`, "verdict" a report, "status" a graph of `diff`.
        phase: "forward"; "backward", the vjps and the gradients of leaves; or "both".
        show: the details in boxes and on arrows, one or several: "attributes" (stride, padding),
            "params" (parameters in their op's box), "shapes", "saved" (arrays kept for backward),
            "dtypes", "source" (the line of the user's code, from `trace`). By default the first
            four, on a slide attributes and shapes.
        limit: draw at most so many boxes, and as many as are laid out in some seconds by prediction.
            In a larger graph modules are closed, the innermost first; then the last boxes are drawn,
            and one that counts the others. The picture says so. None draws all, however long that
            takes.
        steps: the steps of a backward pass, which the page plays.
        title: of the page.

    Raises ValueError for a word that an option does not accept, for a negative depth, and for both
    phases on a sheet, which has no room for them.

    >>> import tinygrad_cnn as tc
    >>> from .record import record
    >>> graph = record(tc.ones(2, requires_grad=True).exp())
    >>> Picture(graph, direction="LR", show=("shapes", "dtypes"))
    <Picture of leaf: 1, op: 1, output: 1>
    """

    def __init__(
        self,
        graph: Graph,
        *,
        layout: Arrangement = "tall",
        direction: Direction = "TB",
        depth: int | None = None,
        fold: bool = True,
        heat: Heat | None = None,
        phase: Phase = "forward",
        show: Detail | Iterable[Detail] | None = None,
        limit: int | None = DEFAULT_LIMIT,
        steps: Sequence[Step] | None = None,
        title: str = "",
    ) -> None:
        check_word("layout", layout, ARRANGEMENTS)
        check_word("direction", direction, DIRECTIONS)
        check_word("phase", phase, PHASES)
        if heat is not None:
            check_word("heat", heat, HEATS)
        if depth is not None and depth < 0:
            raise ValueError(f"depth: wanted None or at least 0, got {depth}")
        if layout != "tall" and phase == "both":
            raise ValueError(f"phase='both' needs layout='tall': layout={layout!r} has no room")
        self.graph = graph
        self.layout: Arrangement = layout
        self.direction: Direction = direction
        self.depth = depth
        self.fold = fold
        self.heat: Heat | None = heat
        self.phase: Phase = phase
        standard = DEFAULT_DETAILS if layout == "tall" else SHEETS[layout].show
        self.show = standard if show is None else details(show)
        self.limit = limit
        self.steps = steps
        self.title = title
        self._folded: Graph | None = None  # these three until they are needed
        self._view: Graph | None = None
        self._source: str | None = None
        self._note = ""

    @property
    def folded(self) -> Graph:
        """The graph with its repeated blocks folded; the graph itself with `fold=False`."""
        if self._folded is None:
            with no_collection():
                self._folded = fold(self.graph) if self.fold else self.graph
        return self._folded

    @property
    def view(self) -> Graph:
        """The graph as drawn: folded, with modules closed, in its phase, inlined and cut."""
        if self._view is None:
            if self.layout == "tall":
                with no_collection():
                    self._view, self._note = self._fitted()
            else:
                self._view, self._source = self._on_sheet()
        return self._view

    def _on_sheet(self) -> tuple[Graph, str]:
        """The view of most boxes that fits on the sheet, and its DOT text."""
        deepest = max(map(len, self.folded.chains().values()))
        first = deepest if self.depth is None else min(self.depth, deepest)
        depths = [self.depth, *range(first - 1, -1, -1)]
        with no_collection():
            views = ((depth, self._viewed(self.folded, depth)) for depth in depths)
            for depth, graph in views:
                if self.limit is not None:
                    graph = cut(graph, self.limit)
                note = "" if depth == self.depth else SHEET_CLOSED.format(depth)
                source, fits = self._sheet(graph, note)
                if fits:
                    return graph, source
            least, most = 1, len(graph.nodes) - 1  # the numbers of boxes that may fit
            found = cut(graph, 1), source
            while least <= most:
                middle = (least + most) // 2
                shown = cut(graph, middle)
                source, fits = self._sheet(shown, SHEET_CUT)
                if fits or middle == 1:
                    found = shown, source
                if fits:
                    least = middle + 1
                else:
                    most = middle - 1
            return found

    def _sheet(self, graph: Graph, note: str) -> tuple[str, bool]:
        return to_sheet(
            graph, SHEETS[self.layout], show=self.show, heat=self.heat,
            turned=self.direction in ("LR", "RL"), title=self.title, note=note,
        )  # fmt: skip

    def _fitted(self) -> tuple[Graph, str]:
        """The finest view that is laid out in time, and the words about what it leaves out.

        Modules are closed, the innermost first, and then early boxes are left out.
        """
        whole = self._viewed(self.folded, self.depth)
        graph = named(whole)
        if self._fits(graph):
            return graph, ""
        deepest = max(map(len, self.folded.chains().values())) - 1
        if self.depth is not None:
            deepest = min(deepest, self.depth)
        for depth in range(deepest - 1, -1, -1):
            whole = self._viewed(self.folded, depth)
            closed = named(whole)
            if self._fits(closed):
                return closed, CLOSED.format(len(graph.nodes), depth)
        total = len(whole.nodes)
        shown = total if self.limit is None else min(self.limit, total)
        tried = named(cut(whole, shown))
        while shown > 1 and not self._fits(tried):
            shown = max(shown * SHRINK_PERCENT // 100, 1)
            tried = named(cut(whole, shown))
        return tried, CUT.format(shown, total)

    def _fits(self, graph: Graph) -> bool:
        if self.limit is None:
            return True
        boxes = sum(node.kind != "cut" for node in graph.nodes)
        return boxes <= self.limit and seconds(graph) <= MOST_SECONDS

    def _viewed(self, graph: Graph, depth: int | None) -> Graph:
        if depth is not None:
            graph = close(graph, depth)
        if self.phase == "backward":
            return inline_gradients(backward(graph))
        if self.phase == "both":
            return inline_gradients(inline(forward_and_backward(graph), "params" in self.show))
        return inline(graph, "params" in self.show)

    @property
    def source(self) -> str:
        """The DOT text. Raises ValueError if `heat` was not measured."""
        view = self.view
        if self._source is None:
            totals = self.title if self.heat == "status" else ""
            note = ". ".join(filter(None, (totals, self._note)))
            self._source = to_dot(view, self.direction, self.show, self.heat, note)
        return self._source

    def __repr__(self) -> str:
        counts: dict[str, int] = {}
        for node in self.graph.nodes:
            counts[node.kind] = counts.get(node.kind, 0) + 1
        return f"<Picture of {', '.join(f'{kind}: {n}' for kind, n in counts.items())}>"

    def render(self, kind: Format = "svg") -> bytes:
        """The picture as "svg", "png" or, with the system's `dot`, "pdf".

        Raises ValueError for another kind, RendererNotFound if no installed program writes that
        kind, RuntimeError if the program fails.

        >>> import tinygrad_cnn as tc
        >>> draw(tc.ones(2, requires_grad=True).exp()).render("png")[:4]
        b'\\x89PNG'
        """
        drawn = render(self.source, kind)
        return drawn if kind != "svg" else described(drawn, self.title, self.view)

    def table(self, by: Order = "kept", top: int | None = None) -> Table:
        """The ops as a table, sorted by memory or time; `top` limits the rows.

        `by` is "kept" (bytes kept for backward), "forward", "backward" or "time" (seconds, from
        `trace`), or "order" (as they ran). Raises ValueError for another word.

        >>> import tinygrad_cnn as tc
        >>> print(draw(tc.ones(2, 3, requires_grad=True).exp().sum()).table(top=1))
        op   module  kept  line
        exp          24 B
        all          24 B
        """
        return table(self.graph, by, top)

    def health(self, history: History | None = None) -> Health:
        """A strip for each op: gradient norm, spread of the output, dead units, the first NaN.

        With the History of a training also the update-to-weight ratios of its parameters. Raises
        ValueError if nothing was measured; `trace` measures.
        """
        return health(self.folded, self.graph, history)

    def html(self) -> str:
        """A page to explore the graph: one file of HTML that loads nothing.

        >>> import tinygrad_cnn as tc
        >>> draw(tc.ones(2, requires_grad=True).exp()).html().startswith("<!doctype html>")
        True
        """
        whole = inline(self.folded)
        shown = whole if self.limit is None else cut(whole, min(self.limit, PAGE_LIMIT))
        hidden = 0 if shown is whole else len(whole.nodes) - len(shown.nodes) + 1
        return page(
            shown, self.graph, title=self.title, direction=self.direction, depth=self.depth,
            heat=self.heat, phase=self.phase, hidden=hidden, steps=self.steps,
        )  # fmt: skip

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture, and return the path. The suffix selects the format.

        A name ends in .svg, .png, .pdf, .dot or .html. The last two need no layout program.

        Raises ValueError for another suffix, RendererNotFound if no installed program writes the
        format, OSError if the file cannot be written.
        """
        path = Path(path)
        suffix = path.suffix[1:].lower()
        if suffix == "html":
            data = self.html().encode()
        elif suffix == "dot":
            data = self.source.encode()
        elif suffix in RENDERED:
            data = self.render(RENDERED[suffix])
        else:
            wanted = ", ".join(f".{name}" for name in SUFFIXES)
            raise ValueError(f"cannot save {str(path)!r}: the name must end in one of {wanted}")
        path.write_bytes(data)
        return path

    def _repr_svg_(self) -> str:
        return self.render("svg").decode()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self._repr_svg_(), "text/plain": repr(self)}
        except RendererNotFound as error:
            return {"text/plain": f"{self!r}: {error}"}


def draw(
    tensor: Tensor | Sequence[Tensor],
    model: nn.Module | None = None,
    *,
    names: Mapping[str, Tensor] | None = None,
    verdicts: Report | None = None,
    **look: Unpack[Look],
) -> Picture:
    """A picture of the graph that was recorded for a Tensor, or for several.

    Args:
        tensor: a computed Tensor, for example a loss, or a sequence of Tensors. After `backward` it
            can still be drawn, but the shapes of inputs that were freed are unknown.
        model: a Module. Its parameters get their names, and a frame is drawn around the ops of each
            module, as far as parameters show them; `trace` knows all.
        names: names of further tensors: `{"images": x, "labels": t}`.
        verdicts: the path of a report that `pytest --gradcheck-report=FILE` wrote.
        look: the options of `Picture`: direction, depth, fold, heat, phase, show, limit.

    Raises TypeError for an argument that is not a Tensor, and ValueError for a Tensor without a
    graph, for a word that an option does not accept and for a file that is not a report.

    >>> import tinygrad_cnn as tc
    >>> x = tc.ones(2, 3, requires_grad=True)
    >>> draw(x.tanh().sum(), names={"x": x}, direction="LR")
    <Picture of leaf: 1, op: 2, output: 1>
    """
    graph = record(tensor, model, names)
    if verdicts is not None:
        add_verdicts(graph, verdicts)
    return Picture(graph, title="" if model is None else type(model).__name__, **look)
