"""The layers of a CNN: linear, convolution, batch norm; pooling, dropout and reshaping."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import creation, functions
from ..graph import mark_written
from . import functional as F
from . import init
from .functional.conv import conv_padding
from .module import Module
from .parameter import Parameter
from .settings import FunctionModule

__all__ = [
    "AdaptiveAvgPool2d", "AvgPool2d", "BatchNorm1d", "BatchNorm2d", "Conv2d", "Dropout", "Flatten",
    "Identity", "Linear", "MaxPool2d", "Unflatten",
]  # fmt: skip


def _empty(shape: tuple[int, ...], device: Any, dtype: Any) -> Parameter:
    return Parameter(creation.empty(shape, device=device, dtype=dtype))


def _reset_weight_and_bias(module: Any) -> None:
    """Both U(±1 / √fan_in): Kaiming's with a = √5."""
    init.kaiming_uniform_(module.weight, a=math.sqrt(5))
    if module.bias is not None:
        fan_in, _ = init._fans(module.weight)
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        init.uniform_(module.bias, -bound, bound)


class Identity(Module):
    """Returns its input. Any arguments are taken, and mean nothing."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__()

    def forward(self, input: Any) -> Any:
        """The input itself."""
        return input


class Linear(Module):
    """x (.., in_features) · weightᵀ + bias: (.., out_features).

    weight (out_features, in_features) and bias (out_features,) begin as U(±1 / √in_features).
    Raises RuntimeError for an input whose last axis is another.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.Linear(3, 2)(tc.ones(5, 3)).shape == (5, 2)
    True
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = _empty((out_features, in_features), device, dtype)
        self.register_parameter("bias", _empty((out_features,), device, dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        _reset_weight_and_bias(self)

    def forward(self, input: Any) -> Any:
        """input · weightᵀ + bias."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def _pair(name: str, value: Any) -> tuple[int, int]:
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2:
        raise ValueError(f"Conv2d: {name} must be an integer or two, got {value!r}")
    return pair


class Conv2d(Module):
    """Cross-correlation of images (N, in_channels, H, W), or one without N, with `out_channels` filters.

    weight (out, in / groups, kH, kW) and bias (out,) begin as U(±1 / √fan_in). Sizes are integers
    or pairs (height, width); padding may be 'valid', or 'same' with stride 1. The output is
    (N, out, P, Q), P = ⌊(H + 2 padding - dilation (kH - 1) - 1) / stride⌋ + 1.
    Raises ValueError for settings that do not fit each other.

    >>> import tinygrad_cnn as tc
    >>> conv = tc.nn.Conv2d(3, 8, kernel_size=3, stride=2, padding=1)
    >>> conv(tc.ones(2, 3, 9, 5)).shape == (2, 8, 5, 3)
    True
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, got {groups}")
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(f"{name} must be divisible by groups, got {channels} and {groups}")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be 'same' or 'valid'")
            if padding == "same" and _pair("stride", stride) != (1, 1):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in _PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {_PADDING_MODES}, but got {padding_mode=}"
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = _pair("kernel_size", kernel_size)
        self.stride, self.dilation = _pair("stride", stride), _pair("dilation", dilation)
        self.padding = padding if isinstance(padding, str) else _pair("padding", padding)
        self.padding_mode = padding_mode
        self.weight = _empty(
            (out_channels, in_channels // groups, *self.kernel_size), device, dtype
        )
        self.register_parameter("bias", _empty((out_channels,), device, dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        _reset_weight_and_bias(self)

    def forward(self, input: Any) -> Any:
        """The images of the filters' responses."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            (top, bottom), (left, right) = conv_padding(
                "Conv2d", padding, self.kernel_size, self.stride, self.dilation
            )
            input = F.pad(input, (left, right, top, bottom), mode=self.padding_mode)
            padding = 0
        return F.conv2d(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def extra_repr(self) -> str:
        """The settings that are not the usual ones."""
        parts = [
            f"{self.in_channels}, {self.out_channels}",
            f"kernel_size={self.kernel_size}",
            f"stride={self.stride}",
        ]
        usual = {"padding": (0, 0), "dilation": (1, 1), "groups": 1}
        parts += [f"{k}={getattr(self, k)}" for k, v in usual.items() if getattr(self, k) != v]
        parts += ["bias=False"] if self.bias is None else []
        parts += [f"padding_mode={self.padding_mode}"] if self.padding_mode != "zeros" else []
        return ", ".join(parts)


class _BatchNorm(Module):
    """Each channel normalised: see `functional.batch_norm`."""

    _axes: tuple[int, ...]
    _may_be_missing = frozenset({"num_batches_tracked"})  # old weights are without it
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        for name, there in (("weight", affine), ("bias", affine and bias)):
            parameter = _empty((num_features,), device, dtype) if there else None
            self.register_parameter(name, parameter)
        tracked: dict[str, Any] = {
            "running_mean": lambda: creation.zeros(num_features, device=device, dtype=dtype),
            "running_var": lambda: creation.ones(num_features, device=device, dtype=dtype),
            "num_batches_tracked": lambda: creation.zeros((), dtype=np.int64),
        }
        for name, make in tracked.items():
            self.register_buffer(name, make() if track_running_stats else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the batches seen."""
        if self.track_running_stats:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Weight 1, bias 0, and the batches seen forgotten."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Any) -> Any:
        """The input normalised, of the same shape."""
        axes = input.dim()
        if axes not in self._axes:
            wanted = " or ".join(f"{n}D" for n in self._axes)
            raise ValueError(f"expected {wanted} input (got {axes}D input)")
        mean, variance = self.running_mean, self.running_var
        momentum = self.momentum
        if self.training and self.num_batches_tracked is not None:
            count = self.num_batches_tracked._array
            count += 1
            mark_written(count)
            if momentum is None:  # the plain average of all batches
                momentum = 1.0 / float(count)
        by_batch = self.training or mean is None
        if by_batch and not self.track_running_stats:
            mean = variance = None
        return F.batch_norm(
            input,
            mean,
            variance,
            self.weight,
            self.bias,
            by_batch,
            0.0 if momentum is None else momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        """The settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Normalises the channels of (N, C) or (N, C, L).

    In training by the batch's mean and biased variance, which also move `running_mean` and
    `running_var` (the unbiased one) by `momentum`; in evaluation by those. Raises ValueError for
    other numbers of axes, and in training for a single value per channel.
    """

    _axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalises the channels of (N, C, H, W): as BatchNorm1d does.

    >>> import tinygrad_cnn as tc
    >>> bn = tc.nn.BatchNorm2d(2)
    >>> float(bn(tc.randn(4, 2, 3, 3)).mean().abs()) < 1e-6, bn.num_batches_tracked
    (True, tensor(1))
    """

    _axes = (4,)


# --- A function and its settings ----------------------------------------------------------------


class Dropout(FunctionModule, function=F.dropout, shown=("p", "inplace")):
    """In training each element is 0 with probability p, else divided by 1 - p.

    Raises ValueError for p outside [0, 1].
    """

    p: float = 0.5
    inplace: bool = False

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if not 0 <= self.p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {self.p}")

    def forward(self, input: Any) -> Any:
        """The input, in training with elements dropped."""
        return F.dropout(input, self.p, self.training, self.inplace)


class _Pool(FunctionModule):
    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        own = self.__dict__
        if own["stride"] is None:
            own["stride"] = own["kernel_size"]


class MaxPool2d(
    _Pool,
    function=F.max_pool2d,
    shown=("kernel_size", "stride", "padding", "dilation", "ceil_mode"),
):
    """The maximum of each window of (N, C, H, W) or (C, H, W); `stride` is kernel_size unless told.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.MaxPool2d(2)(tc.tensor([[[1.0, 3.0], [4.0, 2.0]]]))
    tensor([[[4.]]])
    """

    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    dilation: Any = 1
    return_indices: bool = False
    ceil_mode: bool = False


class AvgPool2d(_Pool, function=F.avg_pool2d, shown=("kernel_size", "stride", "padding")):
    """The mean of each window of (N, C, H, W) or (C, H, W); `stride` is kernel_size unless told."""

    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    ceil_mode: bool = False
    count_include_pad: bool = True
    divisor_override: int | None = None


class AdaptiveAvgPool2d(FunctionModule, function=F.adaptive_avg_pool2d):
    """Images (N, C, H, W) or (C, H, W) averaged to `output_size`; None keeps a size."""

    output_size: Any


class Flatten(FunctionModule, function=functions.flatten):
    """The axes from start_dim to end_dim made one; of (N, C, H, W) comes (N, C·H·W)."""

    start_dim: int = 1
    end_dim: int = -1


def _unflatten(input: Any, dim: int, unflattened_size: Any) -> Any:
    axis = functions.axis("Unflatten", input.dim(), dim)
    shape = input.shape
    return input.reshape(*shape[:axis], *unflattened_size, *shape[axis + 1 :])


class Unflatten(FunctionModule, function=_unflatten):
    """The axis `dim` made several, of the sizes `unflattened_size`."""

    dim: int
    unflattened_size: Any
