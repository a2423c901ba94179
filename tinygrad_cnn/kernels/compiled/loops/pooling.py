"""Pooling in one pass, channels innermost: each vector of channels visits its window.

The gradients visit the cells of x, and each cell sums the terms of the windows that contain it. So
every cell is written once, in order, whether windows overlap or not. If no two windows share a
cell, `scatter_apart` visits the windows instead, which is less arithmetic.
"""

from ..code import emit
from ..jit import jit, part
from ..scalars import clear, lanes_of, size_of
from .patch import taps_inside

# --- From window to window ----------------------------------------------------------------------


@part
def _plain_taps_inside(p, s, before, d, taps, length):
    """`taps_inside` for d = 1, without its divisions."""
    start = p * s - before
    first = 0 if start >= 0 else -start
    last = min(taps, length - start) if start < length else 0
    return first, max(first, last)


def _of_windows(build, dilated=True):
    """A kernel of the rows first to last of y (N, P, Q, C), over n, p. `build` emits a vector.

    `build` gets the address of the first cell of the window in x, the strides `down` and `along`
    of its taps, the rows and columns of taps inside x, the first of these taps, J, I·J, the
    address in y, the place in y in elements, p, q, the kernel's arguments `other`, `other_p` and
    `other_q`, and the number of channels left. If not `dilated`, d and e are constants, which
    saves a third of the average's time.
    """
    vector, inside = emit(build), taps_inside if dilated else _plain_taps_inside

    @jit
    def kernel(
        zero, x, sn, sh, sw, C, H, W, I, J, s, t, top, left, d, e, y, other, other_p, other_q, P, Q,
        first, last,
    ):  # fmt: skip
        size, lanes = size_of(zero), lanes_of(zero)
        if not dilated:  # constants for the compiler
            d = e = 1
        for unit in range(first, last):
            n, p = divmod(unit, P)
            i0, i1 = inside(p, s, top, d, I, H)
            for q in range(Q):
                j0, j1 = inside(q, t, left, e, J, W)
                cell = n * sn + (p * s - top + i0 * d) * sh + (q * t - left + j0 * e) * sw
                place = (unit * Q + q) * C
                for c in range(0, C, lanes):
                    vector(
                        zero, x + (cell + c) * size, d * sh, e * sw, i1 - i0, j1 - j0, i0 * J + j0,
                        J, I * J, y + (place + c) * size, place + c, p, q, other, other_p, other_q,
                        C - c,
                    )  # fmt: skip

    return kernel


@_of_windows
def maximum(
    code, x, down, along, rows, columns, first, J, none, y, place, p, q, taps, other_p, other_q, n
):
    """y = the first maximum, and its tap, to contiguous taps (N, P, Q, C). `none` is no tap."""

    def emitted(mask):
        best = code.variable(code.constant(float("-inf")))
        at = code.variable(code.number(none), code.numbers)
        of_x = x, code.bytes_of(down), code.bytes_of(along)
        with code.grid(rows, columns, of_x, (first, J, 1)) as (address, tap):
            value, old = code.load(address, mask), code.get(best)
            unset = code.equal(code.get(at), code.number(none))
            better = code.builder.or_(code.greater_or_nan(value, old), unset)
            code.set(best, code.select(better, value, old))
            code.set(at, code.select(better, code.number(tap), code.get(at)))
        code.store(code.get(best), y, mask)
        code.store_bytes(code.get(at), code.plus(taps, place), mask)

    code.masked(n, emitted)


def _sum(code, x, down, along, rows, columns, divisor, to, n):
    """(Σ x[i, j] over i < rows, j < columns) / the divisor at that address."""

    def emitted(mask):
        total = code.variable(code.constant(0.0))
        of_x = x, code.bytes_of(down), code.bytes_of(along)
        with code.grid(rows, columns, of_x) as (address,):
            code.accumulate(total, code.load(address, mask))
        code.store(code.get(total) / code.splat_at(divisor), to, mask)

    code.masked(n, emitted)


def _average(
    code, x, down, along, rows, columns, first, J, none, y, place, p, q, divisors, divisor_p,
    divisor_q, n,
):  # fmt: skip
    """y = the sum over the divisor of the window."""
    divisor = code.at(divisors, code.times(p, divisor_p), code.times(q, divisor_q))
    _sum(code, x, down, along, rows, columns, divisor, y, n)


average = _of_windows(_average, dilated=False)


@emit
def _placed(code, g, taps, rows, columns, first, tap_down, to, down, along, n):
    """x̄[i, j] = g at the tap, else 0, for i < rows, j < columns. (0, 0) is tap `first`."""

    def emitted(mask):
        given, at, zero = code.load(g, mask), code.load_bytes(taps, mask), code.constant(0.0)
        cells = to, code.bytes_of(down), code.bytes_of(along)
        with code.grid(rows, columns, cells, (first, tap_down, 1)) as (address, tap):
            code.store(code.select(code.equal(at, code.number(tap)), given, zero), address, mask)

    code.masked(n, emitted)


@jit
def scatter_apart(
    zero, g, gn, gh, gw, taps, C, H, W, I, J, s, t, top, left, d, e, to, P, Q, first, last
):  # fmt: skip
    """`scatter` where no cell is in two windows, of the rows of windows first to last, over n, p.

    Each row of windows writes its rows of x̄ and those up to the next one. It clears them first,
    unless the windows leave no cell out.
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


# --- From cell to cell --------------------------------------------------------------------------


@part
def _windows_of(h, s, before, d, taps, windows):
    """(first, count, step, tap, tap step) of the windows that hold cell h: those with a tap on it.

    `tap` is the one in the first window. From window to window taps go down by the tap step.
    """
    place = h + before
    first = max(0, -((d * (taps - 1) - place) // s))
    last = min(windows - 1, place // s)
    if d == 1:
        return first, max(0, last + 1 - first), 1, place - first * s, s
    return _dilated_windows(place, first, last, s, d)


@part
def _dilated_windows(place, first, last, s, d):
    """`_windows_of` among the windows first to last: p·s + i·d = place.

    p goes up by d / gcd(s, d), and i goes down by s / gcd(s, d).
    """
    a, b = s, d
    while b:
        a, b = b, a % b
    step = d // a
    while first <= last and (place - first * s) % d:
        first += 1
    return first, max(0, (last - first + step) // step), step, (place - first * s) // d, s // a


def _of_cells(build, dilated=True):
    """A kernel of the rows first to last of x̄ (N, H, W, C), over n, h. `build` emits a vector.

    `build` gets the address of g at the first window that holds the cell, the strides `down` and
    `along` to the others, their rows and columns, the place of that window in (N, P, Q, C), the
    strides of (P, Q, C), the tap of the cell there and its steps, the kernel's argument `other`,
    the address in x̄, and the number of channels left.
    """
    vector = emit(build)

    @jit
    def kernel(
        zero, g, gn, gh, gw, other, C, H, W, I, J, s, t, top, left, d, e, to, P, Q, first, last
    ):  # fmt: skip
        size, lanes = size_of(zero), lanes_of(zero)
        if not dilated:
            d = e = 1
        for unit in range(first, last):
            n, h = divmod(unit, H)
            p, rows, p_step, i, i_step = _windows_of(h, s, top, d, I, P)
            for w in range(W):
                q, columns, q_step, j, j_step = _windows_of(w, t, left, e, J, Q)
                of, at = n * gn + p * gh + q * gw, ((n * P + p) * Q + q) * C
                for c in range(0, C, lanes):
                    vector(
                        zero, g + (of + c) * size, p_step * gh, q_step * gw, rows, columns, at + c,
                        p_step * Q * C, q_step * C, i * J + j, -i_step * J, -j_step, other,
                        to + ((unit * W + w) * C + c) * size, C - c,
                    )  # fmt: skip

    return kernel


@_of_cells
def scatter(
    code, g, down, along, rows, columns, place, taps_down, taps_along, first, tap_down, tap_along,
    taps, to, n,
):  # fmt: skip
    """x̄ = Σ g over the windows that chose the cell, by contiguous taps (N, P, Q, C)."""

    def emitted(mask):
        zero = code.constant(0.0)
        total = code.variable(zero)
        walks = (
            (g, code.bytes_of(down), code.bytes_of(along)),
            (code.plus(taps, place), taps_down, taps_along), (first, tap_down, tap_along),
        )  # fmt: skip
        with code.grid(rows, columns, *walks) as (g_now, taps_now, tap):
            chosen = code.equal(code.load_bytes(taps_now, mask), code.number(tap))
            code.accumulate(total, code.select(chosen, code.load(g_now, mask), zero))
        code.store(code.get(total), to, mask)

    code.masked(n, emitted)


def _spread(
    code, g, down, along, rows, columns, place, taps_down, taps_along, first, tap_down, tap_along,
    divisor, to, n,
):  # fmt: skip
    """x̄ = Σ g over all windows that hold the cell, over one divisor."""
    _sum(code, g, down, along, rows, columns, divisor, to, n)


spread = _of_cells(_spread, dilated=False)
