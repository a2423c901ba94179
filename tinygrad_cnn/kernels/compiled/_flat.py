"""Elementwise loops over memory without gaps, from element `first` to `last`."""

from .._erf import RATIONAL, RATIONAL_32
from ._exp import exp, expm1, polynomial
from ._jit import jit, part
from ._vectors import emit, lanes_of, size_of


def _each(vector):
    """Emits `vector(code, a, b, c, its byte, low, high, lanes)` for all vectors; the bounds in memory."""

    @emit
    def emitted(code, a, b, c, mask, parameters, wholes, rest):
        low = code.broadcast(parameters)
        high = code.broadcast(code.at(parameters, 1))

        def at(place, some):
            vector(
                code,
                *(code.at(v, place) for v in (a, b, c)),
                code.sum(mask, place),
                low,
                high,
                some,
            )

        with code.loop(wholes, 0) as along:
            (place,) = along.values
            at(place, None)
            along.next(code.sum(place, code.lanes))
        with code.when(code.less(0, rest)):
            at(code.times(wholes, code.lanes), code.mask(rest))

    return emitted


def _relu(code, x, _, y, __, low, high, some):
    value = code.load_some(x, some)
    code.store_some(code.choose(code.at_most(value, low), low, value), y, some)


def _relu_input(code, g, y, x, _, low, high, some):
    below = code.at_most(code.load_some(y, some), low)
    code.store_some(code.choose(below, low, code.load_some(g, some)), x, some)


def _keep(code, x, _, y, mask, low, high, some):
    holds = code.equal(code.load_bytes(mask, some), code.number(0))
    code.store_some(code.choose(holds, low, code.load_some(x, some)), y, some)


def _hardtanh(code, x, _, y, mask, low, high, some):
    value = code.load_some(x, some)
    under, over = code.at_most(value, low), code.at_most(high, value)
    result = code.choose(under, low, code.choose(over, high, value))
    code.store_some(result, y, some)
    outside = code.builder.or_(under, over)
    code.store_bytes(code.choose(outside, code.number(0), code.number(1)), mask, some)


def _sigmoid(code, x, _, y, __, low, high, some):
    value, zero = code.load_some(x, some), code.constant(0.0)
    z, one = exp(code, zero - code.unary("fabs", value)), code.constant(1.0)
    code.store_some(code.choose(code.at_most(value, zero), z, one) / (z + one), y, some)


def _tanh(code, x, _, y, __, low, high, some):
    value, zero = code.load_some(x, some), code.constant(0.0)
    e = expm1(code, (zero - code.unary("fabs", value)) * 2.0)
    code.store_some(code.copysign(e / (e + code.constant(2.0)), value), y, some)


def _erf(code, x, _, y, __, low, high, some):
    value, zero = code.load_some(x, some), code.constant(0.0)
    most, numerator, denominator = RATIONAL_32 if code.size == 4 else RATIONAL
    a, top = code.unary("fabs", value), code.constant(most)
    a = code.choose(code.at_most(top, a), top, a)
    u = polynomial(code, numerator, a) * a / polynomial(code, denominator, a)
    code.store_some(code.copysign(expm1(code, zero - u), value), y, some)


_each_relu, _each_relu_input, _each_keep, _each_hardtanh, _each_sigmoid, _each_tanh, _each_erf = (
    map(_each, (_relu, _relu_input, _keep, _hardtanh, _sigmoid, _tanh, _erf))
)


@part
def _range(zero, block, n, first, last):
    """(the first element of the blocks first to last, its byte, whole vectors, elements left)."""
    start, lanes = first * block, lanes_of(zero)
    count = min(last * block, n) - start
    return start, start * size_of(zero), count // lanes, count % lanes


@jit
def relu(zero, a, b, c, mask, bounds, block, n, first, last):
    """c = max(a, 0)."""
    start, at, wholes, rest = _range(zero, block, n, first, last)
    _each_relu(zero, a + at, b + at, c + at, mask + start, bounds, wholes, rest)


@jit
def relu_input(zero, a, b, c, mask, bounds, block, n, first, last):
    """c = a where not b ≤ 0, else 0."""
    start, at, wholes, rest = _range(zero, block, n, first, last)
    _each_relu_input(zero, a + at, b + at, c + at, mask + start, bounds, wholes, rest)


@jit
def keep(zero, a, b, c, mask, bounds, block, n, first, last):
    """c = a where the mask holds, else 0."""
    start, at, wholes, rest = _range(zero, block, n, first, last)
    _each_keep(zero, a + at, b + at, c + at, mask + start, bounds, wholes, rest)


@jit
def hardtanh(zero, a, b, c, mask, bounds, block, n, first, last):
    """c = a within the bounds, and the mask, where a is strictly between them."""
    start, at, wholes, rest = _range(zero, block, n, first, last)
    _each_hardtanh(zero, a + at, b + at, c + at, mask + start, bounds, wholes, rest)


@jit
def sigmoid(zero, a, b, c, mask, bounds, block, n, first, last):
    """c = 1 / (1 + e⁻ᵃ)."""
    start, at, wholes, rest = _range(zero, block, n, first, last)
    _each_sigmoid(zero, a + at, b + at, c + at, mask + start, bounds, wholes, rest)


@jit
def tanh(zero, a, b, c, mask, bounds, block, n, first, last):
    """c = tanh a."""
    start, at, wholes, rest = _range(zero, block, n, first, last)
    _each_tanh(zero, a + at, b + at, c + at, mask + start, bounds, wholes, rest)


@jit
def erf(zero, a, b, c, mask, bounds, block, n, first, last):
    """c = erf a."""
    start, at, wholes, rest = _range(zero, block, n, first, last)
    _each_erf(zero, a + at, b + at, c + at, mask + start, bounds, wholes, rest)
