"""Linear layers, and those that change the shape alone."""

from __future__ import annotations

import math
from typing import Any

from .. import creation, functions
from . import functional as F, init
from .module import Module
from .parameter import Parameter
from .settings import FunctionModule

__all__ = ["Flatten", "Identity", "Linear", "Unflatten"]


def empty_parameter(shape: Any, device: Any, dtype: Any) -> Parameter:
    """A Parameter whose values are to be drawn."""
    return Parameter(creation.empty(shape, device=device, dtype=dtype))


def draw_weight_and_bias(module: Any) -> None:
    """Both U(±1 / √fan_in): Kaiming's with a = √5."""
    init.kaiming_uniform_(module.weight, a=math.sqrt(5))
    if module.bias is not None:
        fan_in, _ = init._calculate_fan_in_and_fan_out(module.weight)
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        init.uniform_(module.bias, -bound, bound)


class Identity(Module):
    """Returns its input. Any arguments are taken, and mean nothing."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__()

    def forward(self, input: Any) -> Any:
        """The input itself."""
        return input


class Linear(Module):
    """x (.., in_features) · weightᵀ + bias: (.., out_features).

    weight (out_features, in_features) and bias (out_features,) begin as U(±1 / √in_features).
    Raises RuntimeError for an input whose last axis is another.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.Linear(3, 2)(tc.ones(5, 3)).shape == (5, 2)
    True
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = empty_parameter((out_features, in_features), device, dtype)
        self.register_parameter(
            "bias", empty_parameter((out_features,), device, dtype) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        draw_weight_and_bias(self)

    def forward(self, input: Any) -> Any:
        """input · weightᵀ + bias."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Flatten(FunctionModule, function=functions.flatten):
    """The axes from start_dim to end_dim made one; of (N, C, H, W) comes (N, C·H·W)."""

    start_dim: int = 1
    end_dim: int = -1


def _unflatten(input: Any, dim: int, unflattened_size: Any) -> Any:
    axis = functions.axis("Unflatten", input.dim(), dim)
    shape = input.shape
    return input.reshape(*shape[:axis], *unflattened_size, *shape[axis + 1 :])


class Unflatten(FunctionModule, function=_unflatten):
    """The axis `dim` made several, of the sizes `unflattened_size`."""

    dim: int
    unflattened_size: Any
