"""The format of safetensors: what is written comes back, and PyTorch reads and writes the same."""

import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tests.serialization.values import alike, tensors
from tinygrad_cnn import nn
from tinygrad_cnn.serialization import CheckpointError
from tinygrad_cnn.serialization.safetensors import load_file, save_file

pytest.importorskip("safetensors")

FIXTURES = Path(__file__).parents[1] / "fixtures"


def network():
    return nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 4))  # fmt: skip


def test_weights_that_pytorch_wrote_give_the_same_outputs():
    net, run = network(), load_file(FIXTURES / "pytorch_net_run.safetensors")
    net.load_state_dict(tc.load(FIXTURES / "pytorch_net.safetensors"))
    y = net.eval()(run["x"])
    assert y.dtype == tc.float32
    np.testing.assert_allclose(y.detach().numpy(), run["y"].numpy(), rtol=1e-5, atol=1e-6)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), tensors, max_size=4))
def test_safetensors_come_back(tmp_path_factory, state):
    path = tmp_path_factory.mktemp("s") / "w.safetensors"
    tc.save(state, path)
    back = tc.load(path)
    assert back.keys() == state.keys()
    assert all(alike(back[name], state[name]) for name in state)
    assert os.listdir(path.parent) == ["w.safetensors"]


def test_safetensors_of_what_is_not_contiguous(tmp_path):
    x = tc.tensor(np.arange(6.0).reshape(2, 3))
    state = {"t": x.t(), "every other": x[:, ::2], "scalar": tc.tensor(3.0), "a": x.numpy()[::-1]}
    save_file(state, tmp_path / "w.safetensors", {"why": "test"})
    back = load_file(tmp_path / "w.safetensors")
    for name, value in state.items():
        assert np.array_equal(back[name].numpy(), np.asarray(value)), name
    assert back["scalar"].shape == ()


def test_bfloat16_becomes_float32_and_other_types_are_refused(tmp_path):
    def file(dtype, data):
        header = (
            f'{{"x":{{"dtype":"{dtype}","shape":[2],"data_offsets":[0,{len(data)}]}}}}'.encode()
        )
        path = tmp_path / "w.safetensors"
        path.write_bytes(len(header).to_bytes(8, "little") + header + data)
        return path

    x = tc.load(file("BF16", b"\x80\x3f\x00\xc0"))["x"]
    assert x.dtype == tc.float32
    assert x.tolist() == [1.0, -2.0]
    with pytest.raises(CheckpointError, match="x has the unsupported dtype F8_E4M3"):
        tc.load(file("F8_E4M3", b"\0\0"))


def test_broken_safetensors_are_named(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"x": tc.ones(3)}, path)
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError, match=r"w\.safetensors: is cut off or damaged"):
            tc.load(path)
    for value in ([tc.ones(1)], {"a": 1}, {1: tc.ones(1)}, {"a": {"b": tc.ones(1)}}):
        with pytest.raises(TypeError, match="holds one dict of names and tensors"):
            tc.save(value, path)


def test_pytorch_reads_and_writes_the_same_weights(tmp_path):
    torch = pytest.importorskip("torch")
    import safetensors.torch as peer

    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3, padding=1), torch.nn.BatchNorm2d(3), torch.nn.ReLU(),
        torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(12, 4),
    )  # fmt: skip
    path, x = tmp_path / "w.safetensors", np.random.default_rng(0).standard_normal((3, 2, 4, 4))
    peer.save_file(theirs.state_dict(), path)
    ours = network()
    ours.load_state_dict(tc.load(path))
    wanted = theirs.double()(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(ours.double()(tc.tensor(x)).detach().numpy(), wanted, rtol=1e-10)
    save_file(network().state_dict(), path)
    theirs.float().load_state_dict(peer.load_file(path))


# --- Headers that lie -----------------------------------------------------------------------------


def made(header, payload=bytes(8)):
    if not isinstance(header, bytes):
        header = json.dumps(header).encode()
    return io.BytesIO(len(header).to_bytes(8, "little") + header + payload)


def entry(dtype="F32", shape=(2,), offsets=(0, 8), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}


def test_headers_made_by_hand():
    assert tc.load(made({"x": entry(), "__metadata__": {"a": "{["}}))["x"].tolist() == [0.0, 0.0]
    assert tc.load(made({"x": entry(shape=[0, 2**60], offsets=[0, 0])}, b""))["x"].shape[0] == 0
    assert tc.load(made({"x": entry(shape=[1] * 62 + [2])}))["x"].ndim == 63
    two = {"b": entry(shape=[1], offsets=[4, 8]), "a": entry(shape=[1], offsets=[0, 4])}
    assert list(tc.load(made(two, b"\0\0\x80\x3f" + bytes(4)))) == ["b", "a"]
    assert tc.load(made({}, b"")) == tc.load(made({"__metadata__": None}, b"")) == {}


NO_HEADERS = {
    "a shape of 2⁶³": entry(shape=[2**63]),
    "a shape whose size is 0 × 2⁶³": entry(shape=[0, 2**63], offsets=[0, 0]),
    "65 axes": entry(shape=[1] * 64 + [2]),
    "a negative size": entry(shape=[-2]),
    "two negative sizes": entry(shape=[-2, -1]),
    "a float size": entry(shape=[2.0]),
    "a bool size": entry(shape=[2, True]),
    "a text size": entry(shape=["2"]),
    "a shape of another number of bytes": entry(shape=[3]),
    "no shape": {"dtype": "F32", "data_offsets": [0, 8]},
    "a shape that is no list": {**entry(), "shape": 2},
    "an end beyond the file": entry(shape=[4], offsets=[0, 16]),
    "a far end": entry(shape=[2**60], offsets=[0, 2**62]),
    "an end before its beginning": entry(offsets=[8, 0]),
    "a beginning that leaves a gap": entry(shape=[1], offsets=[4, 8]),
    "bytes that are left over": entry(shape=[1], offsets=[0, 4]),
    "three offsets": entry(offsets=[0, 8, 8]),
    "a lower-case dtype": entry(dtype="f32"),
    "NumPy's dtype": entry(dtype="<f4"),
    "a dtype of objects": entry(dtype="O"),
    "a dtype of texts": entry(dtype="U2"),
    "a dtype that is a number": entry(dtype=4),
    "a dtype that is null": entry(dtype=None),
    "a complex dtype": entry(dtype="C64", shape=[1]),
    "an entry that is a list": [],
    "an entry that is a number": 3,
    "an entry with more levels": entry(more=[[]]),
    "a bool of another byte": entry(dtype="BOOL", shape=[8]),
}


@pytest.mark.parametrize("what", NO_HEADERS)
def test_headers_that_lie(what):
    with pytest.raises(CheckpointError, match=r"^the file: is ") as caught:
        tc.load(made({"x": NO_HEADERS[what]}, b"\2" * 8))
    assert "content makes no sense" not in str(caught.value)  # each has its own check


@pytest.mark.parametrize(
    "header",
    [
        b"{", b"{}}", b"[]", b"", b"{\"x\":NaN}", b"{\"a\":{}}", b"\xef\xbb\xbf{}", b"{\xff}",
        b'{"x":' + b"9" * 5000 + b"}", b'{"__metadata__":{"a":1}}', b'{"__metadata__":[]}x',
        b'{"x":' + b"[" * 4000 + b"]" * 4000 + b"}", b"{" * 4000,
        b'{"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},'
        b'"x":{"dtype":"I8","shape":[8],"data_offsets":[0,8]}}',
        b'{"x":{"dtype":"U8","dtype":"I8","shape":[8],"data_offsets":[0,8]}}',
    ],
)  # fmt: skip
def test_headers_that_are_none(header):
    with pytest.raises(CheckpointError, match=r"x\.safetensors: is "):
        read(made(header).getvalue())


def read(data):
    file = io.BytesIO(data)
    file.name = "x.safetensors"
    return tc.load(file)


def test_the_length_of_a_header():
    data = made({"x": entry()}).getvalue()
    for length in (0, 1, 2**31, 2**62, 2**63, 2**64 - 1, len(data), len(data) - 8):
        with pytest.raises(CheckpointError, match=r"x\.safetensors: is "):
            read(length.to_bytes(8, "little") + data[8:])


def test_tensors_that_share_their_bytes():
    """A thousand names for the same bytes would be a thousand tensors."""
    with pytest.raises(CheckpointError, match="the bytes of b do not follow those of another"):
        tc.load(made({"a": entry(), "b": entry()}))
    with pytest.raises(CheckpointError, match="the bytes of b do not follow those of another"):
        tc.load(made({"a": entry(), "b": entry(shape=[1], offsets=[4, 8])}))


def test_reading_needs_no_package(tmp_path, monkeypatch):
    save_file({"x": tc.ones(2)}, tmp_path / "w.safetensors")
    for name in ("safetensors", "safetensors.numpy"):
        monkeypatch.setitem(sys.modules, name, None)
    assert tc.load(tmp_path / "w.safetensors")["x"].tolist() == [1.0, 1.0]
    with pytest.raises(ImportError, match=r"pip install 'tinygrad_cnn\[safetensors\]'"):
        tc.save({"x": tc.ones(2)}, tmp_path / "w.safetensors")
