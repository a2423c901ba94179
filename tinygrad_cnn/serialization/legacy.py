"""The format of `torch.save` before version 1.6: pickles one after another, then the storages.

In turn: a magic number, the version of the protocol, facts about the machine, the object, the keys
of its storages; then for each storage the number of its elements (8 bytes) and their bytes. There
are no checksums.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .allowed import Allowed
from .failures import shown
from .files import CheckpointError, Stream
from .interpreter import Machine
from .pickler import pickled
from .structure import Objects
from .tensors import Storage, Stored, storage_id

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


def is_legacy(start: bytes) -> bool:
    """Whether a file begins with the pickle of the magic number."""
    return start[:1] == b"\x80" and _MAGIC.to_bytes(10, "little") in start[:32]


def load(stream: Stream, objects: Objects, encoding: str, errors: str) -> tuple[Any, list[Storage]]:
    """The object in a file, and its storages."""

    def pickle(storage: Any = None) -> Any:
        return Machine(stream, Allowed(storage, stream.left, objects), encoding, errors).run()

    if pickle() != _MAGIC or pickle() != _PROTOCOL:
        raise CheckpointError("is damaged, or of another version of the old format")
    facts = pickle()
    if not isinstance(facts, dict) or facts.get("little_endian") is not True:
        raise CheckpointError("is not supported: it was written on a big-endian machine")
    storages = _Storages(stream.left)
    found = pickle(storages.find)
    keys = pickle()
    if not isinstance(keys, list) or not all(type(key) in (str, bytes) for key in keys):
        raise ValueError("the list of its storages makes no sense")
    keys = [key.decode("ascii") if type(key) is bytes else key for key in keys]
    if sorted(keys) != sorted(storages.whole):
        raise ValueError("its storages are not those of its tensors")
    for key in keys:
        storage = storages.whole[key]
        count = int.from_bytes(stream.take(8), "little", signed=True)
        if count * storage.dtype.itemsize != storage.data.size:
            raise ValueError(
                f"storage {key} has {count} elements, which is not what its tensors say"
            )
        stream.fill(storage.data)
    return found, list(storages.whole.values())


def parts(obj: object) -> list[Any]:
    """The bytes of a file that holds the object. TypeError for one that cannot be saved."""
    storages: list[Stored] = []

    def id_of(storage: Stored, start: tuple[Any, ...]) -> tuple[Any, ...]:
        key = storage.key_in(storages)
        kind, cls, location, count = start
        return kind, cls, key, location, count, None

    sizes = {"short": 2, "int": 4, "long": 4}
    facts = {"protocol_version": _PROTOCOL, "little_endian": True, "type_sizes": sizes}
    pickles = [pickled(value, id_of) for value in (_MAGIC, _PROTOCOL, facts, obj)]
    keys = pickled([storage.key for storage in storages], id_of)
    blocks = [part for s in storages for part in (s.count.to_bytes(8, "little"), s.data)]
    return [*pickles, keys, *blocks]


class _Storages:
    """The storages that a pickle names. They are filled when the pickle is done."""

    def __init__(self, left: int) -> None:
        self.whole: dict[str, Storage] = {}
        self._views: dict[tuple[str, str], Storage] = {}
        self._left = left  # bytes of the file: no more can be in its storages

    def find(self, pid: Any) -> Storage:
        """The storage with this id: kind, class, key, device, number of elements, part of it."""
        cls, key, location, count, part = storage_id(pid, 6)
        if key not in self.whole:
            nbytes = count * cls.dtype.itemsize
            if nbytes > self._left:
                raise CheckpointError(f"is cut off or damaged: storage {key} is not in it")
            self._left -= nbytes
            self.whole[key] = Storage(np.empty(nbytes, np.uint8), cls.dtype, location)
        whole = self.whole[key]
        if part is None:
            return whole
        name, offset, size = part
        if not all(type(n) is int and n >= 0 for n in (offset, size)) or type(name) is not str:
            raise ValueError(f"storage {key} has the part {shown(part)}")
        start, end = (n * whole.dtype.itemsize for n in (offset, offset + size))
        if end > whole.data.size:
            raise ValueError(f"a part of storage {key} is outside of it")
        view = Storage(whole.data[start:end], whole.dtype, location)
        return self._views.setdefault((key, name), view)
