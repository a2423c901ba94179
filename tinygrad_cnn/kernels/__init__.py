"""The loops that take the time: arrays in, arrays out, one signature, interchangeable sets.

>>> from tinygrad_cnn import kernels
>>> before = kernels.current()      # "compiled" where Numba is installed
>>> kernels.use("vectorized")       # NumPy alone
>>> kernels.current()
'vectorized'
>>> kernels.use(before)

The environment variable ``TINYGRAD_CNN_KERNELS`` names the set to begin with. A set is imported
when the first of its functions is asked for, so that importing this package costs nothing. The
logical layout is always NCHW; any strides are accepted, inputs are never changed, and a result may
be an NCHW view of memory in another order (see `vectorized`). All arguments are given, none is
checked: pairs are tuples, `padding` is ((top, bottom), (left, right)).
"""

import importlib
import importlib.util
import os
import warnings

SETS = ("vectorized", "compiled")
FUNCTIONS = (
    "matmul",
    "conv2d",
    "conv2d_input",
    "conv2d_weight",
    "max_pool2d",
    "max_pool2d_positions",
    "max_pool2d_scatter",
    "max_pool2d_gather",
    "avg_pool2d",
    "avg_pool2d_input",
    "moments",
    "moments_with",
    "weight_sums",
    "normalize",
    "normalize_input",
    "elementwise",
    "blockwise",
    "softmax",
    "softmax_input",
    "log_softmax",
    "log_softmax_input",
    "cross_entropy",
    "cross_entropy_input",
)

_current = os.environ.get("TINYGRAD_CNN_KERNELS")  # none: the best that is installed


def current():
    """The name of the set of kernels in use."""
    global _current
    if not _current:
        _current = "compiled" if importlib.util.find_spec("numba") else "vectorized"
    return _current


def use(name):
    """Choose the kernels of the whole process: "vectorized" (NumPy) or "compiled" (Numba).

    Raises ValueError for an unknown name and ImportError for a set that cannot be imported; the set
    that was in use then stays.
    """
    global _current
    if name not in SETS:
        raise ValueError(f"kernels: expected one of {', '.join(map(repr, SETS))}, got {name!r}")
    try:
        chosen = importlib.import_module(f"{__name__}.{name}")
    except ImportError as error:
        raise ImportError(f"kernels: the {name!r} kernels are not available: {error}") from error
    globals().update({function: getattr(chosen, function) for function in FUNCTIONS})
    _current = name


def get_num_threads():
    """How many threads share the work of a kernel."""
    from ._threads import workers

    return workers()


def set_num_threads(n):
    """Let so many threads share it: those that BLAS may have, in the whole process."""
    from ._threads import set_workers

    set_workers(n)


def __getattr__(name):
    """Called for a kernel before any set was chosen: takes the one that the environment names."""
    if name not in FUNCTIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    chosen = _current
    try:
        use(current())
    except ImportError as error:
        if chosen:
            raise
        warnings.warn(f"{error}; taking the 'vectorized' ones", RuntimeWarning, stacklevel=2)
        use("vectorized")
    return globals()[name]
