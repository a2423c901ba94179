"""Convolution of many images with few channels, by vectors of images: the calls of `loops.batched`.

Results have images innermost. The filters must be finite.
"""

from math import prod

import numpy as np

from ..geometry import adjoint_phases, flipped_filters, output_size
from . import tuning
from .calls import (
    address,
    aligned,
    lanes,
    padded,
    pointer,
    readable,
    round_up,
    share,
    sum_over_threads,
)
from .loops import batched as loops


def conv2d(x, w, bias, stride, padding, dilation, groups):
    """One pass over the windows of all images."""
    dtype = np.result_type(x, w)
    size = output_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    y = _images_last((len(x), len(w), *size), dtype)
    origin = [-before for before, _ in padding]
    _correlate(readable(x, dtype), readable(w, dtype), bias, stride, origin, dilation, y)
    return y


def conv2d_input(g, w, x_shape, stride, padding, dilation, groups):
    """A convolution for each phase of the stride."""
    dtype = np.result_type(g, w)
    g, flipped = readable(g, dtype), flipped_filters(readable(w, dtype), 1)
    x = _images_last(x_shape, dtype)
    phases = adjoint_phases(x_shape[2:], w.shape[2:], stride, padding, dilation)
    for cells, taps, origin, apart in phases:
        _correlate(g, flipped[:, :, *taps], None, (1, 1), origin, apart, x[:, :, *cells])
    return x


def _images_last(shape, dtype):
    """Uninitialized (N, C, H, W), images innermost."""
    N, *rest = shape
    return aligned((*rest, N), dtype).transpose(3, 0, 1, 2)


def _is_in_place(x):
    """Whether vectors of images can be read where x is.

    For more images than a tile has, a copy is faster: their pixels are often a power of two
    apart, and share few lines of the cache.
    """
    lane = lanes(x.dtype)
    counts = range(lane, tuning.IMAGE_VECTORS * lane + 1, lane)
    return x.strides[0] == x.itemsize and len(x) in counts


def _units(N, rows, row_bytes, dtype):
    """(images at once, rows at once, number of such pieces)."""
    deep = tuning.IMAGE_VECTORS * lanes(dtype)
    chunks = -(-N // deep)
    fitting = tuning.BATCH_STRIP_BYTES // max(1, row_bytes * min(deep, N))
    strip = max(1, min(rows, fitting, -(-rows * chunks // tuning.LEAST_UNITS)))
    return deep, strip, chunks * -(-rows // strip)


def _correlate(x, w, bias, stride, origin, dilation, y):
    """y[n,f,p,q] = bias[f] + Σ_cij w[f,c,i,j] x[n, c, p·s + i·d + origin, ...], x finite or not."""
    (N, C, H, W), (F, _, I, J), (P, Q), dtype = x.shape, w.shape, y.shape[2:], y.dtype
    panels, f = [], 0
    while f < F:
        rows = next(r for r in loops.TILE_FILTERS if r <= F - f)
        panels.append(w[f : f + rows].transpose(1, 2, 3, 0).ravel())
        f += rows
    packed, bias = np.concatenate(panels), padded(bias, F, dtype)
    in_place = _is_in_place(x)
    row_bytes = 0 if in_place else C * W * stride[0] * dtype.itemsize
    deep, strip, units = _units(N, P, row_bytes, dtype)
    high = (strip - 1) * stride[0] + (I - 1) * dilation[0] + 1
    wide = round_up(min(deep, N), lanes(dtype))
    nbytes = 0 if in_place else C * high * W * wide * dtype.itemsize
    ya, _, yf, yp, yq = pointer(y)
    common = (
        *pointer(x), N, C, H, W, -origin[0], -origin[1], *stride, *dilation, I, J, in_place,
        address(packed), address(bias), F, ya, yf, yp, yq, P, Q, deep, strip,
    )  # fmt: skip
    share(loops.forward, dtype, common, units, y.size * prod(w.shape[1:]), nbytes)


def conv2d_weight(g, x, w_shape, stride, padding, dilation, groups):
    """Sums of vectors of images, whose lanes are added in the end."""
    dtype = np.result_type(g, x)
    g, x = readable(g, dtype), readable(x, dtype)
    (N, C, H, W), (F, _, I, J), (P, Q) = x.shape, w_shape, g.shape[2:]
    (top, _), (left, _) = padding
    lane, size = lanes(dtype), dtype.itemsize
    inside = not (top or left)
    for n, taps, s, d, p in zip((H, W), (I, J), stride, dilation, (P, Q), strict=True):
        inside = inside and (p - 1) * s + (taps - 1) * d < n
    in_place, g_in_place = inside and _is_in_place(x), _is_in_place(g)
    columns = (Q - 1) * stride[1] + (J - 1) * dilation[1] + 1
    row_bytes = 0 if in_place else C * stride[0] * columns * size
    row_bytes += 0 if g_in_place else F * Q * size
    deep, strip, units = _units(N, P, row_bytes, dtype)
    wide, high = round_up(min(deep, N), lane), (strip - 1) * stride[0] + (I - 1) * dilation[0] + 1
    nbytes = 0 if in_place else C * high * columns * wide * size
    nbytes += 0 if g_in_place else F * strip * Q * wide * size
    common = (
        *pointer(x), N, C, H, W, top, left, *stride, *dilation, I, J, in_place, *pointer(g),
        g_in_place, F, P, Q, deep, strip,
    )  # fmt: skip
    shape, cost = (*w_shape, lane), g.size * C * I * J
    return sum_over_threads(loops.weight, dtype, common, units, shape, cost, nbytes).sum(-1)
