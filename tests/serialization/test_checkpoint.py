"""Checkpoints: saved values load unchanged, and saving is all or nothing."""

import gc
import io
import os
import pickle
import threading
import weakref
from argparse import Namespace
from collections import Counter, defaultdict, namedtuple
from pathlib import Path, PureWindowsPath

import numpy as np
import pytest
from hypothesis import example, given, strategies as st

import tinygrad_cnn as tc
from tests.serialization.values import alike, arrays, nests, saved, through
from tinygrad_cnn import nn, optim


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
    assert back["b"].tolist() == [5.0, 1.0, 1.0]
    assert back["c"].tolist() == back["array"].tolist() == [1.0, 1.0, 1.0]
    back["part"][1] = 7.0
    assert back["a"].tolist() == [5.0, 1.0, 7.0]


def test_overlapping_views_share_one_storage():
    whole = tc.arange(12.0).reshape(3, 4)
    views = [whole[:, 1:], whole.t()[::2], whole[1], tc.arange(2).expand(3, 2)]
    back = through(views)
    for one, other in zip(back, views, strict=True):
        assert one.tolist() == other.tolist()
        assert one.stride() == other.stride()
    back[2][1] = -1.0
    assert back[0][1, 0].item() == back[1][0, 1].item() + back[0][1, 0].item() - 4.0 == -1.0
    assert back[3].stride() == (0, 1)


def test_a_view_takes_only_its_own_part():
    assert len(saved(tc.zeros(1000, 100)[500])) < 2000


def test_views_of_different_dtypes_cannot_be_saved_together():
    x = tc.zeros(4)
    y = tc.from_numpy(x.numpy().view(np.int32))
    with pytest.raises(RuntimeError, match="view the same data as different types"):
        tc.save([x, y], io.BytesIO())


def test_the_same_object_is_one_object_again():
    tensor, inner = nn.Parameter(tc.ones(2)), [1]
    back = through({"a": tensor, "b": tensor, "c": [inner, inner, {"d": inner}]})
    assert back["a"] is back["b"]
    assert back["c"][0] is back["c"][1] is back["c"][2]["d"]


def test_attributes_of_a_user_are_kept():
    x, w = tc.ones(1), nn.Parameter(tc.ones(1))
    x.tag, w.group = "a", {"lr": 0.1, "mean": x}
    x.sum()
    back_x, back_w = through([x, w])
    assert back_x.tag == "a"
    assert back_w.group["lr"] == 0.1
    assert back_w.group["mean"] is back_x


def test_the_metadata_of_a_state_dict_travel():
    state = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1)).state_dict()
    back = through(state)
    assert back._metadata == state._metadata == {
        "": {"version": 1}, "0": {"version": 1}, "1": {"version": 2},
    }  # fmt: skip


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
    Point = namedtuple("Point", "x y")
    lists = defaultdict(list, a=[1])
    assert alike(through([Point(1, 2), lists]), [(1, 2), {"a": [1]}])
    assert alike(through([Counter("aab"), tc.ones(2, 3).shape]), [Counter("aab"), tc.Size([2, 3])])


def test_the_arguments_of_a_program():
    args = Namespace(lr=0.1, data=Path("/data"), weights=tc.ones(2), more=Namespace(a=[1]))
    value = {"args": args, "again": args, "window": PureWindowsPath("C:/x")}
    back = through(value)
    assert back["args"] is back["again"]
    assert back["args"].weights.tolist() == [1.0, 1.0]
    assert (back["args"].lr, back["args"].data, back["args"].more) == (
        0.1,
        Path("/data"),
        Namespace(a=[1]),
    )
    with pytest.raises(TypeError, match="cannot be saved"):
        tc.save(Namespace(f=print), io.BytesIO())
    args.me = args
    with pytest.raises(TypeError, match="contains itself"):
        tc.save(args, io.BytesIO())


def test_deep_nests_within_the_limit():
    nest = tc.ones(1)
    for _ in range(199):
        nest = [nest]
    assert repr(through(nest)) == repr(nest)
    with pytest.raises(TypeError, match="nested more than 200 levels deep"):
        tc.save([[nest]], io.BytesIO())


def test_large_containers_take_several_batches():
    value = {
        "list": list(range(3000)),
        "dict": {k: str(k) for k in range(2001)},
        "long": "x" * 70000,
    }
    value["numbers"] = [255, 256, 65535, 65536, 2**31 - 1, 2**31, -1, -(2**31) - 1, 10**700]
    assert through(value) == value
    many = [tc.tensor(float(k)) for k in range(300)]
    assert [x.item() for x in through(many)] == [float(k) for k in range(300)]


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


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {1: {2: object}},
        [print],
        np.array([None]),
        [tc.nn],
        np.zeros(2, [("a", "i4")]),
        np.array(["2020"], "M8[D]"),
        iter([]),
        {"a": {1: (0, lambda: 1)}},
    ],
)
def test_what_cannot_be_saved(value):
    with pytest.raises(TypeError, match=r"^save: the object.* cannot be saved"):
        tc.save(value, io.BytesIO())


def test_what_cannot_be_saved_is_found_deep_inside():
    with pytest.raises(
        TypeError, match=r"save: the object\['a'\]\[1\] is a module, which .*safe_globals"
    ):
        tc.save({"a": (0, tc.nn)}, io.BytesIO())


def test_a_nest_that_contains_itself():
    nest = []
    nest.append(nest)
    with pytest.raises(TypeError, match="contains itself"):
        tc.save(nest, io.BytesIO())


def test_map_location():
    file, seen = saved({"x": tc.ones(2), "epoch": 2}), []
    for where in (None, "cpu", tc.device("cpu"), {"cuda:0": "cpu"}, {"cpu": "cpu:0"}):
        assert tc.load(io.BytesIO(file), where, weights_only=True)["epoch"] == 2

    def keep(storage, place):
        seen.append((storage.tolist(), place))
        return storage

    assert tc.load(io.BytesIO(file), keep)["x"].tolist() == [1.0, 1.0]
    assert seen == [([1.0, 1.0], "cpu")]
    tc.load(io.BytesIO(file), lambda storage, place: None)
    for where in ("cuda", tc.device("cuda", 1), {"cpu": "cuda:0"}):
        with pytest.raises(NotImplementedError, match="map_location .*cuda.* is not available"):
            tc.load(io.BytesIO(file), where)
    with pytest.raises(RuntimeError, match="cuda"):
        tc.load(io.BytesIO(file), lambda storage, place: storage.cuda())
    with pytest.raises(NotImplementedError, match="returned another storage"):
        tc.load(io.BytesIO(file), lambda storage, place: storage.clone())


# --- Files ----------------------------------------------------------------------------------------


class Pipe:
    """A file that only reads or only writes."""

    def __init__(self, data=b""):
        self._file = io.BytesIO(data)

    def write(self, data):
        return self._file.write(data)

    def read(self, n=-1):
        return self._file.read(n)


def test_files_without_seek_and_in_the_middle_of_others():
    pipe, value = Pipe(), [tc.ones(2), "x"]
    tc.save(value, pipe)
    data = pipe._file.getvalue()
    assert alike(tc.load(Pipe(data)), value)
    file = io.BytesIO(b"before" + data)
    file.seek(6)
    assert alike(tc.load(file), value)
    file = io.BytesIO()
    file.write(b"before")
    tc.save(value, file)
    assert file.getvalue() == b"before" + data


def test_other_machines(monkeypatch, tmp_path):
    tc.save([1], tmp_path / "x")
    monkeypatch.setattr("sys.byteorder", "big")
    for call in (lambda: tc.save([2], tmp_path / "x"), lambda: tc.load(tmp_path / "x")):
        with pytest.raises(NotImplementedError, match="big-endian machines are not supported"):
            call()
    monkeypatch.undo()
    assert tc.load(tmp_path / "x") == [1]


def test_what_is_no_file():
    with pytest.raises(AttributeError, match="a file-like object with a 'write' attribute"):
        tc.save(1, 1)
    with pytest.raises(AttributeError, match="wanted a file name or an open binary file, got int"):
        tc.load(1)
    with pytest.raises(TypeError, match="must be open in binary mode"):
        tc.load(io.StringIO("text"))


def test_a_loaded_file_is_freed_with_its_tensors():
    """There are no reference cycles: the memory is free at once."""
    file = saved({"x": tc.ones(3), "array": np.ones(3), "state": nn.Linear(1, 1).state_dict()})
    old = io.BytesIO()
    tc.save([tc.ones(3)], old, _use_new_zipfile_serialization=False)
    for data in (file, old.getvalue()):
        gc.collect()
        gc.disable()
        try:
            found = tc.load(io.BytesIO(data))
            x = found["x"] if isinstance(found, dict) else found[0]
            storage = weakref.ref(x.numpy().base)
            del found, x
            assert storage() is None
            assert gc.collect() == 0
        finally:
            gc.enable()


def test_mapped_files(tmp_path):
    path, x = tmp_path / "x.pt", tc.arange(6.0).reshape(2, 3)
    tc.save({"x": x, "empty": tc.ones(0)}, path)
    back = tc.load(path, mmap=True)
    assert back["x"].tolist() == x.tolist()
    assert back["empty"].shape == (0,)
    assert back["x"].data_ptr() % 64 == 0
    back["x"].add_(1.0)  # changes the memory of this program, not the file
    assert tc.load(str(path), mmap=True)["x"].tolist() == x.tolist()
    with pytest.raises(ValueError, match="f must be a file path in order to use the mmap argument"):
        tc.load(io.BytesIO(path.read_bytes()), mmap=True)


@given(nests)
def test_the_format_before_1_6_comes_back_too(value):
    file = io.BytesIO()
    tc.save(value, file, _use_new_zipfile_serialization=False)
    file.seek(0)
    assert alike(tc.load(file), value)


def test_the_arguments_about_pickles_are_taken_and_others_are_not(tmp_path):
    path = tmp_path / "x"
    tc.save({"a": 1}, path, pickle, 5, True)
    assert tc.load(path, None, pickle, weights_only=False, mmap=True, encoding="latin1") == {"a": 1}
    with pytest.raises(TypeError, match=r"load\(\) got an unexpected keyword argument 'map_place'"):
        tc.load(path, map_place="cpu")


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_errors_name_the_path_of_the_user(tmp_path, ending):
    if ending == "safetensors":
        pytest.importorskip("safetensors")
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
