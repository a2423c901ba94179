"""Mutation: a mistake that can be made in any op. Watch: whether the mistake changed anything."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...engine import Op
from ..inputs import plain

Vjp = Callable[..., Any]
Values = dict[str, Any]  # the arguments of a vjp after g, by name


class Watch:
    """Records whether a wrong copy of an op has done anything that the op would not do."""

    changed = False

    def compare(self, wanted: Any, found: Any) -> Any:
        """Note whether `found` differs from `wanted`, and return `found`."""
        if not self.changed:
            a, b = np.asarray(plain(wanted)), np.asarray(plain(found))
            self.changed = a.dtype != b.dtype or not np.array_equal(
                a, b, equal_nan=a.dtype.kind == "f"
            )
        return found


# The kinds of calls that can show a mistake
ONE, TWO = "call", "two calls"
FLOAT32, SECOND_ORDER = "a call in float32", "the second derivative"


class Mutation(NamedTuple):
    """A mistake.

    - `name`: for the table;
    - `input`: the input whose gradient is wrong; "" for a mistake in the forward;
    - `make`: makes the wrong copy of an op. The copy tells the watch if it does anything else than
      the op. A copy that never does is no mistake for that op;
    - `shown_by`: the kind of call that can show the mistake, one of the constants above.
    """

    name: str
    input: str
    make: Callable[[Op, Watch], Op]
    shown_by: str = ONE


def parameters(vjp: Vjp) -> list[str]:
    """The names of the parameters of a vjp after g."""
    return list(inspect.signature(vjp).parameters)[1:]


def rewritten(vjp: Vjp, run: Callable[[Any, Values], Any], more: Sequence[str] = ()) -> Vjp:
    """A vjp that calls run(g, values). It has the parameters of `vjp` and `more`."""
    own = parameters(vjp)
    names = [*own, *(name for name in more if name not in own)]

    @functools.wraps(vjp)
    def mutant(g: Any, *rest: Any) -> Any:
        return run(g, dict(zip(names, rest, strict=True)))

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature([inspect.Parameter(name, kind) for name in ("g", *names)])
    mutant.__signature__ = signature  # type: ignore[attr-defined]
    return mutant
