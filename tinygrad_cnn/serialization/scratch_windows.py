"""Scratch files on Windows: see `scratch.py`.

An open file cannot be renamed there. So the lock is a second file beside the scratch file, which
the system removes when its handle is closed, also if the process is killed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from io import FileIO
from typing import IO


def create(names: list[str], mode: int, unnamed: bool) -> tuple[FileIO, IO[bytes], str]:
    """A new scratch file: the lock, which is held until it is closed, the file, and its name."""
    for name in names[:-1]:
        with suppress(FileExistsError, PermissionError):  # the lock of another writer
            return _lock(name), open(name, "wb"), name
    return _lock(names[-1]), open(names[-1], "wb"), names[-1]


def link(held: FileIO, names: list[str]) -> str:
    """Not called: each scratch file has a name."""
    return ""


def discard(held: FileIO, name: str) -> None:
    """Remove a closed scratch file whose lock is held."""
    with suppress(FileNotFoundError):
        os.unlink(name)


def sweep(name: str) -> None:
    """Remove a scratch file whose writer is dead. Otherwise nothing happens."""
    if os.path.exists(name):
        with suppress(OSError), _lock(name) as held:
            discard(held, name)


def _lock(name: str) -> FileIO:
    """An open file that exists until it is closed. OSError if another writer has it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_TEMPORARY  # type: ignore[attr-defined]
    return FileIO(f"{name}.lock", "r+", opener=lambda path, _: os.open(path, flags, 0o600))
