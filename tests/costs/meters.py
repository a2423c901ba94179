"""Meters of what a call costs, none of them a clock: the same on every machine and at every run."""

import ctypes
import sys
import tracemalloc
from contextlib import contextmanager
from math import prod
from pathlib import Path

import numpy as np

import tinygrad_cnn as tc
from tinygrad_cnn import graph, kernels

PACKAGE = str(Path(tc.__file__).parent)
INLINED = {"<listcomp>", "<dictcomp>", "<setcomp>"}  # calls until Python 3.11, none after


# -- calls of Python functions -------------------------------------------------------------------


def python_calls(run):
    """How many functions of this package (those generated for ops too) the second run calls.

    Of this thread, and not what NumPy or Python's own modules call in turn: so all versions agree.
    """
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

MULTIPLY_ADDS = {  # of the arguments: arrays, and for the adjoints of a convolution a shape
    "matmul": lambda a, b: prod(a.shape) * b.shape[-1],
    "conv2d": lambda x, w, y: prod(y.shape) * prod(w.shape[1:]),
    "conv2d_input": lambda g, w, x_shape: prod(g.shape) * prod(w.shape[1:]),
    "conv2d_weight": lambda g, x, w_shape: prod(g.shape) * prod(w_shape[1:]),
}


@contextmanager
def kernel_calls():
    """While it lasts: a dict of how often each kernel is called, and of multiply-adds in all."""
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


# -- what a graph keeps --------------------------------------------------------------------------


def kept(*tensors, besides=()):
    """Bytes of the memory that the graph of some tensors keeps for backward, each array once.

    Memory counts that is held by a view of it. That of `besides`, which lives anyway, does not.
    """
    known = {id(graph.owner(t._array)) for t in besides}
    total, seen, stack = 0, set(), [t._node for t in tensors]

    def count(held):
        nonlocal total
        if isinstance(held, (tuple, list)):
            for part in held:
                count(part)
        elif isinstance(held, np.ndarray) and id(storage := graph.owner(held)) not in known:
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
    """Bytes of NumPy's and Python's memory since this was made: `now`, and at most (`peak`)."""

    def __init__(self):
        tracemalloc.start()
        self.start()

    def start(self):
        """From here on."""
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
    """A `Traced`, while it lasts."""
    meter = Traced()
    try:
        yield meter
    finally:
        tracemalloc.stop()


# -- allocations ---------------------------------------------------------------------------------
#
# NumPy takes the memory of arrays from a handler, which can be replaced (NEP 49). This one counts
# and hands the call on. Arrays remember their handler, so it must live as long as they do: forever.

SIZE = ctypes.c_size_t


class _Handler(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("ctx", ctypes.c_void_p),
        ("malloc", ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, SIZE)),
        ("calloc", ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, SIZE, SIZE)),
        ("realloc", ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, SIZE)),
        ("free", ctypes.PYFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, SIZE)),
    )


_SET, _GET, _CAPSULE = 304, 305, b"mem_handler"  # PyDataMem_SetHandler, PyDataMem_GetHandler
_sizes = []


def _make():
    """(set, the handler that counts)."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    table = pointer(np._core._multiarray_umath._ARRAY_API, None)
    api = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))
    set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(api[_SET])
    usual = ctypes.PYFUNCTYPE(ctypes.py_object)(api[_GET])()
    theirs = _Handler.from_address(pointer(usual, _CAPSULE))
    kinds = dict(_Handler._fields_)

    def malloc(_, size):
        _sizes.append(size)
        return theirs.malloc(theirs.ctx, size)

    def calloc(_, count, size):
        _sizes.append(count * size)
        return theirs.calloc(theirs.ctx, count, size)

    def realloc(_, at, size):
        _sizes.append(size)
        return theirs.realloc(theirs.ctx, at, size)

    def free(_, at, size):
        theirs.free(theirs.ctx, at, size)

    ours = _Handler(
        b"counts", 1, None, kinds["malloc"](malloc), kinds["calloc"](calloc),
        kinds["realloc"](realloc), kinds["free"](free),
    )  # fmt: skip
    return set_handler, ours, new(ctypes.addressof(ours), _CAPSULE, None), usual


_handlers = None


def allocations(run, least):
    """The sizes of the arrays of at least so many bytes that the second run allocates, in order."""
    global _handlers
    _handlers = _handlers or _make()
    set_handler, _, counting, usual = _handlers
    run()
    set_handler(counting)
    _sizes.clear()
    try:
        run()
    finally:
        set_handler(usual)
    return [size for size in _sizes if size >= least]
