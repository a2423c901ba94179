"""Convolution by its definition, as matrix products with x itself: no window is unfolded.

If channels are innermost, the window of a pixel is I runs of J·c contiguous numbers, and that of
the next pixel begins a few numbers further. The product takes the rows of its left factor at any
stride, so x is the matrix. x only has to be in order, with zeros around it (`fill_patch`): a few
rows at a time, so that they stay in the cache.
"""

from ..jit import jit, part
from ..scalars import clear, lanes_of, move, put, size_of
from .patch import fill_panel, fill_patch, strip_of, transpose
from .product import ZEROS_BYTES, across, along


@jit
def pack(zero, w, sf, sc, si, sj, f, c, I, J, to, width, first, last):
    """to[group, panel, i, j, c, width] = w[f, c, i, j], 0 where a panel is wider than its filters.

    The panels first to last of all groups.
    """
    size = size_of(zero)
    for panel in range(first, last):
        group, k = divmod(panel, (f + width - 1) // width)
        k *= width
        for i in range(I):
            fill_panel(
                zero, w + ((group * f + k) * sf + i * si) * size, sf, sc, sj, J, c,
                min(f - k, width), to + (panel * I + i) * J * c * width * size, width,
            )  # fmt: skip


@part
def _place_rows(
    zero, x, sn, sc, sh, sw, C, H, W, top, left, stride, taps, dilation, columns, in_place, n, p,
    rows, to,
):  # fmt: skip
    """The address of the rows of x under `rows` rows of windows, from row p on."""
    size = size_of(zero)
    if in_place:
        return x + (n * sn + (p * stride - top) * sh - left * sw) * size
    high = (rows - 1) * stride + (taps - 1) * dilation + 1
    fill_patch(
        zero, x + n * sn * size, sc, sh, sw, C, H, W, to, C, p * stride - top, high, -left, columns
    )
    return to


@part
def _put_offsets(to, rows, row, columns, column):
    """Write the offsets r·row + k·column, int64, for a product's segments.

    Returns the address after them, a multiple of 64 further than `to`.
    """
    for r in range(rows):
        for k in range(columns):
            put(r * row + k * column, to + (r * columns + k) * 8)
    return to + (rows * columns * 8 + 63) // 64 * 64


@jit
def forward(
    zero, x, sn, sc, sh, sw, C, H, W, top, left, s, t, d, e, I, J, columns, in_place, merged, w,
    bias, groups, c, f, width, y, yn, yp, yq, P, Q, tail, strip, first, last, scratch,
):  # fmt: skip
    """The strips first to last of y, counted over n, p.

    `merged` says that the taps of a window's row are contiguous, `in_place` that windows are read
    where x is. The last pixel of a row has its first `tail` filters alone.
    """
    size, lanes = size_of(zero), lanes_of(zero)
    clear(scratch, ZEROS_BYTES)
    row, column = (sh, sw) if in_place else (columns * C, C)
    runs = 1 if merged else J
    offsets = scratch + ZEROS_BYTES
    patch = _put_offsets(offsets, I, d * row * size, runs, e * column * size)
    segments, count = I * runs, J * c // runs
    panels = (f + width - 1) // width
    for unit in range(first, last):
        n, p, rows = strip_of(unit, P, strip)
        base = _place_rows(
            zero,
            x,
            sn,
            sc,
            sh,
            sw,
            C,
            H,
            W,
            top,
            left,
            s,
            I,
            d,
            columns,
            in_place,
            n,
            p,
            rows,
            patch,
        )
        for group in range(groups):
            for panel in range(panels):
                k = group * f + panel * width
                b = w + (group * panels + panel) * segments * count * width * size
                for h in range(rows):
                    of = base + (h * s * row + group * c) * size
                    to = y + (n * yn + (p + h) * yp + k) * size
                    many, some = f - panel * width, tail - panel * width
                    vectors = width if many > lanes else lanes
                    whole = Q if some >= min(width, many) else Q - 1
                    for q, pixels, n_of in ((0, whole, many), (whole, Q - whole, some)):
                        if pixels > 0 and n_of > 0:
                            along(
                                zero, vectors, of + q * t * column * size, t * column, offsets, b,
                                count * width, width, to + q * yq * size, yq, bias + k * size, 0,
                                count, segments, n_of, pixels,
                            )  # fmt: skip


@jit
def weight(
    zero, x, sn, sc, sh, sw, C, H, W, top, left, s, t, d, e, I, J, columns, in_place, merged, g, gn,
    gc, gh, gw, g_in_place, groups, c, f, width, P, Q, strip, units, sums, first, last, scratch,
):  # fmt: skip
    """sums[group, panel, i, j, c, width] += the terms of the strips first to last.

    If `units` is not 0, there are that many strips, and first and last are panels.
    """
    size, lanes = size_of(zero), lanes_of(zero)
    clear(scratch, ZEROS_BYTES)
    row, column = (sh, sw) if in_place else (columns * C, C)
    offsets = scratch + ZEROS_BYTES
    g_patch = _put_offsets(offsets, strip, s * row * size, 1, 0)
    runs = 1 if merged else J
    rows_of_sums = J * c // runs
    panels = (f + width - 1) // width
    deep, from_panel, to_panel = panels * width, 0, panels
    if units:
        from_panel, to_panel, first, last = first, last, 0, units
    patch = g_patch + (0 if g_in_place else groups * strip * Q * deep * size)
    for unit in range(first, last):
        n, p, rows = strip_of(unit, P, strip)
        base = _place_rows(
            zero,
            x,
            sn,
            sc,
            sh,
            sw,
            C,
            H,
            W,
            top,
            left,
            s,
            I,
            d,
            columns,
            in_place,
            n,
            p,
            rows,
            patch,
        )
        for group in range(groups):
            given = g + (n * gn + p * gh + group * f * gc) * size
            g_row, g_column = gh, gw
            if not g_in_place:
                g_row, g_column = Q * deep, deep
                fill_patch(zero, given, gc, gh, gw, f, rows, Q, g_patch, deep, 0, rows, 0, Q)
                given = g_patch
            for panel in range(from_panel, to_panel):
                vectors = width if f - panel * width > lanes else lanes
                for i in range(I):
                    for j in range(runs):
                        of = base + (i * d * row + j * e * column + group * c) * size
                        k = ((group * panels + panel) * I + i) * J * c + j * c
                        total = sums + k * width * size
                        across(
                            zero, vectors, of, t * column, offsets, given + panel * width * size,
                            g_row, g_column, total, width, total, width, Q, rows, vectors,
                            rows_of_sums,
                        )  # fmt: skip


@jit
def finish(zero, sums, c, f, taps, width, to, first, last, scratch):
    """to[f, c, taps] = sums[group, panel, taps, c, width] for the panels first to last."""
    size = size_of(zero)
    panels = (f + width - 1) // width
    for panel in range(first, last):
        of = sums + panel * taps * c * width * size
        for t in range(taps):
            for k in range(c):
                move(
                    scratch + (k * taps + t) * width * size, of + (t * c + k) * width * size,
                    width * size,
                )  # fmt: skip
        group, k = divmod(panel, panels)
        k *= width
        transpose(
            zero, to + (group * f + k) * c * taps * size, c * taps, scratch, width, c * taps,
            min(f - k, width),
        )  # fmt: skip
