"""The grad modes: whether this thread records."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from functools import partial
from inspect import isgeneratorfunction
from operator import call
from typing import Any, Self, TypeVar, overload

from ..atomic import Block, Change, Closing, as_one

F = TypeVar("F", bound=Callable[..., Any])


# Not empty while some thread does not record, or an observer watches. Recorders check only this
# before they take the fast path. A key is the identifier of a thread, or an observer's block.
special: dict[Any, str] = {}


class _GradMode(threading.local):
    """Whether this thread records. A thread that does not has an entry in `special`, too."""

    enabled = True

    def __init__(self) -> None:
        key, own = threading.get_ident(), vars(self)
        special.pop(key, None)  # of a thread that ended without recording
        _switches[key] = (  # the entry is made first and removed last
            (
                partial(special.__setitem__, key, "no_grad"),
                partial(own.__setitem__, "enabled", False),
            ),
            (partial(own.__setitem__, "enabled", True), partial(special.pop, key, None)),
        )


_switches: dict[int, tuple[tuple[Change, ...], ...]] = {}  # of a thread: the changes off, and on
grad_mode = _GradMode()


def _switch(enabled: bool) -> tuple[tuple[Change, ...], Change]:
    """The changes to a mode of this thread, and the change back to the present one."""
    now = grad_mode.enabled
    if now == enabled:
        return (), tuple
    switches = _switches[threading.get_ident()]
    return switches[enabled], as_one(*switches[now])


class recording(Closing):
    """As `enable_grad` or `no_grad`, for internal use: faster, and for one block."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled

    def __enter__(self) -> None:  # type: ignore[override]
        changes, self.close = _switch(self._enabled)
        [*_] = map(call, changes)


def _after_fork() -> None:
    """A child has no thread but this one: the blocks that others had open never end."""
    for key in special.keys() - {threading.get_ident()}:
        if special[key] == "no_grad":
            del special[key]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _Within(Block):
    """Sets the mode of this thread for a `with` block, or for each call of a function."""

    def __init__(self, enabled: bool):
        self._enabled = enabled

    def _changes(self) -> tuple[tuple[Change, ...], Change]:
        return _switch(self._enabled)

    def __enter__(self) -> None:
        super().__enter__()

    def __call__(self, orig_func: F) -> F:
        """`orig_func`, with this mode during each call. Of a generator, during each step."""
        enabled = self._enabled
        if isgeneratorfunction(orig_func):

            @functools.wraps(orig_func)
            def steps(*args: Any, **kwargs: Any) -> Any:
                generator, sent = orig_func(*args, **kwargs), None
                while True:
                    with recording(enabled):
                        try:
                            item = generator.send(sent)
                        except StopIteration as stop:
                            return stop.value
                    sent = yield item

            return steps  # type: ignore[return-value]

        @functools.wraps(orig_func)
        def call(*args: Any, **kwargs: Any) -> Any:
            with recording(enabled):
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
        return super().__new__(cls) if orig_func is None else cls()(orig_func)

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
        return cls()(mode) if callable(mode) else super().__new__(cls)

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
        if len(self._opened) != 1:  # used a second time
            super().__enter__()

    def __call__(self, orig_func: F) -> F:
        self.__exit__()  # a decorator changes nothing until the call
        return super().__call__(orig_func)


def is_grad_enabled() -> bool:
    """Whether this thread records: True unless a `no_grad` block or its like is open.

    >>> import tinygrad_cnn as tc
    >>> with tc.no_grad():
    ...     tc.is_grad_enabled()
    False
    """
    return grad_mode.enabled
