"""Scratch files on Windows: see `scratch.py`.

An open file cannot be renamed there. So the lock is a second file beside the scratch file, which
the system removes when its handle is closed, also if the process is killed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from io import FileIO
from typing import IO, TypeAlias

Made: TypeAlias = tuple[FileIO, IO[bytes]]  # what holds the lock, and the writer


def unnamed(folder: str, mode: int) -> Made | None:
    """None: each file has a name."""
    return None


def named(name: str, mode: int, lock: bool) -> Made:
    """A new file: what holds its lock until it is closed, and the writer of its content.

    FileExistsError if another writer has the lock.
    """
    held = _lock(name)
    try:
        return held, open(name, "wb")
    except BaseException:
        held.close()
        raise


def link(held: FileIO, name: str) -> bool:
    """Not called: each file has a name."""
    return False


def discard(held: FileIO, name: str) -> None:
    """Remove a closed scratch file whose lock is held."""
    with suppress(FileNotFoundError):
        os.unlink(name)


def sweep(name: str) -> bool:
    """Remove a scratch file whose writer is dead. Whether the name is free now, or will be."""
    if os.path.exists(name):
        try:
            with _lock(name) as held:
                discard(held, name)
        except OSError as error:
            return isinstance(error, FileExistsError)
    return True


def _lock(name: str) -> FileIO:
    """An open file that exists until it is closed. FileExistsError if another writer has it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_TEMPORARY  # type: ignore[attr-defined]
    return FileIO(f"{name}.lock", "r+", opener=lambda path, _: os.open(path, flags, 0o600))
