"""save and load, and the file format of checkpoints.

A file consists of

- 8 bytes that name the format;
- the length of the header (8 bytes), and a checksum of length and header (4 bytes);
- the header: JSON with the structure, and the dtype, shape and checksum of each array;
- the arrays, one after another, row-major.

Numbers are little-endian, checksums CRC-32. Every byte is checked. Nothing is unpickled: a file
cannot contain code.
"""

from __future__ import annotations

import io
import os
import zlib
from collections import OrderedDict
from typing import IO, Any

import numpy as np

from ..creation import from_numpy
from ..nn.parameter import Parameter
from ..tensor import Tensor
from . import safetensors
from .files import CheckpointError, File, check_location, write

_MAGIC = b"TGCNN\r\n\x01"
_START = len(_MAGIC) + 12  # bytes before the header


# --- Save ---------------------------------------------------------------------------------------


def save(
    obj: object,
    f: File,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Write nested dicts, lists and tuples of Tensors, arrays, numbers, strings, bools and None.

    `f` is a file name, or an open binary file. Dtypes and keys are kept. Tensors that share memory,
    in the same layout, are written once and share memory again when they are loaded. A named file is
    replaced as a whole: after a failure the old one is still there. A name that ends in
    ".safetensors" gives a file in that format, for one dict of names and Tensors.

    The other arguments of PyTorch's function choose among its formats, and have no effect here.
    Raises TypeError for other objects, before a file is touched.

    >>> import io
    >>> file = io.BytesIO()
    >>> tc.save({"weights": tc.ones(2), "epoch": 3, "betas": (0.9, 0.999)}, file)
    >>> _ = file.seek(0)
    >>> tc.load(file)
    {'weights': tensor([1., 1.]), 'epoch': 3, 'betas': (0.9, 0.999)}
    """
    if isinstance(f, (str, os.PathLike)) and os.fspath(f).endswith(".safetensors"):
        safetensors.save_file(obj, f)  # type: ignore[arg-type]  # checked there
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
    import json  # imported when first needed, since few programs need it

    header = json.dumps({"arrays": table, "tree": tree}, separators=(",", ":")).encode()
    length = len(header).to_bytes(8, "little")
    check = zlib.crc32(header, zlib.crc32(length)).to_bytes(4, "little")
    write(f, [_MAGIC, length, check, header, *blocks])


class _Arrays:
    """The arrays of the object. Those that share memory, in the same layout, are one."""

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
    """`value` as JSON. Plain values and lists stay; any other object becomes {kind: content}."""
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
    for plain in (bool, int, float, str):  # their subclasses
        if isinstance(value, plain):
            return plain(value)
    hint = ": save its state_dict()" if hasattr(value, "state_dict") else ""
    raise TypeError(f"save: {where} is a {type(value).__name__}, which cannot be saved{hint}")


# --- Load ---------------------------------------------------------------------------------------

_PICKLE_ARGUMENTS = {"fix_imports", "encoding", "errors", "buffers"}


def load(
    f: File,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read the object that `save` wrote, from a file name or an open binary file.

    A file in the format of safetensors is recognised by its content, and gives a dict of Tensors.
    `map_location` may be "cpu". The other arguments have no effect here: nothing is unpickled.

    Raises CheckpointError for a file that is damaged, cut off or not a checkpoint, also for one of
    `torch.save`; OSError where there is no such file; NotImplementedError for another device.

    >>> import io
    >>> tc.load(io.BytesIO(b"something else"))
    Traceback (most recent call last):
    CheckpointError: the file: is no checkpoint, or damaged at its beginning
    """
    unknown = pickle_load_args.keys() - _PICKLE_ARGUMENTS
    if unknown:
        raise TypeError(f"load() got an unexpected keyword argument '{min(unknown)}'")
    check_location(map_location)
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
            return safetensors.decode(rest, name)
        raise CheckpointError(f"{name}: {_likely_kind(rest)}")
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


def _likely_kind(data: bytes) -> str:
    """The likely kind of a file that is not a checkpoint, and advice."""
    if data[:4] == b"PK\x03\x04":
        import zipfile  # not at the top: its import takes time

        try:
            names = zipfile.ZipFile(io.BytesIO(data)).namelist()
        except (zipfile.BadZipFile, ValueError):
            names = []
        if any(name.endswith(".npy") for name in names):
            return "is a NumPy .npz: numpy.load reads it"
    elif data[:1] != b"\x80" or data[1:2] > b"\x05":
        return "is no checkpoint, or damaged at its beginning"
    return (
        "is a pickle, the format of torch.save, and pickles are not read: they can run any code. "
        "In PyTorch, safetensors.torch.save_file(model.state_dict(), 'weights.safetensors') writes "
        "a file that this function reads"
    )
