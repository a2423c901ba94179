"""Convolutions by 3×3 or 5×5 filters at stride 1, with fewer multiplications: the calls of
`loops.winograd`.

Results that are not finite are computed again by `direct`.
"""

from math import prod

import numpy as np

from ..winograd_matrices import SQUARES, TILE
from . import direct, tuning
from .calls import address, aligned, lanes, padded, pointer, round_up, share, sum_over_threads
from .loops import winograd as loops
from .loops.product import ZEROS_BYTES
from .matmul import panel_width


def _tiles(y, r):
    """(tiles in a column, in a row, all of them)."""
    m = TILE + 1 - r
    down, right = -(-y.shape[2] // m), -(-y.shape[3] // m)
    return down, right, len(y) * down * right


def enough_tiles(x, w_shape, groups):
    """Whether groups have enough tiles, of which most cells are inside the image."""
    F, _, r, _ = w_shape
    tiles, m = _tiles(x, r)[2], TILE + 1 - r
    inside = tiles * m * m <= 2 * len(x) * prod(x.shape[2:])
    return tiles >= max(F // groups, tuning.GROUP_TILES) and inside


def _tiles_at_once(tile_bytes, tiles):
    """How many tiles: they should stay in the cache, and the filters be read for many."""
    fitting = max(tuning.LEAST_TILES_AT_ONCE, tuning.TILES_BYTES // tile_bytes // 4 * 4)
    return max(1, min(round_up(tiles, 4), fitting))


def _strip_rows(down, row_bytes):
    """Rows of tiles for which x is copied into a patch at once."""
    return max(1, min(down, tuning.STRIP_BYTES // row_bytes))


def winograd(x, w, bias, stride, origin, dilation, groups, y):
    """`correlate` for stride and dilation 1 by Winograd's method."""
    if w.strides[2] != w.shape[3] * w.strides[3]:
        w = np.ascontiguousarray(w)
    if groups > 1:
        finite = _by_tiles(x, _joined_groups(w, groups), bias, origin, y)
    else:
        tiles = _tiles(y, w.shape[2])[2]
        by_panels = len(w) > tuning.PANEL_FILTERS_PER_TILE * tiles
        finite = (_by_panels if by_panels else _by_tiles)(x, w, bias, origin, y)
    if not finite:
        direct.direct(x, w, bias, stride, origin, dilation, groups, y)


def winograd_weight(g, x, w_shape, stride, origin, dilation, groups):
    """`conv2d_weight` for stride and dilation 1 by Winograd's method."""
    F, c, *kernel = w_shape
    if groups > 1:
        count = _groups_at_once(F // groups, groups, x.dtype)
        result, finite = _weight_by_tiles(g, x, (F, c * count, *kernel), origin)
        result = _separate_groups(result, w_shape, groups)
    else:
        by_panels = tuning.PANEL_FILTERS_PER_TILE * _tiles(g, kernel[0])[2] < F
        weight = _weight_by_panels if by_panels else _weight_by_tiles
        result, finite = weight(g, x, w_shape, origin)
    if not finite:
        return direct.direct_weight(g, x, w_shape, stride, origin, dilation, groups)
    return result


# --- More filters than tiles: the tiles are transformed first -------------------------------------


def _transformed(x, r, origin, of_x, down, right, multiple):
    """The transformed tiles of x, or of g if not `of_x`, as (36, t, wide).

    Returns the memory, its first step, and `wide`: the channels, rounded up to a multiple.
    """
    dtype, (N, C, H, W) = x.dtype, x.shape
    wide, m = round_up(C, multiple), TILE + 1 - r
    tiles, more = N * down * right, (r - 1) * of_x
    row_bytes = (right * m + more) * wide * dtype.itemsize
    strip = _strip_rows(down, row_bytes * m)
    step = tiles * wide + lanes(dtype)
    memory = aligned((SQUARES, step), dtype)
    common = (
        r, of_x, *pointer(x), C, H, W, -origin[0], -origin[1], down, right, address(memory), step,
        wide, strip,
    )  # fmt: skip
    cost = memory.size * tuning.TRANSFORM_MULTIPLY_ADDS
    share(loops.transform, dtype, common, tiles, cost, (strip * m + more) * row_bytes)
    return memory, step, wide


def _by_panels(x, w, bias, origin, y):
    """`winograd` where the transformed filters are more than the tiles: each is made and used once.

    Returns whether the result is finite.
    """
    dtype, C, (P, Q), (F, _, r, _) = y.dtype, x.shape[1], y.shape[2:], w.shape
    width = panel_width(F, dtype)
    panels = -(-F // width)
    down, right, tiles = _tiles(y, r)
    v, step, wide = _transformed(x, r, origin, True, down, right, lanes(dtype))
    most = min(tiles, tuning.PANEL_TILES_AT_ONCE)
    nbytes = ZEROS_BYTES + ((r * r + SQUARES) * C + SQUARES * most) * width * dtype.itemsize
    nbytes += 2 * SQUARES * 64
    wa, sf, sc, _, st = pointer(w)
    bias = padded(bias, panels * width, dtype)
    ya, yn, _, yp, yq = pointer(y)
    common = (
        r, address(v), step, wide, down, right, tiles, wa, sf, sc, st, C, F, address(bias), width,
        ya, yn, yp, yq, P, Q, most,
    )  # fmt: skip
    cost, check = tiles * SQUARES * C * F, lanes(dtype)
    return share(loops.forward_by_panels, dtype, common, panels, cost, nbytes, check=check)


def _weight_by_panels(g, x, w_shape, origin):
    """`winograd_weight` in the same way: threads need no separate sums."""
    dtype, C, (F, _, r, _) = x.dtype, x.shape[1], w_shape
    width = panel_width(F, dtype)
    down, right, tiles = _tiles(g, r)
    v, v_step, wide = _transformed(x, r, origin, True, down, right, lanes(dtype))
    z, z_step, deep = _transformed(g, r, (0, 0), False, down, right, width)
    result = np.empty(w_shape, dtype)
    most = min(C, tuning.PANEL_TILES_AT_ONCE)
    nbytes = ZEROS_BYTES + (SQUARES + r * r) * most * width * dtype.itemsize + SQUARES * 64
    common = (
        r, address(v), v_step, wide, address(z), z_step, deep, tiles, C, F, width, address(result),
        most,
    )  # fmt: skip
    panels, cost, check = -(-F // width), tiles * SQUARES * C * F, lanes(dtype)
    return result, share(
        loops.weight_by_panels, dtype, common, panels, cost, nbytes, check=check
    )  # fmt: skip


# --- More tiles than filters: the filters are transformed first -----------------------------------


class _Panels:
    """How the loops visit the tiles: `common` arguments, scratch memory, and panels of filters.

    Each group has f filters and its own panels. `deep` is 0, or the width of the transformed g.
    """

    def __init__(self, x, y, w_shape, weight):
        C, (F, c, r, _) = x.shape[1], w_shape
        lane, size = lanes(x.dtype), x.itemsize
        self.f = f = F * c // C
        self.width = lane if 0 < f % (2 * lane) <= lane else 2 * lane
        self.count = C // c * -(-f // self.width)
        m, wide = TILE + 1 - r, round_up(C, lane)
        deep = round_up(F - f + round_up(f, self.width), lane) if weight else 0
        down, right, self.tiles = _tiles(y, r)
        columns = right * m + (0 if weight else r - 1)
        self.strip = _strip_rows(down, columns * (wide + deep) * size * m)
        self.most = _tiles_at_once(SQUARES * (wide + deep) * size, self.tiles)
        patch = (self.strip * m + r - 1) * (right * m + r - 1) * (wide + deep)
        products = self.most * (wide + (deep or self.width)) + 2 * self.width
        self.nbytes = ZEROS_BYTES + (patch + SQUARES * products) * size
        self.cost = self.tiles * SQUARES * c * F


def _by_tiles(x, w, bias, origin, y):
    """`winograd` where the tiles are more than the transformed filters.

    Returns whether the result is finite.
    """
    dtype, (_, C, H, W), (P, Q), (F, c, r, _) = y.dtype, x.shape, y.shape[2:], w.shape
    panels = _Panels(x, y, w.shape, weight=False)
    f, width = panels.f, panels.width
    u = aligned((panels.count, SQUARES, c, width), dtype)
    wa, sf, sc, _, st = pointer(w)
    common = r, wa, sf, sc, st, c, f, address(u), width
    nbytes = r * r * c * width * dtype.itemsize
    share(loops.filters, dtype, common, panels.count, c * F * SQUARES, nbytes, 1)
    bias = padded(bias, F + width, dtype)
    ya, yn, _, yp, yq = pointer(y)
    common = (
        r, *pointer(x), C, H, W, -origin[0], -origin[1], c, f, panels.count, address(u),
        address(bias), width, ya, yn, yp, yq, P, Q, panels.most, panels.strip,
    )  # fmt: skip
    check = lanes(dtype)
    return share(
        loops.forward, dtype, common, panels.tiles, panels.cost, panels.nbytes, check=check
    )  # fmt: skip


def _weight_by_tiles(g, x, w_shape, origin):
    """`winograd_weight` with sums of each thread over its tiles, and whether it is finite."""
    dtype, (_, C, H, W), (P, Q), (F, c, r, _) = x.dtype, x.shape, g.shape[2:], w_shape
    panels = _Panels(x, g, w_shape, weight=True)
    f, width = panels.f, panels.width
    common = (
        r, *pointer(x), C, H, W, -origin[0], -origin[1], *pointer(g), F, P, Q, c, f, panels.count,
        width, panels.most, panels.strip,
    )  # fmt: skip
    shape = panels.count, SQUARES, c, width
    sums = sum_over_threads(
        loops.weight, dtype, common, panels.tiles, shape, panels.cost, panels.nbytes
    )
    result = np.empty(w_shape, dtype)
    common, cost = (r, address(sums), c, f, width, address(result)), c * F * SQUARES
    nbytes = ZEROS_BYTES + r * r * c * width * dtype.itemsize
    finite = share(loops.finish, dtype, common, panels.count, cost, nbytes, 1, lanes(dtype))
    return result, finite


# --- Groups -------------------------------------------------------------------------------------


def _groups_at_once(f, groups, dtype):
    """How many groups of f filters to take as one: as many as a vector has room for."""
    return next(k for k in range(max(1, lanes(dtype) // f), 0, -1) if groups % k == 0)


def _joined_groups(w, groups):
    """The filters of `_groups_at_once` groups as those of one group.

    They are zero for the channels of the others. That multiplies no more than empty lanes would.
    """
    F, c, *kernel = w.shape
    count = _groups_at_once(F // groups, groups, w.dtype)
    if count == 1:
        return w
    shape = (groups // count, count, F // groups, count, c, *kernel)
    wide, own = np.zeros(shape, w.dtype), w.reshape(*shape[:3], c, *kernel)
    for k in range(count):
        wide[:, k, :, k] = own[:, k]
    return wide.reshape(F, count * c, *kernel)


def _separate_groups(wide, w_shape, groups):
    """The adjoint of `_joined_groups`: the channels of each group itself."""
    F, c, *kernel = w_shape
    count = _groups_at_once(F // groups, groups, wide.dtype)
    if count == 1:
        return wide
    wide = wide.reshape(groups // count, count, F // groups, count, c, *kernel)
    return np.stack([wide[:, k, :, k] for k in range(count)], 1).reshape(w_shape)
