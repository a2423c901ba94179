"""Elementwise activations, and GLU, which halves an axis.

Each takes a Tensor of any shape. The elementwise ones return one of the same shape and dtype. With
`inplace`, or under the name with an underscore, they write the result over the input and return it.
Most raise NotImplementedError for integers.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ... import ops, random
from ...engine import wrap
from ...functions.arguments import axis, tensors
from ...functions.public import public
from ...inplace import in_place
from ...random import Generator
from ...tensor import Tensor
from ...types import Number
from .check import check_kind

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "logsigmoid", "mish", "prelu", "relu",
    "relu6", "relu_", "rrelu", "rrelu_", "selu", "selu_", "sigmoid", "silu", "softplus",
    "softshrink", "softsign", "tanh", "tanhshrink", "threshold", "threshold_",
]  # fmt: skip

_in_place = functools.cache(in_place)


def _apply(op: Any, inplace: bool, input: Any, *others: Any, **attributes: Any) -> Any:
    """The op of the input; in the memory of the input if so asked."""
    return (_in_place(op) if inplace else op)(input, *others, **attributes)


# --- Rectifiers ---------------------------------------------------------------------------------


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0). At the kink x = 0 the subgradient is 0. Takes integers too.

    >>> relu(tc.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    if not isinstance(input, Tensor) or input._array.dtype.kind == "b":
        check_kind("relu", input, "fiu")
    return _apply(ops.relu, True, input) if inplace else ops.relu(input)


def relu_(input: Tensor) -> Tensor:
    """`relu` in place.

    >>> relu_(tc.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    check_kind("relu_", input, "fiu")
    return _apply(ops.relu, True, input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6). At both bounds the subgradient is 0. Takes integers too.

    >>> relu6(tc.tensor([-1.0, 2.0, 8.0]))
    tensor([0., 2., 6.])
    """
    return _hardtanh("relu6", input, 0.0, 6.0, inplace)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """x clamped to [min_val, max_val]. At both bounds the subgradient is 0. Takes integers too.

    Raises ValueError for min_val > max_val.

    >>> hardtanh(tc.tensor([-2.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return _hardtanh("hardtanh", input, min_val, max_val, inplace)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """`hardtanh` in place.

    >>> hardtanh_(tc.tensor([-2.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return _hardtanh("hardtanh_", input, min_val, max_val, True)


def _hardtanh(name: str, input: Any, low: float, high: float, inplace: bool) -> Any:
    check_kind(name, input, "fiu")
    if low > high:
        raise ValueError(f"min_val cannot be greater than max_val, got {low} and {high}")
    return _apply(ops.hardtanh, inplace, input, min_val=low, max_val=high)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope · x. At 0 the gradient is negative_slope.

    >>> leaky_relu(tc.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    check_kind("leaky_relu", input)
    return _apply(ops.prelu, inplace, input, negative_slope)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`leaky_relu` in place.

    >>> leaky_relu_(tc.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    check_kind("leaky_relu_", input)
    return _apply(ops.prelu, True, input, negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else weight · x, with one weight, or one for each channel (axis 1).

    Raises RuntimeError for a weight of another shape or dtype. (He et al. 2015.)

    >>> prelu(tc.tensor([[-1.0, -1.0]]), tc.tensor([0.5, 2.0]))
    tensor([[-0.5000, -2.0000]])
    """
    tensors("prelu", input=input, weight=weight)
    check_kind("prelu", input)
    shape, w = input._array.shape, weight._array
    if w.dtype != input._array.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {input._array.dtype} and {w.dtype}"
        )
    if w.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {w.ndim}"
        )
    if w.size != 1:
        channels = shape[1] if len(shape) > 1 else 1
        if not shape or w.size != channels:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{w.size} and channel size = {channels}."
            )
        weight = ops.reshape(weight, shape=(w.size, *[1] * (len(shape) - 2)))
    elif w.ndim > len(shape):
        weight = ops.reshape(weight, shape=())
    return ops.prelu(input, weight)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False,
    inplace: bool = False,
) -> Tensor:  # fmt: skip
    """`leaky_relu` with a random slope for each element, in training: from U[lower, upper).

    In evaluation the slope is (lower + upper) / 2. Raises RuntimeError for lower > upper.
    (Xu et al. 2015.)

    >>> rrelu(tc.tensor([-1.0, 2.0]), 0.25, 0.75)
    tensor([-0.5000,  2.0000])
    """
    return _rrelu("rrelu", input, lower, upper, training, None, inplace)


def rrelu_(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """`rrelu` in place. It draws from `generator`, by default from the default generator.

    >>> rrelu_(tc.tensor([-1.0, 2.0]), 0.25, 0.75)
    tensor([-0.5000,  2.0000])
    """
    return _rrelu("rrelu_", input, lower, upper, training, generator, True)


def _rrelu(
    name: str, input: Any, lower: float, upper: float, training: bool, generator: Any, inplace: bool
) -> Any:
    check_kind(name, input)
    if lower > upper:
        raise RuntimeError(
            f"Lower bound should be less than or equal to the upper bound, got {lower} and {upper}"
        )
    slope: Any = (lower + upper) / 2
    if training:
        a = input._array
        drawn = np.float64 if a.dtype == np.float64 else np.float32
        draws = random.source(generator).random(a.shape, drawn)
        slope = wrap(np.asarray(draws * (upper - lower) + lower, a.dtype))
    return _apply(ops.prelu, inplace, input, slope)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else value. At the threshold the subgradient is 0. Takes integers too.

    >>> threshold(tc.tensor([-1.0, 2.0]), 0.0, -5.0)
    tensor([-5.,  2.])
    """
    return _threshold("threshold", input, threshold, value, inplace)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """`threshold` in place.

    >>> threshold_(tc.tensor([-1.0, 2.0]), 0.0, -5.0)
    tensor([-5.,  2.])
    """
    return _threshold("threshold_", input, threshold, value, True)


def _threshold(name: str, input: Any, threshold: float, value: float, inplace: bool) -> Any:
    check_kind(name, input, "fiu")
    x = input._array
    y = ops.where(~(x <= threshold), input, x.dtype.type(value).item())
    return input.copy_(y) if inplace else y


# --- Exponential linear units -------------------------------------------------------------------


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha · (eˣ − 1). (Clevert et al. 2016.)

    >>> elu(tc.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return _elu("elu", input, inplace, alpha)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`elu` in place.

    >>> elu_(tc.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return _elu("elu_", input, True, alpha)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else alpha · (e^(x / alpha) − 1). RuntimeError for alpha 0. (Barron 2017.)

    >>> celu(tc.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-0.7869,  2.0000])
    """
    return _celu("celu", input, inplace, alpha)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`celu` in place.

    >>> celu_(tc.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-0.7869,  2.0000])
    """
    return _celu("celu_", input, True, alpha)


def _celu(name: str, input: Any, inplace: bool, alpha: float) -> Any:
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _elu(name, input, inplace, alpha, rate=1 / alpha)


# Klambauer et al. 2017, equation 14: with these, mean 0 and variance 1 are a fixed point of a layer
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """1.0507 · elu(x, alpha=1.6733), which keeps activations at mean 0 and variance 1.

    (Klambauer et al. 2017.)

    >>> selu(tc.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return _elu("selu", input, inplace, SELU_ALPHA, SELU_SCALE)


def selu_(input: Tensor) -> Tensor:
    """`selu` in place.

    >>> selu_(tc.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return _elu("selu_", input, True, SELU_ALPHA, SELU_SCALE)


def _elu(
    name: str, input: Any, inplace: bool, alpha: float, scale: float = 1.0, rate: float = 1.0
) -> Any:
    check_kind(name, input)
    return _apply(ops.elu, inplace, input, alpha=alpha, scale=scale, rate=rate)


# --- Smooth ones --------------------------------------------------------------------------------


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + e⁻ˣ), in (0, 1). Integers give the default dtype.

    >>> sigmoid(tc.tensor([0.0, 1.0]))
    tensor([0.5000, 0.7311])
    """
    tensors("sigmoid", input=input)
    return ops.sigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent, in (−1, 1). Integers give the default dtype.

    >>> tanh(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    tensors("tanh", input=input)
    return ops.tanh(input)


def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """x Φ(x), with Φ the distribution function of the standard normal distribution.

    `approximate="tanh"` computes Φ approximately, by a tanh. Raises RuntimeError for another word
    than "none" and "tanh". (Hendrycks and Gimpel 2016.)

    >>> gelu(tc.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """
    check_kind("gelu", input)
    if approximate not in ("none", "tanh"):
        raise RuntimeError(
            f"approximate argument must be either none or tanh, got {approximate!r}."
        )
    return ops.gelu(input, approximate=approximate)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x · sigmoid(x).

    >>> silu(tc.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    check_kind("silu", input)
    return _apply(ops.silu, inplace, input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · tanh(softplus(x)). (Misra 2019.)

    >>> mish(tc.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    check_kind("mish", input)
    return _apply(ops.mish, inplace, input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + exp(beta · x)) / beta. Where beta · x is over the threshold it is x itself.

    >>> softplus(tc.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """
    check_kind("softplus", input)
    return ops.softplus(input, beta=beta, threshold=threshold)


def logsigmoid(input: Tensor) -> Tensor:
    """ln sigmoid(x). It does not overflow.

    >>> logsigmoid(tc.tensor([0.0, -1000.0]))
    tensor([-6.9315e-01, -1.0000e+03])
    """
    check_kind("logsigmoid", input)
    return ops.logsigmoid(input)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|), in (−1, 1). Takes integers too.

    >>> softsign(tc.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    check_kind("softsign", input, "fiu")
    return ops.div(input, ops.add(ops.abs(input), 1))


def tanhshrink(input: Tensor) -> Tensor:
    """x − tanh x. Takes integers too.

    >>> tanhshrink(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2384])
    """
    check_kind("tanhshrink", input, "fiu")
    return ops.sub(input, ops.tanh(input))


# --- Piecewise linear ones ----------------------------------------------------------------------


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · min(max(x + 3, 0), 6) / 6. (Howard et al. 2019.)

    >>> hardswish(tc.tensor([-1.0, 2.0]))
    tensor([-0.3333,  1.6667])
    """
    check_kind("hardswish", input)
    return _apply(ops.hardswish, inplace, input)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6. At both kinks the subgradient is 0.

    >>> hardsigmoid(tc.tensor([-1.0, 4.0]))
    tensor([0.3333, 1.0000])
    """
    check_kind("hardsigmoid", input)
    y = ops.hardtanh(input / 6.0 + 0.5, min_val=0.0, max_val=1.0)
    return input.copy_(y) if inplace else y


@public
def hardshrink(input: Tensor, lambd: Number = 0.5, *, out: Tensor | None = None) -> Tensor:
    """x where |x| > lambd, else 0. At ±lambd the subgradient is 0.

    >>> hardshrink(tc.tensor([-1.0, 0.3]))
    tensor([-1.,  0.])
    """
    check_kind("hardshrink", input)
    x = input._array
    return ops.keep(input, ~((x >= -lambd) & (x <= lambd)))


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by lambd, or 0 where |x| ≤ lambd. At ±lambd the subgradient is 0.

    Raises RuntimeError for lambd < 0.

    >>> softshrink(tc.tensor([-1.0, 0.25, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """
    check_kind("softshrink", input)
    if not lambd >= 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    return ops.sub(input, ops.clamp(input, min=-lambd, max=lambd))


# --- Gates --------------------------------------------------------------------------------------


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a · sigmoid(b), where a and b are the halves of the input along dim. (Dauphin et al. 2017.)

    The axis dim has half the length in the result. Raises RuntimeError for an odd length.

    >>> glu(tc.tensor([2.0, 4.0, 0.0, 100.0]))
    tensor([1., 4.])
    """
    tensors("glu", input=input)
    shape = input._array.shape
    if not shape:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    d = axis("glu", len(shape), dim)
    if shape[d] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {d} is size {shape[d]}")
    check_kind("glu", input)
    before = (slice(None),) * d
    half = shape[d] // 2
    a = ops.getitem(input, index=(*before, slice(half), ...))
    return a * ops.sigmoid(ops.getitem(input, index=(*before, slice(half, None), ...)))
