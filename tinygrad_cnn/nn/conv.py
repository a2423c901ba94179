"""Convolutions, and transposed convolutions. Sizes are an integer, or one for each spatial axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

from ..functions.public import body
from ..tensor import Tensor
from ..types import Device, DType, Ints
from . import functional as F
from .functional.check import INTEGERS
from .functional.conv import conv_padding
from .layers import draw_weight_and_bias, empty_parameter
from .module import Module
from .settings import per_axis

__all__ = [
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d",
]  # fmt: skip

PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """Weight, bias and settings. Settings are kept as one integer for each spatial axis."""

    _axes: ClassVar[int]  # the number of spatial axes
    _function: ClassVar[Callable[..., Any]]
    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: str | tuple[int, ...]
    dilation: tuple[int, ...]
    output_padding: tuple[int, ...]
    transposed: bool
    groups: int
    padding_mode: str
    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints,
        padding: str | Ints,
        dilation: Ints,
        transposed: bool,
        output_padding: Ints,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__()
        if not hasattr(type(self), "_axes"):  # a direct subclass, by a user
            self._axes = len(kernel_size)  # type: ignore[misc, arg-type]
        sizes = dict(
            kernel_size=kernel_size, stride=stride, dilation=dilation, output_padding=output_padding
        )
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, got {groups}")
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(f"{name} must be divisible by groups, got {channels} and {groups}")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be 'same' or 'valid'")
            if padding == "same" and set(self._per_axis("stride", sizes["stride"])) != {1}:
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in _PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {_PADDING_MODES}, but got {padding_mode=}"
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.padding_mode, self.transposed = padding_mode, transposed
        for name, value in sizes.items():
            setattr(self, name, self._per_axis(name, value))
        self.padding = padding if isinstance(padding, str) else self._per_axis("padding", padding)
        first, second = in_channels, out_channels
        if not transposed:
            first, second = second, first
        shape = (first, second // groups, *self.kernel_size)
        self.weight = empty_parameter(shape, device, dtype)
        self.register_parameter(
            "bias", empty_parameter((out_channels,), device, dtype) if bias else None
        )
        self.reset_parameters()

    def _per_axis(self, name: str, value: Ints) -> tuple[int, ...]:
        n = self._axes
        values = per_axis(value, n)
        if len(values) != n:
            raise ValueError(f"{type(self).__name__}: {name} must be {INTEGERS[n]}, got {value!r}")
        return values

    def reset_parameters(self) -> None:
        """Draw new values for weight and bias."""
        draw_weight_and_bias(self)

    def extra_repr(self) -> str:
        """The settings that differ from their defaults."""
        parts = [
            f"{self.in_channels}, {self.out_channels}",
            f"kernel_size={self.kernel_size}",
            f"stride={self.stride}",
        ]
        usual = {"padding": 0, "dilation": 1, "output_padding": 0}
        for name, value in usual.items():
            own = getattr(self, name)
            parts += [f"{name}={own}"] if own != (value,) * self._axes else []
        parts += [f"groups={self.groups}"] if self.groups != 1 else []
        parts += ["bias=False"] if self.bias is None else []
        parts += [f"padding_mode={self.padding_mode}"] if self.padding_mode != "zeros" else []
        return ", ".join(parts)


class _Conv(_ConvNd):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: str | Ints = 0,
        dilation: Ints = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, False, 0, groups,
            bias, padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        """The responses of the filters."""
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The responses of other filters: PyTorch's hook for subclasses that change the weight."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            pads = conv_padding(
                type(self).__name__, padding, self.kernel_size, self.stride, self.dilation
            )
            around = [width for pair in reversed(pads) for width in pair]
            input = F.pad(input, around, mode=self.padding_mode)
            padding = 0
        return self._function(input, weight, bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Conv):
    """Cross-correlation of (N, in_channels, L) or (in_channels, L). Otherwise like `Conv2d`.

    >>> tc.nn.Conv1d(3, 8, kernel_size=5, padding="same")(tc.ones(2, 3, 9)).shape
    torch.Size([2, 8, 9])
    """

    _axes, _function = 1, staticmethod(body(F.conv1d))


class Conv2d(_Conv):
    """Cross-correlation of images with `out_channels` filters, plus a bias.

    Shape (N, in_channels, H, W) → (N, out_channels, P, Q), or both without N, with
    P = ⌊(H + 2 padding − dilation (kernel_size − 1) − 1) / stride⌋ + 1. weight (out_channels,
    in_channels / groups, kH, kW) and bias (out_channels,) start as U(±1 / √fan_in), with
    fan_in = in_channels / groups · kH · kW.

    `padding` may be "valid", or "same" with stride 1. It consists of zeros, or by `padding_mode` of
    cells of the image. Each of `groups` groups of filters sees its own group of channels.

    Raises ValueError for settings that do not fit each other; the call raises RuntimeError for an
    input that does not fit them.

    >>> conv = tc.nn.Conv2d(3, 8, kernel_size=3, stride=2, padding=1)
    >>> conv(tc.ones(2, 3, 9, 5)).shape
    torch.Size([2, 8, 5, 3])
    """

    _axes, _function = 2, staticmethod(body(F.conv2d))


class Conv3d(_Conv):
    """Cross-correlation of (N, in_channels, D, H, W) or (in_channels, D, H, W).

    Otherwise like `Conv2d`.

    >>> tc.nn.Conv3d(3, 8, kernel_size=(1, 2, 3))(tc.ones(2, 3, 4, 5, 6)).shape
    torch.Size([2, 8, 4, 4, 4])
    """

    _axes, _function = 3, staticmethod(body(F.conv3d))


class _ConvTranspose(_ConvNd):
    padding: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints = 0,
        output_padding: Ints = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Ints = 1,
        padding_mode: PaddingMode = "zeros",
        device: Device = None,
        dtype: DType | None = None,
    ):
        if padding_mode != "zeros":
            raise ValueError(
                f'Only "zeros" padding mode is supported for {type(self).__name__}, got '
                f"{padding_mode!r}"
            )
        if isinstance(padding, str):
            raise TypeError(f"{type(self).__name__}: padding must be integers, got {padding!r}")
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, True, output_padding,
            groups, bias, padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """The sum of the filters, each scaled by the cells of the input.

        `output_size`, with or without the batch and channel axes, replaces output_padding.
        """
        more = self.output_padding
        if output_size is not None:
            more = self._output_padding(input, list(output_size))
        return self._function(
            input, self.weight, self.bias, self.stride, self.padding, more, self.groups,
            self.dilation,
        )  # fmt: skip

    def _output_padding(self, input: Tensor, wanted: list[int]) -> tuple[int, ...]:
        """The difference of `wanted` from the smallest possible output."""
        n = self._axes
        lead = input.dim() - n
        if len(wanted) == lead + n:
            wanted = wanted[lead:]
        if len(wanted) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {input.dim()}D input, output_size must have {n} or "
                f"{lead + n} elements (got {len(wanted)})"
            )
        axes = zip(
            input.shape[lead:], self.kernel_size, self.stride, self.padding, self.dilation,
            strict=True,
        )  # fmt: skip
        least = [(m - 1) * s - 2 * p + d * (k - 1) + 1 for m, k, s, p, d in axes]
        most = [m + s - 1 for m, s in zip(least, self.stride, strict=True)]
        if not all(a <= m <= b for a, m, b in zip(least, wanted, most, strict=True)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to "
                f"{most} (for an input of {tuple(input.shape[lead:])})"
            )
        return tuple(m - a for m, a in zip(wanted, least, strict=True))


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution of (N, in_channels, L) or (in_channels, L). Otherwise like
    `ConvTranspose2d`.

    >>> tc.nn.ConvTranspose1d(8, 3, kernel_size=2, stride=2)(tc.ones(2, 8, 5)).shape
    torch.Size([2, 3, 10])
    """

    _axes, _function = 1, staticmethod(body(F.conv_transpose1d))


class ConvTranspose2d(_ConvTranspose):
    """Transposed convolution: the gradient of `Conv2d` with respect to its images.

    Shape (N, in_channels, P, Q) → (N, out_channels, H, W), or both without N, with
    H = (P − 1) stride − 2 padding + dilation (kernel_size − 1) + output_padding + 1. The call may give
    `output_size` instead of output_padding. weight (in_channels, out_channels / groups, kH, kW) and
    bias (out_channels,) start as U(±1 / √fan_in), with fan_in = out_channels / groups · kH · kW.

    Raises ValueError for settings, or an `output_size`, that do not fit.

    >>> up = tc.nn.ConvTranspose2d(8, 3, kernel_size=3, stride=2, padding=1)
    >>> x = tc.ones(2, 8, 5, 3)
    >>> up(x).shape, up(x, output_size=(10, 6)).shape
    (torch.Size([2, 3, 9, 5]), torch.Size([2, 3, 10, 6]))
    """

    _axes, _function = 2, staticmethod(body(F.conv_transpose2d))


class ConvTranspose3d(_ConvTranspose):
    """Transposed convolution of (N, in_channels, D, H, W) or (in_channels, D, H, W).

    Otherwise like `ConvTranspose2d`.

    >>> tc.nn.ConvTranspose3d(2, 3, kernel_size=2, stride=2)(tc.ones(1, 2, 3, 4, 5)).shape
    torch.Size([1, 3, 6, 8, 10])
    """

    _axes, _function = 3, staticmethod(body(F.conv_transpose3d))
