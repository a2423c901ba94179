"""Tensors in files: their places in storages are checked."""

import io

import pytest

import tinygrad_cnn as tc
from tests.serialization.hostile import (
    FORMS,
    ONE,
    PROTOCOL,
    archive,
    call,
    legacy,
    load_watched,
    name,
    storage,
    tensor,
    text,
    tuple_of,
)
from tinygrad_cnn.serialization import CheckpointError

OUTSIDE = {
    "a larger size": {"size": (2,)},
    "a larger stride": {"size": (1, 2), "stride": (1, 5)},
    "an offset at the end": {"offset": 1},
    "an offset beyond": {"offset": 100, "size": (0,)},
    "a negative offset": {"offset": -1},
    "a negative size": {"size": (-1,)},
    "a negative stride": {"size": (1,), "stride": (-1,)},
    "sizes whose product overflows": {"size": (2**62, 2**62), "stride": (0, 0)},
    "a size of 2⁷⁰": {"size": (2**70,), "stride": (0,)},
    "an empty one of 2⁶² rows": {"size": (0, 2**62, 2**62), "stride": (1, 1, 1)},
    "fewer strides than axes": {"size": (1, 1), "stride": (1,)},
    "65 axes": {"size": (1,) * 65, "stride": (1,) * 65},
    "more elements than the record": {"count": 2},
    "2⁴⁰ elements": {"count": 2**40},
    "2⁷⁰ elements": {"count": 2**70},
    "a negative number of elements": {"count": -1},
    "another storage": {"key": "1"},
    "a path": {"key": "../../data.pkl"},
    "the pickle itself": {"key": "0/../../data.pkl"},
    "a class that is none": {"kind": "collections.OrderedDict"},
    "a wider class": {"kind": "torch.DoubleStorage"},
    "a complex class": {"kind": "torch.ComplexFloatStorage"},
}


@pytest.mark.parametrize("form", ["archive"])
@pytest.mark.parametrize("what", OUTSIDE)
def test_tensors_outside_of_their_storage(what, form):
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        load_watched(FORMS[form](tensor(**OUTSIDE[what]) + b".", ONE))


def test_tensors_of_other_devices_are_on_the_cpu():
    for kind, place in (("torch.FloatStorage", "cuda:0"), ("torch.cuda.FloatStorage", "mps")):
        data = archive(PROTOCOL + tensor(kind=kind, location=place) + b".", ONE)
        for where in (
            None,
            "cpu",
            {"cuda:0": "cpu"},
            {"cuda:5": "cuda:1"},
            lambda storage, place: storage,
        ):
            x = tc.load(io.BytesIO(data), map_location=where)
            assert x.tolist() == [1.0]
            assert x.device == tc.device("cpu")
        with pytest.raises(NotImplementedError, match="'cuda:1' is not available"):
            tc.load(io.BytesIO(data), map_location={place: "cuda:1"})


def test_tensors_that_are_the_negative_of_their_elements():
    for metadata, fine in (
        (b"N", True),
        (b"}", True),
        (b"}" + text("neg") + b"\x88s", False),
        (b"]", False),
    ):
        body = call(
            "torch._utils._rebuild_tensor_v2",
            storage(),
            b"K\x00",
            b"K\x01\x85",
            b"K\x01\x85",
            b"\x89",
            b"N",
            metadata,
        )
        data = archive(PROTOCOL + body + b".", ONE)
        if fine:
            assert load_watched(data).tolist() == [1.0]
        else:
            with pytest.raises(CheckpointError, match="negative or conjugate"):
                load_watched(data)


@pytest.mark.parametrize("form", FORMS)
def test_bools_are_0_or_1(form):
    for data, fine in ((b"\0\1\0\1", True), (b"\0\1\2\1", False)):
        body = tensor(size=(4,), count=4, kind="torch.BoolStorage") + b"."
        if form == "archive":
            made = archive(PROTOCOL + body, [("data/0", data)])
        else:
            made = legacy(
                body.replace(b"\x04tQ", b"\x04NtQ"),
                b"]" + text("0") + b"a.",
                b"\4" + b"\0" * 7 + data,
            )
        if fine:
            assert load_watched(made).tolist() == [False, True, False, True]
        else:
            with pytest.raises(CheckpointError, match="other bytes than 0 and 1"):
                load_watched(made)


def test_an_expanded_tensor_takes_no_memory():
    back = load_watched(archive(PROTOCOL + tensor(size=(2**40,), stride=(0,)) + b".", ONE))
    assert back.shape == (2**40,)
    assert back.stride() == (0,)
    assert back[2**39].item() == 1.0


IDS = [
    b"N",
    b"K\x01",
    text("storage"),
    b"]",
    b")",
    tuple_of(text("storage")),
    tuple_of(text("module"), b"N", b"N", b"N"),
    tuple_of(text("other"), name("torch.FloatStorage"), text("0"), text("cpu"), b"K\x01"),
    tuple_of(text("storage"), b"N", text("0"), text("cpu"), b"K\x01"),
    tuple_of(text("storage"), name("torch.FloatStorage"), b"K\x00", text("cpu"), b"K\x01"),
    tuple_of(text("storage"), name("torch.FloatStorage"), text("0"), b"N", b"K\x01"),
    tuple_of(text("storage"), name("torch.FloatStorage"), text("0"), text("cpu"), b"\x88"),
    tuple_of(text("storage"), name("torch.FloatStorage"), text("0"), text("cpu"), text("1")),
    tuple_of(
        text("storage"), name("torch.FloatStorage"), text("0"), text("cpu"), b"K\x01", b"N", b"N"
    ),
    tuple_of(tensor(), name("torch.FloatStorage"), text("0"), text("cpu"), b"K\x01"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pid", IDS)
def test_ids_of_storages(pid, form):
    body = call("torch._utils._rebuild_tensor_v2", pid + b"Q", b"K\x00", b")", b")", b"\x89", b"N")
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        load_watched(FORMS[form](body + b".", ONE))
