"""Normalization in passes over memory that sum up. `normalized` writes.

An array is arranged as (B, O, K, I). Elements of one class share (b, k), and sums go over o and i.
Either classes are innermost (I = 1: columns, a vector holds classes), or each class is made of runs
(B = 1, a vector holds elements of one class).

Sums are taken over a block that stays in the cache, in the element type, and then over the blocks
in double precision. For the variance a block has two sums, of d = x − a and of d², where a is the
mean of its c elements to the precision of the element type. With D and M these sums, its mean is
a + D / c, and Σ (x − μ)² = Σ [M − D² / c + c (a + D / c − μ)²] over the blocks: no large numbers
are subtracted (Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance").
"""

from ..code import emit
from ..jit import jit, part
from ..scalars import cast, get, lanes_of, put, size_of
from ..tuning import SUM_VECTORS
from ..vector import Vector, fold


def _column_sums(wide, moments):
    """Two sums over rows of `wide` vectors of columns, to `to` and `apart` elements after it.

    With `moments` D, M and a of x, else Σ g and Σ g (x − μ).
    """

    @emit
    def emitted(code, x, x_row, g, g_row, mu, rows, n, to, apart):
        zero = code.constant(0.0)

        def columns(mask):
            places = [j * code.lanes for j in range(wide)]
            first, second = ([code.variable(zero) for _ in places] for _ in "ab")

            def over_rows(of_x, of_g, add):
                walks = (of_x, code.bytes_of(x_row)), (of_g, code.bytes_of(g_row))
                with code.loop(rows, *walks) as (x_now, g_now):
                    for j, place in enumerate(places):
                        add(j, code.at(x_now, place), code.at(g_now, place))

            if moments:
                over_rows(x, x, lambda j, x, _: code.accumulate(first[j], code.load(x, mask)))
                means = [code.get(variable) / code.splat_integer(rows) for variable in first]
                for variable, mean, place in zip(first, means, places, strict=True):
                    code.set(variable, zero)
                    code.store(mean, code.at(to, apart, apart, place), mask)
            else:
                means = [code.load(code.at(mu, place), mask) for place in places]

            def add_square(j, x, _):
                d = code.load(x, mask) - means[j]
                code.accumulate(first[j], d)
                code.accumulate(second[j], d, d)

            def add_pair(j, x, g):
                d, g = code.load(x, mask) - means[j], code.load(g, mask)
                code.accumulate(first[j], g)
                code.accumulate(second[j], g, d)

            over_rows(x, x if moments else g, add_square if moments else add_pair)
            for j, place in enumerate(places):
                code.store(code.get(first[j]), code.at(to, place), mask)
                code.store(code.get(second[j]), code.at(to, apart, place), mask)

        if wide == 1:
            code.masked(n, columns)
        else:
            columns(None)

    return emitted


_column_moments, _wide_moments = _column_sums(1, True), _column_sums(SUM_VECTORS, True)
_column_pairs, _wide_pairs = _column_sums(1, False), _column_sums(SUM_VECTORS, False)


def _run_sums(moments, weighted=False):
    """The same sums of one run of n elements. If weighted, g counts times the numbers at w.

    The run is `wholes` times SUM_VECTORS vectors and `rest` more, the last of them in part.
    """

    @emit
    def emitted(code, x, g, w, mu, wholes, rest, n, to, apart):
        span, zero = SUM_VECTORS * code.lanes, code.constant(0.0)
        first, second = ([code.variable(zero) for _ in range(SUM_VECTORS)] for _ in "ab")

        def over_run(add):
            with code.loop(wholes, (0, span)) as (at,):
                for j in range(SUM_VECTORS):
                    add(j, code.plus(at, j * code.lanes), None)
            with code.loop(rest, (code.times(wholes, span), code.lanes)) as (at,):
                add(0, at, code.mask(code.minus(n, at)))

        def total(variables):
            vectors = [code.get(variable) for variable in variables]
            return code.sum_of_lanes(fold(Vector.__add__, vectors))

        if moments:
            over_run(lambda j, at, mask: code.accumulate(first[j], code.load(code.at(x, at), mask)))
            mean = total(first) / code.splat_integer(n)
            code.store_first(mean, code.at(to, apart, apart))
            for variable in first:
                code.set(variable, zero)
        else:
            mean = code.splat_at(mu)

        def add_square(j, at, mask):
            d = code.load(code.at(x, at), mask) - mean
            d = d if mask is None else code.select(mask, d, zero)
            code.accumulate(first[j], d)
            code.accumulate(second[j], d, d)

        def add_pair(j, at, mask):
            d, h = code.load(code.at(x, at), mask) - mean, code.load(code.at(g, at), mask)
            h = h * code.load(code.at(w, at), mask) if weighted else h
            code.accumulate(first[j], h)
            code.accumulate(second[j], h, d)

        over_run(add_square if moments else add_pair)
        code.store_first(total(first), to)
        code.store_first(total(second), code.at(to, apart))

    return emitted


_run_moments, _run_pairs = _run_sums(True), _run_sums(False)
_run_weighted = _run_sums(False, weighted=True)


@part
def _blocks(
    zero, moments, x, xb, xo, xk, g, gb, go, gk, w, mu, B, O, K, I, block, pieces, to, first, last
):  # fmt: skip
    """The sums of each unit, to (row of the unit, 3 or 2, B K): see the two kernels below."""
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
                a, c, m = x_now + k * size, g_now + k * size, mu + (b * K + k) * size
                out, wide = at + k * size, K - k >= SUM_VECTORS * lanes
                if wide and moments:
                    _wide_moments(zero, a, xo, a, xo, m, rows, K - k, out, P)
                elif wide:
                    _wide_pairs(zero, a, xo, c, go, m, rows, K - k, out, P)
                elif moments:
                    _column_moments(zero, a, xo, a, xo, m, rows, K - k, out, P)
                else:
                    _column_pairs(zero, a, xo, c, go, m, rows, K - k, out, P)
                k += SUM_VECTORS * lanes if wide else lanes
        else:  # runs in pieces: the unit is (o, k, piece)
            run, piece = divmod(unit, pieces)
            o, k = divmod(run, K)
            n = min(block, I - piece * block)
            a = x + (o * xo + k * xk + piece * block) * size
            out = to + ((o * pieces + piece) * row + k) * size
            wholes = n // (SUM_VECTORS * lanes)
            rest = (n - wholes * SUM_VECTORS * lanes + lanes - 1) // lanes
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
    """Σ g and Σ g (x − μ) of the blocks first to last. Runs count times w, if that is not 0."""
    _blocks(
        zero, False, x, xb, xo, xk, g, gb, go, gk, w, mu, B, O, K, I, block, pieces, to, first, last
    )


@jit
def moments(zero, of, rows, P, pieces, count, last_count, mean, variance):
    """μ and Σ (x − μ)² / m of each class, from D, M and a of its blocks: `rows` of 3 P numbers."""
    size = size_of(zero)
    m = rows // pieces * ((pieces - 1) * count + last_count)
    for p in range(P):
        first = float(get(zero, of + (2 * P + p) * size))  # of equal numbers the mean is exact
        first = first if first - first == 0 else 0.0
        total = 0.0
        for row in range(rows):
            c = last_count if row % pieces == pieces - 1 else count
            at = of + (row * 3 * P + p) * size
            a = float(get(zero, at + 2 * P * size))
            total += c * (a - first)
            if a - a == 0:  # else x − a was NaN where x is infinite, but the mean is infinite
                total += get(zero, at)
        mu = first + total / m
        total = 0.0
        for row in range(rows):
            c = last_count if row % pieces == pieces - 1 else count
            at = of + (row * 3 * P + p) * size
            d = float(get(zero, at))
            apart = float(get(zero, at + 2 * P * size)) + d / c - mu
            total += get(zero, at + P * size) - d * d / c + c * (apart * apart)
        total = 0.0 if total < 0 else total
        put(cast(zero, mu), mean + p * size)
        put(cast(zero, total / m), variance + p * size)


@jit
def totals(zero, of, rows, count, to):
    """The sums over `rows` rows of `count` numbers each."""
    size = size_of(zero)
    for p in range(count):
        total = 0.0
        for row in range(rows):
            total += get(zero, of + (row * count + p) * size)
        put(cast(zero, total), to + p * size)
