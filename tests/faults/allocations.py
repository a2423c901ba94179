"""A NumPy allocation that fails: `failing(run, k)`.

NumPy takes the memory of arrays from a handler that a program may set (NEP 49). The one here asks the C
library, but has no memory when it is asked for the k-th time. Allocations for a single number do not
count: NumPy 2 does not check that they succeed.
"""

import ctypes
from contextlib import contextmanager

import numpy as np

_NUMBER_BYTES = 0
_SET_HANDLER, _DEFAULT_HANDLER = (
    304,
    306,
)  # places in the table of NumPy's C API, which never change
_POINTER, _SIZE = ctypes.c_void_p, ctypes.c_size_t
_MALLOC = ctypes.PYFUNCTYPE(_POINTER, _POINTER, _SIZE)
_CALLOC = ctypes.PYFUNCTYPE(_POINTER, _POINTER, _SIZE, _SIZE)
_REALLOC = ctypes.PYFUNCTYPE(_POINTER, _POINTER, _POINTER, _SIZE)


class _Handler(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char * 127), ("version", ctypes.c_uint8), ("context", _POINTER),
        ("malloc", _MALLOC), ("calloc", _CALLOC), ("realloc", _REALLOC), ("free", _POINTER),
    ]  # fmt: skip


def _capsule(name, result, *arguments):
    function = getattr(ctypes.pythonapi, name)
    function.restype, function.argtypes = result, arguments
    return function


_pointer_of = _capsule("PyCapsule_GetPointer", _POINTER, ctypes.py_object, ctypes.c_char_p)
_capsule_of = _capsule("PyCapsule_New", ctypes.py_object, _POINTER, ctypes.c_char_p, _POINTER)
_NAME = b"mem_handler"
_table = ctypes.cast(
    _pointer_of(np._core._multiarray_umath._ARRAY_API, None), ctypes.POINTER(_POINTER)
)
_set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(_table[_SET_HANDLER])
_default = _Handler.from_address(
    _pointer_of(
        ctypes.cast(_table[_DEFAULT_HANDLER], ctypes.POINTER(ctypes.py_object)).contents.value,
        _NAME,
    )
)

_left = 0  # allocations until one fails; not positive: none fails


def _no_memory(nbytes):
    global _left
    _left -= nbytes > _NUMBER_BYTES
    return _left == 0 and nbytes > _NUMBER_BYTES


# An array may be freed while an error is set, when no Python code may run: so `free` is NumPy's.
_handler = _Handler(
    b"fails", 1, None,
    _MALLOC(lambda _, size: None if _no_memory(size) else _default.malloc(None, size)),
    _CALLOC(lambda _, n, size: None if _no_memory(n * size) else _default.calloc(None, n, size)),
    _REALLOC(lambda _, at, size: None if _no_memory(size) else _default.realloc(None, at, size)),
    _default.free,
)  # fmt: skip
_fails = _capsule_of(ctypes.addressof(_handler), _NAME, None)


@contextmanager
def _counting():
    before = _set_handler(_fails)
    try:
        yield
    finally:
        _set_handler(before)


def failing(run, k):
    """Call `run()`; True if it raised MemoryError because the k-th allocation failed, counted from 1."""
    global _left
    with _counting():
        _left = k
        try:
            run()
        except MemoryError:
            return True
        finally:
            _left = 0
    return False


def count(run):
    """The number of allocations of `run()` in this thread."""
    global _left
    with _counting():
        _left = 0
        run()
        return -_left
