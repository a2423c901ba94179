"""Layers that resize images, and layers that rearrange their cells. The dtype stays."""

from __future__ import annotations

from collections.abc import Sequence

from ..types import Ints
from . import functional as F
from .settings import FunctionModule

__all__ = [
    "ChannelShuffle", "Fold", "PixelShuffle", "PixelUnshuffle", "Unfold", "Upsample",
    "UpsamplingBilinear2d", "UpsamplingNearest2d",
]  # fmt: skip


class Upsample(FunctionModule, function=F.interpolate):
    """Resizes (N, C, ..), with one to three spatial axes, to `size` or by `scale_factor`.

    `mode` is "nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear" or "area". With
    `align_corners` the corners of input and output have the same places, otherwise the edges.
    Raises ValueError where both or none of size and factor are given, NotImplementedError for a mode
    that does not fit the number of axes.

    >>> tc.nn.Upsample(scale_factor=2)(tc.tensor([[[1.0, 2.0]]]))
    tensor([[[1., 1., 2., 2.]]])
    """

    size: Ints | None = None
    scale_factor: float | Sequence[float] | None = None
    mode: str = "nearest"
    align_corners: bool | None = None
    recompute_scale_factor: bool | None = None

    def __post_init__(self) -> None:
        factor = self.scale_factor
        if isinstance(factor, (tuple, list)):
            self.scale_factor = tuple(float(f) for f in factor)
        elif factor is not None:
            self.scale_factor = float(factor)  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        """The size or the factor, and the mode."""
        name = "size" if self.scale_factor is None else "scale_factor"
        return f"{name}={getattr(self, name)!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Resizes (N, C, H, W): each cell is the nearest one of the input.

    >>> tc.nn.UpsamplingNearest2d(scale_factor=2)(tc.tensor([[[[1.0, 2.0]]]])).shape
    torch.Size([1, 1, 2, 4])
    """

    def __init__(
        self,
        size: Ints | None = None,
        scale_factor: float | Sequence[float] | None = None,
    ):
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Resizes (N, C, H, W) by bilinear interpolation between the corners.

    >>> tc.nn.UpsamplingBilinear2d(size=(1, 3))(tc.tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1.0000, 1.5000, 2.0000]]]])
    """

    def __init__(
        self,
        size: Ints | None = None,
        scale_factor: float | Sequence[float] | None = None,
    ):
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


class PixelShuffle(FunctionModule, function=F.pixel_shuffle):
    """(.., C r², H, W) → (.., C, H r, W r), with r the `upscale_factor` (Shi et al. 2016).

    Raises RuntimeError where r² does not divide the channels.

    >>> tc.nn.PixelShuffle(2)(tc.tensor([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]))
    tensor([[[1., 2.],
             [3., 4.]]])
    """

    upscale_factor: int


class PixelUnshuffle(FunctionModule, function=F.pixel_unshuffle):
    """(.., C, H r, W r) → (.., C r², H, W), with r the `downscale_factor`.

    Raises RuntimeError where r does not divide height and width.

    >>> tc.nn.PixelUnshuffle(2)(tc.ones(1, 4, 6)).shape
    torch.Size([4, 2, 3])
    """

    downscale_factor: int


class ChannelShuffle(FunctionModule, function=F.channel_shuffle):
    """Reorders the channels of (N, C, ..) from (groups, C / groups) to (C / groups, groups).

    Raises RuntimeError where `groups` does not divide the channels.

    >>> tc.nn.ChannelShuffle(2)(tc.arange(4.0).reshape(1, 4, 1)).flatten()
    tensor([0., 2., 1., 3.])
    """

    groups: int


class Unfold(FunctionModule, function=F.unfold):
    """The windows of images as columns: (N, C, H, W) → (N, C·I·J, P·Q), or both without N.

    I × J is the kernel_size and P × Q the number of windows. Raises RuntimeError for an empty output.

    >>> tc.nn.Unfold(2)(tc.ones(1, 3, 4, 5)).shape
    torch.Size([1, 12, 12])
    """

    kernel_size: Ints
    dilation: Ints = 1
    padding: Ints = 0
    stride: Ints = 1


class Fold(FunctionModule, function=F.fold):
    """Adds columns into images: (N, C·I·J, P·Q) → (N, C, *output_size), or both without N.

    It is the adjoint of `Unfold`: where windows overlap their values are added. Raises RuntimeError
    where the columns do not fit `output_size`.

    >>> tc.nn.Fold((1, 3), (1, 2))(tc.ones(2, 2))
    tensor([[[1., 2., 1.]]])
    """

    output_size: Ints
    kernel_size: Ints
    dilation: Ints = 1
    padding: Ints = 0
    stride: Ints = 1
