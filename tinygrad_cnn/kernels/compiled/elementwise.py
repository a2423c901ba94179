"""`elementwise` compiled: a function is traced once, and its operations run on blocks in the L1 cache."""

from array import array
from itertools import chain

import numpy as np

from .. import _elementwise, _erf
from .._parts import LARGE, alike
from . import _program
from ._calls import FLOATS, share
from ._jit import addresses
from ._trace import ARRAY, GIVEN, SETTLED, SPARE, StandIn, Trace, Unknown

BLOCK = 1 << 10  # elements, as many vectors as there are
PASS = 16  # multiply-adds in whose time an element is read from memory
COST = 4  # of an operation
RUN = 16  # elements one after the other, that an array with gaps is read by; else it is copied

KNOWN = {  # as one operation
    _elementwise.between: "between", _elementwise.masked: "kept", _elementwise.rectified: "rectified",
    _elementwise.logistic: "sigmoid", _erf.erf: "erf",
}  # fmt: skip

_plans: dict = {}


def elementwise(f, *given, **constants):
    """See `_elementwise.elementwise`."""
    first = given[0]
    if type(first) is np.ndarray and first.size < LARGE:
        return f(*given, **constants)
    if type(first) is StandIn:
        return first.trace.call(f, given, constants)
    key, arrays = [f], []
    for a in given:
        if type(a) is np.ndarray:
            key += a.dtype, a.shape, a.strides, a.flags.aligned
            arrays.append(a)
        else:
            key += type(a), repr(a)
    for name, a in constants.items():
        key += name, type(a), repr(a)
    key = tuple(key)
    plan = _plans.get(key, 0)
    if plan == 0:
        try:
            plan = _Plan(f, given, arrays, constants)
        except Exception:  # f does what an array can and a stand-in cannot: NumPy's set runs it
            plan = None
        if len(_plans) >= 1024:  # where numbers that f is given are of each call
            _plans.clear()
        _plans[key] = plan
    return plan.run(arrays) if plan else _elementwise.elementwise(f, *given, **constants)


class _Plan:
    """All of a call but what the arrays hold and where they are: of their dtypes, shapes and strides."""

    def __init__(self, f, given, arrays, constants):
        self.like = next(k for k, a in enumerate(arrays) if any(a.strides))
        x = arrays[self.like]
        if x.dtype not in FLOATS or not x.size:
            raise Unknown
        self.numbers, self.arrays = [], []  # places among the arrays
        trace, stand_ins = Trace(_program.OPERATIONS, (SPARE,), x.dtype, KNOWN), []
        for a in given:
            if type(a) is not np.ndarray:
                stand_ins.append(a)
                continue
            if a.dtype not in (x.dtype, np.bool_) or a.shape not in (x.shape, ()):
                raise Unknown
            number = not any(a.strides) and a.dtype != np.bool_  # one number, broadcast
            stand_ins.append(trace.new(GIVEN if number else ARRAY, a.dtype))
            of_kind = self.numbers if number else self.arrays
            of_kind.append(len(self.numbers) + len(self.arrays))
        for a in (*stand_ins, *constants.values()):
            if type(a) not in (StandIn, x.dtype.type, *SETTLED):
                raise Unknown
        results = trace.call(f, stand_ins, constants)
        self.several = type(results) is tuple
        self.trace, self.dtypes = trace.end(results if self.several else (results,))
        self.named = array(x.dtype.char, trace.named.values())
        self._lay_out(x, [arrays[k] for k in self.arrays])

    def _lay_out(self, x, arrays):
        """The elements of a row and the bytes from row to row, of each array; those to be copied before."""
        y = np.empty_like(x)  # its axes in memory in the order of those of x, and without gaps
        order = tuple(alike(y))
        runs = [_runs(a.shape, a.strides, a.itemsize, order) for a in arrays]
        short = {n for n, _ in runs if RUN <= n < x.size}
        self.n = n = short.pop() if len(short) == 1 else x.size
        whole = [n * a.itemsize for a in arrays]
        self.copied = [
            k for k, a in enumerate(arrays) if runs[k][0] not in (n, x.size) or not a.flags.aligned
        ]
        self.steps = [
            size if k in self.copied or runs[k][0] == x.size else runs[k][1]
            for k, size in enumerate(whole)
        ]
        self.steps += [n * dtype.itemsize for dtype in self.dtypes]
        self.block, self.blocks = BLOCK, -(-n // BLOCK) * (x.size // n)
        self.cost = x.size * (PASS + COST * len(self.trace.program))

    def run(self, arrays):
        """The results."""
        x, trace, fixed = arrays[self.like], self.trace, self.named
        used = [arrays[k] for k in self.arrays]
        for k in self.copied:
            like = np.empty_like(x, used[k].dtype)
            like[...] = used[k]
            used[k] = like
        made = [np.empty_like(x, dtype) for dtype in self.dtypes]
        used += made
        if self.numbers:
            fixed = array(x.dtype.char, [arrays[k].item(0) for k in self.numbers]) + fixed
        table = array(
            "q", [0, self.n, *chain(*zip(addresses(used), self.steps, strict=True)), self.blocks]
        )
        common = (
            trace.place, len(trace.program), table.buffer_info()[0], len(used), trace.spare,
            fixed.buffer_info()[0], len(fixed), self.block,
        )  # fmt: skip
        nbytes = (trace.spare + len(fixed)) * self.block * x.itemsize
        share(_program.run, x.dtype, common, self.blocks, self.cost, nbytes)
        return tuple(made) if self.several else made[0]


def _runs(shape, strides, itemsize, order):
    """How many elements lie one after the other, and the bytes from such a run to the next.

    The axes in that order; 0 elements where no two numbers say it.
    """
    if len(shape) < len(order) or any(n > 1 and d not in order for d, n in enumerate(shape)):
        return 0, 0
    n, outer = 1, list(order)
    while outer and strides[outer[-1]] == n * itemsize:
        n *= shape[outer.pop()]
    step = expected = strides[outer[-1]] if outer else 0
    for d in reversed(outer):
        if strides[d] != expected:
            return 0, 0
        expected *= shape[d]
    return n, step
