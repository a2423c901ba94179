"""The base of data sets of images, with torchvision's names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..data import Dataset

__all__ = ["StandardTransform", "VisionDataset"]

Transform = Callable[[Any], Any]
Root = str | os.PathLike[str]


class StandardTransform:
    """A function of a sample (image, target): `transform` of the one, `target_transform` of the other.

    >>> from tinygrad_cnn.utils.datasets.vision import StandardTransform
    >>> StandardTransform(abs, None)(-3, -2)
    (3, -2)
    """

    def __init__(
        self, transform: Transform | None = None, target_transform: Transform | None = None
    ):
        self.transform, self.target_transform = transform, target_transform

    def __call__(self, input: Any, target: Any) -> tuple[Any, Any]:
        if self.transform is not None:
            input = self.transform(input)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return input, target

    def __repr__(self) -> str:
        lines = [type(self).__name__]
        for head, transform in (
            ("Transform: ", self.transform),
            ("Target transform: ", self.target_transform),
        ):
            if transform is not None:
                first, *rest = repr(transform).splitlines()
                lines += [head + first, *(" " * len(head) + line for line in rest)]
        return "\n".join(lines)


class VisionDataset(Dataset[Any]):
    """A data set of images in the folder `root`. A subclass defines `__getitem__` and `__len__`.

    Give `transforms`, a function of image and target that returns both, or one function for each of
    them, not both forms: that is a ValueError.

    >>> class Squares(tc.utils.datasets.VisionDataset):
    ...     def __getitem__(self, index):
    ...         return self.transforms(index**2, index)
    ...
    ...     def __len__(self):
    ...         return 4
    >>> Squares("images", transform=float, target_transform=str)[3]
    (9.0, '3')
    """

    def __init__(
        self,
        root: Root | None = None,
        transforms: Callable[[Any, Any], tuple[Any, Any]] | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
    ):
        self.root = os.path.expanduser(root) if isinstance(root, str) else root
        separate = transform is not None or target_transform is not None
        if transforms is not None and separate:
            raise ValueError(
                "Only transforms or transform/target_transform can be passed as argument"
            )
        self.transform, self.target_transform = transform, target_transform
        self.transforms = StandardTransform(transform, target_transform) if separate else transforms

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} defines no __len__")

    def extra_repr(self) -> str:
        """More lines for the text of the data set."""
        return ""

    def __repr__(self) -> str:
        body = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            body.append(f"Root location: {self.root}")
        body += self.extra_repr().splitlines()
        if self.transforms is not None:
            body += [repr(self.transforms)]
        return "\n".join([f"Dataset {type(self).__name__}", *(f"    {line}" for line in body)])


class Split(VisionDataset):
    """A data set with a part for training and one for tests, which are read from files in `root`.

    A subclass names the `_archive` in an error, and gives `data` and `targets`.
    """

    classes: Any  # list[str]
    data: Any
    targets: Any
    _archive: str

    def __init__(
        self,
        root: Root,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        self.data, self.targets = self._read(Path(os.path.expanduser(root)))

    def _read(self, root: Path) -> tuple[Any, Any]:
        """The images and labels of the part."""
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self.data)

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The label of each class, by name."""
        return {name: k for k, name in enumerate(self.classes)}

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"

    def _sample(self, image: Any, target: int) -> tuple[Any, Any]:
        return (image, target) if self.transforms is None else self.transforms(image, target)

    def _not_found(self, folder: Path, files: str) -> RuntimeError:
        archive = folder / self._archive.rpartition("/")[2]
        todo = (
            f"put the files of {self._archive}"
            if not archive.is_file()
            else f"unpack {archive.name}"
        )
        return RuntimeError(
            f"Dataset not found: {type(self).__name__} reads {files} in {folder}. Nothing is "
            f"downloaded: {todo} there"
        )
