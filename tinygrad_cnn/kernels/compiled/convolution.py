"""Which way a convolution goes, and the calls.

| filters | way | why |
|---|---|---|
| one channel and filter a group | `depthwise` | nothing is shared that a product could keep |
| 3×3 or 5×5, stride and dilation 1, of enough channels | `_winograd`, group by group | a quarter of the multiplications |
| at most 16, on 16 images or more that lie innermost or have one channel | `few` | vectors of images |
| 1×1, stride 1, no padding | `pointwise` | one product of pixels by channels, panel by panel |
| all others | `_direct` | a product without unfolding |

Zeros are multiplied that do not stand in the definition, and an infinity times 0 is NaN: where
something in a result is not finite, it is computed again in the direct way.

The gradient of the input is a convolution of the output's with the filters turned around, for stride
1; otherwise one for each remainder of a cell's row and column (see `vectorized.conv2d_input`). Where
the input has few channels, it is `_scatter`.
"""

from itertools import product, starmap
from math import prod

import numpy as np

from .. import vectorized
from . import _direct, _scatter, _winograd, depthwise, few
from ._calls import (
    FLOATS,
    add_up,
    address,
    aligned,
    images,
    lanes,
    padded,
    place,
    ready,
    share,
    whole,
)
from .matmul import stays, width_of
from .pointwise import is_pointwise, pointwise, pointwise_weight

STRIP_BYTES = 1 << 17  # of x brought into place at once: a good part of an L2 cache
TILE_BYTES = 3 << 18  # of transformed tiles, 36 numbers for 16 of x
ZEROS = _winograd.ZEROS
# Winograd's transforms are shared by all filters and all channels: there must be some of each.
LEAST, LEAST_PAIRS = {3: 8, 5: 10}, 128
EACH, EACH_PIXELS = 16, 8192
FEW = 16
PANELS = 1  # filters for each tile, from which these are gone through panel by panel
PACKED = 8  # multiply-adds that bringing a number into its panel takes as long as
AT_ONCE = 96  # tiles, or channels of sums, for one panel: 36 of each should stay in the cache


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
    if groups == 1 and lanes(dtype) // 2 >= C:
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
    if plain and groups > 1 and min(F // groups, c) >= EACH and x.size // x.shape[1] >= EACH_PIXELS:
        return each, each_weight
    if plain and groups == 1 and min(F, c) >= LEAST[I] and F * c >= LEAST_PAIRS:
        return winograd, winograd_weight
    return direct, direct_weight


# -- direct --------------------------------------------------------------------------------------


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


# -- Winograd ------------------------------------------------------------------------------------


def _tiles(y, r):
    """(tiles in a column, in a row, all of them)."""
    m = _winograd.TILE + 1 - r
    down, right = -(-y.shape[2] // m), -(-y.shape[3] // m)
    return down, right, len(y) * down * right


def _at_once(bytes_of_tile, tiles):
    """How many tiles: they should stay in the cache, and the filters be read for many."""
    return max(1, min(whole(tiles, 4), max(12, TILE_BYTES // bytes_of_tile // 4 * 4)))


def _transformed(x, r, origin, of_x, down, right, of):
    """The tiles, transformed, as (36, t, wide), wide a multiple `of`; their first step, and wide."""
    dtype, (N, C, H, W) = x.dtype, x.shape
    wide, m = whole(C, of), _winograd.TILE + 1 - r
    tiles, more = N * down * right, (r - 1) * of_x
    row_bytes = (right * m + more) * wide * dtype.itemsize
    strip = max(1, min(down, STRIP_BYTES // (row_bytes * m)))
    step = tiles * wide + lanes(dtype)
    memory = aligned((_winograd.TILE**2, step), dtype)

    common = (
        r, of_x, *place(x), C, H, W, -origin[0], -origin[1], down, right, address(memory), step, wide,
        strip,
    )  # fmt: skip
    nbytes = (strip * m + more) * row_bytes
    share(_winograd.spread, dtype, common, tiles, memory.size * 8, nbytes)
    return memory, step, wide


def _by_panels(x, w, bias, origin, y):
    """`winograd` where the transformed filters are more than the tiles: each is made and used once."""
    dtype, C, (P, Q), (F, _, r, _) = y.dtype, x.shape[1], y.shape[2:], w.shape
    squares, width = _winograd.TILE**2, width_of(F, dtype)
    panels = -(-F // width)
    down, right, tiles = _tiles(y, r)
    v, step, wide = _transformed(x, r, origin, True, down, right, lanes(dtype))
    most = min(tiles, AT_ONCE)
    nbytes = ZEROS + ((r * r + squares) * C + squares * most) * width * dtype.itemsize
    nbytes += 2 * squares * 64
    wa, sf, sc, _, st = place(w)
    bias = padded(bias, panels * width, dtype)
    ya, yn, _, yp, yq = place(y)
    common = (
        r, address(v), step, wide, down, right, tiles, wa, sf, sc, st, C, F, address(bias), width, ya, yn,
        yp, yq, P, Q, most,
    )  # fmt: skip
    cost = tiles * squares * C * F
    kernel = _winograd.forward_by_panels
    return share(kernel, dtype, common, panels, cost, nbytes, check=lanes(dtype))


def _weight_by_panels(g, x, w_shape, origin):
    """`winograd_weight` in the same way: no thread has sums of its own."""
    dtype, C, (F, _, r, _) = x.dtype, x.shape[1], w_shape
    squares, width = _winograd.TILE**2, width_of(F, dtype)
    down, right, tiles = _tiles(g, r)
    v, v_step, wide = _transformed(x, r, origin, True, down, right, lanes(dtype))
    z, z_step, deep = _transformed(g, r, (0, 0), False, down, right, width)
    result = np.empty(w_shape, dtype)
    most = min(C, AT_ONCE)
    nbytes = ZEROS + (squares + r * r) * most * width * dtype.itemsize + squares * 64

    common = (
        r, address(v), v_step, wide, address(z), z_step, deep, tiles, C, F, width, address(result), most,
    )  # fmt: skip
    panels, cost = -(-F // width), tiles * squares * C * F
    kernel = _winograd.weight_by_panels
    return result, share(kernel, dtype, common, panels, cost, nbytes, check=lanes(dtype))


def winograd(x, w, bias, stride, origin, dilation, groups, y):
    """`correlate` for stride and dilation 1 in Winograd's way."""
    if w.strides[2] != w.shape[3] * w.strides[3]:
        w = np.ascontiguousarray(w)
    way = _by_panels if len(w) > PANELS * _tiles(y, w.shape[2])[2] else _by_tiles
    if not way(x, w, bias, origin, y):
        direct(x, w, bias, stride, origin, dilation, groups, y)


def _by_tiles(x, w, bias, origin, y):
    """`winograd` where the tiles are more than the transformed filters: these are made first."""
    dtype, (_, C, H, W), (P, Q), (F, _, r, _) = y.dtype, x.shape, y.shape[2:], w.shape
    size, squares, width = dtype.itemsize, _winograd.TILE**2, width_of(F, dtype)
    panels, wide, m = -(-F // width), whole(C, lanes(dtype)), _winograd.TILE + 1 - r
    u = aligned((panels, squares, C, width), dtype)
    wa, sf, sc, _, st = place(w)
    bias = padded(bias, panels * width, dtype)

    common = r, wa, sf, sc, st, C, F, address(u), width
    nbytes = r * r * C * width * size
    share(_winograd.filters, dtype, common, panels, C * F * squares, nbytes, 1)
    down, right, tiles = _tiles(y, r)
    row_bytes = (right * m + r - 1) * wide * size
    strip = max(1, min(down, STRIP_BYTES // (row_bytes * m)))
    most = _at_once(squares * wide * size, tiles)
    nbytes = ZEROS + (strip * m + r - 1) * row_bytes
    nbytes += squares * (most * (wide + width) + 2 * width) * size
    ya, yn, _, yp, yq = place(y)

    common = (
        r, *place(x), C, H, W, -origin[0], -origin[1], address(u), address(bias), width, ya, yn, yp, yq, F,
        P, Q, most, strip,
    )  # fmt: skip
    cost = tiles * squares * C * F
    return share(_winograd.forward, dtype, common, tiles, cost, nbytes, check=lanes(dtype))


def winograd_weight(g, x, w_shape, stride, origin, dilation, groups):
    """`conv2d_weight` for stride and dilation 1 in Winograd's way."""
    way = _weight_by_panels if w_shape[0] > PANELS * _tiles(g, w_shape[2])[2] else _weight_by_tiles
    result, finite = way(g, x, w_shape, origin)
    if not finite:
        return direct_weight(g, x, w_shape, stride, origin, dilation, groups)
    return result


def _weight_by_tiles(g, x, w_shape, origin):
    """`winograd_weight` with sums of each thread over its tiles."""
    dtype, (_, C, H, W), (P, Q), (F, _, r, _) = x.dtype, x.shape, g.shape[2:], w_shape
    size, squares, width = dtype.itemsize, _winograd.TILE**2, width_of(F, dtype)
    panels, wide, m = -(-F // width), whole(C, lanes(dtype)), _winograd.TILE + 1 - r
    deep = panels * width
    down, right, tiles = _tiles(g, r)
    row_bytes = right * m * (wide + deep) * size
    strip = max(1, min(down, STRIP_BYTES // (row_bytes * m)))
    most = _at_once(squares * (wide + deep) * size, tiles)
    nbytes = ZEROS + (strip * m + r - 1) * (right * m + r - 1) * (wide + deep) * size
    nbytes += squares * (most * (wide + deep) + 2 * width) * size

    common = (
        r, *place(x), C, H, W, -origin[0], -origin[1], *place(g), F, P, Q, width, most, strip,
    )  # fmt: skip
    shape, cost = (panels, squares, C, width), tiles * squares * C * F
    sums = add_up(_winograd.weight, dtype, common, tiles, shape, cost, nbytes)
    result = np.empty(w_shape, dtype)
    common, cost = (r, address(sums), C, F, width, address(result)), C * F * squares
    nbytes, check = ZEROS + r * r * C * width * size, lanes(dtype)
    return result, share(_winograd.finish, dtype, common, panels, cost, nbytes, 1, check)
