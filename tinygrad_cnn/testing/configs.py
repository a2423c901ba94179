"""Hypothesis strategies of convolutions and poolings, as configurations: shapes and attributes.

The strides, paddings and dilations of the two axes mostly differ, since square configurations hide
swapped axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from .values import Padding, Pair, Shape


@dataclass(frozen=True)
class ConvConfig:
    """A convolution: the shapes of its input and weight, and its attributes.

    `padding` has a pair for each axis of space: ((top, bottom), (left, right)).
    """

    x_shape: Shape
    w_shape: Shape
    stride: Shape
    padding: Padding
    dilation: Shape
    groups: int

    @property
    def output_shape(self) -> Shape:
        """The shape of the output, (N, F, P, Q)."""
        sizes = zip(
            self.x_shape[2:],
            self.w_shape[2:],
            self.stride,
            self.padding,
            self.dilation,
            strict=True,
        )
        planes = ((n + sum(pad) - d * (k - 1) - 1) // s + 1 for n, k, s, pad, d in sizes)
        return (self.x_shape[0], self.w_shape[0], *planes)

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes of the op `conv2d` and of its adjoints."""
        return {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
        }


def pairs(low: int, high: int) -> st.SearchStrategy[Pair]:
    """Two integers in [low, high], for rows and columns."""
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def conv2d_configs(draw: st.DrawFn, *, symmetric: bool = False) -> ConvConfig:
    """Convolutions: rectangular, strided, dilated, grouped and padded.

    The two sides of an axis may be padded differently, unless `symmetric`. N may be 0, and the
    stride need not divide the size. The strategy draws the size of the output and computes that of
    the input, so every configuration is valid.

    >>> from hypothesis import given
    >>> @given(conv2d_configs())
    ... def test(config):
    ...     assert min(config.output_shape[1:]) >= 1
    >>> test()
    """
    kernel, stride, dilation = draw(pairs(1, 3)), draw(pairs(1, 3)), draw(pairs(1, 2))
    if symmetric:
        pads = draw(pairs(0, 2))
        padding = ((pads[0], pads[0]), (pads[1], pads[1]))
    else:
        padding = (draw(pairs(0, 2)), draw(pairs(0, 2)))
    output, slack = draw(pairs(1, 3)), draw(pairs(0, 2))
    plane = tuple(
        max(1, (p - 1) * s + d * (k - 1) + 1 + r % s - sum(pad))
        for p, s, d, k, r, pad in zip(output, stride, dilation, kernel, slack, padding, strict=True)
    )
    groups, channels, filters = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 2)),
        draw(st.integers(1, 2)),
    )
    n = draw(st.sampled_from([1, 2, 3, 1, 2, 3, 0]))
    return ConvConfig(
        (n, groups * channels, *plane), (groups * filters, channels, *kernel), stride, padding,
        dilation, groups,
    )  # fmt: skip


@st.composite
def conv3d_configs(draw: st.DrawFn) -> ConvConfig:
    """Convolutions over three axes: `conv2d_configs` with an axis of depth in front."""
    flat = draw(conv2d_configs())
    taps, stride, dilation = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 2)),
        draw(st.integers(1, 2)),
    )
    pad, more = draw(pairs(0, 2)), draw(st.integers(0, 2))
    depth = max(1, dilation * (taps - 1) + 1 + more - sum(pad))
    return ConvConfig(
        (*flat.x_shape[:2], depth, *flat.x_shape[2:]),
        (*flat.w_shape[:2], taps, *flat.w_shape[2:]),
        (stride, *flat.stride), (pad, *flat.padding), (dilation, *flat.dilation), flat.groups,
    )  # fmt: skip


@dataclass(frozen=True)
class Pool2dConfig:
    """A pooling: the arguments of `nn.functional.max_pool2d`, and the shape of its input."""

    x_shape: Shape
    kernel_size: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    ceil_mode: bool

    @property
    def output_size(self) -> Pair:
        """The size of the output, (P, Q), rounded down, or up with `ceil_mode`.

        With `ceil_mode`, a last window that would start in the trailing padding is dropped.
        """
        return self._axis(0), self._axis(1)

    def _axis(self, a: int) -> int:
        n, s, p = self.x_shape[2 + a], self.stride[a], self.padding[a]
        room = n + 2 * p - self.dilation[a] * (self.kernel_size[a] - 1) - 1
        count = room // s + 1
        if self.ceil_mode and room % s and count * s < n + p:
            count += 1
        return count

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes of the op `max_pool2d`.

        Their `padding` extends to the end of the last window on each axis.
        """
        spans = (d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel_size, strict=True))
        padding = tuple(
            (p, max(0, (m - 1) * s + span - n - p))
            for n, m, s, span, p in zip(
                self.x_shape[2:], self.output_size, self.stride, spans, self.padding, strict=True
            )
        )
        return {
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "padding": padding,
            "dilation": self.dilation,
            "output_size": self.output_size,
        }


@st.composite
def pool2d_configs(draw: st.DrawFn, *, dilated: bool = True) -> Pool2dConfig:
    """Poolings: rectangular, overlapping or with gaps, padded, dilated.

    `ceil_mode` is on or off. The padding is at most half the kernel. Some windows hold only
    padding. N may be 0.

    >>> from hypothesis import given
    >>> @given(pool2d_configs())
    ... def test(config):
    ...     assert min(config.output_size) >= 1
    >>> test()
    """
    kernel, stride = draw(pairs(1, 3)), draw(pairs(1, 3))
    padding = (draw(st.integers(0, kernel[0] // 2)), draw(st.integers(0, kernel[1] // 2)))
    dilation = draw(pairs(1, 2)) if dilated else (1, 1)
    more = draw(pairs(0, 5))
    plane = tuple(
        max(1, d * (k - 1) + 1 - 2 * p) + m
        for k, p, d, m in zip(kernel, padding, dilation, more, strict=True)
    )
    n, channels = draw(st.sampled_from([1, 2, 1, 2, 1, 2, 0])), draw(st.integers(1, 3))
    return Pool2dConfig(
        (n, channels, *plane), kernel, stride, padding, dilation, draw(st.booleans())
    )
