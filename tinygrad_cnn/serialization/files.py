"""Binary files, read within their bounds. `writing.py` writes them."""

from __future__ import annotations

import io
import mmap
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, TypeAlias

import numpy as np

File: TypeAlias = str | os.PathLike[str] | IO[bytes]

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
        if isinstance(self._file, io.BytesIO):
            raise CheckpointError("is a pipe or a device: mmap cannot be used")
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
            yield Stream(_with_seek(file)), os.fspath(f)
        return
    if not hasattr(f, "read"):
        raise AttributeError(
            f"load: wanted a file name or an open binary file, got {type(f).__name__}"
        )
    start = f.read(0)
    if not isinstance(start, bytes):
        raise TypeError("load: the file must be open in binary mode")
    yield Stream(_with_seek(f)), str(getattr(f, "name", "the file"))


def _with_seek(file: IO[bytes]) -> IO[bytes]:
    """The file, or its content in memory if it has no positions, such as a pipe."""
    try:
        file.seek(file.tell())
    except (AttributeError, OSError):
        return io.BytesIO(file.read())
    return file


def check_location(map_location: Any) -> None:
    """Raise NotImplementedError for a device other than the CPU."""
    if not callable(map_location) and not isinstance(map_location, Mapping):
        device = str(getattr(map_location, "type", map_location))
        if map_location is not None and device.partition(":")[0] != "cpu":
            raise NotImplementedError(
                f"load: map_location {map_location!r} is not available: the only one is the CPU"
            )
