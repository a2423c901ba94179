"""Initial values: each function fills a tensor in place, records nothing, and returns it.

Random ones draw from `generator`, or from the default generator. A tensor's fans are counted from
its shape (out, in, *kernel): fan_in = in · Π kernel, fan_out = out · Π kernel.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine import mark_written
from ..random import Generator, source
from ..tensor import Tensor

__all__ = [
    "calculate_gain", "constant", "constant_", "dirac", "dirac_", "eye", "eye_", "kaiming_normal",
    "kaiming_normal_", "kaiming_uniform", "kaiming_uniform_", "normal", "normal_", "ones_",
    "orthogonal", "orthogonal_", "sparse", "sparse_", "trunc_normal_", "uniform", "uniform_",
    "xavier_normal", "xavier_normal_", "xavier_uniform", "xavier_uniform_", "zeros_",
]  # fmt: skip

_GAINS = {
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 0.75,
    **dict.fromkeys(["linear", "conv1d", "conv2d", "conv3d"], 1.0),
    **dict.fromkeys(["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"], 1.0),
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The standard deviation that keeps the variance through a nonlinearity.

    `param` is the negative slope of leaky_relu (0.01). Raises ValueError for an unknown name.

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
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name}: wanted a Tensor, got {type(tensor).__name__}")
    array = tensor._array
    if random and array.dtype.kind != "f":
        raise NotImplementedError(f"{name}: wanted a floating-point Tensor, got {array.dtype}")
    return array


def _filled(tensor: Any, values: Any) -> Any:
    tensor._array[...] = values
    mark_written(tensor._array)
    return tensor


def _drawing_type(array: np.ndarray) -> Any:
    """The type to draw in: NumPy draws float32 and float64."""
    return np.float64 if array.dtype == np.float64 else np.float32


def uniform_(
    tensor: Any, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Any:
    """Fill with draws from U[a, b). Raises RuntimeError for a > b."""
    array = _array("uniform_", tensor, random=True)
    if a > b:
        raise RuntimeError(f"uniform_ expects a range [a, b), but found a={a} > b={b}")
    values = source(generator).random(array.shape, _drawing_type(array))
    return _filled(tensor, values * (b - a) + a)


def normal_(
    tensor: Any, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Any:
    """Fill with draws from N(mean, std²). Raises RuntimeError for std < 0."""
    array = _array("normal_", tensor, random=True)
    if std < 0:
        raise RuntimeError(f"normal_ expects std >= 0.0, but found std {std}")
    values = source(generator).standard_normal(array.shape, _drawing_type(array))
    return _filled(tensor, values * std + mean)


def trunc_normal_(
    tensor: Any,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Any:
    """Fill with draws from N(mean, std²) under the condition a ≤ value ≤ b.

    Raises RuntimeError for a > b or std ≤ 0.
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

    From the normal itself where the window holds enough of it. Else from the density that falls
    off exponentially from the bound nearest to 0 (Robert 1995, Simulation of truncated normal
    variables, section 2): at its best far out, and uniform where the window holds 0.
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


def constant_(tensor: Any, val: float) -> Any:
    """Fill with one value."""
    _array("constant_", tensor)
    return _filled(tensor, val)


def ones_(tensor: Any) -> Any:
    """Fill with 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Any) -> Any:
    """Fill with 0."""
    return constant_(tensor, 0.0)


def eye_(tensor: Any) -> Any:
    """Make a matrix the identity. Raises ValueError for what is no matrix."""
    array = _array("eye_", tensor)
    if array.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return _filled(tensor, np.eye(*array.shape))


def dirac_(tensor: Any, groups: int = 1) -> Any:
    """Make a convolution weight (out, in / groups, *kernel) pass its input through.

    Each output channel is its input channel's middle cell. Raises ValueError for other shapes than
    of 3 to 5 axes, and where `groups` does not divide the output channels.
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


def _fans(tensor: Any) -> tuple[int, int]:
    """fan_in and fan_out of a tensor (out, in, *kernel)."""
    shape = tensor.shape
    if len(shape) < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        )
    receptive = math.prod(shape[2:])
    return shape[1] * receptive, shape[0] * receptive


_calculate_fan_in_and_fan_out = _fans  # the name under which PyTorch's is used


def xavier_uniform_(tensor: Any, gain: float = 1.0, generator: Generator | None = None) -> Any:
    """U(±gain · √(6 / (fan_in + fan_out))): Glorot and Bengio 2010, equation 16."""
    bound = gain * math.sqrt(6.0 / max(sum(_fans(tensor)), 1))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Any, gain: float = 1.0, generator: Generator | None = None) -> Any:
    """N(0, gain² · 2 / (fan_in + fan_out)): Glorot and Bengio 2010."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / max(sum(_fans(tensor)), 1)), generator)


def _kaiming_std(tensor: Any, a: float, mode: str, nonlinearity: str) -> float | None:
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return None
    modes = ["fan_in", "fan_out"]
    if str(mode).lower() not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    fan = _fans(tensor)[modes.index(mode.lower())]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Any,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Any:
    """U(±gain · √(3 / fan)): He et al. 2015. `a` is the negative slope of leaky_relu."""
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    if std is None:
        return tensor
    return uniform_(tensor, -math.sqrt(3.0) * std, math.sqrt(3.0) * std, generator)


def kaiming_normal_(
    tensor: Any,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Any:
    """N(0, gain² / fan): He et al. 2015. `a` is the negative slope of leaky_relu."""
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    return tensor if std is None else normal_(tensor, 0.0, std, generator)


def orthogonal_(tensor: Any, gain: float = 1, generator: Generator | None = None) -> Any:
    """Rows (or, where there are more rows, columns) orthogonal, of norm `gain`.

    The axes after the first count as one: Saxe et al. 2013. Raises ValueError below two axes.
    """
    array = _array("orthogonal_", tensor, random=True)
    if array.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if array.size == 0:
        return tensor
    rows = array.shape[0]
    columns = array.size // rows
    draws = source(generator).standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draws)
    q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)  # or else q is not uniform over the group
    return _filled(tensor, gain * (q if rows >= columns else q.T).reshape(array.shape))


def sparse_(
    tensor: Any, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Any:
    """N(0, std²), but ⌈sparsity · rows⌉ entries of each column are 0: Martens 2010."""
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


def deprecated_alias(where: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function under its old name, without the underscore: it warns (FutureWarning)."""
    name = function.__name__

    @functools.wraps(function)
    def old(*args: Any, **kwargs: Any) -> Any:
        warnings.warn(
            f"`{where}.{name[:-1]}` is now deprecated in favor of `{where}.{name}`.",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    old.__name__ = old.__qualname__ = name[:-1]
    old.__doc__ = f"The old name of `{name}`."
    return old


_old = functools.partial(deprecated_alias, "nn.init")
constant, dirac, eye, uniform, normal = map(_old, (constant_, dirac_, eye_, uniform_, normal_))
xavier_uniform, xavier_normal = _old(xavier_uniform_), _old(xavier_normal_)
kaiming_uniform, kaiming_normal = _old(kaiming_uniform_), _old(kaiming_normal_)
orthogonal, sparse = _old(orthogonal_), _old(sparse_)
