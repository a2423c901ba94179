"""Convolutions, and transposed ones."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .functional.check import INTEGERS
from .functional.conv import conv_padding
from .layers import draw_weight_and_bias, empty_parameter
from .module import Module

__all__ = [
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d",
]  # fmt: skip

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What all have: weight and bias, U(±1 / √fan_in) at first, and settings, an integer an axis."""

    _axes: int
    _transposed = False

    def _build(
        self, in_channels: int, out_channels: int, groups: int, bias: bool, padding: Any,
        padding_mode: str, device: Any, dtype: Any, **sizes: Any,
    ) -> None:  # fmt: skip
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
        self.padding_mode, self.transposed = padding_mode, self._transposed
        for name, value in sizes.items():
            setattr(self, name, self._per_axis(name, value))
        self.padding = padding if isinstance(padding, str) else self._per_axis("padding", padding)
        first, second = in_channels, out_channels
        if not self._transposed:
            first, second = second, first
        shape = (first, second // groups, *self.kernel_size)
        self.weight = empty_parameter(shape, device, dtype)
        self.register_parameter(
            "bias", empty_parameter((out_channels,), device, dtype) if bias else None
        )
        self.reset_parameters()

    def _per_axis(self, name: str, value: Any) -> tuple[int, ...]:
        n = self._axes
        values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * n
        if len(values) != n:
            raise ValueError(f"{type(self).__name__}: {name} must be {INTEGERS[n]}, got {value!r}")
        return values

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        draw_weight_and_bias(self)

    def extra_repr(self) -> str:
        """The settings that are not the usual ones."""
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
    _function: Any

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
        self._build(
            in_channels, out_channels, groups, bias, padding, padding_mode, device, dtype,
            kernel_size=kernel_size, stride=stride, dilation=dilation, output_padding=0,
        )  # fmt: skip

    def forward(self, input: Any) -> Any:
        """The responses of the filters."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            pads = conv_padding(
                type(self).__name__, padding, self.kernel_size, self.stride, self.dilation
            )
            around = [width for pair in reversed(pads) for width in pair]
            input = F.pad(input, around, mode=self.padding_mode)
            padding = 0
        return self._function(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )


class Conv1d(_Conv):
    """Cross-correlation of (N, in_channels, L) or (in_channels, L): else as Conv2d."""

    _axes, _function = 1, staticmethod(F.conv1d)


class Conv2d(_Conv):
    """Cross-correlation of images (N, in_channels, H, W), or one without N, with `out_channels` filters.

    weight (out, in / groups, kH, kW) and bias (out,) begin as U(±1 / √fan_in). Sizes are integers
    or pairs (height, width); padding may be 'valid', or 'same' with stride 1, and of zeros or, by
    `padding_mode`, of the image's own cells: 'reflect', 'replicate' or 'circular'. The output is
    (N, out, P, Q), P = ⌊(H + 2 padding - dilation (kH - 1) - 1) / stride⌋ + 1.
    Raises ValueError for settings that do not fit each other.

    >>> import tinygrad_cnn as tc
    >>> conv = tc.nn.Conv2d(3, 8, kernel_size=3, stride=2, padding=1)
    >>> conv(tc.ones(2, 3, 9, 5)).shape == (2, 8, 5, 3)
    True
    """

    _axes, _function = 2, staticmethod(F.conv2d)


class Conv3d(_Conv):
    """Cross-correlation of (N, in_channels, D, H, W) or (in_channels, D, H, W): else as Conv2d."""

    _axes, _function = 3, staticmethod(F.conv3d)


class _ConvTranspose(_ConvNd):
    _function: Any
    _transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        if padding_mode != "zeros":
            raise ValueError(
                f'Only "zeros" padding mode is supported for {type(self).__name__}, got '
                f"{padding_mode!r}"
            )
        if isinstance(padding, str):
            raise TypeError(f"{type(self).__name__}: padding must be integers, got {padding!r}")
        super().__init__()
        self._build(
            in_channels, out_channels, groups, bias, padding, padding_mode, device, dtype,
            kernel_size=kernel_size, stride=stride, dilation=dilation,
            output_padding=output_padding,
        )  # fmt: skip

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """Each cell of the input with its filter; `output_size` (of space, or all) sets output_padding."""
        more = self.output_padding
        if output_size is not None:
            more = self._output_padding(input, list(output_size))
        return self._function(
            input, self.weight, self.bias, self.stride, self.padding, more, self.groups,
            self.dilation,
        )  # fmt: skip

    def _output_padding(self, input: Any, wanted: list[int]) -> tuple[int, ...]:
        """What the output has more than the smallest one that is possible."""
        n = self._axes
        lead = input.dim() - n
        if len(wanted) == lead + n:
            wanted = wanted[lead:]
        if len(wanted) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {input.dim()}D input, output_size must have {n} or "
                f"{lead + n} elements (got {len(wanted)})"
            )
        axes: Any = zip(
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
    """`ConvTranspose2d` along one axis, of (N, in_channels, L) or (in_channels, L)."""

    _axes, _function = 1, staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """The gradient of a convolution in its images: of (N, in_channels, P, Q), or one without N.

    weight (in, out / groups, kH, kW) and bias (out,) begin as U(±1 / √fan_in), fan_in that of
    out / groups channels, as in PyTorch. The output is (N, out, H, W), where
    H = (P - 1) stride - 2 padding + dilation (kH - 1) + output_padding + 1; the call may give an
    `output_size` in place of output_padding. Raises ValueError for settings that do not fit.

    >>> import tinygrad_cnn as tc
    >>> up = tc.nn.ConvTranspose2d(8, 3, kernel_size=3, stride=2, padding=1)
    >>> x = tc.ones(2, 8, 5, 3)
    >>> up(x).shape, up(x, output_size=(10, 6)).shape
    (torch.Size([2, 3, 9, 5]), torch.Size([2, 3, 10, 6]))
    """

    _axes, _function = 2, staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """`ConvTranspose2d` along three axes, of (N, in_channels, D, H, W) or one without N."""

    _axes, _function = 3, staticmethod(F.conv_transpose3d)
