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
from typing import IO


def create(names: list[str], mode: int, unnamed: bool) -> tuple[FileIO, IO[bytes], str]:
    """A new scratch file: the lock, which is held until it is closed, the file, and its name.

    The name is one of `names`, or "" if the file has none yet: only if `unnamed`, and where the
    system has such files. The last of `names` must be random: it needs no lock, since no other
    writer knows it.
    """
    held, name = (_unnamed(names, mode) if unnamed else None) or _named(names, mode)
    return held, open(held.fileno(), "wb", closefd=False), name


def _unnamed(names: list[str], mode: int) -> tuple[FileIO, str] | None:
    """A file without a name. None if the system or the file system has no such files."""
    if not hasattr(os, "O_TMPFILE") or not os.path.exists("/proc/self/fd"):
        return None
    try:
        held = _open(os.path.dirname(names[0]), os.O_TMPFILE | os.O_RDWR, mode)
    except OSError:
        return None
    with suppress(OSError):  # without locks, nobody sweeps
        _lock(held)
    return held, ""


def _named(names: list[str], mode: int) -> tuple[FileIO, str]:
    for name in names:
        with suppress(FileExistsError):
            held = _open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
            try:
                if name == names[-1] or (_lock(held) and _is_name(name, held)):
                    return held, name
            except OSError:  # the file system has no locks
                os.unlink(name)
            held.close()  # another writer sweeps it, or it is removed
    raise FileExistsError(f"{names[-1]} exists")


def link(held: FileIO, names: list[str]) -> str:
    """Give a name to a file that has none, and return it. "" if a rule of the system forbids it."""
    for name in names:
        try:
            # with a dir_fd, which is not used here, Python calls linkat, which follows the link
            os.link(_path(held), name, src_dir_fd=held.fileno(), follow_symlinks=True)
            return name
        except FileExistsError:
            continue
        except OSError:  # such as profiles of AppArmor
            break
    return ""


def discard(held: FileIO, name: str) -> None:
    """Remove the name of a locked file, if it is still the name of this file."""
    with suppress(FileNotFoundError):
        if name and _is_name(name, held):
            os.unlink(name)


def sweep(name: str) -> None:
    """Remove a scratch file whose writer is dead. Otherwise nothing happens."""
    with suppress(OSError), _open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK) as held:
        if _lock(held):
            discard(held, name)


def _open(path: str, flags: int, mode: int = 0o600) -> FileIO:
    return FileIO(path, "r+", opener=lambda path, _: os.open(path, flags, mode))


def _lock(held: FileIO) -> bool:
    """Lock an open file. False if another writer has the lock."""
    with suppress(BlockingIOError):
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _path(held: FileIO) -> str:
    return f"/proc/self/fd/{held.fileno()}"


def _is_name(name: str, held: FileIO) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.lstat(name), os.fstat(held.fileno()))
    return False
