"""Initial values: each function fills a Tensor in place, outside autograd, and returns it.

Random functions draw from `generator`, or by default from the default generator, and raise
NotImplementedError unless the Tensor is of floating point. The fans of a Tensor follow from its
shape (out, in, *kernel): fan_in = in · Π kernel, fan_out = out · Π kernel.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any, Literal, ParamSpec, TypeAlias, TypeVar

import numpy as np

from .. import kernels
from ..dtypes import shown
from ..engine import mark_written
from ..engine.dtypes import FLOATING
from ..functions.arguments import tensors
from ..random import Generator, source
from ..tensor import Tensor

__all__ = [
    "calculate_gain", "constant", "constant_", "dirac", "dirac_", "eye", "eye_", "kaiming_normal",
    "kaiming_normal_", "kaiming_uniform", "kaiming_uniform_", "normal", "normal_", "ones_",
    "orthogonal", "orthogonal_", "sparse", "sparse_", "trunc_normal_", "uniform", "uniform_",
    "xavier_normal", "xavier_normal_", "xavier_uniform", "xavier_uniform_", "zeros_",
]  # fmt: skip

Nonlinearity: TypeAlias = Literal[
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu",
]  # fmt: skip
FanMode: TypeAlias = Literal["fan_in", "fan_out"]
P = ParamSpec("P")
R = TypeVar("R")

_GAINS = {  # PyTorch's values
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 0.75,
    **dict.fromkeys(["linear", "conv1d", "conv2d", "conv3d"], 1.0),
    **dict.fromkeys(["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"], 1.0),
}


def calculate_gain(nonlinearity: Nonlinearity, param: float | None = None) -> float:
    """The factor for the standard deviation that keeps the variance through a nonlinearity.

    `param` is the negative slope of leaky_relu, 0.01 by default. Raises ValueError for an unknown
    name.

    >>> calculate_gain("leaky_relu", 0.0) == 2**0.5
    True
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {slope} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    return _GAINS[nonlinearity]


def _array(name: str, tensor: Any, random: bool = False) -> np.ndarray:
    """The array to fill, checked: of floating point for random values."""
    tensors(name, tensor=tensor)
    array: np.ndarray = tensor._array
    if random and array.dtype.kind not in FLOATING:
        raise NotImplementedError(
            f"{name}: wanted a floating-point Tensor, got {shown(array.dtype)}"
        )
    return array


def _filled(tensor: Any, values: Any) -> Any:
    """The Tensor, with the values written to its memory."""
    tensor._array[...] = values
    mark_written(tensor._array)
    return tensor


def _drawing_type(array: np.ndarray) -> Any:
    """The dtype to draw in. NumPy draws float32 and float64 alone."""
    return np.float64 if array.dtype == np.float64 else np.float32


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with draws from U[a, b). Raises RuntimeError for a > b.

    >>> uniform_(tc.empty(2), 3.0, 3.0)
    tensor([3., 3.])
    """
    array = _array("uniform_", tensor, random=True)
    if a > b:
        raise RuntimeError(f"uniform_ expects a range [a, b), but found a={a} > b={b}")
    values = source(generator).random(array.shape, _drawing_type(array))
    return _filled(tensor, values * (b - a) + a)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with draws from N(mean, std²). Raises RuntimeError for std < 0.

    >>> normal_(tc.empty(2), mean=3.0, std=0.0)
    tensor([3., 3.])
    """
    array = _array("normal_", tensor, random=True)
    if std < 0:
        raise RuntimeError(f"normal_ expects std >= 0.0, but found std {std}")
    values = source(generator).standard_normal(array.shape, _drawing_type(array))
    return _filled(tensor, values * std + mean)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Fill with draws from N(mean, std²) under the condition a ≤ value ≤ b.

    Raises RuntimeError for a > b or std ≤ 0.

    >>> trunc_normal_(tc.empty(100)).abs().max() <= 2
    tensor(True)
    """
    array = _array("trunc_normal_", tensor, random=True)
    if not (a <= b and std > 0):
        raise RuntimeError(
            f"trunc_normal_ expects a <= b and std > 0, but found {a=}, {b=}, {std=}"
        )
    values = _truncated(array.size, (a - mean) / std, (b - mean) / std, source(generator))
    values = (values * std + mean).clip(a, b).reshape(array.shape)
    return _filled(tensor, values)


def _truncated(size: int, low: float, high: float, draw: np.random.Generator) -> np.ndarray:
    """Standard normal draws in [low, high], by rejection.

    The draws to choose from are normal if enough of them fall into the window. Else their density
    falls off exponentially from the bound nearest to 0: best far out, and uniform if the window
    holds 0. (Robert 1995, Simulation of truncated normal variables, section 2.)
    """
    if high < 0:
        return -_truncated(size, -high, -low, draw)
    mass = 0.5 * (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2)))
    rate, width = max(low, 0.0), high - low
    found, missing = [np.empty(0)], size
    while missing:
        n = 2 * missing + 8
        if mass > 0.1:
            x = draw.standard_normal(n)
            x = x[(low <= x) & (x <= high)]
        else:
            u = draw.random(n)
            # the inverse of (1 - exp(-rate·t)) / (1 - exp(-rate·width)), t = x - low
            t = -np.log1p(u * np.expm1(-rate * width)) / rate if rate * width > 1e-9 else u * width
            x = low + t
            x = x[draw.random(n) <= np.exp(-0.5 * x * x + rate * t + 0.5 * rate * rate)]
        found.append(x[:missing])
        missing -= len(found[-1])
    return np.concatenate(found)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value.

    >>> constant_(tc.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    _array("constant_", tensor)
    return _filled(tensor, val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1.

    >>> ones_(tc.empty(2))
    tensor([1., 1.])
    """
    _array("ones_", tensor)
    return _filled(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0.

    >>> zeros_(tc.empty(2))
    tensor([0., 0.])
    """
    _array("zeros_", tensor)
    return _filled(tensor, 0)


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity. Raises ValueError for another number of axes than two.

    >>> eye_(tc.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    array = _array("eye_", tensor)
    if array.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return _filled(tensor, np.eye(*array.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a convolution weight (out, in / groups, *kernel) so that it passes its input through.

    Each output channel copies the middle cell of its input channel. Raises ValueError for another
    number of axes than 3 to 5, and for groups that do not divide the output channels.

    >>> dirac_(tc.empty(1, 1, 3))
    tensor([[[0., 1., 0.]]])
    """
    array = _array("dirac_", tensor)
    if array.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if groups < 1 or array.shape[0] % groups:
        raise ValueError(f"dim 0 ({array.shape[0]}) must be divisible by groups ({groups})")
    values = np.zeros(array.shape)
    per_group = array.shape[0] // groups
    middle = tuple(k // 2 for k in array.shape[2:])
    for f in range(array.shape[0]):
        if f % per_group < array.shape[1]:
            values[(f, f % per_group, *middle)] = 1
    return _filled(tensor, values)


def _calculate_fan_in_and_fan_out(tensor: Any) -> tuple[int, int]:
    """fan_in and fan_out of a Tensor (out, in, *kernel). The name is PyTorch's: users call it."""
    shape = tensor._array.shape
    if len(shape) < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        )
    receptive = math.prod(shape[2:])
    return shape[1] * receptive, shape[0] * receptive


def _sum_of_fans(name: str, tensor: Any) -> int:
    """fan_in + fan_out, at least 1, of a checked Tensor."""
    _array(name, tensor, random=True)
    return max(sum(_calculate_fan_in_and_fan_out(tensor)), 1)


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Fill with draws from U(±gain · √(6 / (fan_in + fan_out))).

    Raises ValueError below two axes. (Glorot and Bengio 2010, equation 16.)

    >>> xavier_uniform_(tc.empty(3, 3)).abs().max() <= 1
    tensor(True)
    """
    bound = gain * math.sqrt(6.0 / _sum_of_fans("xavier_uniform_", tensor))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with draws from N(0, gain² · 2 / (fan_in + fan_out)).

    Raises ValueError below two axes. (Glorot and Bengio 2010.)

    >>> xavier_normal_(tc.empty(2, 3), gain=0.0).abs()
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    std = gain * math.sqrt(2.0 / _sum_of_fans("xavier_normal_", tensor))
    return normal_(tensor, 0.0, std, generator)


def _kaiming_std(name: str, tensor: Any, a: float, mode: Any, nonlinearity: Any) -> float | None:
    """The standard deviation; None, with a warning, for a Tensor without elements."""
    if not _array(name, tensor, random=True).size:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return None
    modes = ["fan_in", "fan_out"]
    if str(mode).lower() not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    fan = _calculate_fan_in_and_fan_out(tensor)[modes.index(mode.lower())]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: FanMode = "fan_in",
    nonlinearity: Nonlinearity = "leaky_relu", generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Fill with draws from U(±gain · √(3 / fan)).

    `a` is the negative slope of leaky_relu, for the gain. Raises ValueError below two axes, and for
    another mode or nonlinearity. (He et al. 2015.)

    >>> kaiming_uniform_(tc.empty(4, 6)).abs().max() <= 1
    tensor(True)
    """
    std = _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    if std is None:
        return tensor
    return uniform_(tensor, -math.sqrt(3.0) * std, math.sqrt(3.0) * std, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: FanMode = "fan_in",
    nonlinearity: Nonlinearity = "leaky_relu", generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Fill with draws from N(0, gain² / fan). Otherwise as `kaiming_uniform_`.

    >>> kaiming_normal_(tc.empty(4, 6), mode="fan_out", nonlinearity="relu").isfinite().all()
    tensor(True)
    """
    std = _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity)
    return tensor if std is None else normal_(tensor, 0.0, std, generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill a matrix with orthogonal rows of norm `gain`; with columns, if there are fewer of them.

    The axes after the first count as one. Raises ValueError below two axes. (Saxe et al. 2013.)

    >>> orthogonal_(tc.empty(1, 1), gain=2.0).abs()
    tensor([[2.]])
    """
    array = _array("orthogonal_", tensor, random=True)
    if array.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if array.size == 0:
        return tensor
    rows = array.shape[0]
    columns = array.size // rows
    draws = source(generator).standard_normal((max(rows, columns), min(rows, columns)))
    with kernels.all_blas_threads():
        q, r = np.linalg.qr(draws)
    q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)  # so that q is uniform over the group
    return _filled(tensor, gain * (q if rows >= columns else q.T).reshape(array.shape))


def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Tensor:
    """Fill a matrix with draws from N(0, std²), but ⌈sparsity · rows⌉ zeros in each column.

    Raises ValueError for another number of axes than two. (Martens 2010.)

    >>> (sparse_(tc.empty(4, 2), 0.5) == 0).sum(0)
    tensor([2, 2])
    """
    array = _array("sparse_", tensor, random=True)
    if array.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = array.shape
    zeros = math.ceil(sparsity * rows)
    order = source(generator).random((rows, columns)).argsort(axis=0)
    normal_(tensor, 0.0, std, generator)
    tensor._array[order < zeros] = 0
    return tensor


# --- Old names ----------------------------------------------------------------------------------


def deprecated_alias(where: str, function: Callable[P, R]) -> Callable[P, R]:
    """The function under its old name, without the underscore, which warns (FutureWarning)."""
    name = function.__name__

    @functools.wraps(function)
    def old(*args: P.args, **kwargs: P.kwargs) -> R:
        warnings.warn(
            f"`{where}.{name[:-1]}` is now deprecated in favor of `{where}.{name}`.",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    old.__name__ = old.__qualname__ = name[:-1]
    old.__doc__ = f"The old name of `{name}`."
    return old


constant = deprecated_alias("nn.init", constant_)
dirac = deprecated_alias("nn.init", dirac_)
eye = deprecated_alias("nn.init", eye_)
kaiming_normal = deprecated_alias("nn.init", kaiming_normal_)
kaiming_uniform = deprecated_alias("nn.init", kaiming_uniform_)
normal = deprecated_alias("nn.init", normal_)
orthogonal = deprecated_alias("nn.init", orthogonal_)
sparse = deprecated_alias("nn.init", sparse_)
uniform = deprecated_alias("nn.init", uniform_)
xavier_normal = deprecated_alias("nn.init", xavier_normal_)
xavier_uniform = deprecated_alias("nn.init", xavier_uniform_)
