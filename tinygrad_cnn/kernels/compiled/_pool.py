"""Pooling in one pass, channels innermost: a vector of channels goes through its window.

The gradients go from cell to cell of x, and each takes what the windows that hold it give: every
cell is written once, in order, whether windows overlap or not. Where no two windows share a cell,
they go from window to window, which is less to reckon.
"""

from ._jit import jit, part
from ._vectors import clear, emit, lanes_of, size_of


@emit
def _maximum(code, x, row, column, rows, columns, first, tap_row, tap_column, none, y, taps, n):
    """The first maximum of x[i, j], i < rows, j < columns, and its tap: first for (0, 0)."""

    def emitted(mask):
        best, at = code.variable(), code.variable(code.numbers)
        code.set(best, code.constant(float("-inf")))
        code.set(at, code.number(none))
        with code.loop(rows, x, first) as down:
            x_row, tap_first = down.values
            with code.loop(columns, x_row, tap_first) as along:
                address, tap = along.values
                value, old = code.load_some(address, mask), code.get(best)
                unset = code.equal(code.get(at), code.number(none))
                better = code.builder.or_(code.greater(value, old), unset)
                code.set(best, code.choose(better, value, old))
                code.set(at, code.choose(better, code.number(tap), code.get(at)))
                along.next(code.at(address, column), code.sum(tap, tap_column))
            down.next(code.at(x_row, row), code.sum(tap_first, tap_row))
        code.store_some(code.get(best), y, mask)
        code.store_bytes(code.get(at), taps, mask)

    code.masked(n, emitted)


@emit
def _scattered(
    code, g, g_row, g_column, taps, taps_row, taps_column, rows, columns, first, tap_row, tap_column,
    to, n,
):  # fmt: skip
    """x̄ of a cell = Σ g[p, q] over p < rows, q < columns where the tap is the one that the cell has
    there: first for (0, 0).
    """

    def emitted(mask):
        total, zero = code.variable(), code.constant(0.0)
        code.set(total, zero)
        with code.loop(rows, g, taps, first) as down:
            g_first, taps_first, tap_first = down.values
            with code.loop(columns, g_first, taps_first, tap_first) as along:
                g_now, taps_now, tap = along.values
                chosen = code.equal(code.load_bytes(taps_now, mask), code.number(tap))
                given = code.choose(chosen, code.load_some(g_now, mask), zero)
                code.set(total, code.get(total) + given)
                along.next(
                    code.at(g_now, g_column),
                    code.sum(taps_now, taps_column),
                    code.sum(tap, tap_column),
                )
            down.next(
                code.at(g_first, g_row),
                code.sum(taps_first, taps_row),
                code.sum(tap_first, tap_row),
            )
        code.store_some(code.get(total), to, mask)

    code.masked(n, emitted)


@emit
def _placed(code, g, taps, rows, columns, first, tap_row, to, row, column, n):
    """x̄[i, j] = g where i, j is the tap, else 0, for i < rows, j < columns: first for (0, 0)."""

    def emitted(mask):
        given, at, zero = code.load_some(g, mask), code.load_bytes(taps, mask), code.constant(0.0)
        with code.loop(rows, to, first) as down:
            to_row, tap_first = down.values
            with code.loop(columns, to_row, tap_first) as along:
                address, tap = along.values
                chosen = code.choose(code.equal(at, code.number(tap)), given, zero)
                code.store_some(chosen, address, mask)
                along.next(code.at(address, column), code.sum(tap, 1))
            down.next(code.at(to_row, row), code.sum(tap_first, tap_row))

    code.masked(n, emitted)


@emit
def _sum(code, x, row, column, rows, columns, divisor, to, n):
    """(Σ x[i, j] over i < rows, j < columns) / the divisor at that address."""

    def emitted(mask):
        total = code.variable()
        code.set(total, code.constant(0.0))
        with code.loop(rows, x) as down:
            (first,) = down.values
            with code.loop(columns, first) as along:
                (address,) = along.values
                code.set(total, code.get(total) + code.load_some(address, mask))
                along.next(code.at(address, column))
            down.next(code.at(first, row))
        code.store_some(code.get(total) / code.broadcast(divisor), to, mask)

    code.masked(n, emitted)


@part
def taps_inside(p, s, before, d, taps, H):
    """(first, last + 1) of the taps of window p that lie in x."""
    start = p * s - before
    first = 0 if start >= 0 else (-start + d - 1) // d
    last = min(taps, (H - 1 - start) // d + 1) if start < H else 0
    return first, max(first, last)


@part
def _windows_of(h, s, before, d, taps, P):
    """(first, one after the last, step) of the windows that hold cell h: those where a tap is on it.

    p s + i d = h + before: p steps by d / gcd(s, d), and i by −s / gcd(s, d).
    """
    place, step = h + before, 1
    if d > 1:
        a, b = s, d
        while b:
            a, b = b, a % b
        step = d // a
    first = max(0, -((d * (taps - 1) - place) // s))
    last = min(P - 1, place // s)
    while d > 1 and first <= last and (place - first * s) % d:
        first += 1
    return first, last + 1, step


@jit
def maximum(
    zero, x, sn, sh, sw, C, H, W, I, J, s, t, top, left, d, e, y, taps, P, Q, first, last
):  # fmt: skip
    """y and taps (N, P, Q, C), contiguous, of the rows first to last, counted over n, p."""
    size, lanes = size_of(zero), lanes_of(zero)
    for unit in range(first, last):
        n, p = divmod(unit, P)
        i0, i1 = taps_inside(p, s, top, d, I, H)
        for q in range(Q):
            j0, j1 = taps_inside(q, t, left, e, J, W)
            of = x + (n * sn + (p * s - top + i0 * d) * sh + (q * t - left + j0 * e) * sw) * size
            to = (unit * Q + q) * C
            rows = i1 - i0 if j1 > j0 else 0
            for c in range(0, C, lanes):
                _maximum(
                    zero, of + c * size, d * sh, e * sw, rows, j1 - j0, i0 * J + j0, J, 1, I * J,
                    y + (to + c) * size, taps + to + c, C - c,
                )  # fmt: skip


@jit
def scatter(
    zero, g, gn, gh, gw, taps, C, H, W, I, J, s, t, top, left, d, e, to, P, Q, first, last
):  # fmt: skip
    """x̄ (N, H, W, C), contiguous, of the rows first to last, counted over n, h; taps contiguous."""
    size, lanes = size_of(zero), lanes_of(zero)
    for unit in range(first, last):
        n, h = divmod(unit, H)
        p0, p1, p_step = _windows_of(h, s, top, d, I, P)
        rows = max(0, (p1 - p0 + p_step - 1) // p_step)
        i, i_step = (h + top - p0 * s) // d, p_step * s // d
        for w in range(W):
            q0, q1, q_step = _windows_of(w, t, left, e, J, Q)
            columns = max(0, (q1 - q0 + q_step - 1) // q_step)
            j, j_step = (w + left - q0 * t) // e, q_step * t // e
            of, at = n * gn + p0 * gh + q0 * gw, ((n * P + p0) * Q + q0) * C
            for c in range(0, C, lanes):
                _scattered(
                    zero, g + (of + c) * size, p_step * gh, q_step * gw, taps + at + c, p_step * Q * C,
                    q_step * C, rows, columns, i * J + j, -i_step * J, -j_step,
                    to + ((unit * W + w) * C + c) * size, C - c,
                )  # fmt: skip


@jit
def scatter_apart(
    zero, g, gn, gh, gw, taps, C, H, W, I, J, s, t, top, left, d, e, to, P, Q, first, last
):  # fmt: skip
    """`scatter` where no cell is in two windows, of the rows of windows first to last, over n, p.

    Each row of windows writes its rows of x̄ and those up to the next; it clears them first, unless the
    windows leave no cell out.
    """
    size, lanes = size_of(zero), lanes_of(zero)
    exact = (s, t, d, e, left, Q * t) == (I, J, 1, 1, 0, W)
    for unit in range(first, last):
        n, p = divmod(unit, P)
        start, end = max(0, p * s - top), min(H, (p + 1) * s - top)
        start, end = 0 if p == 0 else start, H if p == P - 1 else end
        if end > start and not (exact and start == p * s - top and end - start == s):
            clear(to + (n * H + start) * W * C * size, (end - start) * W * C * size)
        i0, i1 = taps_inside(p, s, top, d, I, H)
        for q in range(Q):
            j0, j1 = taps_inside(q, t, left, e, J, W)
            h, w = p * s - top + i0 * d, q * t - left + j0 * e
            of, at, cell = n * gn + p * gh + q * gw, (unit * Q + q) * C, ((n * H + h) * W + w) * C
            for c in range(0, C, lanes):
                _placed(
                    zero, g + (of + c) * size, taps + at + c, i1 - i0, j1 - j0, i0 * J + j0, J,
                    to + (cell + c) * size, d * W * C, e * C, C - c,
                )  # fmt: skip


@jit
def average(
    zero, x, sn, sh, sw, C, H, W, I, J, s, t, top, left, divisor, dp, dq, y, P, Q, first, last
):  # fmt: skip
    """y (N, P, Q, C) of the rows first to last; the divisor of a window is at dp p + dq q."""
    size, lanes = size_of(zero), lanes_of(zero)
    for unit in range(first, last):
        n, p = divmod(unit, P)
        i0, i1 = taps_inside(p, s, top, 1, I, H)
        for q in range(Q):
            j0, j1 = taps_inside(q, t, left, 1, J, W)
            of = x + (n * sn + (p * s - top + i0) * sh + (q * t - left + j0) * sw) * size
            for c in range(0, C, lanes):
                _sum(
                    zero, of + c * size, sh, sw, i1 - i0, j1 - j0, divisor + (p * dp + q * dq) * size,
                    y + ((unit * Q + q) * C + c) * size, C - c,
                )  # fmt: skip


@jit
def spread(
    zero, g, gn, gh, gw, C, H, W, I, J, s, t, top, left, divisor, to, P, Q, first, last
):  # fmt: skip
    """x̄ (N, H, W, C) of the rows first to last: the sum of g over the windows that hold a cell."""
    size, lanes = size_of(zero), lanes_of(zero)
    for unit in range(first, last):
        n, h = divmod(unit, H)
        p0, p1, _ = _windows_of(h, s, top, 1, I, P)
        for w in range(W):
            q0, q1, _ = _windows_of(w, t, left, 1, J, Q)
            of = g + (n * gn + p0 * gh + q0 * gw) * size
            for c in range(0, C, lanes):
                _sum(
                    zero, of + c * size, gh, gw, p1 - p0, q1 - q0, divisor,
                    to + ((unit * W + w) * C + c) * size, C - c,
                )  # fmt: skip
