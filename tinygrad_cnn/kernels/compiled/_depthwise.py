"""Convolution with one channel and one filter a group: vectors of channels, no product.

x is read where it lies, and of each window only the taps that are inside: nothing is padded. A
pixel that several windows of a row hold is loaded once for all of them, so that arithmetic limits it
rather than loads. Where channels are not innermost, or fill no whole vectors, x is first brought into
that order, a few rows at a time.

The gradient of the filters w̄[i, j] = Σ_pq g[p, q] x[p s + i d, q t + j e] keeps the sums of nine
taps in registers. Windows that reach out of x are gone through apart: rows and columns of y make up
ranges in which the same taps are inside.
"""

from functools import partial

from ._jit import jit, part
from ._patch import fill_patch
from ._pool import taps_inside
from ._vectors import emit, get_integer, lanes_of, size_of

FIELDS = 16  # of a phase, see `forward`
LINE = 64  # bytes of a line of the cache
TOGETHER = 4  # pixels of a row
# (I, J, step of the windows) with code of their own: 3 × 3, and what is left of it at the border or of
# one remainder in the gradient of the input
SHAPES = (3, 3, 1), (3, 3, 2), (2, 3, 1), (3, 2, 1), (2, 2, 1), (1, 2, 1), (2, 1, 1), (1, 1, 1)


def _pixels(count):
    """y[q] = bias + Σ_ij w[i, j] x[q, i, j] for groups of so many pixels q, a vector of channels each."""

    @emit
    def emitted(
        code, x, x_down, x_row, x_column, w, w_row, w_column, down, along, step, apart, bias, y, y_down,
        y_step, rows, groups, n,
    ):  # fmt: skip
        """So many rows, of `down` × `along` taps `apart` in a row; windows are `step` columns apart."""

        def each(add, step):
            """For each group: bias, what `add` adds to the sums, and out."""
            first = code.load(bias)
            further = code.times(code.times(count, x_column), step)
            with code.loop(rows, x, y) as lines:
                with code.loop(groups, *lines.values) as loop:
                    of, to = loop.values
                    sums = [code.variable() for _ in range(count)]
                    for one in sums:
                        code.set(one, first)
                    add(sums, of)
                    code.masked(n, partial(write, sums, to))
                    loop.next(code.at(of, further), code.at(to, code.times(count, y_step)))
                of, to = lines.values
                lines.next(code.at(of, x_down), code.at(to, y_down))

        def write(sums, to, mask):
            for q, one in enumerate(sums):
                code.store_some(code.get(one), code.at(to, code.times(q, y_step)), mask)

        def of_shape(I, J, s):
            """The taps in registers, a cell loaded once for all windows of the group."""
            places = [(i, j) for i in range(I) for j in range(J)]
            factors = {
                (i, j): code.load(code.at(w, code.times(i, w_row), code.times(j, w_column)))
                for i, j in places
            }

            def add(sums, of):
                for i in range(I):
                    for k in range((count - 1) * s + J):
                        uses = [(q, k - q * s) for q in range(count) if 0 <= k - q * s < J]
                        if uses:
                            value = code.load(
                                code.at(of, code.times(i, x_row), code.times(k, x_column))
                            )
                        for q, j in uses:
                            one = code.add_product(value, factors[i, j], code.get(sums[q]))
                            code.set(sums[q], one)

            each(add, s if count > 1 else step)

        def of_any(step):
            def add(sums, of):
                with code.loop(down, of, w) as filters:
                    x_i, w_i = filters.values
                    with code.loop(along, x_i, w_i) as taps:
                        x_j, w_j = taps.values
                        factor = code.load(w_j)
                        for q, one in enumerate(sums):
                            of_q = code.at(x_j, code.times(code.times(q, x_column), step))
                            code.set(one, code.add_product(code.load(of_q), factor, code.get(one)))
                        taps.next(code.at(x_j, code.times(x_column, apart)), code.at(w_j, w_column))
                    filters.next(code.at(x_i, x_row), code.at(w_i, w_row))

            each(add, step)

        def choose(shapes):
            if not shapes:
                return of_any(step)
            I, J, s = shapes[0]
            fits = code.all(
                code.equal(down, code.integer(I)), code.equal(along, code.integer(J)),
                *([code.equal(step, code.integer(s))] if count > 1 else []),
                *([code.equal(apart, code.integer(1))] if J > 1 else []),
            )  # fmt: skip
            with code.either(fits) as (yes, no):
                with yes:
                    of_shape(*shapes[0])
                with no:
                    choose(shapes[1:])

        choose(SHAPES if count > 1 else [shape for shape in SHAPES if shape[2] == 1])

    return emitted


_some, _single = _pixels(TOGETHER), _pixels(1)


def _asking(write):
    """Emits a request for so many lines of the cache.

    A vector of channels steps from pixel to pixel over the others, which no prefetcher follows well.
    """

    @emit
    def emitted(code, at, lines):
        with code.loop(lines, at) as loop:
            (now,) = loop.values
            code.prefetch(now, write)
            loop.next(code.sum(now, LINE))

    return emitted


_ask, _ask_to_write = _asking(False), _asking(True)


@part
def _run(
    zero, x, x_down, x_row, x_column, w, w_row, w_column, down, along, step, apart, bias, y, y_down, y_step,
    rows, columns, n,
):  # fmt: skip
    """`_pixels` for so many columns; the last are computed twice, if need be."""
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
            zero, x + q * step * x_column * size, x_down, x_row, x_column, w, w_row, w_column, down, along,
            step, apart, bias, y + q * y_step * size, y_down, y_step, rows, groups, n,
        )  # fmt: skip
        if q + groups * TOGETHER == columns:
            return
        groups, q = 1, columns - TOGETHER


@part
def inside(stride, before, dilation, taps, H, P):
    """(first, one after the last) of the P windows that have all taps in x."""
    first = min(max(0, (before + stride - 1) // stride), P)
    return first, max(first, min(P, (H - 1 + before - (taps - 1) * dilation) // stride + 1))


@jit
def forward(
    zero, x, y, w, bias, phases, sn, sc, sh, sw, C, H, W, bare, lowest, reach, stride, count, yn, strips,
    strip, first, last, scratch,
):  # fmt: skip
    """The strips first to last of y, counted over n, p: so many rows of each phase.

    A phase is a convolution of x with some taps, which makes some cells of y: 16 integers at `phases`,
    the first of the cells and their strides yp, yq, P, Q, the strides, dilations and origins of its
    windows, I, J, the first of the taps and their strides. `lowest` and `reach` are the first row of x
    that the first window of any phase holds, and the one after the last. `bare` says that channels
    are innermost and fill whole vectors.
    """
    size, lanes = size_of(zero), lanes_of(zero)
    wide = (C + lanes - 1) // lanes * lanes
    for unit in range(first, last):
        n, p0 = divmod(unit, strips)
        p0 *= strip
        base, row, column = x + n * sn * size, sh, sw  # of the cell (0, 0)
        low, high = max(p0 * stride + lowest, 0), min((p0 + strip - 1) * stride + reach, H)
        if bare:
            _ask(zero, base + low * row * size, max(high - low, 0) * row * size // LINE)
            of_y, rows_of_y = get_integer(phases + 8), min(strip, get_integer(phases + 24) - p0)
            _ask_to_write(
                zero, y + (n * yn + p0 * of_y) * size, max(rows_of_y, 0) * of_y * size // LINE
            )  # fmt: skip
        else:
            fill_patch(
                zero, base, sc, sh, sw, C, H, W, scratch, wide, low, max(high - low, 0), 0, W
            )
            row, column = W * wide, wide
            base = scratch - low * row * size
        for k in range(count):
            at = phases + 8 * FIELDS * k
            of, yp, yq = get_integer(at), get_integer(at + 8), get_integer(at + 16)
            P, Q, s, t = (
                get_integer(at + 24), get_integer(at + 32), get_integer(at + 40), get_integer(at + 48)
            )  # fmt: skip
            d, e, top, left = (
                get_integer(at + 56), get_integer(at + 64), get_integer(at + 72), get_integer(at + 80)
            )  # fmt: skip
            I, J, tap = get_integer(at + 88), get_integer(at + 96), get_integer(at + 104)
            w_row, w_column = get_integer(at + 112), get_integer(at + 120)
            qa, qb = inside(t, left, e, J, W, Q)
            pa, pb = inside(s, top, d, I, H, P)
            p1 = min(p0 + strip, P)
            for c in range(0, C, lanes):
                p = p0
                while p < p1:
                    rows = min(p1, pb) - p if pa <= p < pb else 1
                    i0, i1 = taps_inside(p, s, top, d, I, H)
                    q = 0
                    while q < Q:
                        columns = qb - qa if q == qa and qa < qb else 1
                        j0, j1 = taps_inside(q, t, left, e, J, W)
                        _run(
                            zero,
                            base + ((p * s - top + i0 * d) * row + (q * t - left + j0 * e) * column + c)
                            * size,
                            s * row, d * row, column, w + (tap + i0 * w_row + j0 * w_column + c) * size, w_row,
                            w_column, i1 - i0, j1 - j0, t, e, bias + c * size,
                            y + (of + n * yn + p * yp + q * yq + c) * size, yp, yq, rows, columns, C - c,
                        )  # fmt: skip
                        q += columns
                    p += rows


def _taps(down, along, pixels=1, step=0):
    """sums[i, j] += Σ_pq g[p, q] x[p, q, i, j] for so many taps, a vector of channels each.

    `columns` groups of so many pixels q, each `step` columns from the next; groups are apart by
    x_group and g_group.
    """

    @emit
    def emitted(
        code, x, x_row, x_group, x_i, x_j, g, g_row, g_group, g_step, rows, columns, to, to_i, to_j
    ):
        places = [(i, j) for i in range(down) for j in range(along)]
        sums = {place: code.variable() for place in places}
        at = {(i, j): code.at(to, code.times(i, to_i), code.times(j, to_j)) for i, j in places}
        for place in places:
            code.set(sums[place], code.load(at[place]))
        with code.loop(rows, x, g) as lines:
            with code.loop(columns, *lines.values) as groups:
                x_q, g_q = groups.values
                given = [code.load(code.at(g_q, code.times(q, g_step))) for q in range(pixels)]
                for i in range(down):
                    for k in range((pixels - 1) * step + along):
                        uses = [
                            (q, k - q * step) for q in range(pixels) if 0 <= k - q * step < along
                        ]
                        if uses:
                            value = code.load(code.at(x_q, code.times(i, x_i), code.times(k, x_j)))
                        for q, j in uses:
                            one = sums[i, j]
                            code.set(one, code.add_product(given[q], value, code.get(one)))
                groups.next(code.at(x_q, x_group), code.at(g_q, g_group))
            x_p, g_p = lines.values
            lines.next(code.at(x_p, x_row), code.at(g_p, g_row))
        for place in places:
            code.store(code.get(sums[place]), at[place])

    return emitted


_four, _four_apart = _taps(3, 3, TOGETHER, 1), _taps(3, 3, TOGETHER, 2)
_nine, _row_of_three, _column_of_three, _one = _taps(3, 3), _taps(1, 3), _taps(3, 1), _taps(1, 1)


@part
def _block(
    zero, x, x_row, x_column, s, t, d, e, I, J, g, g_row, g_column, rows, columns, to, to_i, to_j
):  # fmt: skip
    """sums[i, j] += Σ_pq g[p, q] x[p s + i d, q t + j e] for a range of windows and of taps.

    A vector of channels.
    """
    size = size_of(zero)
    down, step, x_i, x_j, i = s * x_row, t * x_column, d * x_row, e * x_column, 0
    while i < I:
        three, j = I - i >= 3, 0
        while j < J:
            of, sums = x + (i * x_i + j * x_j) * size, to + (i * to_i + j * to_j) * size
            if J - j >= 3:
                if three:
                    given, rest = g, columns
                    if e == 1 and t <= 2 and columns >= TOGETHER:
                        groups = columns // TOGETHER
                        done = groups * TOGETHER
                        if t == 1:
                            _four(
                                zero, of, down, TOGETHER * step, x_i, x_j, g, g_row,
                                TOGETHER * g_column, g_column, rows, groups, sums, to_i, to_j,
                            )  # fmt: skip
                        else:
                            _four_apart(
                                zero, of, down, TOGETHER * step, x_i, x_j, g, g_row,
                                TOGETHER * g_column, g_column, rows, groups, sums, to_i, to_j,
                            )  # fmt: skip
                        of, given = of + done * step * size, g + done * g_column * size
                        rest -= done
                    if rest:
                        _nine(
                            zero, of, down, step, x_i, x_j, given, g_row, g_column, 0, rows, rest, sums,
                            to_i, to_j,
                        )  # fmt: skip
                else:
                    _row_of_three(
                        zero, of, down, step, x_i, x_j, g, g_row, g_column, 0, rows, columns, sums, to_i,
                        to_j,
                    )  # fmt: skip
                j += 3
            else:
                if three:
                    _column_of_three(
                        zero, of, down, step, x_i, x_j, g, g_row, g_column, 0, rows, columns, sums, to_i,
                        to_j,
                    )  # fmt: skip
                else:
                    _one(
                        zero, of, down, step, x_i, x_j, g, g_row, g_column, 0, rows, columns, sums, to_i,
                        to_j,
                    )  # fmt: skip
                j += 1
        i += 3 if three else 1


@jit
def weight(
    zero, x, sn, sc, sh, sw, C, H, W, bare, top, left, s, t, d, e, I, J, g, gn, gc, gh, gw, g_bare, P, Q,
    strips, strip, sums, first, last, scratch,
):  # fmt: skip
    """sums (I J, wide) += what the strips first to last of g give, counted over n, p."""
    size, lanes = size_of(zero), lanes_of(zero)
    wide = (C + lanes - 1) // lanes * lanes
    pa, pb = inside(s, top, d, I, H, P)
    qa, qb = inside(t, left, e, J, W, Q)
    for unit in range(first, last):
        n, p0 = divmod(unit, strips)
        p0 *= strip
        p1 = min(p0 + strip, P)
        base, row, column, memory = x + n * sn * size, sh, sw, scratch  # of the cell (0, 0)
        low = max(p0 * s - top, 0)
        many = max(min((p1 - 1) * s + (I - 1) * d + 1 - top, H) - low, 0)
        if bare:
            _ask(zero, base + low * row * size, many * row * size // LINE)
        else:
            fill_patch(zero, base, sc, sh, sw, C, H, W, memory, wide, low, many, 0, W)
            row, column = W * wide, wide
            base = memory - low * row * size
            memory += many * row * size
        given, g_row, g_column = g + (n * gn + p0 * gh) * size, gh, gw
        if g_bare:
            _ask(zero, given, (p1 - p0) * g_row * size // LINE)
        else:
            fill_patch(zero, given, gc, gh, gw, C, p1 - p0, Q, memory, wide, 0, p1 - p0, 0, Q)
            given, g_row, g_column = memory, Q * wide, wide
        for c in range(0, C, lanes):
            p = p0
            while p < p1:
                rows = min(p1, pb) - p if pa <= p < pb else 1
                i0, i1 = taps_inside(p, s, top, d, I, H)
                q = 0
                while q < Q:
                    columns = qb - qa if q == qa and qa < qb else 1
                    j0, j1 = taps_inside(q, t, left, e, J, W)
                    if i0 < i1 and j0 < j1:
                        _block(
                            zero,
                            base + ((p * s - top + i0 * d) * row + (q * t - left + j0 * e) * column + c)
                            * size,
                            row, column, s, t, d, e, i1 - i0, j1 - j0,
                            given + ((p - p0) * g_row + q * g_column + c) * size, g_row, g_column, rows,
                            columns, sums + ((i0 * J + j0) * wide + c) * size, J * wide, wide,
                        )  # fmt: skip
                    q += columns
                p += rows
