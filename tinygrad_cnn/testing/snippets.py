"""The code that makes one call of an op again, in an empty file.

It never takes an op of a user by its name alone, since another module may have an op of that name.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from hypothesis import strategies as st

from ..engine import registry
from .calls import Call, Target
from .copies import Code
from .core.differentiable import Differentiable
from .errors import SNIPPET_CHARACTERS, SNIPPET_LINES
from .imports import OWN, globals_of
from .show import SHORT, show, show_array
from .source import Unknown
from .values import Array

ROOMS = (SHORT, 800, 300, 60)  # characters of an array, tried in turn until the snippet fits
NAMES = ("op", "call", "reference")  # of the snippet


def snippet(
    op: Target, call: Call, check: str = "check_call", *arguments: Any, **options: Any
) -> str:
    """Code that makes this call of `op` again and then checks it.

    The last line is `testing.<check>(op, call, *arguments, **options)`. The option `aliases`
    registers the call as the strategy of an op that may alias its input. Where the code cannot run
    in an empty file, a comment says what to do.
    """
    for room in ROOMS:
        for copied in (True, False):
            try:
                text = _Snippet(room).text(op, call, check, arguments, options, copied)
            except Exception:  # of the user's objects: a message must not fail
                continue
            lines = text.count("\n") + 1
            if lines <= SNIPPET_LINES and len(text) + 4 * lines <= SNIPPET_CHARACTERS:
                return text
    return f"# There is no short code for it. With the error: testing.{check}(op, error.call)"


class _Snippet:
    """The parts of one snippet. `room` is the number of characters for an array."""

    def __init__(self, room: int):
        self.code = Code(room, NAMES)
        self.code.bind("testing", sys.modules[f"{OWN}.testing"])

    def text(
        self,
        op: Target,
        call: Call,
        check: str,
        arguments: tuple[Any, ...],
        options: dict[str, Any],
        copied: bool,
    ) -> str:
        """The snippet. If not `copied`, no function is copied."""
        self.arrays = isinstance(op, Differentiable)
        self.op(op, copied)
        inputs = [self.part(x, f"inputs[{k}]") for k, x in enumerate(call.inputs)]
        pairs = call.attributes.items()
        attributes = [f"{k!r}: {self.part(v, f'attributes[{k!r}]')}" for k, v in pairs]
        comma = "," if len(inputs) == 1 else ""
        shown = f"({', '.join(inputs)}{comma}), {{{', '.join(attributes)}}}"
        self.code.lines.append(f"call = testing.Call({shown})")
        if options.get("aliases"):
            self.code.bind("st", st)
            self.code.lines.append("testing.register_strategy(op, st.just(call), aliases=True)")
        given = ["op", "call", *map(show, arguments)]
        for name, value in options.items():
            if name == "aliases":
                continue
            given.append(f"{name}={self.reference(value) if callable(value) else show(value)}")
        self.code.lines.append(f"testing.{check}({', '.join(given)})")
        return str(self.code)

    def op(self, op: Target, copied: bool) -> None:
        """Bind the name `op`."""
        try:
            if not copied:
                raise Unknown("is too long")
            if isinstance(op, Differentiable):
                expression = self.code.differentiable(op)
            else:
                expression = self.code.op(op)
            lines = self.code
        except Unknown as why:
            lines, expression = self.elsewhere(op, str(why))
        self.code = lines
        self.code.lines.append(f"op = {expression}")

    def elsewhere(self, op: Target, why: str) -> tuple[Code, str]:
        """New code, and an expression for an op that cannot be copied."""
        code = Code(self.code.room, NAMES)
        code.bind("testing", sys.modules[f"{OWN}.testing"])
        home = op.module if isinstance(op, Differentiable) else op.forward.__module__
        file = getattr(sys.modules.get(home), "__file__", None)
        if home == "__main__" and file:
            for name, value in globals_of(home):
                if value is op or getattr(value, "op", None) is op:
                    code.imports["import runpy"] = None
                    code.lines.append(f"# {op.name} {why}: this runs the script for it")
                    return code, f"runpy.run_path({os.path.abspath(file)!r})[{name!r}]"
        kind = "function" if isinstance(op, Differentiable) else "op"
        code.lines.append(f"# This file needs the {kind} {op.name} of {home}: it cannot be copied,")
        code.lines.append(f"# since it {why}.")
        if isinstance(op, Differentiable):
            if op.made is not None:
                return code, f"testing.adapters.{op.made[0].__name__}({op.name})"
            vjp = getattr(op.vjp, "__name__", "vjp")
            return code, f"testing.Differentiable({op.name}, {vjp})"
        if registry.get(op.name) is op:
            code.bind("registry", registry)
            return code, f"registry[{op.name!r}]"
        return code, op.name

    def part(self, x: Any, place: str) -> str:
        """An expression for an input or an attribute; for a large array, one that loads it."""

        def array(a: Array) -> str:
            if (text := show_array(a, self.code.room)) is not None:
                return text
            file = "".join(c if c.isalnum() else "_" for c in place).strip("_") + ".npy"
            self.code.lines += [
                f"# {a.dtype} {a.shape} is too large to print. First, where the check failed, save",
                f"# the array of the error: np.save({file!r}, error.call.{place})",
            ]
            return f"np.load({file!r})"

        try:
            return self.code.expression(x, array)
        except Unknown as why:
            self.code.lines.append(f"# {place} of the call {why}: put it in place of None")
            return "None"

    def reference(self, reference: Any) -> str:
        """An expression for a reference."""
        try:
            return self.code.function(reference)
        except Unknown as why:
            forward = "op.value" if self.arrays else "getattr(op, 'op', op).forward"
            self.code.lines += [
                f"# put the reference here, in place of the op itself: it {why}",
                f"reference = {forward}",
            ]
            return "reference"
