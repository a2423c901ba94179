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
from . import backends as backends
from . import cuda as cuda
from . import kernels as kernels
from . import nn as nn
from . import optim as optim
from . import utils as utils
from .tensor import Tensor as Tensor  # before the function `tensor`, which takes the module's name
from .compat.machine import *  # each module lists in __all__ what is public here
from .creation import *
from .engine.dtypes import *
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
from .serialization import *

bool, half, float, double = bool_, float16, float32, float64
short, int, long = int16, int32, int64

__version__ = "0.1.0"

if not _typing.TYPE_CHECKING:
    from .compat.missing import not_here as _not_here
    from .naming import own_methods as _own_methods

    _own_methods(globals())
    _not_here(
        globals(), modules=("distributions", "func", "linalg", "testing"), names={"func": ("vmap",)}
    )
