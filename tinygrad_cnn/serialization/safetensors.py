"""The format of safetensors. It is written with the package of that name, and read without it.

A file is the length of its header (8 bytes), the header, and the bytes of the tensors. The header is
JSON: a dict that gives the dtype, the shape, and the beginning and end of the bytes of each tensor.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..creation import from_numpy
from ..tensor import Tensor
from .failures import errors_of, shown
from .files import CheckpointError, Stream, check_location, opened
from .structure import Objects, check_limit
from .writing import write


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
    try:
        import safetensors.numpy as package
    except ImportError:
        raise ImportError(
            "files in the format of safetensors need the package: "
            "pip install 'tinygrad_cnn[safetensors]'"
        ) from None
    write(filename, [package.save(arrays, metadata or {"format": "pt"})])


def load_file(
    filename: str | os.PathLike[str], device: Any = "cpu", *, max_objects: int | None = None
) -> dict[str, Tensor]:
    """The Tensors in a file, by name. See `decode`, and `load` for `max_objects`."""
    check_location(device)
    check_limit(max_objects)
    with opened(filename) as (stream, name), errors_of(name):
        return decode(stream, Objects(stream.size, max_objects))


_DTYPES = {
    "F64": "f8", "F32": "f4", "F16": "f2", "BF16": "u2", "BOOL": "?", "I64": "i8", "I32": "i4",
    "I16": "i2", "I8": "i1", "U64": "u8", "U32": "u4", "U16": "u2", "U8": "u1",
}  # fmt: skip
_LONGEST_HEADER = 100_000_000  # bytes, as in the package
_MOST_AXES = 64  # of an array of NumPy
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_BRACKETS = re.compile(rb"\{(?:\{(?:\[\])*+\})*+\}")  # a dict of dicts that hold lists
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)


def decode(stream: Stream, objects: Objects) -> dict[str, Tensor]:
    """The Tensors in a file, by name. bfloat16 becomes float32.

    The format has no checksum. So CheckpointError tells only of a file that is cut off, of a wrong
    header, and of unknown dtypes.
    """
    length = int.from_bytes(stream.take(8), "little")
    if length > _LONGEST_HEADER:
        raise CheckpointError(f"is refused or damaged: its header has {length} bytes")
    entries = _header(stream.take(length), objects)
    position, found = 0, {}
    for name, (start, end, code, shape) in sorted(entries.items(), key=lambda item: item[1][:2]):
        if start != position:
            raise ValueError(f"the bytes of {name} do not follow those of another tensor")
        if end - start > stream.left:
            raise CheckpointError(f"is cut off or damaged: {name} is not in it")
        raw = np.empty(end - start, np.uint8)
        stream.fill(raw)
        found[name] = from_numpy(_array(raw, code, shape))
        position = end
    if stream.left:
        raise ValueError(f"{stream.left} bytes at its end belong to no tensor")
    return {name: found[name] for name in entries}


def _header(text: bytes, objects: Objects) -> dict[str, tuple[int, int, str, list[int]]]:
    """For each tensor, where its bytes begin and end, its dtype and its shape. All are checked."""
    if text[:1] != b"{":
        raise ValueError("its header is no dict")
    brackets = _STRING.sub(b"", text).translate(None, _NO_BRACKETS)
    objects.make(2 * len(brackets))
    if not _BRACKETS.fullmatch(brackets):  # json.loads needs stack for each level
        raise ValueError("its header is nested otherwise than one of tensors")
    header = json.loads(text.decode("utf-8"), object_pairs_hook=_once)
    metadata = header.pop("__metadata__", None) or {}
    if type(metadata) is not dict or not all(type(value) is str for value in metadata.values()):
        raise ValueError("its metadata are no dict of texts")
    return {name: _entry(name, entry) for name, entry in header.items()}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The dict of the pairs. ValueError for a name that occurs twice."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name occurs twice in its header")
    return made


def _entry(name: str, entry: Any) -> tuple[int, int, str, list[int]]:
    if type(entry) is not dict or not entry.keys() >= {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"the entry of {name} makes no sense")
    code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if type(code) is not str or code not in _DTYPES:
        raise CheckpointError(f"is not supported: {name} has the unsupported dtype {code}")
    for numbers in (shape, offsets):
        if type(numbers) is not list or not all(type(n) is int and 0 <= n < 2**63 for n in numbers):
            raise ValueError(f"the entry of {name} makes no sense")
    itemsize = np.dtype(_DTYPES[code]).itemsize
    if (
        len(offsets) != 2 or len(shape) > _MOST_AXES
        or math.prod(shape) * itemsize != offsets[1] - offsets[0]
    ):  # fmt: skip
        raise ValueError(
            f"{name} of shape {shown(shape)} and dtype {code} has the bytes {shown(offsets)}"
        )
    return offsets[0], offsets[1], code, shape


def _array(raw: np.ndarray, code: str, shape: list[int]) -> np.ndarray:
    """The array of its bytes."""
    array = raw.view("<" + _DTYPES[code]).reshape(shape)
    if code == "BOOL" and raw.size and raw.max() > 1:
        raise ValueError("a tensor of bool has other bytes than 0 and 1")
    if code == "BF16":  # the upper half of a float32
        wide = array.astype(np.uint32)
        wide <<= 16
        array = wide.view(np.float32)
    return array.astype(array.dtype.newbyteorder("="), copy=False)
