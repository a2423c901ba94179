"""NumPy's scalars and arrays in files, and what Python itself pickles."""

import argparse
import io
import pickle
from collections import OrderedDict, defaultdict
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pytest
from hypothesis import given

import tinygrad_cnn as tc
from tests.serialization.hostile import (
    PROTOCOL,
    archive,
    call,
    load_watched,
    name,
    number,
    text,
    tuple_of,
)
from tests.serialization.values import alike, nests
from tinygrad_cnn.serialization import CheckpointError

LITTLE = (b"K\x03", text("<"), b"NNN", b"J\xff\xff\xff\xff" * 2, b"K\x00")
NONE_YET = (b"K\x00\x85", text("b"))


def numpy_dtype(code="f4", state=LITTLE):
    return call("numpy.dtype", text(code), b"\x89", b"\x88") + tuple_of(*state) + b"b"


def array(shape=(1,), dtype=None, data="abcd", start=NONE_YET, version=b"K\x01"):
    made = call("numpy._core.multiarray._reconstruct", name("numpy.ndarray"), *start)
    content = call("_codecs.encode", text(data), text("latin1"))
    size = tuple_of(*map(number, shape))
    return made + tuple_of(version, size, dtype or numpy_dtype(), b"\x89", content) + b"b"


def test_the_array_is_fine():
    assert load_watched(archive(PROTOCOL + array() + b".")) == np.frombuffer(b"abcd", "f4")


NUMPY = {
    "objects": array(dtype=numpy_dtype("O")),
    "a structure": array(dtype=numpy_dtype("V4")),
    "dates": array(dtype=numpy_dtype("M8")),
    "a dtype with fields": array(
        dtype=numpy_dtype(
            state=(
                b"K\x03",
                text("<"),
                b"N",
                tuple_of(text("a")),
                b"}",
                b"J\xff\xff\xff\xff" * 2,
                b"K\x00",
            )
        )
    ),
    "a dtype of another size": array(
        dtype=numpy_dtype(state=(b"K\x03", text("<"), b"NNN", b"M\x00\x10", b"K\x04", b"K\x00"))
    ),
    "a dtype with a text of fields": call("numpy.dtype", text("f4,O"), b"\x89", b"\x88"),
    "a dtype of a class": call("numpy.dtype", name("numpy.ndarray")),
    "a dtype by a number": call("numpy.dtype", b"K\x04"),
    "a text of 2 GB a letter": call("numpy.dtype", text("U999999999"), b"\x89", b"\x88"),
    "no dtype": array(dtype=b"N"),
    "torch's dtype": array(dtype=name("torch.float32")),
    "more elements than bytes": array((2,)),
    "a negative size": array((-1,)),
    "bools of 97": array((4,), dtype=numpy_dtype("b1")),
    "characters that do not exist": array(
        (1,), dtype=numpy_dtype("U1", (b"K\x03", text("<"), b"NNN", b"K\x04", b"K\x04", b"K\x08"))
    ),
    "2⁴⁰ elements": array((2**40,)),
    "2⁶² rows of nothing": array((2**62, 2**62, 0), data=""),
    "a first shape": array(start=(number(10**12) + b"\x85", text("b")), shape=(3,)),
    "a class that is none": call(
        "numpy._core.multiarray._reconstruct", name("torch.Size"), b")", text("b")
    ),
    "an array of objects at once": call(
        "numpy._core.multiarray._reconstruct", name("numpy.ndarray"), b"K\x00\x85", text("O")
    ),
    "a state, twice": array() + tuple_of(b"K\x01", b")", b"N", b"\x89", text("")) + b"b",
    "a short state": call(
        "numpy._core.multiarray._reconstruct", name("numpy.ndarray"), b"K\x00\x85", text("b")
    )
    + b")b",
    "a scalar of too many bytes": call(
        "numpy._core.multiarray.scalar", numpy_dtype(), text("abcdefgh")
    ),
    "a scalar of objects": call(
        "numpy._core.multiarray.scalar", numpy_dtype("O"), text("abcdefgh")
    ),
    "a buffer of too many": call(
        "numpy._core.numeric._frombuffer",
        text("abcd"),
        numpy_dtype(),
        tuple_of(number(2)),
        text("C"),
    ),
}


@pytest.mark.parametrize("what", NUMPY)
def test_arrays_of_numpy(what):
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        load_watched(archive(PROTOCOL + NUMPY[what] + b"."))


def test_no_file_changes_the_dtypes_of_numpy():
    body = b"(" + numpy_dtype(
        "f4", (b"K\x03", text(">"), b"NNN", b"J\xff\xff\xff\xff" * 2, b"K\x00")
    )
    tc.load(io.BytesIO(archive(PROTOCOL + body + b"t.")))
    assert np.dtype("f4").byteorder == "="
    assert tc.float32 == np.float32


# --- Fine pickles of Python -----------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
@given(value=nests.filter(lambda value: "tensor" not in repr(value)))
def test_pickles_of_python(protocol, value):
    """Protocols 1 to 5, as `torch.save(..., pickle_protocol=...)` writes them."""
    if any(word in repr(value) for word in ("device", "dtype", "torch.")):
        return  # under other names in PyTorch
    data = archive(pickle.dumps(value, protocol))
    assert alike(tc.load(io.BytesIO(data)), value)


def test_more_values_of_python():
    value = {
        "default": defaultdict(list, a=[1]),
        "range": range(1, 9, 2),
        "old": OrderedDict(a=1),
        "path": [Path("a") / "b", PureWindowsPath("C:/a"), PurePosixPath("/a")],
        "bytes": b"\0\xff",
        "empty": [b"", bytearray(), set(), frozenset(), (), [], {}],
    }
    for protocol in range(6):
        value["args"] = argparse.Namespace(lr=0.1) if protocol > 1 else None
        back = tc.load(io.BytesIO(archive(pickle.dumps(value, protocol))))
        assert repr(back) == repr(value)


def test_strings_of_python_2():
    body = b"}" + b"U\x01\xe9" + b"T\x02\x00\x00\x00ab" + b"s."
    data = archive(PROTOCOL + body)
    assert tc.load(io.BytesIO(data), encoding="latin1") == {"é": "ab"}
    assert tc.load(io.BytesIO(data), encoding="bytes") == {b"\xe9": b"ab"}
    assert tc.load(io.BytesIO(data), errors="replace") == {"\ufffd": "ab"}
