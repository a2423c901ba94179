"""Convolutions as products with x itself: the calls of `loops.direct` and `loops.scatter`."""

from math import prod

import numpy as np

from ...atomic import quiet
from . import tuning
from .calls import address, aligned, lanes, padded, pointer, share, sum_over_threads
from .loops import direct as loops
from .loops.product import ZEROS_BYTES
from .loops.scatter import spread
from .matmul import panel_width


class _Strips:
    """How x is split into strips of rows of windows that fit in the cache.

    `merged` says that the taps of a window's row are contiguous, `in_place` that windows are read
    where x is: channels are innermost, and all windows stay inside. `common` are the arguments of
    the loops up to these two, `nbytes` the scratch memory for the rows of x, and `count` the
    number of strips.
    """

    def __init__(self, x, size, kernel, stride, origin, dilation, groups):
        N, C, H, W = x.shape
        (I, J), (P, Q) = kernel, size
        self.merged = groups == 1 and dilation[1] == 1
        contiguous = not self.merged or J == 1 or x.strides[3] == C * x.itemsize
        spans = zip((H, W), size, kernel, stride, origin, dilation, strict=True)
        inside = [o >= 0 and (p - 1) * s + (k - 1) * d + o < n for n, p, k, s, o, d in spans]
        self.in_place = x.strides[1] == x.itemsize and contiguous and all(inside)
        columns = (Q - 1) * stride[1] + (J - 1) * dilation[1] + 1
        row_bytes = columns * C * x.itemsize
        fitting = tuning.STRIP_BYTES // (row_bytes * stride[0])
        self.rows = max(1, min(fitting, P, -(-P * N // tuning.LEAST_UNITS)))
        high = (self.rows - 1) * stride[0] + (I - 1) * dilation[0] + 1
        self.nbytes = 0 if self.in_place else high * row_bytes
        self.count = N * -(-P // self.rows)
        self.common = (
            *pointer(x), C, H, W, -origin[0], -origin[1], *stride, *dilation, I, J, columns,
            self.in_place, self.merged,
        )  # fmt: skip


def _joined_rows(x, y, w_shape, stride, origin):
    """x and y of a 1×1 convolution with an image's rows as one, if they are contiguous."""
    plain = w_shape[2:] == (1, 1) and tuple(stride) == (1, 1) and tuple(origin) == (0, 0)
    plain = plain and x.shape[2:] == y.shape[2:] and len(x) >= tuning.LEAST_UNITS
    if not (plain and all([a.strides[2] == a.shape[3] * a.strides[3] for a in (x, y)])):
        return x, y
    return [a.reshape(*a.shape[:2], 1, -1) for a in (x, y)]


def direct(x, w, bias, stride, origin, dilation, groups, y):
    """`correlate` by products with x itself."""
    if groups == 1 and len(w) <= lanes(y.dtype) // 2:
        wide = _adjacent_pixels(w, bias, stride, dilation, y)
        if wide is not None:
            w_wide, bias_wide, stride_wide, dilation_wide, tail = wide
            _products(x, w_wide, bias_wide, stride_wide, origin, dilation_wide, 1, y, tail)
            if _is_finite(y):
                return
    x, y = _joined_rows(x, y, w.shape, stride, origin)
    _products(x, w, bias, stride, origin, dilation, groups, y)


def _products(x, w, bias, stride, origin, dilation, groups, y, tail=None):
    """`direct`. A `tail` is (pixels of a row, filters of the last one): y has F numbers a pixel."""
    dtype = y.dtype
    F, c, I, J = w.shape
    f, width = F // groups, panel_width(F // groups, dtype)
    P, (Q, last_filters) = y.shape[2], tail or (y.shape[3], f)
    packed = _pack(w, f, width, groups)
    bias = padded(bias, F + width, dtype)
    strips = _Strips(x, (P, Q), (I, J), stride, origin, dilation, groups)
    ya, yn, _, yp, yq = pointer(y)
    common = (
        *strips.common, address(packed), address(bias), groups, c, f, width, ya, yn, yp,
        F if tail else yq, P, Q, last_filters, strips.rows,
    )  # fmt: skip
    nbytes = ZEROS_BYTES + 8 * I * J + 64 + strips.nbytes
    cost = len(x) * F * P * Q * c * I * J
    share(loops.forward, dtype, common, strips.count, cost, nbytes)


def _pack(w, f, width, groups):
    """w (F, c, I, J) as panels of filters (groups · panels, I, J, c, width)."""
    _, c, I, J = w.shape
    panels = groups * -(-f // width)
    packed = aligned((panels, I, J, c, width), w.dtype)
    common = *pointer(w), f, c, I, J, address(packed), width
    cost = w.size * tuning.PACK_MULTIPLY_ADDS
    share(loops.pack, w.dtype, common, panels, cost, pieces=1)
    return packed


def _is_finite(x):
    """Whether the sum of all elements is finite.

    `_adjacent_pixels` multiplies by zeros that the definition does not have. Infinities and NaNs
    spread too far then, and the result is computed again without it.
    """
    with quiet():
        return np.isfinite(x.sum())


def _adjacent_pixels(w, bias, stride, dilation, y):
    """Few filters leave most of a vector empty. So e adjacent pixels become one with e·F filters.

    w'[(k, f), c, i, t] = w[f, c, i, j] with t = k·s + j·d, for k < e. A part J / T of it is not
    zero; e is chosen for the fewest vectors a pixel. Returns w', bias', stride, dilation and the
    tail of `_products`, or None if it gains nothing.
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
    """`conv2d_input` for few channels: see `loops.scatter`."""
    dtype, (F, C, I, J), (N, _, H, W) = x.dtype, w.shape, x.shape
    P, Q = g.shape[2:]
    columns = I * J * C
    width = panel_width(columns, dtype)
    packed = _pack(w.transpose(2, 3, 1, 0).reshape(columns, F, 1, 1), columns, width, 1)
    panels, least = len(packed), tuning.LEAST_UNITS
    high = H if least <= N else max(-(-H * N // least), min(H, I * dilation[0]))
    common = (
        *pointer(g), F, P, Q, address(packed), width, panels, *stride, *dilation, I, J, *before, C,
        address(x), H, W, high,
    )  # fmt: skip
    row = max((Q - 1) * stride[1] + (J - 1) * dilation[1] + 1, W + before[1]) * C + lanes(dtype)
    nbytes = (high * row + Q * (F + panels * width)) * dtype.itemsize + ZEROS_BYTES + 128
    share(spread, dtype, common, N * -(-H // high), N * P * Q * F * columns, nbytes)


def direct_weight(g, x, w_shape, stride, origin, dilation, groups):
    """`conv2d_weight` by products of x itself, transposed, with g."""
    x, g = _joined_rows(x, g, w_shape, stride, origin)
    F, c, I, J = w_shape
    P, Q = g.shape[2:]
    dtype, f = x.dtype, F // groups
    width = panel_width(f, dtype)
    panels = -(-f // width)
    strips = _Strips(x, (P, Q), (I, J), stride, origin, dilation, groups)
    g_in_place = g.strides[1] == g.itemsize and f % width == 0
    g_bytes = 0 if g_in_place else groups * strips.rows * Q * panels * width * dtype.itemsize
    nbytes = ZEROS_BYTES + 8 * strips.rows + 64 + strips.nbytes + g_bytes
    common = (
        *strips.common, *pointer(g), g_in_place, groups, c, f, width, P, Q, strips.rows,
    )  # fmt: skip
    shape, cost = (groups, panels, I * J, c, width), len(x) * F * P * Q * c * I * J
    if groups == 1 and prod(w_shape) > x.size:  # sums of each thread would be most of the memory
        sums = aligned(shape, dtype)
        sums[...] = 0
        common, where = (*common, strips.count), (address(sums),)
        share(loops.weight, dtype, common, panels, cost, nbytes, 1, sums=where)
    else:
        common = *common, 0
        sums = sum_over_threads(loops.weight, dtype, common, strips.count, shape, cost, nbytes)
    result = np.empty(w_shape, dtype)
    common = address(sums), c, f, I * J, width, address(result)
    nbytes = I * J * c * width * dtype.itemsize
    cost = result.size * tuning.PACK_MULTIPLY_ADDS
    share(loops.finish, dtype, common, groups * panels, cost, nbytes, 1)
    return result
