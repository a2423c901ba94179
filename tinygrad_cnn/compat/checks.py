"""`torch._assert` and `torch._check`: checks that raise, and the name of a type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..engine import Recorded


def _assert(condition: Any, message: str) -> None:
    """AssertionError with the message unless the condition is true."""
    if not condition:
        raise AssertionError(message)


def _checker(name: str, error: type[Exception]) -> Callable[..., None]:
    def check(cond: Any, message: Callable[[], Any] | None = None) -> None:
        if isinstance(cond, Recorded) or not isinstance(cond, bool):
            raise TypeError(f"cond must be a bool, but got {type(cond)}")
        if cond:
            return
        if message is not None and not callable(message):
            raise TypeError("message must be a callable")
        raise error("Expected cond to be True, but got False." if message is None else message())

    check.__name__ = check.__qualname__ = name
    check.__doc__ = (
        f"{error.__name__} with the text that `message()` returns, unless `cond` is True."
    )
    return check


_check = _checker("_check", RuntimeError)
_check_index = _checker("_check_index", IndexError)
_check_value = _checker("_check_value", ValueError)
_check_type = _checker("_check_type", TypeError)
_check_not_implemented = _checker("_check_not_implemented", NotImplementedError)
