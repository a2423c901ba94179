"""Program: statements over tensors that several libraries run, and how their results differ."""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType, ModuleType
from typing import Any

import numpy as np

import tinygrad_cnn

from ..errors import GradientError
from ..values import Array
from . import oracle

HELPERS = {  # functions of programs, which print those that they use
    "real": """def real(values, **options):
    return lib.tensor(values, dtype=lib.float64, **options)
""",
    "hook": """calls = {}
def hook(name, factor=None):
    calls[name] = 0
    def run(g):
        calls[name] += 1
        return None if factor is None else g * factor
    return run
""",
    "hooked": """def hooked(x, run):
    if x.requires_grad:
        x.register_hook(run)
    return x
""",
    "checkpoint": """def checkpoint(function, *tensors):
    return lib.utils.checkpoint.checkpoint(function, *tensors, use_reentrant=False)
""",
}
HEAD = "".join(HELPERS.values())


@dataclass
class Outcome:
    """The result of a program with one library: its tensors at the end, or the error.

    `calls` counts the calls of each hook. `line` is the number of the statement that raised the error.
    """

    values: dict[str, Array | None] = field(default_factory=dict)
    requires_grad: dict[str, bool] = field(default_factory=dict)
    gradients: dict[str, Array | None] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    error: type[BaseException] | None = None
    message: str = ""
    line: int | None = None


@functools.lru_cache(4096)
def compiled(line: str) -> CodeType:
    """The code of a statement."""
    return compile(line, "<program>", "exec")


@dataclass(frozen=True)
class Program:
    """Statements over a library `lib`, which make tensors `a`, `b`, ... and others from these.

    A program prints as code. `run` executes it with any library that has PyTorch's API.

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
        lines = "\n".join(self.lines)
        used = [text for name, text in HELPERS.items() if re.search(rf"\b{name}\(", lines)]
        return f"import tinygrad_cnn as lib\n\n{''.join(used)}\n{lines}"

    def run(self, lib: ModuleType) -> Outcome:
        """Run it with `lib`. Returns all named tensors with their gradients, or the first error."""
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
        outcome = Outcome(calls=scope["calls"])
        for name in (n for n in scope if n not in before and n != "__warningregistry__"):
            x = scope[name]
            outcome.values[name] = np.array(x.detach().numpy())
            outcome.requires_grad[name] = bool(x.requires_grad)
            if x.requires_grad and (x.is_leaf or x.retains_grad):
                g = x.grad
                outcome.gradients[name] = None if g is None else np.array(g.detach().numpy())
        return outcome

    def check(self, lib: ModuleType = tinygrad_cnn, reference: ModuleType = oracle) -> None:
        """Check that two libraries agree on all tensors and gradients, or on the failing statement.

        Raises GradientError with the smallest program on which they differ.
        """

        def differs(program: Program) -> str | None:
            return difference(program.run(lib), program.run(reference))

        if differs(self):
            program = self.smallest(lambda p: differs(p) is not None)
            detail = str(differs(program))
            raise GradientError(
                "a program differs from its reference", detail, snippet=f"{program}"
            )

    def smallest(self, fails: Callable[[Program], bool]) -> Program:
        """This program without the statements that `fails` does not need to stay true.

        Where a statement is removed, later ones use an operand of it in place of its tensor.
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
    """The possible versions of the statements after `line` once it is removed."""
    made = re.search(r"(?:^|\n *)(\w+) = (.*)", line)
    if made is None:
        return [rest]
    name, expression = made.groups()
    operands = dict.fromkeys(re.findall(r"\b(?:[a-d]|t\d+)\b", expression))
    return [rest] + [
        tuple(re.sub(rf"\b{name}\b", operand, later) for later in rest) for operand in operands
    ]


def difference(ours: Outcome, reference: Outcome, rtol: float = 1e-9) -> str | None:
    """A description of the first difference between two outcomes, or None if they agree.

    Errors agree if they come from the same statement. Numbers agree up to `rtol` of the largest
    number of their tensor, or of 1.
    """
    if ours.error or reference.error:
        if ours.line == reference.line:
            return None
        errors = [
            f"{side}: {o.error.__name__} in statement {o.line}, {o.message}"
            if o.error
            else f"{side}: no error"
            for side, o in (("here", ours), ("reference", reference))
        ]
        return "; ".join(errors)
    tables = {
        "value": (ours.values, reference.values),
        "gradient": (ours.gradients, reference.gradients),
    }
    for kind, (here, there) in tables.items():
        for name, wanted in there.items():
            given = here.get(name)
            if name not in here or not _same(given, wanted, rtol):
                return f"the {kind} of {name}: {_words(given)} here, {_words(wanted)} there"
    if ours.calls != reference.calls:
        return f"the calls of hooks: {ours.calls} here, {reference.calls} there"
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
