"""What a rule is: a forward with its vjp, how to call it, and ways to get the vjp wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinygrad_cnn.testing import Call

Vjp = Callable[..., tuple[Any, ...]]

RULES: list[Rule] = []
MUTANTS: list[Mutant] = []


@dataclass
class Rule:
    """A forward(*inputs, **attributes), and vjp(g, *inputs, **attributes): a gradient for each.

    `square` is one call with equal sizes all over, as tests by hand have it; `calls` draws others.
    `kinks` are inputs on a kink, each with the gradient of the sum of y that is documented there.
    """

    forward: Callable[..., Any]
    vjp: Vjp
    square: Call
    calls: st.SearchStrategy[Call]
    kinks: list[tuple[Call, Any]]

    @property
    def name(self) -> str:
        """The name of the forward."""
        return self.forward.__name__


@dataclass
class Mutant:
    """A rule with a wrong vjp; `make` makes it, anew for each trial (it may remember calls)."""

    rule: Rule
    kind: str
    make: Callable[[], Vjp]

    @property
    def name(self) -> str:
        """The rule and what is wrong."""
        return f"{self.rule.name}: {self.kind}"


def rule(
    forward: Callable[..., Any],
    vjp: Vjp,
    square: Call,
    calls: st.SearchStrategy[Call],
    kinks: list[tuple[Call, Any]] | None = None,
) -> Rule:
    """A right rule, put into the list."""
    RULES.append(Rule(forward, vjp, square, calls, kinks or []))
    return RULES[-1]


def wrong(right: Rule, kind: str) -> Callable[[Vjp], Vjp]:
    """Put a wrong vjp of a rule into the list."""

    def put(vjp: Vjp) -> Vjp:
        MUTANTS.append(Mutant(right, kind, lambda: vjp))
        return vjp

    return put


def change(right: Rule, kind: str, k: int, how: Callable[[Any], Any]) -> None:
    """A wrong vjp: the right one, with gradient k changed."""

    def vjp(g: Any, *xs: Any, **attributes: Any) -> tuple[Any, ...]:
        gradients = list(right.vjp(g, *xs, **attributes))
        gradients[k] = how(gradients[k])
        return tuple(gradients)

    wrong(right, kind)(vjp)


def stale(right: Rule, kind: str) -> None:
    """A wrong vjp: it keeps the inputs of the first call of a shape, and uses them for all."""

    def make() -> Vjp:
        kept: dict[Any, Any] = {}

        def vjp(g: Any, *xs: Any, **attributes: Any) -> tuple[Any, ...]:
            key = tuple(x.shape for x in xs)
            first = kept.setdefault(key, tuple(np.array(x) for x in xs))
            gradients = right.vjp(g, *first, **attributes)
            return tuple(d.astype(x.dtype) for d, x in zip(gradients, xs, strict=True))

        return vjp

    MUTANTS.append(Mutant(right, kind, make))


def scaled(gradient: Any) -> Any:
    """0.05 % too large."""
    return gradient * gradient.dtype.type(1.0005)


def one_zeroed(gradient: Any) -> Any:
    """The last element forgotten, as by a loop that ends too early."""
    gradient = gradient.copy()
    gradient.reshape(-1)[-1:] = 0
    return gradient


def some_zeroed(gradient: Any) -> Any:
    """5 % of the elements zeroed: every twentieth, from the third."""
    gradient = gradient.copy()
    gradient.reshape(-1)[2::20] = 0
    return gradient
