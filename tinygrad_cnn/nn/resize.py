"""Layers that pad, resize and rearrange: a function of nn.functional and its settings each."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .settings import FunctionModule

__all__ = [
    "ChannelShuffle", "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d",
    "ConstantPad2d", "ConstantPad3d", "Fold", "PixelShuffle", "PixelUnshuffle", "ReflectionPad1d",
    "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "Unfold", "Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d",
    "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


# --- Padding ------------------------------------------------------------------------------------


def _by_mode(mode: str) -> Any:
    def padded(input: Any, padding: Any) -> Any:
        return F.pad(input, padding, mode)

    return padded


def _with_value(input: Any, padding: Any, value: float) -> Any:
    return F.pad(input, padding, "constant", value)


class _Pad(FunctionModule, function=_by_mode("constant")):
    """`padding` is one number, or two for each axis: (left, right, top, bottom, front, back)."""

    _axes = 0  # of space
    padding: Any

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        given = self.padding
        several = isinstance(given, (tuple, list))
        self.padding = tuple(given) if several else (given,) * 2 * self._axes

    def extra_repr(self) -> str:
        """The padding."""
        return f"{self.padding}"


class _ConstantPad(_Pad, function=_with_value):
    padding: Any
    value: float

    def extra_repr(self) -> str:
        """Padding and value."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """(N, C, L) or (C, L) with cells of `value` around."""

    _axes = 1


class ConstantPad2d(_ConstantPad):
    """(N, C, H, W) or (C, H, W) with cells of `value` around."""

    _axes = 2


class ConstantPad3d(_ConstantPad):
    """(N, C, D, H, W) or (C, D, H, W) with cells of `value` around."""

    _axes = 3


class ZeroPad1d(_Pad):
    """(N, C, L) or (C, L) with zeros around."""

    _axes = 1


class ZeroPad2d(_Pad):
    """(N, C, H, W) or (C, H, W) with zeros around."""

    _axes = 2


class ZeroPad3d(_Pad):
    """(N, C, D, H, W) or (C, D, H, W) with zeros around."""

    _axes = 3


class ReflectionPad1d(_Pad, function=_by_mode("reflect")):
    """(N, C, L) or (C, L) with its cells around, reflected at the edge."""

    _axes = 1


class ReflectionPad2d(_Pad, function=_by_mode("reflect")):
    """(N, C, H, W) or (C, H, W) with its cells around, reflected at the edge.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.ReflectionPad2d((1, 1, 0, 0))(tc.tensor([[[1.0, 2.0, 3.0]]]))
    tensor([[[2., 1., 2., 3., 2.]]])
    """

    _axes = 2


class ReflectionPad3d(_Pad, function=_by_mode("reflect")):
    """(N, C, D, H, W) or (C, D, H, W) with its cells around, reflected at the edge."""

    _axes = 3


class ReplicationPad1d(_Pad, function=_by_mode("replicate")):
    """(N, C, L) or (C, L) with the edge repeated around."""

    _axes = 1


class ReplicationPad2d(_Pad, function=_by_mode("replicate")):
    """(N, C, H, W) or (C, H, W) with the edge repeated around."""

    _axes = 2


class ReplicationPad3d(_Pad, function=_by_mode("replicate")):
    """(N, C, D, H, W) or (C, D, H, W) with the edge repeated around."""

    _axes = 3


class CircularPad1d(_Pad, function=_by_mode("circular")):
    """(N, C, L) or (C, L) with the cells of the other side around."""

    _axes = 1


class CircularPad2d(_Pad, function=_by_mode("circular")):
    """(N, C, H, W) or (C, H, W) with the cells of the other side around."""

    _axes = 2


class CircularPad3d(_Pad, function=_by_mode("circular")):
    """(N, C, D, H, W) or (C, D, H, W) with the cells of the other side around."""

    _axes = 3


# --- Size and arrangement -----------------------------------------------------------------------


class Upsample(FunctionModule, function=F.interpolate):
    """Images (N, C, ..) resized to `size`, or by `scale_factor`: see `functional.interpolate`.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.Upsample(scale_factor=2)(tc.tensor([[[1.0, 2.0]]]))
    tensor([[[1., 1., 2., 2.]]])
    """

    size: Any = None
    scale_factor: Any = None
    mode: str = "nearest"
    align_corners: bool | None = None
    recompute_scale_factor: bool | None = None

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        factor = self.scale_factor
        if isinstance(factor, (tuple, list)):
            self.scale_factor = tuple(float(f) for f in factor)
        elif factor is not None:
            self.scale_factor = float(factor)

    def extra_repr(self) -> str:
        """What was given of size and factor, and the mode."""
        name = "size" if self.scale_factor is None else "scale_factor"
        return f"{name}={getattr(self, name)!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Images (N, C, H, W) resized, each cell that of the input it lies on."""

    def __init__(self, size: Any = None, scale_factor: Any = None):
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Images (N, C, H, W) resized, bilinearly between the corners."""

    def __init__(self, size: Any = None, scale_factor: Any = None):
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


class PixelShuffle(FunctionModule, function=F.pixel_shuffle):
    """(.., C r², H, W) as (.., C, H r, W r), r the `upscale_factor`."""

    upscale_factor: int


class PixelUnshuffle(FunctionModule, function=F.pixel_unshuffle):
    """(.., C, H r, W r) as (.., C r², H, W), r the `downscale_factor`."""

    downscale_factor: int


class ChannelShuffle(FunctionModule, function=F.channel_shuffle):
    """The channels of (N, C, ..) dealt out among `groups`."""

    groups: int


class Unfold(FunctionModule, function=F.unfold):
    """The windows of (N, C, H, W) or (C, H, W) as columns (N, C·I·J, P·Q)."""

    kernel_size: Any
    dilation: Any = 1
    padding: Any = 0
    stride: Any = 1


class Fold(FunctionModule, function=F.fold):
    """Columns (N, C·I·J, P·Q) or (C·I·J, P·Q) as images of `output_size`, added where they meet."""

    output_size: Any
    kernel_size: Any
    dilation: Any = 1
    padding: Any = 0
    stride: Any = 1
