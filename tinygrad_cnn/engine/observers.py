"""Observers: they see every op and every vjp run. Free when there are none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from ..atomic import Block, Change, as_one
from .modes import special
from .nodes import Node, Operation


class Observer:
    """Sees each op and each vjp run, in every thread, inside `with observe(observer)`.

    Pictures, the profiler and the anomaly mode are observers. Override what you need.

    >>> import tinygrad_cnn as tc
    >>> class Names(Observer):
    ...     def op_begins(self, op):
    ...         print(op.name)
    >>> with observe(Names()):
    ...     _ = tc.ones(2).exp().sum()
    exp
    sum
    """

    def op_called(self, op: Operation, attributes: dict[str, Any]) -> None:
        """An op was called with all of these attributes; `op_begins` follows."""

    def op_begins(self, op: Operation) -> None:
        """An op is about to run on a Tensor."""

    def op_ran(
        self, op: Operation, inputs: tuple[Any, ...], output: Any, node: Node | None
    ) -> None:
        """It ran: its inputs as given, its output Tensor, and its node if it was recorded."""

    def vjp_begins(self, node: Node, g: Any) -> None:
        """The vjps of `node` are about to run on the cotangent `g`."""

    def vjp_ran(self, node: Node, g: Any, gradients: Sequence[Any]) -> None:
        """They ran: one gradient for each parent, None where none was needed."""


def user_line(packages: tuple[str, ...]) -> str:
    """The innermost running line of code outside `packages`: "file:number, in function".

    `packages` are the folders of code that is not the user's, each with a separator at its end.

    >>> user_line(("/no/such/folder/",)).endswith(":1, in <module>")
    True
    """
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith(packages):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}, in {frame.f_code.co_name}"


observers: list[Observer] = []
O = TypeVar("O")


class observe(Block, Generic[O]):
    """Show `observer` every op and every vjp while the block runs; `as` gives the observer.

    >>> with observe(Observer()) as observer:
    ...     type(observer).__name__
    'Observer'
    """

    def __init__(self, observer: O):
        self._observer = observer

    def _changes(self) -> tuple[tuple[Change, ...], Change]:
        return watching(self._observer)

    def __enter__(self) -> O:
        super().__enter__()
        return self._observer


def watching(observer: Any) -> tuple[tuple[Change, ...], Change]:
    """The changes that show `observer` every op, and the change that ends it."""
    key = object()
    return (
        (partial(special.__setitem__, key, "observer"), partial(observers.append, observer)),
        as_one(partial(observers.remove, observer), partial(special.pop, key, None)),
    )
