"""The format of safetensors: what is written comes back, and PyTorch reads and writes the same."""

import os
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
