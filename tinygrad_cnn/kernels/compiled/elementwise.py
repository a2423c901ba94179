"""`elementwise`: a function is traced once, and its operations run on blocks in the L1 cache."""

from array import array
from itertools import chain

import numpy as np

from .. import functions, tuning as shared
from ..error_function import erf
from ..layout import common_axes
from ..updates import SETTLED
from . import tuning
from .calls import FALLBACK, FLOATS, share
from .jit import addresses
from .loops import program
from .trace import ARRAY, GIVEN, SPARE, StandIn, Trace, Unknown

KNOWN = {  # functions that are one operation
    functions.between: "between", functions.masked: "masked", functions.rectified: "rectified",
    functions.logistic: "sigmoid", erf: "erf",
}  # fmt: skip

_plans: dict = {}


def elementwise(f, *given, **constants):
    """The program of f, or the fallback where f has none. Small arrays go to NumPy at once."""
    first = given[0]
    if type(first) is np.ndarray and first.size < shared.LARGE_ELEMENTS:
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
        except Exception:  # f does something with an array that a stand-in does not support
            plan = None
        if len(_plans) >= 1024:  # as where f gets other numbers at each call
            _plans.clear()
        _plans[key] = plan
    return plan.run(arrays) if plan else FALLBACK.elementwise(f, *given, **constants)


class _Plan:
    """A call for given dtypes, shapes and strides: all but the addresses of the arrays."""

    def __init__(self, f, given, arrays, constants):
        self.like = next(k for k, a in enumerate(arrays) if any(a.strides))
        x = arrays[self.like]
        if x.dtype not in FLOATS or not x.size:
            raise Unknown
        self.numbers, self.arrays = [], []  # positions among the arrays
        trace, stand_ins = Trace(program.OPERATIONS, (SPARE,), x.dtype, KNOWN), []
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
        self._arrange(x, [arrays[k] for k in self.arrays])

    def _arrange(self, x, arrays):
        """The rows of each array, in elements and bytes, and the arrays that are copied first."""
        y = np.empty_like(x)  # dense, in the axis order of x
        axes = tuple(common_axes(y))
        runs = [_runs(a.shape, a.strides, a.itemsize, axes) for a in arrays]
        short = {n for n, _ in runs if tuning.RUN_ELEMENTS <= n < x.size}
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
        self.block = tuning.PROGRAM_BLOCK_ELEMENTS
        self.blocks = -(-n // self.block) * (x.size // n)
        operations = tuning.OPERATION_MULTIPLY_ADDS * len(self.trace.program)
        self.cost = x.size * (tuning.PASS_MULTIPLY_ADDS + operations)

    def run(self, arrays):
        """The results."""
        x, trace, constants = arrays[self.like], self.trace, self.named
        used = [arrays[k] for k in self.arrays]
        for k in self.copied:
            like = np.empty_like(x, used[k].dtype)
            like[...] = used[k]
            used[k] = like
        made = [np.empty_like(x, dtype) for dtype in self.dtypes]
        used += made
        if self.numbers:
            given = [arrays[k].item(0) for k in self.numbers]
            constants = array(x.dtype.char, given) + constants
        table = array(
            "q", [0, self.n, *chain(*zip(addresses(used), self.steps, strict=True)), self.blocks]
        )
        common = (
            trace.place, len(trace.program), table.buffer_info()[0], len(used), trace.spare,
            constants.buffer_info()[0], len(constants), self.block,
        )  # fmt: skip
        nbytes = (trace.spare + len(constants)) * self.block * x.itemsize
        share(program.run, x.dtype, common, self.blocks, self.cost, nbytes)
        return tuple(made) if self.several else made[0]


def _runs(shape, strides, itemsize, axes):
    """How many elements are contiguous, and the bytes from one such run to the next.

    The axes are visited in the given order. 0 elements where two numbers cannot describe the array.
    """
    if len(shape) < len(axes) or any(n > 1 and d not in axes for d, n in enumerate(shape)):
        return 0, 0
    n, outer = 1, list(axes)
    while outer and strides[outer[-1]] == n * itemsize:
        n *= shape[outer.pop()]
    step = expected = strides[outer[-1]] if outer else 0
    for d in reversed(outer):
        if strides[d] != expected:
            return 0, 0
        expected *= shape[d]
    return n, step
