"""CIFAR, from small archives of the same format: both versions, damaged ones, hostile pickles."""

import io
import os
import pickle
import shutil
import tracemalloc

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.utils.data import DataLoader
from tinygrad_cnn.utils.datasets import CIFAR10, CIFAR100
from tinygrad_cnn.utils.datasets.pickled import read_pickle
from tinygrad_cnn.utils.transforms import Compose, Normalize, ToTensor

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
FINE = [f"fine {k}" for k in range(100)]
BATCHES = [f"data_batch_{k}" for k in range(1, 6)]


def batch(n, seed, classes):
    draw = np.random.default_rng(seed)
    return draw.integers(0, 256, (n, 3072), np.uint8), draw.integers(classes, size=n).tolist()


def as_python_2(found):
    """A pickle as Python 2 wrote it: protocol 2, the bytes of arrays and texts as str."""
    data = found["data"]

    class Array:
        def __reduce__(self):
            return _reconstruct, (np.ndarray, (0,), "b"), (1, data.shape, data.dtype, False, Raw())

    class Raw:
        pass

    class Pickler(pickle._Pickler):
        def save(self, value, *args):
            if not isinstance(value, Raw):
                return super().save(value, *args)
            content = data.tobytes()
            self.write(b"T" + len(content).to_bytes(4, "little") + content)

    file = io.BytesIO()
    Pickler(file, 2).dump({**found, "data": Array()})
    return file.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


_reconstruct = np.empty(0).__reduce__()[0]


def write_python(root, folder="cifar-10-batches-py", write=pickle.dumps, n=6):
    (root / folder).mkdir()
    for k, name in enumerate([*BATCHES, "test_batch"]):
        data, labels = batch(n, k, 10)
        (root / folder / name).write_bytes(write({"data": data, "labels": labels}))
    (root / folder / "batches.meta").write_bytes(pickle.dumps({"label_names": NAMES}))


def write_binary(root, n=6):
    folder = root / "cifar-10-batches-bin"
    folder.mkdir()
    for k, name in enumerate([*BATCHES, "test_batch"]):
        data, labels = batch(n, k, 10)
        rows = np.concatenate([np.array(labels, np.uint8)[:, None], data], 1)
        (folder / f"{name}.bin").write_bytes(rows.tobytes())
    (folder / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")


def check(data, batches):
    wanted = [batch(6, k, 10) for k in batches]
    assert data.data.shape == (6 * len(wanted), 32, 32, 3)
    assert data.targets == [label for _, labels in wanted for label in labels]
    image, label = data[7 % len(data)]
    row = wanted[7 // 6 % len(wanted)][0][7 % len(data) % 6]
    assert (image == row.reshape(3, 32, 32).transpose(1, 2, 0)).all()
    assert label == data.targets[7 % len(data)]
    assert data.classes == NAMES
    assert data.class_to_idx["frog"] == 6


PICKLES = {
    "protocol 2": lambda x: pickle.dumps(x, 2),
    "protocol 4": lambda x: pickle.dumps(x, 4),
    "protocol 5": lambda x: pickle.dumps(x, 5),
    "Python 2": as_python_2,
}


@pytest.mark.parametrize("write", PICKLES.values(), ids=PICKLES)
def test_the_python_version(tmp_path, write):
    write_python(tmp_path, write=write)
    check(CIFAR10(tmp_path), range(5))
    check(CIFAR10(str(tmp_path), train=False, download=True), [5])


def test_names_in_bytes(tmp_path):
    def encoded(found):
        return pickle.dumps({key.encode(): value for key, value in found.items()})

    write_python(tmp_path, write=encoded)
    names = {b"label_names": [name.encode() for name in NAMES]}
    (tmp_path / "cifar-10-batches-py" / "batches.meta").write_bytes(pickle.dumps(names))
    check(CIFAR10(tmp_path), range(5))


def test_the_binary_version(tmp_path):
    write_binary(tmp_path)
    check(CIFAR10(tmp_path), range(5))
    check(CIFAR10(tmp_path, train=False), [5])


@pytest.mark.parametrize("binary", [False, True])
def test_cifar100_has_the_fine_labels(tmp_path, binary):
    data, labels = batch(5, 0, 100)
    if binary:
        folder = tmp_path / "cifar-100-binary"
        folder.mkdir()
        both = np.stack([np.zeros(5), labels], 1).astype(np.uint8)
        (folder / "train.bin").write_bytes(np.concatenate([both, data], 1).tobytes())
        (folder / "fine_label_names.txt").write_text("\n".join(f"fine_{k}" for k in range(100)))
    else:
        folder = tmp_path / "cifar-100-python"
        folder.mkdir()
        found = {"data": data, "fine_labels": labels, "coarse_labels": [0] * 5}
        (folder / "train").write_bytes(pickle.dumps(found))
        (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": FINE}))
    train = CIFAR100(tmp_path)
    assert (len(train), len(train.classes), train.targets) == (5, 100, labels)


def test_transforms_the_loader_and_the_text(tmp_path):
    write_python(tmp_path)
    prepare = Compose([ToTensor(), Normalize((0.5,) * 3, (0.5,) * 3)])
    data = CIFAR10(tmp_path, transform=prepare, target_transform=lambda k: k + 100)
    x, t = next(iter(DataLoader(data, batch_size=4)))
    assert (tuple(x.shape), x.dtype, t.tolist()) == (
        (4, 3, 32, 32),
        tc.float32,
        [k + 100 for k in data.targets[:4]],
    )
    assert str(CIFAR10(tmp_path, False, prepare)) == (
        "Dataset CIFAR10\n    Number of datapoints: 6\n"
        f"    Root location: {tmp_path}\n    Split: Test\n    StandardTransform\n"
        "Transform: Compose(\n               ToTensor()\n"
        "               Normalize(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))\n           )"
    )


def test_a_change_of_an_image_does_not_change_the_data(tmp_path):
    write_python(tmp_path)
    data = CIFAR10(tmp_path)
    before = data.data.copy()
    data[0][0][...] = 0
    assert (data.data == before).all()


# --- Wrong files ------------------------------------------------------------------------------------


def test_missing_files_say_where_to_put_them(tmp_path):
    with pytest.raises(RuntimeError, match=r"not found.*cifar-10-python.tar.gz there"):
        CIFAR10(tmp_path)
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"")
    with pytest.raises(RuntimeError, match=r"downloaded: unpack cifar-10-python.tar.gz there"):
        CIFAR10(tmp_path, download=True)
    write_python(tmp_path)
    (tmp_path / "cifar-10-batches-py" / "data_batch_3").unlink()
    with pytest.raises(RuntimeError, match=r"reads data_batch_3 in"):
        CIFAR10(tmp_path)


def test_a_truncated_pickle_is_one_error(tmp_path):
    write_python(tmp_path, n=1)
    path = tmp_path / "cifar-10-batches-py" / "test_batch"
    whole = path.read_bytes()
    for length in [*range(0, len(whole), 61), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(RuntimeError, match="test_batch"):
            CIFAR10(tmp_path, train=False)


@pytest.mark.parametrize(
    "content", [{}, {"data": np.zeros((2, 3072), np.uint8)}, [1], {"data": 1, "labels": [1]},
                {"data": np.zeros((2, 3072), np.uint8), "labels": [1]},
                {"data": np.zeros((1, 3072), np.uint8), "labels": ["1"]},
                {"data": np.zeros((1, 3072), np.uint8), "labels": [10]},
                {"data": np.zeros((1, 3072), np.float32), "labels": [1]}],
)  # fmt: skip
def test_wrong_content_is_one_error(tmp_path, content):
    write_python(tmp_path)
    (tmp_path / "cifar-10-batches-py" / "test_batch").write_bytes(pickle.dumps(content))
    with pytest.raises(RuntimeError, match="test_batch"):
        CIFAR10(tmp_path, train=False)


def test_a_truncated_binary_file(tmp_path):
    write_binary(tmp_path)
    path = tmp_path / "cifar-10-batches-bin" / "test_batch.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RuntimeError, match=r"test_batch.bin: is truncated: it has 18437 bytes"):
        CIFAR10(tmp_path, train=False)


class Reduced:
    def __init__(self, *what):
        self.what = what

    def __reduce__(self):
        return self.what


def hostile(mark):
    """Pickles that would run something, or change this module, by name."""
    command = f"touch {mark}"
    return {
        "a call": pickle.dumps(Reduced(os.system, (command,))),
        "eval": pickle.dumps(Reduced(eval, (f"__import__('os').system({command!r})",))),
        "an attribute": pickle.dumps(Reduced(getattr, (np.ndarray, "tofile"))),
        "INST": f"(S'{command}'\nios\nsystem\n.".encode(),
        "OBJ": f"(cos\nsystem\nS'{command}'\no.".encode(),
        "a class": b"cnumpy\ndtype\n)\x81.",
        "a state of a function": b"c_codecs\nencode\n}S'call'\nI1\nsb.",
        "a slot of a function": b"c_codecs\nencode\n(N}S'call'\nI1\nstb.",
        "a persistent id": b"Pname\n.",
        "an extension": b"\x82\x01.",
        "a huge array": pickle.dumps(Reduced(_reconstruct, (np.ndarray, (1 << 40,), "b"))),
        "huge bytes": b"\x8e" + (1 << 60).to_bytes(8, "little") + b".",
        "an array of objects": pickle.dumps({"data": np.array([{}], object), "labels": [1]}),
        "text": b"not a pickle",
    }


@pytest.mark.parametrize("name", hostile(""))
def test_a_hostile_pickle_runs_nothing(tmp_path, name):
    path = tmp_path / "batch"
    path.write_bytes(hostile(tmp_path / "mark")[name])
    with pytest.raises(RuntimeError, match="batch"):
        read_pickle(path)
    assert not (tmp_path / "mark").exists()
    path.write_bytes(pickle.dumps({"data": batch(1, 0, 10)[0]}))
    assert (read_pickle(path)["data"] == batch(1, 0, 10)[0]).all()


@pytest.mark.parametrize("names", [[3, 4], [["a"]], [None], "airplane", {"a": 1}, 5])
def test_names_of_classes_that_are_none(tmp_path, names):
    write_python(tmp_path)
    path = tmp_path / "cifar-10-batches-py" / "batches.meta"
    path.write_bytes(pickle.dumps({"label_names": names}))
    with pytest.raises(RuntimeError, match=r"batches\.meta: has no list 'label_names'"):
        CIFAR10(tmp_path)


def test_names_of_classes_in_other_bytes(tmp_path):
    write_python(tmp_path)
    path = tmp_path / "cifar-10-batches-py" / "batches.meta"
    path.write_bytes(pickle.dumps({"label_names": [b"\xff"] * 10}))
    assert CIFAR10(tmp_path).classes == ["\ufffd"] * 10
    write_binary(tmp_path)
    shutil.rmtree(path.parent)
    (tmp_path / "cifar-10-batches-bin" / "batches.meta.txt").write_bytes(b"\xff\n" * 10)
    assert CIFAR10(tmp_path).classes == ["\ufffd"] * 10


@pytest.mark.parametrize("write", [pickle.dumps, as_python_2])
def test_images_take_their_memory_twice_at_most(tmp_path, write):
    write_python(tmp_path, write=write, n=200)
    CIFAR10(tmp_path, train=False)  # imports
    tracemalloc.start()
    data = CIFAR10(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * data.data.nbytes + 1_000_000


def test_a_pickle_of_a_million_lists(tmp_path):
    path = tmp_path / "data_batch_1"
    path.write_bytes(b"\x80\x02(" + b"]" * 1_000_000 + b"l.")
    with pytest.raises(RuntimeError, match="data_batch_1: .* it makes more than 62,500 objects"):
        read_pickle(path)
