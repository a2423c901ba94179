"""Softmax, its logarithm and the loss of labels, on contiguous rows of n numbers.

A row is processed several times, but fetched from memory once: a row that fits stays in
the cache.
"""

from ..code import emit
from ..exponential import exp
from ..jit import jit, part
from ..scalars import cast, get, get_integer, lanes_of, put, size_of
from ..tuning import SUM_VECTORS
from ..vector import fold


class _Row:
    """Emits loops along a row of n: `wholes` times SUM_VECTORS vectors, `ones`, and a rest."""

    def __init__(self, code, wholes, ones, n):
        self.code, self.wholes, self.ones, self.n = code, wholes, ones, n

    def each(self, step, *places):
        """`step(j, *addresses, mask)` for each vector of the row, the j-th of a group."""
        code = self.code
        for count, wide in ((self.wholes, SUM_VECTORS), (self.ones, 1)):
            span = code.bytes_of(wide * code.lanes)
            # after the loop, `places` are the addresses behind it
            with code.loop(count, *((place, span) for place in places)) as places:
                for j in range(wide):
                    step(j, *(code.at(place, j * code.lanes) for place in places), None)
        done = code.plus(code.times(self.wholes, SUM_VECTORS), self.ones)
        left = code.minus(self.n, code.times(done, code.lanes))
        with code.when(code.less(0, left)):
            step(0, *places, code.mask(left))

    def fold(self, start, operation, value, *places):
        """A vector: the operation over `value(*addresses, mask)` of the row, from `start` on."""
        code = self.code
        begin = code.constant(start)
        found = [code.variable(begin) for _ in range(SUM_VECTORS)]

        def step(j, *rest):
            v, mask = value(*rest), rest[-1]
            v = v if mask is None else code.select(mask, v, begin)
            code.set(found[j], operation(v, code.get(found[j])))

        self.each(step, *places)
        return code.reduce_lanes(fold(operation, [code.get(one) for one in found]), operation)

    def maximum(self, x):
        """max x of the numbers that are not NaN. A NaN makes the sum of the exponentials NaN."""
        return self.fold(float("-inf"), self.code.maximum, self.code.load, x)

    def sum(self, value, *places):
        return self.fold(0.0, lambda a, b: a + b, value, *places)


def _row(build):
    """A function for compiled code that emits `build(row, code, a, b, c)`."""

    @emit
    def emitted(code, a, b, c, wholes, ones, n):
        build(_Row(code, wholes, ones, n), code, a, b, c)

    return emitted


def _exponentials(row, code, x, y, factor):
    """y = f eˣ⁻ᵐ / Σ eˣ⁻ᵐ, for the maximum m and a vector f."""
    top = row.maximum(x)

    def one(x, y, mask):
        e = exp(code, code.load(x, mask) - top)
        code.store(e, y, mask)
        return e

    factor = factor / row.sum(one, x, y)
    row.each(lambda j, y, mask: code.store(code.load(y, mask) * factor, y, mask), y)


def _logarithm(row, code, x):
    """m and ln Σ eˣ⁻ᵐ."""
    top = row.maximum(x)
    total = row.sum(lambda x, mask: exp(code, code.load(x, mask) - top), x)
    return top, code.log_of_first_lane(total)


# --- Rows that are independent: c from a and b ----------------------------------------------------


@part
def _lengths(zero, n):
    """(bytes of a row, SUM_VECTORS vectors of it, vectors more)."""
    vectors = n // lanes_of(zero)
    return n * size_of(zero), vectors // SUM_VECTORS, vectors % SUM_VECTORS


def _of_rows(build):
    """A kernel: `build` for the rows first to last."""
    row = _row(build)

    @jit
    def kernel(zero, a, b, c, n, first, last):
        step, wholes, ones = _lengths(zero, n)
        for at in range(first * step, last * step, step):
            row(zero, a + at, b + at, c + at, wholes, ones, n)

    return kernel


def _log_softmax(row, code, x, _, y):
    top, log = _logarithm(row, code, x)
    row.each(lambda j, x, y, mask: code.store(code.load(x, mask) - top - log, y, mask), x, y)


def _softmax_input(row, code, g, y, dx):
    total = row.sum(lambda g, y, mask: code.load(g, mask) * code.load(y, mask), g, y)

    def one(j, g, y, dx, mask):
        g, y = code.load(g, mask), code.load(y, mask)
        code.store(g * y - y * total, dx, mask)

    row.each(one, g, y, dx)


def _log_softmax_input(row, code, g, y, dx):
    total = row.sum(code.load, g)

    def one(j, g, y, dx, mask):
        e = exp(code, code.load(y, mask))
        code.store(code.load(g, mask) - e * total, dx, mask)

    row.each(one, g, y, dx)


# c = eᵃ / Σ eᵃ;  a − ln Σ eᵃ;  b (a − Σ a b);  a − eᵇ Σ a
softmax = _of_rows(lambda row, code, x, _, y: _exponentials(row, code, x, y, code.constant(1.0)))
log_softmax = _of_rows(_log_softmax)
softmax_input = _of_rows(_softmax_input)
log_softmax_input = _of_rows(_log_softmax_input)


# --- The loss of labels -------------------------------------------------------------------------


@_row
def _log_of_one(row, code, x, at, to):
    """The logarithm of the softmax at one address, to another."""
    top, log = _logarithm(row, code, x)
    code.store_first(code.splat_at(at) - top - log, to)


@_row
def _scaled_softmax(row, code, x, factor, y):
    _exponentials(row, code, x, y, code.splat_at(factor))


@part
def _label(zero, target, weight, ignored, n, row, wrong):
    """(class, weight) of a row; 0 and 0 if ignored. A label that is no class is put at `wrong`."""
    label = get_integer(target + 8 * row)
    if label == ignored:
        return 0, zero
    if label < 0 or label >= n:
        put(1, wrong)
        return 0, zero
    return label, get(zero, weight + label * size_of(zero)) if weight else cast(zero, 1)


@jit
def cross_entropy(zero, x, target, weight, ignored, n, loss, own, wrong, first, last):
    """loss = −w ln p[target] and own = w, for each row."""
    step, wholes, ones = _lengths(zero, n)
    size = size_of(zero)
    for row in range(first, last):
        label, w = _label(zero, target, weight, ignored, n, row, wrong)
        to, at = loss + row * size, x + row * step
        put(w, own + row * size)
        if w == 0:
            put(zero, to)
        else:
            _log_of_one(zero, at, at + label * size, to, wholes, ones, n)
            put(get(zero, to) * -w, to)


@jit
def cross_entropy_input(
    zero, g, g_step, x, target, weight, ignored, n, dx, wrong, first, last
):  # fmt: skip
    """dx = g w (p − [target])."""
    step, wholes, ones = _lengths(zero, n)
    size = size_of(zero)
    for row in range(first, last):
        label, w = _label(zero, target, weight, ignored, n, row, wrong)
        to, factor = dx + row * step, get(zero, g + row * g_step) * w
        put(factor, to)  # it is read before anything is written there
        _scaled_softmax(zero, x + row * step, to, to, wholes, ones, n)
        put(get(zero, to + label * size) - factor, to + label * size)
