"""Stock mistakes of a forward, most with vjps to match: gradients cannot tell, references can."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..engine import Op, variant
from .calls import Call
from .mutations import (
    FLOAT32,
    LITTLE,
    TWO,
    Mutation,
    Watch,
    attribute_changes,
    like,
    parameters,
    rewritten,
)
from .values import Array

Change = Callable[[Array, tuple[Any, ...], Watch], Array]


class Forward:
    """A forward that runs another, and looks like it to the recorder."""

    def __init__(self, op: Op, run: Callable[..., Any]):
        self.run = run
        self.__name__, self.__module__ = op.name, op.forward.__module__
        self.__defaults__, self.__kwdefaults__ = op.forward.__defaults__, op.forward.__kwdefaults__

    def __call__(self, *xs: Any, **attributes: Any) -> Any:
        return self.run(*xs, **attributes)


def on_result(
    name: str,
    change: Change,
    vjp_change: Callable[[Any], Any] | None = None,
    *,
    place: int = 0,
    shown_by: str = "call",
) -> Mutation:
    """change(y, inputs, watch) for y, or for the residual at `place`; vjp_change(g) for vjps."""

    def make(op: Op, watch: Watch) -> Op:
        def run(*xs: Any, **attributes: Any) -> Any:
            result = op.forward(*xs, **attributes)
            parts = list(result) if op.residuals else [result]
            wanted = np.asarray(parts[place])
            parts[place] = watch.compare(wanted, change(wanted, xs, watch))
            return tuple(parts) if op.residuals else parts[0]

        vjps = {}
        if vjp_change is not None:
            for input, vjp in op.vjps.items():
                vjps[input] = _given(vjp, vjp_change)
        # A composite would tell, and is not always there.
        composite = op.composite if vjp_change is None else None
        return variant(op, Forward(op, run), vjps, composite=composite)

    return Mutation(name, "", make, shown_by)


def _given(
    vjp: Any, of_g: Callable[[Any], Any], changes: Mapping[str, Callable[[Any], Any]] | None = None
) -> Any:
    """The vjp, given a changed g and changed attributes."""
    changes = changes or {}

    def run(g: Any, values: dict[str, Any]) -> Any:
        changed = {name: change(values[name]) for name, change in changes.items()}
        return vjp(of_g(g), *{**values, **changed}.values())

    return rewritten(vjp, run)


def on_attribute(name: str, attribute: str, change: Callable[[Any], Any]) -> Mutation:
    """Forward and vjps take the same wrong value of an attribute."""

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


def scaled(y: Array, xs: Any, watch: Watch) -> Array:
    return np.asarray(y * LITTLE)


def one_off(y: Array, xs: Any, watch: Watch) -> Array:
    y = y.copy()
    y.reshape(-1)[-1:] += 1e-3
    return y


def last_zeroed(y: Array, xs: Any, watch: Watch) -> Array:
    y = y.copy()
    y.reshape(-1)[-1:] = 0
    return y


def masked(g: Any) -> Any:
    """The cotangent for `last_zeroed`."""
    mask = np.ones(g.shape)
    mask.reshape(-1)[-1:] = 0
    return g * like(mask, g)


def backward_axis(y: Array, xs: Any, watch: Watch) -> Array:
    return np.array(y[::-1]) if y.ndim else y


def in_float64(y: Array, xs: Any, watch: Watch) -> Array:
    return y.astype(np.float64)


def noisy() -> Change:
    """Every second time a few bits more."""
    calls = 0

    def another_each_time(y: Array, xs: Any, watch: Watch) -> Array:
        nonlocal calls
        calls += 1
        return np.asarray(y * (1 + 8 * 2.0**-52 * (calls % 2)))

    return another_each_time


def over_input(y: Array, xs: Any, watch: Watch) -> Array:
    """Rounds its first input in place: a second time changes no more."""
    for x in xs:
        if isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.flags.writeable:
            y, rounded = y.copy(), np.round(x, 1)
            watch.changed |= bool((x != rounded).any())
            x[...] = rounded
            break
    return y


def input_itself(y: Array, xs: Any, watch: Watch) -> Array:
    """An input, where it equals y."""
    for x in xs:
        if isinstance(x, np.ndarray) and x.dtype == y.dtype and np.array_equal(x, y):
            watch.changed |= x.size > 0 and not np.shares_memory(x, y)
            return x
    return y


def one_buffer() -> Change:
    """The same memory for the results of all calls."""
    kept: dict[Any, Array] = {}

    def workspace(y: Array, xs: Any, watch: Watch) -> Array:
        buffer = kept.setdefault((y.shape, y.dtype), y.copy())
        watch.changed |= not np.array_equal(buffer, y, equal_nan=True)
        buffer[...] = y
        return buffer

    return workspace


def residual_off(r: Array, xs: Any, watch: Watch) -> Array:
    if r.dtype.kind == "f":
        return np.asarray(r * LITTLE)
    return np.where(r > 0, r - 1, r).astype(r.dtype)


def forwards(op: Op, calls: Sequence[Call]) -> Iterator[Mutation]:
    """All of them."""
    yield on_result(f"forward × {LITTLE}, the vjp too", scaled, lambda g: g * LITTLE)
    yield on_result("forward: one element off by 0.001", one_off)
    yield on_result("forward: last element zero, in the vjp too", last_zeroed, masked)
    yield on_result("forward: first axis turned around, in the vjp too", backward_axis, _turned)
    yield on_result("forward in float64", in_float64, shown_by=FLOAT32)
    yield on_result("forward: another each time", noisy(), shown_by=TWO)
    yield on_result("forward writes to its input", over_input)
    if not op.view:
        yield on_result("forward returns its input's memory", input_itself)
    yield on_result("forward: one buffer for all calls", one_buffer(), shown_by=TWO)
    for place, residual in enumerate(op.residuals, 1):
        yield on_result(f"residual {residual} off", residual_off, place=place)
    for name, attribute, change in attribute_changes(op, calls):
        yield on_attribute(f"forward: {name}", attribute, change)


def _turned(g: Any) -> Any:
    return g[::-1] if len(g.shape) else g
