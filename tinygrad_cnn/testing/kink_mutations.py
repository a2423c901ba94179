"""Stock mistakes at a kink: `>=` for `>`, every tied maximum paid, another one of them chosen.

Away from kinks and ties they are no mistakes, so only conventions tell them from the right op.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..engine import Op, variant
from .mutations import Mutation, Watch, parameters, rewritten
from .values import Array

NUDGE = 1e-9  # far below what moves a smooth gradient noticeably
JUMP = 1e-5  # and this is noticeable


def from_one_side(input: str, sign: float) -> Mutation:
    """Where the gradient jumps: the one of a slightly larger, or smaller, input."""

    def make(op: Op, watch: Watch) -> Op:
        vjp = op.vjps[input]
        own = parameters(vjp)

        def run(g: Any, values: dict[str, Any]) -> Any:
            wanted = vjp(g, *(values[n] for n in own))
            x = values[input]
            if not isinstance(wanted, np.ndarray) or not isinstance(x, np.ndarray):
                return wanted
            given = {n: values[n] for n in op.inputs} | {input: _moved(x, sign)}
            attributes = {n: values[n] for n in op.attributes}
            with np.errstate(all="ignore"):
                result = op.forward(*given.values(), **attributes)
                parts = result if op.residuals else (result,)
                there = {**values, **given, **dict(zip(("y", *op.residuals), parts, strict=True))}
                found = np.asarray(vjp(g, *(there[n] for n in own)))
                jumps = np.abs(found - wanted) > JUMP * np.maximum(np.abs(wanted), 1)
            return watch.compare(wanted, np.where(jumps, found, wanted))

        return variant(op, vjps={input: rewritten(vjp, run, (*op.inputs, *op.attributes))})

    return Mutation(f"kink: the gradient {'above' if sign > 0 else 'below'}", input, make)


def _moved(x: Array, sign: float) -> Array:
    """x + something small: a little more from place to place, so that nothing is tied."""
    steps = NUDGE * np.linspace(1, 2, x.size, dtype=x.dtype).reshape(x.shape)
    return np.asarray(x + sign * steps)


def tied(
    name: str, input: str, share: Callable[[Array], Array], number: Callable[[int], float]
) -> Mutation:
    """Gradients of equal elements of the input: share(those of one group) instead.

    Where the input equals another one, elementwise: its gradient times 2 · number(2).
    """

    def make(op: Op, watch: Watch) -> Op:
        vjp = op.vjps[input]

        def run(g: Any, values: dict[str, Any]) -> Any:
            wanted = vjp(g, *(values[n] for n in parameters(vjp)))
            x = values[input]
            if not isinstance(wanted, np.ndarray) or not isinstance(x, np.ndarray):
                return wanted
            others = [values[n] for n in op.inputs if n != input and n in op.vjps]
            if op.elementwise and others:
                equal = np.logical_or.reduce([x == other for other in others])
                found = np.where(equal, wanted * (2 * number(2)), wanted)
            elif wanted.shape == x.shape:
                found = _shared(x, wanted, share)
            else:
                return wanted
            return watch.compare(wanted, found)

        return variant(op, vjps={input: rewritten(vjp, run, op.inputs)})

    return Mutation(f"ties: {name}", input, make)


def _shared(x: Array, gradient: Array, share: Callable[[Array], Array]) -> Array:
    found = gradient.copy()
    values, flat = x.ravel(), found.reshape(-1)
    order = np.sort(values)
    for value in np.unique(order[1:][order[1:] == order[:-1]]):
        here = np.flatnonzero(values == value)
        flat[here] = share(flat[here])
    return found


def _to(place: int) -> Callable[[Array], Array]:
    def one(group: Array) -> Array:
        out = np.zeros_like(group)
        out[place] = group.sum()
        return out

    return one


def at_kinks(op: Op, input: str) -> Iterator[Mutation]:
    """All of them, for one input."""
    if op.variadic:
        return
    yield from_one_side(input, 1.0)
    yield from_one_side(input, -1.0)
    yield tied("each is paid in full", input, lambda d: np.full_like(d, d.sum()), lambda n: 1.0)
    yield tied("shared evenly", input, lambda d: np.full_like(d, d.mean()), lambda n: 1 / n)
    yield tied("the first takes all", input, _to(0), lambda n: 1.0)
    yield tied("the last takes all", input, _to(-1), lambda n: 0.0)
