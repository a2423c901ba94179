"""Changes that an interrupt finds either made or not begun.

Ctrl-C raises KeyboardInterrupt in the main thread, and only where the interpreter looks for signals: when
a Python function begins, after a call, and at a jump back in a loop. No signal is seen inside a
function written in C that calls nothing but C, nor between an `__enter__` and its `with` block.
So changes that belong together are made by one call of C: see `together`, and `Block`, whose
`__exit__` is C. An `__exit__` in Python could be interrupted before its first line, and would undo
nothing.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import ContextVar, copy_context
from functools import cache, partial, wraps
from operator import call
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])
Change = Callable[[], Any]  # a call of a function in C, with its arguments: mostly a `partial`


def together(changes: Iterable[Change]) -> None:
    """Make the changes, in order. No interrupt comes between them."""
    deque(map(call, changes), 0)


def as_one(*changes: Change) -> Change:
    """A change that makes these changes. It can be made once."""
    return partial(
        deque, map(call, changes), 0
    )  # its result is empty: a `with` block takes it as false


class Closing(io.IOBase):
    """A context manager for internal use, whose exit is C: it calls `close`, a change.

    `IOBase.__exit__` does that; nothing else of a file is used. A subclass defines `__enter__`: it sets
    `close`, and then makes its changes by `[*_] = map(call, changes)`. Unpacking is no call, so no
    interrupt comes before the `with` block. An instance serves for one block.
    """

    closed = True  # so that deleting it does not call `close`
    close: Change


class _Exit:
    """`Block.__exit__`: a C method where a `with` block looks it up, and a function of the class."""

    def __get__(self, block: Any, owner: Any) -> Any:
        if block is None:  # as for an ExitStack
            return lambda block, *exc: block.__exit__(*exc)
        return block._closing.__exit__


class Block:
    """The base of public context managers. They can be used again, also inside their own block.

    A subclass defines `_changes`, and calls no `__init__` of this class.
    """

    _opened: list[Change]  # what undoes the changes, for each block that is open
    _closing: Closing

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """A block that is not open."""
        block = object.__new__(cls)
        opened: list[Change] = []
        block._opened = opened
        block._closing = closing = Closing()
        last: Any = iter(opened.pop, None)
        closing.close = partial(next, map(call, last))  # take it out of the list and make it
        return block

    def _changes(self) -> tuple[Iterable[Change], Change]:
        """The changes of an entry, and the change that undoes them, whose result is false."""
        raise NotImplementedError

    def __enter__(self) -> Any:
        changes, undo = self._changes()
        [*_] = map(call, (partial(self._opened.append, undo), *changes))  # type: ignore[arg-type]
        return self

    if TYPE_CHECKING:

        def __exit__(self, *exc: object) -> None: ...

    else:
        __exit__ = _Exit()


# --- NumPy's warnings ---------------------------------------------------------------------------


class quiet(Closing):
    """Within the block NumPy warns of no overflow, division by 0 or invalid value.

    It does what `np.errstate(all="ignore")` does, whose exit is Python.
    """

    def __enter__(self) -> None:  # type: ignore[override]
        state, ignoring = _error_state()
        self.close = as_one(partial(state.set, state.get()))
        [*_] = map(state.set, (ignoring,))


def quietly(function: F) -> F:
    """`function`, with `quiet` during each call."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with quiet():
            return function(*args, **kwargs)

    return call  # type: ignore[return-value]


@cache
def _error_state() -> tuple[ContextVar[Any], Any]:
    """The context variable that holds NumPy's treatment of floating-point errors, and its value for
    ignoring all of them.
    """

    def changed() -> tuple[ContextVar[Any], Any]:
        before = dict(copy_context())
        np.seterr(all="ignore")
        return next((v, new) for v, new in copy_context().items() if before.get(v) is not new)

    return copy_context().run(changed)
