"""Compiling: when a kernel is first called for a dtype, kept on disk where that is possible.

Numba keeps what it compiled beside the source, or in the user's cache directory, and goes by the
function's own file whether that is fresh. The kernels build their code out of several files, so
here it goes by all of them. Nothing that fails about the cache is an error.
"""

import hashlib
import sys
import threading
from contextlib import suppress
from pathlib import Path

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache

PATIENCE = 2  # seconds until a word is said about compiling

_lock = threading.RLock()
_told = False


class _Stamped:
    """A cache locator that goes by all files of this package."""

    def __init__(self, locator):
        self.locator = locator

    def __getattr__(self, name):
        return getattr(self.locator, name)

    def get_source_stamp(self):
        files = sorted(Path(__file__).parent.glob("*.py"))
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


class _Implementation(CompileResultCacheImpl):
    def __init__(self, function):
        super().__init__(function)
        self._locator = _Stamped(self._locator)


class _Cache(FunctionCache):
    _impl_class = _Implementation

    def load_overload(self, signature, context):
        try:
            return super().load_overload(signature, context)
        except Exception:  # unreadable, cut short, of another version
            return None

    def save_overload(self, signature, result):
        with suppress(Exception):  # no room, no longer writable
            super().save_overload(signature, result)


part = numba.njit(nogil=True, error_model="numpy")  # of a kernel


class jit:
    """A kernel: a function of a zero, which gives the dtype, and integers.

    Called with a dtype and integers. It holds no interpreter lock while it runs.
    """

    def __init__(self, function):
        self.function = function
        self.dispatcher = part(function)
        self.zeros = {}

    def __call__(self, dtype, *integers):
        zero = self.zeros.get(dtype)
        if zero is None:
            zero = self.compile(dtype, len(integers))
        return self.dispatcher(zero, *integers)

    def compile(self, dtype, count):
        with _lock:  # Numba has a lock of its own, which a forked child would find taken
            if not self.dispatcher.signatures:
                with suppress(RuntimeError, OSError):  # there may be no place for it
                    self.dispatcher._cache = _Cache(self.function)
            zero = dtype.type(0)
            notice = threading.Timer(PATIENCE, _tell)
            notice.daemon = True
            notice.start()
            try:
                self.dispatcher.compile((numba.typeof(zero), *[numba.int64] * count))
            finally:
                notice.cancel()
            self.zeros[dtype] = zero
            return zero


def _tell():
    global _told
    if not _told:
        _told = True
        print(
            "tinygrad_cnn: compiling kernels, once on this machine (kernels.use('vectorized') needs none)",
            file=sys.stderr,
        )
