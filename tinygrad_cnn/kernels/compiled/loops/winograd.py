"""The loops of Winograd's convolution with 6 × 6 tiles, for filters of r × r.

Tiles are counted over n, p, q. They are processed in blocks whose 36 numbers stay in the cache.
Where filters are few, they are transformed first, and the blocks meet all of them (`forward`,
`weight`). Where there are more filters than tiles, the tiles are transformed first, and each
panel of filters is used for all tiles and forgotten (`forward_by_panels`, `weight_by_panels`).
"""

from ...winograd_matrices import SQUARES, TILE
from ..jit import jit, part
from ..scalars import clear, lanes_of, size_of
from .patch import fill_panel, fill_patch, transpose
from .product import ZEROS_BYTES, across, along
from .winograd_transforms import inverse_w, inverse_y, transform_g, transform_w, transform_x


@part
def _panel_place(panel, f_each, width):
    """(group, filters of the group before this panel): each group begins a panel."""
    group, k = divmod(panel, (f_each + width - 1) // width)
    return group, k * width


@part
def _tile_place(tile, down, right):
    """(n, p, q) of a tile, for `down` × `right` tiles of an image."""
    line, q = divmod(tile, right)
    n, p = divmod(line, down)
    return n, p, q


@part
def _transform_tiles(
    zero, r, of_x, x, sn, sc, sh, sw, C, H, W, top, left, down, right, wide, strip, patch, filled,
    first, last, to, to_step,
):  # fmt: skip
    """to[k, t, wide] = the 36 numbers of the tiles first to last, of x or, if not `of_x`, of g.

    The `patch` takes the rows of `strip` rows of tiles at once. `filled` says which rows it
    holds, and is returned for the next call.
    """
    size, lanes, m = size_of(zero), lanes_of(zero), TILE + 1 - r
    more = (r - 1) * of_x
    columns, rows = right * m + more, strip * m + more
    for tile in range(first, last):
        n, p, q = _tile_place(tile, down, right)
        if filled != n * down + p // strip:
            filled = n * down + p // strip
            fill_patch(
                zero, x + n * sn * size, sc, sh, sw, C, H, W, patch, wide,
                p // strip * strip * m - top, rows, -left, columns,
            )  # fmt: skip
        of = patch + ((p % strip) * m * columns + q * m) * wide * size
        out = to + (tile - first) * wide * size
        for c in range(0, wide, lanes):
            if of_x:
                transform_x(zero, of + c * size, columns * wide, wide, out + c * size, to_step)
            else:
                transform_g(zero, r, of + c * size, columns * wide, wide, out + c * size, to_step)
    return filled


@part
def _multiply(zero, v, v_step, wide, u, u_step, width, to, to_step, zeros, channels, count):
    """to[k, t, width] = Σ_c v[k, t, c] u[k, c, width] for each of the 36 k and `count` tiles t."""
    size = size_of(zero)
    for k in range(SQUARES):
        along(
            zero, width, v + k * v_step * size, wide, zeros, u + k * u_step * size, 0, width,
            to + k * to_step * size, width, zeros, 0, channels, 1, width, count,
        )  # fmt: skip


@part
def _multiply_transposed(
    zero, v, v_step, wide, z, z_step, deep, width, to, to_step, start, start_step, start_row, zeros,
    tiles, channels,
):  # fmt: skip
    """to[k, c, width] = start[k, c] + Σ_t v[k, t, c] z[k, t, width] for each of the 36 k."""
    size = size_of(zero)
    for k in range(SQUARES):
        across(
            zero, width, v + k * v_step * size, wide, zeros, z + k * z_step * size, 0, deep,
            to + k * to_step * size, width, start + k * start_step * size, start_row, tiles, 1,
            width, channels,
        )  # fmt: skip


@part
def _write_tiles(
    zero, r, products, step, bias, check, y, yn, yp, yq, P, Q, down, right, first, count, width,
    filters
):  # fmt: skip
    """y of `count` tiles from `first` on, for up to `filters` filters of one panel."""
    size, lanes, m = size_of(zero), lanes_of(zero), TILE + 1 - r
    for t in range(count):
        n, p, q = _tile_place(first + t, down, right)
        out = y + (n * yn + p * m * yp + q * m * yq) * size
        for c in range(0, width, lanes):
            inverse_y(
                zero, r, products + (t * width + c) * size, step, bias + c * size, check,
                out + c * size, yp, yq, P - p * m, Q - q * m, filters - c,
            )  # fmt: skip


@part
def _write_filters(zero, r, sums, step, width, zeros, check, taps, to, to_row, channels, filters):
    """to[f, c, r, r] of some channels, from the 36 sums (k, c, width) of a panel of filters.

    `taps` is scratch memory (c, r · r, width).
    """
    size, lanes = size_of(zero), lanes_of(zero)
    for c in range(channels):
        for k in range(0, width, lanes):
            inverse_w(
                zero, r, sums + (c * width + k) * size, step, zeros, check,
                taps + (c * r * r * width + k) * size, r * width, width, r, r, lanes,
            )  # fmt: skip
    transpose(zero, to, to_row, taps, width, channels * r * r, filters)


@jit
def filters(zero, r, w, sf, sc, st, C, f_each, to, width, first, last, scratch):
    """The panels first to last of the transformed filters: to[panel, 36, C, width]."""
    size, lanes = size_of(zero), lanes_of(zero)
    for panel in range(first, last):
        group, f = _panel_place(panel, f_each, width)
        of = w + (group * f_each + f) * sf * size
        fill_panel(zero, of, sf, sc, st, r * r, C, min(f_each - f, width), scratch, width)
        for k in range(0, C * width, lanes):
            transform_w(
                zero, r, scratch + k * size, r * C * width, C * width,
                to + (panel * SQUARES * C * width + k) * size, C * width,
            )  # fmt: skip


@jit
def forward(
    zero, r, x, sn, sc, sh, sw, C, H, W, top, left, c_each, f_each, panels, u, bias, width, y, yn,
    yp, yq, P, Q, most, strip, check, first, last, scratch,
):  # fmt: skip
    """The tiles first to last of y, `most` of them at a time.

    Each group has c_each channels, f_each filters and its own panels. `strip` is the number of rows
    of tiles for which x is copied into a patch at once.
    """
    size, lanes, m = size_of(zero), lanes_of(zero), TILE + 1 - r
    down, right = (P + m - 1) // m, (Q + m - 1) // m
    wide = (C + lanes - 1) // lanes * lanes
    v_step, products_step = most * wide + lanes, most * width + lanes
    clear(scratch, ZEROS_BYTES)
    patch = scratch + ZEROS_BYTES
    v = patch + (strip * m + r - 1) * (right * m + r - 1) * wide * size
    products = v + SQUARES * v_step * size
    filled = -1
    for block in range(first, last, most):
        count = min(most, last - block)
        filled = _transform_tiles(
            zero, r, 1, x, sn, sc, sh, sw, C, H, W, top, left, down, right, wide, strip, patch,
            filled, block, block + count, v, v_step,
        )  # fmt: skip
        for panel in range(panels):
            group, f = _panel_place(panel, f_each, width)
            _multiply(
                zero, v + group * c_each * size, v_step, wide,
                u + panel * SQUARES * c_each * width * size, c_each * width, width, products,
                products_step, scratch, c_each, count,
            )  # fmt: skip
            filter = group * f_each + f
            _write_tiles(
                zero, r, products, products_step, bias + filter * size, check, y + filter * size,
                yn, yp, yq, P, Q, down, right, block, count, width, f_each - f,
            )  # fmt: skip


@jit
def weight(
    zero, r, x, sn, sc, sh, sw, C, H, W, top, left, g, gn, gc, gh, gw, F, P, Q, c_each, f_each,
    panels, width, most, strip, sums, first, last, scratch,
):  # fmt: skip
    """sums[panel, 36, c, width] += products of the tiles first to last, c channels of a group."""
    size, lanes, m = size_of(zero), lanes_of(zero), TILE + 1 - r
    down, right = (P + m - 1) // m, (Q + m - 1) // m
    wide = (C + lanes - 1) // lanes * lanes
    panels_wide = (f_each + width - 1) // width * width  # the last group may begin anywhere
    deep = (F - f_each + panels_wide + lanes - 1) // lanes * lanes
    v_step, z_step = most * wide + lanes, most * deep + lanes
    clear(scratch, ZEROS_BYTES)
    patch = scratch + ZEROS_BYTES
    g_patch = patch + (strip * m + r - 1) * (right * m + r - 1) * wide * size
    v = g_patch + strip * m * right * m * deep * size
    z = v + SQUARES * v_step * size
    x_filled = g_filled = -1
    for block in range(first, last, most):
        count = min(most, last - block)
        x_filled = _transform_tiles(
            zero, r, 1, x, sn, sc, sh, sw, C, H, W, top, left, down, right, wide, strip, patch,
            x_filled, block, block + count, v, v_step,
        )  # fmt: skip
        g_filled = _transform_tiles(
            zero, r, 0, g, gn, gc, gh, gw, F, P, Q, 0, 0, down, right, deep, strip, g_patch,
            g_filled, block, block + count, z, z_step,
        )  # fmt: skip
        for panel in range(panels):
            group, f = _panel_place(panel, f_each, width)
            of_panel = sums + panel * SQUARES * c_each * width * size
            _multiply_transposed(
                zero, v + group * c_each * size, v_step, wide, z + (group * f_each + f) * size,
                z_step, deep, width, of_panel, c_each * width, of_panel, c_each * width, width,
                scratch, count, c_each,
            )  # fmt: skip


@jit
def transform(
    zero, r, of_x, x, sn, sc, sh, sw, C, H, W, top, left, down, right, to, to_step, wide, strip,
    first, last, scratch,
):  # fmt: skip
    """to[k, t, wide] = the 36 numbers of each of the tiles first to last, of x or else of g."""
    _transform_tiles(
        zero, r, of_x, x, sn, sc, sh, sw, C, H, W, top, left, down, right, wide, strip, scratch, -1,
        first, last, to + first * wide * size_of(zero), to_step,
    )  # fmt: skip


@jit
def forward_by_panels(
    zero, r, v, v_step, wide, down, right, tiles, w, sf, sc, st, C, F, bias, width, y, yn, yp, yq,
    P, Q, most, check, first, last, scratch,
):  # fmt: skip
    """The panels first to last of y, from the transformed tiles, `most` of these at a time."""
    size, lanes = size_of(zero), lanes_of(zero)
    u_step, products_step = C * width + lanes, most * width + lanes
    clear(scratch, ZEROS_BYTES)
    taps = scratch + ZEROS_BYTES
    u = taps + r * r * C * width * size
    products = u + SQUARES * u_step * size
    for panel in range(first, last):
        f = panel * width
        fill_panel(zero, w + f * sf * size, sf, sc, st, r * r, C, min(F - f, width), taps, width)
        for k in range(0, C * width, lanes):
            transform_w(zero, r, taps + k * size, r * C * width, C * width, u + k * size, u_step)
        for block in range(0, tiles, most):
            count = min(most, tiles - block)
            _multiply(
                zero, v + block * wide * size, v_step, wide, u, u_step, width, products,
                products_step, scratch, C, count,
            )  # fmt: skip
            _write_tiles(
                zero, r, products, products_step, bias + f * size, check, y + f * size, yn, yp, yq,
                P, Q, down, right, block, count, width, F - f,
            )  # fmt: skip


@jit
def weight_by_panels(
    zero, r, v, v_step, wide, z, z_step, deep, tiles, C, F, width, to, most, check, first, last,
    scratch
):  # fmt: skip
    """to[f, c, r, r], the panels first to last of f, from the transformed tiles of x and g.

    `most` channels at a time, whose 36 sums stay in the cache.
    """
    size, lanes = size_of(zero), lanes_of(zero)
    step = most * width + lanes
    clear(scratch, ZEROS_BYTES)
    sums = scratch + ZEROS_BYTES
    taps = sums + SQUARES * step * size
    for panel in range(first, last):
        f = panel * width
        for c in range(0, C, most):
            count = min(most, C - c)
            _multiply_transposed(
                zero, v + c * size, v_step, wide, z + f * size, z_step, deep, width, sums, step,
                scratch, 0, 0, scratch, tiles, count,
            )  # fmt: skip
            out = to + (f * C + c) * r * r * size
            _write_filters(
                zero, r, sums, step, width, scratch, check, taps, out, C * r * r, count,
                min(F - f, width),
            )  # fmt: skip


@jit
def finish(zero, r, sums, C, f_each, width, to, check, first, last, scratch):
    """to[f, c, r, r] from the 36 sums of the panels first to last."""
    size = size_of(zero)
    clear(scratch, ZEROS_BYTES)
    for panel in range(first, last):
        group, f = _panel_place(panel, f_each, width)
        out = to + (group * f_each + f) * C * r * r * size
        _write_filters(
            zero, r, sums + panel * SQUARES * C * width * size, C * width, width, scratch, check,
            scratch + ZEROS_BYTES, out, C * r * r, C, min(f_each - f, width),
        )  # fmt: skip
