"""Mistakes at a kink: `>=` for `>`, the whole gradient for every tied maximum, or for another one.

Away from kinks and ties they change nothing. So only conventions tell them from the right op.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...engine import Op, variant
from ..values import Array
from .base import Mutation, Values, Watch, parameters, rewritten

NUDGE = 1e-9  # too small to change a smooth gradient noticeably
JUMP = 1e-5  # a relative change of the gradient that is noticeable

Share = Callable[[Array], Array]  # gradients of a group of equal elements → other gradients


def from_one_side(input: str, sign: float) -> Mutation:
    """A mutation that, at a kink, returns the gradient of a slightly larger or smaller input."""

    def make(op: Op, watch: Watch) -> Op:
        vjp = op.vjps[input]
        own = parameters(vjp)

        def run(g: Any, values: Values) -> Any:
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
    """x plus small steps that differ from element to element, so that there are no ties."""
    steps = NUDGE * np.linspace(1, 2, x.size, dtype=x.dtype).reshape(x.shape)
    return np.asarray(x + sign * steps)


def tied(name: str, input: str, share: Share, portion: float) -> Mutation:
    """A mutation that shares the gradient of equal elements in another way.

    `share` maps the gradients of one group of equal elements. For an elementwise op of two inputs,
    the input gets `portion` of the gradient where it equals another input.
    """

    def make(op: Op, watch: Watch) -> Op:
        vjp = op.vjps[input]

        def run(g: Any, values: Values) -> Any:
            wanted = vjp(g, *(values[n] for n in parameters(vjp)))
            x = values[input]
            if not isinstance(wanted, np.ndarray) or not isinstance(x, np.ndarray):
                return wanted
            others = [values[n] for n in op.inputs if n != input and n in op.vjps]
            if op.elementwise and others:
                equal = np.logical_or.reduce([x == other for other in others])
                found = np.where(equal, wanted * (2 * portion), wanted)  # it has a half
            elif wanted.shape == x.shape:
                found = _shared(x, wanted, share)
            else:
                return wanted
            return watch.compare(wanted, found)

        return variant(op, vjps={input: rewritten(vjp, run, op.inputs)})

    return Mutation(f"ties: {name}", input, make)


def _shared(x: Array, gradient: Array, share: Share) -> Array:
    """The gradient with `share` applied to each group of equal elements of x."""
    found = gradient.copy()
    values, flat = x.ravel(), found.reshape(-1)
    order = np.sort(values)
    for value in np.unique(order[1:][order[1:] == order[:-1]]):
        here = np.flatnonzero(values == value)
        flat[here] = share(flat[here])
    return found


def _all_to(place: int) -> Share:
    def one(group: Array) -> Array:
        out = np.zeros_like(group)
        out[place] = group.sum()
        return out

    return one


def at_kinks(op: Op, input: str) -> Iterator[Mutation]:
    """All mistakes at kinks, for one input."""
    if op.variadic:
        return
    yield from_one_side(input, 1.0)
    yield from_one_side(input, -1.0)
    yield tied("each is paid in full", input, lambda d: np.full_like(d, d.sum()), 1.0)
    yield tied("shared evenly", input, lambda d: np.full_like(d, d.mean()), 1 / 2)
    yield tied("the first takes all", input, _all_to(0), 1.0)
    yield tied("the last takes all", input, _all_to(-1), 0.0)
