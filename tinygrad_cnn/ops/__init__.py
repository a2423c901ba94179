"""The ops: one family a file, forward and vjps side by side."""

from .activation import (
    elu,
    gelu,
    hardswish,
    hardtanh,
    logsigmoid,
    mish,
    prelu,
    silu,
    softplus,
)
from .conv import conv2d, conv2d_input, conv2d_weight, conv3d, conv3d_input, conv3d_weight
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
    sqrt,
    sub,
    tanh,
    where,
)
from .embedding import embedding, embedding_rows
from .linear import contract, linear, matmul
from .loss import binary_cross_entropy, huber
from .norm import batch_norm, dropout, group_norm, instance_norm, layer_norm, rms_norm
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
    expand,
    flip,
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
from .sparse import resample
from .special import erf, erfinv

__all__ = [
    "abs", "add", "amax", "amin", "avg_pool2d", "avg_pool2d_input", "batch_norm",
    "binary_cross_entropy", "cast", "cat", "clamp", "clone", "contract", "conv2d", "conv2d_input",
    "conv2d_weight", "conv3d", "conv3d_input", "conv3d_weight", "cos", "cross_entropy", "cumprod",
    "cumsum", "div", "dropout", "elu", "embedding", "embedding_rows", "erf", "erfinv", "exp",
    "expand", "flip", "gather", "gelu", "getitem", "group_norm", "hardswish", "hardtanh", "huber",
    "instance_norm", "keep", "layer_norm", "linear", "log", "log_softmax", "logsigmoid",
    "logsumexp", "matmul", "max_along", "max_pool2d", "max_pool2d_gather", "max_pool2d_scatter",
    "maximum", "mean", "min_along", "minimum", "mish", "mul", "neg", "norm", "pad", "permute",
    "pow", "prelu", "prod", "put", "relu", "resample", "reshape", "rms_norm", "roll",
    "scatter_add", "setitem", "sigmoid", "sign", "silu", "sin", "softmax", "softplus", "sqrt",
    "stack", "std", "sub", "sum", "sum_to", "tanh", "var", "where", "write_view",
]  # fmt: skip
