"""Scratch files: the content is written here before it takes the name of its target.

On Linux a scratch file has no name until it is complete: nothing is left of it if the process is
killed. On other systems, and in the moment before the rename, it has one of a few names that belong
to the target. Its writer then holds a lock, which ends with the process. So the next writer finds
and removes the scratch files of dead ones.

`scratch_windows.py` has the same functions for Windows.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from io import FileIO
from typing import IO, TypeAlias

Made: TypeAlias = tuple[FileIO, IO[bytes]]  # what holds the lock, and the writer


def unnamed(folder: str, mode: int) -> Made | None:
    """A new file without a name, locked, as from `named`. None where there are no such files."""
    if not hasattr(os, "O_TMPFILE") or not os.path.exists("/proc/self/fd"):
        return None
    try:
        held = _open(folder, os.O_TMPFILE | os.O_RDWR, mode)
    except OSError:
        return None
    with suppress(OSError):  # without locks, nobody sweeps
        _lock(held)
    return held, _writer(held)


def named(name: str, mode: int, lock: bool) -> Made | None:
    """A new file: what holds it, and its lock, until it is closed, and the writer of its content.

    A file whose name no other writer knows needs no lock. None if it cannot be locked.
    FileExistsError if there is a file with this name.
    """
    held = _open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
    try:
        if not lock or (_lock(held) and _is_name(name, held)):
            return held, _writer(held)
    except OSError:  # the file system has no locks
        os.unlink(name)
    held.close()  # another writer sweeps it, or it is removed
    return None


def link(held: FileIO, name: str) -> bool:
    """Give a name to a file that has none. FileExistsError if there is a file with this name."""
    # with a dir_fd, which is not used here, Python calls linkat, which follows the link
    path = f"/proc/self/fd/{held.fileno()}"
    os.link(path, name, src_dir_fd=held.fileno(), follow_symlinks=True)
    return True


def discard(held: FileIO, name: str) -> None:
    """Remove the name of a locked file, if it is still the name of this file."""
    with suppress(FileNotFoundError):
        if name and _is_name(name, held):
            os.unlink(name)


def sweep(name: str) -> bool:
    """Remove a scratch file whose writer is dead. Whether the name is free now, or will be."""
    try:
        with _open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK) as held:
            if _lock(held):
                discard(held, name)
    except FileNotFoundError:
        return True
    except OSError:  # not ours, or no locks
        return False
    return True


def _open(path: str, flags: int, mode: int = 0o600) -> FileIO:
    return FileIO(path, "r+", opener=lambda path, _: os.open(path, flags, mode))


def _writer(held: FileIO) -> IO[bytes]:
    return open(held.fileno(), "wb", closefd=False)


def _lock(held: FileIO) -> bool:
    """Lock an open file. False if another writer has the lock."""
    with suppress(BlockingIOError):
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _is_name(name: str, held: FileIO) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.lstat(name), os.fstat(held.fileno()))
    return False
