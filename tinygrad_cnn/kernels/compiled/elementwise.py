"""`elementwise` compiled: a function is traced once, and its operations run on blocks in the L1 cache."""

from array import array

import numpy as np

from .. import _elementwise, _erf
from .._parts import LARGE, alike
from . import _program
from ._calls import FLOATS, address, share
from ._trace import ARRAY, GIVEN, SETTLED, SPARE, StandIn, Trace

BLOCK = 1 << 10  # elements, as many vectors as there are
PASS = 16  # multiply-adds in whose time an element is read from memory
COST = 4  # of an operation

KNOWN = {  # as one operation
    _elementwise.between: "between", _elementwise.masked: "kept", _elementwise.rectified: "rectified",
    _elementwise.sigmoid: "sigmoid", _erf.erf: "erf",
}  # fmt: skip

_programs: dict = {}


def elementwise(f, *given, **constants):
    """See `_elementwise.elementwise`."""
    first = given[0]
    if type(first) is np.ndarray and first.size < LARGE:
        return f(*given, **constants)
    if type(first) is StandIn:
        return first.trace.call(f, given, constants)
    made = _run(f, given, constants)
    return _elementwise.elementwise(f, *given, **constants) if made is None else made


def _run(f, given, constants):
    """What f makes of these arrays, by its program; None, and nothing made, where it has none."""
    x = next((a for a in given if type(a) is np.ndarray and any(a.strides)), None)
    if x is None or x.dtype not in FLOATS:
        return None
    key, arrays, numbers = [f, x.dtype], [], []
    for a in (*given, *constants.values()):
        if type(a) is not np.ndarray:
            if type(a) not in SETTLED and type(a) is not x.dtype.type:
                return None
            key += type(a), repr(a)
        elif a.dtype not in (x.dtype, np.bool_) or a.shape not in (x.shape, ()):
            return None
        elif _is_number(a):
            key.append(GIVEN)
            numbers.append(a.item(0))
        else:
            key.append((ARRAY, a.dtype))
            arrays.append(a)
    key = (*key, *constants)
    program = _programs.get(key, 0)
    if program == 0:
        program = _traced(f, x.dtype, given, constants)
        if len(_programs) >= 256:  # where numbers that f is given are of each call
            _programs.clear()
        _programs[key] = program
    return program and _made(*program, x, arrays, numbers)


def _is_number(a):
    """Whether it is one number, broadcast: that is none of its arrays to a program."""
    return not any(a.strides) and a.dtype != np.bool_


def _traced(f, dtype, given, constants):
    """The program of f and the dtypes of its results, or None."""
    trace = Trace(_program.OPERATIONS, (SPARE,), dtype, KNOWN)
    given = [
        a if type(a) is not np.ndarray else trace.new(GIVEN if _is_number(a) else ARRAY, a.dtype)
        for a in given
    ]
    try:
        results = trace.call(f, given, constants)
        results = results if type(results) is tuple else (results,)
        return trace.end(results)
    except Exception:  # it does what an array can and a stand-in cannot: NumPy's set runs it
        return None


def _made(trace, dtypes, x, arrays, numbers):
    """The results, of arrays that lie as x or are made to."""
    made = [np.empty_like(x, dtype) for dtype in dtypes]
    for k, a in enumerate(arrays):
        if not a.flags.aligned or alike(made[0], a) is None:
            arrays[k] = np.empty_like(made[0], a.dtype)
            arrays[k][...] = a
    arrays += made
    blocks = -(-x.size // BLOCK)
    table = array("q", [0, x.size, *map(address, arrays), blocks])
    fixed = array(x.dtype.char, [*numbers, *trace.named.values()])
    common = (
        trace.place, len(trace.program), table.buffer_info()[0], len(arrays), trace.spare,
        fixed.buffer_info()[0], len(fixed), BLOCK,
    )  # fmt: skip
    nbytes = (trace.spare + len(fixed)) * BLOCK * x.itemsize
    cost = x.size * (PASS + COST * len(trace.program))
    share(_program.run, x.dtype, common, blocks, cost, nbytes)
    return made[0] if len(made) == 1 else tuple(made)
