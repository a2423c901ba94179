"""The calls of `_few`: convolution of many images with few channels, by vectors of images.

Their arguments and results are those of `vectorized`; y and x̄ lie with images innermost.
"""

from itertools import product
from math import prod

import numpy as np

from .. import vectorized
from . import _few
from ._calls import add_up, address, aligned, lanes, padded, place, ready, share, whole

PATCH_BYTES = 1 << 18  # of x and of g brought into place at once: they should stay in the L2 cache


def conv2d(x, w, bias, stride, padding, dilation, groups):
    """See `vectorized.conv2d`."""
    dtype = np.result_type(x, w)
    spans = zip(x.shape[2:], padding, dilation, w.shape[2:], stride, strict=True)
    size = [(n + sum(pad) - d * (taps - 1) - 1) // s + 1 for n, pad, d, taps, s in spans]
    if not is_finite(w):
        return vectorized.conv2d(x, w, bias, stride, padding, dilation, groups)
    y = _images((len(x), len(w), *size), dtype)
    before = [pad for pad, _ in padding]
    correlate(ready(x, dtype), ready(w, dtype), bias, stride, before, dilation, y)
    return y


def conv2d_input(g, w, x_shape, stride, padding, dilation, groups):
    """See `vectorized.conv2d_input`."""
    dtype = np.result_type(g, w)
    if not is_finite(w):
        return vectorized.conv2d_input(g, w, x_shape, stride, padding, dilation, groups)
    g, turned = ready(g, dtype), ready(w, dtype).swapaxes(0, 1)[:, :, ::-1, ::-1]
    x = _images(x_shape, dtype)
    axes = zip(x_shape[2:], w.shape[2:], stride, padding, dilation, strict=True)
    for (h, i, top, dh), (v, j, left, dw) in product(*(vectorized._phases(*axis) for axis in axes)):
        part = turned[:, :, i, j]
        correlate(g, part, None, (1, 1), (-top, -left), (dh, dw), x[:, :, h, v])
    return x


def is_finite(w):
    """Whether all filters are: outside of x they are not multiplied by zero, which would be NaN."""
    return np.isfinite(w).all()


def _images(shape, dtype):
    """Fresh NCHW memory, images innermost."""
    N, *rest = shape
    return aligned((*rest, N), dtype).transpose(3, 0, 1, 2)


def _is_in_place(x):
    """Whether vectors of images can be read where x lies; of more images than a tile has, a copy is
    faster, for the pixels of so many are often a power of two apart, and share few lines of a cache.
    """
    lane = lanes(x.dtype)
    return x.strides[0] == x.itemsize and len(x) in range(lane, _few.WIDE * lane + 1, lane)


def _units(N, rows, row_bytes, dtype):
    """How many images at once, how many rows, and how many such pieces there are."""
    deep = _few.WIDE * lanes(dtype)
    chunks = -(-N // deep)
    strip = max(
        1, min(rows, PATCH_BYTES // max(1, row_bytes * min(deep, N)), -(-rows * chunks // 8))
    )
    return deep, strip, chunks * -(-rows // strip)


def correlate(x, w, bias, stride, before, dilation, y):
    """y[n,f,p,q] = bias[f] + Σ_cij w[f,c,i,j] x[n, c, p·sh + i·dh − before, ...], x finite or not."""
    (N, C, H, W), (F, _, I, J), (P, Q), dtype = x.shape, w.shape, y.shape[2:], y.dtype
    panels, f = [], 0
    while f < F:
        rows = next(r for r in (6, 4, 2, 1) if r <= F - f)
        panels.append(w[f : f + rows].transpose(1, 2, 3, 0).ravel())
        f += rows
    packed, bias = np.concatenate(panels), padded(bias, F, dtype)
    bare = _is_in_place(x)
    row_bytes = 0 if bare else C * W * stride[0] * dtype.itemsize
    deep, strip, units = _units(N, P, row_bytes, dtype)
    high = (strip - 1) * stride[0] + (I - 1) * dilation[0] + 1
    nbytes = 0 if bare else C * high * W * whole(min(deep, N), lanes(dtype)) * dtype.itemsize
    ya, _, yf, yp, yq = place(y)

    common = (
        *place(x), N, C, H, W, *before, *stride, *dilation, I, J, bare, address(packed), address(bias),
        F, ya, yf, yp, yq, P, Q, deep, strip,
    )  # fmt: skip
    share(_few.forward, dtype, common, units, y.size * prod(w.shape[1:]), nbytes)


def conv2d_weight(g, x, w_shape, stride, padding, dilation, groups):
    """See `vectorized.conv2d_weight`."""
    dtype = np.result_type(g, x)
    g, x = ready(g, dtype), ready(x, dtype)
    (N, C, H, W), (F, _, I, J), (P, Q) = x.shape, w_shape, g.shape[2:]
    (top, _), (left, _) = padding
    lane, size = lanes(dtype), dtype.itemsize
    inside = not (top or left)
    for n, taps, s, d, p in zip((H, W), (I, J), stride, dilation, (P, Q), strict=True):
        inside = inside and (p - 1) * s + (taps - 1) * d < n
    bare, g_bare = inside and _is_in_place(x), _is_in_place(g)
    columns = (Q - 1) * stride[1] + (J - 1) * dilation[1] + 1
    row_bytes = (0 if bare else C * stride[0] * columns * size) + (0 if g_bare else F * Q * size)
    deep, strip, units = _units(N, P, row_bytes, dtype)
    wide, high = whole(min(deep, N), lane), (strip - 1) * stride[0] + (I - 1) * dilation[0] + 1
    nbytes = 0 if bare else C * high * columns * wide * size
    nbytes += 0 if g_bare else F * strip * Q * wide * size

    common = (
        *place(x), N, C, H, W, top, left, *stride, *dilation, I, J, bare, *place(g), g_bare, F, P, Q,
        deep, strip,
    )  # fmt: skip
    shape = *w_shape, lane
    return add_up(_few.weight, dtype, common, units, shape, g.size * C * I * J, nbytes).sum(-1)
