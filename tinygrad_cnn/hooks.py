"""The handle that removes a hook again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import engine


class RemovableHandle:
    """Registers a hook in `hooks` under a new number. `remove()` or leaving a `with` removes it.

    Without `hook`, whoever made the handle puts one under its `id`. `extra_dict`, one dict or several,
    lose their entry of that number too.

    >>> x = tc.ones(2, requires_grad=True)
    >>> with x.register_hook(lambda grad: 2 * grad):
    ...     x.sum().backward()
    >>> x.grad
    tensor([2., 2.])
    """

    def __init__(
        self,
        hooks_dict: dict[int, Any],
        hook: Callable[..., Any] | None = None,
        *,
        extra_dict: Any = None,
    ):
        extra = extra_dict if isinstance(extra_dict, (list, tuple)) else [extra_dict]
        self._dicts = [hooks_dict, *(d for d in extra if d is not None)]
        self.id = engine.next_number()
        if hook is not None:
            hooks_dict[self.id] = hook

    def remove(self) -> None:
        """Remove the hook. A second time does nothing."""
        for hooks in self._dicts:
            hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()
