"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from typing import IO, Any, TypeAlias

File: TypeAlias = str | os.PathLike[str] | IO[bytes]

_number = count().__next__


class CheckpointError(RuntimeError):
    """A file that is damaged, cut off or not a checkpoint. The message names it.

    >>> import io
    >>> tc.load(io.BytesIO(b"no checkpoint"))
    Traceback (most recent call last):
    tinygrad_cnn.serialization.files.CheckpointError: ...
    """


def write(f: File, parts: list[Any]) -> None:
    """Write the bytes of `parts` to an open binary file, or to the file with that name.

    The latter is first written beside its target, flushed to the disk, and then renamed. So at any
    moment there is the old file or the new one. An OSError names the target.
    """
    if not isinstance(f, (str, os.PathLike)):
        f.writelines(parts)
        return
    target = os.path.realpath(f)  # follows a link to the file itself
    parent, name = os.path.split(target)
    unique = f"{os.getpid()}-{threading.get_ident()}-{_number()}"
    scratch = os.path.join(parent, f".{name}.{unique}.tmp")
    try:
        with open(scratch, "xb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, target)
    except OSError as error:
        if error.filename is None:
            raise
        # name the file of the user, not the scratch file
        raise type(error)(error.errno, error.strerror, os.fspath(f)) from None
    finally:
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(scratch)
    if os.name == "posix":  # the directory entry reaches the disk too
        folder = os.open(parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def check_location(map_location: Any) -> None:
    """Raise NotImplementedError for a device other than the CPU."""
    if not callable(map_location) and not isinstance(map_location, Mapping):
        device = str(getattr(map_location, "type", map_location))
        if map_location is not None and device.partition(":")[0] != "cpu":
            raise NotImplementedError(
                f"load: map_location {map_location!r} is not available: the only one is the CPU"
            )
