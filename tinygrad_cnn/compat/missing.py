"""Names that a module has not: those that PyTorch has, and modules that are imported when asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

COVERAGE_PAGE = "docs/coverage.md"


def not_here(module: str, later: tuple[str, ...] = ()) -> Callable[[str], Any]:
    """The `__getattr__` of a module: an AttributeError that says where to look.

    Its submodules in `later` are imported instead, which takes too long to be done always.

    >>> tc.nn.LSTM
    Traceback (most recent call last):
    AttributeError: tinygrad_cnn.nn has no 'LSTM': docs/coverage.md lists the names that exist here
    """

    def __getattr__(name: str) -> Any:
        if name in later:
            return importlib.import_module(f"{module}.{name}")
        if name.startswith("__"):  # Python itself asks for these
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise AttributeError(
            f"{module} has no {name!r}: {COVERAGE_PAGE} lists the names that exist here"
        )

    return __getattr__
