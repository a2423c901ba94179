"""The calls of `_direct` and `_scatter`: convolutions as products with x itself, without unfolding.

Zeros are multiplied that do not stand in the definition where pixels side by side count as one, and an
infinity times 0 is NaN: where something in a result is not finite, it is computed again without.
"""

from math import prod

import numpy as np

from . import _direct, _scatter
from ._calls import add_up, address, aligned, lanes, padded, place, share
from .matmul import width_of

STRIP_BYTES = 1 << 17  # of x brought into place at once: a good part of an L2 cache
ZEROS = _direct.ZEROS
PACKED = 8  # multiply-adds that bringing a number into its panel takes as long as


def rows_at_once(row_bytes, P, stride, N):
    """How many rows of y: those whose part of x stays in the cache, fewer for few images."""
    return max(1, min(STRIP_BYTES // (row_bytes * stride), P, -(-P * N // 8)))


def is_in_place(x, size, kernel, stride, origin, dilation, merged):
    """Whether the windows can be read where x lies: they stay inside, and channels are innermost."""
    spans = zip(x.shape[2:], size, kernel, stride, origin, dilation, strict=True)
    return (
        x.strides[1] == x.itemsize
        and (not merged or kernel[1] == 1 or x.strides[3] == x.shape[1] * x.itemsize)
        and all(o >= 0 and (p - 1) * s + (k - 1) * d + o < n for n, p, k, s, o, d in spans)
    )


def joined(x, y, w_shape, stride, origin):
    """The rows of images of a 1×1 convolution as one, if they follow each other in memory."""
    plain = w_shape[2:] == (1, 1) and tuple(stride) == (1, 1) and tuple(origin) == (0, 0)
    plain = plain and x.shape[2:] == y.shape[2:] and len(x) >= 8
    if not (plain and all(a.strides[2] == a.shape[3] * a.strides[3] for a in (x, y))):
        return x, y
    return [a.reshape(*a.shape[:2], 1, -1) for a in (x, y)]


def direct(x, w, bias, stride, origin, dilation, groups, y):
    """`correlate` by products with x itself."""
    if groups == 1 and len(w) <= lanes(y.dtype) // 2:
        wide = spread(w, bias, stride, dilation, y)
        if wide is not None:
            w_wide, bias_wide, stride_wide, dilation_wide, tail = wide
            products(x, w_wide, bias_wide, stride_wide, origin, dilation_wide, 1, y, tail)
            if is_finite(y):
                return
    x, y = joined(x, y, w.shape, stride, origin)
    products(x, w, bias, stride, origin, dilation, groups, y)


def products(x, w, bias, stride, origin, dilation, groups, y, tail=None):
    """The same; with a `tail` (pixels of a row, filters of the last one) y has F numbers a pixel."""
    dtype = y.dtype
    F, c, I, J = w.shape
    N, C, H, W = x.shape
    f, width = F // groups, width_of(F // groups, dtype)
    P, (Q, last_n) = y.shape[2], tail or (y.shape[3], f)
    packed = aligned((groups * -(-f // width), I, J, c, width), dtype)
    common = *place(w), f, c, I, J, address(packed), width
    share(_direct.pack, dtype, common, groups * -(-f // width), w.size * PACKED, 0, 1)
    bias = padded(bias, F + width, dtype)
    merged = groups == 1 and dilation[1] == 1
    bare = is_in_place(x, (P, Q), (I, J), stride, origin, dilation, merged)
    columns = (Q - 1) * stride[1] + (J - 1) * dilation[1] + 1
    row_bytes = columns * C * dtype.itemsize
    strip = rows_at_once(row_bytes, P, stride[0], N)
    high = (strip - 1) * stride[0] + (I - 1) * dilation[0] + 1
    nbytes = ZEROS + 8 * I * J + 64 + (0 if bare else high * row_bytes)
    ya, yn, _, yp, yq = place(y)

    common = (
        *place(x), C, H, W, -origin[0], -origin[1], *stride, *dilation, I, J, columns, bare, merged,
        address(packed), address(bias), groups, c, f, width, ya, yn, yp, F if tail else yq, P, Q, last_n,
        strip,
    )  # fmt: skip
    cost = N * F * P * Q * c * I * J
    share(_direct.forward, dtype, common, N * -(-P // strip), cost, nbytes)


def is_finite(x):
    """Whether no element is infinite or NaN, or the sum of all would be.

    Where zeros are multiplied that do not stand in the definition, infinities and NaN spread further
    than they should. Then the result is computed again without.
    """
    with np.errstate(all="ignore"):
        return np.isfinite(x.sum())


def spread(w, bias, stride, dilation, y):
    """Few filters leave most of a vector empty: so e pixels side by side become one of e F filters.

    w'[(e, f), c, i, t] = w[f, c, i, j] with t = e s + j d. A part J / T of it is not zero; e is
    chosen for the fewest vectors a pixel. Returns w', bias', stride, dilation and the tail of
    `products`, or None where it gains nothing.
    """
    (F, c, I, J), Q, s, d = w.shape, y.shape[3], stride[1], dilation[1]
    lane, reach = lanes(y.dtype), (J - 1) * d + 1

    def cost(e):
        return -(-e * F // lane) * ((e - 1) * s + reach) / min(e, Q)

    e = min(range(1, 2 * lane // F + 1), key=cost)
    if e == 1 or y.strides[3] != F * y.itemsize:
        return None
    wide = np.zeros((e, F, c, I, (e - 1) * s + reach), w.dtype)
    for k in range(e):
        wide[k, ..., k * s : k * s + reach : d] = w
    wide, bias = wide.reshape(e * F, *wide.shape[2:]), None if bias is None else np.tile(bias, e)
    count = -(-Q // e)
    return wide, bias, (stride[0], e * s), (dilation[0], 1), (count, (Q - (count - 1) * e) * F)


def scatter(g, w, stride, before, dilation, x):
    """`conv2d_input` of few channels: see `_scatter`."""
    dtype, (F, C, I, J), (N, _, H, W) = x.dtype, w.shape, x.shape
    P, Q = g.shape[2:]
    columns = I * J * C
    width = width_of(columns, dtype)
    panels = -(-columns // width)
    packed = aligned((panels, F, width), dtype)
    of_columns = w.transpose(2, 3, 1, 0).reshape(columns, F, 1, 1)
    _direct.pack(dtype, *place(of_columns), columns, F, 1, 1, address(packed), width, 0, panels)
    high = H if N >= 8 else max(-(-H * N // 8), min(H, I * dilation[0]))
    common = (
        *place(g), F, P, Q, address(packed), width, panels, *stride, *dilation, I, J, *before, C,
        address(x), H, W, high,
    )  # fmt: skip
    row = max((Q - 1) * stride[1] + (J - 1) * dilation[1] + 1, W + before[1]) * C + lanes(dtype)
    nbytes = (high * row + Q * (F + panels * width)) * dtype.itemsize + ZEROS + 128
    share(_scatter.spread, dtype, common, N * -(-H // high), N * P * Q * F * columns, nbytes)


def direct_weight(g, x, w_shape, stride, origin, dilation, groups):
    """`conv2d_weight` by products of x itself, turned, with g."""
    x, g = joined(x, g, w_shape, stride, origin)
    F, c, I, J = w_shape
    N, C, H, W = x.shape
    P, Q = g.shape[2:]
    dtype, f = x.dtype, F // groups
    width = width_of(f, dtype)
    panels = -(-f // width)
    merged = groups == 1 and dilation[1] == 1
    bare = is_in_place(x, (P, Q), (I, J), stride, origin, dilation, merged)
    g_bare = g.strides[1] == g.itemsize and f % width == 0
    columns = (Q - 1) * stride[1] + (J - 1) * dilation[1] + 1
    row_bytes = columns * C * dtype.itemsize
    strip = rows_at_once(row_bytes, P, stride[0], N)
    high = (strip - 1) * stride[0] + (I - 1) * dilation[0] + 1
    g_bytes = 0 if g_bare else groups * strip * Q * panels * width * dtype.itemsize
    nbytes = ZEROS + 8 * strip + 64 + (0 if bare else high * row_bytes) + g_bytes

    common = (
        *place(x), C, H, W, -origin[0], -origin[1], *stride, *dilation, I, J, columns, bare, merged,
        *place(g), g_bare, groups, c, f, width, P, Q, strip,
    )  # fmt: skip
    shape, cost = (groups, panels, I * J, c, width), N * F * P * Q * c * I * J
    units = N * -(-P // strip)
    if groups == 1 and prod(w_shape) > x.size:  # the sums are most of all memory: one is enough
        sums = aligned(shape, dtype)
        sums[...] = 0
        common = *common, units
        share(_direct.weight, dtype, common, panels, cost, nbytes, 1, sums=(address(sums),))
    else:
        sums = add_up(_direct.weight, dtype, (*common, 0), units, shape, cost, nbytes)
    result = np.empty(w_shape, dtype)
    common = address(sums), c, f, I * J, width, address(result)
    nbytes = I * J * c * width * dtype.itemsize
    share(_direct.finish, dtype, common, groups * panels, result.size * PACKED, nbytes, 1)
    return result
