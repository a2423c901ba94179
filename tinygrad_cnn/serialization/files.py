"""Binary files: read within their bounds, written whole or not at all."""

from __future__ import annotations

import io
import mmap
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from typing import IO, Any, TypeAlias

import numpy as np

File: TypeAlias = str | os.PathLike[str] | IO[bytes]

_number = count().__next__
_LONGEST_LINE = 10_000  # bytes; pickles have names and numbers on lines


class CheckpointError(RuntimeError):
    """A file that is damaged, cut off or not a checkpoint. The message names it.

    >>> import io
    >>> tc.load(io.BytesIO(b"no checkpoint"))
    Traceback (most recent call last):
    tinygrad_cnn.serialization.files.CheckpointError: ...
    """


def is_path(f: Any) -> bool:
    """Whether `f` is the name of a file."""
    return isinstance(f, (str, os.PathLike))


# --- Read -----------------------------------------------------------------------------------------


class Stream:
    """An open binary file, from its present position to its end. CheckpointError past the end.

    Nothing is allocated for bytes that the file does not have.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._start = file.tell()
        file.seek(0, os.SEEK_END)
        self.size = file.tell() - self._start
        self.move(0)

    @classmethod
    def of(cls, data: bytes) -> Stream:
        """The Stream of bytes in memory."""
        return cls(io.BytesIO(data))

    def move(self, position: int) -> None:
        """Go to `position`, counted from the beginning."""
        self._file.seek(self._start + position)
        self.left = self.size - position

    def mapped(self) -> mmap.mmap:
        """A map of the whole file. Writing to it changes the memory of this program alone."""
        return mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY)

    def take(self, n: int) -> bytes:
        """The next n bytes."""
        if not 0 <= n <= self.left:
            raise CheckpointError("is cut off or damaged: it ends too early")
        data = self._file.read(n)
        self.left -= n
        if len(data) != n:
            raise CheckpointError("is cut off or damaged: it ends too early")
        return data

    def line(self) -> bytes:
        """The next line, without its end."""
        line = self._file.readline(min(self.left, _LONGEST_LINE))
        self.left -= len(line)
        if not line.endswith(b"\n"):
            raise CheckpointError("is cut off or damaged: a line has no end")
        return line[:-1]

    def fill(self, array: np.ndarray) -> None:
        """Read the next bytes into `array`, of uint8."""
        if array.size > self.left:
            raise CheckpointError("is cut off or damaged: it ends too early")
        read_into = getattr(self._file, "readinto", None)
        done = 0
        while done < array.size:
            if read_into is None:
                data = self._file.read(array.size - done)
                n = len(data)
                array[done : done + n] = np.frombuffer(data, np.uint8)
            else:
                n = read_into(array[done:])
            if not n:
                raise CheckpointError("is cut off or damaged: it ends too early")
            done += n
        self.left -= array.size


@contextmanager
def opened(f: File) -> Iterator[tuple[Stream, str]]:
    """The Stream of a file, and the name of the file for messages."""
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            yield Stream(file), os.fspath(f)
        return
    if not hasattr(f, "read"):
        raise AttributeError(
            f"load: wanted a file name or an open binary file, got {type(f).__name__}"
        )
    start = f.read(0)
    if not isinstance(start, bytes):
        raise TypeError("load: the file must be open in binary mode")
    try:
        f.seek(f.tell())
    except (AttributeError, OSError):  # such as a pipe
        f = io.BytesIO(f.read())
    yield Stream(f), str(getattr(f, "name", "the file"))


def check_location(map_location: Any) -> None:
    """Raise NotImplementedError for a device other than the CPU."""
    if not callable(map_location) and not isinstance(map_location, Mapping):
        device = str(getattr(map_location, "type", map_location))
        if map_location is not None and device.partition(":")[0] != "cpu":
            raise NotImplementedError(
                f"load: map_location {map_location!r} is not available: the only one is the CPU"
            )


# --- Write ----------------------------------------------------------------------------------------


def write(f: File, parts: Iterable[Any]) -> None:
    """Write the bytes of `parts` to an open binary file, or to the file with that name.

    The latter is first written beside its target, flushed to the disk, and then renamed. So at any
    moment there is the old file or the new one. An OSError names the target.
    """
    if not isinstance(f, (str, os.PathLike)):
        for part in parts:
            f.write(part)
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
