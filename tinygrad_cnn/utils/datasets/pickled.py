"""Dicts of arrays of bytes in Python's pickle format, such as CIFAR's batches. A file runs no code.

A pickle names functions that the reader calls. Here each name stands for a function of this file,
which builds nothing but arrays of bytes; every other name is an error. The file gets these functions
as `_Function` objects, which it can only call: it cannot set their attributes.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["read_pickle"]


class _Function:
    """A function that a pickle may call."""

    __slots__ = ("call",)

    def __init__(self, call: Any):
        self.call = call

    def __call__(self, *args: Any) -> Any:
        return self.call(*args)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("a function with a state")


class _DType:
    """The dtype of an array. Only bytes are read, so it has no content."""

    def __init__(self, name: Any, *options: Any):
        if name not in ("u1", "uint8"):
            raise pickle.UnpicklingError(f"an array of dtype {name!r}, only 'u1' is read")

    def __setstate__(self, state: Any) -> None:
        pass


class _Array:
    """An array whose content follows: `_array` of it when the file is read."""

    array: np.ndarray | None = None

    def __init__(self, cls: Any, shape: Any, kind: Any):
        pass

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran_order, content = state
        if not isinstance(dtype, _DType):
            raise pickle.UnpicklingError("an array without a dtype")
        self.array = _from_bytes(content, shape, "F" if fortran_order else "C")


def _from_bytes(content: Any, shape: Any, order: Any) -> np.ndarray:
    if isinstance(content, str):  # of Python 2
        content = content.encode("latin1")
    flat = np.frombuffer(content, np.uint8)
    return flat.reshape(shape, order=order)


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    if not isinstance(dtype, _DType):
        raise pickle.UnpicklingError("an array without a dtype")
    return _from_bytes(content, shape, order)


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding!r}")
    return text.encode("latin1")


_KNOWN = {
    "numpy.dtype": _Function(_DType),
    "numpy.ndarray": None,  # the first argument of _reconstruct
    "_codecs.encode": _Function(_encode),
    "numpy.core.multiarray._reconstruct": _Function(_Array),
    "numpy._core.multiarray._reconstruct": _Function(_Array),
    "numpy.core.numeric._frombuffer": _Function(_from_buffer),
    "numpy._core.numeric._frombuffer": _Function(_from_buffer),
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        path = f"{module}.{name}"
        if path not in _KNOWN:
            raise pickle.UnpicklingError(f"the name {path}, only arrays are read")
        return _KNOWN[path]

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("a reference to another file")


def read_pickle(path: Path) -> dict[str, Any]:
    """The dict in a pickle, with its arrays of bytes. RuntimeError for a file with any other content."""
    try:
        with open(path, "rb") as file:
            found = _Reader(file, encoding="latin1").load()
    except OSError:
        raise
    except Exception as error:  # a damaged pickle may raise any
        raise RuntimeError(f"{path}: is no batch of images, or is damaged: {error}") from None
    if not isinstance(found, dict):
        raise RuntimeError(f"{path}: holds no dict, but {type(found).__name__}")
    names = (k.decode("latin1") if isinstance(k, bytes) else k for k in found)
    values = (v.array if isinstance(v, _Array) else v for v in found.values())
    return dict(zip(names, values, strict=True))
