"""The format of safetensors, read and written with the package of that name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..creation import from_numpy
from ..tensor import Tensor
from .files import CheckpointError, check_location
from .writing import write


def _package() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            "files in the format of safetensors need the package: "
            "pip install 'tinygrad_cnn[safetensors]'"
        ) from None
    return safetensors


def save_file(
    tensors: Mapping[str, Any],
    filename: str | os.PathLike[str],
    metadata: dict[str, str] | None = None,
) -> None:
    """Write a dict of names and Tensors or arrays. Raises TypeError for any other object.

    Arrays that are not contiguous are copied first: the package itself would write wrong numbers.
    """
    arrays = {}
    for name, value in tensors.items() if isinstance(tensors, Mapping) else [(None, tensors)]:
        if not isinstance(name, str) or not isinstance(value, (Tensor, np.ndarray)):
            raise TypeError(
                "save: a .safetensors file holds one dict of names and tensors, got "
                f"{type(tensors if name is None else value).__name__} for {name!r}"
            )
        array = value._array if isinstance(value, Tensor) else value
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        arrays[name] = np.ascontiguousarray(little).reshape(array.shape)  # it makes 0-d arrays 1-d
    write(filename, [_package().numpy.save(arrays, metadata or {"format": "pt"})])


def load_file(filename: str | os.PathLike[str], device: Any = "cpu") -> dict[str, Tensor]:
    """The Tensors in a file, by name. See `decode`."""
    check_location(device)
    with open(filename, "rb") as file:
        try:
            return decode(file.read())
        except CheckpointError as error:
            raise CheckpointError(f"{os.fspath(filename)}: {error}") from None


_DTYPES = {
    "F64": "f8", "F32": "f4", "F16": "f2", "BF16": "u2", "BOOL": "?", "I64": "i8", "I32": "i4",
    "I16": "i2", "I8": "i1", "U64": "u8", "U32": "u4", "U16": "u2", "U8": "u1",
}  # fmt: skip


def decode(data: bytes) -> dict[str, Tensor]:
    """The Tensors in the bytes of a file, by name. bfloat16 becomes float32.

    The format has no checksum. So CheckpointError tells only of a file that is cut off, of a wrong
    header, and of unknown dtypes.
    """
    package = _package()
    try:
        entries = package.deserialize(data)
    except package.SafetensorError as error:
        raise CheckpointError(f"is cut off or damaged: {error}") from None
    found = {}
    for key, entry in entries:
        if entry["dtype"] not in _DTYPES:
            raise CheckpointError(
                f"is not supported: {key} has the unsupported dtype {entry['dtype']}"
            )
        dtype = np.dtype("<" + _DTYPES[entry["dtype"]])
        array = np.frombuffer(entry["data"], dtype).reshape(entry["shape"])
        if entry["dtype"] == "BF16":  # the upper half of a float32
            array = (array.astype(np.uint32) << 16).view(np.float32)
        found[key] = from_numpy(array.astype(array.dtype.newbyteorder("=")))
    return found
