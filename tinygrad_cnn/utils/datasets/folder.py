"""Data sets of files in folders, one folder for each class."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from .vision import Root, Transform, VisionDataset

__all__ = ["IMG_EXTENSIONS", "DatasetFolder", "ImageFolder", "default_loader"]

IMG_EXTENSIONS = (
    ".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp",
)  # fmt: skip


def default_loader(path: str) -> np.ndarray:
    """The image in a file, as a uint8 array (H, W, 3). ImportError without the extra `images`."""
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            "reading image files needs Pillow: pip install 'tinygrad_cnn[images]'"
        ) from None
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


class DatasetFolder(VisionDataset):
    """The files `root`/CLASS/.../NAME with one of the `extensions`, or those that `is_valid_file` takes.

    Item k is (`loader(path)`, label), after the transforms. Classes are numbered in the order of their
    names (`classes`, `class_to_idx`); `samples` lists (path, label), `targets` the labels.
    FileNotFoundError if there is no folder of a class, or, without `allow_empty`, one without files;
    ValueError unless one of `extensions` and `is_valid_file` is given.

    >>> tc.utils.datasets.DatasetFolder("nowhere", open, (".txt",))
    Traceback (most recent call last):
    FileNotFoundError: nowhere
    """

    def __init__(
        self,
        root: Root,
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ):
        super().__init__(root, transform=transform, target_transform=target_transform)
        if (extensions is None) == (is_valid_file is None):
            raise ValueError(
                "Both extensions and is_valid_file cannot be None or not None at the same time"
            )
        self.loader, self.extensions = loader, extensions
        self.classes, self.class_to_idx = self.find_classes(os.fspath(self.root or ""))
        self.samples = self._find(is_valid_file, allow_empty)
        self.targets = [label for _, label in self.samples]

    def find_classes(self, directory: Root) -> tuple[list[str], dict[str, int]]:
        """The names of the classes, and the label of each. A subclass may find others."""
        classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
        if not classes:
            raise FileNotFoundError(f"Couldn't find any class folder in {directory}.")
        return classes, {name: k for k, name in enumerate(classes)}

    def _find(
        self, is_valid_file: Callable[[str], bool] | None, allow_empty: bool
    ) -> list[tuple[str, int]]:
        endings = self.extensions or ()

        def by_ending(path: str) -> bool:
            return path.lower().endswith(tuple(endings))

        valid = is_valid_file or by_ending
        found: list[tuple[str, int]] = []
        empty = []
        for name, label in sorted(self.class_to_idx.items()):
            before = len(found)
            folder = os.path.join(os.fspath(self.root or ""), name)
            for inner, _, files in sorted(os.walk(folder, followlinks=True)):
                paths = (os.path.join(inner, file) for file in sorted(files))
                found += [(path, label) for path in paths if valid(path)]
            if len(found) == before:
                empty.append(name)
        if empty and not allow_empty:
            message = f"Found no valid file for the classes {', '.join(empty)}."
            if endings:
                message += f" Supported extensions are: {', '.join(endings)}"
            raise FileNotFoundError(message)
        return found

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        path, target = self.samples[index]
        sample = self.loader(path)
        return (sample, target) if self.transforms is None else self.transforms(sample, target)

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """The images `root`/CLASS/.../NAME.jpg, or .png and so on, as uint8 arrays (H, W, 3).

    Pillow reads them: ImportError without the extra `images`, unless `loader(path)` is given. See
    `DatasetFolder` for the rest. `imgs` is another name of `samples`.

    >>> tc.utils.datasets.ImageFolder("nowhere")
    Traceback (most recent call last):
    FileNotFoundError: nowhere
    """

    def __init__(
        self,
        root: Root,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ):
        super().__init__(
            root,
            loader,
            IMG_EXTENSIONS if is_valid_file is None else None,
            transform,
            target_transform,
            is_valid_file,
            allow_empty,
        )
        self.imgs = self.samples
