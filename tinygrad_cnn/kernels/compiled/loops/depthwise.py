"""Convolution with one channel and one filter a group: vectors of channels, no product.

x is read in place, and of each window only the taps that are inside: nothing is padded. A pixel
in several windows of a row is loaded once for all of them, so that arithmetic is the limit and not
loads. If channels are not innermost, or fill no whole vectors, x is first copied into that layout,
a few rows at a time.

The gradient of the filters w̄[i, j] = Σ_pq g[p, q] x[p·s + i·d, q·t + j·e] keeps the sums of nine
taps in registers.

The windows of an image are cut into ranges of rows and of columns that have the same taps in x: one
large range inside, and windows one by one at the borders (`_range_from`).
"""

from functools import partial

from ..code import emit
from ..jit import jit, part
from ..machine import CACHE_LINE_BYTES
from ..scalars import get_integer, lanes_of, size_of
from ..tuning import DEPTHWISE_PIXELS as TOGETHER
from .patch import fill_patch, strip_of, taps_inside

PHASE_FIELDS = 16  # integers of a phase, see `forward`
# (I, J, stride of the windows) with special code: 3 × 3, and the parts of it at a border or
# in a phase of the input's gradient.
SHAPES = (3, 3, 1), (3, 3, 2), (2, 3, 1), (3, 2, 1), (2, 2, 1), (1, 2, 1), (2, 1, 1), (1, 1, 1)


# --- Vectors of channels --------------------------------------------------------------------------


def _shared_cells(count, step, taps):
    """(cell k of a row, [(q, j), ..]) for `count` windows: cell k is under tap j of window q."""
    for k in range((count - 1) * step + taps):
        uses = [(q, k - q * step) for q in range(count) if 0 <= k - q * step < taps]
        if uses:
            yield k, uses


def _pixels(count):
    """y[q] = bias + Σ_ij w[i, j] x[q, i, j] for groups of `count` pixels q, vectors of channels."""

    @emit
    def emitted(
        code, x, x_down, x_row, x_column, w, w_row, w_column, down, along, step, apart, bias, y,
        y_down, y_step, rows, groups, n,
    ):  # fmt: skip
        """Windows of `down` × `along` taps, `apart` in a row, that are `step` columns apart."""

        def each_group(add, step):
            """For each group: bias, what `add` adds to the sums, and out."""
            first = code.load(bias)
            further = code.times(code.times(count, x_column), step)
            of_x = x, code.bytes_of(x_down), code.bytes_of(further)
            of_y = y, code.bytes_of(y_down), code.bytes_of(code.times(count, y_step))
            with code.grid(rows, groups, of_x, of_y) as (of, to):
                sums = [code.variable(first) for _ in range(count)]
                add(sums, of)
                code.masked(n, partial(write, sums, to))

        def write(sums, to, mask):
            for q, one in enumerate(sums):
                code.store(code.get(one), code.at(to, code.times(q, y_step)), mask)

        def of_shape(I, J, s):
            """Taps stay in registers, and a cell is loaded once for all windows of the group."""
            factors = {
                (i, j): code.load(code.at(w, code.times(i, w_row), code.times(j, w_column)))
                for i in range(I)
                for j in range(J)
            }

            def add(sums, of):
                for i in range(I):
                    for k, uses in _shared_cells(count, s, J):
                        place = code.at(of, code.times(i, x_row), code.times(k, x_column))
                        value = code.load(place)
                        for q, j in uses:
                            code.accumulate(sums[q], value, factors[i, j])

            each_group(add, s if count > 1 else step)

        def of_any_shape():
            def add(sums, of):
                of_x = of, code.bytes_of(x_row), code.bytes_of(code.times(x_column, apart))
                of_w = w, code.bytes_of(w_row), code.bytes_of(w_column)
                with code.grid(down, along, of_x, of_w) as (x_j, w_j):
                    factor = code.load(w_j)
                    for q, one in enumerate(sums):
                        of_q = code.at(x_j, code.times(code.times(q, x_column), step))
                        code.accumulate(one, code.load(of_q), factor)

            each_group(add, step)

        def choose(shapes):
            if not shapes:
                return of_any_shape()
            I, J, s = shapes[0]
            fits = code.all(
                code.same(down, I), code.same(along, J),
                *([code.same(step, s)] if count > 1 else []),
                *([code.same(apart, 1)] if J > 1 else []),
            )  # fmt: skip
            with code.either(fits) as (yes, no):
                with yes:
                    of_shape(*shapes[0])
                with no:
                    choose(shapes[1:])

        choose(SHAPES if count > 1 else [shape for shape in SHAPES if shape[2] == 1])

    return emitted


_some, _single = _pixels(TOGETHER), _pixels(1)


def _taps(down, along, pixels=1, step=0):
    """sums[i, j] += Σ_pq g[p, q] x[p, q, i, j] for `down` × `along` taps, vectors of channels.

    `columns` groups of `pixels` windows q, each `step` columns from the next. Groups are x_group
    and g_group apart.
    """

    @emit
    def emitted(
        code, x, x_row, x_group, x_i, x_j, g, g_row, g_group, g_step, rows, columns, to, to_i, to_j
    ):
        places = [(i, j) for i in range(down) for j in range(along)]
        at = {(i, j): code.at(to, code.times(i, to_i), code.times(j, to_j)) for i, j in places}
        sums = {place: code.variable(code.load(at[place])) for place in places}
        of_x = x, code.bytes_of(x_row), code.bytes_of(x_group)
        of_g = g, code.bytes_of(g_row), code.bytes_of(g_group)
        with code.grid(rows, columns, of_x, of_g) as (x_q, g_q):
            given = [code.load(code.at(g_q, code.times(q, g_step))) for q in range(pixels)]
            for i in range(down):
                for k, uses in _shared_cells(pixels, step, along):
                    value = code.load(code.at(x_q, code.times(i, x_i), code.times(k, x_j)))
                    for q, j in uses:
                        code.accumulate(sums[i, j], given[q], value)
        for place in places:
            code.store(code.get(sums[place]), at[place])

    return emitted


_four, _four_apart = _taps(3, 3, TOGETHER, 1), _taps(3, 3, TOGETHER, 2)
_nine, _row_of_three, _column_of_three, _one = _taps(3, 3), _taps(1, 3), _taps(3, 1), _taps(1, 1)


def _prefetching(write):
    """Ask for cache lines. A vector of channels steps from pixel to pixel over the others, which no
    prefetcher of a processor follows well.
    """

    @emit
    def emitted(code, at, lines):
        with code.loop(lines, (at, CACHE_LINE_BYTES)) as (line,):
            code.prefetch(line, write)

    return emitted


_prefetch, _prefetch_to_write = _prefetching(False), _prefetching(True)


# --- Ranges of windows --------------------------------------------------------------------------


@part
def _inside(stride, before, dilation, taps, length, windows):
    """(first, one after the last) of the windows that have all taps in x."""
    first = min(max(0, (before + stride - 1) // stride), windows)
    last = (length - 1 + before - (taps - 1) * dilation) // stride + 1
    return first, max(first, min(windows, last))


@part
def _range_from(p, end, first, last, stride, before, dilation, taps, length):
    """(count, first tap, one after the last tap): the windows from p on, up to `end`, that have the
    same taps in x. `first` and `last` are of `_inside`.
    """
    count = min(end, last) - p if first <= p < last else 1
    i0, i1 = taps_inside(p, stride, before, dilation, taps, length)
    return count, i0, i1


# --- Forward, and the gradient of the input -------------------------------------------------------


@part
def _run(
    zero, x, x_down, x_row, x_column, w, w_row, w_column, down, along, step, apart, bias, y,
    y_down, y_step, rows, columns, n,
):  # fmt: skip
    """`_pixels` for any number of columns. The last group may compute some of them twice."""
    size = size_of(zero)
    if columns < TOGETHER:
        _single(
            zero, x, x_down, x_row, x_column, w, w_row, w_column, down, along, step, apart, bias, y,
            y_down, y_step, rows, columns, n,
        )  # fmt: skip
        return
    groups, q = columns // TOGETHER, 0
    while True:
        _some(
            zero, x + q * step * x_column * size, x_down, x_row, x_column, w, w_row, w_column,
            down, along, step, apart, bias, y + q * y_step * size, y_down, y_step, rows, groups, n,
        )  # fmt: skip
        if q + groups * TOGETHER == columns:
            return
        groups, q = 1, columns - TOGETHER


@part
def _strip_of_phase(
    zero, base, row, column, H, W, C, w, bias, y, phase, p0, p1
):  # fmt: skip
    """The rows p0 to p1 of a phase of y; see `forward`. `base` is the cell (0, 0) of x."""
    size, lanes = size_of(zero), lanes_of(zero)
    of, yp, yq = get_integer(phase), get_integer(phase + 8), get_integer(phase + 16)
    Q, s, t = get_integer(phase + 32), get_integer(phase + 40), get_integer(phase + 48)
    d, e = get_integer(phase + 56), get_integer(phase + 64)
    top, left = get_integer(phase + 72), get_integer(phase + 80)
    I, J, tap = get_integer(phase + 88), get_integer(phase + 96), get_integer(phase + 104)
    w_row, w_column = get_integer(phase + 112), get_integer(phase + 120)
    pa, pb = _inside(s, top, d, I, H, get_integer(phase + 24))
    qa, qb = _inside(t, left, e, J, W, Q)
    for c in range(0, C, lanes):
        p = p0
        while p < p1:
            rows, i0, i1 = _range_from(p, p1, pa, pb, s, top, d, I, H)
            q = 0
            while q < Q:
                columns, j0, j1 = _range_from(q, Q, qa, qb, t, left, e, J, W)
                cell = (p * s - top + i0 * d) * row + (q * t - left + j0 * e) * column
                _run(
                    zero, base + (cell + c) * size, s * row, d * row, column,
                    w + (tap + i0 * w_row + j0 * w_column + c) * size, w_row, w_column, i1 - i0,
                    j1 - j0, t, e, bias + c * size, y + (of + p * yp + q * yq + c) * size, yp, yq,
                    rows, columns, C - c,
                )  # fmt: skip
                q += columns
            p += rows


@jit
def forward(
    zero, x, y, w, bias, phases, sn, sc, sh, sw, C, H, W, in_place, lowest, reach, stride, count,
    yn, strips, strip, first, last, scratch,
):  # fmt: skip
    """The strips first to last of y, counted over n, p: `strip` rows of each phase.

    A phase is a convolution of x with some taps, which makes some cells of y. Its 16 integers at
    `phases` are: the first cell of y and the strides yp, yq; P, Q; s, t; d, e; top, left; I, J;
    the first tap and the strides of taps. `lowest` and `reach` are the first row of x that the
    first window of any phase holds, and the one after the last. `in_place` says that channels are
    innermost and fill whole vectors.
    """
    size, lanes = size_of(zero), lanes_of(zero)
    wide = (C + lanes - 1) // lanes * lanes
    for unit in range(first, last):
        n, p0 = divmod(unit, strips)
        p0 *= strip
        base, row, column = x + n * sn * size, sh, sw  # of the cell (0, 0)
        of_image = y + n * yn * size
        low, high = max(p0 * stride + lowest, 0), min((p0 + strip - 1) * stride + reach, H)
        if in_place:
            _prefetch(
                zero, base + low * row * size, max(high - low, 0) * row * size // CACHE_LINE_BYTES
            )
            of_y, rows_of_y = get_integer(phases + 8), min(strip, get_integer(phases + 24) - p0)
            lines = max(rows_of_y, 0) * of_y * size // CACHE_LINE_BYTES
            _prefetch_to_write(zero, of_image + p0 * of_y * size, lines)
        else:
            fill_patch(
                zero, base, sc, sh, sw, C, H, W, scratch, wide, low, max(high - low, 0), 0, W
            )
            row, column = W * wide, wide
            base = scratch - low * row * size
        for k in range(count):
            phase = phases + 8 * PHASE_FIELDS * k
            p1 = min(p0 + strip, get_integer(phase + 24))
            _strip_of_phase(
                zero, base, row, column, H, W, C, w, bias, of_image, phase, p0, p1
            )  # fmt: skip


# --- The gradient of the filters ------------------------------------------------------------------


@part
def _block(
    zero, x, x_row, x_column, s, t, d, e, I, J, g, g_row, g_column, rows, columns, to, to_i, to_j
):  # fmt: skip
    """sums[i, j] += Σ_pq g[p, q] x[p·s + i·d, q·t + j·e] for a range of windows and of taps.

    A vector of channels. Taps go 3 × 3 at a time, then 1 × 3, 3 × 1 and one by one.
    """
    size = size_of(zero)
    down, step, x_i, x_j, i = s * x_row, t * x_column, d * x_row, e * x_column, 0
    while i < I:
        three, j = I - i >= 3, 0
        while j < J:
            of, sums = x + (i * x_i + j * x_j) * size, to + (i * to_i + j * to_j) * size
            given, rest = g, columns
            if three and J - j >= 3 and e == 1 and t <= 2 and columns >= TOGETHER:
                groups = columns // TOGETHER
                done = groups * TOGETHER
                of_four = (
                    down, TOGETHER * step, x_i, x_j, g, g_row, TOGETHER * g_column, g_column, rows,
                    groups, sums, to_i, to_j,
                )  # fmt: skip
                if t == 1:
                    _four(zero, of, *of_four)
                else:
                    _four_apart(zero, of, *of_four)
                of, given = of + done * step * size, g + done * g_column * size
                rest -= done
            others = down, step, x_i, x_j, given, g_row, g_column, 0, rows, rest, sums, to_i, to_j
            if J - j >= 3:
                if not three:
                    _row_of_three(zero, of, *others)
                elif rest:
                    _nine(zero, of, *others)
                j += 3
            else:
                if three:
                    _column_of_three(zero, of, *others)
                else:
                    _one(zero, of, *others)
                j += 1
        i += 3 if three else 1


@jit
def weight(
    zero, x, sn, sc, sh, sw, C, H, W, in_place, top, left, s, t, d, e, I, J, g, gn, gc, gh, gw,
    g_in_place, P, Q, strip, sums, first, last, scratch,
):  # fmt: skip
    """sums (I·J, wide) += the terms of the strips first to last of g, counted over n, p."""
    size, lanes = size_of(zero), lanes_of(zero)
    wide = (C + lanes - 1) // lanes * lanes
    pa, pb = _inside(s, top, d, I, H, P)
    qa, qb = _inside(t, left, e, J, W, Q)
    for unit in range(first, last):
        n, p0, rows_of_g = strip_of(unit, P, strip)
        p1 = p0 + rows_of_g
        base, row, column, memory = x + n * sn * size, sh, sw, scratch  # of the cell (0, 0)
        low = max(p0 * s - top, 0)
        many = max(min((p1 - 1) * s + (I - 1) * d + 1 - top, H) - low, 0)
        if in_place:
            _prefetch(zero, base + low * row * size, many * row * size // CACHE_LINE_BYTES)
        else:
            fill_patch(zero, base, sc, sh, sw, C, H, W, memory, wide, low, many, 0, W)
            row, column = W * wide, wide
            base = memory - low * row * size
            memory += many * row * size
        given, g_row, g_column = g + (n * gn + p0 * gh) * size, gh, gw
        if g_in_place:
            _prefetch(zero, given, rows_of_g * g_row * size // CACHE_LINE_BYTES)
        else:
            fill_patch(
                zero, given, gc, gh, gw, C, rows_of_g, Q, memory, wide, 0, rows_of_g, 0, Q
            )  # fmt: skip
            given, g_row, g_column = memory, Q * wide, wide
        for c in range(0, C, lanes):
            p = p0
            while p < p1:
                rows, i0, i1 = _range_from(p, p1, pa, pb, s, top, d, I, H)
                q = 0
                while q < Q:
                    columns, j0, j1 = _range_from(q, Q, qa, qb, t, left, e, J, W)
                    if i0 < i1 and j0 < j1:
                        cell = (p * s - top + i0 * d) * row + (q * t - left + j0 * e) * column
                        _block(
                            zero, base + (cell + c) * size, row, column, s, t, d, e, i1 - i0,
                            j1 - j0, given + ((p - p0) * g_row + q * g_column + c) * size, g_row,
                            g_column, rows, columns, sums + ((i0 * J + j0) * wide + c) * size,
                            J * wide, wide,
                        )  # fmt: skip
                    q += columns
                p += rows
