"""MNIST and Fashion-MNIST, from small IDX files."""

import gzip

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.utils.datasets import MNIST, FashionMNIST
from tinygrad_cnn.utils.transforms import ToTensor

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)
LABELS = np.array([3, 0, 9, 1, 1], np.uint8)


def idx(array):
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return bytes((0, 0, 8, array.ndim)) + sizes + array.tobytes()


def write(folder, part="train", images=IMAGES, labels=LABELS, pack=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        path = folder / f"{part}-{name}-ubyte"
        if pack:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(idx(array)))
        else:
            path.write_bytes(idx(array))


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.parametrize("cls", [MNIST, FashionMNIST])
@pytest.mark.parametrize("inner", [True, False])
def test_reads(tmp_path, cls, pack, inner):
    write(tmp_path / cls.__name__ / "raw" if inner else tmp_path, pack=pack)
    data = cls(str(tmp_path), download=True)
    assert (tuple(data.data.shape), data.data.dtype) == ((5, 4, 3), tc.uint8)
    assert (data.targets.tolist(), data.targets.dtype) == (LABELS.tolist(), tc.int64)
    image, label = data[2]
    assert (image == IMAGES[2]).all()
    assert (label, type(label), len(data)) == (9, int, 5)
    assert (len(data.classes), list(data.class_to_idx.values())) == (10, list(range(10)))
    assert tuple(cls(tmp_path, transform=ToTensor())[0][0].shape) == (1, 4, 3)


def test_the_part_for_tests(tmp_path):
    write(tmp_path, "t10k")
    assert len(MNIST(tmp_path, train=False)) == 5
    with pytest.raises(RuntimeError, match=r"reads train-images-idx3-ubyte\(.gz\) in .*MNIST/raw"):
        MNIST(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b[:-1], "is truncated: it has 59 bytes"),
        (lambda b: b + b"\0", "is too long: it has 61 bytes"),
        (lambda b: b[:9], "is truncated: it ends in its header"),
        (lambda b: b"", "is not an IDX file"),
        (lambda b: b"\0\0\x0d\3" + b[4:], "is not an IDX file"),
        (lambda b: b[:4] + b"\xff" * 12 + b[16:], "is truncated"),
    ],
)
def test_damaged_files(tmp_path, change, message):
    write(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(RuntimeError, match=message):
        MNIST(tmp_path)


def test_a_damaged_archive_and_labels_that_do_not_fit(tmp_path):
    write(tmp_path, labels=LABELS[:4])
    with pytest.raises(RuntimeError, match="4 labels for the 5 images"):
        MNIST(tmp_path)
    write(tmp_path, labels=LABELS + 7)
    with pytest.raises(RuntimeError, match="has a label 16"):
        MNIST(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").unlink()
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES))[:-20])
    with pytest.raises(RuntimeError, match="cannot be read"):
        MNIST(tmp_path)
