"""From what a damaged or hostile file raises to one CheckpointError that names the file."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .files import CheckpointError

_LONGEST_MESSAGE = 1_000  # characters: a message may quote the file

_short = reprlib.Repr()
_short.maxlevel, _short.maxtuple, _short.maxstring, _short.maxother = 2, 8, 100, 100


def shown(value: Any) -> str:
    """A short text of a value of a file. Its own text could be longer than the memory of a machine."""
    return _short.repr(value)


@contextmanager
def errors_of(name: str) -> Iterator[None]:
    """Turn what a damaged or hostile file raises into one CheckpointError that names it."""
    try:
        yield
    except (ImportError, MemoryError, OSError):  # of bfloat16's package, and of the machine
        raise
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {_cut(error)}") from None
    except ValueError as error:  # of our checks, or of Python for damaged texts and numbers
        raise CheckpointError(f"{name}: is refused or damaged: {_cut(error)}") from None
    except Exception as error:  # of a damaged pickle, or of a function that the program allows
        kind = type(error).__name__
        raise CheckpointError(
            f"{name}: is damaged: its content makes no sense ({kind}: {_cut(error)})"
        ) from error


def _cut(error: Exception) -> str:
    text = str(error)
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}..."
