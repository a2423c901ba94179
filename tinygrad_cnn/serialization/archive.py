"""Zip archives as PyTorch writes them: records that are not compressed, with checksums.

All names begin with the name of the archive. The data of a record begin at a multiple of 64 bytes,
so that they can be used where they are (`mmap`). Nothing is unpacked to disk.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from .files import CheckpointError, Stream

_LOCAL = struct.Struct("<4s5H3I2H")  # in front of the data of each record
_CENTRAL = struct.Struct("<4s6H3I5H2I")  # an entry of the table at the end of the file
_END = struct.Struct("<4s4H2IH")  # after the table
_END64 = struct.Struct("<4sQ2H2I4Q")  # the same for large files, before _END
_LOCATOR = struct.Struct("<4sIQI")  # the place of _END64
_ALIGNMENT = 64
_UTF8, _SIZES_FOLLOW, _ENCRYPTED = 0x0800, 0x0008, 0x0001
_PADDING = b"FB"  # the kind of an extra field that fills up to the alignment, as PyTorch names it
_PIECE = 1 << 18  # bytes that are read at a time to compare a checksum
_JANUARY_1980 = 0x21  # the first date of the format

MAGIC = b"PK\x03\x04"


class Record(NamedTuple):
    """A record of an archive: where its data are, and their checksum."""

    start: int
    size: int
    crc: int


# --- Read -----------------------------------------------------------------------------------------


class Archive:
    """The records of an archive, by their names without that of the archive.

    With `memory`, a map of the whole file, arrays are parts of it, and their checksums are not
    tested.
    """

    def __init__(self, stream: Stream, memory: Any = None) -> None:
        self._stream, self._memory = stream, memory
        self.records = _without_prefix(_table(stream))
        self._left = set(self.records)

    def read(self, name: str) -> bytes:
        """The data of a record."""
        if name not in self.records:
            raise CheckpointError(f"is no file of torch.save, or damaged: it has no record {name}")
        start, size, crc = self._found(name)
        self._stream.move(start)
        data = self._stream.take(size)
        self._compare(name, zlib.crc32(data), crc)
        return data

    def array(self, name: str) -> np.ndarray:
        """The data of a record, as uint8."""
        if name not in self.records:
            raise CheckpointError(f"is damaged: it has no record {name}")
        start, size, crc = self._found(name)
        if self._memory is not None:
            return (
                np.frombuffer(self._memory, np.uint8, size, start)
                if size
                else np.empty(0, np.uint8)
            )
        array = np.empty(size, np.uint8)
        self._stream.move(start)
        self._stream.fill(array)
        self._compare(name, zlib.crc32(array.data), crc)
        return array

    def check_rest(self) -> None:
        """CheckpointError if a record that nobody read is damaged."""
        for name in sorted(self._left) if self._memory is None else ():
            start, size, crc = self.records[name]
            self._stream.move(start)
            found = 0
            for done in range(0, size, _PIECE):
                found = zlib.crc32(self._stream.take(min(_PIECE, size - done)), found)
            self._compare(name, found, crc)

    def _found(self, name: str) -> Record:
        self._left.discard(name)
        return self.records[name]

    def _compare(self, name: str, found: int, crc: int) -> None:
        if found != crc:
            raise CheckpointError(f"is damaged: the checksum of its record {name} does not match")


def _end(stream: Stream) -> tuple[int, int, int]:
    """The number of records, and where the table begins and ends. From the end of the file."""
    position = stream.size - _END.size
    stream.move(max(position, 0))
    magic, disk, first, here, total, size, start, comment = _END.unpack(stream.take(_END.size))
    if magic != b"PK\x05\x06" or disk or first or here != total or comment:
        raise CheckpointError("is cut off or damaged: it does not end as a zip archive of PyTorch")
    if position >= _LOCATOR.size + _END64.size:
        stream.move(position - _LOCATOR.size)
        magic, disk, place, disks = _LOCATOR.unpack(stream.take(_LOCATOR.size))
        if magic == b"PK\x06\x07":
            position -= _LOCATOR.size + _END64.size
            stream.move(position)
            fields = _END64.unpack(stream.take(_END64.size))
            magic, length, _, _, disk, first, here, many, size64, start64 = fields
            if (
                magic != b"PK\x06\x06" or length != _END64.size - 12 or disk or first
                or here != many or place != position or disks > 1
                or total not in (many, 0xFFFF) or size not in (size64, 0xFFFFFFFF)
                or start not in (start64, 0xFFFFFFFF)
            ):  # fmt: skip
                raise CheckpointError("is damaged: the two ends of its table differ")
            total, size, start = many, size64, start64
    if start + size != position:
        raise CheckpointError("is cut off or damaged: its table is not where it should be")
    return total, start, position


def _table(stream: Stream) -> dict[str, Record]:
    """The records, by name. Each is checked against the header in front of its data."""
    total, start, end = _end(stream)
    if total * _CENTRAL.size > end - start:
        raise CheckpointError("is damaged: its table is shorter than its number of records")
    stream.move(start)
    table = stream.take(end - start)
    entries: dict[str, tuple[Any, ...]] = {}
    position = 0
    for _ in range(total):
        fields = _CENTRAL.unpack_from(table, position)
        (magic, _, needs, flags, method, time, date, crc, packed, size, name_length, extra_length,
         comment, disk, _, _, offset) = fields  # fmt: skip
        position += _CENTRAL.size
        raw = table[position : position + name_length]
        extra = table[position + name_length : position + name_length + extra_length]
        position += name_length + extra_length
        if magic != b"PK\x01\x02" or comment or disk or position > len(table):
            raise CheckpointError("is damaged: an entry of its table makes no sense")
        name = raw.decode("utf-8")
        if name.endswith(".npy"):
            raise CheckpointError("is a NumPy .npz: numpy.load reads it")
        size, packed, offset = _large(extra, size, packed, offset)
        if method or packed != size or flags & ~(_UTF8 | _SIZES_FOLLOW):
            raise CheckpointError(f"is refused: its record {name} is compressed or encrypted")
        if name in entries:
            raise CheckpointError(f"is refused: it has two records {name}")
        entries[name] = (offset, needs, flags, method, time, date, crc, size, raw)
    if position != len(table):
        raise CheckpointError("is damaged: its table is longer than its records need")
    found: dict[str, Record] = {}
    end = 0
    for name, (offset, *entry) in sorted(entries.items(), key=lambda item: item[1][0]):
        if offset < end:  # before its header is read: headers within others would take long
            raise CheckpointError("is refused: two of its records overlap")
        found[name] = record = _record(stream, offset, entry, start)
        end = record.start + record.size
    return found


def _large(extra: bytes, *values: int) -> list[int]:
    """The values, those that need more than 32 bits from the extra field of kind 1."""
    found = list(values)
    position, large = 0, b""
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind == 1:
            large = extra[position + 4 : position + 4 + length]
        position += 4 + length
    for k, value in enumerate(found):
        if value == 0xFFFFFFFF:
            (found[k],) = struct.unpack_from("<Q", large)
            large = large[8:]
    return found


def _record(stream: Stream, offset: int, entry: list[Any], end: int) -> Record:
    """The record whose header is at `offset`, which must agree with its entry in the table."""
    needs, flags, method, time, date, crc, size, name = entry
    stream.move(min(offset, stream.size))
    fields = _LOCAL.unpack(stream.take(_LOCAL.size))
    same = fields[:6] == (MAGIC, needs, flags, method, time, date)
    name_length, extra_length = fields[9:]
    same &= stream.take(name_length) == name
    extra = stream.take(extra_length)
    packed, unpacked = _large(extra, *fields[7:9]) if fields[7] == 0xFFFFFFFF else fields[7:9]
    later = flags & _SIZES_FOLLOW and (fields[6], packed, unpacked) == (0, 0, 0)
    if not same or not (later or (fields[6], packed, unpacked) == (crc, size, size)):
        raise CheckpointError("is damaged: a header does not agree with the table at the end")
    start = offset + _LOCAL.size + name_length + extra_length
    if start + size > end:
        raise CheckpointError("is damaged: a record is longer than the file")
    return Record(start, size, crc)


def _without_prefix(table: dict[str, Record]) -> dict[str, Record]:
    """The records by their names below that of the archive, which must be plain relative paths."""
    found = {}
    prefixes = {name.partition("/")[0] for name in table}
    for name, record in table.items():
        below = name.partition("/")[2]
        parts = name.split("/")
        if len(prefixes) > 1 or not below or "\\" in name or {"", ".", ".."} & set(parts):
            raise CheckpointError(f"is no file of torch.save: it has a record {name!r}")
        found[below] = record
    return found


# --- Write ----------------------------------------------------------------------------------------

LARGE = 0xFFFFFFFF  # sizes and offsets from here on are in extra fields


def parts(name: str, records: Iterable[tuple[str, Any]]) -> list[Any]:
    """The bytes of an archive with these records, each a name and a buffer of bytes."""
    made: list[Any] = []
    table: list[bytes] = []
    position = 0
    for below, data in records:
        path = f"{name}/{below}".encode()
        size, crc = len(data), zlib.crc32(data)
        large = size >= LARGE
        extra = struct.pack("<2H2Q", 1, 16, size, size) if large else b""
        free = -(position + _LOCAL.size + len(path) + len(extra) + 4) % _ALIGNMENT
        extra += struct.pack("<2sH", _PADDING, free) + b"Z" * free
        shown = 0xFFFFFFFF if large else size
        common = (45 if large else 0, _UTF8, 0, 0, _JANUARY_1980, crc, shown, shown, len(path))
        made += [_LOCAL.pack(MAGIC, *common, len(extra)), path, extra, data]
        table.append(_entry(common, path, size if large else None, position))
        position += _LOCAL.size + len(path) + len(extra) + size
    whole = b"".join(table)
    return [*made, whole, _ending(len(table), len(whole), position)]


def _entry(common: tuple[int, ...], path: bytes, size: int | None, offset: int) -> bytes:
    """An entry of the table. `size` is None if it is small enough for the fields of the entry."""
    numbers = [] if size is None else [size, size]
    if offset >= LARGE:
        numbers.append(offset)
    extra = struct.pack(f"<2H{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""
    shown = 0xFFFFFFFF if offset >= LARGE else offset
    header = _CENTRAL.pack(b"PK\x01\x02", 0, *common, len(extra), 0, 0, 0, 0, shown)
    return header + path + extra


def _ending(count: int, size: int, start: int) -> bytes:
    """The end of an archive whose table begins at `start`."""
    end = b""
    if count >= 0xFFFF or size >= LARGE or start >= LARGE:
        end64 = (b"PK\x06\x06", _END64.size - 12, 45, 45, 0, 0, count, count, size, start)
        end = _END64.pack(*end64) + _LOCATOR.pack(b"PK\x06\x07", 0, start + size, 1)
        count = min(count, 0xFFFF)
        size, start = (0xFFFFFFFF if n >= LARGE else n for n in (size, start))
    return end + _END.pack(b"PK\x05\x06", 0, 0, count, count, size, start, 0)
