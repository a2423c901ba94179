"""From a function of arrays to a program. The function is called once with stand-ins for arrays,
which record the operations on them.
"""

import numpy as np

from .jit import address
from .loops.program import NUMBER, TRUTHS

ARRAY, SPARE, GIVEN, NAMED = range(4)  # slots of arrays, scratch, numbers given and numbers named
SWAPPED = {"greater": "less", "greater_equal": "less_equal"}  # with the operands exchanged
LOGICAL = {  # of 0 and 1
    "logical_and": "multiply", "bitwise_and": "multiply", "logical_or": "maximum",
    "bitwise_or": "maximum", "logical_not": "subtract", "invert": "subtract",
}  # fmt: skip
BOOL = np.dtype(np.bool_)


class Unknown(Exception):
    """The function does something that a program has no operation for."""


def _is_truth(x):
    return isinstance(x, StandIn) and x.dtype == BOOL


def _is_number(x):
    return isinstance(x, StandIn) and x.dtype != BOOL


class StandIn(np.lib.mixins.NDArrayOperatorsMixin):
    """Stands for an array or a number. Its scratch memory is free again when it is deleted."""

    def __init__(self, trace, slot, dtype):
        self.trace, self.slot, self.dtype = trace, slot, dtype

    def __del__(self):
        if self.slot[0] == SPARE:
            self.trace.free.append(self.slot)

    def __bool__(self):
        raise Unknown  # control flow must not depend on values

    def __array__(self, *options, **others):
        raise Unknown

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **others):
        if method != "__call__" or others:
            raise Unknown
        return self.trace.record(ufunc.__name__, inputs, out and out[0])

    def __array_function__(self, function, kinds, given, others):
        if others:
            raise Unknown
        if function is np.copyto:
            to, of = given
            return self.trace.record("positive", (of,), to)
        if function is np.clip:
            x, low, high = given
            if low is None or high is None:
                return np.minimum(x, high) if low is None else np.maximum(x, low)
        return self.trace.record(function.__name__, given)

    def fill(self, value):
        np.copyto(self, value)


class Trace:
    """A program: instructions, and how many slots of each kind it uses.

    `allowed` are its operations, `writable` the kinds of slots that `out` may name, `known` the
    functions that are one operation. With a dtype, the function makes arrays of that dtype. Without
    one, as for an update, it writes all results into arrays that it was given.
    """

    def __init__(self, allowed, writable, dtype=None, known=()):
        self.allowed, self.writable, self.dtype, self.known = allowed, writable, dtype, dict(known)
        self.counts, self.free, self.named, self.lines = [0] * 4, [], {}, []

    def new(self, kind, dtype=None):
        """A stand-in for a slot of that kind."""
        if kind == SPARE and self.free:
            return StandIn(self, self.free.pop(), dtype)
        self.counts[kind] += 1
        return StandIn(self, (kind, self.counts[kind] - 1), dtype or self.dtype)

    def call(self, function, given, constants):
        """One operation, if the function is known, else all that it does."""
        if function in self.known:
            return self.record(self.known[function], given)
        return function(*given, **constants)

    def record(self, name, inputs, out=None):
        """Add an instruction. Returns a stand-in for its result, with NumPy's dtype."""
        if name == "not_equal" and self.dtype:
            return self.record("invert", (self.record("equal", inputs),), out)
        if name in SWAPPED:
            name, inputs = SWAPPED[name], inputs[::-1]
        if name == "maximum" and self.dtype and type(inputs[1]) is int and inputs[1] == 0:
            name, inputs = "relu", inputs[:1]
        truth = name in TRUTHS
        if name in LOGICAL and all(_is_truth(x) for x in inputs):
            name, truth = LOGICAL[name], True
            inputs = inputs if len(inputs) > 1 else (1, *inputs)
        elif not any(_is_number(x) for x in (inputs[1:] if name == "where" else inputs)):
            raise Unknown
        if name == "masked":
            return self._masked(*inputs)
        if name not in self.allowed:
            raise Unknown
        inputs = [self._as_number(x) for x in inputs]
        dtype = BOOL if truth else self.dtype
        if out is None and self.dtype:
            out = self.new(SPARE, dtype)
        elif out is None or out.slot[0] not in self.writable or out.dtype != dtype:
            raise Unknown
        self._add(name, [self._slot(x) for x in inputs], out.slot)
        return out

    def _masked(self, x, mask):
        if not _is_truth(mask):
            raise Unknown
        if mask.slot[0] != ARRAY:
            return self.record("where", (mask, x, 0))
        out = self.new(SPARE, self.dtype)
        self._add("masked", (mask.slot, self._slot(x)), out.slot)
        return out

    def _add(self, name, slots, out):
        self.lines.append((name, (*slots, slots[0], slots[0])[:3], out))

    def _as_number(self, x):
        """A stand-in of 0 and 1 for an array of bool. Anything else as it is."""
        if not _is_truth(x) or x.slot[0] != ARRAY:
            return x
        number = self.new(SPARE, BOOL)
        self._add("from_bytes", (x.slot,), number.slot)
        return number

    def _slot(self, x):
        if isinstance(x, StandIn):
            return x.slot
        if type(x) not in (int, float) and type(x) is not getattr(self.dtype, "type", None):
            raise Unknown  # NumPy's scalars have a dtype, too
        x = float(x)
        self.named.setdefault(repr(x), x)  # 0.0 and −0.0 differ
        return NAMED, list(self.named).index(repr(x))

    def _result(self, x):
        """Write the value of x to a separate array, and return its dtype."""
        y = self.new(ARRAY, x.dtype)
        if x.slot[0] == ARRAY and x.dtype == BOOL:
            raise Unknown
        if x.slot[0] != SPARE:
            self._add("positive", (x.slot,), y.slot)
            return y.dtype
        last = max(k for k, line in enumerate(self.lines) if line[2] == x.slot)
        name, given, _ = self.lines[last]
        if x.dtype != BOOL:  # the last instruction writes there, and later ones read there
            self.lines[last] = name, given, y.slot
            for k in range(last + 1, len(self.lines)):
                name, given, out = self.lines[k]
                given = tuple(y.slot if slot == x.slot else slot for slot in given)
                self.lines[k] = name, given, out
            x.slot = y.slot
        elif name in TRUTHS and last == len(self.lines) - 1:
            self.lines[last], x.slot = (f"{name}_to_bytes", given, y.slot), y.slot
        else:
            self._add("to_bytes", (x.slot,), y.slot)
        return y.dtype

    def end(self, results=()):
        """This trace, with its instructions as integers, and the dtypes of the results.

        The results are its last arrays. Slots of each kind come after those of the kind before.
        """
        dtypes = [self._result(x) for x in results]
        self.counts[NAMED] = len(self.named)
        first = [sum(self.counts[:kind]) for kind in range(4)]
        lines = [
            (NUMBER[name], *(first[kind] + k for kind, k in (*given, out)))
            for name, given, out in self.lines
        ]
        self.program = np.array(lines, np.int64).reshape(-1, 5)
        self.place = address(self.program)
        self.spare = self.counts[SPARE]
        self.written = [k in self.program[:, 4] for k in range(self.counts[ARRAY])]
        return self, dtypes
