"""Convolution, pooling and interpolation, with all their options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..case import Functions, constant, right
from ..draws import separated, sizes

FAMILY = "window"
Pair = tuple[int, int]


def padded(x: Any, padding: Pair, value: float = 0.0) -> Any:
    """x with cells around its two last axes."""
    (p, q), (h, w) = padding, x.shape[-2:]
    y = np.full((*x.shape[:-2], h + 2 * p, w + 2 * q), value, x.dtype)
    y[..., p : p + h, q : q + w] = x
    return y


def taps(kernel: Pair, out: Pair, stride: Pair, dilation: Pair) -> Iterator[tuple[int, int, Any]]:
    """(i, j, the cells of a padded image that tap (i, j) of the kernel meets)"""
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            rows = slice(i * dilation[0], i * dilation[0] + (out[0] - 1) * stride[0] + 1, stride[0])
            cols = slice(j * dilation[1], j * dilation[1] + (out[1] - 1) * stride[1] + 1, stride[1])
            yield i, j, (..., rows, cols)


def extent(size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Pair:
    """The size of the output."""
    p, q = (
        (n + 2 * pad - d * (k - 1) - 1) // s + 1
        for n, k, s, pad, d in zip(size, kernel, stride, padding, dilation, strict=True)
    )
    return p, q


def conv2d(
    stride: Pair = (1, 1), padding: Pair = (0, 0), dilation: Pair = (1, 1), groups: int = 1
) -> Functions:
    """y[n,f,p,q] = Σ x[n,c,..] w[f,c,i,j], and its vjp"""

    def split(x: Any, axis: int) -> Any:
        return np.split(x, groups, axis)

    def value(x: Any, w: Any) -> Any:
        kernel = w.shape[2:]
        p, q = extent(x.shape[2:], kernel, stride, padding, dilation)
        whole = padded(x, padding)
        y = np.zeros((len(x), len(w), p, q), x.dtype)
        parts = zip(split(whole, 1), split(w, 0), split(y, 1), strict=True)
        for image, filters, out in parts:
            for i, j, cells in taps(kernel, (p, q), stride, dilation):
                out += np.einsum("ncpq,fc->nfpq", image[cells], filters[:, :, i, j])
        return y

    def vjp(xs: Any, gs: Any) -> Any:
        (x, w), (g,) = xs, gs
        kernel, out = w.shape[2:], g.shape[2:]
        whole = padded(x, padding)
        whole_bar, w_bar = np.zeros_like(whole), np.zeros_like(w)
        parts = zip(split(whole, 1), split(w, 0), split(g, 1), split(whole_bar, 1),
                    split(w_bar, 0), strict=True)  # fmt: skip
        for image, filters, u, image_bar, filters_bar in parts:
            for i, j, cells in taps(kernel, out, stride, dilation):
                image_bar[cells] += np.einsum("nfpq,fc->ncpq", u, filters[:, :, i, j])
                filters_bar[:, :, i, j] += np.einsum("ncpq,nfpq->fc", image[cells], u)
        p, q = padding
        h, v = x.shape[2:]
        return whole_bar[..., p : p + h, q : q + v].copy(), w_bar

    return value, vjp


def images(c: int, f: int, kernel: tuple[int, int, int], low: int = 5, high: int = 7) -> Any:
    """Images (N, C, H, W) and filters (F, ., I, J)."""

    def draw(rng: Any) -> Any:
        n, h, w = sizes(rng, (1, 2), (low, high), (low, high))
        return rng.normal(size=(n, c, h, w)), rng.normal(size=(f, *kernel))

    return draw


CONV = right(
    "conv2d, strides 2 and 1", FAMILY, "", *conv2d((2, 1), (1, 0)),
    images(2, 3, (2, 3, 2)), second=False,
)  # fmt: skip
CONV_PLAIN = right(
    "conv2d", FAMILY, "", *conv2d(), images(2, 2, (2, 2, 3)), second=False,
)  # fmt: skip
CONV_DILATED = right(
    "conv2d, dilation 2 and 1, padded", FAMILY, "", *conv2d((1, 2), (2, 1), (2, 1)),
    images(1, 2, (1, 3, 2)), second=False,
)  # fmt: skip
CONV_GROUPS = right(
    "conv2d of two groups", FAMILY, "", *conv2d((1, 1), (1, 1), groups=2),
    images(4, 2, (2, 3, 3), 3, 5), second=False,
)  # fmt: skip


def conv_transpose(stride: int, padding: int, output_padding: int) -> Functions:
    """y[s t + i − p] += x[t] w[i], in one dimension"""

    def value(x: Any, w: Any) -> Any:
        n = (len(x) - 1) * stride + len(w)
        whole = np.zeros(n + output_padding, x.dtype)
        for i in range(len(w)):
            whole[i : i + (len(x) - 1) * stride + 1 : stride] += x * w[i]
        return whole[padding : n - padding + output_padding]

    def vjp(xs: Any, gs: Any) -> Any:
        (x, w), (g,) = xs, gs
        n = (len(x) - 1) * stride + len(w)
        whole = np.zeros(n + output_padding, g.dtype)
        whole[padding : n - padding + output_padding] = g
        cells = [whole[i : i + (len(x) - 1) * stride + 1 : stride] for i in range(len(w))]
        x_bar = sum(c * w[i] for i, c in enumerate(cells))
        return x_bar, np.array([(c * x).sum() for c in cells], w.dtype)

    return value, vjp


CONV_TRANSPOSE = right(
    "transposed convolution", FAMILY, "stride 3, padding 1, output padding 2",
    *conv_transpose(3, 1, 2),
    lambda rng: (rng.normal(size=sizes(rng, (2, 5))), rng.normal(size=sizes(rng, (3, 4)))),
    second=False,
)  # fmt: skip


def average_pool(
    kernel: int, stride: int, padding: int, ceil: bool, include_pad: bool
) -> Functions:
    """The mean of each window of one dimension; cells beyond the padding are never counted."""

    def windows(n: int) -> list[tuple[int, int, int]]:
        """(start, stop, divisor) of each window, in the input."""
        reach = n + 2 * padding - kernel
        count = (-(-reach // stride) if ceil else reach // stride) + 1
        if (count - 1) * stride >= n + padding:
            count -= 1
        found = []
        for t in range(count):
            start = t * stride - padding
            stop = min(start + kernel, n + padding)
            inside = max(start, 0), min(stop, n)
            found.append((*inside, stop - start if include_pad else inside[1] - inside[0]))
        return found

    def value(x: Any) -> Any:
        return np.stack([x[a:b].sum(axis=0) / d for a, b, d in windows(len(x))])

    def vjp(xs: Any, gs: Any) -> Any:
        (x,), (g,) = xs, gs
        found = np.zeros_like(x)
        for u, (a, b, d) in zip(g, windows(len(x)), strict=True):
            found[a:b] += u / d
        return (found,)

    return value, vjp


AVERAGE_POOL = right(
    "average pool, padding not counted", FAMILY, "", *average_pool(3, 2, 1, False, False),
    lambda rng: (rng.normal(size=sizes(rng, (4, 7), (1, 2))),), second=False,
)  # fmt: skip
AVERAGE_POOL_CEIL = right(
    "average pool, ceil_mode", FAMILY, "the last window is cut", *average_pool(3, 2, 1, True, True),
    lambda rng: (rng.normal(size=(2 * sizes(rng, (2, 4))[0], 2)),), second=False,
)  # fmt: skip


def max_pool(kernel: int, stride: int) -> Functions:
    """The maximum of each window of one dimension; windows may overlap."""

    def value(x: Any) -> Any:
        return np.stack([x[t : t + kernel].max(axis=0)
                         for t in range(0, len(x) - kernel + 1, stride)])  # fmt: skip

    def vjp(xs: Any, gs: Any) -> Any:
        (x,), (g,) = xs, gs
        found = np.zeros_like(x)
        for p, t in enumerate(range(0, len(x) - kernel + 1, stride)):
            found[t + x[t : t + kernel].argmax()] += g[p]
        return (found,)

    return value, vjp


MAX_POOL = right(
    "max pool of overlapping windows", FAMILY, "one input may win in two windows",
    *max_pool(3, 2), lambda rng: (separated(rng, sizes(rng, (5, 9))),), second=False,
)  # fmt: skip


def resize(scale: int, align: bool) -> Functions:
    """Linear interpolation to `scale` times the length: two neighbours with weights."""

    def matrix(n: int, dtype: Any) -> Any:
        m = n * scale
        at = np.arange(m) * (n - 1) / max(m - 1, 1) if align else (np.arange(m) + 0.5) / scale - 0.5
        at = np.clip(at, 0, n - 1)
        low = np.floor(at).astype(int)
        found = np.zeros((m, n), dtype)
        found[np.arange(m), low] += 1 - (at - low)
        found[np.arange(m), np.minimum(low + 1, n - 1)] += at - low
        return found

    def value(x: Any) -> Any:
        return matrix(len(x), x.dtype) @ x

    def vjp(xs: Any, gs: Any) -> Any:
        return (matrix(len(xs[0]), constant(xs[0]).dtype).T @ gs[0],)

    return value, vjp


RESIZE = right(
    "linear interpolation", FAMILY, "edges repeat", *resize(3, False),
    lambda rng: (rng.normal(size=sizes(rng, (1, 5), (1, 2))),),
)  # fmt: skip
