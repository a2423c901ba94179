"""Elementwise activations that are no rectifiers, and GLU, which halves an axis.

Each takes a Tensor of any shape. The elementwise ones return one of the same shape and dtype. With
`inplace`, or under the name with an underscore, they write the result over the input and return it.
Most raise NotImplementedError for integers.
"""

from __future__ import annotations

from typing import Any

from ... import ops
from ...functions.arguments import axis, tensors
from ...functions.public import numpys_names, public
from ...tensor import Tensor
from ...types import Number
from .check import NUMBERS, check_kind
from .rectifier import apply

__all__ = [
    "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_", "logsigmoid",
    "mish", "relu6", "sigmoid", "silu", "softplus", "softshrink", "softsign", "tanh", "tanhshrink",
]  # fmt: skip


# --- Smooth ones --------------------------------------------------------------------------------


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + e⁻ˣ) of each element x of input, in (0, 1).

    The result has the shape of input; integers give the default dtype.

    >>> sigmoid(tc.tensor([0.0, 1.0]))
    tensor([0.5000, 0.7311])
    """
    tensors("sigmoid", input=input)
    return ops.sigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent of each element of input, in (−1, 1).

    The result has the shape of input; integers give the default dtype.

    >>> tanh(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    tensors("tanh", input=input)
    return ops.tanh(input)


@numpys_names
def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """x Φ(x) of each element x of input, with Φ the standard normal distribution function.

    `approximate="tanh"` computes Φ approximately, by a tanh. The result has the shape and the dtype
    of input. RuntimeError for another word than "none" and "tanh", NotImplementedError for
    integers. (Hendrycks and Gimpel 2016.)

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
    """x · sigmoid(x) of each element x of input.

    The result has the shape and the dtype of input. With `inplace` it overwrites input.
    NotImplementedError for integers.

    >>> silu(tc.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    check_kind("silu", input)
    return apply(ops.silu, inplace, input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · tanh(softplus(x)) of each element x of input. (Misra 2019.)

    The result has the shape and the dtype of input. With `inplace` it overwrites input.
    NotImplementedError for integers.

    >>> mish(tc.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """
    check_kind("mish", input)
    return apply(ops.mish, inplace, input)


@numpys_names
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + exp(beta · x)) / beta of each element x of input.

    Where beta · x is over the threshold it is x itself. The result has the shape and the dtype of
    input. NotImplementedError for integers.

    >>> softplus(tc.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """
    check_kind("softplus", input)
    return ops.softplus(input, beta=beta, threshold=threshold)


@numpys_names
def logsigmoid(input: Tensor) -> Tensor:
    """ln sigmoid(x) of each element x of input. It does not overflow.

    The result has the shape and the dtype of input. NotImplementedError for integers.

    >>> logsigmoid(tc.tensor([0.0, -1000.0]))
    tensor([-6.9315e-01, -1.0000e+03])
    """
    check_kind("logsigmoid", input)
    return ops.logsigmoid(input)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|) of each element x of input, in (−1, 1).

    The result has the shape of input; integers give the default dtype. NotImplementedError for
    bools.

    >>> softsign(tc.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    check_kind("softsign", input, NUMBERS)
    return ops.div(input, ops.add(ops.abs(input), 1))


def tanhshrink(input: Tensor) -> Tensor:
    """x − tanh x of each element x of input.

    The result has the shape of input; integers give the default dtype. NotImplementedError for
    bools.

    >>> tanhshrink(tc.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2384])
    """
    check_kind("tanhshrink", input, NUMBERS)
    return ops.sub(input, ops.tanh(input))


# --- Piecewise linear ones ----------------------------------------------------------------------


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6) of each element x of input.

    At both bounds the subgradient is 0. The result has the shape and the dtype of input. With
    `inplace` it overwrites input. NotImplementedError for bools.

    >>> relu6(tc.tensor([-1.0, 2.0, 8.0]))
    tensor([0., 2., 6.])
    """
    return _hardtanh("relu6", input, 0.0, 6.0, inplace)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """Each element x of input, clamped to [min_val, max_val].

    At both bounds the subgradient is 0. The result has the shape and the dtype of input. With
    `inplace` it overwrites input. ValueError for min_val > max_val, NotImplementedError for bools.

    >>> hardtanh(tc.tensor([-2.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return _hardtanh("hardtanh", input, min_val, max_val, inplace)


@numpys_names
def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """`hardtanh` in place.

    >>> hardtanh_(tc.tensor([-2.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return _hardtanh("hardtanh_", input, min_val, max_val, True)


def _hardtanh(name: str, input: Any, low: float, high: float, inplace: bool) -> Any:
    check_kind(name, input, NUMBERS)
    if input._array.dtype.kind == "u" and (int(low) < 0 or int(high) < 0):
        raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    if low > high:
        raise ValueError(f"min_val cannot be greater than max_val, got {low} and {high}")
    return apply(ops.hardtanh, inplace, input, min_val=low, max_val=high)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · min(max(x + 3, 0), 6) / 6 of each element x of input. (Howard et al. 2019.)

    The result has the shape and the dtype of input. With `inplace` it overwrites input.
    NotImplementedError for integers.

    >>> hardswish(tc.tensor([-1.0, 2.0]))
    tensor([-0.3333,  1.6667])
    """
    check_kind("hardswish", input)
    return apply(ops.hardswish, inplace, input)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x + 3, 0), 6) / 6 of each element x of input.

    At both kinks the subgradient is 0. The result has the shape and the dtype of input. With
    `inplace` it overwrites input. NotImplementedError for integers.

    >>> hardsigmoid(tc.tensor([-1.0, 4.0]))
    tensor([0.3333, 1.0000])
    """
    check_kind("hardsigmoid", input)
    y = ops.hardtanh(input / 6.0 + 0.5, min_val=0.0, max_val=1.0)
    return input.copy_(y) if inplace else y


@public
def hardshrink(input: Tensor, lambd: Number = 0.5, *, out: Tensor | None = None) -> Tensor:
    """Each element x of input where |x| > lambd, else 0.

    At ±lambd the subgradient is 0. The result has the shape and the dtype of input.
    NotImplementedError for integers.

    >>> hardshrink(tc.tensor([-1.0, 0.3]))
    tensor([-1.,  0.])
    """
    check_kind("hardshrink", input)
    x = input._array
    return ops.keep(input, ~((x >= -lambd) & (x <= lambd)))


@numpys_names
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Each element x of input moved towards 0 by lambd, or 0 where |x| ≤ lambd.

    At ±lambd the subgradient is 0. The result has the shape and the dtype of input. RuntimeError
    for lambd < 0, NotImplementedError for integers.

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
