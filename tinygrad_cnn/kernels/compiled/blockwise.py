"""`blockwise`: an update is traced once, and its operations run on blocks in the L1 cache.

So an optimizer's update is written once, with NumPy's functions, and gives NumPy's bits. All
parameters are one call.
"""

from array import array
from itertools import pairwise

import numpy as np

from ...atomic import together
from ..updates import kept
from . import tuning
from .calls import FALLBACK, FLOATS, address, share
from .jit import addresses
from .loops import program
from .trace import ARRAY, GIVEN, SPARE, Trace


def _traced(update, arrays, scratch, numbers):
    """The program of an update, of operations that round as NumPy's do."""
    trace = Trace(program.EXACT, (ARRAY, SPARE))
    given = [
        [trace.new(kind) for _ in range(count)]
        for kind, count in ((ARRAY, arrays), (SPARE, scratch), (GIVEN, numbers))
    ]
    update(*given)
    return trace.end()[0]


_trace_of = kept(_traced)


def blockwise(jobs):
    """One call for all consecutive jobs of one program. Other jobs go to the fallback."""
    trace = last = None
    ready = []
    for job in jobs:
        update, arrays, scratch, numbers, *others = job
        kind = update, arrays[0].dtype, len(arrays), scratch, len(numbers)
        if kind != last:
            _run(trace, ready)
            trace = _trace_of(update, *kind[2:]) if kind[1] in FLOATS else None
            ready, last = [], kind
        if trace is None or not _is_ready(trace, arrays):
            _run(trace, ready)
            ready = []
            FALLBACK.blockwise([job])
        elif arrays[0].size:
            ready.append((arrays, numbers, others))
        else:
            together(others)
    _run(trace, ready)


def _is_ready(trace, arrays):
    """Whether the arrays have one shape and dtype and are contiguous, writable where written to."""
    shape, dtype = arrays[0].shape, arrays[0].dtype
    for a, written in zip(arrays, trace.written, strict=True):
        flags = a.flags
        whole = flags.carray if written else flags.c_contiguous and flags.aligned
        if not whole or a.dtype != dtype or a.shape != shape:
            return False
    return not np.may_share_memory(*arrays[:2])  # a gradient in its parameter's memory


def _run(trace, ready):
    """Run the program on all these arrays, with their numbers; in order if some share memory."""
    if not ready:
        return
    block = tuning.UPDATE_BLOCK_ELEMENTS
    table, constants, first, total, changes = [], [], 0, 0, []
    for arrays, numbers, others in ready:
        changes += others
        n = arrays[0].size
        table += first, n
        for at in addresses(arrays):
            table += at, 0
        constants += numbers
        constants += trace.named.values()
        first, total = first - (-n // block), total + n
    dtype, many, given = arrays[0].dtype, len(arrays), len(constants) // len(ready)
    cost = total * len(trace.program) * tuning.UPDATE_OPERATION_MULTIPLY_ADDS
    if len(ready) > 1 and cost > tuning.SHARED_MULTIPLY_ADDS and not _share_no_memory(ready):
        for one in ready:
            _run(trace, [one])
        return
    table, constants = array("q", [*table, first]), array(dtype.char, constants)
    spare = trace.spare
    common = (
        trace.place, len(trace.program), table.buffer_info()[0], many, spare,
        constants.buffer_info()[0], given, block,
    )  # fmt: skip
    nbytes = (spare + given) * block * dtype.itemsize
    share(program.run, dtype, common, first, cost, nbytes, changes=changes)


def _share_no_memory(ready):
    """Whether no two of all the arrays share memory, so that several threads may write to them."""
    spans = sorted((address(a), address(a) + a.nbytes) for arrays, *_ in ready for a in arrays)
    return all(end <= start for (_, end), (start, _) in pairwise(spans))
