"""`draw`: the recorded graph of a tensor as a Picture, which saves itself and shows itself."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .dot import SHOWN, to_dot
from .model import Graph, cut, record
from .render import FORMATS, RendererNotFound, render


class Picture:
    """A graph, and how it is to be drawn.

    `graph` is the plain model (see `model.py`), `source` the DOT text.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        direction: str = "TB",
        show: Iterable[str] = SHOWN,
        limit: int | None = 1000,
    ):
        self.graph = graph
        self.source = to_dot(graph if limit is None else cut(graph, limit), direction, show)

    def __repr__(self) -> str:
        counts: dict[str, int] = {}
        for node in self.graph.nodes:
            counts[node.kind] = counts.get(node.kind, 0) + 1
        return f"<Picture of {', '.join(f'{kind}: {n}' for kind, n in counts.items())}>"

    def render(self, kind: str = "svg") -> bytes:
        """The picture as "svg", "png" or, with a system `dot`, "pdf"."""
        return render(self.source, kind)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture; the ending says what it is: .svg, .png, .pdf or .dot.

        Returns the path. Raises ValueError for another ending, RendererNotFound where there is no
        program that draws (.dot needs none).
        """
        path = Path(path)
        kind = path.suffix[1:].lower()
        if kind not in (*FORMATS, "dot"):
            wanted = ", ".join(f".{name}" for name in (*FORMATS, "dot"))
            raise ValueError(f"cannot save {str(path)!r}: the name must end in one of {wanted}")
        path.write_bytes(self.source.encode() if kind == "dot" else self.render(kind))
        return path

    def _repr_svg_(self) -> str:
        return self.render("svg").decode()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self._repr_svg_(), "text/plain": repr(self)}
        except RendererNotFound as error:
            return {"text/plain": f"{self!r}: {error}"}


def draw(
    tensor: Any,
    model: Any = None,
    *,
    direction: str = "TB",
    show: Iterable[str] = SHOWN,
    names: Mapping[str, Any] | None = None,
    limit: int | None = 1000,
) -> Picture:
    """A picture of what was recorded for `tensor` (or for a sequence of tensors).

    Args:
        tensor: what was computed, a loss for example. After `backward` it draws too; what was
            freed is then not known any more (the shapes of inputs).
        model: a Module, which names the parameters and groups ops under the modules that own them.
        direction: "TB" from top to bottom, "LR" from left to right, "BT", "RL".
        show: of "attributes" (stride, padding), "params" (boxes for parameters), "shapes",
            "dtypes", "saved" (what is kept for backward, and how many bytes).
        names: further names, `{"images": x, "labels": t}`.
        limit: at most so many nodes, the last ones; one more stands for those before. None for all.

    Raises TypeError and ValueError for what has no graph, and for words it does not know.

    >>> import tinygrad_cnn as tc
    >>> x = tc.ones(2, 3, requires_grad=True)
    >>> draw(x.tanh().sum(), names={"x": x})
    <Picture of leaf: 1, op: 2, output: 1>
    """
    graph = record(tensor, model, names)
    return Picture(graph, direction=direction, show=show, limit=limit)
