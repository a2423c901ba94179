"""Functions and classes that a program allows in the files that it loads."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "safe_globals"]

Trust: TypeAlias = Any  # a function or class, or a pair of one and the name that files use for it

BLOCKED = ("sys", "os", "posix", "nt", "subprocess")
_allowed: list[Trust] = []


def _checked(values: Iterable[Trust]) -> list[Trust]:
    """The values as a list. TypeError for those that cannot be allowed."""
    values = list(values)
    for value in values:
        if isinstance(value, tuple) and (len(value) != 2 or not isinstance(value[1], str)):
            raise TypeError(
                f"safe_globals: wanted a function, a class or a pair (it, its name), got {value!r}"
            )
        function = value[0] if isinstance(value, tuple) else value
        if not callable(function):
            raise TypeError(f"safe_globals: wanted functions and classes, got {function!r}")
        if not isinstance(value, tuple) and not hasattr(value, "__qualname__"):
            raise TypeError(f"safe_globals: wanted a pair with a name, {function!r} has none")
    return values


def path_of(value: Trust) -> str:
    """The name that files use."""
    return value[1] if isinstance(value, tuple) else f"{value.__module__}.{value.__qualname__}"


def add_safe_globals(safe_globals: list[Trust]) -> None:
    """Allow functions and classes in all files that are loaded from now on.

    `load` may call what is listed, with any arguments: list only functions that can do no harm. A
    pair of a class and a text gives the name that files use for it. TypeError for other values.

    >>> import types
    >>> tc.serialization.add_safe_globals([types.SimpleNamespace])
    >>> tc.serialization.get_safe_globals()
    [<class 'types.SimpleNamespace'>]
    >>> tc.serialization.clear_safe_globals()
    """
    _allowed.extend(value for value in _checked(safe_globals) if value not in _allowed)


def get_safe_globals() -> list[Trust]:
    """The functions and classes that were allowed.

    >>> tc.serialization.get_safe_globals()
    []
    """
    return list(_allowed)


def clear_safe_globals() -> None:
    """Allow only what every file may use.

    >>> tc.serialization.clear_safe_globals()
    """
    _allowed.clear()


class safe_globals:
    """Allow functions and classes in the files that are loaded in a `with` block.

    >>> import io, types
    >>> file = io.BytesIO()
    >>> with tc.serialization.safe_globals([types.SimpleNamespace]):
    ...     tc.save({"settings": types.SimpleNamespace(lr=0.1)}, file)
    ...     _ = file.seek(0)
    ...     tc.load(file)
    {'settings': namespace(lr=0.1)}
    """

    def __init__(self, safe_globals: list[Trust]) -> None:
        self.safe_globals = _checked(safe_globals)
        self._before: list[Trust] = []

    def __enter__(self) -> None:
        self._before = get_safe_globals()
        add_safe_globals(self.safe_globals)

    def __exit__(
        self,
        type: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        _allowed[:] = self._before


class Trusted:
    """What is allowed while one file is read or written."""

    def __init__(self) -> None:
        self._by_path: dict[str, Any] = {}
        for value in _allowed:
            function = value[0] if isinstance(value, tuple) else value
            module = path_of(value).partition(".")[0]
            # no function of Python's own, such as eval; NumPy's types are built from checked parts
            harmless = module != "builtins" or isinstance(function, type)
            if module not in BLOCKED and harmless and function not in (np.ndarray, np.dtype):
                self._by_path[path_of(value)] = function
        self._paths = {id(value): path for path, value in self._by_path.items()}

    def find(self, path: str) -> Any:
        """The function or class with this name, None if it is not allowed."""
        return self._by_path.get(path)

    def knows(self, value: Any) -> bool:
        """Whether this function or class is allowed."""
        return id(value) in self._paths

    def path(self, value: Any) -> str:
        """The name of a function or class that is allowed."""
        return self._paths[id(value)]
