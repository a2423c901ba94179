"""MNIST (LeCun et al. 1998) and Fashion-MNIST (Xiao et al. 2017), from IDX files, gzipped or not."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ...engine import wrap
from ...tensor import Tensor
from .vision import Split

__all__ = ["MNIST", "FashionMNIST"]

_DIGITS = [
    "0 - zero", "1 - one", "2 - two", "3 - three", "4 - four", "5 - five", "6 - six", "7 - seven",
    "8 - eight", "9 - nine",
]  # fmt: skip
_CLOTHES = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
]  # fmt: skip


_PIECE = 1 << 20  # bytes that are read at a time
_RATIO = 1032  # of deflate: no data can be smaller by more
_LARGE, _LARGE_RATIO = 1 << 30, 100  # bytes of images that are smaller by more are made to do harm


def read_idx(path: Path, axes: int) -> np.ndarray:
    """The elements (uint8) of an IDX file with so many axes. RuntimeError for a damaged file.

    The format: two zero bytes, 8 for "unsigned byte", the number of axes, the size of each axis as
    a big-endian 32-bit integer; then the elements in row-major order. A gzipped file is unpacked
    only as far as its header says, and not at all if it cannot hold so much.
    """
    try:
        with open(path, "rb") as stored:
            size = os.fstat(stored.fileno()).st_size
            if path.suffix != ".gz":
                return _idx(path, stored, axes, size, size)
            with gzip.open(stored) as file:
                return _idx(path, file, axes, size * _RATIO, size * _LARGE_RATIO)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise RuntimeError(f"{path}: cannot be read: {error}") from None


def _idx(path: Path, file: Any, axes: int, most: int, most_if_large: int) -> np.ndarray:
    """The elements in an open IDX file, which can have so many bytes at most."""
    header = file.read(4 + 4 * axes)
    if header[:4] != bytes((0, 0, 8, axes)):
        raise RuntimeError(f"{path}: is not an IDX file of bytes with {axes} axes")
    if len(header) < 4 + 4 * axes:
        raise RuntimeError(f"{path}: is truncated: it ends in its header")
    shape = [int.from_bytes(header[4 + 4 * k : 8 + 4 * k], "big") for k in range(axes)]
    wanted, content = math.prod(shape), bytearray()
    most = most if wanted < _LARGE else most_if_large
    needs = f"bytes of data, and shape {tuple(shape)} needs {wanted}"
    if wanted > most:
        raise RuntimeError(f"{path}: is truncated: it can hold at most {most} {needs}")
    while piece := file.read(min(_PIECE, wanted + 1 - len(content))):
        content += piece
    if len(content) != wanted:
        fault = "truncated: it has" if len(content) < wanted else "too long: it has at least"
        raise RuntimeError(f"{path}: is {fault} {len(content)} {needs}")
    return np.frombuffer(content, np.uint8).reshape(shape)


class MNIST(Split):
    """Grey images of handwritten digits, 60,000 to train with and 10,000 to test with.

    Item k is (image, label): a uint8 array (28, 28), after `transform`, and an int. The files
    train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-..., gzipped (.gz) or not, are read from
    `root`/MNIST/raw, else from `root`. `data` is a uint8 Tensor (N, 28, 28), `targets` an int64 Tensor
    (N,), `classes` the names.

    Nothing is downloaded, with `download=True` neither. RuntimeError for files that are missing or
    damaged, which says where to put them.

    >>> tc.utils.datasets.MNIST("nowhere")
    Traceback (most recent call last):
    RuntimeError: Dataset not found: MNIST reads train-images-idx3-ubyte(.gz) in nowhere/MNIST/raw ...
    """

    data: Tensor
    targets: Tensor
    _archive = "https://ossci-datasets.s3.amazonaws.com/mnist"
    classes = _DIGITS

    @property
    def raw_folder(self) -> str:
        """The folder of the files in torchvision's layout."""
        return str(Path(self.root or "") / type(self).__name__ / "raw")

    def _read(self, root: Path) -> tuple[Tensor, Tensor]:
        part = "train" if self.train else "t10k"
        image_file = self._find(root, f"{part}-images-idx3-ubyte")
        label_file = self._find(root, f"{part}-labels-idx1-ubyte")
        images, labels = read_idx(image_file, 3), read_idx(label_file, 1)
        if len(images) != len(labels):
            raise RuntimeError(
                f"{label_file}: has {len(labels)} labels for the {len(images)} images of "
                f"{image_file.name}"
            )
        if labels.size and labels.max() >= len(self.classes):
            raise RuntimeError(f"{label_file}: has a label {labels.max()}, wanted 0 to 9")
        return wrap(images), wrap(labels.astype(np.int64))

    def _find(self, root: Path, name: str) -> Path:
        raw = Path(self.raw_folder).expanduser()
        for folder in (raw, root):
            for path in (folder / name, folder / f"{name}.gz"):
                if path.is_file():
                    return path
        raise self._not_found(raw, f"{name}(.gz)")

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        return self._sample(self.data._array[index].copy(), int(self.targets._array[index]))


class FashionMNIST(MNIST):
    """Grey images of ten kinds of clothes, in the form of `MNIST`; its folder is FashionMNIST/raw.

    >>> tc.utils.datasets.FashionMNIST.classes[9]
    'Ankle boot'
    """

    _archive = "https://github.com/zalandoresearch/fashion-mnist"
    classes = _CLOTHES
