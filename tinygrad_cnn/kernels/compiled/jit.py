"""Compiling kernels when they are first called for a dtype, and keeping the code on disk.

Numba keeps compiled code beside the source or in the user's cache directory, but its own rules are
not safe here:

- It decides freshness from the function's own file at the time of compiling. Kernels are built from
  several files, which may have changed since they were imported.
- Its index numbers the files of a function, one for each type. Two processes that compile at once
  give two types one number.

So here the file name encodes the source as imported, the types and the processor: other code is
never found. Nor is other code linked (see `part`). A failure of the cache is never an error.
"""

import hashlib
import sys
import time
from array import array
from collections import Counter
from contextlib import contextmanager, suppress
from ctypes import c_ssize_t
from functools import lru_cache
from pathlib import Path

import numba
from llvmlite.binding import ffi
from numba.core import types
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile
from numba.core.compiler_lock import global_compiler_lock
from numba.core.extending import intrinsic

from ..threads import building
from . import tuning
from .scalars import INT

_FIRST_FIELD = object.__basicsize__  # bytes


def _stamp(folder):
    """A hash of all source files of the kernels: whatever is compiled is built from them."""
    files = sorted(folder.rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


STAMP = _stamp(Path(__file__).parents[1])

# A child would wait forever for another thread's compiling, also of functions that are not ours.
building.append(global_compiler_lock)
if (llvm := getattr(ffi.lib, "_lock", None)) is not None:
    building.append(llvm)


class _Implementation(CompileResultCacheImpl):
    def get_filename_base(self, fullname, abiflags):
        return f"{super().get_filename_base(fullname, abiflags)}-{STAMP}"


class _Cache(FunctionCache):
    _impl_class = _Implementation

    def _index_key(self, signature, codegen):
        """The source is in the name. Numba adds closures, whose pickles differ in each process."""
        return signature, codegen.magic_tuple()

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
        with suppress(Exception):  # no space, no longer writable
            self._own_file(signature, result.codegen)
            super().save_overload(signature, result)
            self._remove_old_files()

    def _remove_old_files(self):
        """Remove the files of the kernel that were made from an older source."""
        kernel = self._impl.filename_base.split("-")[0]
        for file in Path(self.cache_path).glob(f"{kernel}-*.nb?"):
            if STAMP not in file.name:
                file.unlink()


_names: Counter = Counter()


def part(function):
    """Compile a function that kernels call, under a unique name.

    Machine code is linked by name. Numba tells functions of one name apart, such as those that
    one Python function makes, by numbers that start again in each process. A process that loads
    code kept by two others would take one function for another.
    """
    name = f"{function.__module__}.{function.__qualname__}"
    _names[name] += 1
    function.__qualname__ += f"_{_names[name]}"
    return numba.njit(nogil=True, error_model="numpy")(function)


class native:
    """A function of integers, compiled when first needed. The first may be a zero of the dtype.

    The code is kept under the file and name of `source`.
    """

    def __init__(self, function, source=None):
        self.source = source or function
        self.dispatcher = part(function)
        self.count = function.__code__.co_argcount
        self.entries = {}

    def __call__(self, *integers):
        return self.compiled()(*integers)

    def compiled(self):
        """The function of integers, compiled: a call of C."""
        if not self.entries:
            self.compile(*[numba.int64] * self.count)
        return self.dispatcher

    def compile(self, *signature):
        """The address of the function for this signature, as C would call it."""
        with building[0]:
            if not self.dispatcher.signatures:
                with suppress(RuntimeError, OSError):  # there may be no place to keep it
                    self.dispatcher._cache = _Cache(self.source)
            with notice.around(self.dispatcher):
                self.dispatcher.compile(signature)
            result = self.dispatcher.overloads[signature]
            name = result.fndesc.llvm_cfunc_wrapper_name
            self.entries[signature] = address = result.library.get_pointer_to_function(name)
            return address


class jit(native):
    """A kernel: a function of a zero, which gives the dtype, and of integers.

    It is called with a dtype and integers, and holds no interpreter lock while it runs. The
    compiled code reads the integers from memory, except for a last one named `scratch`, so all
    kernels have one signature and `team` can call any of them. The arguments that differ between
    the parts of a shared call are stored in a separate row: the range `first` to `last`, and
    `sums` or `check` if one precedes it.
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
        """(the address of the code, a zero) for this dtype."""
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
    """A function for compiled code: `count` integers of 8 bytes, from an address on."""

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
    """The address of the first element of an array: the first field of NumPy's array object.

    `x.__array_interface__` has it too, but takes ten times as long. NumPy's C API reads that
    field in the same way, in extensions that were compiled long ago.
    """
    return c_ssize_t.from_address(id(x) + _FIRST_FIELD).value


def addresses(arrays):
    """`address` of each, in one call."""
    found = []
    for x in arrays:
        found.append(c_ssize_t.from_address(id(x) + _FIRST_FIELD).value)
    return found


class _Notice:
    """Says once on stderr that kernels are compiled, when that took longer than most users wait."""

    seconds = 0.0
    said = False

    @contextmanager
    def around(self, dispatcher):
        """Around the compiling of one function. What was found on disk does not count."""
        found, start = sum(dispatcher.stats.cache_hits.values()), time.monotonic()
        yield
        if sum(dispatcher.stats.cache_hits.values()) == found:
            self.seconds += time.monotonic() - start
            if self.seconds > tuning.NOTICE_SECONDS and not self.said:
                self.said = True
                self.say()

    def say(self):
        with suppress(Exception):  # stderr may be None, closed, or a pipe that nobody reads
            sys.stderr.write(
                "tinygrad_cnn: compiling kernels, once on this machine "
                "(kernels.use('vectorized') needs none)\n"
            )


notice = _Notice()
