"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009), from the Python or the binary version of the archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .pickled import read_pickle
from .vision import Split

__all__ = ["CIFAR10", "CIFAR100"]

_PIXELS = 3 * 32 * 32


class CIFAR10(Split):
    """Colour images of ten classes, 50,000 to train with and 10,000 to test with.

    Item k is (image, label): a uint8 array (32, 32, 3), after `transform`, and an int. The files are
    read from `root`/cifar-10-batches-py, else from `root`/cifar-10-batches-bin. `data` has all images
    (N, 32, 32, 3), `targets` a list of labels, `classes` the names.

    Nothing is downloaded, with `download=True` neither. RuntimeError for files that are missing or
    damaged, which says where to put them.

    >>> tc.utils.datasets.CIFAR10("nowhere")
    Traceback (most recent call last):
    RuntimeError: Dataset not found: CIFAR10 reads cifar-10-batches-py or cifar-10-batches-bin in ...
    """

    base_folder = "cifar-10-batches-py"
    _archive = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    _binary_folder = "cifar-10-batches-bin"
    _parts = (tuple(f"data_batch_{k}" for k in range(1, 6)), ("test_batch",))
    _meta, _binary_meta = ("batches.meta", "label_names"), "batches.meta.txt"
    _key, _label_bytes = "labels", 1

    def _read(self, root: Path) -> tuple[np.ndarray, list[int]]:
        folder, binary = root / self.base_folder, root / self._binary_folder
        if not folder.is_dir() and not binary.is_dir():
            raise self._not_found(root, f"{self.base_folder} or {self._binary_folder}")
        names = self._parts[0 if self.train else 1]
        if folder.is_dir():
            classes = self._file(folder, self._meta[0]).get(self._meta[1])
            if not isinstance(classes, list) or not all(type(n) in (str, bytes) for n in classes):
                raise RuntimeError(f"{folder / self._meta[0]}: has no list {self._meta[1]!r}")
            self.classes = [
                n.decode("utf-8", "replace") if type(n) is bytes else n for n in classes
            ]
            parts = [self._batch(folder, name) for name in names]
        else:
            self.classes = (
                self._path(binary, self._binary_meta).read_text("utf-8", "replace").split()
            )
            parts = [self._binary_batch(binary, f"{name}.bin") for name in names]
        for name, (_, labels) in zip(names, parts, strict=True):
            if labels and not 0 <= min(labels) <= max(labels) < len(self.classes):
                raise RuntimeError(f"{name}: labels are from {min(labels)} to {max(labels)}")
        targets = [label for _, labels in parts for label in labels]
        data = np.empty((len(targets), 32, 32, 3), np.uint8)  # (N, H, W, C)
        start = 0
        for images, labels in parts:
            planes = images.reshape(-1, 3, 32, 32)
            data[start : start + len(labels)] = planes.transpose(0, 2, 3, 1)
            start += len(labels)
        return data, targets

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        return self._sample(self.data[index].copy(), self.targets[index])

    def _path(self, folder: Path, name: str) -> Path:
        if not (folder / name).is_file():
            raise self._not_found(folder, name)
        return folder / name

    def _file(self, folder: Path, name: str) -> dict[str, Any]:
        return read_pickle(self._path(folder, name))

    def _batch(self, folder: Path, name: str) -> tuple[np.ndarray, list[int]]:
        """The images (n, 3072) and the labels of a batch: a pickled dict of both."""
        found = self._file(folder, name)
        images, labels = found.get("data"), found.get(self._key)
        if not isinstance(labels, list) or not all(isinstance(label, int) for label in labels):
            raise RuntimeError(f"{folder / name}: has no list {self._key!r} of integers")
        if not isinstance(images, np.ndarray) or images.shape != (len(labels), _PIXELS):
            shape = images.shape if isinstance(images, np.ndarray) else None
            raise RuntimeError(
                f"{folder / name}: wanted 'data' of shape ({len(labels)}, {_PIXELS}), got {shape}"
            )
        return images, labels

    def _binary_batch(self, folder: Path, name: str) -> tuple[np.ndarray, list[int]]:
        """The same of the binary version: rows of label bytes, the last one used, and 3072 pixels."""
        content = np.frombuffer(self._path(folder, name).read_bytes(), np.uint8)
        row = self._label_bytes + _PIXELS
        if content.size == 0 or content.size % row:
            raise RuntimeError(
                f"{folder / name}: is truncated: it has {content.size} bytes, wanted a multiple of {row}"
            )
        rows = content.reshape(-1, row)
        return rows[:, -_PIXELS:], rows[:, self._label_bytes - 1].tolist()


class CIFAR100(CIFAR10):
    """Colour images of a hundred classes: see `CIFAR10`, which this is but for the folders.

    The files are read from `root`/cifar-100-python, else from `root`/cifar-100-binary.

    >>> tc.utils.datasets.CIFAR100("nowhere", train=False)
    Traceback (most recent call last):
    RuntimeError: Dataset not found: CIFAR100 reads cifar-100-python or cifar-100-binary in ...
    """

    base_folder = "cifar-100-python"
    _archive = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    _binary_folder = "cifar-100-binary"
    _parts = (("train",), ("test",))
    _meta, _binary_meta = ("meta", "fine_label_names"), "fine_label_names.txt"
    _key, _label_bytes = "fine_labels", 2
