"""Pooling layers. Sizes are an integer, or one integer for each spatial axis.

An output size is ⌊(size + 2 padding − dilation (kernel_size − 1) − 1) / stride⌋ + 1, or ⌈..⌉ + 1 with
`ceil_mode`, where a last window that would start in the padding is dropped. The dtype stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ..tensor import Tensor
from ..types import Ints
from . import functional as F
from .settings import FunctionModule, per_axis

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d",
    "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d",
    "MaxUnpool3d",
]  # fmt: skip


class _Strided(FunctionModule):
    """A layer whose stride is its kernel_size by default."""

    def __post_init__(self) -> None:
        own = self.__dict__
        own["stride"] = own["kernel_size"] if own["stride"] is None else own["stride"]


# --- Max ----------------------------------------------------------------------------------------


class _MaxPool(
    _Strided,
    function=F.max_pool2d,
    shown=("kernel_size", "stride", "padding", "dilation", "ceil_mode"),
):
    kernel_size: Ints
    stride: Ints | None = None
    padding: Ints = 0
    dilation: Ints = 1
    return_indices: bool = False
    ceil_mode: bool = False


class MaxPool1d(_MaxPool, function=F.max_pool1d):
    """The maximum of each window of (N, C, L) or (C, L). Otherwise like `MaxPool2d`.

    >>> tc.nn.MaxPool1d(2)(tc.tensor([[1.0, 3.0, 4.0, 2.0]]))
    tensor([[3., 4.]])
    """


class MaxPool2d(_MaxPool, function=F.max_pool2d):
    """The maximum of each window of (N, C, H, W) or (C, H, W), with −∞ as padding.

    `stride` is kernel_size by default. The first maximum of a window gets its whole gradient. With
    `return_indices` the call returns the maxima and their flat positions in the image.

    Raises RuntimeError for a padding of more than half the kernel, and for an empty output.

    >>> tc.nn.MaxPool2d(2)(tc.tensor([[[1.0, 3.0], [4.0, 2.0]]]))
    tensor([[[4.]]])
    """


class MaxPool3d(_MaxPool, function=F.max_pool3d):
    """The maximum of each window of (N, C, D, H, W) or (C, D, H, W). Otherwise like `MaxPool2d`.

    >>> tc.nn.MaxPool3d(2)(tc.ones(1, 4, 4, 6)).shape
    torch.Size([1, 2, 2, 3])
    """


class _AdaptiveMaxPool(FunctionModule, function=F.adaptive_max_pool2d, shown=("output_size",)):
    output_size: int | Sequence[int | None] | None
    return_indices: bool = False


class AdaptiveMaxPool1d(_AdaptiveMaxPool, function=F.adaptive_max_pool1d):
    """The maxima of `output_size` windows of (N, C, L) or (C, L). Otherwise like
    `AdaptiveMaxPool2d`.

    >>> tc.nn.AdaptiveMaxPool1d(2)(tc.tensor([[1.0, 5.0, 3.0, 2.0]]))
    tensor([[5., 3.]])
    """


class AdaptiveMaxPool2d(_AdaptiveMaxPool, function=F.adaptive_max_pool2d):
    """The maxima of windows of (N, C, H, W) or (C, H, W), so many that the output has `output_size`.

    `output_size` is a size or one for each axis; None keeps a size. Window k of K starts at
    ⌊k size / K⌋ and ends at ⌈(k + 1) size / K⌉. With `return_indices` the call returns the maxima
    and their flat positions in the image.

    >>> tc.nn.AdaptiveMaxPool2d((1, None))(tc.tensor([[[1.0, 3.0], [4.0, 2.0]]]))
    tensor([[[4., 3.]]])
    """


class AdaptiveMaxPool3d(_AdaptiveMaxPool, function=F.adaptive_max_pool3d):
    """The maxima of windows of (N, C, D, H, W) or (C, D, H, W). Otherwise like `AdaptiveMaxPool2d`.

    >>> tc.nn.AdaptiveMaxPool3d(1)(tc.ones(2, 3, 4, 5)).shape
    torch.Size([2, 1, 1, 1])
    """


class _MaxUnpool(_Strided, function=F.max_unpool2d):
    _axes: ClassVar[int]
    kernel_size: Ints
    stride: Ints | None = None
    padding: Ints = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self._settings:
            setattr(self, name, per_axis(getattr(self, name), self._axes))

    def forward(  # type: ignore[override]
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        """Zeros, with the input at `indices`. `output_size` chooses one of the possible sizes."""
        return self._function(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool1d(_MaxUnpool, function=F.max_unpool1d):
    """Puts the output of `MaxPool1d` back at its indices. Otherwise like `MaxUnpool2d`.

    >>> y, indices = tc.nn.MaxPool1d(2, return_indices=True)(tc.tensor([[1.0, 3.0]]))
    >>> tc.nn.MaxUnpool1d(2)(y, indices)
    tensor([[0., 3.]])
    """

    _axes = 1


class MaxUnpool2d(_MaxUnpool, function=F.max_unpool2d):
    """Puts the output of `MaxPool2d` back at its indices, among zeros.

    The settings are those of the pooling. Shapes (N, C, P, Q) and indices of that shape →
    (N, C, H, W), or all without N, with H = (P − 1) stride − 2 padding + kernel_size by default.
    Raises ValueError for an `output_size` that does not fit, RuntimeError for an index outside the
    output.

    >>> pool = tc.nn.MaxPool2d(2, return_indices=True)
    >>> y, indices = pool(tc.tensor([[[1.0, 3.0], [4.0, 2.0]]]))
    >>> tc.nn.MaxUnpool2d(2)(y, indices)
    tensor([[[0., 0.],
             [4., 0.]]])
    """

    _axes = 2


class MaxUnpool3d(_MaxUnpool, function=F.max_unpool3d):
    """Puts the output of `MaxPool3d` back at its indices. Otherwise like `MaxUnpool2d`.

    >>> y, indices = tc.nn.MaxPool3d(2, return_indices=True)(tc.ones(1, 2, 2, 4))
    >>> tc.nn.MaxUnpool3d(2)(y, indices).shape
    torch.Size([1, 2, 2, 4])
    """

    _axes = 3


# --- Mean ---------------------------------------------------------------------------------------

_SHOWN = ("kernel_size", "stride", "padding")


class AvgPool1d(_Strided, function=F.avg_pool1d, shown=_SHOWN):
    """The mean of each window of (N, C, L) or (C, L). Otherwise like `AvgPool2d`.

    >>> tc.nn.AvgPool1d(2)(tc.tensor([[1.0, 3.0, 4.0, 2.0]]))
    tensor([[2., 3.]])
    """

    kernel_size: Ints
    stride: Ints | None = None
    padding: Ints = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in _SHOWN:
            setattr(self, name, per_axis(getattr(self, name), 1))


class _AvgPool(_Strided, function=F.avg_pool2d, shown=_SHOWN):
    kernel_size: Ints
    stride: Ints | None = None
    padding: Ints = 0
    ceil_mode: bool = False
    count_include_pad: bool = True
    divisor_override: int | None = None


class AvgPool2d(_AvgPool, function=F.avg_pool2d):
    """The mean of each window of (N, C, H, W) or (C, H, W), with zeros as padding.

    `stride` is kernel_size by default. The mean divides by the number of cells in the window:
    without those of the padding if `count_include_pad` is False, and always without those that
    `ceil_mode` adds beyond it. `divisor_override` is the divisor instead.

    Raises RuntimeError for a padding of more than half the kernel, and for an empty output.

    >>> tc.nn.AvgPool2d(2)(tc.tensor([[[1.0, 3.0], [4.0, 2.0]]]))
    tensor([[[2.5000]]])
    """


class AvgPool3d(_AvgPool, function=F.avg_pool3d):
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W). Otherwise like `AvgPool2d`.

    >>> tc.nn.AvgPool3d(2)(tc.ones(1, 4, 4, 6)).shape
    torch.Size([1, 2, 2, 3])
    """


class _AdaptiveAvgPool(FunctionModule, function=F.adaptive_avg_pool2d):
    output_size: int | Sequence[int | None] | None


class AdaptiveAvgPool1d(_AdaptiveAvgPool, function=F.adaptive_avg_pool1d):
    """The means of `output_size` windows of (N, C, L) or (C, L). Otherwise like
    `AdaptiveAvgPool2d`.

    >>> tc.nn.AdaptiveAvgPool1d(2)(tc.tensor([[1.0, 5.0, 3.0, 2.0]]))
    tensor([[3.0000, 2.5000]])
    """


class AdaptiveAvgPool2d(_AdaptiveAvgPool, function=F.adaptive_avg_pool2d):
    """The means of windows of (N, C, H, W) or (C, H, W), so many that the output has `output_size`.

    `output_size` is a size or one for each axis; None keeps a size. Window k of K starts at
    ⌊k size / K⌋ and ends at ⌈(k + 1) size / K⌉.

    >>> tc.nn.AdaptiveAvgPool2d((1, None))(tc.tensor([[[1.0, 3.0], [4.0, 2.0]]]))
    tensor([[[2.5000, 2.5000]]])
    """


class AdaptiveAvgPool3d(_AdaptiveAvgPool, function=F.adaptive_avg_pool3d):
    """The means of windows of (N, C, D, H, W) or (C, D, H, W). Otherwise like `AdaptiveAvgPool2d`.

    >>> tc.nn.AdaptiveAvgPool3d(1)(tc.ones(2, 3, 4, 5)).shape
    torch.Size([2, 1, 1, 1])
    """


# --- Power mean ---------------------------------------------------------------------------------


class _LPPool(FunctionModule, function=F.lp_pool2d):
    norm_type: float
    kernel_size: Ints
    stride: Ints | None = None
    ceil_mode: bool = False


class LPPool1d(_LPPool, function=F.lp_pool1d):
    """(Σ xᵖ)^(1/p) of each window of (N, C, L) or (C, L). Otherwise like `LPPool2d`.

    >>> tc.nn.LPPool1d(2, 2)(tc.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """


class LPPool2d(_LPPool, function=F.lp_pool2d):
    """(Σ xᵖ)^(1/p) of each window of (N, C, H, W) or (C, H, W), with p the `norm_type`.

    `stride` is kernel_size by default. Raises RuntimeError for an empty output.

    >>> tc.nn.LPPool2d(2, (1, 2))(tc.tensor([[[3.0, 4.0]]]))
    tensor([[[5.]]])
    """


class LPPool3d(_LPPool, function=F.lp_pool3d):
    """(Σ xᵖ)^(1/p) of each window of (N, C, D, H, W) or (C, D, H, W). Otherwise like `LPPool2d`.

    >>> tc.nn.LPPool3d(2, (1, 1, 2))(tc.tensor([[[[3.0, 4.0]]]]))
    tensor([[[[5.]]]])
    """
