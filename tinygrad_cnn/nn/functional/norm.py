"""Normalisation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import engine, functions, ops
from ...functions.arguments import sizes
from ...ops.sparse import neighbours
from .check import floating

__all__ = [
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm",
]  # fmt: skip


def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each channel of input (N, C, ..) to mean 0 and variance 1, times weight (C,), plus bias (C,).

    In training by the batch's mean and biased variance; `momentum` weighs the new value when the
    running ones (C,) are updated, with the unbiased variance. Else by the running ones.
    """
    shape = _channels("batch_norm", input, running_mean, running_var, weight, bias)
    column = (1, shape[1], *[1] * (len(shape) - 2))
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("batch_norm: running_mean and running_var are needed in evaluation")
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
    dims = (0, *range(2, len(shape)))
    y, mu, variance = ops.batch_norm(input, weight, bias, dims=dims, affine_shape=column, eps=eps)
    if m:
        _follow(running_mean, running_var, mu, variance, m, momentum)
    return y


def instance_norm(
    input: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None,
    bias: Any = None, use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """Each channel of each image of input (N, C, ..) normalised by itself: else as `batch_norm`.

    The running values are updated with the mean over the images of theirs.
    """
    shape = _channels("instance_norm", input, running_mean, running_var, weight, bias)
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, eps=eps)
    m = math.prod(shape[2:])
    if m == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size {shape}"
        )
    dims, column = tuple(range(2, len(shape))), (1, shape[1], *[1] * (len(shape) - 2))
    y, mu, variance = ops.instance_norm(
        input, weight, bias, dims=dims, affine_shape=column, eps=eps
    )
    if m and shape[0]:
        _follow(running_mean, running_var, mu, variance, m, momentum)
    return y


def _channels(name: str, x: Any, mean: Any, variance: Any, weight: Any, bias: Any) -> Any:
    """The shape (N, C, ..) of x, to which all others have been held."""
    floating(name, input=x, weight=weight, bias=bias)
    shape = x._array.shape
    if len(shape) < 2:
        raise ValueError(f"{name}: expected (N, C, ..), got shape {shape}")
    for argument, v in (
        ("running_mean", mean), ("running_var", variance), ("weight", weight), ("bias", bias),
    ):  # fmt: skip
        if v is not None and v._array.shape != (shape[1],):
            raise RuntimeError(
                f"{name}: {argument} should contain {shape[1]} elements, got shape {v._array.shape}"
            )
    return shape


def _follow(
    running_mean: Any, running_var: Any, mu: Any, variance: Any, m: int, momentum: float
) -> None:
    """Move the running values by `momentum` to those of m elements, the unbiased variance."""
    for running, new in (
        (running_mean, mu._array), (running_var, variance._array * (m / max(m - 1, 1))),
    ):  # fmt: skip
        if running is not None:
            array = running._array
            new = new.mean(0) if len(new) > 1 else new  # of instances
            array += momentum * (new.reshape(-1) - array)
            engine.mark_written(array)


def layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """The last axes of input (.., *normalized_shape) to mean 0 and variance 1, · weight + bias.

    weight and bias are of shape normalized_shape. (Ba, Kiros and Hinton 2016.)

    >>> import tinygrad_cnn as tc
    >>> layer_norm(tc.tensor([[1.0, 3.0], [0.0, 8.0]]), (2,), eps=0.0)
    tensor([[-1.,  1.],
            [-1.,  1.]])
    """
    dims, last = _last_axes("layer_norm", input, normalized_shape, weight, bias)
    return ops.layer_norm(input, weight, bias, dims=dims, affine_shape=last, eps=eps)[0]


def rms_norm(
    input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None
) -> Any:
    """input / √(mean of input² + eps) over its last axes, · weight; eps that of the dtype unless told.

    (Zhang and Sennrich 2019, Root mean square layer normalization.)
    """
    dims, last = _last_axes("rms_norm", input, normalized_shape, weight, None)
    eps = float(np.finfo(input._array.dtype).eps) if eps is None else eps
    return ops.rms_norm(input, weight, dims=dims, affine_shape=last, eps=eps)[0]


def _last_axes(name: str, x: Any, normalized_shape: Any, weight: Any, bias: Any) -> Any:
    """The axes to be normalised over, and their shape."""
    floating(name, input=x, weight=weight, bias=bias)
    last, shape = sizes("layer_norm", (normalized_shape,), "normalized_shape"), x._array.shape
    if not last:
        raise RuntimeError(
            f"{name}: Expected normalized_shape to be at least 1-dimensional, got ()"
        )
    for argument, v in (("weight", weight), ("bias", bias)):
        if v is not None and v._array.shape != last:
            raise RuntimeError(
                f"Expected {argument} to be of same shape as normalized_shape, but got {argument} "
                f"of shape {v._array.shape} and normalized_shape = {last}"
            )
    if shape[-len(last) :] != last:
        raise RuntimeError(
            f"Given normalized_shape={list(last)}, expected input with shape "
            f"(.., {', '.join(map(str, last))}), but got input of size {shape}"
        )
    return tuple(range(len(shape) - len(last), len(shape))), last


def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Each of num_groups groups of channels of each image (N, C, ..) normalised by itself.

    weight and bias are (C,). Raises RuntimeError where the groups do not divide the channels.
    (Wu and He 2018.)
    """
    floating("group_norm", input=input, weight=weight, bias=bias)
    shape = input._array.shape
    if len(shape) < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {len(shape)}"
        )
    n, c, *places = shape
    if n * (c // max(num_groups, 1)) * math.prod(places) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {shape} in "
            f"{num_groups} groups"
        )
    if num_groups < 1 or c % num_groups:
        raise RuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {shape} and num_groups={num_groups}"
        )
    _channels("group_norm", input, None, None, weight, bias)
    inner = (num_groups, c // num_groups)
    x = functions.reshape(input, (n, *inner, *places))
    dims, column = tuple(range(2, len(shape) + 1)), (1, *inner, *[1] * len(places))
    y = ops.group_norm(x, weight, bias, dims=dims, affine_shape=column, eps=eps)[0]
    return functions.reshape(y, shape)


def local_response_norm(
    input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """input / (k + alpha · mean of input² over `size` channels around)^beta, of (N, C, .., ..).

    Channels outside count as 0. (Krizhevsky, Sutskever and Hinton 2012, section 3.3, where alpha is
    of the sum.)
    """
    floating("local_response_norm", input=input)
    shape = input._array.shape
    if len(shape) < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality input (got {len(shape)} dimensions)"
        )
    if size < 1:
        raise RuntimeError(f"local_response_norm: size must be greater than zero, got {size}")
    total = ops.resample(input * input, dim=1, matrix=neighbours(shape[1], size))
    return input / (total * (alpha / size) + k) ** beta
