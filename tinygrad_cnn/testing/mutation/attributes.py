"""Wrong changes of an attribute: swapped axes, swapped sides, negation, a neutral value."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...engine import Op
from ..calls import Call

ValueChange = Callable[[Any], Any]


def reversed_pair(value: Any) -> Any:
    """A tuple in reverse order: the value of the rows for the columns."""
    return value[::-1] if isinstance(value, tuple) and len(value) > 1 else value


def turned_inside(value: Any) -> Any:
    """((top, bottom), (left, right)) as ((bottom, top), (right, left))."""
    pairs = isinstance(value, tuple) and all(isinstance(v, tuple) for v in value)
    if pairs and all(isinstance(n, int) for v in value for n in v):
        return tuple(v[::-1] for v in value)
    return value


def negated(value: Any) -> Any:
    """False for True."""
    return not value if isinstance(value, bool) else value


def smallest(values: Sequence[Any]) -> ValueChange:
    """A neutral value, so that the attribute is as good as ignored.

    For a number or a tuple of numbers it is the smallest that was seen in this form, element by
    element. A value without an order is replaced by another that was seen.
    """

    def least(first: Any, second: Any) -> Any:
        if isinstance(first, tuple):
            return tuple(least(a, b) for a, b in zip(first, second, strict=True))
        return min(first, second)

    def form(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(form(v) for v in value)
        return "number" if isinstance(value, (int, float)) else type(value)

    def of_numbers(form: Any) -> bool:
        return all(map(of_numbers, form)) if isinstance(form, tuple) else form == "number"

    def neutral(value: Any) -> Any:
        if isinstance(value, bool):
            return value
        alike = [v for v in values if not isinstance(v, bool) and form(v) == form(value)]
        if of_numbers(form(value)):
            return functools.reduce(least, alike, value)
        others = [v for v in values if repr(v) != repr(value)]
        return others[0] if others else value

    return neutral


def attribute_changes(op: Op, calls: Sequence[Call]) -> Iterator[tuple[str, str, ValueChange]]:
    """(name of the mistake, attribute, change) for each change that alters a call.

    Attributes that are shapes are left out.
    """
    for name in op.attributes:
        values = [call.attributes[name] for call in calls if name in call.attributes]
        if name.endswith("shape") or not values:
            continue
        changes = {
            "rows for columns": reversed_pair,
            "before for behind": turned_inside,
            "not for yes": negated,
            "ignored": smallest(values),
        }
        for mistake, change in changes.items():
            if any(repr(change(value)) != repr(value) for value in values):
                yield f"{name}: {mistake}", name, change
