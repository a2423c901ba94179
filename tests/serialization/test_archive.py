"""Zip archives: damage is noticed, wherever it is, and archives made to do harm are refused."""

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tests.serialization.hostile import PROTOCOL, archive, elements, tensor
from tests.serialization.values import alike, saved, through
from tinygrad_cnn.serialization import CheckpointError, archive as archives

STATE = {
    "model": {"weight": tc.tensor(np.arange(6.0).reshape(2, 3)), "n": tc.tensor(3)},
    "optimizer": {"state": {0: {"step": tc.tensor(2.0)}}, "lr": 0.5},
    "epoch": 2,
}
BYTES = saved(STATE)
SOUND = archive(PROTOCOL + tensor() + b".", [("data/0", elements(1.0))])


class _Stream(io.RawIOBase):
    """A file without seek: zipfile then writes the sizes after the data, as PyTorch does."""

    def __init__(self):
        self.data = b""

    def writable(self):
        return True

    def write(self, data):
        self.data += bytes(data)
        return len(data)


def described():
    file = _Stream()
    with zipfile.ZipFile(io.BytesIO(BYTES)) as old, zipfile.ZipFile(file, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
    return file.data


FILES = {"ours": BYTES, "zipfile's": SOUND, "with sizes after the data": described()}


def load(data):
    return tc.load(io.BytesIO(data))


def refused(data, words=""):
    with pytest.raises(CheckpointError, match=r"^the file: (?=is ).*" + words):
        load(data)


# --- Damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("by", [1, 0x80, 0xFF])
def test_any_byte_changed_is_noticed_or_changes_nothing(kind, by):
    """Some bytes mean nothing: padding, and attributes of files, which are not unpacked."""
    data, harmless = FILES[kind], 0
    wanted = load(data)
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= by
        try:
            found = load(damaged)
        except CheckpointError:
            continue
        assert alike(found, wanted), place
        harmless += 1
    assert harmless < len(data) / 2


def test_any_byte_of_the_content_changed_is_noticed():
    with zipfile.ZipFile(io.BytesIO(BYTES)) as opened:
        for info in opened.infolist():
            start = info.header_offset + 30 + len(info.filename)
            (padding,) = struct.unpack_from("<H", BYTES, info.header_offset + 28)
            for place in range(start + padding, start + padding + info.file_size):
                damaged = bytearray(BYTES)
                damaged[place] ^= 4
                refused(damaged, "is damaged: the checksum of its record ")


@pytest.mark.parametrize("kind", FILES)
def test_every_cut_is_noticed(kind):
    data = FILES[kind]
    for length in range(len(data)):
        refused(data[:length])
    refused(data + b"\0", "is cut off or damaged")
    refused(data[1:])


@given(st.integers(0, len(BYTES) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_bytes_put_in_and_taken_out_are_noticed(place, more, fewer):
    changed = BYTES[:place] + more + BYTES[place + fewer :]
    if changed != BYTES:
        with pytest.raises(CheckpointError):
            load(changed)


@given(
    st.binary(max_size=60), st.sampled_from([b"", BYTES[:8], BYTES[:60], b"PK\x03\x04", b"\x80\2"])
)
def test_noise_is_noticed(noise, start):
    refused(start + noise)


def test_the_file_is_named_and_nothing_is_loaded(tmp_path):
    path = tmp_path / "run.pt"
    path.write_bytes(BYTES[:-3])
    with pytest.raises(CheckpointError) as caught:
        tc.load(path)
    assert str(caught.value).startswith(f"{path}: is cut off or damaged: it does not end as a zip")
    with pytest.raises(FileNotFoundError):
        tc.load(tmp_path / "nothing")


# --- Harm -----------------------------------------------------------------------------------------

PICKLE = PROTOCOL + tensor() + b"."
RECORD = ("data/0", elements(1.0))


def test_compressed_records():
    refused(archive(PICKLE, [RECORD], zipfile.ZIP_DEFLATED), "compressed or encrypted")
    bomb = archive(PICKLE, [("data/0", b"\0" * 10**7)], zipfile.ZIP_DEFLATED)
    assert len(bomb) < 20_000
    refused(bomb, "compressed or encrypted")


def test_two_records_of_one_name():
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = archive(PICKLE, [RECORD, RECORD])
    refused(data, "two records archive/data/0")


@pytest.mark.parametrize(
    "prefix", ["", "/", "/archive/", "../", "archive/../", "a\\b/", "./", "archive//"]
)
def test_paths_that_lead_elsewhere(prefix):
    refused(archive(PICKLE, [RECORD], prefix=prefix))


def test_names_of_several_archives():
    refused(archive(PICKLE, [("../other/data", b"")]), "a record 'archive/../other/data'")
    file = io.BytesIO(SOUND)
    with zipfile.ZipFile(file, "a") as opened:
        opened.writestr("other/data.pkl", b"")
    refused(file.getvalue(), "is no file of torch.save")


def patched(data, **fields):
    """The archive with other values in the table's entry of data/0, and in its header."""
    layout = {
        "flags": (8, "<H"),
        "method": (10, "<H"),
        "crc": (16, "<I"),
        "packed": (20, "<I"),
        "size": (24, "<I"),
        "disk": (34, "<H"),
        "offset": (42, "<I"),
    }
    changed = bytearray(data)
    name = b"archive/data/0"
    entry = data.rindex(name) - 46
    assert data[entry : entry + 4] == b"PK\x01\x02"
    for field, value in fields.items():
        place, code = layout[field]
        struct.pack_into(code, changed, entry + place, value)
        if field != "offset":
            struct.pack_into(code, changed, data.index(name) - 30 + place - 2, value)
    return bytes(changed)


def test_a_wrong_checksum():
    right = zlib.crc32(RECORD[1])
    assert alike(load(patched(SOUND, crc=right)), tc.ones(1))
    refused(patched(SOUND, crc=right ^ 1), "the checksum of its record data/0 does not match")


@pytest.mark.parametrize(
    "fields",
    [
        {"size": 8, "packed": 8},
        {"size": 2**31, "packed": 2**31},
        {"size": 0, "packed": 0},
        {"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF},
        {"packed": 5},
        {"offset": 0},
        {"offset": 2**31},
        {"offset": 0xFFFFFFFF},
        {"flags": 1},
        {"flags": 0x40},
        {"method": 8},
        {"method": 99},
        {"disk": 1},
    ],
)
def test_entries_that_lie(fields):
    refused(patched(SOUND, **fields))


def test_records_that_share_their_bytes():
    """A thousand names for the same bytes would be a thousand storages."""
    data = archive(PICKLE, [RECORD, ("data/1", elements(1.0))])
    first = data.index(b"archive/data/0") - 30
    changed = bytearray(data)
    entry = data.rindex(b"archive/data/1") - 46
    struct.pack_into("<I", changed, entry + 42, first)
    changed[first + 30 + 13 : first + 30 + 14] = b"1"  # one header for both names
    refused(bytes(changed))
    inner = archive(PICKLE, [RECORD])
    refused(archive(PICKLE, [("data/0", inner)]) + inner)


def test_headers_within_the_extra_field_of_others():
    """Each is read only if it begins behind the one before: else n of them take n² steps."""
    headers, table = b"", b""
    for k in range(9):
        fields = (0, 0, 0, 0, 0x21, 0, 0, 0, 7)
        more = struct.pack("<4H2I", 0, 0, 0, 0, 0, len(headers))
        table += b"PK\1\2" + struct.pack("<6H3IH", 0, *fields) + more
        table += b"a/%05d" % k
        headers += b"PK\3\4" + struct.pack("<5H3I2H", *fields, 37 * (8 - k)) + b"a/%05d" % k
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 9, 9, len(table), len(headers), 0)
    refused(headers + table + end, "two of its records overlap")


def test_ends_that_lie():
    for place, code, value in [
        (4, "<H", 1),
        (6, "<H", 1),
        (8, "<H", 9),
        (10, "<H", 9),
        (12, "<I", 9),
        (16, "<I", 9),
        (20, "<H", 1),
        (10, "<H", 0xFFFF),
    ]:
        changed = bytearray(SOUND)
        struct.pack_into(code, changed, len(SOUND) - 22 + place, value)
        refused(bytes(changed))
    many = bytearray(SOUND)
    struct.pack_into("<2H", many, len(SOUND) - 22 + 8, 0xFFFF, 0xFFFF)
    refused(bytes(many), "its table is shorter than its number of records")


def test_other_archives_are_told_apart(tmp_path):
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "a.npz", x=np.ones(2))
        with pytest.raises(
            CheckpointError, match=r"a\.npz: is a NumPy \.npz: numpy\.load reads it"
        ):
            tc.load(tmp_path / "a.npz")
    np.save(tmp_path / "a.npy", np.ones(2))
    with pytest.raises(CheckpointError, match=r"a\.npy: is a NumPy \.npy: numpy\.load reads it"):
        tc.load(tmp_path / "a.npy")
    refused(archive(PICKLE, [("constants.pkl", b""), ("code/a.py", b"")]), "a TorchScript archive")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as opened:
        opened.writestr("folder/text.txt", "text")
    with pytest.raises(CheckpointError, match="has no record data.pkl"):
        tc.load(tmp_path / "b.zip")


def test_other_machines_and_versions():
    for records, words in [
        ([("byteorder", b"big")], "was written on a big-endian machine"),
        ([("byteorder", b"middle")], "was written on a big-endian machine"),
    ]:
        refused(archive(PICKLE, [RECORD, *records]), words)
    for version in (b"11\n", b"0", b"-3", b"", b"x" * 5000):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as opened:
            for name, content in (
                ("a/data.pkl", PICKLE),
                ("a/version", version),
                ("a/data/0", RECORD[1]),
            ):
                opened.writestr(name, content)
        refused(data.getvalue())
    assert alike(load(archive(PICKLE, [RECORD, ("byteorder", b"little")])), tc.ones(1))


# --- Large files ----------------------------------------------------------------------------------


def test_sizes_and_offsets_of_64_bits(monkeypatch):
    value = {"a": tc.arange(100.0), "b": tc.ones(3)}
    monkeypatch.setattr(archives, "LARGE", 300)  # as if these were 4 GB
    data = saved(value)
    assert b"PK\x06\x06" in data
    assert alike(load(data), value)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        assert opened.read("archive/data/0") == value["a"].numpy().tobytes()
    for length in range(0, len(data), 7):
        refused(data[:length])


def test_more_records_than_16_bits_count():
    records = [(f"data/{k}", b"") for k in range(70_000)]
    data = b"".join(archives.parts("archive", [("data.pkl", PROTOCOL + b"K\x01."), *records]))
    assert load(data) == 1


def test_what_zipfile_and_others_see():
    with zipfile.ZipFile(io.BytesIO(BYTES)) as opened:
        assert opened.testzip() is None
        names = opened.namelist()
        assert opened.read("archive/byteorder") == b"little"
        assert opened.read("archive/version") == b"3\n"
        for info in opened.infolist():
            (padding,) = struct.unpack_from("<H", BYTES, info.header_offset + 28)
            assert (info.header_offset + 30 + len(info.filename) + padding) % 64 == 0
    assert names[0] == "archive/data.pkl"
    assert saved(STATE) == BYTES  # the same bytes each time
    file = io.BytesIO()
    tc.save(1, file, _disable_byteorder_record=True)
    assert b"byteorder" not in file.getvalue()
    assert through(1) == 1
