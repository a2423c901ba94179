"""Softmax and its kin on rows of n numbers, which lie one behind the other: rows `first` to `last`.

A row goes through the processor some times, but through memory once: it stays in the cache, where it is
not longer than that.
"""

from ._exp import exp
from ._jit import jit, part
from ._vectors import cast, emit, get, get_integer, lanes_of, put, size_of

WIDE = 4  # vectors side by side, so that operations need not wait for each other


class _Row:
    """Emits loops along a row: `wholes` times WIDE vectors, `ones` more, and what is left of n."""

    def __init__(self, code, wholes, ones, n):
        self.code, self.wholes, self.ones, self.n = code, wholes, ones, n

    def each(self, step, *places):
        """`step(j, *addresses, mask)`: of the vectors side by side the j-th."""
        code = self.code

        def loop(count, wide, places):
            span = wide * code.lanes
            with code.loop(count, *places) as along:
                for j in range(wide):
                    step(j, *(code.at(place, j * code.lanes) for place in along.values), None)
                along.next(*(code.at(place, span) for place in along.values))
            return [code.at(place, code.times(count, span)) for place in places]

        places = loop(self.ones, 1, loop(self.wholes, WIDE, places))
        done = code.times(code.sum(code.times(self.wholes, WIDE), self.ones), code.lanes)
        left = code.builder.sub(code.integer(self.n), done)
        with code.when(code.less(0, left)):
            step(0, *places, code.mask(left))

    def fold(self, start, operation, value, *places):
        """A vector of what the operation makes of `value(*addresses, mask)`, from `start` on."""
        code = self.code
        begin = code.constant(start)
        found = [code.variable() for _ in range(WIDE)]
        for variable in found:
            code.set(variable, begin)

        def step(j, *rest):
            v, mask = value(*rest), rest[-1]
            v = v if mask is None else code.choose(mask, v, begin)
            code.set(found[j], operation(v, code.get(found[j])))

        self.each(step, *places)
        a, b, c, d = map(code.get, found)
        return code.fold(operation(operation(a, b), operation(c, d)), operation)

    def top(self, x):
        """max x, of what is not NaN: what is NaN makes all of the row so when it is added up."""
        code = self.code
        return self.fold(float("-inf"), code.larger, code.load_some, x)

    def sum(self, value, *places):
        return self.fold(0.0, lambda a, b: a + b, value, *places)


def _rows(build):
    """`build(row, code, a, b, c)`, emitted."""

    @emit
    def emitted(code, a, b, c, wholes, ones, n):
        build(_Row(code, wholes, ones, n), code, a, b, c)

    return emitted


def _exps(row, code, x, y, factor):
    """y = f eˣ⁻ᵐ / Σ eˣ⁻ᵐ, for the maximum m."""
    top = row.top(x)

    def one(x, y, mask):
        e = exp(code, code.load_some(x, mask) - top)
        code.store_some(e, y, mask)
        return e

    factor = factor / row.sum(one, x, y)
    row.each(lambda j, y, mask: code.store_some(code.load_some(y, mask) * factor, y, mask), y)


def _logarithm(row, code, x):
    """m and ln Σ eˣ⁻ᵐ."""
    top = row.top(x)
    return top, code.log(row.sum(lambda x, mask: exp(code, code.load_some(x, mask) - top), x))


def _log_softmax(row, code, x, _, y):
    top, log = _logarithm(row, code, x)
    row.each(
        lambda j, x, y, mask: code.store_some(code.load_some(x, mask) - top - log, y, mask), x, y
    )


def _softmax_input(row, code, g, y, dx):
    total = row.sum(lambda g, y, mask: code.load_some(g, mask) * code.load_some(y, mask), g, y)

    def one(j, g, y, dx, mask):
        g, y = code.load_some(g, mask), code.load_some(y, mask)
        code.store_some(g * y - y * total, dx, mask)

    row.each(one, g, y, dx)


def _log_softmax_input(row, code, g, y, dx):
    total = row.sum(code.load_some, g)

    def one(j, g, y, dx, mask):
        e = exp(code, code.load_some(y, mask))
        code.store_some(code.load_some(g, mask) - e * total, dx, mask)

    row.each(one, g, y, dx)


def _log_of_one(row, code, x, at, to):
    top, log = _logarithm(row, code, x)
    code.store_first(code.broadcast(at) - top - log, to)


_row_softmax = _rows(lambda row, code, x, _, y: _exps(row, code, x, y, code.constant(1.0)))
_row_times = _rows(lambda row, code, x, f, y: _exps(row, code, x, y, code.broadcast(f)))
_row_log_softmax, _row_softmax_input, _row_log_softmax_input, _row_log_of_one = map(
    _rows, (_log_softmax, _softmax_input, _log_softmax_input, _log_of_one)
)


@part
def _vectors(zero, n):
    """(bytes of a row, WIDE vectors of it, vectors more)."""
    vectors = n // lanes_of(zero)
    return n * size_of(zero), vectors // WIDE, vectors % WIDE


@jit
def softmax(zero, a, b, c, n, first, last):
    """c = eᵃ / Σ eᵃ."""
    step, wholes, ones = _vectors(zero, n)
    for at in range(first * step, last * step, step):
        _row_softmax(zero, a + at, b + at, c + at, wholes, ones, n)


@jit
def log_softmax(zero, a, b, c, n, first, last):
    """c = a − ln Σ eᵃ."""
    step, wholes, ones = _vectors(zero, n)
    for at in range(first * step, last * step, step):
        _row_log_softmax(zero, a + at, b + at, c + at, wholes, ones, n)


@jit
def softmax_input(zero, a, b, c, n, first, last):
    """c = b (a − Σ a b)."""
    step, wholes, ones = _vectors(zero, n)
    for at in range(first * step, last * step, step):
        _row_softmax_input(zero, a + at, b + at, c + at, wholes, ones, n)


@jit
def log_softmax_input(zero, a, b, c, n, first, last):
    """c = a − eᵇ Σ a."""
    step, wholes, ones = _vectors(zero, n)
    for at in range(first * step, last * step, step):
        _row_log_softmax_input(zero, a + at, b + at, c + at, wholes, ones, n)


@part
def _label(zero, target, weight, ignored, n, row, wrong):
    """(the class, its weight) of a row: 0 and 0 of one that is ignored. None of n: says so at `wrong`."""
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
    step, wholes, ones = _vectors(zero, n)
    size = size_of(zero)
    for row in range(first, last):
        label, w = _label(zero, target, weight, ignored, n, row, wrong)
        to, at = loss + row * size, x + row * step
        put(w, own + row * size)
        if w == 0:
            put(zero, to)
        else:
            _row_log_of_one(zero, at, at + label * size, to, wholes, ones, n)
            put(get(zero, to) * -w, to)


@jit
def cross_entropy_input(
    zero, g, g_step, x, target, weight, ignored, n, dx, wrong, first, last
):  # fmt: skip
    """dx = g w (p − [target])."""
    step, wholes, ones = _vectors(zero, n)
    size = size_of(zero)
    for row in range(first, last):
        label, w = _label(zero, target, weight, ignored, n, row, wrong)
        to, factor = dx + row * step, get(zero, g + row * g_step) * w
        put(factor, to)  # it is read before anything is written there
        _row_times(zero, x + row * step, to, to, wholes, ones, n)
        put(get(zero, to + label * size) - factor, to + label * size)
