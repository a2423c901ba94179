"""Names that a package has not loaded: those it loads when asked for, and those that PyTorch has.

A module that few programs use is loaded on the first access to it or to one of its names, because
`import tinygrad_cnn` must take little longer than `import numpy`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

COVERAGE_PAGE = "docs/coverage.md"


def not_here(
    namespace: dict[str, Any],
    modules: tuple[str, ...] = (),
    names: Mapping[str, tuple[str, ...]] | None = None,
) -> None:
    """Define `__getattr__` and `__dir__` of a package, whose `globals()` is `namespace`.

    `modules` are submodules that are loaded on first access. `names` maps submodules to the public
    names that they give to the package, which are loaded with them (and by `import *`). For any
    other name `__getattr__` raises an AttributeError that says where to look.

    >>> tc.nn.Speech
    Traceback (most recent call last):
    AttributeError: tinygrad_cnn.nn has no 'Speech': docs/coverage.md lists the names that exist here
    """
    package = namespace["__name__"]
    homes = {name: module for module, given in (names or {}).items() for name in given}

    def __getattr__(name: str) -> Any:
        if name in homes:
            value = getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
            namespace[name] = value  # from now on without this function
            return value
        if name in modules:
            return importlib.import_module(f"{package}.{name}")
        if name.startswith("__"):  # Python itself asks for these
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        raise AttributeError(
            f"{package} has no {name!r}: {COVERAGE_PAGE} lists the names that exist here"
        )

    def __dir__() -> list[str]:
        return sorted({*namespace, *homes, *modules})

    namespace.update(__getattr__=__getattr__, __dir__=__dir__)
    if homes:
        namespace["__all__"] = [n for n in (*namespace, *homes) if not n.startswith("_")]
