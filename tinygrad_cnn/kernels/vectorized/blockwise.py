"""Optimizer updates: NumPy's operations, block by block for large arrays.

An update is recorded once, and its operations on one job are then one call of C. So an interrupt finds
the arrays of a job, and all that changes together with them, after the update or before it.
"""

from collections import deque
from functools import partial
from itertools import starmap
from operator import call, itemgetter

import numpy as np

from ...atomic import quiet, together
from ..updates import key_of
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


def _recorded(update, arrays, scratch, numbers):
    """The operations of an update, and the constants that they name.

    An operation is a ufunc and a function that picks its operands, the output last, from a list of
    arrays, scratch arrays, numbers and constants.
    """
    count, operations, constants = arrays + scratch + numbers, [], []

    def slot(x):
        if isinstance(x, _StandIn):
            return x.slot
        if isinstance(x, np.ndarray):
            raise _Unknown
        constants.append(x)
        return count + len(constants) - 1

    def record(ufunc, inputs, out):
        if not isinstance(out, _StandIn) or out.slot >= arrays + scratch:
            raise _Unknown
        operations.append((ufunc, itemgetter(*map(slot, inputs), out.slot)))
        return out

    made = iter([_StandIn(k, record) for k in range(count)])
    update(*[[next(made) for _ in range(n)] for n in (arrays, scratch, numbers)])
    return operations, constants


_recordings: dict = {}


def _recording_of(update, *counts):
    """The recording of an update for that many arrays, scratch arrays and numbers, or None."""
    try:
        key = key_of(update), *counts
    except (TypeError, ValueError, RecursionError):  # an empty cell; a function of itself
        return None
    if key not in _recordings:
        if len(_recordings) >= 64:  # as where the update itself names the numbers of each step
            _recordings.clear()
        try:
            _recordings[key] = _recorded(update, *counts)
        except Exception:  # it does something with an array that a stand-in does not support
            _recordings[key] = None
    return _recordings.get(key)


def blockwise(jobs):
    """In blocks that stay in the cache: memory is read and written once, spare arrays are small.

    On one thread. Two would wait for the interpreter between many short operations, and large
    arrays are limited by memory anyway.
    """
    last = recording = None
    with quiet():
        for update, arrays, scratch, numbers, *others in jobs:
            kind = update, len(arrays), scratch, len(numbers)
            if kind != last:
                recording, last = _recording_of(*kind), kind
            parts = _parts(arrays, scratch)
            if recording is None:
                _run_or_restore(update, parts, numbers, arrays, others)
                continue
            operations, constants = recording
            numbers = [*numbers, *constants]
            dtype = arrays[0].dtype
            if all([a.dtype is dtype for a in arrays]):
                numbers = [np.array(x, dtype) for x in numbers]  # so that no operation allocates
            calls = []
            for given, spare in parts:
                values = [*given, *spare, *numbers]
                calls += [_call(ufunc, operands(values)) for ufunc, operands in operations]
            deque(starmap(call, [*calls, *[(change,) for change in others]]), 0)


def _call(ufunc, operands):
    """The call of a ufunc, for `operator.call`."""
    if ufunc is np.maximum or ufunc is np.minimum:  # their output may not be positional
        return partial(ufunc, out=operands[-1]), *operands[:-1]
    return ufunc, *operands


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


def _run_or_restore(update, parts, numbers, arrays, changes):
    """Run an update that is not recorded. If it does not end, the arrays get their old values back."""
    p, _, *state = arrays
    copies = [partial(np.positive, a.copy(), a) for a in (p, *state)]
    try:
        for given, spare in parts:
            update(given, spare, numbers)
        together(changes)
    except BaseException:
        together(copies)
        raise
