"""Convolution with one channel and one filter a group: vectors of channels, no product.

Each output takes as many loads as multiply-adds, so the loads limit it: the taps of a filter are
loaded once for several pixels.
"""

from ._direct import ZEROS
from ._jit import jit
from ._patch import fill_patch
from ._vectors import REGISTERS, clear, emit, lanes_of, put, size_of


def _pixels(count):
    """y[q] = bias + Σ_t w[t] x[q, t] for so many pixels q, a vector of channels each."""

    @emit
    def emitted(code, x, x_step, offsets, taps, w, w_step, bias, y, y_step, n):
        sums = [code.variable() for _ in range(count)]
        first = code.load(bias)
        for one in sums:
            code.set(one, first)
        with code.loop(taps, offsets, w) as loop:
            offset, w_now = loop.values
            of, factor = code.sum(x, code.load_integer(offset)), code.load(w_now)
            for q, one in enumerate(sums):
                value = code.load(code.at(of, code.times(q, x_step)))
                code.set(one, code.add_product(value, factor, code.get(one)))
            loop.next(code.sum(offset, 8), code.at(w_now, w_step))

        def write(mask):
            for q, one in enumerate(sums):
                code.store_some(code.get(one), code.at(y, code.times(q, y_step)), mask)

        code.masked(n, write)

    return emitted


def _taps(count, vectors):
    """sums[t] += Σ_pq g[p, q] x[p, q, t] for so many taps t, so many vectors of channels each."""

    @emit
    def emitted(code, x, x_row, x_step, offsets, g, g_row, g_step, rows, columns, to, to_step):
        places = [(t, v) for t in range(count) for v in range(vectors)]
        sums = [code.variable() for _ in places]
        totals = [code.at(to, code.times(t, to_step), v * code.lanes) for t, v in places]
        for one, total in zip(sums, totals, strict=True):
            code.set(one, code.load(total))
        shifts = [code.load_integer(code.sum(offsets, 8 * t)) for t in range(count)]
        with code.loop(rows, x, g) as down:
            x_first, g_first = down.values
            with code.loop(
                columns, g_first, *(code.sum(x_first, shift) for shift in shifts)
            ) as along:
                g_now, *x_now = along.values
                given = [code.load(code.at(g_now, v * code.lanes)) for v in range(vectors)]
                for (t, v), one in zip(places, sums, strict=True):
                    value = code.load(code.at(x_now[t], v * code.lanes))
                    code.set(one, code.add_product(given[v], value, code.get(one)))
                along.next(code.at(g_now, g_step), *(code.at(address, x_step) for address in x_now))
            down.next(code.at(x_first, x_row), code.at(g_first, g_row))
        for one, total in zip(sums, totals, strict=True):
            code.store(code.get(one), total)

    return emitted


_eight, _two, _one = _pixels(8), _pixels(2), _pixels(1)
_nine_pairs, _nine_taps, _three_taps, _one_tap = _taps(9, 2), _taps(9, 1), _taps(3, 1), _taps(1, 1)


@jit
def forward(
    zero, x, sn, sc, sh, sw, C, H, W, top, left, s, t, d, e, I, J, columns, w, bias, y, yn, yp, yq, P,
    Q, strip, first, last, scratch,
):  # fmt: skip
    """The strips first to last of y; w is (I J, wide) and the bias (wide,), wide ≥ C whole vectors."""
    size, lanes = size_of(zero), lanes_of(zero)
    wide = (C + lanes - 1) // lanes * lanes
    clear(scratch, ZEROS)
    offsets = scratch + ZEROS
    for i in range(I):
        for j in range(J):
            put((i * d * columns + j * e) * wide * size, offsets + (i * J + j) * 8)
    patch = offsets + (I * J * 8 + 63) // 64 * 64
    strips, step = (P + strip - 1) // strip, t * wide
    for unit in range(first, last):
        n, p = divmod(unit, strips)
        p *= strip
        rows = min(strip, P - p)
        fill_patch(
            zero, x + n * sn * size, sc, sh, sw, C, H, W, patch, wide, p * s - top,
            (rows - 1) * s + (I - 1) * d + 1, -left, columns,
        )  # fmt: skip
        for h in range(rows):
            of = patch + h * s * columns * wide * size
            to = y + (n * yn + (p + h) * yp) * size
            q = Q
            while q >= 8:
                for c in range(0, C, lanes):
                    k = c * size
                    _eight(
                        zero, of + k, step, offsets, I * J, w + k, wide, bias + k, to + k, yq, C - c
                    )
                of, to, q = of + 8 * step * size, to + 8 * yq * size, q - 8
            while q >= 2:
                for c in range(0, C, lanes):
                    k = c * size
                    _two(
                        zero, of + k, step, offsets, I * J, w + k, wide, bias + k, to + k, yq, C - c
                    )
                of, to, q = of + 2 * step * size, to + 2 * yq * size, q - 2
            if q:
                for c in range(0, C, lanes):
                    k = c * size
                    _one(
                        zero, of + k, step, offsets, I * J, w + k, wide, bias + k, to + k, yq, C - c
                    )


@jit
def weight(
    zero, x, sn, sc, sh, sw, C, H, W, top, left, s, t, d, e, I, J, columns, g, gn, gc, gh, gw, P, Q,
    strip, sums, first, last, scratch,
):  # fmt: skip
    """sums (I J, wide) += what the strips first to last give."""
    size, lanes = size_of(zero), lanes_of(zero)
    wide = (C + lanes - 1) // lanes * lanes
    offsets = scratch
    for i in range(I):
        for j in range(J):
            put((i * d * columns + j * e) * wide * size, offsets + (i * J + j) * 8)
    g_patch = offsets + (I * J * 8 + 63) // 64 * 64
    patch = g_patch + strip * Q * wide * size
    strips = (P + strip - 1) // strip
    for unit in range(first, last):
        n, p = divmod(unit, strips)
        p *= strip
        rows = min(strip, P - p)
        fill_patch(
            zero, x + n * sn * size, sc, sh, sw, C, H, W, patch, wide, p * s - top,
            (rows - 1) * s + (I - 1) * d + 1, -left, columns,
        )  # fmt: skip
        given, g_row, g_step = g + (n * gn + p * gh) * size, gh, gw
        if gc != 1 or wide != C:
            fill_patch(zero, given, gc, gh, gw, C, rows, Q, g_patch, wide, 0, rows, 0, Q)
            given, g_row, g_step = g_patch, Q * wide, wide
        x_row, x_step, pairs = s * columns * wide, t * wide, 0
        if I * J == 9 and REGISTERS == 32:  # a line of the cache that is there serves both
            pairs = wide // (2 * lanes) * 2 * lanes
            for c in range(0, pairs, 2 * lanes):
                _nine_pairs(
                    zero, patch + c * size, x_row, x_step, offsets, given + c * size, g_row, g_step,
                    rows, Q, sums + c * size, wide,
                )  # fmt: skip
        for c in range(pairs, C, lanes):
            of, gs, k = patch + c * size, given + c * size, 0
            while k + 9 <= I * J:
                _nine_taps(
                    zero, of, x_row, x_step, offsets + k * 8, gs, g_row, g_step, rows, Q,
                    sums + (k * wide + c) * size, wide,
                )  # fmt: skip
                k += 9
            while k + 3 <= I * J:
                _three_taps(
                    zero, of, x_row, x_step, offsets + k * 8, gs, g_row, g_step, rows, Q,
                    sums + (k * wide + c) * size, wide,
                )  # fmt: skip
                k += 3
            while k < I * J:
                _one_tap(
                    zero, of, x_row, x_step, offsets + k * 8, gs, g_row, g_step, rows, Q,
                    sums + (k * wide + c) * size, wide,
                )  # fmt: skip
                k += 1
