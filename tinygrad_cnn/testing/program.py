"""A program over tensors, run by several libraries, and whether they agree on what it gives."""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import numpy as np

from . import oracle
from .errors import GradientError
from .values import Array

HEAD = """def real(values, **options):
    return lib.tensor(values, dtype=lib.float64, **options)
"""


@dataclass
class Outcome:
    """What a library made of a program: its tensors at the end, or the error and where it came."""

    values: dict[str, Array | None] = field(default_factory=dict)
    requires_grad: dict[str, bool] = field(default_factory=dict)
    gradients: dict[str, Array | None] = field(default_factory=dict)
    error: type[BaseException] | None = None
    message: str = ""
    line: int | None = None  # the number of the statement that raised


@functools.lru_cache(4096)
def compiled(line: str) -> CodeType:
    return compile(line, "<program>", "exec")


@dataclass(frozen=True)
class Program:
    """Statements over a library `lib`, the tensors `a`, `b`, ... and what is made of them.

    It prints as the code that it is. `run` executes it with any library that has PyTorch's API.

    >>> import tinygrad_cnn as tc
    >>> program = Program(("a = real([1.0, 2.0], requires_grad=True)", "(a * a).sum().backward()"))
    >>> program.run(tc).gradients
    {'a': array([2., 4.])}
    >>> print(program)
    import tinygrad_cnn as lib
    <BLANKLINE>
    def real(values, **options):
        return lib.tensor(values, dtype=lib.float64, **options)
    <BLANKLINE>
    a = real([1.0, 2.0], requires_grad=True)
    (a * a).sum().backward()
    """

    lines: tuple[str, ...]

    def __repr__(self) -> str:
        return f"import tinygrad_cnn as lib\n\n{HEAD}\n" + "\n".join(self.lines)

    def run(self, lib: Any) -> Outcome:
        """Run it with `lib`: all tensors that it names, their gradients, or the first error."""
        scope: dict[str, Any] = {"lib": lib}
        exec(compiled(HEAD), scope)
        before = set(scope)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".* writes to a view that has a hook")
            for number, line in enumerate(self.lines):
                try:
                    exec(compiled(line), scope)
                except Exception as error:
                    return Outcome(error=type(error), message=str(error), line=number)
        outcome = Outcome()
        for name in (n for n in scope if n not in before and n != "__warningregistry__"):
            x = scope[name]
            outcome.values[name] = np.array(x.detach().numpy())
            outcome.requires_grad[name] = bool(x.requires_grad)
            if x.requires_grad and (x.is_leaf or x.retains_grad):
                g = x.grad
                outcome.gradients[name] = None if g is None else np.array(g.detach().numpy())
        return outcome

    def check(self, lib: Any = None, reference: Any = oracle) -> None:
        """Raise GradientError where `lib` (this package, unless told) and `reference` differ.

        The same tensors and gradients, or an error in the same statement.
        """
        if lib is None:
            import tinygrad_cnn as lib

        def differs(program: Program) -> str | None:
            return difference(program.run(lib), program.run(reference))

        if differs(self):
            program = self.smallest(lambda p: differs(p) is not None)
            detail = str(differs(program))
            raise GradientError(
                "a program differs from its reference", detail, snippet=f"{program}"
            )

    def smallest(self, fails: Callable[[Program], bool]) -> Program:
        """This, without the statements that are not needed for `fails` to stay true.

        A tensor that others are made of gives its place to one that it is made of.
        """
        lines, before = self.lines, None
        while lines != before:
            before = lines
            for k in reversed(range(len(before))):
                for rest in _without(lines[k], lines[k + 1 :]):
                    if fails(Program(lines[:k] + rest)):
                        lines = lines[:k] + rest
                        break
        return Program(lines)


def _without(line: str, rest: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The statements after `line` as they can be without it."""
    made = re.search(r"(?:^|\n *)(\w+) = (.*)", line)
    if made is None:
        return [rest]
    name, expression = made.groups()
    operands = dict.fromkeys(re.findall(r"\b(?:[a-d]|t\d+)\b", expression))
    return [rest] + [
        tuple(re.sub(rf"\b{name}\b", operand, later) for later in rest) for operand in operands
    ]


def difference(ours: Outcome, reference: Outcome, rtol: float = 1e-9) -> str | None:
    """In words what differs between two outcomes of a program, or None.

    Errors are the same where they come from the same statement; numbers up to `rtol` of the largest
    of their tensor (or of 1).
    """
    if ours.error or reference.error:
        if ours.line == reference.line:
            return None
        what = [
            f"{who}: {o.error.__name__} in statement {o.line}, {o.message}"
            if o.error
            else f"{who}: no error"
            for who, o in (("here", ours), ("reference", reference))
        ]
        return "; ".join(what)
    tables = {
        "value": (ours.values, reference.values),
        "gradient": (ours.gradients, reference.gradients),
    }
    for kind, (here, there) in tables.items():
        for name, wanted in there.items():
            given = here.get(name)
            if name not in here or not _same(given, wanted, rtol):
                return f"the {kind} of {name}: {_words(given)} here, {_words(wanted)} there"
    for name, needs in reference.requires_grad.items():
        if ours.requires_grad.get(name) != needs:
            return f"{name}.requires_grad: {not needs} here, {needs} there"
    return None


def _same(given: Array | None, wanted: Array | None, rtol: float) -> bool:
    if given is None or wanted is None:
        return given is wanted
    scale = rtol * float(np.abs(wanted).max(initial=1.0))
    return given.shape == wanted.shape and np.allclose(given, wanted, rtol=rtol, atol=scale)


def _words(x: Array | None) -> str:
    return "None" if x is None else str(x.tolist())
