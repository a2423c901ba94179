"""A program of elementwise operations, run on blocks that stay in the L1 cache."""

from .. import exponential
from ..code import emit
from ..jit import jit, part
from ..scalars import INT, get_integer, lanes_of, size_of


def _extreme(order):
    """The larger (">=") or smaller ("<=") number, as NumPy has it: a NaN comes before all others.

    Of two zeros the first one, where NumPy's builds differ.
    """

    def choose(code, a, b):
        ordered = code.builder.fcmp_ordered(order, a.value, b.value)
        nan = code.builder.fcmp_unordered("uno", a.value, a.value)
        return code.select(code.builder.or_(ordered, nan), a, b)

    return choose


_maximum, _minimum = _extreme(">="), _extreme("<=")


def _compare(order):
    def compare(code, a, b):
        return code.builder.fcmp_ordered(order, a.value, b.value)

    return compare


def _where(code, condition, a, b):
    """As NumPy has it: a NaN counts as true."""
    holds = code.builder.fcmp_unordered("!=", condition.value, code.constant(0.0).value)
    return code.select(holds, a, b)


def _between(code, y, low, high):
    below = code.builder.fcmp_unordered("!=", y.value, low.value)
    return code.builder.and_(below, code.builder.fcmp_unordered("!=", y.value, high.value))


def _relu(code, x):
    zero = code.constant(0.0)
    return code.select(code.less_equal(x, zero), zero, x)


def _rectified(code, g, y):
    zero = code.constant(0.0)
    return code.select(code.less_equal(y, zero), zero, g)


EXACT = {  # operations with NumPy's bits, but for the sign of a zero from two: updates use these
    "add": lambda code, a, b: a + b,
    "subtract": lambda code, a, b: a - b,
    "multiply": lambda code, a, b: a * b,
    "divide": lambda code, a, b: a / b,
    "maximum": _maximum,
    "minimum": _minimum,
    "square": lambda code, a: a * a,
    "sqrt": lambda code, a: code.call("sqrt", a),
    "negative": lambda code, a: code.constant(-0.0) - a,
    "absolute": lambda code, a: code.call("fabs", a),
    "positive": lambda code, a: a,
}
OPERATIONS = {
    **EXACT,
    "less": _compare("<"),
    "less_equal": _compare("<="),
    "equal": _compare("=="),
    "where": _where,
    "clip": lambda code, x, low, high: _minimum(code, _maximum(code, x, low), high),
    "between": _between,
    "relu": _relu,
    "rectified": _rectified,
    "exp": exponential.exp_of_any,
    "expm1": exponential.expm1_of_any,
    "log1p": exponential.log1p,
    "sigmoid": exponential.sigmoid,
    "tanh": exponential.tanh,
    "erf": exponential.erf,
}
TRUTHS = ("less", "less_equal", "equal", "between")
# Truths are 1 and 0 in scratch memory, and bytes in arrays.
FROM_BYTES = ("from_bytes", "masked")  # operations whose first operand is an array of bytes
TO_BYTES = ("to_bytes", *(f"{name}_to_bytes" for name in TRUTHS))
NUMBER = {name: k for k, name in enumerate((*OPERATIONS, *FROM_BYTES, *TO_BYTES))}
FIRST_FROM_BYTES, FIRST_TO_BYTES = NUMBER[FROM_BYTES[0]], NUMBER[TO_BYTES[0]]


def _vector(code, name, a, b, c, out, place, some):
    """One vector of an operation. `some` is the mask of its lanes, or None for all."""

    def load(address):
        return code.load(code.at(address, place), some)

    none, operation = code.number(0), name.removesuffix("_to_bytes")
    if name in FROM_BYTES:
        mask = code.load_bytes(code.plus(a, place), some)
        value = load(b) if name == "masked" else code.constant(1.0)
        result = code.select(code.equal(mask, none), code.constant(0.0), value)
    elif name == "to_bytes":
        result = _compare("!=")(code, load(a), code.constant(0.0))
    else:
        function = OPERATIONS[operation]
        result = function(code, *map(load, (a, b, c)[: function.__code__.co_argcount - 1]))
    if name in TO_BYTES:
        code.store_bytes(code.select(result, code.number(1), none), code.plus(out, place), some)
    else:
        result = code.select_constants(result, 1.0, 0.0) if operation in TRUTHS else result
        code.store(result, code.at(out, place), some)


@emit
def _operate(code, operation, a, b, c, out, wholes, rest):
    """out = an operation of a, b and c, or fewer, on `wholes` vectors and `rest` elements."""
    builder = code.builder
    after = builder.append_basic_block("after")
    switch = builder.switch(operation, after)
    for name, number in NUMBER.items():
        case = builder.append_basic_block(name)
        switch.add_case(INT(number), case)
        builder.position_at_end(case)
        with code.loop(wholes, (0, code.lanes)) as (place,):
            _vector(code, name, a, b, c, out, place, None)
        with code.when(code.less(0, rest)):
            at = code.times(wholes, code.lanes)
            _vector(code, name, a, b, c, out, at, code.mask(rest))
        builder.branch(after)
    builder.position_at_end(after)


@emit
def _fill(code, constant, to, wholes):
    """`wholes` vectors of the number at an address."""
    vector = code.splat_at(constant)
    with code.loop(wholes, (to, code.bytes_of(code.lanes))) as (place,):
        code.store(vector, place)


@part
def _slot(arrays, many, row, at, scratch, block, slot):
    """The address of a slot: that byte of a row of an array, or a block of scratch memory."""
    if slot < many:
        place = arrays + 16 * slot
        return get_integer(place) + row * get_integer(place + 8) + at
    return scratch + (slot - many) * block


@jit
def run(
    zero, program, length, table, many, spare, constants, given, block, first, last, scratch
):  # fmt: skip
    """`length` instructions (operation, a, b, c, out) on the blocks first to last of many jobs.

    A line of the table is a job: its first block, the elements of a row, and for each of `many`
    arrays the address and the bytes from row to row. The line after the last has the number of
    all blocks. Slots from `many` on are blocks of scratch memory: `spare` of them, then one
    filled with each of the `given` constants of the job.
    """
    size, lanes, wide = size_of(zero), lanes_of(zero), 16 * (1 + many)
    job, number, filled, n, each, arrays = table, 0, -1, 0, 1, table
    for unit in range(first, last):
        while get_integer(job + wide) <= unit:
            job, number = job + wide, number + 1
        if filled != number:
            filled, n, arrays = number, get_integer(job + 8), job + 16
            each = (n + block - 1) // block  # blocks of a row
            for k in range(given):
                constant = constants + (number * given + k) * size
                _fill(zero, constant, scratch + (spare + k) * block * size, block // lanes)
        row = (unit - get_integer(job)) // each
        begin = (unit - get_integer(job) - row * each) * block
        m, at = min(block, n - begin), begin * size
        wholes, rest = m // lanes, m % lanes
        for k in range(length):
            line = program + 40 * k
            operation = get_integer(line)
            # an array of bytes has one for an element
            first_at = begin if FIRST_FROM_BYTES <= operation < FIRST_TO_BYTES else at
            last_at = begin if operation >= FIRST_TO_BYTES else at
            a = _slot(arrays, many, row, first_at, scratch, block * size, get_integer(line + 8))
            b = _slot(arrays, many, row, at, scratch, block * size, get_integer(line + 16))
            c = _slot(arrays, many, row, at, scratch, block * size, get_integer(line + 24))
            out = _slot(arrays, many, row, last_at, scratch, block * size, get_integer(line + 32))
            _operate(zero, operation, a, b, c, out, wholes, rest)
