"""The error for a name that PyTorch has and this package has not."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

COVERAGE_PAGE = "docs/coverage.md"


def not_here(module: str) -> Callable[[str], NoReturn]:
    """The `__getattr__` of a module: an AttributeError that says where to look.

    >>> tc.nn.LSTM
    Traceback (most recent call last):
    AttributeError: tinygrad_cnn.nn has no 'LSTM': docs/coverage.md lists the names that exist here
    """

    def __getattr__(name: str) -> NoReturn:
        if name.startswith("__"):  # Python itself asks for these
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise AttributeError(
            f"{module} has no {name!r}: {COVERAGE_PAGE} lists the names that exist here"
        )

    return __getattr__
