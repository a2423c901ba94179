"""Normalisation and dropout."""

from __future__ import annotations

import math
from typing import Any

from ... import graph, ops, random
from .check import floating

__all__ = ["batch_norm", "dropout"]


def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each channel of input (N, C, ..) to mean 0 and variance 1, times weight (C,), plus bias (C,).

    In training by the batch's mean and biased variance; `momentum` weighs the new value when the
    running ones (C,) are updated, with the unbiased variance. Else by the running ones.
    """
    floating("batch_norm", input=input, weight=weight, bias=bias)
    shape = input._array.shape
    if len(shape) < 2:
        raise ValueError(f"batch_norm: expected (N, C, ..), got shape {shape}")
    for name, v in (
        ("running_mean", running_mean), ("running_var", running_var), ("weight", weight),
        ("bias", bias),
    ):  # fmt: skip
        if v is not None and v._array.shape != (shape[1],):
            raise RuntimeError(
                f"batch_norm: {name} should contain {shape[1]} elements, got shape {v._array.shape}"
            )
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("batch_norm: running_mean and running_var are needed in evaluation")
        column = (1, shape[1], *[1] * (len(shape) - 2))
        scale = ops.div(1.0, ops.sqrt(running_var + eps))
        if weight is not None:
            scale = scale * weight
        shift = -running_mean * scale
        if bias is not None:
            shift = shift + bias
        return input * scale.reshape(column) + shift.reshape(column)
    m = math.prod(shape) // max(shape[1], 1)
    if m <= 1 and math.prod(shape):
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {shape}"
        )
    y, mu, variance = ops.batch_norm(input, weight, bias, eps=eps)
    if running_mean is not None and m:
        for running, new in (
            (running_mean, mu._array),
            (running_var, variance._array * (m / max(m - 1, 1))),
        ):
            running._array[...] += momentum * (new - running._array)
            graph.mark_written(running._array)
    return y


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training each element is 0 with probability p, else divided by 1 − p."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0:
        return input
    y = ops.dropout(input, p=p, random=random.default_generator.numpy.random)
    return input.copy_(y) if inplace else y
