"""GradientError: the failure of a check, as a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# The whole message has at most 60 lines and 4,000 characters. The rest is for the snippet.
HEAD_LINES, HEAD_CHARACTERS = 18, 1200
SNIPPET_LINES, SNIPPET_CHARACTERS = 40, 2700  # indented


def both(by_vjp: float | None, by_difference: float | None) -> str:
    """Two numbers to the digits that differ, and two more."""
    texts = [("", "")]
    for digits in range(4, 18):
        texts.append((f"{by_vjp:.{digits}g}", f"{by_difference:.{digits}g}"))
        if len(texts) > 3 and texts[-3][0] != texts[-3][1]:
            break
    a, b = texts[-1]
    return f"{a} by the vjp, {b} by differences"


class GradientError(AssertionError):
    """A check failed. The message says where, by how much, and why.

    `verdict` is the reason in a few words ("vjp wrong", "at a kink ...", "cannot tell here ...").
    `op`, `input`, `index`, `by_vjp` and `by_difference` locate the failure; each is None if it is
    unknown. `snippet` is code that reproduces it; a function that makes the code is called when it
    is first read. `check` is the property of `check_op` that failed. `call` is the Call, if one op
    was checked.
    """

    def __init__(
        self,
        verdict: str,
        detail: str = "",
        *,
        op: str | None = None,
        input: str | None = None,
        index: tuple[int, ...] | None = None,
        by_vjp: float | None = None,
        by_difference: float | None = None,
        snippet: str | Callable[[], str] = "",
    ):
        self.verdict, self.detail = verdict, detail
        self.op, self.input, self.index = op, input, index
        self.by_vjp, self.by_difference = by_vjp, by_difference
        self._snippet = snippet
        self.entry = ""
        self.check: str | None = None
        self.call: Any = None
        super().__init__(str(self))

    @property
    def snippet(self) -> str:
        """Code that reproduces the failure; empty if there is none."""
        if callable(self._snippet):
            self._snippet = self._snippet()
        return self._snippet

    @snippet.setter
    def snippet(self, snippet: str | Callable[[], str]) -> None:
        self._snippet = snippet

    def __reduce__(self) -> tuple[Any, ...]:
        state = {**vars(self), "_snippet": self.snippet}
        return type(self), (self.verdict,), state

    def __str__(self) -> str:
        where = f" in {self.input}" if self.input else ""
        lines = [f"{self.op or 'the function'}{where}: {self.verdict}"]
        if self.index is not None:
            lines.append(f"  at index {self.index}: {both(self.by_vjp, self.by_difference)}")
        if self.entry:
            lines.append(f"  {self.entry}")
        if self.detail:
            lines.append(f"  {self.detail}")
        head = _limited("\n".join(lines))
        if not self.snippet:
            return head
        code = ("    " + line for line in self.snippet.split("\n"))
        return "\n".join([head, "  to see it again:", *code])


def _limited(text: str) -> str:
    """The text, cut to the limits of a head."""
    cut = "\n".join(text.split("\n")[:HEAD_LINES])[: HEAD_CHARACTERS - 2]
    return text if cut == text else cut + " …"
