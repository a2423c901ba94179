"""Linear layers, and layers that change the shape alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import creation, functions
from ..functions.public import body
from ..tensor import Tensor
from ..types import Device, DType
from . import functional as F, init
from .module import Module
from .parameter import Parameter
from .settings import FunctionModule

__all__ = ["Bilinear", "Flatten", "Identity", "Linear", "Unflatten"]

_linear = body(F.linear)


def empty_parameter(shape: Sequence[int], device: Device, dtype: DType | None) -> Parameter:
    """A Parameter whose values are still to be drawn."""
    return Parameter(creation.empty(tuple(shape), device=device, dtype=dtype))


def draw_weight_and_bias(module: Any) -> None:
    """Draw both from U(±1 / √fan_in): Kaiming's uniform initialisation with a = √5."""
    init.kaiming_uniform_(module.weight, a=math.sqrt(5))
    if module.bias is not None:
        fan_in, _ = init._calculate_fan_in_and_fan_out(module.weight)
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        init.uniform_(module.bias, -bound, bound)


class Identity(Module):
    """Returns its input. The constructor takes any arguments and ignores them.

    >>> tc.nn.Identity(54, unused=True)(tc.tensor([1.0]))
    tensor([1.])
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """The input itself."""
        return input


class Linear(Module):
    """x · weightᵀ + bias.

    Shape (.., in_features) → (.., out_features). weight (out_features, in_features) and bias
    (out_features,) start as U(±1 / √in_features). Raises RuntimeError where the last axis of the
    input has another size.

    >>> tc.nn.Linear(3, 2)(tc.ones(5, 3)).shape
    torch.Size([5, 2])
    """

    in_features: int
    out_features: int
    weight: Tensor
    bias: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = empty_parameter((out_features, in_features), device, dtype)
        self.register_parameter(
            "bias", empty_parameter((out_features,), device, dtype) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values for weight and bias."""
        draw_weight_and_bias(self)

    def forward(self, input: Tensor) -> Tensor:
        """input · weightᵀ + bias."""
        return _linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class NonDynamicallyQuantizableLinear(Linear):
    """A Linear, with the class name that PyTorch prints for `MultiheadAttention.out_proj`."""


class Bilinear(Module):
    """y[.., k] = Σᵢⱼ x1[.., i] weight[k, i, j] x2[.., j] + bias[k].

    Shapes (.., in1_features) and (.., in2_features) → (.., out_features). weight (out_features,
    in1_features, in2_features) and bias (out_features,) start as U(±1 / √in1_features). Raises
    ValueError where in1_features is not positive.

    >>> tc.nn.Bilinear(3, 4, 2)(tc.ones(5, 3), tc.ones(5, 4)).shape
    torch.Size([5, 2])
    """

    in1_features: int
    in2_features: int
    out_features: int
    weight: Tensor
    bias: Tensor

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got {in1_features}")
        self.in1_features, self.in2_features = in1_features, in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        self.weight = empty_parameter(shape, device, dtype)
        self.register_parameter(
            "bias", empty_parameter((out_features,), device, dtype) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values for weight and bias."""
        bound = 1 / math.sqrt(self.in1_features)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """The bilinear form of each pair of rows, once for each output."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Flatten(FunctionModule, function=functions.flatten):
    """Makes one axis of the axes from start_dim to end_dim: (N, C, H, W) → (N, C·H·W).

    Raises IndexError for an axis that the input does not have.

    >>> tc.nn.Flatten()(tc.ones(2, 3, 4, 4)).shape
    torch.Size([2, 48])
    """

    start_dim: int = 1
    end_dim: int = -1


class Unflatten(FunctionModule, function=functions.unflatten):
    """Makes several axes, of the sizes `unflattened_size`, of the axis `dim`. One size may be −1.

    Raises IndexError for an axis that the input does not have, RuntimeError where the sizes do not
    multiply to that of the axis.

    >>> tc.nn.Unflatten(1, (2, -1))(tc.ones(5, 6)).shape
    torch.Size([5, 2, 3])
    """

    dim: int
    unflattened_size: Sequence[int]

    def forward(self, input: Tensor) -> Tensor:
        """The input with `dim` divided."""
        return functions.unflatten(input, self.dim, self.unflattened_size)
