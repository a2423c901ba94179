"""Mistakes in the forward, most with vjps to match. Gradients cannot show these, references can."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ...engine import Op, variant
from ..calls import Call
from ..values import Array
from .attributes import ValueChange, attribute_changes
from .base import FLOAT32, ONE, TWO, Mutation, Values, Vjp, Watch, parameters, rewritten
from .changes import (
    LITTLE,
    Change,
    in_float64,
    noisy,
    of_value,
    off,
    one_buffer,
    reversed_first,
    scaled,
    zeroed,
)


class Forward:
    """A forward that calls `run`, with the name, module and defaults of the op's forward."""

    def __init__(self, op: Op, run: Callable[..., Any]):
        self.run = run
        self.__name__, self.__module__ = op.name, op.forward.__module__
        self.__defaults__, self.__kwdefaults__ = op.forward.__defaults__, op.forward.__kwdefaults__

    def __call__(self, *xs: Any, **attributes: Any) -> Any:
        return self.run(*xs, **attributes)


def on_result(
    name: str,
    change: Change,
    vjp_change: ValueChange | None = None,
    *,
    place: int = 0,
    shown_by: str = ONE,
) -> Mutation:
    """A mutation that returns change(y, inputs, watch) in place of y.

    `place` is 0 for y, and k for the residual number k. The vjps get `vjp_change` of g.
    """

    def make(op: Op, watch: Watch) -> Op:
        def run(*xs: Any, **attributes: Any) -> Any:
            result = op.forward(*xs, **attributes)
            parts = list(result) if op.residuals else [result]
            wanted = np.asarray(parts[place])
            parts[place] = watch.compare(wanted, np.asarray(change(wanted, xs, watch)))
            return tuple(parts) if op.residuals else parts[0]

        vjps = {}
        if vjp_change is not None:
            for input, vjp in op.vjps.items():
                vjps[input] = _given(vjp, vjp_change)
        # A composite would show the mistake, and not every op has one.
        composite = op.composite if vjp_change is None else None
        return variant(op, Forward(op, run), vjps, composite=composite)

    return Mutation(name, "", make, shown_by)


def _given(vjp: Vjp, of_g: ValueChange, changes: Mapping[str, ValueChange] | None = None) -> Vjp:
    """The vjp, called with a changed g and changed attributes."""
    changes = changes or {}

    def run(g: Any, values: Values) -> Any:
        changed = {name: change(values[name]) for name, change in changes.items()}
        return vjp(of_g(g), *{**values, **changed}.values())

    return rewritten(vjp, run)


def on_attribute(name: str, attribute: str, change: ValueChange) -> Mutation:
    """A mutation in which forward and vjps take the same wrong value of an attribute."""

    def make(op: Op, watch: Watch) -> Op:
        def run(*xs: Any, **attributes: Any) -> Any:
            wrong = {**attributes, attribute: change(attributes[attribute])}
            if watch.changed:
                return op.forward(*xs, **wrong)
            wanted = op.forward(*xs, **attributes)
            try:
                found = op.forward(*xs, **wrong)
            except Exception:
                watch.changed = True
                raise
            for a, b in zip(*(r if op.residuals else (r,) for r in (wanted, found)), strict=True):
                watch.compare(a, b)
            return found

        vjps = {}
        for input, vjp in op.vjps.items():
            if attribute in parameters(vjp):
                vjps[input] = _given(vjp, lambda g: g, {attribute: change})
        return variant(op, Forward(op, run), vjps, composite=None)

    return Mutation(f"{name}, in the vjp too", "", make)


# --- Changes of y -------------------------------------------------------------------------------


def over_input(y: Array, xs: Any, watch: Watch) -> Array:
    """Rounds the first input in place. A second call then changes nothing more."""
    for x in xs:
        if isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.flags.writeable:
            y, rounded = y.copy(), np.round(x, 1)
            watch.changed |= bool((x != rounded).any())
            x[...] = rounded
            break
    return y


def input_itself(y: Array, xs: Any, watch: Watch) -> Array:
    """Returns an input that equals y."""
    for x in xs:
        if isinstance(x, np.ndarray) and x.dtype == y.dtype and np.array_equal(x, y):
            watch.changed |= x.size > 0 and not np.shares_memory(x, y)
            return x
    return y


def residual_off(r: Array) -> Array:
    """Numbers are 0.05 % too large, positive integers one too small."""
    if r.dtype.kind == "f":
        return np.asarray(r * LITTLE)
    return np.where(r > 0, r - 1, r).astype(r.dtype)


def forwards(op: Op, calls: Sequence[Call]) -> Iterator[Mutation]:
    """All mistakes in the forward of an op."""
    yield on_result(f"forward × {LITTLE}, the vjp too", of_value(scaled), scaled)
    yield on_result("forward: one element off by 0.001", of_value(off(-1)))
    yield on_result("forward: last element zero, in the vjp too", of_value(zeroed(-1)), zeroed(-1))
    yield on_result(
        "forward: first axis turned around, in the vjp too",
        of_value(lambda y: reversed_first(y).copy()),
        reversed_first,
    )
    yield on_result("forward in float64", of_value(in_float64), shown_by=FLOAT32)
    yield on_result("forward: another each time", of_value(noisy()), shown_by=TWO)
    yield on_result("forward writes to its input", over_input)
    if not op.view:
        yield on_result("forward returns its input's memory", input_itself)
    yield on_result("forward: one buffer for all calls", one_buffer(), shown_by=TWO)
    for place, residual in enumerate(op.residuals, 1):
        yield on_result(f"residual {residual} off", of_value(residual_off), place=place)
    for name, attribute, change in attribute_changes(op, calls):
        yield on_attribute(f"forward: {name}", attribute, change)
