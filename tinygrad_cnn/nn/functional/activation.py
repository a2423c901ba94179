"""Activations."""

from __future__ import annotations

from typing import Any

from ... import functions, ops

__all__ = [
    "leaky_relu",
    "log_softmax",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]

sigmoid, tanh = ops.sigmoid, ops.tanh
softmax, log_softmax = functions.softmax, functions.log_softmax


def relu(input: Any, inplace: bool = False) -> Any:
    """max(x, 0); at the kink x = 0 the subgradient is 0."""
    return input.relu_() if inplace else ops.relu(input)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x where x > 0, else negative_slope · x (at the kink 0 that of the left)."""
    y = ops.where(input._array > 0, input, input * negative_slope)
    return input.copy_(y) if inplace else y


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """ln(1 + exp(beta · x)) / beta; x itself where beta · x is over the threshold."""
    y = ops.softplus(input * beta) / beta
    return ops.where(input._array * beta > threshold, input, y)


def silu(input: Any, inplace: bool = False) -> Any:
    """x · sigmoid(x)."""
    x = ops.clone(input) if inplace else input  # the product keeps its factors
    y = x * ops.sigmoid(x)
    return input.copy_(y) if inplace else y
