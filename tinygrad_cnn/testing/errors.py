"""What a failed check says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine import Op
from ..ops.sparse import SparseMatrix
from .values import FixedRandom


class GradientError(AssertionError):
    """A check failed; the message says where, by how much, and why.

    `verdict` is the reason in a few words ("vjp wrong", "kink crossed ...", "difference noise");
    `op`, `input`, `index`, `by_vjp` and `by_difference` say what of it is known, else None; `check`
    is the property of `check_op` that did not hold.
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
        self.check: str | None = None
        super().__init__(str(self))

    def __str__(self) -> str:
        where = f" in {self.input}" if self.input else ""
        lines = [f"{self.op or 'the function'}{where}: {self.verdict}"]
        if self.index is not None:
            lines.append(
                f"  at index {self.index}: {self.by_vjp:.10g} by the vjp, "
                f"{self.by_difference:.10g} by differences"
            )
        if self.detail:
            lines.append(f"  {self.detail}")
        if self.snippet:
            lines += ["  to see it again:", *("    " + line for line in self.snippet.split("\n"))]
        return "\n".join(lines)


def show(value: Any) -> str:
    """An expression that gives `value`, where that is possible."""
    if isinstance(value, np.ndarray):
        shape = f".reshape({value.shape})" if 0 in value.shape else ""
        return f"np.array({value.tolist()}, {str(value.dtype)!r}){shape}"
    if isinstance(value, np.dtype):
        return repr(str(value))
    if isinstance(value, (tuple, list)):
        inside = ", ".join(show(v) for v in value)
        if isinstance(value, list):
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {show(v)}' for key, v in value.items())}}}"
    if isinstance(value, Op):
        return f"registry[{value.name!r}]"
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if isinstance(value, FixedRandom):
        return f"testing.values.{value!r}"
    if isinstance(value, SparseMatrix):
        return f"testing.errors.{value!r}"
    return repr(value)
