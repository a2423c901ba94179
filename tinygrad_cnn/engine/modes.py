"""The grad modes: whether this thread records."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from inspect import isgeneratorfunction
from typing import Any, Self, TypeVar, overload

F = TypeVar("F", bound=Callable[..., Any])


class _GradMode(threading.local):
    enabled = True


grad_mode = _GradMode()

# Not empty while some thread does not record, or an observer watches. Recorders check only this
# before they take the fast path.
special: list[str] = []


def _switch(enabled: bool) -> None:
    if enabled != grad_mode.enabled:
        grad_mode.enabled = enabled
        if enabled:
            special.remove("no_grad")
        else:
            special.append("no_grad")


def _after_fork() -> None:
    """A child has no thread but this one: the blocks that others had open never end."""
    special[:] = [name for name in special if name != "no_grad"]
    special.extend([] if grad_mode.enabled else ["no_grad"])


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _Within:
    """Sets the mode of this thread for a `with` block, or for each call of a function."""

    def __init__(self, enabled: bool):
        self._enabled = enabled
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(grad_mode.enabled)
        _switch(self._enabled)

    def __exit__(self, *exc: object) -> None:
        _switch(self._before.pop())

    def __call__(self, orig_func: F) -> F:
        """`orig_func`, with this mode during each call. Of a generator, during each step."""
        enabled = self._enabled
        if isgeneratorfunction(orig_func):

            @functools.wraps(orig_func)
            def steps(*args: Any, **kwargs: Any) -> Any:
                generator, sent = orig_func(*args, **kwargs), None
                while True:
                    with _Within(enabled):
                        try:
                            item = generator.send(sent)
                        except StopIteration as stop:
                            return stop.value
                    sent = yield item

            return steps  # type: ignore[return-value]

        @functools.wraps(orig_func)
        def call(*args: Any, **kwargs: Any) -> Any:
            with _Within(enabled):
                return orig_func(*args, **kwargs)

        return call  # type: ignore[return-value]


class no_grad(_Within):
    """Record nothing in this thread: a `with` block, or a decorator with or without brackets.

    >>> import tinygrad_cnn as tc
    >>> x = tc.tensor([2.0], requires_grad=True)
    >>> with tc.no_grad():
    ...     (x * x).requires_grad
    False
    """

    _mode = False

    @overload
    def __new__(cls, orig_func: F) -> F: ...  # type: ignore[misc]  # a decorator
    @overload
    def __new__(cls) -> Self: ...
    def __new__(cls, orig_func: Any = None) -> Any:
        return object.__new__(cls) if orig_func is None else cls()(orig_func)

    def __init__(self) -> None:
        super().__init__(self._mode)


class enable_grad(no_grad):
    """Record in this thread, inside a `no_grad` block: a `with` block or a decorator.

    >>> import tinygrad_cnn as tc
    >>> x = tc.tensor([2.0], requires_grad=True)
    >>> with tc.no_grad(), tc.enable_grad():
    ...     (x * x).requires_grad
    True
    """

    _mode = True


class inference_mode(_Within):
    """Record nothing in this thread, as `no_grad`. With `mode=False`, record, as `enable_grad`.

    >>> import tinygrad_cnn as tc
    >>> x = tc.tensor([2.0], requires_grad=True)
    >>> with tc.inference_mode():
    ...     (x * x).requires_grad
    False
    """

    @overload
    def __new__(cls, mode: F) -> F: ...  # type: ignore[misc]  # a decorator
    @overload
    def __new__(cls, mode: bool = True) -> Self: ...
    def __new__(cls, mode: Any = True) -> Any:
        return cls()(mode) if callable(mode) else object.__new__(cls)

    def __init__(self, mode: bool = True) -> None:
        super().__init__(not mode)


class set_grad_enabled(_Within):
    """Turn recording on or off for this thread: at once, or for a `with` block or a decorator.

    >>> import tinygrad_cnn as tc
    >>> with tc.set_grad_enabled(False):
    ...     tc.is_grad_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            kind = type(mode).__name__
            raise TypeError(
                f"set_grad_enabled(): argument 'enabled' (position 1) must be bool, not {kind}"
            )
        super().__init__(bool(mode))
        super().__enter__()

    def __enter__(self) -> None:
        if len(self._before) != 1:  # used a second time
            super().__enter__()

    def __call__(self, orig_func: F) -> F:
        _switch(self._before[0])  # a decorator changes nothing until the call
        return super().__call__(orig_func)


def is_grad_enabled() -> bool:
    """Whether this thread records: True unless a `no_grad` block or its like is open.

    >>> import tinygrad_cnn as tc
    >>> with tc.no_grad():
    ...     tc.is_grad_enabled()
    False
    """
    return grad_mode.enabled
