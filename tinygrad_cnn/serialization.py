"""Checkpoints: nests of tensors and plain values in one file, written whole or not at all.

The file: 8 bytes that name the format; the length of the header (8 bytes) and the checksum of length
and header (4); the header, JSON, with the structure and for each array its dtype, shape and
checksum; the arrays, one after another, row-major. Numbers are little-endian, checksums CRC-32. No
byte is without a check, and nothing is ever unpickled: a file can hold no code.

Files in the format of safetensors are read and written with the package of that name.
"""

from __future__ import annotations

import io
import os
import threading
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from typing import IO, Any

import numpy as np

from .creation import from_numpy
from .nn.parameter import Parameter
from .tensor import Tensor

__all__ = ["CheckpointError", "load", "save"]

_MAGIC = b"TGCNN\r\n\x01"
_START = len(_MAGIC) + 12  # where the header begins
_number = count().__next__

File = str | os.PathLike | IO[bytes]


class CheckpointError(RuntimeError):
    """A file that is damaged, cut off, or no checkpoint; the message names it."""


# --- Save ---------------------------------------------------------------------------------------


def save(obj: Any, f: File) -> None:
    """Write a nest of dicts, lists and tuples, of Tensors, arrays, numbers, strings, bools and None.

    To a file of that name, or an open binary file. Dtypes and keys stay as they are; tensors on the
    same memory (in the same layout) are written once, and share it again when they are loaded. The
    file is written beside its target, flushed to the disk and renamed: there is the old one or the
    new one, whatever happens. A name that ends with ".safetensors" gives a file of that format, of
    one dict of names and tensors. Raises TypeError for anything else, before a file is touched.

    >>> import io
    >>> import tinygrad_cnn as tc
    >>> file = io.BytesIO()
    >>> tc.save({"weights": tc.ones(2), "epoch": 3, "betas": (0.9, 0.999)}, file)
    >>> _ = file.seek(0)
    >>> tc.load(file)
    {'weights': tensor([1., 1.]), 'epoch': 3, 'betas': (0.9, 0.999)}
    """
    if isinstance(f, (str, os.PathLike)) and os.fspath(f).endswith(".safetensors"):
        save_file(obj, f)
        return
    arrays = _Arrays()
    try:
        tree = _encode(obj, arrays, "the object")
    except RecursionError:
        raise TypeError("save: the object is nested too deeply, or contains itself") from None
    blocks = [_bytes_of(array) for array in arrays.found]
    table = [
        {"dtype": array.dtype.newbyteorder("<").str, "shape": array.shape, "crc": zlib.crc32(block)}
        for array, block in zip(arrays.found, blocks, strict=True)
    ]
    import json  # when first needed, as all that few programs use

    header = json.dumps({"arrays": table, "tree": tree}, separators=(",", ":")).encode()
    length = len(header).to_bytes(8, "little")
    check = zlib.crc32(header, zlib.crc32(length)).to_bytes(4, "little")
    _write(f, [_MAGIC, length, check, header, *blocks])


class _Arrays:
    """The arrays of a nest, those on the same memory once."""

    def __init__(self) -> None:
        self.found: list[np.ndarray] = []
        self._places: dict[Any, int] = {}

    def place(self, array: np.ndarray, where: str) -> int:
        if array.dtype.hasobject or array.dtype.names or not array.dtype.itemsize:
            raise TypeError(
                f"save: {where} is an array of dtype {array.dtype}, which cannot be saved"
            )
        pointer = array.__array_interface__["data"][0] if array.size else -len(self.found) - 1
        key = (pointer, array.dtype.str, array.shape, array.strides)
        if key not in self._places:
            self._places[key] = len(self.found)
            self.found.append(array)
        return self._places[key]


def _bytes_of(array: np.ndarray) -> Any:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(little).reshape(-1).view(np.uint8).data


def _encode(value: Any, arrays: _Arrays, where: str) -> Any:
    """`value` as JSON: plain values and lists as they are, all else an object with its kind."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Tensor):
        kind = "parameter" if isinstance(value, Parameter) else "tensor"
        grad = {"requires_grad": True} if value.requires_grad else {}
        return {kind: arrays.place(value._array, where), **grad}
    if isinstance(value, np.ndarray):
        return {"array": arrays.place(value, where)}
    if isinstance(value, np.generic):
        return {"scalar": arrays.place(np.asarray(value), where)}
    if isinstance(value, dict):
        kind = "ordered" if isinstance(value, OrderedDict) else "dict"
        return {
            kind: [
                [_encode(k, arrays, f"a key of {where}"), _encode(v, arrays, f"{where}[{k!r}]")]
                for k, v in value.items()
            ]
        }
    if isinstance(value, (list, tuple)):
        items = [_encode(v, arrays, f"{where}[{i}]") for i, v in enumerate(value)]
        return {"tuple": items} if isinstance(value, tuple) else items
    for plain in (bool, int, float, str):  # subclasses of them
        if isinstance(value, plain):
            return plain(value)
    hint = ": save its state_dict()" if hasattr(value, "state_dict") else ""
    raise TypeError(f"save: {where} is a {type(value).__name__}, which cannot be saved{hint}")


def _write(f: File, parts: list[Any]) -> None:
    if not isinstance(f, (str, os.PathLike)):
        f.writelines(parts)
        return
    target = os.path.realpath(f)  # through a link, to the file itself
    parent, name = os.path.split(target)
    unique = f"{os.getpid()}-{threading.get_ident()}-{_number()}"
    scratch = os.path.join(parent, f".{name}.{unique}.tmp")
    try:
        with open(scratch, "xb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(scratch)
    if os.name == "posix":  # the new name is on the disk too
        folder = os.open(parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


# --- Load ---------------------------------------------------------------------------------------


def load(
    f: File, map_location: Any = None, *, weights_only: bool = True, mmap: bool | None = None
) -> Any:
    """What `save` wrote: from a file of that name, or an open binary file.

    Files in the format of safetensors are known by what is in them, and give a dict of Tensors.
    `map_location` may be "cpu"; `weights_only` and `mmap` mean nothing here: nothing is unpickled
    in any case. Raises CheckpointError for a file that is damaged, cut off or no checkpoint, also
    for those of `torch.save`; OSError where there is none.
    """
    if not callable(map_location) and not isinstance(map_location, Mapping):
        device = str(getattr(map_location, "type", map_location))
        if map_location is not None and device.partition(":")[0] != "cpu":
            raise NotImplementedError(
                f"load: map_location {map_location!r} is not there: there is only the CPU"
            )
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return _load(file, os.fspath(f), os.fstat(file.fileno()).st_size)
    rest = f.read()
    return _load(io.BytesIO(rest), str(getattr(f, "name", "the file")), len(rest))


def _load(file: IO[bytes], name: str, size: int) -> Any:
    start = file.read(_START)
    if not start.startswith(_MAGIC):
        rest = start + file.read()
        if name.endswith(".safetensors") or start[8:9] == b"{":
            return _from_safetensors(rest, name)
        raise CheckpointError(f"{name}: {_what_else(rest)}")
    length = int.from_bytes(start[8:16], "little")
    if len(start) < _START or length > size - _START:
        raise CheckpointError(f"{name}: is cut off or damaged: it ends in its header")
    header = file.read(length)
    if zlib.crc32(header, zlib.crc32(start[8:16])) != int.from_bytes(start[16:], "little"):
        raise CheckpointError(f"{name}: is damaged: the checksum of its header does not match")
    import json

    try:
        content = json.loads(header)
        table = [(np.dtype(e["dtype"]), tuple(e["shape"]), e["crc"]) for e in content["arrays"]]
        lengths = [dtype.itemsize * _product(shape) for dtype, shape, _ in table]
        if any(dtype.hasobject for dtype, _, _ in table):
            raise ValueError("it names Python objects")
        if sum(lengths) != size - _START - length:
            raise CheckpointError(
                f"{name}: is cut off or damaged: its arrays take {sum(lengths)} bytes, there are "
                f"{size - _START - length}"
            )
        arrays: list[np.ndarray] = []
        for (dtype, shape, crc), wanted in zip(table, lengths, strict=True):
            data = file.read(wanted)
            if zlib.crc32(data) != crc:
                raise CheckpointError(
                    f"{name}: is damaged: the checksum of array {len(arrays)} of {len(table)}, "
                    f"{dtype} of shape {shape}, does not match"
                )
            arrays.append(np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("=")))
        return _decode(content["tree"], arrays)
    except CheckpointError:
        raise
    except (ValueError, TypeError, LookupError, RuntimeError) as error:
        raise CheckpointError(f"{name}: is no checkpoint of this version: {error}") from None


def _product(shape: tuple[int, ...]) -> int:
    total = 1
    for n in shape:
        if not isinstance(n, int) or n < 0:
            raise ValueError(f"shape {shape}")
        total *= n
    return total


def _decode(tree: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(tree, list):
        return [_decode(item, arrays) for item in tree]
    if not isinstance(tree, dict):
        return tree
    [(kind, content), *_] = tree.items()
    if kind in ("dict", "ordered"):
        pairs = ((_decode(k, arrays), _decode(v, arrays)) for k, v in content)
        return dict(pairs) if kind == "dict" else OrderedDict(pairs)
    if kind == "tuple":
        return tuple([_decode(item, arrays) for item in content])
    if kind == "array":
        return arrays[content]
    if kind == "scalar":
        return arrays[content][()]
    if kind not in ("tensor", "parameter"):
        raise ValueError(f"kind {kind!r}")
    tensor, grad = from_numpy(arrays[content]), tree.get("requires_grad", False)
    return Parameter(tensor, grad) if kind == "parameter" else tensor.requires_grad_(grad)


def _what_else(data: bytes) -> str:
    """What a file that is no checkpoint may be, and what to do."""
    if data[:4] == b"PK\x03\x04":
        import zipfile  # not above: importing it takes time

        try:
            names = zipfile.ZipFile(io.BytesIO(data)).namelist()
        except (zipfile.BadZipFile, ValueError):
            names = []
        if any(name.endswith(".npy") for name in names):
            return "is a NumPy .npz: numpy.load reads it"
    elif data[:1] != b"\x80" or data[1:2] > b"\x05":
        return "is no checkpoint, or damaged at its beginning"
    return (
        "is a pickle, as torch.save writes it, and those are not read: they can run any code. In "
        "PyTorch, safetensors.torch.save_file(model.state_dict(), 'weights.safetensors') writes "
        "what this function reads"
    )


# --- The format of safetensors ------------------------------------------------------------------


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            "files in the format of safetensors need the package: "
            "pip install 'tinygrad_cnn[safetensors]'"
        ) from None
    return safetensors


def save_file(
    tensors: Mapping[str, Any], filename: str | os.PathLike, metadata: dict[str, str] | None = None
) -> None:
    """Write a dict of names and Tensors or arrays in the format of safetensors.

    What is not contiguous is written as if it were (the package itself would write the wrong
    numbers). Raises TypeError for anything but names and tensors.
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
        arrays[name] = np.ascontiguousarray(little).reshape(array.shape)  # 0-d stays so
    _write(filename, [_safetensors().numpy.save(arrays, metadata or {"format": "pt"})])


def load_file(filename: str | os.PathLike, device: Any = "cpu") -> dict[str, Tensor]:
    """The Tensors in a file in the format of safetensors, by their names.

    bfloat16 becomes float32. The format has no checksum: only what is cut off, or wrong in the
    header, is seen to be damaged (CheckpointError).
    """
    return load(filename, device)


_DTYPES = {
    "F64": "f8", "F32": "f4", "F16": "f2", "BF16": "u2", "BOOL": "?", "I64": "i8", "I32": "i4",
    "I16": "i2", "I8": "i1", "U64": "u8", "U32": "u4", "U16": "u2", "U8": "u1",
}  # fmt: skip


def _from_safetensors(data: bytes, name: str) -> dict[str, Tensor]:
    package = _safetensors()
    try:
        entries = package.deserialize(data)
    except package.SafetensorError as error:
        raise CheckpointError(f"{name}: is cut off or damaged: {error}") from None
    found = {}
    for key, entry in entries:
        if entry["dtype"] not in _DTYPES:
            raise CheckpointError(f"{name}: {key} is of dtype {entry['dtype']}, which is not there")
        dtype = np.dtype("<" + _DTYPES[entry["dtype"]])
        array = np.frombuffer(entry["data"], dtype).reshape(entry["shape"])
        if entry["dtype"] == "BF16":  # the upper half of a float32
            array = (array.astype(np.uint32) << 16).view(np.float32)
        found[key] = from_numpy(array.astype(array.dtype.newbyteorder("=")))
    return found
