"""GradientError: the failure of a check, as a message."""

from __future__ import annotations


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
    unknown. `snippet` is code that reproduces it. `check` is the property of `check_op` that
    failed.
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
        snippet: str = "",
    ):
        self.verdict, self.detail = verdict, detail
        self.op, self.input, self.index = op, input, index
        self.by_vjp, self.by_difference = by_vjp, by_difference
        self.snippet = snippet
        self.entry = ""
        self.check: str | None = None
        super().__init__(str(self))

    def __str__(self) -> str:
        where = f" in {self.input}" if self.input else ""
        lines = [f"{self.op or 'the function'}{where}: {self.verdict}"]
        if self.index is not None:
            lines.append(f"  at index {self.index}: {both(self.by_vjp, self.by_difference)}")
        if self.entry:
            lines.append(f"  {self.entry}")
        if self.detail:
            lines.append(f"  {self.detail}")
        if self.snippet:
            lines += ["  to see it again:", *("    " + line for line in self.snippet.split("\n"))]
        return "\n".join(lines)
