"""A tiny reverse-mode autograd framework on NumPy, with PyTorch's names.

>>> import tinygrad_cnn as tc
>>> x = tc.tensor([[1.0, -2.0]], requires_grad=True)
>>> tc.relu(x).sum().backward()
>>> x.grad
tensor([[1., 0.]])
"""

from math import e as e, inf as inf, nan as nan, pi as pi
import typing as _typing

from . import autograd as autograd
from . import functions as _functions
from . import kernels as kernels
from . import nn as nn
from . import optim as optim
from . import utils as utils
from .tensor import Tensor as Tensor  # before the function `tensor`, which takes the module's name
from .compat.machine import *  # each module lists in __all__ what is public here
from .creation import *
from .dtypes import *
from .functions import *
from .metadata import *
from .engine import (
    Observer as Observer,
    enable_grad as enable_grad,
    inference_mode as inference_mode,
    is_grad_enabled as is_grad_enabled,
    no_grad as no_grad,
    observe as observe,
    op as op,
    set_grad_enabled as set_grad_enabled,
)
from .printing import *
from .random import *
from . import forks as forks  # last: see there

bool, half, float, double = bool_, float16, float32, float64
short, int, long = int16, int32, int64
cfloat, cdouble = complex64, complex128

__version__ = "0.1.0"

if _typing.TYPE_CHECKING:
    from .compat import (  # under PyTorch's paths, which compat/paths.txt lists
        accelerator as accelerator,
        backends as backends,
        compiler as compiler,
        cuda as cuda,
        jit as jit,
        version as version,
    )
    from . import (
        amp as amp,
        distributed as distributed,
        distributions as distributions,
        func as func,
        hub as hub,
        linalg as linalg,
        multiprocessing as multiprocessing,
        profiler as profiler,
        serialization as serialization,
        special as special,
    )
    from .amp.autocast_mode import (
        autocast as autocast,
        get_autocast_dtype as get_autocast_dtype,
        is_autocast_enabled as is_autocast_enabled,
        set_autocast_enabled as set_autocast_enabled,
    )
    from .compat.compiler import compile as compile
    from .limits import *
    from .serialization import CheckpointError as CheckpointError, load as load, save as save
    from .typed import *
else:
    from .compat.missing import not_here as _not_here
    from .naming import own_methods as _own_methods

    _own_methods(globals())
    for _module in (
        autograd.function, autograd.functional, nn.init, nn.utils.parametrize, optim.optimizer,
        random,
    ):  # fmt: skip  # files, which are no packages
        _not_here(vars(_module))
    _not_here(globals(), modules=(
        "amp", "distributed", "distributions", "func", "hub", "linalg", "multiprocessing", "profiler",
        "serialization", "special", "testing",
    ), names={
        "amp.autocast_mode": (
            "autocast", "clear_autocast_cache", "get_autocast_cpu_dtype", "get_autocast_dtype",
            "get_autocast_gpu_dtype", "is_autocast_cache_enabled", "is_autocast_cpu_enabled",
            "is_autocast_enabled", "set_autocast_cache_enabled", "set_autocast_dtype",
            "set_autocast_enabled",
        ),
        "compat.checks": ("_assert", "_check*"),
        "compat.compiler": ("compile",),
        "compat.cuda": ("OutOfMemoryError",),
        "func": ("vmap",),
        "functions.foreach": ("_foreach_*",),
        **{f"functions.{module}": names for module, names in _functions.LATER.items()},
        "limits": ("finfo", "iinfo"),
        "serialization": ("CheckpointError", "load", "save"),
        "typed": (
            "BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor",
            "HalfTensor", "IntTensor", "LongTensor", "ShortTensor", "set_default_tensor_type",
        ),
    })  # fmt: skip
