"""Mistakes in the values that a vjp is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeGuard

import numpy as np

from ...engine import Op, variant
from ..calls import Call
from ..values import Array, Pair
from .attributes import ValueChange, attribute_changes
from .base import ONE, SECOND_ORDER, TWO, Mutation, Values, Watch, parameters, rewritten
from .changes import detached

ValuesChange = Callable[[Values], Values]


def on_arguments(name: str, input: str, change: ValuesChange, shown_by: str = ONE) -> Mutation:
    """A mutation that calls the vjp with change(values) in place of the saved values."""

    def make(op: Op, watch: Watch) -> Op:
        vjp = op.vjps[input]

        def run(g: Any, values: Values) -> Any:
            wanted = None if watch.changed else vjp(g, *values.values())
            try:
                found = vjp(g, *change(values).values())
            except Exception:
                watch.changed = True
                raise
            if wanted is None or shown_by == SECOND_ORDER:
                return found
            return watch.compare(wanted, found)

        return variant(op, vjps={input: rewritten(vjp, run)})

    return Mutation(name, input, make, shown_by)


def other_attribute(attribute: str, change: ValueChange) -> ValuesChange:
    """The vjp gets a changed value of one attribute."""
    return lambda values: {**values, attribute: change(values[attribute])}


def stale() -> ValuesChange:
    """The vjp gets the arrays that the first call of the same shapes saved."""
    kept: dict[Any, dict[str, Array]] = {}

    def earlier(values: Values) -> Values:
        arrays = {n: v for n, v in values.items() if isinstance(v, np.ndarray)}
        key = tuple((n, v.shape, v.dtype) for n, v in arrays.items())
        first = kept.setdefault(key, {n: v.copy() for n, v in arrays.items()})
        return {**values, **first}

    return earlier


def all_detached(values: Values) -> Values:
    """The vjp gets Tensors that are detached from their graph."""
    return {name: detached(value) for name, value in values.items()}


def over_saved(input: str) -> Mutation:
    """A mutation that writes to the first array that the vjp is given."""

    def make(op: Op, watch: Watch) -> Op:
        vjp = op.vjps[input]

        def run(g: Any, values: Values) -> Any:
            gradient = vjp(g, *values.values())
            for value in values.values():
                if isinstance(value, np.ndarray) and value.size and value.flags.writeable:
                    gradient, watch.changed = gradient.copy(), True
                    value[...] = ~value if value.dtype == bool else value + 1
                    break
            return gradient

        return variant(op, vjps={input: rewritten(vjp, run)})

    return Mutation("writes to what is saved", input, make)


def proportion(attribute: str, input: str) -> Mutation:
    """A mutation that multiplies by a / b for an attribute (a, b): a² where a · b is right."""

    def make(op: Op, watch: Watch) -> Op:
        vjp = op.vjps[input]

        def run(g: Any, values: Values) -> Any:
            wanted, pair = vjp(g, *(values[n] for n in parameters(vjp))), values[attribute]
            if not _is_pair(pair):
                return wanted
            return watch.compare(wanted, wanted * (pair[0] / pair[1]))

        return variant(op, vjps={input: rewritten(vjp, run, [attribute])})

    return Mutation(f"{attribute}: a² for a · b", input, make)


def _is_pair(value: object) -> TypeGuard[Pair]:
    """Whether it is a pair of positive integers."""
    pair = isinstance(value, tuple) and len(value) == 2
    return pair and all(isinstance(v, int) and v > 0 for v in value)  # type: ignore[attr-defined]


def arguments_of(op: Op, input: str, calls: Sequence[Call]) -> Iterator[Mutation]:
    """All mistakes in the arguments of the vjp of one input."""
    wants = parameters(op.vjps[input])
    for name, attribute, change in attribute_changes(op, calls):
        if attribute in wants:
            yield on_arguments(name, input, other_attribute(attribute, change))
    yield on_arguments("stale: saved by an earlier call", input, stale(), TWO)
    yield on_arguments("cut off from what is saved", input, all_detached, SECOND_ORDER)
    yield over_saved(input)
    for name in op.attributes:
        if any(_is_pair(call.attributes.get(name)) for call in calls):
            yield proportion(name, input)
