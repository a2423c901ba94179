"""The calls of `_winograd`: convolutions by 3×3 or 5×5 filters at stride 1, with fewer multiplications.

Where a sum in it is not finite, the convolution is done again in the direct way: zeros that do not
stand in the definition are multiplied, and an infinity times 0 is NaN.
"""

from math import prod

import numpy as np

from . import _winograd, direct
from ._calls import add_up, address, aligned, lanes, padded, place, share, whole
from .matmul import width_of

TILE_BYTES = 3 << 18  # of transformed tiles, 36 numbers for 16 of x
ZEROS = _winograd.ZEROS
TILES = 32  # for groups: each thread makes sums of its own for the filters, and they are added
PANELS = 1  # filters for each tile, from which these are gone through panel by panel
AT_ONCE = 96  # tiles, or channels of sums, for one panel: 36 of each should stay in the cache


def _tiles(y, r):
    """(tiles in a column, in a row, all of them)."""
    m = _winograd.TILE + 1 - r
    down, right = -(-y.shape[2] // m), -(-y.shape[3] // m)
    return down, right, len(y) * down * right


def has_tiles(x, w_shape, groups):
    """Whether there are tiles enough for groups, of whose cells not most hang over the edges."""
    F, _, r, _ = w_shape
    tiles, m = _tiles(x, r)[2], _winograd.TILE + 1 - r
    return tiles >= max(F // groups, TILES) and tiles * m * m <= 2 * len(x) * prod(x.shape[2:])


def _at_once(bytes_of_tile, tiles):
    """How many tiles: they should stay in the cache, and the filters be read for many."""
    return max(1, min(whole(tiles, 4), max(12, TILE_BYTES // bytes_of_tile // 4 * 4)))


def _transformed(x, r, origin, of_x, down, right, of):
    """The tiles, transformed, as (36, t, wide), wide a multiple `of`; their first step, and wide."""
    dtype, (N, C, H, W) = x.dtype, x.shape
    wide, m = whole(C, of), _winograd.TILE + 1 - r
    tiles, more = N * down * right, (r - 1) * of_x
    row_bytes = (right * m + more) * wide * dtype.itemsize
    strip = max(1, min(down, direct.STRIP_BYTES // (row_bytes * m)))
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
    if groups > 1:
        finite = _by_tiles(x, joined(w, groups), bias, origin, y)
    else:
        way = _by_panels if len(w) > PANELS * _tiles(y, w.shape[2])[2] else _by_tiles
        finite = way(x, w, bias, origin, y)
    if not finite:
        direct.direct(x, w, bias, stride, origin, dilation, groups, y)


def together(f, groups, dtype):
    """How many groups of f filters to take as one: as many as a vector has room for."""
    return next(k for k in range(max(1, lanes(dtype) // f), 0, -1) if groups % k == 0)


def joined(w, groups):
    """The filters of `together` groups as those of one: for its other channels they are zero."""
    F, c, *kernel = w.shape
    count = together(F // groups, groups, w.dtype)
    if count == 1:
        return w
    shape = (groups // count, count, F // groups, count, c, *kernel)
    wide, own = np.zeros(shape, w.dtype), w.reshape(*shape[:3], c, *kernel)
    for k in range(count):
        wide[:, k, :, k] = own[:, k]
    return wide.reshape(F, count * c, *kernel)


def apart(wide, w_shape, groups):
    """The adjoint of `joined`: of each group its own channels."""
    F, c, *kernel = w_shape
    count = together(F // groups, groups, wide.dtype)
    if count == 1:
        return wide
    wide = wide.reshape(groups // count, count, F // groups, count, c, *kernel)
    return np.stack([wide[:, k, :, k] for k in range(count)], 1).reshape(w_shape)


def _groups(w_shape, C, lanes):
    """(filters of a group, columns of a panel, panels): each group has panels of its own."""
    F, c, _, _ = w_shape
    f = F * c // C
    width = lanes if 0 < f % (2 * lanes) <= lanes else 2 * lanes
    return f, width, C // c * -(-f // width)


def _by_tiles(x, w, bias, origin, y):
    """`winograd` where the tiles are more than the transformed filters: these are made first."""
    dtype, (_, C, H, W), (P, Q), (F, c, r, _) = y.dtype, x.shape, y.shape[2:], w.shape
    lane = lanes(dtype)
    (f, width, panels), wide = _groups(w.shape, C, lane), whole(C, lane)
    size, squares, m = dtype.itemsize, _winograd.TILE**2, _winograd.TILE + 1 - r
    u = aligned((panels, squares, c, width), dtype)
    wa, sf, sc, _, st = place(w)
    bias = padded(bias, F + width, dtype)

    common = r, wa, sf, sc, st, c, f, address(u), width
    nbytes = r * r * c * width * size
    share(_winograd.filters, dtype, common, panels, c * F * squares, nbytes, 1)
    down, right, tiles = _tiles(y, r)
    row_bytes = (right * m + r - 1) * wide * size
    strip = max(1, min(down, direct.STRIP_BYTES // (row_bytes * m)))
    most = _at_once(squares * wide * size, tiles)
    nbytes = ZEROS + (strip * m + r - 1) * row_bytes
    nbytes += squares * (most * (wide + width) + 2 * width) * size
    ya, yn, _, yp, yq = place(y)

    common = (
        r, *place(x), C, H, W, -origin[0], -origin[1], c, f, panels, address(u), address(bias), width,
        ya, yn, yp, yq, P, Q, most, strip,
    )  # fmt: skip
    cost = tiles * squares * c * F
    return share(_winograd.forward, dtype, common, tiles, cost, nbytes, check=lane)


def winograd_weight(g, x, w_shape, stride, origin, dilation, groups):
    """`conv2d_weight` for stride and dilation 1 in Winograd's way."""
    F, c, *kernel = w_shape
    if groups > 1:
        count = together(F // groups, groups, x.dtype)
        result, finite = _weight_by_tiles(g, x, (F, c * count, *kernel), origin)
        result = apart(result, w_shape, groups)
    else:
        way = _weight_by_panels if PANELS * _tiles(g, kernel[0])[2] < F else _weight_by_tiles
        result, finite = way(g, x, w_shape, origin)
    if not finite:
        return direct.direct_weight(g, x, w_shape, stride, origin, dilation, groups)
    return result


def _weight_by_tiles(g, x, w_shape, origin):
    """`winograd_weight` with sums of each thread over its tiles."""
    dtype, (_, C, H, W), (P, Q), (F, c, r, _) = x.dtype, x.shape, g.shape[2:], w_shape
    lane = lanes(dtype)
    (f, width, panels), wide = _groups(w_shape, C, lane), whole(C, lane)
    size, squares, m = dtype.itemsize, _winograd.TILE**2, _winograd.TILE + 1 - r
    deep = whole(F - f + whole(f, width), lane)
    down, right, tiles = _tiles(g, r)
    row_bytes = right * m * (wide + deep) * size
    strip = max(1, min(down, direct.STRIP_BYTES // (row_bytes * m)))
    most = _at_once(squares * (wide + deep) * size, tiles)
    nbytes = ZEROS + (strip * m + r - 1) * (right * m + r - 1) * (wide + deep) * size
    nbytes += squares * (most * (wide + deep) + 2 * width) * size

    common = (
        r, *place(x), C, H, W, -origin[0], -origin[1], *place(g), F, P, Q, c, f, panels, width, most,
        strip,
    )  # fmt: skip
    shape, cost = (panels, squares, c, width), tiles * squares * c * F
    sums = add_up(_winograd.weight, dtype, common, tiles, shape, cost, nbytes)
    result = np.empty(w_shape, dtype)
    common, cost = (r, address(sums), c, f, width, address(result)), c * F * squares
    nbytes = ZEROS + r * r * c * width * size
    return result, share(_winograd.finish, dtype, common, panels, cost, nbytes, 1, lane)
