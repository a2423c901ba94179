"""Σ g and Σ g (x − μ) r over rows, each with its own μ and r: layer norm's bias and weight."""

from ..code import emit
from ..jit import jit
from ..scalars import lanes_of, size_of
from ..tuning import SUM_VECTORS


def _column_sums(wide):
    """Both sums over rows of `wide` vectors of columns, to `to` and `apart` elements after it."""

    @emit
    def emitted(code, x, x_row, g, g_row, mu, r, rows, n, to, apart):
        def columns(mask):
            places = [j * code.lanes for j in range(wide)]
            zero = code.constant(0.0)
            first, second = ([code.variable(zero) for _ in places] for _ in "ab")
            walks = (
                (x, code.bytes_of(x_row)), (g, code.bytes_of(g_row)), (mu, code.size),
                (r, code.size)
            )  # fmt: skip
            with code.loop(rows, *walks) as (x_now, g_now, *of_row):
                mean, scale = (code.splat_at(address) for address in of_row)
                for place, a, b in zip(places, first, second, strict=True):
                    d = (code.load(code.at(x_now, place), mask) - mean) * scale
                    of_g = code.load(code.at(g_now, place), mask)
                    code.accumulate(a, of_g)
                    code.accumulate(b, of_g, d)
            for place, a, b in zip(places, first, second, strict=True):
                code.store(code.get(a), code.at(to, place), mask)
                code.store(code.get(b), code.at(to, apart, place), mask)

        if wide == 1:
            code.masked(n, columns)
        else:
            columns(None)

    return emitted


_one, _wide = _column_sums(1), _column_sums(SUM_VECTORS)


@jit
def sums(zero, x, x_row, g, g_row, mu, r, rows, n, block, to, first, last):
    """Of the blocks first to last of `block` rows each: to (block, 2, n)."""
    size, lanes = size_of(zero), lanes_of(zero)
    for unit in range(first, last):
        row, out = unit * block, to + unit * 2 * n * size
        of_x, of_g, m, s = (
            x + row * x_row * size, g + row * g_row * size, mu + row * size, r + row * size,
        )  # fmt: skip
        count, k = min(block, rows - row), 0
        while k < n:
            a, b, at = of_x + k * size, of_g + k * size, out + k * size
            if n - k >= SUM_VECTORS * lanes:
                _wide(zero, a, x_row, b, g_row, m, s, count, n - k, at, n)
                k += SUM_VECTORS * lanes
            else:
                _one(zero, a, x_row, b, g_row, m, s, count, n - k, at, n)
                k += lanes
