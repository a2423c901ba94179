"""Activations: one class each, whose body is its settings."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .settings import FunctionModule

__all__ = ["LeakyReLU", "LogSoftmax", "ReLU", "SiLU", "Sigmoid", "Softmax", "Tanh"]


class ReLU(FunctionModule, function=F.relu):
    """max(x, 0), of any shape; with `inplace` in the memory of x. At 0 the subgradient is 0.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.ReLU()(tc.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    inplace: bool = False

    def forward(self, input: Any) -> Any:
        """max(input, 0)."""
        return input.relu_() if self.inplace else F.relu(input)


class LeakyReLU(FunctionModule, function=F.leaky_relu):
    """x where x > 0, else negative_slope · x."""

    negative_slope: float = 0.01
    inplace: bool = False


class Sigmoid(FunctionModule, function=F.sigmoid):
    """1 / (1 + exp(-x))."""


class Tanh(FunctionModule, function=F.tanh):
    """tanh x."""


class SiLU(FunctionModule, function=F.silu):
    """x · sigmoid(x)."""

    inplace: bool = False


class Softmax(FunctionModule, function=F.softmax):
    """exp(x) / Σ exp(x) along the axis `dim`, which must be given."""

    dim: int | None = None


class LogSoftmax(FunctionModule, function=F.log_softmax):
    """x - ln Σ exp(x) along the axis `dim`, which must be given."""

    dim: int | None = None
