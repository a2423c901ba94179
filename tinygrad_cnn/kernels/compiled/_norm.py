"""Normalisation in passes over memory: two that sum up, and two that write.

An array lies in memory as (B, O, K, I): elements of one class have one (b, k), and sums go over o
and i. Either classes are innermost (I = 1: columns, a vector holds classes), or each class is made
of runs (B = 1, a vector holds elements of one class).

Sums are taken over a block that stays in the cache, in the element type, and then over the blocks
in double precision. For the variance a block has two sums, of d = x − a and of d², where a is the
mean of its c elements as well as the element type can tell. With D and M these sums, its mean is
a + D / c, and Σ (x − μ)² = Σ [M − D² / c + c (a + D / c − μ)²] over the blocks: no large numbers are
subtracted (Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance").
"""

from ._jit import jit, part
from ._vectors import REGISTERS, cast, emit, get, lanes_of, put, size_of

WIDE = 4  # vectors side by side, so that additions need not wait for each other


def _column_sums(wide, moments):
    """Emits, for some columns of x and g, of so many rows: with `moments` D, M and a of x, to `to` and
    `apart` after it, else Σ g and Σ g (x − μ).
    """

    @emit
    def emitted(code, x, x_row, g, g_row, mu, rows, n, to, apart):
        def columns(mask):
            places = [j * code.lanes for j in range(wide)]
            first, second = ([code.variable() for _ in places] for _ in "ab")
            for variable in (*first, *second):
                code.set(variable, code.constant(0.0))

            def over_rows(of_x, of_g, add):
                with code.loop(rows, of_x, of_g) as down:
                    x_now, g_now = down.values
                    for j, place in enumerate(places):
                        add(j, code.at(x_now, place), code.at(g_now, place))
                    down.next(code.at(x_now, x_row), code.at(g_now, g_row))

            def plus(variable, value):
                code.set(variable, code.get(variable) + value)

            if moments:
                over_rows(x, x, lambda j, x, _: plus(first[j], code.load_some(x, mask)))
                means = [code.get(variable) / code.count(rows) for variable in first]
                for variable, mean, place in zip(first, means, places, strict=True):
                    code.set(variable, code.constant(0.0))
                    code.store_some(mean, code.at(to, apart, apart, place), mask)
            else:
                means = [code.load_some(code.at(mu, place), mask) for place in places]

            def add_square(j, x, _):
                d = code.load_some(x, mask) - means[j]
                plus(first[j], d)
                code.set(second[j], code.add_product(d, d, code.get(second[j])))

            def add_pair(j, x, g):
                d, g = code.load_some(x, mask) - means[j], code.load_some(g, mask)
                plus(first[j], g)
                code.set(second[j], code.add_product(g, d, code.get(second[j])))

            over_rows(x, x if moments else g, add_square if moments else add_pair)
            for j, place in enumerate(places):
                code.store_some(code.get(first[j]), code.at(to, place), mask)
                code.store_some(code.get(second[j]), code.at(to, apart, place), mask)

        if wide == 1:
            code.masked(n, columns)
        else:
            columns(None)

    return emitted


_column_moments, _wide_moments = _column_sums(1, True), _column_sums(WIDE, True)
_column_pairs, _wide_pairs = _column_sums(1, False), _column_sums(WIDE, False)


def _run_sums(moments, weighted=False):
    """Emits the same of one run of n elements: `wholes` times WIDE vectors and `rest` more,
    the last of which may be in part. If weighted, of g times what lies at w.
    """

    @emit
    def emitted(code, x, g, w, mu, wholes, rest, n, to, apart):
        span = WIDE * code.lanes
        first, second = ([code.variable() for _ in range(WIDE)] for _ in "ab")
        for variable in (*first, *second):
            code.set(variable, code.constant(0.0))

        def over(add):
            with code.loop(wholes, 0) as along:
                (at,) = along.values
                for j in range(WIDE):
                    add(j, code.sum(at, j * code.lanes), None)
                along.next(code.sum(at, span))
            done = code.times(wholes, span)
            with code.loop(rest, done) as along:
                (at,) = along.values
                left = code.builder.sub(code.integer(n), code.integer(at))
                add(0, at, code.mask(left))
                along.next(code.sum(at, code.lanes))

        def plus(variable, value):
            code.set(variable, code.get(variable) + value)

        def whole(variables):
            a, b, c, d = (code.get(variable) for variable in variables)
            return code.total((a + b) + (c + d))

        if moments:
            over(lambda j, at, mask: plus(first[j], code.load_some(code.at(x, at), mask)))
            mean = whole(first) / code.count(n)
            code.store_first(mean, code.at(to, apart, apart))
            for variable in first:
                code.set(variable, code.constant(0.0))
        else:
            mean = code.broadcast(mu)

        def add_square(j, at, mask):
            d = code.load_some(code.at(x, at), mask) - mean
            if mask is not None:
                d = code.choose(mask, d, code.constant(0.0))
            plus(first[j], d)
            code.set(second[j], code.add_product(d, d, code.get(second[j])))

        def add_pair(j, at, mask):
            d, h = code.load_some(code.at(x, at), mask) - mean, code.load_some(code.at(g, at), mask)
            if weighted:
                h = h * code.load_some(code.at(w, at), mask)
            plus(first[j], h)
            code.set(second[j], code.add_product(h, d, code.get(second[j])))

        over(add_square if moments else add_pair)
        code.store_first(whole(first), to)
        code.store_first(whole(second), code.at(to, apart))

    return emitted


_run_moments, _run_pairs = _run_sums(True), _run_sums(False)
_run_weighted = _run_sums(False, weighted=True)


@part
def _blocks(
    zero, moments, x, xb, xo, xk, g, gb, go, gk, w, mu, B, O, K, I, block, pieces, to, first, last
):  # fmt: skip
    """The sums of each unit to (unit's row, 3 or 2, B K); see `block_moments` and `block_pairs`."""
    size, lanes = size_of(zero), lanes_of(zero)
    P = B * K
    row = (3 if moments else 2) * P
    for unit in range(first, last):
        if I == 1:  # rows of class b, in blocks: the unit is (piece, b)
            piece, b = divmod(unit, B)
            rows = min(block, O - piece * block)
            x_now, g_now = x + (b * xb + piece * block * xo) * size, g
            if not moments:
                g_now = g + (b * gb + piece * block * go) * size
            at, k = to + (piece * row + b * K) * size, 0
            while k < K:
                a, c, m, out = (
                    x_now + k * size,
                    g_now + k * size,
                    mu + (b * K + k) * size,
                    at + k * size,
                )
                if K - k >= WIDE * lanes:
                    if moments:
                        _wide_moments(zero, a, xo, a, xo, m, rows, K - k, out, P)
                    else:
                        _wide_pairs(zero, a, xo, c, go, m, rows, K - k, out, P)
                    k += WIDE * lanes
                else:
                    if moments:
                        _column_moments(zero, a, xo, a, xo, m, rows, K - k, out, P)
                    else:
                        _column_pairs(zero, a, xo, c, go, m, rows, K - k, out, P)
                    k += lanes
        else:  # runs in pieces: the unit is (o, k, piece)
            run, piece = divmod(unit, pieces)
            o, k = divmod(run, K)
            n = min(block, I - piece * block)
            a = x + (o * xo + k * xk + piece * block) * size
            out = to + ((o * pieces + piece) * row + k) * size
            wholes = n // (WIDE * lanes)
            rest = (n - wholes * WIDE * lanes + lanes - 1) // lanes
            if moments:
                _run_moments(zero, a, a, w, mu, wholes, rest, n, out, P)
            else:
                c = g + (o * go + k * gk + piece * block) * size
                if w == 0:
                    _run_pairs(zero, a, c, w, mu + k * size, wholes, rest, n, out, P)
                else:
                    v = w + piece * block * size
                    _run_weighted(zero, a, c, v, mu + k * size, wholes, rest, n, out, P)


@jit
def block_moments(zero, x, xb, xo, xk, B, O, K, I, block, pieces, to, first, last):
    """D, M and a of the blocks first to last."""
    _blocks(
        zero, True, x, xb, xo, xk, x, xb, xo, xk, 0, x, B, O, K, I, block, pieces, to, first, last
    )  # fmt: skip


@jit
def block_pairs(
    zero, x, xb, xo, xk, g, gb, go, gk, w, mu, B, O, K, I, block, pieces, to, first, last
):  # fmt: skip
    """Σ g and Σ g (x − μ) of the blocks first to last; of runs times w, unless that is 0."""
    _blocks(
        zero, False, x, xb, xo, xk, g, gb, go, gk, w, mu, B, O, K, I, block, pieces, to, first, last
    )


@jit
def moments(zero, of, rows, P, pieces, count, last_count, mean, variance):
    """μ and Σ (x − μ)² / m of each class, from D, M and a of its blocks: `rows` of 3 P numbers."""
    size = size_of(zero)
    m = rows // pieces * ((pieces - 1) * count + last_count)
    for p in range(P):
        total = 0.0
        for row in range(rows):
            c = last_count if row % pieces == pieces - 1 else count
            at = of + (row * 3 * P + p) * size
            a = float(get(zero, at + 2 * P * size))
            total += c * a
            if a - a == 0:  # else x − a was NaN where x is infinite, and the mean is not
                total += get(zero, at)
        mu = total / m
        total = 0.0
        for row in range(rows):
            c = last_count if row % pieces == pieces - 1 else count
            at = of + (row * 3 * P + p) * size
            d = float(get(zero, at))
            apart = float(get(zero, at + 2 * P * size)) + d / c - mu
            total += get(zero, at + P * size) - d * d / c + c * (apart * apart)
        put(cast(zero, mu), mean + p * size)
        put(cast(zero, total / m), variance + p * size)


@jit
def totals(zero, of, rows, count, to):
    """The sums of so many rows of `count` numbers each."""
    size = size_of(zero)
    for p in range(count):
        total = 0.0
        for row in range(rows):
            total += get(zero, of + (row * count + p) * size)
        put(cast(zero, total), to + p * size)


def _combined(code, backward, given):
    """What is done to a vector of x and g: y = A d + b or x̄ = A g + T d + S, with d = x − μ, A = r w,
    T = −r t and S = −r s.
    """
    mu, r, w, b, s, t = given
    scale = r * w
    if backward:
        minus = r * -1.0
        slope, shift = minus * t, minus * s

    def combine(x, g):
        d = x - mu
        if not backward:
            return code.add_product(d, scale, b)
        return code.add_product(g, scale, code.add_product(d, slope, shift))

    return combine


def _written_columns(wide, backward):
    """Emits `rows` of y or x̄, some columns wide."""

    @emit
    def emitted(code, x, x_row, g, g_row, y, y_row, rows, n, mu, r, w, b, s, t):
        def columns(mask):
            places = [j * code.lanes for j in range(wide)]
            combines = [
                _combined(
                    code, backward,
                    [code.load_some(code.at(v, place), mask) for v in (mu, r, w, b, s, t)],
                )
                for place in places
            ]  # fmt: skip
            with code.loop(rows, x, g, y) as down:
                x_now, g_now, y_now = down.values
                for place, combine in zip(places, combines, strict=True):
                    of_g = code.load_some(code.at(g_now, place), mask) if backward else None
                    result = combine(code.load_some(code.at(x_now, place), mask), of_g)
                    code.store_some(result, code.at(y_now, place), mask)
                down.next(code.at(x_now, x_row), code.at(g_now, g_row), code.at(y_now, y_row))

        if wide == 1:
            code.masked(n, columns)
        else:
            columns(None)

    return emitted


def _written_run(backward, weight_within):
    """Emits a run of y or x̄, of so many whole vectors and a rest."""

    @emit
    def emitted(code, x, g, y, wholes, rest, mu, r, w, b, s, t):
        fixed = [code.broadcast(v) for v in (mu, r, s, t)]
        if not weight_within:
            weights = [code.broadcast(v) for v in (w, b)]
            combine = _combined(code, backward, [*fixed[:2], *weights, *fixed[2:]])

        def vector(place, mask):
            use = None if weight_within else combine
            if weight_within:
                weights = [code.load_some(code.at(v, place), mask) for v in (w, b)]
                use = _combined(code, backward, [*fixed[:2], *weights, *fixed[2:]])
            of_g = code.load_some(code.at(g, place), mask) if backward else None
            result = use(code.load_some(code.at(x, place), mask), of_g)
            code.store_some(result, code.at(y, place), mask)

        with code.loop(wholes, 0) as along:
            (place,) = along.values
            vector(place, None)
            along.next(code.sum(place, code.lanes))
        with code.when(code.less(0, rest)):
            vector(code.times(wholes, code.lanes), code.mask(rest))

    return emitted


SIDE = WIDE if REGISTERS >= 32 else 2  # vectors of columns whose numbers stay in registers
AT_ONCE = 64  # rows for which they do
_scale_one, _scale_wide = _written_columns(1, False), _written_columns(SIDE, False)
_back_one, _back_wide = _written_columns(1, True), _written_columns(SIDE, True)
_scale_run, _scale_row = _written_run(False, False), _written_run(False, True)
_back_run, _back_row = _written_run(True, False), _written_run(True, True)


@jit
def write(
    zero, backward, weight_within, x, xb, xo, xk, g, gb, go, gk, y, yb, yo, yk, numbers, weights,
    B, O, K, I, first, last,
):  # fmt: skip
    """y or x̄ of the units first to last: of columns the rows (b, o), of runs the runs (o, k).

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
            rows = min(last - unit, O - o, AT_ONCE)
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
        if I > 1 and backward:
            if weight_within:
                _back_row(zero, a, c, to, wholes, rest, mu, r, w, b, s, t)
            else:
                _back_run(zero, a, c, to, wholes, rest, mu, r, w, b, s, t)
        elif I > 1:
            if weight_within:
                _scale_row(zero, a, a, to, wholes, rest, mu, r, w, b, s, t)
            else:
                _scale_run(zero, a, a, to, wholes, rest, mu, r, w, b, s, t)
        k = 0
        while I == 1 and k < K:
            p = k * size
            if K - k >= SIDE * lanes and backward:
                _back_wide(zero, a + p, xo, c + p, go, to + p, yo, rows, K - k,
                           mu + p, r + p, w + p, b + p, s + p, t + p)  # fmt: skip
            elif K - k >= SIDE * lanes:
                _scale_wide(zero, a + p, xo, a, xo, to + p, yo, rows, K - k,
                            mu + p, r + p, w + p, b + p, s + p, t + p)  # fmt: skip
            elif backward:
                _back_one(zero, a + p, xo, c + p, go, to + p, yo, rows, K - k,
                          mu + p, r + p, w + p, b + p, s + p, t + p)  # fmt: skip
            else:
                _scale_one(zero, a + p, xo, a, xo, to + p, yo, rows, K - k,
                           mu + p, r + p, w + p, b + p, s + p, t + p)  # fmt: skip
            k += SIDE * lanes if K - k >= SIDE * lanes else lanes
        unit += rows
