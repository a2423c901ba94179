"""Elementwise loops over memory without gaps, from element `first` to `last`."""

from ._jit import jit
from ._vectors import emit, lanes_of, size_of


def _each(vector):
    """Emits `vector(code, addresses of an element, of its byte, parameters, mask)` for all vectors.

    `arrays` are of elements, `bytes` of bytes beside them, and `parameters` numbers in memory.
    """

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

    @jit
    def kernel(zero, a, b, c, mask, parameters, first, last):
        size, lanes = size_of(zero), lanes_of(zero)
        n, at = last - first, first * size
        emitted(zero, a + at, b + at, c + at, mask + first, parameters, n // lanes, n % lanes)

    return kernel


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


relu, relu_input, keep, hardtanh = map(_each, (_relu, _relu_input, _keep, _hardtanh))
