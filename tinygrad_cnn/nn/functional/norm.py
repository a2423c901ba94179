"""Normalization."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from ... import engine, functions, ops
from ...atomic import Change, quiet, together
from ...engine.dtypes import NARROW
from ...functions.arguments import in_floats, optional_tensors, sizes, tensors
from ...tensor import Tensor
from ...types import Ints
from . import integer
from .check import Shape, floating, floating_affine, one_dtype
from .matrices import neighbours
from .precision import SINGLE, in_float32

__all__ = [
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm",
]  # fmt: skip


# --- Of channels, with running statistics -------------------------------------------------------


def batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None,
    weight: Tensor | None = None, bias: Tensor | None = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Each channel of input (N, C, ..) to mean 0 and variance 1, times weight (C,), plus bias (C,).

    In training it uses mean and biased variance of the batch, and moves the running statistics (C,)
    towards them in place: `momentum` weighs the new value, and the running variance is unbiased.
    In evaluation it uses the running statistics. (Ioffe and Szegedy 2015.)

    Raises ValueError for less than two axes, a negative eps, and in training for an eps of 0 and for
    one value a channel; RuntimeError for shapes that do not fit, and unless input, weight and bias
    have one floating-point dtype. Beside a float16 input the others may be float32. The output has
    the dtype of the input, and so have the running statistics.

    >>> batch_norm(tc.tensor([[1.0], [3.0]]), None, None, training=True, eps=1e-9)
    tensor([[-1.],
            [ 1.]])
    """
    return counted_batch_norm(
        input, running_mean, running_var, weight, bias, training, momentum, eps
    )


def counted_batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None,
    bias: Tensor | None, training: bool, momentum: float, eps: float, *changes: Change,
    over_ranks: Any = None,
) -> Tensor:  # fmt: skip
    """`batch_norm`, with changes that are made together with those of the running statistics.

    `over_ranks` computes (y, μ, σ², number of elements) where others have a part of the batch.
    """
    x, dtype = _channels("batch_norm", input, running_mean, running_var, weight, bias)
    shape = x._array.shape
    if eps < 0 or (training and eps == 0):
        wanted = "positive during training" if training else "non-negative"
        raise ValueError(f"batch_norm eps must be {wanted}, but got {eps}")
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("batch_norm: running_mean and running_var are needed in evaluation")
        y = ops.batch_norm_inference(x, running_mean, running_var, weight, bias, eps=eps)
        return _as(dtype, y)
    size = x._array.size
    m = size // max(shape[1], 1)
    if m <= 1 and size and over_ranks is None:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {input.shape}"
        )
    if over_ranks is None:
        dims, column = (0, *range(2, len(shape))), (1, shape[1], *[1] * (len(shape) - 2))
        y, mu, variance = ops.batch_norm(x, weight, bias, dims=dims, affine_shape=column, eps=eps)
    else:
        y, mu, variance, m = over_ranks(x, weight, bias, eps)
    if m:
        _move(running_mean, running_var, mu, variance, m, momentum, *changes)
    else:
        together(changes)
    return y if dtype is None else ops.cast(y, dtype=dtype)


def instance_norm(
    input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None,
    weight: Tensor | None = None, bias: Tensor | None = None, use_input_stats: bool = True,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """`batch_norm` of each image of input (N, C, ..) by itself.

    The running statistics move towards the mean of the statistics of the images. Without
    `use_input_stats` the running statistics normalize. (Ulyanov, Vedaldi and Lempitsky 2016.)

    Raises ValueError for one value a channel, otherwise as `batch_norm`.

    >>> instance_norm(tc.tensor([[[1.0, 3.0]]]), eps=0.0)
    tensor([[[-1.,  1.]]])
    """
    x, dtype = _channels("instance_norm", input, running_mean, running_var, weight, bias)
    shape = x._array.shape
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, eps=eps)
    m = math.prod(shape[2:])
    if m == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size {input.shape}"
        )
    dims, column = tuple(range(2, len(shape))), (1, shape[1], *[1] * (len(shape) - 2))
    y, mu, variance = ops.instance_norm(x, weight, bias, dims=dims, affine_shape=column, eps=eps)
    if m and shape[0]:
        _move(running_mean, running_var, mu, variance, m, momentum)
    return y if dtype is None else ops.cast(y, dtype=dtype)


def _channels(
    name: str, input: Any, mean: Any, variance: Any, weight: Any, bias: Any
) -> tuple[Any, Any]:
    """The input (N, C, ..) and its dtype as `_meeting`. Raises unless the other Tensors fit it."""
    x, dtype = _meeting(name, input, weight, bias, place=4)
    shape: Shape = x._array.shape
    if len(shape) < 2:
        raise ValueError(f"{name}: expected (N, C, ..), got shape {shape}")
    _check_vectors(
        name, 2, shape[1], running_mean=mean, running_var=variance, weight=weight, bias=bias
    )
    own = input._array.dtype
    for argument, v in (("running_mean", mean), ("running_var", variance)):
        if v is None or v._array.dtype == own:
            continue
        if own.char not in NARROW or v._array.dtype != SINGLE:
            raise RuntimeError(
                f"{name}: expected {argument} of the dtype of input, {own}, got {v._array.dtype}"
            )
    return x, dtype


def _meeting(name: str, input: Any, weight: Any, bias: Any, place: int) -> tuple[Any, Any]:
    """The input as the op takes it, and the dtype of the output where it is another, else None.

    A float16 or bfloat16 input beside float32 weights is computed in float32, as in mixed precision. Raises
    unless all have one floating-point dtype otherwise.
    """
    if isinstance(input, Tensor) and input._array.dtype.char in NARROW:
        beside = [v._array.dtype for v in (weight, bias) if isinstance(v, Tensor)]
        if beside and all(dtype == SINGLE for dtype in beside):
            return ops.cast(input, dtype=SINGLE), input._array.dtype
    floating_affine(name, input, weight, bias, place=place)
    return input, None


def _as(dtype: Any, y: Any) -> Any:
    """y in a dtype, unless that is None."""
    return y if dtype is None else ops.cast(y, dtype=dtype)


def _check_vectors(name: str, first: int, channels: int, **vectors: Any) -> None:
    """Raise unless each is None or a Tensor with one element a channel.

    They are arguments of `name`, from place `first` on.
    """
    for argument, v in vectors.items():
        if v is not None and (not isinstance(v, Tensor) or v._array.shape != (channels,)):
            optional_tensors(name, first, **vectors)
            raise RuntimeError(
                f"{name}: {argument} should contain {channels} elements, got shape {v._array.shape}"
            )


def _move(
    running_mean: Any, running_var: Any, mu: Any, variance: Any, m: int, momentum: float,
    *changes: Change,
) -> None:  # fmt: skip
    """Move the running statistics by `momentum` to `mu` and the unbiased variance of m elements.

    They move together, and with the `changes`.
    """
    moves = [*changes]
    for running, new in (
        (running_mean, mu._array), (running_var, variance._array * (m / max(m - 1, 1))),
    ):  # fmt: skip
        if running is not None:
            array = running._array
            new = new.mean(0) if len(new) > 1 else new  # over the images
            moves.append(partial(np.add, array, momentum * (new.reshape(-1) - array), array))
            engine.mark_written(array)
    with quiet():
        together(moves)


# --- Of the last axes ---------------------------------------------------------------------------


def layer_norm(
    input: Tensor, normalized_shape: Ints, weight: Tensor | None = None,
    bias: Tensor | None = None, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """The last axes of input (.., *normalized_shape) to mean 0 and variance 1, · weight + bias.

    weight and bias have the shape `normalized_shape`. Raises RuntimeError for shapes that do not
    fit, and unless all have one floating-point dtype. Beside a float16 input they may be float32.
    (Ba, Kiros and Hinton 2016.)

    >>> layer_norm(tc.tensor([[1.0, 3.0], [0.0, 8.0]]), (2,), eps=0.0)
    tensor([[-1.,  1.],
            [-1.,  1.]])
    """
    x, dtype = _meeting("layer_norm", input, weight, bias, place=3)
    dims, last = _last_axes("layer_norm", x, normalized_shape, weight, bias)
    return _as(dtype, ops.layer_norm(x, weight, bias, dims=dims, affine_shape=last, eps=eps)[0])


def rms_norm(
    input: Tensor, normalized_shape: Ints, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """input / √(mean of input² + eps), with the mean over its last axes, · weight.

    weight has the shape `normalized_shape` and any dtype: the output has that of the input. eps is by
    default the machine epsilon of that dtype, but float32's for float16 and bfloat16, which compute
    in float32. Raises NotImplementedError for an input of integers, otherwise as `layer_norm`. (Zhang
    and Sennrich 2019, Root mean square layer normalization.)

    >>> rms_norm(tc.tensor([[1.0, 7.0]]), 2)
    tensor([[0.2000, 1.4000]])
    """
    floating("rms_norm", input=input)
    optional_tensors("rms_norm", 3, weight=weight)
    dims, last = _last_axes("rms_norm", input, normalized_shape, weight, None)
    if eps is None:  # of the dtype that computes: float32 for float16 and bfloat16
        double = input._array.dtype == np.float64
        eps = float(np.finfo(np.float64 if double else np.float32).eps)
    y = ops.rms_norm(input, weight, dims=dims, affine_shape=last, eps=eps)[0]
    return y if y._array.dtype == input._array.dtype else ops.cast(y, dtype=input._array.dtype)


def _last_axes(
    name: str, x: Any, normalized_shape: Any, weight: Any, bias: Any
) -> tuple[Shape, Shape]:
    """The axes to normalize over, and their sizes. Raises for shapes that do not fit."""
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


# --- Of groups of channels ----------------------------------------------------------------------


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Each of num_groups groups of channels of each image (N, C, ..) to mean 0 and variance 1.

    Then each channel is multiplied by weight (C,) and added to bias (C,). Raises RuntimeError for
    shapes that do not fit, for groups that do not divide the channels, and unless all have one
    floating-point dtype; ValueError for a single value. Beside a float16 input the others may be
    float32. (Wu and He 2018.)

    >>> group_norm(tc.tensor([[1.0, 3.0, 0.0, 8.0]]), 2, eps=0.0)
    tensor([[-1.,  1., -1.,  1.]])
    """
    x, dtype = _meeting("group_norm", input, weight, bias, place=3)
    shape = x._array.shape
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
    _check_vectors("group_norm", 3, c, weight=weight, bias=bias)
    inner = (num_groups, c // num_groups)
    x = functions.reshape(x, (n, *inner, *places))
    dims, column = tuple(range(2, len(shape) + 1)), (1, *inner, *[1] * len(places))
    y = ops.group_norm(x, weight, bias, dims=dims, affine_shape=column, eps=eps)[0]
    return _as(dtype, functions.reshape(y, shape))


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """input / (k + alpha · m)^beta, with m the mean of input² over `size` channels, (N, C, ..).

    The channels are those around, and channels outside count as 0. int64 is computed in the default
    dtype. Raises ValueError for less than three axes, NotImplementedError for other integers.
    (Krizhevsky, Sutskever and Hinton 2012, section 3.3, where alpha multiplies the sum.)

    >>> local_response_norm(tc.tensor([[[3.0], [4.0]]]), 1, alpha=1.0, beta=0.5, k=0.0)
    tensor([[[1.],
             [1.]]])
    """
    tensors("local_response_norm", input=input)
    if one_dtype("local_response_norm", integer.LONG, input=input):
        (input,) = in_floats(input)
    shape = input._array.shape
    if len(shape) < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality input (got {len(shape)} dimensions)"
        )
    if size < 1:
        raise RuntimeError(f"local_response_norm: size must be greater than zero, got {size}")
    return _by_neighbours(input, size, alpha / size, beta, k)


@in_float32
def _by_neighbours(x: Any, size: int, alpha: float, beta: float, k: float) -> Any:
    """x / (k + alpha · s)^beta, with s the sum of x² over `size` channels."""
    total = ops.resample(x * x, dim=1, matrix=neighbours(x._array.shape[1], size))
    return x / (total * alpha + k) ** beta
