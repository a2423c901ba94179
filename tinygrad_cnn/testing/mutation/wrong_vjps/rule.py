"""Rule: a forward with its vjp and its calls. WrongVjp: a mistake in the vjp of a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ...calls import Call
from ...values import Array

Vjp = Callable[..., tuple[Array, ...]]

RULES: list[Rule] = []
WRONG_VJPS: list[WrongVjp] = []


@dataclass
class Rule:
    """A forward and its vjp, as functions of arrays.

    - `forward(*inputs, **attributes)` returns an array;
    - `vjp(g, *inputs, **attributes)` returns a gradient for each input;
    - `square` is one call with equal sizes, as in a test by hand;
    - `calls` draws other calls;
    - `kinks` are calls at a kink, each with the documented gradient of Σ y.
    """

    forward: Callable[..., Array]
    vjp: Vjp
    square: Call
    calls: st.SearchStrategy[Call]
    kinks: list[tuple[Call, Array]]

    @property
    def name(self) -> str:
        """The name of the forward."""
        return self.forward.__name__


@dataclass
class WrongVjp:
    """A wrong vjp of a rule. `make` makes a new one for each trial, since it may store calls."""

    rule: Rule
    kind: str
    make: Callable[[], Vjp]

    @property
    def name(self) -> str:
        """The rule and the mistake."""
        return f"{self.rule.name}: {self.kind}"


def rule(
    forward: Callable[..., Array],
    vjp: Vjp,
    square: Call,
    calls: st.SearchStrategy[Call],
    kinks: list[tuple[Call, Array]] | None = None,
) -> Rule:
    """Add a right rule to the list."""
    RULES.append(Rule(forward, vjp, square, calls, kinks or []))
    return RULES[-1]


def wrong(right: Rule, kind: str) -> Callable[[Vjp], Vjp]:
    """A decorator that adds a wrong vjp of a rule to the list."""

    def put(vjp: Vjp) -> Vjp:
        WRONG_VJPS.append(WrongVjp(right, kind, lambda: vjp))
        return vjp

    return put


def change(right: Rule, kind: str, k: int, how: Callable[[Any], Any]) -> None:
    """Add a wrong vjp: the right one with gradient k changed."""

    def vjp(g: Array, *xs: Array, **attributes: Any) -> tuple[Array, ...]:
        gradients = list(right.vjp(g, *xs, **attributes))
        gradients[k] = how(gradients[k])
        return tuple(gradients)

    wrong(right, kind)(vjp)


def stale(right: Rule, kind: str) -> None:
    """Add a wrong vjp: it keeps the inputs of the first call of each shape and uses them always."""

    def make() -> Vjp:
        kept: dict[Any, tuple[Array, ...]] = {}

        def vjp(g: Array, *xs: Array, **attributes: Any) -> tuple[Array, ...]:
            key = tuple(x.shape for x in xs)
            first = kept.setdefault(key, tuple(np.array(x) for x in xs))
            gradients = right.vjp(g, *first, **attributes)
            return tuple(d.astype(x.dtype) for d, x in zip(gradients, xs, strict=True))

        return vjp

    WRONG_VJPS.append(WrongVjp(right, kind, make))
