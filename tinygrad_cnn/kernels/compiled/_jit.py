"""Compiling: when a kernel is first called for a dtype, kept on disk where that is possible.

Numba keeps what it compiled beside the source, or in the user's cache directory. It goes by the
function's own file, as that is when something is compiled, whether what is kept is fresh; the kernels
build their code out of several files, which may have changed since they were imported. And it keeps
an index for each function of the numbers of its files, one for each type, where two processes that
compile at once give two types one number. So here a name says of which source, as it was imported, and of
which types and processor a file is: other code is never found. Nor is other code linked: see `part`.
Nothing that fails about the cache is an error.
"""

import hashlib
import os
import sys
import threading
from array import array
from collections import Counter
from contextlib import suppress
from ctypes import c_ssize_t
from functools import lru_cache
from pathlib import Path

import numba
from numba.core import types
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile
from numba.core.extending import intrinsic

from ._vectors import INT

FIRST_FIELD = object.__basicsize__
PATIENCE = 2  # seconds until a word is said about compiling


def _stamp(folder):
    """What tells this source, and that of the kernels on NumPy which it shares, from any other."""
    files = sorted(Path(folder).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


STAMP = _stamp(Path(__file__).parent)

_lock = threading.RLock()
_told = False
if hasattr(os, "register_at_fork"):  # a child would wait for ever for what another thread compiled
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


class _Implementation(CompileResultCacheImpl):
    def get_filename_base(self, fullname, abiflags):
        return f"{super().get_filename_base(fullname, abiflags)}-{STAMP}"


class _Cache(FunctionCache):
    _impl_class = _Implementation

    def _own_file(self, signature, codegen):
        key = repr(self._index_key(signature, codegen)).encode()
        name = f"{self._impl.filename_base}-{hashlib.sha256(key).hexdigest()[:16]}"
        self._cache_file = IndexDataCacheFile(self.cache_path, name, STAMP)

    def load_overload(self, signature, context):
        try:
            self._own_file(signature, context.codegen())
            return super().load_overload(signature, context)
        except Exception:  # unreadable, cut short, of another version
            return None

    def save_overload(self, signature, result):
        with suppress(Exception):  # no room, no longer writable
            self._own_file(signature, result.codegen)
            super().save_overload(signature, result)
            kernel = self._impl.filename_base.split("-")[0]
            for file in Path(self.cache_path).glob(f"{kernel}-*.nb?"):  # of an older source
                if STAMP not in file.name:
                    file.unlink()


_names: Counter = Counter()


def part(function):
    """A part of a kernel, compiled, by a name that no other has.

    Machine code is linked by names. Numba tells functions of one name apart, as those that one function
    makes, by numbers that begin anew in each process; so of what two processes kept, a third would take
    one for the other.
    """
    name = f"{function.__module__}.{function.__qualname__}"
    _names[name] += 1
    function.__qualname__ += f"_{_names[name]}"
    return numba.njit(nogil=True, error_model="numpy")(function)


class native:
    """A function of integers (first a zero of the dtype, if it has one), compiled when first needed.

    `source` is the function whose file and name it is kept under.
    """

    def __init__(self, function, source=None):
        self.source = source or function
        self.dispatcher = part(function)
        self.count = function.__code__.co_argcount
        self.entries = {}

    def __call__(self, *integers):
        if not self.entries:
            self.compile(*[numba.int64] * self.count)
        return self.dispatcher(*integers)

    def compile(self, *signature):
        """The address of the function for this signature, which C may call."""
        with _lock:  # Numba has a lock of its own, which a forked child would find taken
            if not self.dispatcher.signatures:
                with suppress(RuntimeError, OSError):  # there may be no place for it
                    self.dispatcher._cache = _Cache(self.source)
            notice = threading.Timer(PATIENCE, _tell)
            notice.daemon = True
            notice.start()
            try:
                self.dispatcher.compile(signature)
            finally:
                notice.cancel()
            result = self.dispatcher.overloads[signature]
            name = result.fndesc.llvm_cfunc_wrapper_name
            self.entries[signature] = address = result.library.get_pointer_to_function(name)
            return address


class jit(native):
    """A kernel: a function of a zero, which gives the dtype, and integers.

    Called with a dtype and integers. It holds no interpreter lock while it runs. What is compiled
    takes the integers from memory, but for the last if that is `scratch`: so all kernels have one
    signature, and `_team` can call any. Those in which calls that share some work differ are in a row
    apart: the range `first` to `last`, and `sums` or `check` where one stands before it.
    """

    def __init__(self, function):
        inner, code = part(function), function.__code__
        names = code.co_varnames[1 : code.co_argcount]
        scratch = names[-1] == "scratch"
        count = len(names) - scratch
        self.common = names.index("first") if "first" in names else count
        self.common -= names[self.common - 1] in ("sums", "check")
        common, own = integers(self.common), integers(count - self.common)
        if scratch:

            def entry(zero, at, row, memory):
                inner(zero, *common(at), *own(row), memory)
                return 0
        else:

            def entry(zero, at, row, memory):
                inner(zero, *common(at), *own(row))
                return 0

        entry.__qualname__ = f"{function.__module__}.{function.__qualname__}"
        super().__init__(entry, function)
        self.scratch = scratch
        self.kinds = {}

    def entry(self, dtype):
        """(the address of what is compiled, a zero) for this dtype."""
        known = self.kinds.get(dtype)
        if known is None:
            zero = dtype.type(0)
            known = self.compile(numba.typeof(zero), *[numba.int64] * 3), zero
            self.kinds[dtype] = known
        return known

    def __call__(self, dtype, *integers):
        numbers = array("q", integers)
        at, memory = numbers.buffer_info()[0], integers[-1] if self.scratch else 0
        self.dispatcher(self.entry(dtype)[1], at, at + 8 * self.common, memory)


@lru_cache
def integers(count):
    """A function for compiled code: so many integers of 8 bytes, from an address on."""

    @intrinsic
    def row(context, address):
        signature = types.UniTuple(types.int64, count)(types.int64)

        def generate(context, builder, signature, arguments):
            places = [builder.add(arguments[0], INT(8 * k)) for k in range(count)]
            values = [builder.load(builder.inttoptr(place, INT.as_pointer())) for place in places]
            return context.make_tuple(builder, signature.return_type, values)

        return signature, generate

    return row


def address(x):
    """Where the elements of an array begin: the first field of NumPy's array object.

    `x.__array_interface__` says it too, and takes ten times as long. NumPy's C API reads that field in
    the same way, in extensions that were compiled long before.
    """
    return c_ssize_t.from_address(id(x) + FIRST_FIELD).value


def addresses(arrays):
    """`address` of each, in one call."""
    found = []
    for x in arrays:
        found.append(c_ssize_t.from_address(id(x) + FIRST_FIELD).value)
    return found


def _tell():
    global _told
    if not _told:
        _told = True
        print(
            "tinygrad_cnn: compiling kernels, once on this machine (kernels.use('vectorized') needs none)",
            file=sys.stderr,
        )
