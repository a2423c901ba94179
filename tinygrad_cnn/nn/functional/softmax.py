"""Softmax along an axis, its logarithm, and draws from it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ... import functions, ops, random
from ...engine import wrap
from ...functions.arguments import tensors
from ...tensor import Tensor
from ...types import DType
from .check import check_kind

__all__ = ["gumbel_softmax", "log_softmax", "softmax", "softmin"]


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None
) -> Tensor:
    """exp(x) / Σ exp(x) for the elements x of input, with the sum along dim.

    The result has the shape of input, and the dtype `dtype` if that is given; integers give the
    default dtype. Without dim it warns, and takes axis 0 of 0, 1 or 3 axes, else axis 1.

    >>> softmax(tc.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    dim = _dim("softmax", input, dim, _stacklevel)
    return functions.softmax(input, dim, dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None
) -> Tensor:
    """ln softmax(x) for the elements x of input, without underflow: softmax is not computed.

    The arguments and the shape are as in `softmax`.

    >>> log_softmax(tc.tensor([0.0, -1000.0]), dim=0)
    tensor([    0., -1000.])
    """
    dim = _dim("log_softmax", input, dim, _stacklevel)
    return functions.log_softmax(input, dim, dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None
) -> Tensor:
    """softmax(−x) for the elements x of input.

    The arguments and the shape are as in `softmax`.

    >>> softmin(tc.tensor([0.0, 1000.0]), dim=0)
    tensor([1., 0.])
    """
    dim = _dim("softmin", input, dim, _stacklevel)
    return functions.softmax(ops.neg(input), dim, dtype)


def _dim(name: str, input: Any, dim: int | None, level: int) -> int:
    """`dim`, or without one the axis that PyTorch's functions once took, with a warning."""
    if not isinstance(input, Tensor):
        tensors(name, input=input)
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument.",
        stacklevel=level,
    )
    return 0 if input._array.ndim in (0, 1, 3) else 1


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """softmax((logits + Gumbel noise) / tau) along dim: a soft draw of a class. Same shape.

    With `hard` the result is one-hot at the largest entry, with the gradient of the soft draw.
    `eps` has no effect. (Jang et al. 2017.)

    >>> gumbel_softmax(tc.tensor([0.0, 1000.0]), hard=True)
    tensor([0., 1.])
    """
    tensors("gumbel_softmax", logits=logits)
    check_kind("gumbel_softmax", logits)
    a = logits._array
    noise = random.source().gumbel(size=a.shape).astype(a.dtype)
    soft = functions.softmax((logits + wrap(noise)) / tau, dim)
    if not hard:
        return soft
    y = soft._array
    one_hot = np.zeros_like(y)
    if not y.ndim:
        one_hot[...] = 1
    elif y.size:
        np.put_along_axis(one_hot, np.expand_dims(y.argmax(dim), dim), 1, dim)
    return wrap(one_hot) - soft.detach() + soft
