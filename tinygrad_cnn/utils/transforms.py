"""Image transforms with torchvision's names, for arrays and Tensors, one image or a batch.

A NumPy array, or an object that converts to one like a PIL image, is (H, W), (H, W, C) or a batch
(N, H, W, C). A Tensor is (H, W), (C, H, W) or a batch (N, C, H, W). The result is an array for an
array and a Tensor for a Tensor; only `ToTensor` converts. In a batch each image gets its own random
choice (in torchvision all share one). The random numbers come from the default generator.

>>> import numpy as np
>>> from tinygrad_cnn.utils import transforms
>>> prepare = transforms.Compose([
...     transforms.RandomCrop(32, padding=4),
...     transforms.RandomHorizontalFlip(),
...     transforms.ToTensor(),
...     transforms.Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
... ])
>>> image = np.zeros((32, 32, 3), np.uint8)
>>> prepare(image).shape == (3, 32, 32)
True
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine import wrap
from ..engine.dtypes import get_default_dtype
from ..naming import own_methods
from ..random import source
from ..tensor import Tensor
from ..types import Ints

__all__ = [
    "CenterCrop", "Compose", "Lambda", "Normalize", "Pad", "RandomCrop", "RandomHorizontalFlip",
    "RandomVerticalFlip", "ToTensor",
]  # fmt: skip


def _planes(image: Any) -> np.ndarray:
    """A view of the image, or the batch of images, with the axes (.., H, W)."""
    if isinstance(image, Tensor):
        if image.requires_grad:
            raise RuntimeError("transforms are for data: this Tensor requires grad, detach() it")
        x = image._array
    elif isinstance(image, np.ndarray) or hasattr(image, "__array_interface__"):
        x = np.asarray(image)
        x = np.moveaxis(x, -1, -3) if x.ndim > 2 else x
    else:
        raise TypeError(f"img should be a Tensor or an array. Got {type(image)}")
    if not 2 <= x.ndim <= 4:
        raise ValueError(f"img should have 2 to 4 axes, got shape {tuple(np.shape(image))}")
    return x


def _like(image: Any, planes: np.ndarray) -> Any:
    """`planes` as an array or a Tensor, as `image` is one."""
    if isinstance(image, Tensor):
        return wrap(np.ascontiguousarray(planes))
    return np.ascontiguousarray(np.moveaxis(planes, -3, -1) if planes.ndim > 2 else planes)


def _pair(size: Ints) -> tuple[int, int]:
    """A height and a width, from one number or two."""
    sizes = [size] if isinstance(size, int) else list(size)
    if len(sizes) not in (1, 2):
        raise ValueError("Please provide only two dimensions (h, w) for size.")
    return sizes[0], sizes[-1]


def _pad(x: np.ndarray, padding: Sequence[int], fill: Any, mode: str) -> np.ndarray:
    """`x` (.., H, W) with `padding` cells more: left, top, right, bottom."""
    left, top, right, bottom = padding
    sides = [(0, 0)] * (x.ndim - 2) + [(top, bottom), (left, right)]
    if mode != "constant":
        return np.pad(x, sides, mode)  # type: ignore[call-overload]
    height, width = x.shape[-2:]
    y = np.empty((*x.shape[:-2], top + height + bottom, left + width + right), x.dtype)
    y[...] = np.reshape(fill, (-1, 1, 1)) if np.ndim(fill) else fill  # one for each channel
    y[..., top : top + height, left : left + width] = x
    return y


class Compose:
    """Applies transforms one after another.

    >>> from tinygrad_cnn.utils.transforms import CenterCrop, Compose, Pad
    >>> Compose([CenterCrop(4), Pad(1)])(tc.ones(3, 8, 8)).shape
    torch.Size([3, 6, 6])
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]):
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return "\n".join(["Compose(", *(f"    {t}" for t in self.transforms), ")"])


class Lambda:
    """A function as a transform. Raises TypeError for an object that is not callable.

    >>> from tinygrad_cnn.utils.transforms import Lambda
    >>> Lambda(lambda image: 1 - image)(tc.zeros(1, 1))
    tensor([[1.]])
    """

    def __init__(self, lambd: Callable[[Any], Any]):
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return "Lambda()"


class ToTensor:
    """Converts an array (H, W), (H, W, C) or (N, H, W, C) to a Tensor (C, H, W) or (N, C, H, W).

    uint8 becomes the default dtype, scaled from [0, 255] to [0, 1]; another dtype stays. Raises
    TypeError for an object that is not an array.

    >>> import numpy as np
    >>> from tinygrad_cnn.utils.transforms import ToTensor
    >>> ToTensor()(np.array([[0, 255]], np.uint8))
    tensor([[[0., 1.]]])
    """

    def __call__(self, pic: Any) -> Tensor:
        if isinstance(pic, Tensor) or not hasattr(pic, "__array_interface__"):
            raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
        x = _planes(pic)
        x = x[None] if x.ndim == 2 else x
        if x.dtype != np.uint8:
            return wrap(x.copy())
        return wrap(np.divide(x, 255, dtype=get_default_dtype(), order="C"))

    def __repr__(self) -> str:
        return "ToTensor()"


class Normalize:
    """(x − mean) / std for each channel of a floating-point Tensor (.., C, H, W).

    Raises TypeError for another object or dtype, ValueError for too few axes and for a std of 0.

    >>> from tinygrad_cnn.utils.transforms import Normalize
    >>> Normalize([0.5], [0.25])(tc.ones(1, 1, 2))
    tensor([[[2., 2.]]])
    """

    def __init__(
        self,
        mean: float | Sequence[float],
        std: float | Sequence[float],
        inplace: bool = False,
    ):
        self.mean, self.std, self.inplace = mean, std, inplace

    def __call__(self, tensor: Tensor) -> Tensor:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
        if not tensor.is_floating_point():
            raise TypeError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
        if tensor.ndim < 3:
            raise ValueError(
                "Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = "
                f"{tuple(tensor.shape)}"
            )
        mean, std = (
            wrap(np.reshape(np.array(v, tensor.dtype), (-1, 1, 1))) for v in (self.mean, self.std)
        )
        if not std._array.all():
            raise ValueError(
                f"std evaluated to zero after conversion to {tensor.dtype}, leading to division by "
                "zero."
            )
        return tensor.sub_(mean).div_(std) if self.inplace else (tensor - mean) / std

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"


class Pad:
    """Adds rows and columns.

    `padding` is one number for all sides, two for (left and right, top and bottom), or four for (left,
    top, right, bottom). The cells hold `fill`, a number or one for each channel, or are copied from
    the image with the `padding_mode` "edge", "reflect" or "symmetric". Raises ValueError for another
    mode or number of sides.

    >>> from tinygrad_cnn.utils.transforms import Pad
    >>> Pad((1, 0))(tc.ones(1, 2))
    tensor([[0., 1., 1., 0.]])
    """

    def __init__(
        self,
        padding: Ints,
        fill: float | Sequence[float] = 0,
        padding_mode: str = "constant",
    ):
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode
        sides = (padding,) if isinstance(padding, int) else tuple(padding)
        if len(sides) not in (1, 2, 4):
            raise ValueError(
                "Padding must be an int or a 1, 2, or 4 element tuple, not a "
                f"{len(sides)} element tuple"
            )
        if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
            raise ValueError(
                "Padding mode should be either constant, edge, reflect or symmetric, got "
                f"{padding_mode}"
            )
        self._sides = sides * (4 // len(sides))

    def __call__(self, img: Any) -> Any:
        return _like(img, _pad(_planes(img), self._sides, self.fill, self.padding_mode))

    def __repr__(self) -> str:
        return f"Pad(padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode})"


class CenterCrop:
    """The centre of the image, of `size` H or (H, W). A smaller image is first padded with 0.

    >>> from tinygrad_cnn.utils.transforms import CenterCrop
    >>> CenterCrop((1, 2))(tc.tensor([[1.0, 2.0, 3.0, 4.0]]))
    tensor([[2., 3.]])
    """

    def __init__(self, size: Ints):
        self.size = _pair(size)

    def __call__(self, img: Any) -> Any:
        x, (height, width) = _planes(img), self.size
        down, right = (max(n - m, 0) for n, m in zip(self.size, x.shape[-2:], strict=True))
        if down or right:
            sides = (right // 2, down // 2, (right + 1) // 2, (down + 1) // 2)
            x = _pad(x, sides, 0, "constant")
        top, left = round((x.shape[-2] - height) / 2), round((x.shape[-1] - width) / 2)
        return _like(img, x[..., top : top + height, left : left + width])

    def __repr__(self) -> str:
        return f"CenterCrop(size={self.size})"


class RandomCrop:
    """A part of the image, of `size` H or (H, W), at a random place.

    The image is first padded, as by `Pad`, and with `pad_if_needed` further, up to `size`. Raises
    ValueError where it is smaller than `size` then.

    >>> from tinygrad_cnn.utils.transforms import RandomCrop
    >>> RandomCrop(4, padding=1)(tc.ones(3, 4, 4)).shape
    torch.Size([3, 4, 4])
    """

    def __init__(
        self,
        size: Ints,
        padding: Ints | None = None,
        pad_if_needed: bool = False,
        fill: float | Sequence[float] = 0,
        padding_mode: str = "constant",
    ):
        self.size, self.padding, self.pad_if_needed = _pair(size), padding, pad_if_needed
        self.fill, self.padding_mode = fill, padding_mode
        self._sides = Pad(0 if padding is None else padding, fill, padding_mode)._sides

    def __call__(self, img: Any) -> Any:
        x, (height, width), mode = _planes(img), self.size, self.padding_mode
        if any(self._sides):
            x = _pad(x, self._sides, self.fill, mode)
        if self.pad_if_needed:
            down, right = max(height - x.shape[-2], 0), max(width - x.shape[-1], 0)
            if down or right:
                x = _pad(x, (right, down, right, down), self.fill, mode)
        rows, columns = x.shape[-2] - height + 1, x.shape[-1] - width + 1
        if rows < 1 or columns < 1:
            raise ValueError(
                f"Required crop size {self.size} is larger than input image size {x.shape[-2:]}"
            )
        draw = source()
        if x.ndim < 4:
            top, left = int(draw.integers(rows)), int(draw.integers(columns))
            return _like(img, x[..., top : top + height, left : left + width])
        y = np.empty((*x.shape[:-2], height, width), x.dtype)
        tops, lefts = (draw.integers(0, n, len(x)).tolist() for n in (rows, columns))
        for part, whole, top, left in zip(y, x, tops, lefts, strict=True):
            part[...] = whole[:, top : top + height, left : left + width]
        return _like(img, y)

    def __repr__(self) -> str:
        return f"RandomCrop(size={self.size}, padding={self.padding})"


class _RandomFlip:
    _axis: int

    def __init__(self, p: float = 0.5):
        self.p = p

    def __call__(self, img: Any) -> Any:
        x = _planes(img)
        if x.ndim < 4:
            return _like(img, np.flip(x, self._axis)) if source().random() < self.p else img
        turned = source().random(len(x)) < self.p
        y = x.copy()
        y[turned] = np.flip(x[turned], self._axis)
        return _like(img, y)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomHorizontalFlip(_RandomFlip):
    """Mirrors left and right with probability `p`.

    >>> from tinygrad_cnn.utils.transforms import RandomHorizontalFlip
    >>> RandomHorizontalFlip(p=1.0)(tc.tensor([[1.0, 2.0]]))
    tensor([[2., 1.]])
    """

    _axis = -1


class RandomVerticalFlip(_RandomFlip):
    """Mirrors top and bottom with probability `p`.

    >>> from tinygrad_cnn.utils.transforms import RandomVerticalFlip
    >>> RandomVerticalFlip(p=1.0)(tc.tensor([[1.0], [2.0]]))
    tensor([[2.],
            [1.]])
    """

    _axis = -2


own_methods(globals())


if not TYPE_CHECKING:
    from ..compat.missing import not_here as _not_here

    _not_here(globals())
