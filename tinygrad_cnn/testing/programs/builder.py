"""Builder: runs statements on the oracle and appends them to a program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..values import Array
from . import oracle
from .program import HEAD, compiled

CONSTANTS = (2.0, -1.0, 0.5, 1.5, -0.75, 3.0)


class Builder:
    """The statements so far, and the oracle's tensors after them.

    `pool` lists the names of the tensors that statements may use. `stopped` is set after a
    statement that raises an error: it is the last one of the program. `read` holds the memories that
    later statements leave unwritten. `recorded` is set where a gradient was recorded.
    """

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {"lib": oracle}
        exec(compiled(HEAD), self.scope)
        self.lines: list[str] = []
        self.pool: list[str] = []
        self.stopped = self.recorded = False
        self.read: set[oracle.Memory] = set()

    def add(self, line: str, target: str | None = None, keep: bool = False) -> None:
        """Run a statement and append it. `target` is the name of a tensor that it makes.

        A statement that raises RuntimeError is left out; with `keep` it becomes the last one.
        """
        try:
            exec(compiled(line), self.scope)
        except RuntimeError:
            if keep:
                self.lines.append(line)
                self.stopped = True
            return
        self.lines.append(line)
        if target is not None:
            self.pool.append(target)

    def evaluate(self, expression: str) -> oracle.Tensor:
        """The value of an expression. The program stays as it is."""
        found: oracle.Tensor = eval(expression, self.scope)
        return found

    def new_name(self) -> str:
        """The name of the next tensor: t1, t2, ..."""
        return f"t{sum(n[0] == 't' for n in self.scope if n[1:].isdigit()) + 1}"

    def tensor(self, name: str) -> oracle.Tensor:
        """The oracle's tensor of that name."""
        found: oracle.Tensor = self.scope[name]
        return found

    def keep_unwritten(self, *operands: str) -> None:
        """Let no later statement write to these tensors: libraries differ in what they save of them."""
        self.read |= {self.tensor(n).family.memory for n in operands if n in self.scope}

    def may_write(self, x: str) -> bool:
        """Whether statements may still write to a tensor."""
        return not self.recorded and self.tensor(x).family.memory not in self.read

    def array(self, operand: str) -> Array:
        """The values of a tensor or of a constant."""
        return self.tensor(operand).array if operand in self.scope else np.asarray(float(operand))

    def partner(
        self, x: str, number: int, fits: Callable[[oracle.Tensor, oracle.Tensor], bool]
    ) -> str:
        """A second operand for x: the name of a tensor that fits, or a constant."""
        a = self.tensor(x)
        names = [n for n in reversed(self.pool) if fits(a, self.tensor(n))]
        if not names or number % 4 == 3:
            return str(CONSTANTS[number // 4 % len(CONSTANTS)])
        return names[(number - number // 4) % len(names)]
