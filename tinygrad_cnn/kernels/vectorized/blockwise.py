"""Optimizer updates: NumPy's operations, block by block for large arrays.

An update is recorded once, and its operations on one job are then one call of C. So an interrupt finds
the arrays of a job, and all that changes together with them, after the update or before it.
"""

from collections import deque
from functools import partial
from itertools import repeat, starmap
from operator import call, itemgetter

import numpy as np

from ...atomic import quiet, together
from ..updates import kept
from . import tuning


class _Unknown(Exception):
    """The update does something that is not recorded."""


class _StandIn(np.lib.mixins.NDArrayOperatorsMixin):
    """Stands for an array or a number while an update is recorded."""

    def __init__(self, slot, record):
        self.slot, self.record = slot, record

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **others):
        if method != "__call__" or others or not out:
            raise _Unknown
        return self.record(ufunc, inputs, out[0])

    def __array_function__(self, function, kinds, given, others):
        if function is not np.copyto or others:
            raise _Unknown
        self.record(np.positive, given[1:], given[0])

    def fill(self, value):
        self.record(np.positive, (value,), self)

    def __bool__(self):
        raise _Unknown  # control flow must not depend on values

    def __array__(self, *options, **others):
        raise _Unknown


class _Recording:
    """The operations of an update on that many arrays, scratch arrays and numbers."""

    def __init__(self, update, *counts):
        self.count, self.constants, self.lines = sum(counts), [], []
        made = iter([_StandIn(k, self._record) for k in range(self.count)])
        update(*[[next(made) for _ in range(n)] for n in counts])
        writable, end = sum(counts[:2]), self.count + len(self.constants)
        if any(out >= writable for *_, out in self.lines):
            raise _Unknown
        self.places = [(k, ...) for k in range(end - writable)]  # of numbers and constants
        self.ufuncs = list(dict.fromkeys(ufunc for ufunc, *_ in self.lines))
        # Each picks a ufunc and its operands from [*arrays, *scratch, *numbers, *constants, *ufuncs].
        self.operations = [
            itemgetter(end + self.ufuncs.index(f), *slots) for f, *slots in self.lines
        ]
        # these take no output by position
        self.named = [k for k, (f, *_) in enumerate(self.lines) if f in (np.maximum, np.minimum)]

    def _record(self, ufunc, inputs, out):
        if not isinstance(out, _StandIn):
            raise _Unknown
        self.lines.append((ufunc, *map(self._slot, inputs), out.slot))
        return out

    def _slot(self, x):
        if isinstance(x, _StandIn):
            return x.slot
        if isinstance(x, np.ndarray):
            raise _Unknown
        self.constants.append(x)
        return self.count + len(self.constants) - 1

    def others(self, numbers, dtype):
        """The operands that are no arrays of a job, in a dtype, so that no operation converts them."""
        numbers = [*numbers, *self.constants]
        if dtype is not None:
            numbers = map(np.array(numbers, dtype).__getitem__, self.places)
        return [*numbers, *self.ufuncs]

    def calls(self, arrays, scratch, others):
        """The calls of an update, for `operator.call`."""
        calls = []
        for given, spare in _parts(arrays, scratch):
            start = len(calls)
            calls += map(call, self.operations, repeat([*given, *spare, *others]))
            for k in self.named:
                ufunc, *inputs, out = calls[start + k]
                calls[start + k] = partial(ufunc, out=out), *inputs
        return calls


_recording_of = kept(_Recording)


def blockwise(jobs):
    """In blocks that stay in the cache: memory is read and written once, spare arrays are small.

    On one thread. Two would wait for the interpreter between many short operations, and large
    arrays are limited by memory anyway.
    """
    with quiet():
        _run(jobs)


def _run(jobs):
    last = recording = same = None
    for update, arrays, scratch, numbers, *changes in jobs:
        kind = update, len(arrays), scratch, len(numbers)
        if kind != last:
            recording, last, same = _recording_of(*kind), kind, None
        if recording is None:
            _run_or_restore(update, arrays, scratch, numbers, changes)
            continue
        dtype = arrays[0].dtype
        for a in arrays:
            if a.dtype is not dtype:
                dtype = None
        if (numbers, dtype) != same or 0.0 in numbers:  # 0.0 and −0.0 are equal
            others, same = recording.others(numbers, dtype), (numbers, dtype)
        calls = recording.calls(arrays, scratch, others)
        calls += zip(changes)
        deque(starmap(call, calls), 0)


def _parts(arrays, scratch):
    """Pairs of parts of the arrays and as large scratch arrays."""
    p, g, *state = arrays
    block = tuning.UPDATE_BLOCK_ELEMENTS
    if (
        p.size <= block
        or np.may_share_memory(p, g)
        or not all([a.flags.c_contiguous and a.shape == p.shape for a in (p, *state)])
    ):
        return [(arrays, [np.empty(p.shape, p.dtype) for _ in range(scratch)])]
    flat = [a.reshape(-1) for a in arrays]  # copies a gradient in another layout
    spare = [np.empty(block, p.dtype) for _ in range(scratch)]
    slices = [slice(at, min(at + block, p.size)) for at in range(0, p.size, block)]
    return [([a[s] for a in flat], [a[: s.stop - s.start] for a in spare]) for s in slices]


def _run_or_restore(update, arrays, scratch, numbers, changes):
    """Run an update that is not recorded. If it does not end, the arrays get their old values back."""
    p, _, *state = arrays
    copies = [partial(np.positive, a.copy(), a) for a in (p, *state)]
    try:
        for given, spare in _parts(arrays, scratch):
            update(given, spare, numbers)
        together([*changes, copies.clear])  # an interrupt that comes now is too late to undo it
    except BaseException:
        together(copies)
        raise
