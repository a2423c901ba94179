"""Tensors in memory that several processes see: `share_memory_`.

The memory is a mapped file, in /dev/shm where the system has that. Processes of `multiprocessing` get
the name of the file instead of a copy. The process that made the file removes it with the last Tensor
in that memory; if it is killed, the file stays.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from contextlib import suppress
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np

FOLDER = (
    "/dev/shm" if os.path.isdir("/dev/shm") else None
)  # None: the system's folder for such files


class _Memory(np.ndarray):
    """All bytes of a mapped file: the array that owns the memory of shared Tensors."""

    path: str


def _mapped(path: str, descriptor: int, nbytes: int) -> _Memory:
    try:
        memory = _Memory((nbytes,), np.uint8, buffer=mmap.mmap(descriptor, nbytes))
    finally:
        os.close(descriptor)
    memory.path = path
    return memory


def _remove(path: str, process: int) -> None:
    if os.getpid() == process:
        with suppress(OSError):  # Windows keeps a file that another process has mapped
            os.unlink(path)


def memory_of(array: Any) -> Any:
    """The mapped memory that an array is in, or None."""
    while array is not None and not isinstance(array, _Memory):
        array = getattr(array, "base", None)
    return array


def shared_copy(array: np.ndarray) -> np.ndarray:
    """A copy in memory that other processes see."""
    descriptor, path = tempfile.mkstemp(prefix="tinygrad_cnn_", dir=FOLDER)
    nbytes = max(array.nbytes, 1)
    os.truncate(descriptor, nbytes)
    memory = _mapped(path, descriptor, nbytes)
    weakref.finalize(memory, _remove, path, os.getpid())
    found = memory.view(np.ndarray)[: array.nbytes].view(array.dtype).reshape(array.shape)
    found[...] = array
    return found


class _Handle:
    """An array in shared memory, as another process gets it."""

    def __init__(self, memory: _Memory, array: np.ndarray):
        offset = array.ctypes.data - memory.ctypes.data
        self._place = memory.path, array.dtype, array.shape, array.strides, offset

    def __reduce__(self) -> Any:
        return _attached, self._place


def _attached(path: str, dtype: Any, shape: Any, strides: Any, offset: int) -> np.ndarray:
    descriptor = os.open(path, os.O_RDWR)
    memory = _mapped(path, descriptor, os.fstat(descriptor).st_size)
    return np.ndarray(shape, dtype, memory, offset, strides)


def _reduce(tensor: Any) -> Any:
    """How `multiprocessing` sends a Tensor: by the name of its memory, if that is shared."""
    function, (cls, array, *rest) = tensor.__reduce_ex__(2)
    memory = memory_of(array)
    return function, (cls, array if memory is None else _Handle(memory, array), *rest)


def sent_by_name(cls: type) -> None:
    """Let `multiprocessing` send shared Tensors of a class by name."""
    ForkingPickler.register(cls, _reduce)
