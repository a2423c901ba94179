"""The ops: one family a file, forward and vjps side by side."""

from .arithmetic import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    ceil,
    cosh,
    expm1,
    floor,
    floor_divide,
    fmod,
    log1p,
    log2,
    log10,
    reciprocal,
    remainder,
    round,
    rsqrt,
    sinh,
    square,
    tan,
    trunc,
)
from .conv import conv2d, conv2d_input, conv2d_weight
from .elementwise import (
    abs,
    add,
    cast,
    clamp,
    clone,
    cos,
    div,
    exp,
    keep,
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
    softplus,
    sqrt,
    sub,
    tanh,
    where,
)
from .linear import contract, linear, matmul
from .norm import batch_norm, dropout
from .pool import (
    avg_pool2d,
    avg_pool2d_input,
    max_pool2d,
    max_pool2d_gather,
    max_pool2d_scatter,
)
from .reduce import amax, amin, logsumexp, max_along, mean, min_along, norm, std, sum, var
from .scan import cumprod, cumsum, prod
from .shape import (
    cat,
    diagonal,
    expand,
    flip,
    from_diagonal,
    gather,
    getitem,
    pad,
    permute,
    put,
    reshape,
    roll,
    scatter_add,
    setitem,
    stack,
    sum_to,
    write_view,
)
from .softmax import cross_entropy, log_softmax, softmax
from .special import erf, erfinv

__all__ = [
    "abs", "acos", "acosh", "add", "amax", "amin", "asin", "asinh", "atan", "atan2", "atanh",
    "avg_pool2d", "avg_pool2d_input", "batch_norm", "cast", "cat", "ceil", "clamp", "clone",
    "contract", "conv2d", "conv2d_input", "conv2d_weight", "cos", "cosh", "cross_entropy",
    "cumprod", "cumsum", "diagonal", "div", "dropout", "erf", "erfinv", "exp", "expand",
    "expm1", "flip", "floor", "floor_divide", "fmod", "from_diagonal", "gather", "getitem",
    "keep", "linear", "log", "log1p", "log2", "log10", "log_softmax", "logsumexp", "matmul",
    "max_along", "max_pool2d", "max_pool2d_gather", "max_pool2d_scatter", "maximum", "mean",
    "min_along", "minimum", "mul", "neg", "norm", "pad", "permute", "pow", "prod", "put",
    "reciprocal", "relu", "remainder", "reshape", "roll", "round", "rsqrt", "scatter_add",
    "setitem", "sigmoid", "sign", "sin", "sinh", "softmax", "softplus", "sqrt", "square",
    "stack", "std", "sub", "sum", "sum_to", "tan", "tanh", "trunc", "var", "where",
    "write_view",
]  # fmt: skip
