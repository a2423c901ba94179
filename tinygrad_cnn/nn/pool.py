"""Pooling layers: a function of nn.functional and its settings each."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .module import Module
from .settings import FunctionModule

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d",
    "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d",
    "MaxUnpool3d",
]  # fmt: skip


class _MaxPool(
    FunctionModule,
    function=F.max_pool2d,
    shown=("kernel_size", "stride", "padding", "dilation", "ceil_mode"),
):
    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    dilation: Any = 1
    return_indices: bool = False
    ceil_mode: bool = False

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.stride = self.kernel_size if self.stride is None else self.stride


class MaxPool1d(_MaxPool, function=F.max_pool1d):
    """The maximum of each window of (N, C, L) or (C, L): else as MaxPool2d."""


class MaxPool2d(_MaxPool, function=F.max_pool2d):
    """The maximum of each window of (N, C, H, W) or (C, H, W); `stride` is kernel_size unless told.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.MaxPool2d(2)(tc.tensor([[[1.0, 3.0], [4.0, 2.0]]]))
    tensor([[[4.]]])
    """


class MaxPool3d(_MaxPool, function=F.max_pool3d):
    """The maximum of each window of (N, C, D, H, W) or (C, D, H, W): else as MaxPool2d."""


_SHOWN = ("kernel_size", "stride", "padding")


class AvgPool1d(FunctionModule, function=F.avg_pool1d, shown=_SHOWN):
    """The mean of each window of (N, C, L) or (C, L); `stride` is kernel_size unless told."""

    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.stride = self.kernel_size if self.stride is None else self.stride
        for name in _SHOWN:
            value = getattr(self, name)
            setattr(self, name, tuple(value) if isinstance(value, (tuple, list)) else (value,))


class _AvgPool(FunctionModule, function=F.avg_pool2d, shown=_SHOWN):
    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    ceil_mode: bool = False
    count_include_pad: bool = True
    divisor_override: int | None = None

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.stride = self.kernel_size if self.stride is None else self.stride


class AvgPool2d(_AvgPool, function=F.avg_pool2d):
    """The mean of each window of (N, C, H, W) or (C, H, W); `stride` is kernel_size unless told."""


class AvgPool3d(_AvgPool, function=F.avg_pool3d):
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W): else as AvgPool2d."""


class _LPPool(FunctionModule, function=F.lp_pool2d):
    norm_type: float
    kernel_size: Any
    stride: Any = None
    ceil_mode: bool = False


class LPPool1d(_LPPool, function=F.lp_pool1d):
    """(Σ xᵖ)^(1/p) of each window of (N, C, L) or (C, L), p the `norm_type`."""


class LPPool2d(_LPPool, function=F.lp_pool2d):
    """(Σ xᵖ)^(1/p) of each window of (N, C, H, W) or (C, H, W), p the `norm_type`.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.LPPool2d(2, (1, 2))(tc.tensor([[[3.0, 4.0]]]))
    tensor([[[5.]]])
    """


class LPPool3d(_LPPool, function=F.lp_pool3d):
    """(Σ xᵖ)^(1/p) of each window of (N, C, D, H, W) or (C, D, H, W), p the `norm_type`."""


class _AdaptiveAvgPool(FunctionModule, function=F.adaptive_avg_pool2d):
    output_size: Any


class AdaptiveAvgPool1d(_AdaptiveAvgPool, function=F.adaptive_avg_pool1d):
    """(N, C, L) or (C, L) averaged to `output_size`."""


class AdaptiveAvgPool2d(_AdaptiveAvgPool, function=F.adaptive_avg_pool2d):
    """Images (N, C, H, W) or (C, H, W) averaged to `output_size`; None keeps a size."""


class AdaptiveAvgPool3d(_AdaptiveAvgPool, function=F.adaptive_avg_pool3d):
    """(N, C, D, H, W) or (C, D, H, W) averaged to `output_size`; None keeps a size."""


class _AdaptiveMaxPool(FunctionModule, function=F.adaptive_max_pool2d, shown=("output_size",)):
    output_size: Any
    return_indices: bool = False


class AdaptiveMaxPool1d(_AdaptiveMaxPool, function=F.adaptive_max_pool1d):
    """The maxima of `output_size` windows of (N, C, L) or (C, L)."""


class AdaptiveMaxPool2d(_AdaptiveMaxPool, function=F.adaptive_max_pool2d):
    """The maxima of `output_size` windows of (N, C, H, W) or (C, H, W); None keeps a size."""


class AdaptiveMaxPool3d(_AdaptiveMaxPool, function=F.adaptive_max_pool3d):
    """The maxima of `output_size` windows of (N, C, D, H, W) or (C, D, H, W); None keeps a size."""


class _MaxUnpool(Module):
    _axes: int
    _function: Any

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0):
        super().__init__()
        given = {
            "kernel_size": kernel_size,
            "stride": kernel_size if stride is None else stride,
            "padding": padding,
        }
        for name, value in given.items():
            several = isinstance(value, (tuple, list))
            setattr(self, name, tuple(value) if several else (value,) * self._axes)

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        """Zeros, and the input at its indices."""
        return self._function(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )

    def extra_repr(self) -> str:
        """The settings."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """What MaxPool1d returned, put back at its indices, in zeros."""

    _axes, _function = 1, staticmethod(F.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """What MaxPool2d returned, put back at its indices, in zeros.

    >>> import tinygrad_cnn as tc
    >>> y, where = tc.nn.MaxPool2d(2, return_indices=True)(tc.tensor([[[1.0, 3.0], [4.0, 2.0]]]))
    >>> tc.nn.MaxUnpool2d(2)(y, where)
    tensor([[[0., 0.],
             [4., 0.]]])
    """

    _axes, _function = 2, staticmethod(F.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """What MaxPool3d returned, put back at its indices, in zeros."""

    _axes, _function = 3, staticmethod(F.max_unpool3d)
