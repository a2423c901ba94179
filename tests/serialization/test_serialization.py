"""Checkpoints: saved values load unchanged, damage is noticed, and files of PyTorch."""

import io
import os
import pickle
import threading
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_cnn as tc
from tinygrad_cnn import nn, optim
from tinygrad_cnn.serialization import CheckpointError
from tinygrad_cnn.serialization.safetensors import load_file, save_file

FIXTURES = Path(__file__).parents[1] / "fixtures"


def through(value):
    file = io.BytesIO()
    tc.save(value, file)
    file.seek(0)
    return tc.load(file)


def alike(a, b):
    """The same types, dtypes, shapes and bits, all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, tc.Tensor):
        return a.requires_grad == b.requires_grad and alike(a.detach().numpy(), b.detach().numpy())
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return len(a) == len(b) and all(
            alike(k, m) and alike(v, w) for (k, v), (m, w) in zip(a.items(), b.items(), strict=True)
        )
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(alike, a, b))
    return repr(a) == repr(b)  # nan too


DTYPES = [
    np.dtype(t)
    for t in ("?", *(f"{kind}{n}" for kind in "iu" for n in (1, 2, 4, 8)), "f2", "f4", "f8")
]
arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_side=3))
)
tensors = arrays.map(tc.tensor)
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
keys = plain.filter(lambda k: k == k) | st.tuples(st.integers(), st.text(max_size=2))
nests = st.recursive(
    plain | arrays | tensors | arrays.map(lambda a: a.reshape(-1)[:1].sum()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
        | st.dictionaries(keys, inner, max_size=2).map(OrderedDict)
    ),
    max_leaves=8,
)


@given(nests)
@example({0: 1, "0": 2, None: 3, 1.5: 4, (1, 2): 5, -1: True})
@example([float("nan"), float("inf"), -0.0, 2**80, "\ud800", "é\0"])
@example((np.float64(0.1), np.bool_(True), np.array(3, "i2"), np.zeros((0, 3))))
@example(np.array(["a", "bc"]))
def test_what_goes_in_comes_out(value):
    assert alike(through(value), value)


@given(arrays, st.sampled_from(["transposed", "backwards", "every other", "other endian"]))
def test_arrays_of_any_layout(array, layout):
    whole = np.atleast_2d(array) if array.size else array
    turned = {
        "transposed": lambda: whole.T,
        "backwards": lambda: whole[::-1] if whole.ndim else whole,
        "every other": lambda: whole[..., ::2] if whole.ndim else whole,
        "other endian": lambda: whole.astype(whole.dtype.newbyteorder(">")),
    }[layout]()
    back = through(turned)
    assert back.shape == turned.shape
    assert back.dtype == turned.dtype.newbyteorder("=")
    assert np.array_equal(back, turned, equal_nan=turned.dtype.kind == "f")
    assert back.flags.writeable


def test_tensors_parameters_and_their_grads():
    x, w = tc.ones(2, requires_grad=True), nn.Parameter(tc.zeros(2, 2))
    frozen = nn.Parameter(tc.tensor([1, 2]), requires_grad=False)
    back = through([x, w, frozen, (x * 2), tc.ones(1)])
    assert [type(t) for t in back] == [tc.Tensor, nn.Parameter, nn.Parameter, tc.Tensor, tc.Tensor]
    assert [t.requires_grad for t in back] == [True, True, False, True, False]
    assert all(t.is_leaf for t in back)
    back[0].sum().backward()
    assert back[0].grad.tolist() == [1.0, 1.0]


def test_shared_memory_stays_shared():
    a = tc.ones(3)
    back = through({"a": a, "b": a.detach(), "c": a.clone(), "part": a[1:], "array": a.numpy()})
    back["a"][0] = 5.0
    assert back["b"].tolist() == back["array"].tolist() == [5.0, 1.0, 1.0]
    assert back["c"].tolist() == [1.0, 1.0, 1.0]
    assert back["part"].tolist() == [1.0, 1.0]


def test_a_whole_run_goes_on_as_if_it_had_not_stopped(tmp_path):
    def make():
        net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
        optimizer = optim.NAdam(net.parameters(), lr=0.1)
        parts = [optim.lr_scheduler.LinearLR(optimizer, 0.5, 1, 2),
                 optim.lr_scheduler.MultiStepLR(optimizer, [1, 3])]  # fmt: skip
        return net, optimizer, optim.lr_scheduler.SequentialLR(optimizer, parts, [3])

    def train(run, epochs):
        net, optimizer, scheduler = run
        for _ in range(epochs):
            optimizer.zero_grad()
            net(tc.randn(6, 4)).square().mean().backward()
            optimizer.step()
            scheduler.step()

    tc.manual_seed(0)
    first, file = make(), tmp_path / "run.ckpt"
    train(first, 4)
    tc.save({"parts": [part.state_dict() for part in first], "random": tc.get_rng_state()}, file)
    train(first, 4)
    tc.manual_seed(99)
    second, saved = make(), tc.load(file)
    for part, state in zip(second, saved["parts"], strict=True):
        part.load_state_dict(state)
    tc.set_rng_state(saved["random"])
    train(second, 4)
    for a, b in zip(first, second, strict=True):
        assert alike(through(a.state_dict()), through(b.state_dict()))


def test_subclasses_of_plain_types_become_plain():
    assert through([Counter("aab"), tc.ones(2, 3).shape]) == [{"a": 2, "b": 1}, (2, 3)]


# --- Damage ---------------------------------------------------------------------------------------

STATE = {
    "model": {"weight": tc.tensor(np.arange(6.0).reshape(2, 3)), "n": tc.tensor(3)},
    "optimizer": {"state": {0: {"step": tc.tensor(2.0)}}, "lr": 0.5}, "epoch": 2,
}  # fmt: skip
FILE = io.BytesIO()
tc.save(STATE, FILE)
BYTES = FILE.getvalue()


@given(st.integers(0, len(BYTES) - 1), st.integers(1, 255))
def test_any_byte_changed_is_noticed(place, by):
    damaged = bytearray(BYTES)
    damaged[place] ^= by
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        tc.load(io.BytesIO(damaged))


def test_every_cut_is_noticed():
    for length in range(len(BYTES)):
        with pytest.raises(CheckpointError, match=r"^the file: is "):
            tc.load(io.BytesIO(BYTES[:length]))
    with pytest.raises(CheckpointError, match="is cut off or damaged"):
        tc.load(io.BytesIO(BYTES + b"\0"))


@given(
    st.binary(max_size=60), st.sampled_from([b"", BYTES[:8], BYTES[:20], b"PK\x03\x04", b"\x80\2"])
)
def test_noise_is_noticed(noise, start):
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        tc.load(io.BytesIO(start + noise))


@pytest.mark.parametrize("header", [
    b"[]", b"{}", b"nonsense", b'{"arrays":[],"tree":{"magic":1}}', b'{"arrays":[],"tree":{}}',
    b'{"arrays":[],"tree":{"array":0}}', b'{"arrays":[{"dtype":"O","shape":[0],"crc":0}],"tree":1}',
    b'{"arrays":[{"dtype":"<f4","shape":[-1,0],"crc":0}],"tree":1}',
    b'{"arrays":[{"dtype":"<f4","shape":[4611686018427387904],"crc":0}],"tree":1}',
    b'{"arrays":[],"tree":{"dict":[[[1],2]]}}', b'{"arrays":[],"tree":' + b"[" * 9999 + b"]" * 9999 + b"}",
])  # fmt: skip
def test_a_header_made_by_hand_cannot_do_harm(header):
    import zlib

    length = len(header).to_bytes(8, "little")
    check = zlib.crc32(length + header).to_bytes(4, "little")
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        tc.load(io.BytesIO(BYTES[:8] + length + check + header))


def test_the_file_is_named_and_nothing_is_loaded(tmp_path):
    path = tmp_path / "run.ckpt"
    path.write_bytes(BYTES[:-3])
    with pytest.raises(CheckpointError) as caught:
        tc.load(path)
    assert str(caught.value).startswith(f"{path}: is cut off or damaged: its arrays take")
    with pytest.raises(FileNotFoundError):
        tc.load(tmp_path / "nothing")


def test_files_of_others_are_told_apart(tmp_path):
    class Danger:
        def __reduce__(self):
            return os._exit, (1,)  # unpickling it would end the tests

    for name, write in {
        "zip.pt": lambda p: zipfile.ZipFile(p, "w").writestr("archive/data.pkl", b"\x80\x02."),
        "old.pt": lambda p: p.write_bytes(pickle.dumps(Danger(), 2)),
        "new.pkl": lambda p: p.write_bytes(pickle.dumps(Danger())),
    }.items():
        write(tmp_path / name)
        with pytest.raises(CheckpointError, match=r"is a pickle, the format of .* safetensors"):
            tc.load(tmp_path / name, weights_only=False)
    np.savez(tmp_path / "a.npz", x=np.ones(2))
    with pytest.raises(CheckpointError, match=r"a\.npz: is a NumPy \.npz: numpy\.load reads it"):
        tc.load(tmp_path / "a.npz")


# --- Writing --------------------------------------------------------------------------------------


def test_a_failed_save_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "run.ckpt"
    tc.save({"epoch": 1}, path)
    with pytest.raises(
        TypeError, match=r"save: the object\['net'\] is a Linear, .* state_dict\(\)"
    ):
        tc.save({"net": nn.Linear(1, 1)}, path)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        tc.save({"epoch": 2}, path)
    assert tc.load(path) == {"epoch": 1}
    assert os.listdir(tmp_path) == ["run.ckpt"]


def test_it_is_written_beside_flushed_and_renamed(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        original = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *a, name=name, original=original: (calls.append(name), original(*a))
        )
    path = tmp_path / "run.ckpt"
    tc.save([1], str(path))
    assert calls[:2] == ["fsync", "replace"]
    (tmp_path / "link.ckpt").symlink_to(path)
    tc.save([2], tmp_path / "link.ckpt")
    assert tc.load(path) == [2]
    assert (tmp_path / "link.ckpt").is_symlink()


def test_several_may_write_at_once(tmp_path):
    path = tmp_path / "run.ckpt"
    threads = [threading.Thread(target=tc.save, args=([i] * 1000, path)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = tc.load(path)
    assert len(found) == 1000
    assert len(set(found)) == 1
    assert os.listdir(tmp_path) == ["run.ckpt"]


@pytest.mark.parametrize("value", [object(), {1: {2}}, [print], np.array([None]), b"bytes",
                                   np.zeros(2, [("a", "i4")]), 1j])  # fmt: skip
def test_what_cannot_be_saved(value):
    with pytest.raises(TypeError, match=r"^save: the object.* cannot be saved"):
        tc.save(value, io.BytesIO())


def test_a_nest_that_contains_itself():
    nest = []
    nest.append(nest)
    with pytest.raises(TypeError, match="nested too deeply, or contains itself"):
        tc.save(nest, io.BytesIO())


def test_map_location():
    for where in (None, "cpu", lambda storage, place: storage, {"cuda:0": "cpu"}):
        assert alike(tc.load(io.BytesIO(BYTES), where, weights_only=True)["epoch"], 2)
    with pytest.raises(NotImplementedError, match="map_location 'cuda' is not available"):
        tc.load(io.BytesIO(BYTES), "cuda")


# --- safetensors ----------------------------------------------------------------------------------


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


# --- With PyTorch installed -----------------------------------------------------------------------


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
    torch.save(theirs.state_dict(), tmp_path / "w.pt")
    torch.save(theirs.state_dict(), tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    for name in ("w.pt", "old.pt"):
        with pytest.raises(CheckpointError, match="is a pickle"):
            tc.load(tmp_path / name)


def test_the_arguments_about_pickles_are_taken_and_others_are_not(tmp_path):
    path = tmp_path / "x"
    tc.save({"a": 1}, path, pickle, 5, True)
    assert tc.load(path, None, pickle, weights_only=False, mmap=True, encoding="latin1") == {"a": 1}
    with pytest.raises(TypeError, match=r"load\(\) got an unexpected keyword argument 'map_place'"):
        tc.load(path, map_place="cpu")


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_errors_name_the_path_of_the_user(tmp_path, ending):
    (tmp_path / f"folder.{ending}").mkdir()
    (tmp_path / "file").write_text("")
    for name in (f"none/x.{ending}", f"folder.{ending}", f"file/x.{ending}"):
        path = str(tmp_path / name)
        for call in (
            lambda path=path: tc.save({"x": tc.ones(1)}, path),
            lambda path=path: tc.load(path),
        ):
            with pytest.raises(OSError, match=r"\[Errno ") as caught:
                call()
            assert caught.value.filename == path
            assert str(caught.value).endswith(repr(path))
            assert caught.value.filename2 is None
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", f"folder.{ending}"]
