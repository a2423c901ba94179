"""The choice of a convolution's method.

| filters | method | why |
|---|---|---|
| one channel and filter a group | `depthwise` | a product would have no columns |
| up to 16 channels and filters, 16 images or more | `batched` | vectors of images |
| 3×3 or 5×5 at stride 1, enough channels | `winograd` | a quarter of the multiplications |
| the same in groups of many channels but few tiles | `winograd` | group by group |
| 1×1, stride 1, no padding | `pointwise` | one product of pixels by channels |
| all others | `direct` | products without unfolding |

Some methods multiply by zeros that the definition does not have, and an infinity times 0 is NaN. If
their result is not finite, it is computed again by `direct`.

The gradient of the input is a convolution of the cotangent with the flipped filters for each
remainder of the stride (`geometry.adjoint_phases`). Where the input has few channels, it is
`direct.scatter`.
"""

from math import prod

import numpy as np

from ..geometry import adjoint_phases, flipped_filters, output_size
from . import batched, depthwise, tuning
from .calls import FALLBACK, FLOATS, channels_last, lanes, readable
from .direct import direct, direct_weight, scatter
from .matmul import panel_fits
from .pointwise import is_pointwise, pointwise, pointwise_weight
from .winograd import enough_tiles, winograd, winograd_weight


def conv2d(x, w, bias, stride, padding, dilation, groups):
    """By the chosen method, channels innermost."""
    dtype = np.result_type(x, w)
    other = _module(x, w.shape, groups, dtype, (x.size, w.size), w)
    if other:
        return other.conv2d(x, w, bias, stride, padding, dilation, groups)
    size = output_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    y = channels_last((x.shape[0], w.shape[0], *size), dtype)
    origin = [-before for before, _ in padding]
    correlate(readable(x, dtype), readable(w, dtype), bias, stride, origin, dilation, groups, y)
    return y


def conv2d_input(g, w, x_shape, stride, padding, dilation, groups):
    """By the method chosen for each phase of the stride, or by `scatter`."""
    dtype = np.result_type(g, w)
    other = _module(g, w.shape, groups, dtype, (g.size, w.size, prod(x_shape)), w)
    if other:
        return other.conv2d_input(g, w, x_shape, stride, padding, dilation, groups)
    g, w = readable(g, dtype), readable(w, dtype)
    C, lane = x_shape[1], lanes(dtype)
    x = channels_last(x_shape, dtype)
    if groups == 1 and lane // 2 >= C and not fills_vectors(g, C, stride, lane):
        scatter(g, w, stride, [before for before, _ in padding], dilation, x)
        return x
    flipped = flipped_filters(w, groups)
    phases = adjoint_phases(x_shape[2:], w.shape[2:], stride, padding, dilation)
    for cells, taps, origin, apart in phases:
        part, some = flipped[:, :, *taps], x[:, :, *cells]
        if part.size:
            correlate(g, part, None, (1, 1), origin, apart, groups, some)
        else:
            some[...] = 0
    return x


def conv2d_weight(g, x, w_shape, stride, padding, dilation, groups):
    """By the chosen method."""
    dtype = np.result_type(g, x)
    other = _module(x, w_shape, groups, dtype, (g.size, x.size, prod(w_shape)))
    if other:
        return other.conv2d_weight(g, x, w_shape, stride, padding, dilation, groups)
    g, x = readable(g, dtype), readable(x, dtype)
    origin = [-before for before, _ in padding]
    _, weight = method(x, w_shape, g, stride, origin, dilation, groups)
    return weight(g, x, w_shape, stride, origin, dilation, groups)


def _module(x, w_shape, groups, dtype, sizes, w=None):
    """The set or module that computes a kernel as a whole; None for the methods of `method`.

    `depthwise` and `batched` multiply by no zeros outside of x. An infinity in w would meet them by
    the definition, so such a w goes to the fallback.
    """
    if dtype not in FLOATS or 0 in sizes:
        return FALLBACK
    F, c = w_shape[0], w_shape[1]
    if groups > 1:
        found = depthwise if c == 1 and groups == F else None
    elif len(x) < tuning.MANY_IMAGES or F > tuning.FEW_CHANNELS or c > tuning.FEW_CHANNELS:
        return None
    else:  # as in a first layer of grey images, and in the layer after it
        found = batched if c == 1 or x.strides[0] == x.itemsize else None
    if found and w is not None and not np.isfinite(w).all():
        return FALLBACK
    return found


def fills_vectors(g, C, stride, lanes):
    """Whether two or four adjacent pixels of an input of C channels are a whole vector.

    Its gradient then is a convolution with as many filters more, in 0.3 to 1 of the time of
    `scatter`.
    """
    N, _, P, Q = g.shape
    fit = C in (lanes // 2, lanes // 4) and tuple(stride) == (1, 1)
    return fit and N * P * Q >= tuning.FILLED_VECTOR_PIXELS


def correlate(x, w, bias, stride, origin, dilation, groups, y):
    """y[n,f,p,q] = bias[f] + Σ_cij w[f,c,i,j] x[n, c, p·s + i·d + origin, ...], 0 outside of x."""
    forward, _ = method(x, w.shape, y, stride, origin, dilation, groups)
    forward(x, w, bias, stride, origin, dilation, groups, y)


def method(x, w_shape, y, stride, origin, dilation, groups):
    """(forward, gradient of the filters): the fastest functions for these shapes."""
    F, c, I, J = w_shape
    if is_pointwise(x, w_shape, y, stride, origin, groups):
        count = y.size // F
        return (
            pointwise if panel_fits(c, F, y.dtype) else direct,
            pointwise_weight if panel_fits(count, c, y.dtype) else direct_weight,
        )
    least = tuning.WINOGRAD_CHANNELS.get(I)
    if least and I == J and tuple(stride) == tuple(dilation) == (1, 1):
        f, pixels = F // groups, x.size // x.shape[1]
        if groups > 1:
            if enough_tiles(x, w_shape, groups):
                return winograd, winograd_weight
            many = min(f, c) >= tuning.GROUP_CHANNELS
            if many and pixels * f * c >= tuning.GROUP_MULTIPLY_ADDS:
                return group_by_group, group_by_group_weight
        elif min(F, c) >= least and F * c >= tuning.WINOGRAD_CHANNEL_PAIRS:
            return winograd, winograd_weight
    return direct, direct_weight


def _groups(F, c, groups):
    """(channels, filters) of each group, as slices."""
    f = F // groups
    return [(slice(k * c, k * c + c), slice(k * f, k * f + f)) for k in range(groups)]


def group_by_group(x, w, bias, stride, origin, dilation, groups, y):
    """`correlate` for one group after the other."""
    for channels, filters in _groups(len(w), w.shape[1], groups):
        b = None if bias is None else bias[filters]
        correlate(x[:, channels], w[filters], b, stride, origin, dilation, 1, y[:, filters])


def group_by_group_weight(g, x, w_shape, stride, origin, dilation, groups):
    """`conv2d_weight` for one group after the other, by `winograd`."""
    result = np.empty(w_shape, x.dtype)
    for channels, filters in _groups(*w_shape[:2], groups):
        result[filters] = winograd_weight(
            g[:, filters], x[:, channels], result[filters].shape, stride, origin, dilation, 1
        )
    return result
