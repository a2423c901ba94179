"""`draw`: the recorded graph of a tensor as a Picture, which saves itself and shows itself."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from .backward import PHASES, backward, forward_and_backward, inline_gradients
from .dot import DIRECTIONS, SHOW, SHOWN, to_dot
from .fold import fold
from .heat import HEATS
from .model import Graph, no_collection
from .record import record
from .render import FORMATS, RendererNotFound, render
from .table import Table, table
from .verdicts import judged
from .view import close, cut, inline

ENDINGS = (*FORMATS, "dot", "html")


class Picture:
    """A graph, and how it is to be drawn.

    `graph` is the plain model (see `model.py`), `view` what of it is drawn: folded, with modules
    closed, cut. `source` is the DOT text. `steps` are those of the backward pass, where one was run.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        direction: str = "TB",
        show: Iterable[str] = SHOWN,
        depth: int | None = None,
        fold: bool = True,
        heat: str | None = None,
        phase: str = "forward",
        limit: int | None = 1000,
        steps: Any = None,
        title: str = "",
    ):
        shown = (show,) if isinstance(show, str) else tuple(show)
        _known("direction", direction, DIRECTIONS)
        _known("phase", phase, PHASES)
        for name in shown:
            if name not in SHOW:
                raise ValueError(f"show: {[name]} is not among {list(SHOW)}")
        if heat is not None:
            _known("heat", heat, HEATS)
        if depth is not None and depth < 0:
            raise ValueError(f"depth: wanted None or at least 0, got {depth}")
        self.graph, self.direction, self.show, self.depth = graph, direction, shown, depth
        self.fold, self.heat, self.phase, self.limit = fold, heat, phase, limit
        self.steps, self.title = steps, title

    @cached_property
    def folded(self) -> Graph:
        """The graph with its repeated blocks folded, if they are to be."""
        with no_collection():
            return fold(self.graph) if self.fold else self.graph

    @cached_property
    def view(self) -> Graph:
        """What is drawn."""
        with no_collection():
            return self._viewed(self.folded)

    def _viewed(self, graph: Graph) -> Graph:
        if self.depth is not None:
            graph = close(graph, self.depth)
        if self.phase == "backward":
            graph = inline_gradients(backward(graph))
        elif self.phase == "both":
            graph = inline_gradients(inline(forward_and_backward(graph), "params" in self.show))
        else:
            graph = inline(graph, "params" in self.show)
        return graph if self.limit is None else cut(graph, self.limit)

    @cached_property
    def source(self) -> str:
        """The DOT text."""
        return to_dot(self.view, self.direction, self.show, self.heat)

    def __repr__(self) -> str:
        counts: dict[str, int] = {}
        for node in self.graph.nodes:
            counts[node.kind] = counts.get(node.kind, 0) + 1
        return f"<Picture of {', '.join(f'{kind}: {n}' for kind, n in counts.items())}>"

    def render(self, kind: str = "svg") -> bytes:
        """The picture as "svg", "png" or, with a system `dot`, "pdf"."""
        return render(self.source, kind)

    def table(self, by: str = "kept", top: int | None = None) -> Table:
        """The ops, those first that keep most for backward ("kept"), or take most of the time
        ("forward", "backward", "time"; after `trace`); or in "order"."""
        return table(self.graph, by, top)

    def html(self) -> str:
        """One HTML page, which needs no network: see `page.py`."""
        from .page import page

        return page(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture; the ending says what it is: .svg, .png, .pdf, .dot or .html.

        Returns the path. Raises ValueError for another ending, RendererNotFound where there is no
        program that draws (.dot and .html need none).
        """
        path = Path(path)
        kind = path.suffix[1:].lower()
        if kind not in ENDINGS:
            wanted = ", ".join(f".{name}" for name in ENDINGS)
            raise ValueError(f"cannot save {str(path)!r}: the name must end in one of {wanted}")
        if kind == "html":
            data = self.html().encode()
        else:
            data = self.source.encode() if kind == "dot" else self.render(kind)
        path.write_bytes(data)
        return path

    def _repr_svg_(self) -> str:
        return self.render("svg").decode()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self._repr_svg_(), "text/plain": repr(self)}
        except RendererNotFound as error:
            return {"text/plain": f"{self!r}: {error}"}


def _known(what: str, word: Any, words: Iterable[str]) -> None:
    if word not in words:
        raise ValueError(f"{what}: {word!r} is not among {list(words)}")


def draw(
    tensor: Any,
    model: Any = None,
    *,
    direction: str = "TB",
    depth: int | None = None,
    fold: bool = True,
    heat: str | None = None,
    phase: str = "forward",
    show: Iterable[str] = SHOWN,
    names: Mapping[str, Any] | None = None,
    limit: int | None = 1000,
    verdicts: Any = None,
) -> Picture:
    """A picture of what was recorded for `tensor` (or for a sequence of tensors).

    Args:
        tensor: what was computed, a loss for example. After `backward` it draws too; what was
            freed is then not known any more (the shapes of inputs).
        model: a Module, which names the parameters and frames ops by the modules that they ran in,
            as far as parameters tell; `trace` sees all.
        direction: "TB" from top to bottom, "LR" from left to right, "BT", "RL".
        depth: how deep modules open: at 0 each is one box, None opens all.
        fold: draw blocks that repeat once, with their number.
        heat: "bytes" colours ops by what they keep for backward, "verdict" by `verdicts`; "time"
            and "grad" want `trace`.
        phase: "forward", "backward" (the vjps, and the gradients of leaves) or "both".
        show: of "attributes" (stride, padding), "params" (parameters in their op's box), "shapes",
            "saved" (what is kept for backward, and how many bytes), "dtypes", "source".
        names: further names, `{"images": x, "labels": t}`.
        limit: at most so many boxes, the last ones; one more stands for those before. None for all.
        verdicts: the file that `pytest --gradcheck-report=FILE` wrote.

    Raises TypeError and ValueError for what has no graph, and for words it does not know.

    >>> import tinygrad_cnn as tc
    >>> x = tc.ones(2, 3, requires_grad=True)
    >>> draw(x.tanh().sum(), names={"x": x})
    <Picture of leaf: 1, op: 2, output: 1>
    """
    graph = record(tensor, model, names)
    if verdicts is not None:
        judged(graph, verdicts)
    return Picture(
        graph, direction=direction, depth=depth, fold=fold, heat=heat, phase=phase, show=show,
        limit=limit, title="" if model is None else type(model).__name__,
    )  # fmt: skip
