"""A tiny reverse-mode autograd framework on NumPy, with PyTorch's names.

>>> import tinygrad_cnn as tc
>>> x = tc.tensor([[1.0, -2.0]], requires_grad=True)
>>> tc.relu(x).sum().backward()
>>> x.grad
tensor([[1., 0.]])
"""

from . import autograd
from .creation import (
    arange,
    as_tensor,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    tensor,
    zeros,
    zeros_like,
)
from .dtypes import (
    bool_ as bool,
)
from .dtypes import (
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    set_default_dtype,
    uint8,
)
from .functions import (
    add,
    all,
    allclose,
    amax,
    amin,
    any,
    argmax,
    argmin,
    cat,
    clamp,
    eq,
    equal,
    expand,
    flatten,
    gather,
    ge,
    gt,
    isfinite,
    isinf,
    isnan,
    le,
    log_softmax,
    logical_not,
    logsumexp,
    lt,
    matmul,
    max,
    mean,
    min,
    ne,
    permute,
    reshape,
    rsqrt,
    softmax,
    square,
    squeeze,
    stack,
    std,
    sub,
    sum,
    t,
    transpose,
    unsqueeze,
    var,
    where,
)
from .modes import (
    Observer,
    enable_grad,
    is_grad_enabled,
    no_grad,
    observe,
    set_grad_enabled,
)
from .op import op
from .ops import (
    abs,
    clone,
    cos,
    div,
    exp,
    log,
    maximum,
    minimum,
    mul,
    neg,
    pow,
    relu,
    sigmoid,
    sign,
    sin,
    sqrt,
    tanh,
)
from .random import Generator, default_generator, initial_seed, manual_seed, seed
from .tensor import Tensor

__version__ = "0.1.0"
float = float32
double = float64
half = float16
int = int32
long = int64
