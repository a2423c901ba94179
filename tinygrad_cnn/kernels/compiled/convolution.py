"""Which way a convolution goes.

| filters | way | why |
|---|---|---|
| one channel and filter a group | `depthwise` | nothing is shared that a product could keep |
| 3×3 or 5×5, stride and dilation 1, of enough channels; in groups, of enough tiles | `winograd` | a quarter of the multiplications |
| such, in groups of many channels but of few tiles | `each` | group by group in that way |
| at most 16, on 16 images or more that lie innermost or have one channel | `few` | vectors of images |
| 1×1, stride 1, no padding | `pointwise` | one product of pixels by channels, panel by panel |
| all others | `direct` | a product without unfolding |

Zeros are multiplied that do not stand in the definition, and an infinity times 0 is NaN: where
something in a result is not finite, it is computed again in the direct way.

The gradient of the input is a convolution of the output's with the filters turned around, for stride
1; otherwise one for each remainder of a cell's row and column (see `vectorized.conv2d_input`). Where
the input has few channels, it is mostly `direct.scatter`.
"""

from itertools import product, starmap
from math import prod

import numpy as np

from .. import vectorized
from . import depthwise, few
from ._calls import FLOATS, images, lanes, ready
from .direct import direct, direct_weight, scatter
from .matmul import stays
from .pointwise import is_pointwise, pointwise, pointwise_weight
from .winograd import has_tiles, winograd, winograd_weight

# Winograd's transforms are shared by all filters and all channels: there must be some of each.
LEAST, LEAST_PAIRS = {3: 8, 5: 10}, 128
# Group by group: channels and filters of each, and pixels times pairs of them, for what the calls cost.
EACH, EACH_WORK = 16, 1 << 21
FEW = 16
PIXELS = 512  # of the output, below which it is the calls that take the time


def conv2d(x, w, bias, stride, padding, dilation, groups):
    """See `vectorized.conv2d`."""
    dtype = np.result_type(x, w)
    if dtype not in FLOATS or not (x.size and w.size):
        return vectorized.conv2d(x, w, bias, stride, padding, dilation, groups)
    if is_depthwise(w.shape, groups):
        return depthwise.conv2d(x, w, bias, stride, padding, dilation)
    if is_batched(x, w.shape, groups):
        return few.conv2d(x, w, bias, stride, padding, dilation, groups)
    spans = zip(x.shape[2:], padding, dilation, w.shape[2:], stride, strict=True)
    size = [(n + sum(pad) - d * (taps - 1) - 1) // s + 1 for n, pad, d, taps, s in spans]
    y = images((x.shape[0], w.shape[0], *size), dtype)
    origin = [-before for before, _ in padding]
    correlate(ready(x, dtype), ready(w, dtype), bias, stride, origin, dilation, groups, y)
    return y


def conv2d_input(g, w, x_shape, stride, padding, dilation, groups):
    """See `vectorized.conv2d_input`."""
    dtype = np.result_type(g, w)
    empty = not (g.size and w.size and prod(x_shape))
    if dtype not in FLOATS or empty:
        return vectorized.conv2d_input(g, w, x_shape, stride, padding, dilation, groups)
    if is_depthwise(w.shape, groups):
        return depthwise.conv2d_input(g, w, x_shape, stride, padding, dilation)
    if is_batched(g, w.shape, groups):
        return few.conv2d_input(g, w, x_shape, stride, padding, dilation, groups)
    g, w = ready(g, dtype), ready(w, dtype)
    F, c, I, J = w.shape
    C = x_shape[1]
    x = images(x_shape, dtype)
    if groups == 1 and lanes(dtype) // 2 >= C and not fills(g, C, stride, lanes(dtype)):
        scatter(g, w, stride, [before for before, _ in padding], dilation, x)
        return x
    turned = w.reshape(groups, F // groups, c, I, J).swapaxes(1, 2)  # (G, c, f, I, J)
    turned = turned.reshape(C, F // groups, I, J)[:, :, ::-1, ::-1]
    axes = zip(x_shape[2:], (I, J), stride, padding, dilation, strict=True)
    for (h, i, top, dh), (v, j, left, dw) in product(*starmap(vectorized._phases, axes)):
        part, cells = turned[:, :, i, j], x[:, :, h, v]
        if part.size:
            correlate(g, part, None, (1, 1), (top, left), (dh, dw), groups, cells)
        else:
            cells[...] = 0
    return x


def conv2d_weight(g, x, w_shape, stride, padding, dilation, groups):
    """See `vectorized.conv2d_weight`."""
    dtype = np.result_type(g, x)
    empty = not (g.size and x.size and prod(w_shape))
    if dtype not in FLOATS or empty:
        return vectorized.conv2d_weight(g, x, w_shape, stride, padding, dilation, groups)
    if is_depthwise(w_shape, groups):
        return depthwise.conv2d_weight(g, x, w_shape, stride, padding, dilation)
    if is_batched(x, w_shape, groups):
        return few.conv2d_weight(g, x, w_shape, stride, padding, dilation, groups)
    g, x = ready(g, dtype), ready(x, dtype)
    origin = [-before for before, _ in padding]
    _, weight = way(x, w_shape, g, stride, origin, dilation, groups)
    return weight(g, x, w_shape, stride, origin, dilation, groups)


def is_depthwise(w_shape, groups):
    """Whether there are groups, of one channel and one filter each."""
    return w_shape[1] == 1 and w_shape[0] == groups > 1


def is_batched(x, w_shape, groups):
    """Whether vectors of images are better than vectors of channels: of those there are few.

    It holds for a first layer of grey images and for what follows it.
    """
    F, c = w_shape[:2]
    few = groups == 1 and max(F, c) <= FEW and len(x) >= FEW
    return few and (c == 1 or x.strides[0] == x.itemsize)


def fills(g, C, stride, lanes):
    """Whether two or four pixels of an input of C channels, side by side, are a whole vector.

    Then its gradient is a convolution with as many filters more, in 0.3 to 1 of the time of `scatter`.
    """
    N, _, P, Q = g.shape
    return C in (lanes // 2, lanes // 4) and tuple(stride) == (1, 1) and N * P * Q >= PIXELS


def correlate(x, w, bias, stride, origin, dilation, groups, y):
    """y[n,f,p,q] = bias[f] + Σ_cij w[f,c,i,j] x[n, c, p·sh + i·dh + origin, ...], 0 outside of x."""
    forward, _ = way(x, w.shape, y, stride, origin, dilation, groups)
    forward(x, w, bias, stride, origin, dilation, groups, y)


def way(x, w_shape, y, stride, origin, dilation, groups):
    """(forward, gradient of the filters) that are fastest for these shapes."""
    F, c, I, J = w_shape
    if is_pointwise(x, w_shape, y, stride, origin, groups):
        count = y.size // F
        return (
            pointwise if stays(c, F, y.dtype) else direct,
            pointwise_weight if stays(count, c, y.dtype) else direct_weight,
        )
    plain = I == J and I in LEAST and tuple(stride) == tuple(dilation) == (1, 1)
    f, pixels = F // groups, x.size // x.shape[1]
    if plain and groups > 1:
        if has_tiles(x, w_shape, groups):
            return winograd, winograd_weight
        if min(f, c) >= EACH and pixels * f * c >= EACH_WORK:
            return each, each_weight
    if plain and groups == 1 and min(F, c) >= LEAST[I] and F * c >= LEAST_PAIRS:
        return winograd, winograd_weight
    return direct, direct_weight


def each(x, w, bias, stride, origin, dilation, groups, y):
    """`correlate` group by group."""
    c, f = w.shape[1], len(w) // groups
    for k in range(groups):
        channels, filters = slice(k * c, k * c + c), slice(k * f, k * f + f)
        b = None if bias is None else bias[filters]
        correlate(x[:, channels], w[filters], b, stride, origin, dilation, 1, y[:, filters])


def each_weight(g, x, w_shape, stride, origin, dilation, groups):
    """`conv2d_weight` group by group."""
    c, f = w_shape[1], w_shape[0] // groups
    result = np.empty(w_shape, x.dtype)
    for k in range(groups):
        channels, filters = slice(k * c, k * c + c), slice(k * f, k * f + f)
        result[filters] = winograd_weight(
            g[:, filters], x[:, channels], (f, *w_shape[1:]), stride, origin, dilation, 1
        )
    return result
