"""Rectifiers: x where x is positive, and a smaller slope or a bound elsewhere.

Each takes a Tensor of any shape and returns one of the same shape and dtype. With `inplace`, or
under the name with an underscore, it writes the result over the input and returns it. Most raise
NotImplementedError for integers.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ... import ops, random
from ...dtypes import shown
from ...engine import wrap
from ...functions.arguments import tensors
from ...functions.public import numpys_names
from ...inplace import in_place
from ...random import Generator
from ...tensor import Tensor
from .check import NUMBERS, check_kind

__all__ = [
    "celu", "celu_", "elu", "elu_", "leaky_relu", "leaky_relu_", "prelu", "relu", "relu_", "rrelu",
    "rrelu_", "selu", "selu_", "threshold", "threshold_",
]  # fmt: skip

_in_place = functools.cache(in_place)


def apply(op: Any, inplace: bool, input: Any, *others: Any, **attributes: Any) -> Any:
    """The op of the input, or with `inplace` its in-place form."""
    return (_in_place(op) if inplace else op)(input, *others, **attributes)


# --- With a slope or a value below 0 -------------------------------------------------------------


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0) of each element x of input.

    At the kink x = 0 the subgradient is 0. The result has the shape and the dtype of input. With
    `inplace` it overwrites input. NotImplementedError for bools.

    >>> relu(tc.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    if not isinstance(input, Tensor) or input._array.dtype.kind == "b":
        check_kind("relu", input, NUMBERS)
    return apply(ops.relu, True, input) if inplace else ops.relu(input)


@numpys_names
def relu_(input: Tensor) -> Tensor:
    """`relu` in place.

    >>> relu_(tc.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    check_kind("relu_", input, NUMBERS)
    return apply(ops.relu, True, input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Each element x of input where x > 0, else negative_slope · x.

    At 0 the gradient is negative_slope. The result has the shape and the dtype of input. With
    `inplace` it overwrites input. NotImplementedError for integers.

    >>> leaky_relu(tc.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    check_kind("leaky_relu", input)
    return apply(ops.prelu, inplace, input, negative_slope)


@numpys_names
def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`leaky_relu` in place.

    >>> leaky_relu_(tc.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    check_kind("leaky_relu_", input)
    return apply(ops.prelu, True, input, negative_slope)


@numpys_names
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Each element x of input where x > 0, else weight · x. (He et al. 2015.)

    There is one weight, or one for each channel (axis 1). The result has the shape and the dtype of
    input. RuntimeError for a weight of another shape or dtype, NotImplementedError for integers.

    >>> prelu(tc.tensor([[-1.0, -1.0]]), tc.tensor([0.5, 2.0]))
    tensor([[-0.5000, -2.0000]])
    """
    tensors("prelu", input=input, weight=weight)
    check_kind("prelu", input)
    shape, w = input._array.shape, weight._array
    if w.dtype != input._array.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {input.dtype} and {shown(w.dtype)}"
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


@numpys_names
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
    if not lower <= upper:
        raise RuntimeError(
            f"Lower bound should be less than or equal to the upper bound, got {lower} and {upper}"
        )
    slope: Any = (lower + upper) / 2
    if training:
        a = input._array
        drawn = np.float64 if a.dtype == np.float64 else np.float32
        draws = random.source(generator).random(a.shape, drawn)
        slope = wrap(np.asarray(draws * (upper - lower) + lower, a.dtype))
    return apply(ops.prelu, inplace, input, slope)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Each element x of input where x > threshold, else value.

    At the threshold the subgradient is 0. The result has the shape and the dtype of input. With
    `inplace` it overwrites input. NotImplementedError for bools.

    >>> threshold(tc.tensor([-1.0, 2.0]), 0.0, -5.0)
    tensor([-5.,  2.])
    """
    return _threshold("threshold", input, threshold, value, inplace)


@numpys_names
def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """`threshold` in place.

    >>> threshold_(tc.tensor([-1.0, 2.0]), 0.0, -5.0)
    tensor([-5.,  2.])
    """
    return _threshold("threshold_", input, threshold, value, True)


def _threshold(name: str, input: Any, threshold: float, value: float, inplace: bool) -> Any:
    check_kind(name, input, NUMBERS)
    x = input._array
    y = ops.where(~(x <= threshold), input, np.asarray(value).astype(x.dtype).item())
    return input.copy_(y) if inplace else y


# --- Exponential linear units -------------------------------------------------------------------


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Each element x of input where x > 0, else alpha · (eˣ − 1). (Clevert et al. 2016.)

    The result has the shape and the dtype of input. With `inplace` it overwrites input.
    NotImplementedError for integers.

    >>> elu(tc.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return _elu("elu", input, inplace, alpha)


@numpys_names
def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`elu` in place.

    >>> elu_(tc.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return _elu("elu_", input, True, alpha)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Each element x of input where x > 0, else alpha · (e^(x / alpha) − 1). (Barron 2017.)

    The result has the shape and the dtype of input. With `inplace` it overwrites input.
    RuntimeError for alpha 0, NotImplementedError for integers.

    >>> celu(tc.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-0.7869,  2.0000])
    """
    return _celu("celu", input, inplace, alpha)


@numpys_names
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
    """1.0507 · elu(x, alpha=1.6733) of each element x of input. (Klambauer et al. 2017.)

    It keeps activations at mean 0 and variance 1. The result has the shape and the dtype of input.
    With `inplace` it overwrites input. NotImplementedError for integers.

    >>> selu(tc.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return _elu("selu", input, inplace, SELU_ALPHA, SELU_SCALE)


@numpys_names
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
    return apply(ops.elu, inplace, input, alpha=alpha, scale=scale, rate=rate)
