"""Run drawn programs with PyTorch: `python -m tests.conformance.record_programs`.

Programs with hooks, checkpoints, normalisation or second derivatives; each with the values, gradients
and calls of hooks that PyTorch finds.
"""

import random
import re
from typing import Any

import numpy as np

from tinygrad_cnn.testing import Program
from tinygrad_cnn.testing.programs.drawn import SHAPES, build
from tinygrad_cnn.testing.programs.program import Outcome
from tinygrad_cnn.testing.programs.statements import KINDS

from .record_inplace import write

COUNT = 200
DIGITS = 12
KEPT = re.compile(r"hook\('|checkpoint\(|_norm\(|create_graph|inputs=")
LOOK = "[x.grad_fn for x in list(globals().values()) if isinstance(x, lib.Tensor)]"


def for_torch(program: Program) -> Program:
    """The program with a look at the node of every tensor after every statement.

    After a write to its base, PyTorch gives a view its new node only when `grad_fn` is read. Until
    then hooks and retain_grad apply to the old node; on a view of a written base, PyTorch 2.13 ends
    the process.
    """
    return Program(tuple(f"{line}\n{LOOK}" for line in program.lines))


def drawn(count: int) -> list[Program]:
    """Programs, the same each time, that hold at least two of the kinds of statements in KEPT."""
    numbers, found = random.Random(0), []
    while len(found) < count:
        leaves = [
            (numbers.randrange(len(SHAPES)), numbers.random() < 0.8)
            for _ in range(numbers.randint(1, 4))
        ]
        steps = [
            (numbers.randrange(len(KINDS)), *(numbers.randrange(64) for _ in range(3)), numbers.randrange(11))
            for _ in range(numbers.randint(4, 16))
        ]  # fmt: skip
        program = build(numbers.randrange(256), leaves, steps)
        if len(set(KEPT.findall("\n".join(program.lines)))) > 1:
            found.append(program)
    return found


def entry(program: Program, outcome: Outcome) -> dict[str, Any]:
    """A program and its outcome, as JSON."""

    def plain(table: dict[str, Any]) -> dict[str, Any]:
        rounded = lambda v: float(f"{v:.{DIGITS}g}")  # noqa: E731
        return {
            n: None if x is None else _nested(np.asarray(x).tolist(), rounded)
            for n, x in table.items()
        }

    return {
        "lines": program.lines, "values": plain(outcome.values), "calls": outcome.calls,
        "gradients": plain(outcome.gradients), "requires_grad": outcome.requires_grad,
    }  # fmt: skip


def _nested(x: Any, function: Any) -> Any:
    return [_nested(v, function) for v in x] if isinstance(x, list) else function(x)


def main() -> None:
    """Record programs that PyTorch runs to their end."""
    import torch
    import torch.utils.checkpoint

    outcomes = [(p, for_torch(p).run(torch)) for p in drawn(2 * COUNT)]
    kept = [(p, o) for p, o in outcomes if o.error is None][:COUNT]
    write("programs.json", {str(k): entry(p, o) for k, (p, o) in enumerate(kept)})


if __name__ == "__main__":
    main()
