"""The format before PyTorch 1.6: files made by hand, sound ones and others."""

import io
import struct

import pytest

import tinygrad_cnn as tc
from tests.serialization.hostile import (
    PROTOCOL,
    call,
    elements,
    legacy,
    name,
    number,
    tensor,
    text,
    tuple_of,
)
from tinygrad_cnn.serialization import CheckpointError

KEYS = b"]" + text("0") + b"a."


def block(*values):
    return struct.pack("<q", len(values)) + elements(*values)


def old_tensor(count=1, part=b"N", size=(1,), stride=(1,), key="0"):
    pid = tuple_of(
        text("storage"), name("torch.FloatStorage"), text(key), text("cpu"), number(count), part
    )
    numbers = (tuple_of(*map(number, group)) for group in (size, stride))
    return call("torch._utils._rebuild_tensor", pid + b"Q", b"K\x00", *numbers)


def load(data):
    return tc.load(io.BytesIO(data))


def test_a_file_made_by_hand():
    assert load(legacy(old_tensor() + b".", KEYS, block(5.0))).tolist() == [5.0]


def test_storages_that_are_parts_of_others():
    part = tuple_of(text("7"), number(1), number(2))
    body = b"(" + old_tensor(4, part, (2,)) + old_tensor(4, b"N", (4,)) + b"t."
    x, whole = load(legacy(body, KEYS, block(1.0, 2.0, 3.0, 4.0)))
    assert x.tolist() == [2.0, 3.0]
    whole[1] = 9.0
    assert x.tolist() == [9.0, 3.0]


@pytest.mark.parametrize(
    "part",
    [
        tuple_of(text("7"), number(3), number(2)),
        tuple_of(text("7"), number(-1), number(2)),
        tuple_of(text("7"), number(0), number(-2)),
        tuple_of(text("7"), number(0)),
        b"K\x01",
        tuple_of(b"N", number(0), number(1)),
        tuple_of(text("7"), b"N", number(1)),
    ],
)
def test_parts_outside_of_their_storage(part):
    with pytest.raises(CheckpointError):
        load(legacy(old_tensor(4, part, (2,)) + b".", KEYS, block(1.0, 2.0, 3.0, 4.0)))


@pytest.mark.parametrize(
    "data",
    [
        legacy(old_tensor() + b".", b"].", b""),  # no keys
        legacy(
            old_tensor() + b".", b"](" + text("0") + text("0") + b"e.", block(1.0) * 2
        ),  # one twice
        legacy(
            old_tensor() + b".", b"](" + text("0") + text("1") + b"e.", block(1.0) * 2
        ),  # one too many
        legacy(old_tensor() + b".", b"]" + text("1") + b"a.", block(1.0)),  # another
        legacy(old_tensor() + b".", b"]K\x00a.", block(1.0)),
        legacy(old_tensor() + b".", b"K\x00.", block(1.0)),
        legacy(old_tensor() + b".", KEYS, block(1.0, 2.0)),
        legacy(old_tensor() + b".", KEYS, block()),
        legacy(old_tensor() + b".", KEYS, struct.pack("<q", -1)),
        legacy(old_tensor() + b".", KEYS, b""),
        legacy(old_tensor(2**40) + b".", KEYS, block(1.0)),
        legacy(old_tensor(2**62) + b".", KEYS, block(1.0)),
        legacy(tensor() + b".", KEYS, block(1.0)),  # the id of the newer format
        legacy(old_tensor() + b".", KEYS, block(1.0), little=False),
        legacy(old_tensor() + b".", KEYS, block(1.0)).replace(b"M\xe9\x03", b"M\xe8\x03"),
        legacy(old_tensor() + b".", KEYS, block(1.0)).replace(b"little_endian", b"little_indian"),
    ],
)
def test_files_that_make_no_sense(data):
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        load(data)


def test_storages_larger_than_the_file_take_no_memory():
    """Each fits alone; all together do not."""
    body = b"(" + b"".join(old_tensor(500, key=str(k)) for k in range(1000)) + b"t."
    with pytest.raises(CheckpointError, match="is cut off or damaged: storage .* is not in it"):
        load(legacy(body, KEYS, block(1.0)))


def test_other_old_files(tmp_path):
    tar = b"\0" * 257 + b"ustar" + b"\0" * 300
    with pytest.raises(CheckpointError, match=r"the format of PyTorch before 0\.2"):
        load(tar)
    with pytest.raises(CheckpointError, match=r"a pickle that torch\.save did not write"):
        load(PROTOCOL + b"K\x01.")
    with pytest.raises(CheckpointError, match="it is empty"):
        load(b"")
