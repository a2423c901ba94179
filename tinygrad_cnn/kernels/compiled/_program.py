"""A program of elementwise operations, run block by block, so that all between stays in the L1 cache."""

from ._jit import jit, part
from ._vectors import emit, get_integer, lanes_of, size_of

OPERATIONS = (
    "add", "subtract", "multiply", "divide", "maximum", "sqrt", "negative", "absolute", "positive"
)  # fmt: skip


def _operation(name):
    """Emits out = a ∘ b for so many elements; the last five have no b, or take it as NumPy does."""

    def apply(code, a, b):
        builder = code.builder
        if name in ("add", "subtract", "multiply", "divide"):
            return {"add": a.__add__, "subtract": a.__sub__, "multiply": a.__mul__,
                    "divide": a.__truediv__}[name](b)  # fmt: skip
        if name == "maximum":  # a NaN is greater than all else
            first = builder.or_(
                builder.fcmp_ordered(">=", a.value, b.value),
                builder.fcmp_unordered("uno", a.value, a.value),
            )
            return code.choose(first, a, b)
        if name == "negative":
            return code.constant(-0.0) - a
        if name == "positive":
            return a
        return code.unary({"sqrt": "sqrt", "absolute": "fabs"}[name], a)

    @emit
    def emitted(code, a, b, out, wholes, rest):
        def at(place, mask):
            result = apply(
                code,
                code.load_some(code.at(a, place), mask),
                code.load_some(code.at(b, place), mask),
            )
            code.store_some(result, code.at(out, place), mask)

        with code.loop(wholes, 0) as along:
            (place,) = along.values
            at(place, None)
            along.next(code.sum(place, code.lanes))
        with code.when(code.less(0, rest)):
            at(code.times(wholes, code.lanes), code.mask(rest))

    return emitted


(
    _add, _subtract, _multiply, _divide, _maximum, _sqrt, _negative, _absolute, _positive
) = map(_operation, OPERATIONS)  # fmt: skip


@emit
def _fill(code, constant, to, wholes):
    """So many whole vectors of the number at an address."""
    vector = code.broadcast(constant)
    with code.loop(wholes, 0) as along:
        (place,) = along.values
        code.store(vector, code.at(to, place))
        along.next(code.sum(place, code.lanes))


@part
def _slot(arrays, many, at, scratch, block, slot):
    """The address of a slot: of an array at that byte, or of a block beside."""
    if slot < many:
        return get_integer(arrays + 8 * slot) + at
    return scratch + (slot - many) * block


@jit
def run(
    zero, program, length, table, many, spare, constants, given, block, first, last, scratch
):  # fmt: skip
    """`length` instructions (operation, a, b, out) on the blocks first to last of many jobs.

    A row of the table is a job: its first block, its elements, and the addresses of `many` arrays. The
    row after the last has the number of all blocks. Slots from `many` on are blocks of scratch memory:
    `spare` of them, then one full of each of the `given` constants, which each job has of its own.
    """
    size, lanes, wide = size_of(zero), lanes_of(zero), 8 * (2 + many)
    row, job, filled = table, 0, -1
    for unit in range(first, last):
        while get_integer(row + wide) <= unit:
            row, job = row + wide, job + 1
        if filled != job:
            filled = job
            for k in range(given):
                constant = constants + (job * given + k) * size
                _fill(zero, constant, scratch + (spare + k) * block * size, block // lanes)
        begin, arrays = (unit - get_integer(row)) * block, row + 16
        m, at = min(block, get_integer(row + 8) - begin), begin * size
        wholes, rest = m // lanes, m % lanes
        for k in range(length):
            line = program + 32 * k
            operation = get_integer(line)
            a = _slot(arrays, many, at, scratch, block * size, get_integer(line + 8))
            b = _slot(arrays, many, at, scratch, block * size, get_integer(line + 16))
            out = _slot(arrays, many, at, scratch, block * size, get_integer(line + 24))
            if operation == 0:
                _add(zero, a, b, out, wholes, rest)
            elif operation == 1:
                _subtract(zero, a, b, out, wholes, rest)
            elif operation == 2:
                _multiply(zero, a, b, out, wholes, rest)
            elif operation == 3:
                _divide(zero, a, b, out, wholes, rest)
            elif operation == 4:
                _maximum(zero, a, b, out, wholes, rest)
            elif operation == 5:
                _sqrt(zero, a, b, out, wholes, rest)
            elif operation == 6:
                _negative(zero, a, b, out, wholes, rest)
            elif operation == 7:
                _absolute(zero, a, b, out, wholes, rest)
            else:
                _positive(zero, a, b, out, wholes, rest)
