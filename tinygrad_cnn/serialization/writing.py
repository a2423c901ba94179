"""Write a file as a whole: its name stands for the old content until it stands for the new one.

The content goes to a scratch file in the folder of the target, is flushed to the disk, and takes
the name of the target in one step. `scratch.py` has scratch files.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TypeVar

from .files import File

if sys.platform == "win32":
    from . import scratch_windows as scratch
else:
    from . import scratch

_T = TypeVar("_T")

_COUNT = 8  # names of scratch files of a target, for writers at the same time
_PATIENCE_SECONDS = 10.0  # until the writers of all names are taken for stuck
_PAUSE_SECONDS = 0.001
_BLOCK = 1 << 20  # bytes
_CANNOT = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}  # fsync, of such a file
_KEPT = ("user.", "system.posix_acl_access", "security.selinux")  # extended attributes


def write(f: File, parts: Iterable[Any]) -> None:
    """Write the bytes of `parts` to an open binary file, or to the file with that name.

    A named file is replaced: at any moment its name stands for the whole old content or for the
    whole new content, whatever happens to the process or the machine. The new file has the mode,
    the owner, the access list and the attributes of the old one, as far as the process may set
    them. A link stays a link. Other hard links to the old file keep the old content. Devices,
    pipes and open files (`/dev/stdout`) are written into.

    OSError names the path of the caller. As for `open`, PermissionError if the old file may not be
    written; also if no file may be made in its folder.
    """
    if not isinstance(f, (str, os.PathLike)):
        for part in parts:
            f.write(part)
        return
    path = os.fspath(f)
    try:
        if not _is_replaced(path):
            _write_into(path, parts)
        else:
            _replace(os.path.realpath(path), parts)  # of a link, its file
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, path) from None


def _is_replaced(path: str) -> bool:
    """Whether the path names a regular file that may be written, or no file.

    OSError for a loop of links, and for a file that `open` would not write.
    """
    folder, name = os.path.split(path)
    folder = os.path.realpath(folder)
    if folder in ("/dev", "/dev/fd") or folder.startswith("/proc/"):  # devices and open files
        return False
    if name in ("", ".", ".."):  # a folder, or an error
        return False
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        os.close(os.open(path, os.O_WRONLY))
    except FileNotFoundError:
        pass
    return True


def _write_into(path: str, parts: Iterable[Any]) -> None:
    with open(path, "wb") as file:
        file.writelines(parts)
        file.flush()
        _flush(file.fileno())


def _replace(target: str, parts: Iterable[Any], unnamed: bool = True) -> None:
    """Write a scratch file, at first `unnamed` where the system can, and rename it to the target."""
    folder = os.path.dirname(target)
    names = _scratch_names(target)
    for name in names:
        scratch.sweep(name)
    mode = 0o600 if os.path.exists(target) else 0o666  # private until the old mode is copied
    name, (held, file) = _create(folder, names, mode, unnamed)
    with held:
        try:
            with file:
                file.writelines(parts)
                file.flush()
                _copy_attributes(target, file.fileno())
                _flush(file.fileno())
            try:
                name = name or _take(names, lambda name: scratch.link(held, name))[0]
            except OSError:  # a rule of the system, such as a profile of AppArmor, forbids it
                held.seek(0)
                return _replace(target, iter(lambda: held.read(_BLOCK), b""), unnamed=False)
            os.replace(name, target)
        except BaseException:
            scratch.discard(held, name)
            raise
    _flush_folder(folder)


def _scratch_names(target: str) -> list[str]:
    """The names that a scratch file may have: those of this target, and a random one as the last.

    They are short enough for any file system, however long the name of the target is.
    """
    folder, name = os.path.split(target)
    stem = os.path.join(folder, f".{name[:40]}.{zlib.crc32(os.fsencode(name)):08x}")
    return [f"{stem}-{k}.tmp" for k in [*range(_COUNT), os.urandom(8).hex()]]


def _create(folder: str, names: list[str], mode: int, unnamed: bool) -> tuple[str, scratch.Made]:
    """A scratch file, after its name, which is "" if it has none yet."""
    try:
        made = scratch.unnamed(folder, mode) if unnamed else None
        if made is not None:
            return "", made
        return _take(names, lambda name: scratch.named(name, mode, name != names[-1]))
    except PermissionError as error:
        text = f"{error.strerror}: a file is replaced as a whole, by another one in its folder"
        raise PermissionError(error.errno, text) from None


def _take(names: list[str], make: Callable[[str], _T | None]) -> tuple[str, _T]:
    """What `make` returns for the first name that is free, after the name.

    If all have living writers, it waits for one of them. The random name is the last resort, since
    nobody would sweep it.
    """
    end = time.monotonic() + _PATIENCE_SECONDS
    wait = True
    while wait and time.monotonic() < end:
        wait = False
        for name in names[:-1]:
            try:
                made = make(name)
            except FileExistsError:
                wait |= scratch.sweep(name)
            else:
                if made is not None:
                    return name, made
        time.sleep(_PAUSE_SECONDS * wait)
    made = make(names[-1])
    if made is None:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    return names[-1], made


def _copy_attributes(target: str, fd: int) -> None:
    """Give the open file the owner, access list and mode of the target, as far as allowed."""
    if sys.platform == "win32":  # a new file has the access list of its folder
        return
    try:
        old = os.stat(target)
    except FileNotFoundError:
        return
    mode, new = stat.S_IMODE(old.st_mode), os.fstat(fd)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        try:
            os.fchown(fd, old.st_uid, old.st_gid)
        except OSError:
            mode &= 0o777
            try:
                os.fchown(fd, -1, old.st_gid)
            except OSError:  # the rights of the old group are not for another one
                mode = mode & 0o707 | (mode & 0o007) << 3
    with suppress(OSError):
        _copy_extended(target, fd)
    with suppress(OSError):
        os.fchmod(fd, mode)


def _copy_extended(target: str, fd: int) -> None:
    """Give the open file the extended attributes of the target, and no others of these kinds."""
    if sys.platform != "linux":
        return
    kept = [name for name in os.listxattr(target) if name.startswith(_KEPT)]
    for name in os.listxattr(fd):
        if name.startswith(_KEPT) and name not in kept:  # the default access list of the folder
            with suppress(OSError):
                os.removexattr(fd, name)
    for name in kept:
        with suppress(OSError):
            os.setxattr(fd, name, os.getxattr(target, name))


def _flush(fd: int) -> None:
    """Wait until the file is on the disk, if it can be."""
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise


def _flush_folder(folder: str) -> None:
    """Wait until the names in the folder are on the disk, where a program may ask for it."""
    if sys.platform == "win32":
        return
    try:
        fd = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder that may not be read
        return
    try:
        _flush(fd)
    finally:
        os.close(fd)
