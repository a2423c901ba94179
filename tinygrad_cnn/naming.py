"""Public classes own the methods that they inherit from private bases.

Python names a function in the error for wrong arguments by its `__qualname__`: without this module
`nn.Conv2d(channels=3)` would be an error of `_Conv.__init__()`.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any


def own_methods(namespace: dict[str, Any]) -> None:
    """Give the public classes of a package, or module, copies of the methods of private bases.

    `namespace` is its `globals()`. Classes whose names there have no underscore are public, and other
    classes of the same package are private. A copy shares the code object: debuggers, profilers and
    `super()` see no difference.
    """
    package = namespace["__name__"]
    public = {
        value
        for name, value in namespace.items()
        if isinstance(value, type) and not name.startswith("_")
    }
    for cls in public:
        for base in cls.__mro__[1:]:
            if base in public or not f"{base.__module__}.".startswith(f"{package}."):
                break  # it has its own names
            for name, function in vars(base).items():
                if not isinstance(function, FunctionType):
                    continue
                owner = function.__qualname__.rpartition(".")[0]
                if owner.endswith(base.__name__) and getattr(cls, name) is function:
                    setattr(cls, name, _copy(function, f"{cls.__name__}.{name}"))


def _copy(function: FunctionType, qualname: str) -> FunctionType:
    f = function
    copy = FunctionType(f.__code__, f.__globals__, f.__name__, f.__defaults__, f.__closure__)
    copy.__kwdefaults__, copy.__annotations__ = f.__kwdefaults__, f.__annotations__
    copy.__doc__, copy.__module__, copy.__qualname__ = f.__doc__, f.__module__, qualname
    vars(copy).update(vars(f))
    return copy
