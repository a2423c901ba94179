"""`by_hand`: a small graph as a calculation by hand, a picture with numbers and a page that steps through it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from tinygrad_cnn import Tensor, nn

from ..render import FORMATS, RendererNotFound, render
from .arithmetic import sum_text
from .dot import to_dot
from .lines import Lines
from .page import page
from .worked import Worked, work

SUFFIXES = ("html", "dot", *FORMATS)


class ByHand:
    """A graph with all of its numbers, and the lines that compute them.

    `str` writes the calculation as text. A notebook shows the picture. `save` writes the page, or the
    picture.

    Attributes:
        worked: the values, the gradients, and the parts that they are sums of.
        lines: the lines, forward and backward.
        title: of the page.
    """

    def __init__(self, worked: Worked, lines: Lines, title: str) -> None:
        self.worked = worked
        self.lines = lines
        self.title = title
        self._source: str | None = None

    @property
    def source(self) -> str:
        """The picture as DOT text."""
        if self._source is None:
            self._source = to_dot(self.lines)
        return self._source

    def __repr__(self) -> str:
        return f"<ByHand: {', '.join(q.name for q in self.lines.quantities)}>"

    def __str__(self) -> str:
        found = []
        calls = [*self.lines.forward, *self.lines.backward]
        for lines in calls:
            for line in lines or ():
                symbols = sum_text([term.symbols for term in line.terms]) or "0"
                numbers = sum_text([term.numbers for term in line.terms])
                parts = dict.fromkeys([symbols, numbers, self.lines.number(line.value)])
                why = f"  ({line.reason})" if line.reason else ""
                found.append(" = ".join([line.left, *filter(None, parts)]) + why)
        return "\n".join(found)

    def html(self) -> str:
        """The page: one file of HTML that loads nothing."""
        return page(self.lines, self.title)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it, and return the path. The suffix selects the format.

        Args:
            path: ends in .html (the page), .svg, .png, .pdf or .dot (the picture).

        Raises ValueError for another suffix, RendererNotFound if no installed program writes the
        format, OSError if the file cannot be written.
        """
        path = Path(path)
        suffix = path.suffix[1:].lower()
        if suffix not in SUFFIXES:
            wanted = ", ".join(f".{name}" for name in SUFFIXES)
            raise ValueError(f"cannot save {str(path)!r}: the name must end in one of {wanted}")
        if suffix == "html":
            data = self.html().encode()
        elif suffix == "dot":
            data = self.source.encode()
        else:
            data = render(self.source, suffix)  # type: ignore[arg-type]
        path.write_bytes(data)
        return path

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": render(self.source, "svg").decode(), "text/plain": repr(self)}
        except RendererNotFound:
            return {"text/plain": str(self)}


def by_hand(
    loss: Tensor | Callable[[], Tensor],
    model: nn.Module | None = None,
    *,
    names: Mapping[str, Tensor] | None = None,
    gradient: Tensor | None = None,
    digits: int = 4,
    title: str = "",
) -> ByHand:
    """A small graph worked by hand: each value, each gradient, and the formula with its numbers.

    The page steps through the forward and the backward pass, element by element. Each formula is
    the one in the docstring of the op, with your names in it. Of arrays it shows which elements a
    gradient flows through: the window of a convolution, the maximum of a pooling.

    Args:
        loss: a computed Tensor, a scalar unless `gradient` is given; or a function without arguments
            that computes it. A graph does not keep every value: those that it cannot find again, as
            the 2 of x + 2, are "?". Of a function all values are known.
        model: a Module whose parameters have names.
        names: names of inputs and of results between: `{"a": a, "d": d}`.
        gradient: the gradient that arrives at `loss`, of its shape.
        digits: of a number. A formula writes more where its result needs them.
        title: of the page.

    No `.grad` changes, and the graph stays. Elements are followed in arrays of at most 64; a larger
    array shows its shape.

    Raises TypeError for an argument that is not a Tensor, ValueError for a Tensor without a graph, for a
    graph of more than 60 ops, for a name that does not occur and for a wrong shape, RuntimeError for
    a graph whose saved values are freed.

    >>> import tinygrad_cnn as tc
    >>> a, b = tc.tensor(2.0, requires_grad=True), tc.tensor(-3.0, requires_grad=True)
    >>> d = a * b
    >>> print(by_hand(d * -2.0, names={"a": a, "b": b, "d": d}))
    d = a · b = 2 · −3 = −6
    L = d · −2 = −6 · −2 = 12
    ∂L/∂d = −2 · ∂L/∂L = −2 · 1 = −2
    ∂L/∂a = b · ∂L/∂d = −3 · −2 = 6
    ∂L/∂b = a · ∂L/∂d = 2 · −2 = −4
    """
    if not 1 <= digits <= 17:
        raise ValueError(f"by_hand: digits: wanted 1 to 17, got {digits}")
    worked = work(loss, model, names or {}, gradient)
    return ByHand(worked, Lines(worked, digits), title)
