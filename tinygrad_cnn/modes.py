"""What is recorded, and who watches: the grad modes (one for each thread) and the observers."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from contextlib import ContextDecorator
from inspect import isgeneratorfunction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .graph import Node
    from .op import Op

__all__ = [
    "Observer", "enable_grad", "inference_mode", "is_grad_enabled", "no_grad", "observe",
    "set_grad_enabled",
]  # fmt: skip


class _Mode(threading.local):
    grad = True


mode = _Mode()

# Not empty while some thread does not record or an observer watches: recorders look here alone
# before they take the fast way.
special: list[Any] = []


def _record(enabled: bool) -> None:
    """Turn recording on or off for this thread."""
    if enabled != mode.grad:
        mode.grad = enabled
        if enabled:
            special.remove("no_grad")
        else:
            special.append("no_grad")


class no_grad(ContextDecorator):
    """Record nothing, in this thread: a `with` block, or a decorator with or without brackets.

    >>> import tinygrad_cnn as tc
    >>> x = tc.tensor([2.0], requires_grad=True)
    >>> with tc.no_grad():
    ...     (x * x).requires_grad
    False
    """

    _enabled = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        self = super().__new__(cls)
        self._before = []
        return self if function is None else self(function)

    def __enter__(self) -> Any:
        self._before.append(mode.grad)
        _record(self._enabled)
        return self

    def __exit__(self, *exc: object) -> None:
        _record(self._before.pop())

    def _recreate_cm(self) -> Any:  # each call of a decorated function has its own stack
        return object.__new__(type(self))._like(self._enabled)

    def _like(self, enabled: bool) -> Any:
        self._before: list[bool] = []
        self._enabled = enabled
        return self

    def __call__(self, function: Callable[..., Any]) -> Any:
        if not isgeneratorfunction(function):
            return super().__call__(function)

        @functools.wraps(function)
        def steps(*args: Any, **kwargs: Any) -> Any:  # the mode holds inside each step alone
            generator, sent = function(*args, **kwargs), None
            while True:
                with self._recreate_cm():
                    try:
                        item = generator.send(sent)
                    except StopIteration as stop:
                        return stop.value
                sent = yield item

        return steps


class enable_grad(no_grad):
    """Record, in this thread, inside a `no_grad`: a `with` block or a decorator."""

    _enabled = True


class inference_mode(no_grad):
    """`no_grad`; with `mode=False` as `enable_grad`."""

    def __new__(cls, mode: Any = True) -> Any:
        if callable(mode):
            return super().__new__(cls, mode)
        return object.__new__(cls)._like(not mode)


class set_grad_enabled(no_grad):
    """Turn recording on or off for this thread: at once, or for a `with` block or a decorator."""

    def __new__(cls, mode_: bool) -> Any:
        self = object.__new__(cls)._like(bool(mode_))
        self._before.append(mode.grad)
        _record(self._enabled)
        return self

    def __enter__(self) -> Any:
        return self if len(self._before) == 1 else super().__enter__()

    def _recreate_cm(self) -> Any:
        return enable_grad() if self._enabled else no_grad()

    def __call__(self, function: Callable[..., Any]) -> Any:
        _record(self._before[0])  # a decorator changes nothing until the call
        return super().__call__(function)


def is_grad_enabled() -> bool:
    """Whether this thread records."""
    return mode.grad


class Observer:
    """Sees each op and each vjp run, in every thread, inside `with observe(observer)`.

    Visualisation, profiling and the anomaly mode are observers. Override what you need.
    """

    def op_begins(self, op: Op) -> None:
        """An op is about to run on a Tensor."""

    def op_ran(self, op: Op, inputs: tuple[Any, ...], output: Any, node: Node | None) -> None:
        """It ran: its inputs as they were given, its output Tensor, its node where recorded."""

    def vjp_begins(self, node: Node, g: Any) -> None:
        """The vjps of `node` are about to run on the cotangent `g`."""

    def vjp_ran(self, node: Node, g: Any, gradients: Sequence[Any]) -> None:
        """They ran: one gradient for each parent, None where none was needed."""


observers: list[Observer] = []


class observe:
    """Show `observer` every op and vjp while the block runs; the block gets it as its target."""

    def __init__(self, observer: Observer):
        self._observer = observer

    def __enter__(self) -> Any:
        observers.append(self._observer)
        special.append("observer")
        return self._observer

    def __exit__(self, *exc: object) -> None:
        observers.remove(self._observer)
        special.remove("observer")
