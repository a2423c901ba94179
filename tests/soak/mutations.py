"""Damaged and hostile files of all formats: `load` gives equal data, or one CheckpointError.

Formats have checksums over different parts of a file:

- zip: over every record. Changes to bytes are noticed, or change nothing. In half of the trials the
  checksums are made right again, so that the pickle itself is attacked. This is a new, valid file:
  its data must be sound (see `_sound`).
- gzip: over the unpacked data. The same.
- safetensors, the format before PyTorch 1.6, IDX files and plain pickles: over nothing. A changed
  byte of a tensor gives this other byte, and nothing else changes. Changes elsewhere are refused, or
  give a valid file with sound data. For safetensors the package of that name must read the same.

Nothing is run, imported or opened for writing, and no warning is given. Every `SAMPLE`th trial
measures memory. `attempt(seed, number)` repeats a trial.
"""

from __future__ import annotations

import codecs
import functools
import gzip
import io
import os
import pickle
import re
import tempfile
import tracemalloc
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

import tinygrad_cnn as tc
from tests.serialization.hostile import watched
from tests.serialization.values import alike
from tinygrad_cnn.serialization import CheckpointError, archive, load_pickle
from tinygrad_cnn.utils.datasets.mnist import read_idx

from .mutate import NUMBERS, instructions, to_bytes, to_instructions, to_payload
from .scenario import Scenario, Trial

SAMPLE = 20  # trials between two that measure memory, which takes as long as ten
MEGABYTE = 1_000_000
RECORDED = Path(__file__).parents[1] / "serialization" / "recorded"
_LONGEST_MESSAGE = 1_500


@dataclass(frozen=True)
class File:
    """A sound file. `payload` is where bytes without a checksum begin, that only tensors hold."""

    format: str
    data: bytes
    load: Callable[[bytes], Any]
    payload: int | None = None

    @functools.cached_property
    def content(self) -> Any:
        """What is in it."""
        return self.load(self.data)


def _load(data: bytes) -> Any:
    return tc.load(io.BytesIO(data))


def _load_pickle(data: bytes) -> Any:
    return load_pickle(io.BytesIO(data), encoding="latin1")


def _load_idx(path: Path, data: bytes) -> Any:
    path.write_bytes(data)
    return watched(read_idx, path, 3)


# --- Sound files ----------------------------------------------------------------------------------


def _tensors() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    shapes = {"conv.weight": (2, 1, 3, 3), "conv.bias": (2,), "fc.weight": (3, 8), "none": (0, 4)}
    made = {name: tc.tensor(rng.normal(size=n).astype("f4")) for name, n in shapes.items()}
    return {**made, "n": tc.tensor(3), "half": tc.ones(3, dtype=tc.float16), "u": tc.arange(5)}


def _state() -> dict[str, Any]:
    return {
        "model": OrderedDict(_tensors()), "mask": tc.tensor([True, False]), "epoch": 2,
        "optimizer": {"state": {0: {"step": tc.tensor(2.0)}}, "groups": [{"betas": (0.9, 0.999)}]},
        "text": "é\U0001f600", "array": np.arange(6.0).reshape(2, 3), "scalar": np.float64(0.5),
        "set": {1, "a"}, "bytes": b"\0\xff", "large": 2**70, "none": None, "dtype": tc.float16,
        "weight": tc.nn.Parameter(tc.ones(2, 2)), "size": tc.Size((2, 3)), "complex": 1j,
    }  # fmt: skip


def _saved(value: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    tc.save(value, file, **options)
    return file.getvalue()


def _large() -> bytes:
    """An archive with fields of 64 bits."""
    before, archive.LARGE = archive.LARGE, 300
    try:
        return _saved(_state())
    finally:
        archive.LARGE = before


def _safetensors() -> bytes:
    import safetensors.numpy

    arrays = {name: value.numpy() for name, value in _tensors().items()}
    return safetensors.numpy.save(arrays, {"format": "pt"})


def _files(folder: Path) -> list[File]:
    """Sound files of each format."""
    old = _saved(_tensors(), _use_new_zipfile_serialization=False)
    tail = sum(8 + value.numpy().nbytes for value in _tensors().values())
    made = [File("zip", _saved(_state()), _load), File("zip", _large(), _load)]
    for name in ("Adam", "containers", "arrays", "layouts", "dtypes", "containers.protocol4"):
        made.append(File("zip", (RECORDED / f"{name}.pt").read_bytes(), _load))
    made.append(File("legacy", old, _load, len(old) - tail))
    made.append(File("legacy", _saved(_state(), _use_new_zipfile_serialization=False), _load))
    for name in ("containers", "arrays", "layouts"):
        made.append(File("legacy", (RECORDED / f"{name}.old.pt").read_bytes(), _load))
    data = _safetensors()
    made.append(File("safetensors", data, _load, 8 + int.from_bytes(data[:8], "little")))
    images = np.arange(3 * 12, dtype=np.uint8).reshape(3, 12)
    batch = {"data": images, "labels": [3, 5, 300], "filenames": ["a.png", "b.png", "ü.png"]}
    made += [File("pickle", pickle.dumps(batch, k), _load_pickle) for k in (2, 4, 5)]
    content = bytes((0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 3)) + images.tobytes()
    path = folder / "images"
    made.append(File("idx", content, functools.partial(_load_idx, path), 16))
    zipped = functools.partial(_load_idx, folder / "images.gz")
    made.append(File("idx.gz", gzip.compress(content, mtime=0), zipped))
    return made


# --- Changes --------------------------------------------------------------------------------------


def _below_the_checksums(file: File, rng: Random) -> bytes:
    """The file with a change that no checksum tells of."""
    if file.format == "zip":
        return _changed_archive(file.data, rng)
    if file.format == "legacy":
        return _changed_pickles(file.data, rng)
    if file.format == "pickle":
        return _times(to_instructions, instructions(file.data), rng)
    if file.format == "safetensors":
        return _changed_header(file.data, rng)
    if file.format == "idx":
        return _times_bytes(file.data[:16], rng) + file.data[16:]
    return gzip.compress(_times_bytes(gzip.decompress(file.data), rng), 1, mtime=0)


def _number(rng: Random) -> int:
    """1 to 8. Most often 1 or 2: a file with many changes is refused for the first of them."""
    return min(8, 1 + int(rng.expovariate(1)))


def _times(change: Any, steps: list[bytes], rng: Random) -> bytes:
    for _ in range(_number(rng)):
        steps = change(steps, rng) if steps else [b"."]
    return b"".join(steps)


def _times_bytes(data: bytes, rng: Random) -> bytes:
    for _ in range(_number(rng)):
        data = to_bytes(data, rng)
    return data


def _changed_archive(data: bytes, rng: Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        records = [(n.partition("/")[2], opened.read(n)) for n in opened.namelist()]
    place = rng.randrange(len(records))
    name, content = records[place]
    kind = rng.randrange(10)
    if kind == 0:
        records[place] = (
            rng.choice(("data/0", "data/9", "../x", "/x", "a//b", "é", "version")),
            content,
        )
    elif kind == 1:
        del records[place]
    elif kind == 2:
        records.insert(rng.randrange(len(records)), (name, content))
    elif kind == 3:
        records[place] = name, _times_bytes(content, rng)
    elif kind == 4:  # another content: of a wrong size, most often
        records[place] = name, rng.choice(records)[1]
    else:
        place = [name for name, _ in records].index("data.pkl")
        records[place] = "data.pkl", _times(to_instructions, instructions(records[place][1]), rng)
    return b"".join(map(bytes, archive.parts("archive", records)))


def _changed_pickles(data: bytes, rng: Random) -> bytes:
    """A file of the old format: its five pickles are changed, the storages are not."""
    parts, position = [], 0
    for _ in range(5):
        parts.append(instructions(data[position:]))
        position += sum(map(len, parts[-1]))
    place = rng.choice((0, 1, 2, 3, 3, 3, 3, 3, 4))
    changed = [b"".join(part) for part in parts]
    changed[place] = _times(to_instructions, parts[place], rng)
    return b"".join(changed) + data[position:]


def _changed_header(data: bytes, rng: Random) -> bytes:
    """A file of safetensors with a changed header, of the right length."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = data[8:end]
    for _ in range(_number(rng)):
        numbers = [m.span() for m in re.finditer(rb"-?\d+", header)]
        words = [m.span() for m in re.finditer(rb'"[^"]*"', header)]
        if rng.randrange(3) == 0 or not numbers or not words:
            header = to_bytes(header, rng)
            continue
        spans = rng.choice((numbers, words))
        (start, stop), (a, b) = rng.choice(spans), rng.choice(spans)
        other = rng.choice(
            (header[a:b], header[a:b], b"[]", b"null", b"{}", b'"F8_E4M3"', b'"BOOL"')
        )
        if spans is numbers and rng.randrange(2):
            other = str(rng.choice(NUMBERS)).encode()
        if stop <= a and rng.randrange(2):  # an exchange
            middle = header[stop:a]
            header = header[:start] + header[a:b] + middle + header[start:stop] + header[b:]
        else:
            header = header[:start] + other + header[stop:]
    return len(header).to_bytes(8, "little") + header + data[end:]


# --- Verdicts -------------------------------------------------------------------------------------


def _sound(value: Any, left: int = 100_000) -> bool:
    """Whether data that were read are whole: known types, and arrays within their memory."""
    stack = [value]
    while stack and left:
        left -= 1
        value = stack.pop()
        if isinstance(value, dict):
            stack += [*value, *value.values(), *getattr(value, "__dict__", {}).values()]
        elif isinstance(value, (list, tuple, set, frozenset)):
            stack += value
        elif isinstance(value, (tc.Tensor, np.ndarray)):
            array = value.detach().numpy() if isinstance(value, tc.Tensor) else value
            if array.dtype.kind not in "?biufcSU" or not _within(array):
                return False
            if array.dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
                return False
        elif isinstance(value, type) or not _is_data(value):
            return False
    return left > 0


def _is_data(value: Any) -> bool:
    module = type(value).__module__
    known = module.partition(".")[0] in ("builtins", "numpy", "tinygrad_cnn", "pathlib", "argparse")
    return known and not module.startswith("tinygrad_cnn.serialization")


def _within(array: np.ndarray) -> bool:
    base = array
    while isinstance(base.base, np.ndarray):
        base = base.base
    (low, high), (start, end) = byte_bounds(array), byte_bounds(base)
    return not array.size or start <= low <= high <= end


def _payload(found: Any, file: File, data: bytes) -> bool:
    """Whether `found` is the content of the file but for the changed bytes of its payload."""
    assert file.payload is not None
    if isinstance(found, np.ndarray):
        return found.shape == file.content.shape and found.tobytes() == data[file.payload :]
    known = file.content
    if found.keys() != known.keys() or any(found[k].shape != known[k].shape for k in known):
        return False
    if any(found[k].dtype != known[k].dtype for k in known):
        return False
    changed = sum(a != b for a, b in zip(file.data, data, strict=True))
    arrays = [(found[k].numpy().tobytes(), known[k].numpy().tobytes()) for k in known]
    return sum(a != b for one, other in arrays for a, b in zip(one, other, strict=True)) == changed


def _as_the_package(found: Any, data: bytes) -> bool:
    """Whether the package reads the same from a file of safetensors."""
    import safetensors

    try:
        wanted = dict(safetensors.deserialize(data))
    except safetensors.SafetensorError:
        return False
    return wanted.keys() == found.keys() and all(
        list(found[k].shape) == wanted[k]["shape"]
        and (wanted[k]["dtype"] == "BF16" or found[k].numpy().tobytes() == wanted[k]["data"])
        for k in found
    )


def _wrong(file: File, kind: str, data: bytes, found: Any) -> str:
    """What is wrong with data that were read from a changed file, "" if nothing is."""
    if data == file.data or (kind == "bytes" and file.format in ("zip", "idx.gz")):
        return "" if alike(found, file.content) else "other data in spite of a checksum"
    if kind == "payload":
        return "" if _payload(found, file, data) else "a changed byte changed more"
    if file.format == "safetensors" and not _as_the_package(found, data):
        return "not what the package reads"
    return "" if _sound(found) else "data that are not sound"


# --- The scenario ---------------------------------------------------------------------------------


def change(file: File, rng: Random) -> tuple[str, bytes]:
    """The kind of a change, and the bytes of the changed file."""
    if file.payload is not None and rng.randrange(8) == 0:
        return "payload", to_payload(file.data, file.payload, rng)
    if rng.randrange(2):
        return "below", _below_the_checksums(file, rng)
    return "bytes", _times_bytes(file.data, rng)


def attempt(files: list[File], seed: int, number: int) -> Trial:
    """One trial: the same for the same seed and number."""
    rng = Random(f"{seed} {number}")
    file = rng.choice(files)
    kind, data = change(file, rng)
    figures: dict[str, float] = {}
    measured = number % SAMPLE == 0
    if measured:
        tracemalloc.start()
    try:
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            found = file.load(data) if file.format[:3] == "idx" else watched(file.load, data)
        wrong = "a warning" if given else ""
    except CheckpointError as error:
        found, wrong = None, "" if _is_right(error, "the file: is ") else "a wrong message"
    except RuntimeError as error:
        named = file.format[:3] == "idx" and f"{os.sep}images" in str(error)
        wrong = "" if named and _is_right(error, "") else "RuntimeError"
    except BaseException as error:
        wrong = type(error).__name__
        if isinstance(error, KeyboardInterrupt):
            raise
    else:
        wrong = wrong or _wrong(file, kind, data, found)
    finally:
        if measured:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            figures = {"peak of memory less 2 × file, MB": (peak - 2 * len(data)) / MEGABYTE}
    if not wrong and measured and peak > 2 * len(data) + MEGABYTE:
        wrong = "too much memory"
    return Trial(wrong and f"{file.format}, {kind}: {wrong} (trial {number})", figures)


def _is_right(error: Exception, start: str) -> bool:
    return str(error).startswith(start) and len(str(error)) < _LONGEST_MESSAGE


def trials(seed: int) -> Iterator[Trial]:
    """Change sound files of all formats, and read them."""
    for codec in ("ascii", "latin1", "raw-unicode-escape"):
        codecs.lookup(codec)  # Python imports a codec when it is first used
    with tempfile.TemporaryDirectory() as folder:
        files = _files(Path(folder))
        assert all(_sound(file.content) for file in files)
        number = 0
        while True:
            yield attempt(files, seed, number)
            number += 1


SCENARIO = Scenario(
    "mutations", "reading a file with one to eight changes", trials, count=50_000, short=600
)
