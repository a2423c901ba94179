"""save and load: files of PyTorch's format, which PyTorch reads and writes too.

A file is a zip archive. Its record `data.pkl` is a pickle of the object, in which tensors refer to
storages; each storage is a record `data/<key>`. `interpreter.py` reads the pickle: a file runs no
code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from ..engine import wrap
from . import archive, legacy, safetensors
from .allowed import Allowed
from .archive import Archive
from .failures import errors_of
from .files import CheckpointError, File, Stream, check_location, is_path, opened
from .interpreter import Machine
from .pickler import pickled
from .structure import Objects, check_limit
from .tensors import Storage, Stored, storage_id
from .writing import write

_NEWEST_VERSION = 10  # of the archive; PyTorch writes 3
_ARCHIVE = "archive"


def _check_machine(name: str) -> None:
    """NotImplementedError on a big-endian machine: storages are little-endian bytes."""
    if sys.byteorder != "little":
        raise NotImplementedError(f"{name}: big-endian machines are not supported")


# --- Save -----------------------------------------------------------------------------------------


def save(
    obj: object,
    f: File,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Write nested dicts, lists, tuples and sets of Tensors, arrays, numbers, strings and the like.

    `f` is a file name, or an open binary file. PyTorch reads the file with its default
    `weights_only=True`, if it holds no NumPy arrays, paths or argparse.Namespace. Tensors that
    overlap in memory share it again when they are loaded. A name that ends in ".safetensors" gives
    a file in that format, for one dict of names and Tensors.

    A named file is replaced as a whole: after a failure or a kill the old one is still there. It
    keeps its mode and owner. This needs a folder that may be written; an open file needs none, but
    a failure leaves it incomplete. A pipe or a device is written into. An OSError names `f`.

    Without `_use_new_zipfile_serialization`, the file has the format before PyTorch 1.6.
    `pickle_module` and `pickle_protocol` have no effect. Raises TypeError for other objects, before
    a file is touched. An object of a class that `serialization.safe_globals` allows can be saved
    too.

    >>> import io
    >>> file = io.BytesIO()
    >>> tc.save({"weights": tc.ones(2), "epoch": 3, "betas": (0.9, 0.999)}, file)
    >>> _ = file.seek(0)
    >>> tc.load(file)
    {'weights': tensor([1., 1.]), 'epoch': 3, 'betas': (0.9, 0.999)}
    """
    if not is_path(f) and not hasattr(f, "write"):
        raise AttributeError(
            "expected 'f' to be string, path, or a file-like object with a 'write' attribute"
        )
    _check_machine("save")
    if isinstance(f, (str, os.PathLike)) and os.fspath(f).endswith(".safetensors"):
        safetensors.save_file(obj, f)  # type: ignore[arg-type]  # checked there
        return
    if not _use_new_zipfile_serialization:
        write(f, legacy.parts(obj))
        return
    storages: list[Stored] = []

    def id_of(storage: Stored, start: tuple[Any, ...]) -> tuple[Any, ...]:
        kind, cls, location, count = start
        return kind, cls, storage.key_in(storages), location, count

    pickle = pickled(obj, id_of)
    records: list[tuple[str, Any]] = [("data.pkl", pickle)]
    if not _disable_byteorder_record:
        records.append(("byteorder", b"little"))
    records += [(f"data/{storage.key}", storage.data) for storage in storages]
    records.append(("version", b"3\n"))
    write(f, archive.parts(_ARCHIVE, records))


# --- Load -----------------------------------------------------------------------------------------

_PICKLE_ARGUMENTS = {"fix_imports", "encoding", "errors", "buffers"}


def load(
    f: File,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    max_objects: int | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read the object in a file of `save` or of PyTorch, from a file name or an open binary file.

    Old files of PyTorch are read too, and those in the format of safetensors, which give a dict of
    Tensors. A pipe, or a stream without positions, is read to its end. All Tensors are on the CPU,
    wherever they were. `map_location` may be "cpu", a dict or a function of a storage and its
    location. With `mmap`, Tensors show the memory of the file, which is read when they are used;
    writing to them does not change it, and checksums are not tested. `encoding` is that of strings
    of Python 2, "utf-8" by default.

    No file runs code: `weights_only` and `pickle_module` have no effect. A file may hold Tensors,
    containers, numbers, texts, NumPy arrays, paths and argparse.Namespace;
    `serialization.safe_globals` allows classes of a program.

    `max_objects` is the number of objects that a file may make, by default 10,000 or one for each 16
    bytes of the file, whichever is more. Numbers and texts do not count; a tuple counts a quarter. A
    checkpoint of a model stays far below. A file of a few MB could fill the memory otherwise.

    Raises CheckpointError for a file that is damaged, cut off or not a checkpoint, and for one that
    holds other objects, such as a whole model; OSError where there is no such file;
    NotImplementedError for another device; ImportError for bfloat16 without its package.

    >>> import io
    >>> tc.load(io.BytesIO(b"something else"))
    Traceback (most recent call last):
    CheckpointError: the file: is no checkpoint, or damaged at its beginning
    """
    unknown = pickle_load_args.keys() - _PICKLE_ARGUMENTS
    if unknown:
        raise TypeError(f"load() got an unexpected keyword argument '{min(unknown)}'")
    encoding = str(pickle_load_args.get("encoding", "utf-8"))
    errors = str(pickle_load_args.get("errors", "strict"))
    _check_machine("load")
    check_location(map_location)
    if mmap and not is_path(f):
        raise ValueError("f must be a file path in order to use the mmap argument")
    check_limit(max_objects)
    with opened(f) as (stream, name), errors_of(name):
        objects = Objects(stream.size, max_objects)
        found, storages = _load(stream, name, bool(mmap), objects, encoding, errors)
        for storage in storages:
            storage.check()
    _restore(storages, map_location)
    return found


def load_pickle(f: File, encoding: str = "utf-8", *, max_objects: int | None = None) -> Any:
    """Read a pickle that Python itself wrote, by the same allow-list: plain values, NumPy arrays.

    CheckpointError for a file that is damaged, or that needs anything else, or more than
    `max_objects`: see `load`.

    >>> import io, pickle
    >>> tc.serialization.load_pickle(io.BytesIO(pickle.dumps({"labels": [3, 5]})))
    {'labels': [3, 5]}
    """
    check_limit(max_objects)
    with opened(f) as (stream, name), errors_of(name):
        allowed = Allowed(None, stream.size, Objects(stream.size, max_objects))
        return Machine(stream, allowed, encoding, "strict").run()


def _load(
    stream: Stream, name: str, mapped: bool, objects: Objects, encoding: str, errors: str
) -> tuple[Any, list[Storage]]:
    """The object in a file, and its storages."""
    start = stream.take(min(64, stream.size))
    stream.move(0)
    if start.startswith(archive.MAGIC):
        return _load_archive(stream, mapped, objects, encoding, errors)
    if legacy.is_legacy(start):
        if mapped:
            raise CheckpointError("is in the format before PyTorch 1.6: mmap cannot be used")
        return legacy.load(stream, objects, encoding, errors)
    if name.endswith(".safetensors") or start[8:9] == b"{":
        return safetensors.decode(stream, objects), []
    raise CheckpointError(_likely_kind(stream))


def _load_archive(
    stream: Stream, mapped: bool, objects: Objects, encoding: str, errors: str
) -> tuple[Any, list[Storage]]:
    found = Archive(stream, stream.mapped() if mapped else None)
    if "data.pkl" not in found.records:
        raise CheckpointError("is no file of torch.save, or damaged: it has no record data.pkl")
    if "constants.pkl" in found.records:
        raise CheckpointError(
            "is a TorchScript archive, of torch.jit.save. In PyTorch, torch.save("
            "torch.jit.load(file).state_dict(), 'weights.pth') writes a file that this function reads"
        )
    if found.records.keys() >= {"byteorder"} and found.read("byteorder") != b"little":
        raise CheckpointError("is not supported: it was written on a big-endian machine")
    if "version" in found.records and not 0 < int(found.read("version")) <= _NEWEST_VERSION:
        raise CheckpointError("is of a version of the format that is not known yet")
    storages: dict[str, Storage] = {}

    def storage(pid: Any) -> Storage:
        cls, key, location, count = storage_id(pid, 5)
        if key not in storages:
            data = found.array(f"data/{key}")
            if data.ctypes.data % 16:  # only in a mapped file that others aligned
                data = data.copy()
            storages[key] = Storage(data, cls.dtype, location)
        known = storages[key]
        if count * cls.dtype.itemsize != known.data.size:
            raise ValueError(
                f"storage {key} has {known.data.size} bytes, its tensors say {count} elements of "
                f"{cls.dtype}"
            )
        if known.dtype == cls.dtype:
            return known
        view = Storage(known.data, cls.dtype, location)
        view.check()
        return view

    pickle = found.read("data.pkl")
    allowed = Allowed(storage, len(pickle), objects)
    result = Machine(Stream.of(pickle), allowed, encoding, errors).run()
    found.check_rest()
    return result, list(storages.values())


def _restore(storages: list[Storage], map_location: Any) -> None:
    """Ask `map_location` where each storage goes. NotImplementedError unless it is the CPU."""
    for storage in storages:
        if isinstance(map_location, Mapping):
            if storage.location in map_location:
                check_location(map_location[storage.location])
        elif callable(map_location):
            elements = wrap(storage.elements())
            result = map_location(elements, storage.location)
            if result is not None and result is not elements:
                raise NotImplementedError(
                    "load: map_location returned another storage than its own"
                )


# --- Other files ----------------------------------------------------------------------------------


def _likely_kind(stream: Stream) -> str:
    """The likely kind of a file that is not a checkpoint, and advice."""
    start = stream.take(min(stream.size, 512))
    if not start:
        return "is cut off or damaged: it is empty"
    if start[257:262] == b"ustar":
        return "is not supported: it is in the format of PyTorch before 0.2, which PyTorch converts"
    if start.startswith(b"\x93NUMPY"):
        return "is a NumPy .npy: numpy.load reads it"
    if start[:1] == b"\x80" and start[1:2] <= b"\x05":
        return (
            "is damaged, or a pickle that torch.save did not write: where it is trusted, "
            "pickle.load reads it, and torch.save writes its tensors to a file that can be read here"
        )
    return "is no checkpoint, or damaged at its beginning"
