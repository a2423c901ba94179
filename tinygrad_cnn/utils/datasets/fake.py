"""Random images with random labels, to try a program without data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .vision import Transform, VisionDataset

__all__ = ["FakeData"]


class FakeData(VisionDataset):
    """`size` random images of `image_size` (C, H, W), with labels from 0 to `num_classes` − 1.

    Item k is (image, label): a uint8 array (H, W, C), after `transform`, and an int. Both depend on
    k + `random_offset` alone. IndexError beyond `size`.

    >>> data = tc.utils.datasets.FakeData(size=2, image_size=(3, 4, 5), num_classes=1)
    >>> [(image.shape, label) for image, label in data]
    [((4, 5, 3), 0), ((4, 5, 3), 0)]
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: Sequence[int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        random_offset: int = 0,
    ):
        super().__init__(None, transform=transform, target_transform=target_transform)
        self.size, self.image_size, self.num_classes = size, image_size, num_classes
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"{type(self).__name__} index out of range")
        index %= len(self)
        draw = np.random.default_rng(index + self.random_offset)
        channels, height, width = self.image_size
        image = draw.integers(0, 256, (height, width, channels), np.uint8)
        target = int(draw.integers(self.num_classes))
        return (image, target) if self.transforms is None else self.transforms(image, target)

    def __len__(self) -> int:
        return self.size
