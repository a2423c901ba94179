"""Hypothesis strategies: shapes, configurations and values, valid and varied by construction.

Drawn are the shape, the configuration and a seed; the values come from NumPy (`values.separated`):
that is faster, and the shrunk example differs from its neighbours in the configuration alone. Sizes
differ along the axes more often than not, since square shapes hide swapped strides and transposes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from .values import Array, Shape, separated

Pair = tuple[int, int]


def generators() -> st.SearchStrategy[np.random.Generator]:
    """NumPy generators, by seed."""
    return st.integers(0, 2**32 - 1).map(np.random.default_rng)


def shapes(
    min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 5
) -> st.SearchStrategy[Shape]:
    """Shapes; a side of 0 is rare, since one is enough to leave nothing to check."""
    sides = st.integers(max(min_side, 1), max_side)
    drawn = st.integers(min_dims, max_dims).flatmap(lambda dims: st.tuples(*[sides] * dims))
    if min_side > 0:
        return drawn
    rare = st.tuples(drawn, st.integers(0, 7), st.integers(0, max(max_dims - 1, 0)))
    return rare.map(lambda t: _with_zero(*t))


def _with_zero(shape: Shape, chance: int, place: int) -> Shape:
    if chance < 7 or not shape:
        return shape
    place %= len(shape)
    return (*shape[:place], 0, *shape[place + 1 :])


@st.composite
def separated_arrays(
    draw: st.DrawFn,
    shape: Shape | st.SearchStrategy[Shape] | None = None,
    *,
    low: float = -2.0,
    high: float = 2.0,
    avoid: Sequence[float] = (),
    margin: float = 0.05,
    dtype: Any = np.float64,
) -> Array:
    """Arrays of `shape` (one, or a strategy of them) whose elements keep a gap: no ties, no kinks.

    They lie in [low, high], apart from each other, and by `margin` from each number of `avoid`.

    >>> from hypothesis import given
    >>> @given(separated_arrays((3, 2), avoid=[0.0]))
    ... def test(x):
    ...     assert x.shape == (3, 2) and len(set(x.ravel())) == 6 and abs(x).min() > 0.01
    >>> test()
    """
    if shape is None:
        shape = shapes()
    if isinstance(shape, st.SearchStrategy):
        shape = draw(shape)
    (x,) = separated(draw(generators()), shape, low=low, high=high, avoid=avoid, margin=margin)
    return x.astype(dtype)


@st.composite
def broadcastable_shapes(
    draw: st.DrawFn, number: int = 2, *, max_dims: int = 3, max_side: int = 4
) -> tuple[Shape, ...]:
    """Shapes that broadcast together: axes missing in front, axes of length 1, and of 0.

    >>> from hypothesis import given
    >>> @given(broadcastable_shapes(3))
    ... def test(shapes):
    ...     np.broadcast_shapes(*shapes)
    >>> test()
    """
    whole = draw(shapes(min(1, max_dims), max_dims, 0, max_side))  # () comes of missing axes
    found = []
    for _ in range(number):
        ones = [draw(st.sampled_from([False, False, True])) for _ in whole]
        missing = draw(st.integers(0, len(whole))) if draw(st.booleans()) else 0
        sides = tuple(1 if one else n for n, one in zip(whole, ones, strict=True))
        found.append(sides[missing:])
    return tuple(found)


@st.composite
def label_arrays(
    draw: st.DrawFn, shape: Shape, classes: int, *, ignore_index: int | None = None
) -> Array:
    """Labels (int64) in [0, classes), some of them `ignore_index` if given, but never all.

    >>> from hypothesis import given
    >>> @given(label_arrays((2, 3), 10, ignore_index=-100))
    ... def test(labels):
    ...     assert labels.dtype == np.int64 and labels.max() >= 0
    >>> test()
    """
    rng = draw(generators())
    labels = rng.integers(0, classes, shape)
    if ignore_index is not None and labels.size:
        ignored = rng.random(shape) < 0.3
        ignored.flat[int(rng.integers(labels.size))] = False
        labels = np.where(ignored, ignore_index, labels)
    return np.asarray(labels, np.int64)


@dataclass(frozen=True)
class Conv2dConfig:
    """A convolution: shapes of x and w, and attributes; padding ((top, bottom), (left, right))."""

    x_shape: Shape
    w_shape: Shape
    stride: Shape
    padding: tuple[Pair, ...]
    dilation: Shape
    groups: int

    @property
    def output_shape(self) -> Shape:
        """(N, F, P, Q)."""
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
        """The attributes of the ops of convolution."""
        return {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
        }


def pairs(low: int, high: int) -> st.SearchStrategy[Pair]:
    """Two integers, for rows and columns."""
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def conv2d_configs(draw: st.DrawFn, *, symmetric: bool = False) -> Conv2dConfig:
    """Convolutions: rectangular, strided, dilated, grouped, padded, also more on one side than on
    the other (not with `symmetric`); N may be 0, and the stride need not fit the size.

    The output is drawn and the input made to be the one that gives it.

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
    return Conv2dConfig(
        (n, groups * channels, *plane), (groups * filters, channels, *kernel), stride, padding,
        dilation, groups,
    )  # fmt: skip


@st.composite
def conv3d_configs(draw: st.DrawFn) -> Conv2dConfig:
    """Convolutions over three axes, as `conv2d_configs` draws them over two."""
    flat = draw(conv2d_configs())
    taps, stride, dilation = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 2)),
        draw(st.integers(1, 2)),
    )
    pad, more = draw(pairs(0, 2)), draw(st.integers(0, 2))
    depth = max(1, dilation * (taps - 1) + 1 + more - sum(pad))
    return Conv2dConfig(
        (*flat.x_shape[:2], depth, *flat.x_shape[2:]),
        (*flat.w_shape[:2], taps, *flat.w_shape[2:]),
        (stride, *flat.stride), (pad, *flat.padding), (dilation, *flat.dilation), flat.groups,
    )  # fmt: skip


@dataclass(frozen=True)
class Pool2dConfig:
    """A pooling: what `nn.functional.max_pool2d` takes, and the shape of its input."""

    x_shape: Shape
    kernel_size: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    ceil_mode: bool

    @property
    def output_size(self) -> Pair:
        """(P, Q): floor, or with `ceil_mode` ceiling; no window starts in the padding behind."""
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
        """The attributes of the op max_pool2d; `padding` reaches as far as the last window."""
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
    """Poolings: rectangular, overlapping or with gaps, padded by at most half the kernel, dilated,
    with and without `ceil_mode`; windows of padding alone among them; N may be 0.

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


@st.composite
def reductions(
    draw: st.DrawFn, shape: Shape, *, nonempty: bool = True
) -> int | tuple[int, ...] | None:
    """A `dim` of that shape: None, an axis (from either end) or several; with `nonempty` of axes
    that have elements.
    """
    axes = [k for k, n in enumerate(shape) if n or not nonempty]
    kinds = ["all"] if not nonempty or 0 not in shape else []
    if axes:
        kinds += ["one", "one", "several"]
    kind = draw(st.sampled_from(kinds))
    if kind == "all":
        return None
    if kind == "one":
        k = draw(st.sampled_from(axes))
        return k - len(shape) if draw(st.booleans()) else k
    return tuple(draw(st.lists(st.sampled_from(axes), min_size=1, unique=True)))
