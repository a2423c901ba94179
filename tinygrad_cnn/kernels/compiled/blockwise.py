"""`blockwise` compiled: the update is traced once, and its operations run on blocks in the L1 cache.

So what an optimizer computes is written once, with NumPy's functions, and comes out to the same bits.
"""

from types import BuiltinFunctionType, FunctionType, ModuleType

import numpy as np

from .. import _blockwise
from . import _program
from ._calls import FLOATS, address, share

BLOCK = 1 << 9  # elements
COST = (
    2  # multiply-adds; it takes the time of more, but a second core has to fetch what the first has
)


class _Unknown(Exception):
    """The update does what the program has no operation for."""


class _Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """Stands for an array of an update: notes what is done with it."""

    def __init__(self, slot, trace):
        self.slot, self.trace = slot, trace

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **others):
        if (
            method != "__call__"
            or others
            or out is None
            or ufunc.__name__ not in _program.OPERATIONS
        ):
            raise _Unknown
        operands = [self.trace.operand(x) for x in inputs]
        operation = _program.OPERATIONS.index(ufunc.__name__)
        self.trace.note(operation, operands[0], operands[-1], out[0].slot)
        return out[0]

    def __array_function__(self, function, kinds, given, others):
        if function is not np.copyto or others:
            raise _Unknown
        to, of = given
        positive = _program.OPERATIONS.index("positive")
        self.trace.note(positive, self.trace.operand(of), self.trace.operand(of), to.slot)

    def fill(self, value):
        np.copyto(self, value)


class _Trace:
    """The program of an update: its instructions, and the numbers in them, in slots after the scratch."""

    def __init__(self, update, arrays, scratch):
        self.first, self.program, self.numbers = arrays + scratch, [], {}
        update(*(_Traced(slot, self) for slot in range(self.first)))
        self.program = np.array(self.program, np.int64).reshape(-1, 4)
        self.written = {slot for slot in self.program[:, 3].tolist() if slot < arrays}

    def operand(self, x):
        if isinstance(x, _Traced):
            return x.slot
        if type(x) not in (int, float):  # NumPy's own have a dtype of their own
            raise _Unknown
        self.numbers.setdefault(repr(x), x)  # 0.0 and −0.0 are two
        return self.first + list(self.numbers).index(repr(x))

    def note(self, *instruction):
        self.program.append(instruction)


NUMBERS = {int, float, bool, type(None)}
FIXED = {ModuleType, BuiltinFunctionType, np.ufunc, FunctionType, type}


def _key(update):
    """What an update does, told by its code and by all that it refers to; TypeError if that may change.

    The functions of a module are taken to stay what they are.
    """
    if update.__kwdefaults__:
        raise TypeError
    code, outer, key = update.__code__, update.__globals__, [update.__code__]
    for value in (
        *[c.cell_contents for c in update.__closure__ or ()],
        *(update.__defaults__ or ()),
    ):
        if type(value) is FunctionType:
            key.append(_key(value))
        elif type(value) in NUMBERS:
            key.append((type(value), value or repr(value)))  # 0.0 and −0.0 are two
        else:
            raise TypeError
    for value in [outer[name] for name in code.co_names if name in outer]:
        if type(value) not in FIXED and type(value) not in NUMBERS:
            raise TypeError
        key.append(value if type(value) in FIXED else (type(value), value or repr(value)))
    return tuple(key)


_traces: dict = {}


def _trace_of(update, arrays, scratch):
    """Its trace, or None; traced once for what it does."""
    try:
        key = _key(update), arrays, scratch
        if key not in _traces:
            if len(_traces) >= 64:  # Adam's numbers are others at every step
                _traces.clear()
            try:
                _traces[key] = _Trace(update, arrays, scratch)
            except _Unknown:
                _traces[key] = None
        return _traces.get(key)
    except TypeError:
        return None


def blockwise(update, arrays, scratch):
    """See `_blockwise.blockwise`."""
    dtype, n = arrays[0].dtype, arrays[0].size
    ready = dtype in FLOATS and all(a.dtype == dtype and a.flags.aligned for a in arrays)
    trace = _trace_of(update, len(arrays), scratch) if ready else None
    if trace is None or not all(arrays[k].flags.writeable for k in trace.written):
        _blockwise.blockwise(update, arrays, scratch)
        return
    addresses = np.array([address(a) for a in arrays], np.int64)
    program, numbers = trace.program, np.array([*trace.numbers.values()], dtype)
    spare = scratch + len(numbers)
    common = (
        address(program), len(program), address(addresses), len(arrays), address(numbers), scratch,
        len(numbers), BLOCK, n,
    )  # fmt: skip
    share(
        _program.run, dtype, common, -(-n // BLOCK), n * len(program) * COST,
        spare * BLOCK * dtype.itemsize,
    )  # fmt: skip
