"""MNIST and Fashion-MNIST, from small IDX files."""

import gzip
import tracemalloc

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.utils.datasets import MNIST, FashionMNIST
from tinygrad_cnn.utils.datasets.mnist import read_idx
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
        (lambda b: b + b"\0", "is too long: it has at least 61 bytes"),
        (lambda b: b[:9], "is truncated: it ends in its header"),
        (lambda b: b"", "is not an IDX file"),
        (lambda b: b"\0\0\x0d\3" + b[4:], "is not an IDX file"),
        (lambda b: b[:4] + b"\xff" * 12 + b[16:], "is truncated: it can hold at most 76 bytes"),
        (lambda b: b[:4] + b"\0" * 4 + b[8:], "is too long: it has at least 1 bytes"),
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


def damaged(path, content):
    """The error for a file of this content, and the peak of memory while it was read, in bytes."""
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(RuntimeError) as caught:
            read_idx(path, 3)
        return str(caught.value), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def header(*shape):
    return bytes((0, 0, 8, len(shape))) + b"".join(n.to_bytes(4, "big") for n in shape)


def test_what_a_header_does_not_announce_is_not_unpacked(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    bomb = gzip.compress(header(5, 4, 3) + bytes(30_000_000))
    assert len(bomb) < 40_000
    words, peak = damaged(path, bomb)
    assert words.startswith(
        f"{path}: is too long: it has at least 61 bytes of data, and shape (5, 4"
    )
    assert peak < 1_000_000


@pytest.mark.parametrize("shape", [(2**32 - 1,) * 3, (2**20, 2**10, 2**10), (60_000, 28, 28)])
def test_headers_that_announce_more_than_the_file_can_hold(tmp_path, shape):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    words, peak = damaged(path, gzip.compress(header(*shape) + bytes(1000)))
    assert words.startswith(f"{path}: is truncated: it can hold at most ")
    assert peak < 1_000_000


def test_a_bomb_whose_header_is_right(tmp_path):
    """1 GB or more of zeros from 1 MB is no data set. Zeros of a usual size are one."""
    path = tmp_path / "train-images-idx3-ubyte.gz"
    start = gzip.compress(header(2**15, 2**10, 2**5), 1)
    words, peak = damaged(path, start + bytes(1_500_000))
    assert "it can hold at most 15" in words
    assert peak < 1_000_000
    path.write_bytes(gzip.compress(header(1000, 28, 28) + bytes(784_000)))
    assert read_idx(path, 3).shape == (1000, 28, 28)


def test_images_take_their_memory_once(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    pixels = np.random.default_rng(0).integers(0, 256, 3_000_000, np.uint8).tobytes()
    path.write_bytes(gzip.compress(header(1000, 60, 50) + pixels, 1))
    tracemalloc.start()
    found = read_idx(path, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.tobytes() == pixels
    assert peak < 2 * found.nbytes + 1_000_000
