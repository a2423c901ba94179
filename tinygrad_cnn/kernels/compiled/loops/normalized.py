"""The pass of a normalization that writes y, and that of its gradient. Arrays are (B, O, K, I),
as in `normalization`.
"""

from ..code import emit
from ..jit import jit
from ..scalars import lanes_of, size_of
from ..tuning import WRITE_ROWS, WRITE_VECTORS


def _combined(code, backward, mu, r, w, b, s, t):
    """The function of vectors of x and g: y = A d + b, or backward x̄ = A g + T d + S.

    d = x − μ, A = r w, T = −r t and S = −r s.
    """
    scale = r * w
    if backward:
        minus = r * -1.0
        slope, shift = minus * t, minus * s

    def combine(x, g):
        d = x - mu
        if not backward:
            return code.fma(d, scale, b)
        return code.fma(g, scale, code.fma(d, slope, shift))

    return combine


def _columns(wide, backward):
    """`rows` rows of y or x̄, `wide` vectors of columns."""

    @emit
    def emitted(code, x, x_row, g, g_row, y, y_row, rows, n, mu, r, w, b, s, t):
        def columns(mask):
            places = [j * code.lanes for j in range(wide)]
            combines = []
            for place in places:
                numbers = [code.load(code.at(v, place), mask) for v in (mu, r, w, b, s, t)]
                combines.append(_combined(code, backward, *numbers))
            walks = [(a, code.bytes_of(row)) for a, row in ((x, x_row), (g, g_row), (y, y_row))]
            with code.loop(rows, *walks) as (x_now, g_now, y_now):
                for place, combine in zip(places, combines, strict=True):
                    of_g = code.load(code.at(g_now, place), mask) if backward else None
                    result = combine(code.load(code.at(x_now, place), mask), of_g)
                    code.store(result, code.at(y_now, place), mask)

        if wide == 1:
            code.masked(n, columns)
        else:
            columns(None)

    return emitted


def _run(backward, weight_within):
    """A run of y or x̄: `wholes` vectors and `rest` elements. w and b may vary within it."""

    @emit
    def emitted(code, x, g, y, wholes, rest, mu, r, w, b, s, t):
        mu, r, s, t = (code.splat_at(v) for v in (mu, r, s, t))
        if not weight_within:
            weights = [code.splat_at(v) for v in (w, b)]
            combine_all = _combined(code, backward, mu, r, *weights, s, t)

        def vector(place, mask):
            if weight_within:
                weights = [code.load(code.at(v, place), mask) for v in (w, b)]
                combine = _combined(code, backward, mu, r, *weights, s, t)
            else:
                combine = combine_all
            of_g = code.load(code.at(g, place), mask) if backward else None
            result = combine(code.load(code.at(x, place), mask), of_g)
            code.store(result, code.at(y, place), mask)

        with code.loop(wholes, (0, code.lanes)) as (place,):
            vector(place, None)
        with code.when(code.less(0, rest)):
            vector(code.times(wholes, code.lanes), code.mask(rest))

    return emitted


_y_column, _y_columns = _columns(1, False), _columns(WRITE_VECTORS, False)
_dx_column, _dx_columns = _columns(1, True), _columns(WRITE_VECTORS, True)
_y_run, _y_weighted_run = _run(False, False), _run(False, True)
_dx_run, _dx_weighted_run = _run(True, False), _run(True, True)


@jit
def write(
    zero, backward, weight_within, x, xb, xo, xk, g, gb, go, gk, y, yb, yo, yk, numbers, weights,
    B, O, K, I, first, last,
):  # fmt: skip
    """y or x̄ of the units first to last: rows (b, o) of columns, or runs (o, k).

    `numbers` are μ, r, s and t, and `weights` w and b, of all classes, or w and b along a run.
    """
    size, lanes = size_of(zero), lanes_of(zero)
    P = B * K
    L = I if weight_within else P
    wholes, rest = I // lanes, I % lanes
    unit = first
    while unit < last:
        if I == 1:  # the rows that follow in one b
            k, o = divmod(unit, O)
            rows = min(last - unit, O - o, WRITE_ROWS)
            a, c, to = k * xb + o * xo, k * gb + o * go, y + (k * yb + o * yo) * size
            k *= K
        else:
            o, k = divmod(unit, K)
            rows = 1
            a, c, to = o * xo + k * xk, o * go + k * gk, y + (o * yo + k * yk) * size
        a, c = x + a * size, g + c * size
        mu = numbers + k * size
        r, s, t = mu + P * size, mu + 2 * P * size, mu + 3 * P * size
        w = weights if weight_within else weights + k * size
        b = w + L * size
        if I > 1:
            given = wholes, rest, mu, r, w, b, s, t
            if backward and weight_within:
                _dx_weighted_run(zero, a, c, to, *given)
            elif backward:
                _dx_run(zero, a, c, to, *given)
            elif weight_within:
                _y_weighted_run(zero, a, a, to, *given)
            else:
                _y_run(zero, a, a, to, *given)
        k = 0
        while I == 1 and k < K:
            p, wide = k * size, K - k >= WRITE_VECTORS * lanes
            given = rows, K - k, mu + p, r + p, w + p, b + p, s + p, t + p
            if wide and backward:
                _dx_columns(zero, a + p, xo, c + p, go, to + p, yo, *given)
            elif wide:
                _y_columns(zero, a + p, xo, a, xo, to + p, yo, *given)
            elif backward:
                _dx_column(zero, a + p, xo, c + p, go, to + p, yo, *given)
            else:
                _y_column(zero, a + p, xo, a, xo, to + p, yo, *given)
            k += WRITE_VECTORS * lanes if wide else lanes
        unit += rows
