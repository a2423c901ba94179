"""Convolution of many images with few channels and filters: vectors of images.

With images innermost in memory (C H W N), a pixel of one channel is a run of N numbers, and
y[f, n] = b[f] + Σ_cij w[f, c, i, j] x[c, i, j, n] for the window of a pixel: for each tap a few vectors
of images are read and serve all filters of a tile, whose sums stay in registers. Only the taps that
lie in x are gone through: nothing is padded.

The gradient of the filters w̄[f, c, i, j] = Σ_pqn g[f, p, q, n] x[c, p s + i d, q t + j e, n] is the sum of
a vector of images in the end; a tile is of filters and of taps of a row. There x has zeros around.
"""

from ._jit import jit, part
from ._patch import fill_patch
from ._pool import taps_inside
from ._vectors import REGISTERS, emit, lanes_of, size_of

WIDE = 4 if REGISTERS == 32 else 2  # vectors of images of a tile of up to six filters


def _pixel(rows, vectors):
    """y[r, n] = bias[r] + Σ_cij w[c, i, j, r] x[c, i, j, n] for so many filters r and vectors of n."""

    @emit
    def emitted(
        code, x, x_plane, x_row, x_column, w, w_plane, w_row, bias, channels, down, along, y, y_plane,
        n,
    ):  # fmt: skip
        sums = [[code.variable() for _ in range(vectors)] for _ in range(rows)]
        for r, of_row in enumerate(sums):
            first = code.broadcast(code.at(bias, r))
            for one in of_row:
                code.set(one, first)
        with code.loop(channels, x, w) as planes:
            x_c, w_c = planes.values
            with code.loop(down, x_c, w_c) as lines:
                x_i, w_i = lines.values
                with code.loop(along, x_i, w_i) as taps:
                    x_j, w_j = taps.values
                    values = [code.load(code.at(x_j, v * code.lanes)) for v in range(vectors)]
                    for r, of_row in enumerate(sums):
                        factor = code.broadcast(code.at(w_j, r))
                        for value, one in zip(values, of_row, strict=True):
                            code.set(one, code.add_product(value, factor, code.get(one)))
                    taps.next(code.at(x_j, x_column), code.at(w_j, rows))
                lines.next(code.at(x_i, x_row), code.at(w_i, w_row))
            planes.next(code.at(x_c, x_plane), code.at(w_c, w_plane))

        def write(mask):
            for r, of_row in enumerate(sums):
                for v, one in enumerate(of_row):
                    to = code.at(y, code.times(r, y_plane), v * code.lanes)
                    code.store_some(code.get(one), to, mask)

        if vectors == 1:
            code.masked(n, write)
        else:
            write(None)

    return emitted


def _pixels(vectors):
    """`_pixel` for any number of filters, of the taps first to first + down, first to first + along.

    w holds tiles of 6, 4, 2 or 1 filters, each [c, i, j, filter].
    """
    six, four, two, one = (_pixel(rows, vectors) for rows in (6, 4, 2, 1))

    @part
    def pixels(
        zero, x, x_plane, x_row, x_column, w, I, J, skipped, bias, filters, channels, down, along, y,
        y_plane, n,
    ):  # fmt: skip
        size, taps = size_of(zero), I * J
        while filters:
            rows = 6 if filters >= 6 else 4 if filters >= 4 else 2 if filters >= 2 else 1
            of, plane, row = w + skipped * rows * size, taps * rows, J * rows
            if rows == 6:
                six(
                    zero, x, x_plane, x_row, x_column, of, plane, row, bias, channels, down, along, y,
                    y_plane, n,
                )  # fmt: skip
            elif rows == 4:
                four(
                    zero, x, x_plane, x_row, x_column, of, plane, row, bias, channels, down, along, y,
                    y_plane, n,
                )  # fmt: skip
            elif rows == 2:
                two(
                    zero, x, x_plane, x_row, x_column, of, plane, row, bias, channels, down, along, y,
                    y_plane, n,
                )  # fmt: skip
            else:
                one(
                    zero, x, x_plane, x_row, x_column, of, plane, row, bias, channels, down, along, y,
                    y_plane, n,
                )  # fmt: skip
            w, y = w + channels * plane * size, y + rows * y_plane * size
            bias, filters = bias + rows * size, filters - rows

    return pixels


_wide, _narrow = _pixels(WIDE), _pixels(1)


@part
def _bring(
    zero, x, sn, sc, sh, sw, n, C, H, W, to, wide, top, rows, left, columns
):  # fmt: skip
    """to[c, h, v, n] = x[n, c, h + top, v + left], 0 outside of x and for n up to `wide`."""
    size = size_of(zero)
    for c in range(C):
        fill_patch(
            zero, x + c * sc * size, sn, sh, sw, n, H, W, to + c * rows * columns * wide * size, wide,
            top, rows, left, columns,
        )  # fmt: skip


@jit
def forward(
    zero, x, sn, sc, sh, sw, N, C, H, W, top, left, s, t, d, e, I, J, bare, w, bias, F, y, yf, yp, yq,
    P, Q, deep, strip, first, last, scratch,
):  # fmt: skip
    """The units first to last of y, images innermost: strips of rows of up to `deep` images.

    `bare` says that images are innermost in x too, and N is a multiple of a vector's lanes.
    """
    size, lanes = size_of(zero), lanes_of(zero)
    strips = (P + strip - 1) // strip
    for unit in range(first, last):
        k, p = divmod(unit, strips)
        k, p = k * deep, p * strip
        n, rows = min(deep, N - k), min(strip, P - p)
        base, plane, row, column = x + k * size, sc, sh, sw
        above = 0
        if not bare:
            column = (n + lanes - 1) // lanes * lanes
            row, above, high = W * column, p * s - top, (rows - 1) * s + (I - 1) * d + 1
            plane, base = high * row, scratch
            _bring(
                zero, x + k * sn * size, sn, sc, sh, sw, n, C, H, W, base, column, above, high, 0, W
            )
        for h in range(p, p + rows):
            i0, i1 = taps_inside(h, s, top, d, I, H)
            for q in range(Q):
                j0, j1 = taps_inside(q, t, left, e, J, W)
                of = (
                    base
                    + ((h * s - top + i0 * d - above) * row + (q * t - left + j0 * e) * column)
                    * size
                )
                to = y + (k + h * yp + q * yq) * size
                m = n
                while m >= WIDE * lanes:
                    _wide(
                        zero, of, plane, d * row, e * column, w, I, J, i0 * J + j0, bias, F, C, i1 - i0,
                        j1 - j0, to, yf, m,
                    )  # fmt: skip
                    of, to, m = of + WIDE * lanes * size, to + WIDE * lanes * size, m - WIDE * lanes
                while m > 0:
                    _narrow(
                        zero, of, plane, d * row, e * column, w, I, J, i0 * J + j0, bias, F, C, i1 - i0,
                        j1 - j0, to, yf, m,
                    )  # fmt: skip
                    of, to, m = of + lanes * size, to + lanes * size, m - lanes


def _tap(rows, taps):
    """sums[r, t] += Σ_q g[r, q] x[t, q] for so many filters r and taps t, a vector of images each."""

    @emit
    def emitted(code, x, x_column, x_tap, g, g_plane, g_column, columns, vectors, to, to_plane):
        sums = [[code.variable() for _ in range(taps)] for _ in range(rows)]
        places = [(r, t) for r in range(rows) for t in range(taps)]
        at = {(r, t): code.at(to, code.times(r, to_plane), t * code.lanes) for r, t in places}
        for r, t in places:
            code.set(sums[r][t], code.load(at[r, t]))
        with code.loop(columns, x, g) as along:
            x_q, g_q = along.values
            with code.loop(vectors, x_q, g_q) as run:
                x_n, g_n = run.values
                values = [code.load(code.at(x_n, code.times(t, x_tap))) for t in range(taps)]
                for r, of_row in enumerate(sums):
                    given = code.load(code.at(g_n, code.times(r, g_plane)))
                    for value, one in zip(values, of_row, strict=True):
                        code.set(one, code.add_product(given, value, code.get(one)))
                run.next(code.at(x_n, code.lanes), code.at(g_n, code.lanes))
            along.next(code.at(x_q, x_column), code.at(g_q, g_column))
        for r, t in places:
            code.store(code.get(sums[r][t]), at[r, t])

    return emitted


def _taps(rows):
    """`_tap` for any number of taps."""
    five, three, one = (_tap(rows, taps) for taps in (5, 3, 1))

    @part
    def taps(
        zero, x, x_column, x_tap, g, g_plane, g_column, columns, vectors, to, to_plane, J
    ):  # fmt: skip
        size, lanes = size_of(zero), lanes_of(zero)
        while J:
            done = 5 if J >= 5 and J != 6 else 3 if J >= 3 else 1
            if done == 5:
                five(zero, x, x_column, x_tap, g, g_plane, g_column, columns, vectors, to, to_plane)
            elif done == 3:
                three(
                    zero, x, x_column, x_tap, g, g_plane, g_column, columns, vectors, to, to_plane
                )
            else:
                one(zero, x, x_column, x_tap, g, g_plane, g_column, columns, vectors, to, to_plane)
            x, to, J = x + done * x_tap * size, to + done * lanes * size, J - done

    return taps


TALL = 4 if REGISTERS == 32 else 2  # filters of a tile of up to five taps
_tall, _pair, _single = _taps(TALL), _taps(2), _taps(1)


@jit
def weight(
    zero, x, sn, sc, sh, sw, N, C, H, W, top, left, s, t, d, e, I, J, bare, g, gn, gf, gp, gq, g_bare,
    F, P, Q, deep, strip, sums, first, last, scratch,
):  # fmt: skip
    """sums[f, c, i, j, lanes] += what the units first to last give (see `forward`).

    Where x is `bare`, no window reaches out of it.
    """
    size, lanes = size_of(zero), lanes_of(zero)
    strips, columns = (P + strip - 1) // strip, (Q - 1) * t + (J - 1) * e + 1
    for unit in range(first, last):
        k, p = divmod(unit, strips)
        k, p = k * deep, p * strip
        n, rows = min(deep, N - k), min(strip, P - p)
        wide = (n + lanes - 1) // lanes * lanes
        base, plane, row, column = x + (k + (p * s - top) * sh - left * sw) * size, sc, sh, sw
        given, g_plane, g_row, g_column = g + (k + p * gp) * size, gf, gp, gq
        memory = scratch
        if not bare:
            high = (rows - 1) * s + (I - 1) * d + 1
            column, row, base = wide, columns * wide, memory
            plane = high * row
            memory += C * plane * size
            _bring(
                zero, x + k * sn * size, sn, sc, sh, sw, n, C, H, W, base, wide, p * s - top, high,
                -left, columns,
            )  # fmt: skip
        if not g_bare:
            g_column, g_row, g_plane, given = wide, Q * wide, rows * Q * wide, memory
            _bring(
                zero, g + (k * gn + p * gp) * size, gn, gf, gp, gq, n, F, rows, Q, given, wide, 0, rows,
                0, Q,
            )  # fmt: skip
        vectors, pixels = wide // lanes, Q
        if g_column == t * column == wide:
            vectors, pixels = vectors * Q, 1
        to_plane = C * I * J * lanes
        for h in range(rows):
            f = 0
            while f < F:
                filters = TALL if F - f >= TALL else 2 if F - f >= 2 else 1
                gs = given + (f * g_plane + h * g_row) * size
                for c in range(C):
                    for i in range(I):
                        of = base + (c * plane + (h * s + i * d) * row) * size
                        to = sums + (f * to_plane + (c * I + i) * J * lanes) * size
                        if filters == TALL:
                            _tall(
                                zero, of, t * column, e * column, gs, g_plane, g_column, pixels, vectors,
                                to, to_plane, J,
                            )  # fmt: skip
                        elif filters == 2:
                            _pair(
                                zero, of, t * column, e * column, gs, g_plane, g_column, pixels, vectors,
                                to, to_plane, J,
                            )  # fmt: skip
                        else:
                            _single(
                                zero, of, t * column, e * column, gs, g_plane, g_column, pixels, vectors,
                                to, to_plane, J,
                            )  # fmt: skip
                f += filters
