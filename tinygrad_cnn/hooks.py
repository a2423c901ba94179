"""The handle that removes a hook again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import engine


class RemovableHandle:
    """Registers a hook in `hooks` under a new number. `remove()` or leaving a `with` removes it.

    >>> x = tc.ones(2, requires_grad=True)
    >>> with x.register_hook(lambda grad: 2 * grad):
    ...     x.sum().backward()
    >>> x.grad
    tensor([2., 2.])
    """

    def __init__(self, hooks: dict[int, Any], hook: Callable[..., Any]):
        self._hooks = hooks
        self.id = engine.next_number()
        hooks[self.id] = hook

    def remove(self) -> None:
        """Remove the hook. A second time does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()
