"""Σ g and Σ g (x − μ) r over rows of their own μ and r: the gradients of layer norm's bias and weight."""

from ._jit import jit
from ._norm import WIDE
from ._vectors import emit, lanes_of, size_of


def _column_sums(wide):
    """Emits both sums of some columns of so many rows, the second `apart` after the first."""

    @emit
    def emitted(code, x, x_row, g, g_row, mu, r, rows, n, to, apart):
        def columns(mask):
            places = [j * code.lanes for j in range(wide)]
            first, second = ([code.variable() for _ in places] for _ in "ab")
            for variable in (*first, *second):
                code.set(variable, code.constant(0.0))
            with code.loop(rows, x, g, mu, r) as down:
                x_now, g_now, *of_row = down.values
                mean, scale = (code.broadcast(address) for address in of_row)
                for place, a, b in zip(places, first, second, strict=True):
                    d = (code.load_some(code.at(x_now, place), mask) - mean) * scale
                    of_g = code.load_some(code.at(g_now, place), mask)
                    code.set(a, code.get(a) + of_g)
                    code.set(b, code.add_product(of_g, d, code.get(b)))
                after = [code.at(address, 1) for address in of_row]
                down.next(code.at(x_now, x_row), code.at(g_now, g_row), *after)
            for place, a, b in zip(places, first, second, strict=True):
                code.store_some(code.get(a), code.at(to, place), mask)
                code.store_some(code.get(b), code.at(to, apart, place), mask)

        if wide == 1:
            code.masked(n, columns)
        else:
            columns(None)

    return emitted


_one, _wide = _column_sums(1), _column_sums(WIDE)


@jit
def sums(zero, x, x_row, g, g_row, mu, r, rows, n, block, to, first, last):
    """Of the blocks first to last of so many rows each: to (block, 2, n)."""
    size, lanes = size_of(zero), lanes_of(zero)
    for unit in range(first, last):
        row, out = unit * block, to + unit * 2 * n * size
        of_x, of_g, m, s = (
            x + row * x_row * size, g + row * g_row * size, mu + row * size, r + row * size,
        )  # fmt: skip
        count, k = min(block, rows - row), 0
        while k < n:
            a, b, at = of_x + k * size, of_g + k * size, out + k * size
            if n - k >= WIDE * lanes:
                _wide(zero, a, x_row, b, g_row, m, s, count, n - k, at, n)
                k += WIDE * lanes
            else:
                _one(zero, a, x_row, b, g_row, m, s, count, n - k, at, n)
                k += lanes
