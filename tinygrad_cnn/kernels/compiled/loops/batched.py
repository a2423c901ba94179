"""Convolution of many images with few channels and filters: vectors of images.

With images innermost in memory (C H W N), a pixel of one channel is a run of N numbers. For the
window of a pixel

    y[f, n] = b[f] + Σ_cij w[f, c, i, j] x[c, i, j, n]

so for each tap a few vectors of images are read and serve all filters of a tile, whose sums stay in
registers. Only the taps that stand in x are visited: nothing is padded. The gradient of the filters

    w̄[f, c, i, j] = Σ_pqn g[f, p, q, n] x[c, p·s + i·d, q·t + j·e, n]

ends in the sum of a vector of images. Its tile has filters and taps of a row; x has zeros around.
"""

from ..code import emit
from ..jit import jit, part
from ..scalars import lanes_of, size_of
from ..tuning import IMAGE_VECTORS, TAP_FILTERS
from .patch import fill_patch, strip_of, taps_inside

TILE_FILTERS = (6, 4, 2, 1)  # with four vectors of images, 10 loads serve 24 multiply-adds
TILE_TAPS = (5, 3, 1)


def _pixels(vectors):
    """y[f, n] for `filters` filters and `vectors` vectors of images.

    x is at the first tap, w at the first of all; `down` × `along` taps count, `skipped` taps
    after the first one. w holds tiles of 6, 4, 2 or 1 filters, each [c, i, j, filter].
    """

    @emit
    def emitted(
        code, x, x_plane, x_row, x_column, w, I, J, skipped, bias, filters, channels, down, along,
        y, y_plane, n,
    ):  # fmt: skip
        taps = code.times(I, J)

        def tile(rows, w, bias, y):
            sums = {}
            for r in range(rows):
                first = code.splat_at(code.at(bias, r))
                for v in range(vectors):
                    sums[r, v] = code.variable(first)
            w = code.at(w, code.times(skipped, rows))
            w_plane = code.bytes_of(code.times(taps, rows))
            with code.loop(channels, (x, code.bytes_of(x_plane)), (w, w_plane)) as (x_c, w_c):
                of_x = x_c, code.bytes_of(x_row), code.bytes_of(x_column)
                of_w = w_c, code.bytes_of(code.times(J, rows)), code.bytes_of(rows)
                with code.grid(down, along, of_x, of_w) as (x_j, w_j):
                    values = [code.load(code.at(x_j, v * code.lanes)) for v in range(vectors)]
                    for r in range(rows):
                        factor = code.splat_at(code.at(w_j, r))
                        for v, value in enumerate(values):
                            code.accumulate(sums[r, v], value, factor)

            def write(mask):
                for (r, v), one in sums.items():
                    to = code.at(y, code.times(r, y_plane), v * code.lanes)
                    code.store(code.get(one), to, mask)

            if vectors == 1:
                code.masked(n, write)
            else:
                write(None)

        left, addresses = filters, (w, bias, y)
        for rows in TILE_FILTERS:
            rounds, left = code.divided(left, rows)
            steps = code.times(code.times(channels, taps), rows), rows, code.times(y_plane, rows)
            walks = [(at, code.bytes_of(step)) for at, step in zip(addresses, steps, strict=True)]
            # after the loop, the addresses point to the remaining filters
            with code.loop(rounds, *walks) as addresses:
                tile(rows, *addresses)

    @part
    def pixels(zero, *integers):
        emitted(zero, *integers)

    return pixels


_wide, _narrow = _pixels(IMAGE_VECTORS), _pixels(1)


@part
def _pack(
    zero, x, sn, sc, sh, sw, n, C, H, W, to, wide, top, rows, left, columns
):  # fmt: skip
    """to[c, h, v, n] = x[n, c, h + top, v + left], 0 outside of x and for n up to `wide`."""
    size = size_of(zero)
    for c in range(C):
        fill_patch(
            zero, x + c * sc * size, sn, sh, sw, n, H, W, to + c * rows * columns * wide * size,
            wide, top, rows, left, columns,
        )  # fmt: skip


@jit
def forward(
    zero, x, sn, sc, sh, sw, N, C, H, W, top, left, s, t, d, e, I, J, in_place, w, bias, F, y, yf,
    yp, yq, P, Q, deep, strip, first, last, scratch,
):  # fmt: skip
    """The units first to last of y, images innermost: strips of rows of up to `deep` images.

    `in_place` says that images are innermost in x too, and N is a multiple of a vector's lanes.
    """
    size, lanes = size_of(zero), lanes_of(zero)
    for unit in range(first, last):
        k, p, rows = strip_of(unit, P, strip)
        k *= deep
        n = min(deep, N - k)
        base, plane, row, column = x + k * size, sc, sh, sw
        above = 0
        if not in_place:
            column = (n + lanes - 1) // lanes * lanes
            row, above, high = W * column, p * s - top, (rows - 1) * s + (I - 1) * d + 1
            plane, base = high * row, scratch
            _pack(
                zero, x + k * sn * size, sn, sc, sh, sw, n, C, H, W, base, column, above, high, 0, W
            )
        for h in range(p, p + rows):
            i0, i1 = taps_inside(h, s, top, d, I, H)
            for q in range(Q):
                j0, j1 = taps_inside(q, t, left, e, J, W)
                cell = (h * s - top + i0 * d - above) * row + (q * t - left + j0 * e) * column
                of, to, m = base + cell * size, y + (k + h * yp + q * yq) * size, n
                taps = (
                    plane,
                    d * row,
                    e * column,
                    w,
                    I,
                    J,
                    i0 * J + j0,
                    bias,
                    F,
                    C,
                    i1 - i0,
                    j1 - j0,
                )
                while m >= IMAGE_VECTORS * lanes:
                    _wide(zero, of, *taps, to, yf, m)
                    done = IMAGE_VECTORS * lanes
                    of, to, m = of + done * size, to + done * size, m - done
                while m > 0:
                    _narrow(zero, of, *taps, to, yf, m)
                    of, to, m = of + lanes * size, to + lanes * size, m - lanes


def _tap(rows, taps):
    """sums[r, t] += Σ_q g[r, q] x[t, q] for `rows` filters r and `taps` taps t: image vectors."""

    @emit
    def emitted(code, x, to, x_column, x_tap, g, g_plane, g_column, columns, vectors, to_plane):
        places = [(r, t) for r in range(rows) for t in range(taps)]
        at = {(r, t): code.at(to, code.times(r, to_plane), t * code.lanes) for r, t in places}
        sums = {place: code.variable(code.load(at[place])) for place in places}
        run = code.bytes_of(code.lanes)
        of_x, of_g = (x, code.bytes_of(x_column), run), (g, code.bytes_of(g_column), run)
        with code.grid(columns, vectors, of_x, of_g) as (x_n, g_n):
            values = [code.load(code.at(x_n, code.times(t, x_tap))) for t in range(taps)]
            for r in range(rows):
                given = code.load(code.at(g_n, code.times(r, g_plane)))
                for t, value in enumerate(values):
                    code.accumulate(sums[r, t], given, value)
        for place in places:
            code.store(code.get(sums[place]), at[place])

    return emitted


def _taps(rows):
    """`_tap` for any number of taps, the second argument."""
    five, three, one = (_tap(rows, taps) for taps in TILE_TAPS)

    @part
    def taps(zero, J, x, to, x_column, x_tap, *rest):
        size, lanes = size_of(zero), lanes_of(zero)
        while J:
            done = 5 if J >= 5 and J != 6 else 3 if J >= 3 else 1
            if done == 5:
                five(zero, x, to, x_column, x_tap, *rest)
            elif done == 3:
                three(zero, x, to, x_column, x_tap, *rest)
            else:
                one(zero, x, to, x_column, x_tap, *rest)
            x, to, J = x + done * x_tap * size, to + done * lanes * size, J - done

    return taps


_tall, _pair, _single = _taps(TAP_FILTERS), _taps(2), _taps(1)


@jit
def weight(
    zero, x, sn, sc, sh, sw, N, C, H, W, top, left, s, t, d, e, I, J, in_place, g, gn, gf, gp, gq,
    g_in_place, F, P, Q, deep, strip, sums, first, last, scratch,
):  # fmt: skip
    """sums[f, c, i, j, lanes] += the terms of the units first to last (see `forward`).

    If x is read `in_place`, no window reaches out of it.
    """
    size, lanes = size_of(zero), lanes_of(zero)
    columns = (Q - 1) * t + (J - 1) * e + 1
    for unit in range(first, last):
        k, p, rows = strip_of(unit, P, strip)
        k *= deep
        n = min(deep, N - k)
        wide = (n + lanes - 1) // lanes * lanes
        base, plane, row, column = x + (k + (p * s - top) * sh - left * sw) * size, sc, sh, sw
        given, g_plane, g_row, g_column = g + (k + p * gp) * size, gf, gp, gq
        memory = scratch
        if not in_place:
            high = (rows - 1) * s + (I - 1) * d + 1
            column, row, base = wide, columns * wide, memory
            plane = high * row
            memory += C * plane * size
            _pack(
                zero, x + k * sn * size, sn, sc, sh, sw, n, C, H, W, base, wide, p * s - top, high,
                -left, columns,
            )  # fmt: skip
        if not g_in_place:
            g_column, g_row, g_plane, given = wide, Q * wide, rows * Q * wide, memory
            _pack(
                zero, g + (k * gn + p * gp) * size, gn, gf, gp, gq, n, F, rows, Q, given, wide, 0,
                rows, 0, Q,
            )  # fmt: skip
        vectors, pixels = wide // lanes, Q
        if g_column == t * column == wide:
            vectors, pixels = vectors * Q, 1
        to_plane = C * I * J * lanes
        for h in range(rows):
            f = 0
            while f < F:
                filters = TAP_FILTERS if F - f >= TAP_FILTERS else 2 if F - f >= 2 else 1
                gs = given + (f * g_plane + h * g_row) * size
                rest = t * column, e * column, gs, g_plane, g_column, pixels, vectors, to_plane
                for c in range(C):
                    for i in range(I):
                        of = base + (c * plane + (h * s + i * d) * row) * size
                        to = sums + (f * to_plane + (c * I + i) * J * lanes) * size
                        if filters == TAP_FILTERS:
                            _tall(zero, J, of, to, *rest)
                        elif filters == 2:
                            _pair(zero, J, of, to, *rest)
                        else:
                            _single(zero, J, of, to, *rest)
                f += filters
