"""Meters of the cost of a call. They count, so all machines and all runs give the same figures."""

import ctypes
import functools
import sys
import tracemalloc
from contextlib import contextmanager
from math import prod
from pathlib import Path

import numpy as np

import tinygrad_cnn as tc
from tinygrad_cnn import engine, kernels

PACKAGE = str(Path(tc.__file__).parent)
INLINED = {"<listcomp>", "<dictcomp>", "<setcomp>"}  # calls until Python 3.11, none after


# -- calls of Python functions -------------------------------------------------------------------


def python_calls(run):
    """The number of calls of functions of this package in the third run.

    The first run makes the state of an optimizer, and the second may still differ. Only calls in
    this thread count, and none inside NumPy or the standard library: so all versions agree.
    """
    run()
    run()
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        code = frame.f_code
        if event == "call" and code.co_name not in INLINED:
            count += code.co_filename.startswith((PACKAGE, "<generated for op"))

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


# -- calls of kernels ----------------------------------------------------------------------------

MULTIPLY_ADDS = {  # by the arguments: arrays, and a shape for the adjoints of a convolution
    "matmul": lambda a, b: prod(a.shape) * b.shape[-1],
    "conv2d": lambda x, w, y: prod(y.shape) * prod(w.shape[1:]),
    "conv2d_input": lambda g, w, x_shape: prod(g.shape) * prod(w.shape[1:]),
    "conv2d_weight": lambda g, x, w_shape: prod(g.shape) * prod(w_shape[1:]),
}


@contextmanager
def kernel_calls():
    """Count the calls of each kernel, and all multiply-adds, inside a `with` block: a dict."""
    counts, functions = {"multiply-adds": 0}, {n: getattr(kernels, n) for n in kernels.FUNCTIONS}

    def counted(name, function):
        def call(*arguments):
            counts[name] = counts.get(name, 0) + 1
            y = function(*arguments)
            if name == "conv2d":
                counts["multiply-adds"] += MULTIPLY_ADDS[name](*arguments[:2], y)
            elif name in MULTIPLY_ADDS:
                inputs = arguments[:2] if name == "matmul" else arguments[:3]
                counts["multiply-adds"] += MULTIPLY_ADDS[name](*inputs)
            return y

        return call

    vars(kernels).update({name: counted(name, f) for name, f in functions.items()})
    try:
        yield counts
    finally:
        vars(kernels).update(functions)


# -- saved memory ---------------------------------------------------------------------------------


def kept(*tensors, besides=()):
    """Bytes that the graph of some tensors saves for backward. Each array counts once.

    The base of a saved view counts. The memory of `besides`, which exists anyway, does not.
    """
    known = {id(engine.owner(t._array)) for t in besides}
    total, seen, stack = 0, set(), [t._node for t in tensors]

    def count(held):
        nonlocal total
        if isinstance(held, (tuple, list)):
            for part in held:
                count(part)
        elif isinstance(held, np.ndarray) and id(storage := engine.owner(held)) not in known:
            known.add(id(storage))
            total += storage.nbytes

    while stack:
        node = stack.pop()
        if node is not None and node.op is not None and node not in seen:
            seen.add(node)
            stack.extend(node.parents)
            count((node.saved, node.static))
    return total


# -- traced memory -------------------------------------------------------------------------------


class Traced:
    """Growth of NumPy's and Python's memory in bytes since this was made: `now` and `peak`."""

    def __init__(self):
        tracemalloc.start()
        self.start()

    def start(self):
        """Start again from zero."""
        tracemalloc.reset_peak()
        self.before = tracemalloc.get_traced_memory()[0]

    @property
    def now(self):
        return tracemalloc.get_traced_memory()[0] - self.before

    @property
    def peak(self):
        return tracemalloc.get_traced_memory()[1] - self.before


@contextmanager
def traced():
    """A `Traced` inside a `with` block."""
    meter = Traced()
    try:
        yield meter
    finally:
        tracemalloc.stop()


# -- allocations ---------------------------------------------------------------------------------
#
# NumPy takes the memory of arrays from a handler, which can be replaced (NEP 49). This one
# counts the requested bytes and passes the call on. Arrays remember their handler and free their
# memory with it, some when Python exits: so that part is the usual C function, and the handler is
# never freed.

SIZE = ctypes.c_size_t
MALLOC = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, SIZE)
CALLOC = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, SIZE, SIZE)
_SET, _GET, _CAPSULE = 304, 305, b"mem_handler"  # PyDataMem_SetHandler, PyDataMem_GetHandler


class _Handler(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        *((name, ctypes.c_void_p) for name in ("ctx", "malloc", "calloc", "realloc", "free")),
    )


_sizes = []


@functools.cache
def _handlers():
    """(a function that sets a handler, the counting handler, the usual handler)."""
    pointer, new = ctypes.pythonapi.PyCapsule_GetPointer, ctypes.pythonapi.PyCapsule_New
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    table = pointer(np._core._multiarray_umath._ARRAY_API, None)
    api = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))
    usual = ctypes.PYFUNCTYPE(ctypes.py_object)(api[_GET])()
    theirs = _Handler.from_address(pointer(usual, _CAPSULE))
    their_malloc, their_calloc = MALLOC(theirs.malloc), CALLOC(theirs.calloc)

    def malloc(ctx, size):
        _sizes.append(size)
        return their_malloc(ctx, size)

    def calloc(ctx, count, size):
        _sizes.append(count * size)
        return their_calloc(ctx, count, size)

    calls = MALLOC(malloc), CALLOC(calloc)
    ours = _Handler(
        b"counts", 1, theirs.ctx, *(ctypes.cast(call, ctypes.c_void_p).value for call in calls),
        theirs.realloc, theirs.free,
    )  # fmt: skip
    ctypes.pythonapi.Py_IncRef(ctypes.py_object((ours, calls)))
    set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(api[_SET])
    return set_handler, new(ctypes.addressof(ours), _CAPSULE, None), usual


def allocations(run, least):
    """Sizes in bytes of the arrays that the second run allocates, in order, without small ones."""
    set_handler, counting, usual = _handlers()
    run()
    _sizes.clear()
    set_handler(counting)
    try:
        run()
    finally:
        set_handler(usual)
    return [size for size in _sizes if size >= least]
