"""Packing: images into rows, columns, channels with a border of zeros, and filters into panels."""

from ..code import emit
from ..jit import part
from ..scalars import clear, get, lanes_of, move, put, size_of


@emit
def _transpose(code, to, to_row, of, of_row):
    """to[k, r] = of[r, k] for k and r below the lanes of a vector."""
    rows = [code.load(code.at(of, code.times(r, of_row))) for r in range(code.lanes)]
    for k, column in enumerate(code.transpose(rows)):
        code.store(column, code.at(to, code.times(k, to_row)))


@emit
def _transpose_some(code, to, to_row, of, of_row, columns):
    """The same for the first columns k alone."""
    mask = code.mask(columns)
    rows = [code.load(code.at(of, code.times(r, of_row)), mask) for r in range(code.lanes)]
    for k, column in enumerate(code.transpose(rows)):
        with code.when(code.less(k, columns)):
            code.store(column, code.at(to, code.times(k, to_row)))


@part
def transpose(zero, to, to_row, of, of_row, rows, columns):
    """to[k, r] = of[r, k] for r < rows and k < columns. The last axis of each is contiguous."""
    size, lanes = size_of(zero), lanes_of(zero)
    whole = rows - rows % lanes
    for r in range(0, whole, lanes):
        k = 0
        while k + lanes <= columns:
            _transpose(
                zero, to + (k * to_row + r) * size, to_row, of + (r * of_row + k) * size, of_row
            )
            k += lanes
        if k < columns:
            _transpose_some(
                zero, to + (k * to_row + r) * size, to_row, of + (r * of_row + k) * size, of_row,
                columns - k,
            )  # fmt: skip
    for r in range(whole, rows):
        for k in range(columns):
            put(get(zero, of + (r * of_row + k) * size), to + (k * to_row + r) * size)


@part
def strip_of(unit, length, strip):
    """(image, first row, rows) of a unit of work: a strip of rows of an image of that length."""
    n, p = divmod(unit, (length + strip - 1) // strip)
    p *= strip
    return n, p, min(strip, length - p)


@part
def taps_inside(p, s, before, d, taps, length):
    """(first, one after the last) of the taps of window p that stand in x."""
    start = p * s - before
    first = 0 if start >= 0 else (-start + d - 1) // d
    last = min(taps, (length - 1 - start) // d + 1) if start < length else 0
    return first, max(first, last)


@part
def fill_patch(zero, x, sc, sh, sw, C, H, W, to, wide, top, rows, left, columns):
    """to[h, v, c] = x[c, h + top, v + left], 0 outside of x: (rows, columns, wide), wide ≥ C."""
    size = size_of(zero)
    first, last = min(max(-left, 0), columns), max(min(W - left, columns), 0)
    inside = last - first
    for h in range(rows):
        row = to + h * columns * wide * size
        if not 0 <= h + top < H or inside <= 0:
            clear(row, columns * wide * size)
            continue
        if wide != C:
            clear(row, columns * wide * size)
        else:
            clear(row, first * wide * size)
            clear(row + last * wide * size, (columns - last) * wide * size)
        row += first * wide * size
        of = x + ((h + top) * sh + (first + left) * sw) * size
        if sc == 1 and sw == C == wide:
            move(row, of, inside * C * size)
        elif sc == 1:
            for v in range(inside):
                move(row + v * wide * size, of + v * sw * size, C * size)
        elif sw == 1:
            transpose(zero, row, wide, of, sc, C, inside)
        else:
            for v in range(inside):
                for c in range(C):
                    put(get(zero, of + (v * sw + c * sc) * size), row + (v * wide + c) * size)


@part
def fill_panel(zero, w, sf, sc, st, taps, C, filters, to, width):
    """to[t, c, k] = w[k, c, t] for k < filters, 0 up to the width of the panel."""
    size = size_of(zero)
    if filters < width:
        clear(to, taps * C * width * size)
    row = C * width
    for c in range(C):
        out, of = to + c * width * size, w + c * sc * size
        if st == 1:
            transpose(zero, out, row, of, sf, filters, taps)
        elif st == -1:  # from the last to the first
            last = taps - 1
            transpose(zero, out + last * row * size, -row, of - last * size, sf, filters, taps)
        else:
            for t in range(taps):
                for k in range(filters):
                    put(get(zero, of + (k * sf + t * st) * size), out + (t * row + k) * size)
