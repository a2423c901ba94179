"""Dropout: random elements or channels become 0 in training, and the others grow to keep the mean.

Every function returns its input unless `training` holds and p > 0, and raises ValueError for p
outside [0, 1]. `inplace` writes the result over the input.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ... import ops, random
from ...engine import wrap
from ...engine.dtypes import FLOATING
from ...functions.arguments import tensors
from ...tensor import Tensor
from .check import floating
from .rectifier import SELU_ALPHA, SELU_SCALE

__all__ = [
    "alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout",
]  # fmt: skip


def _check(p: float) -> None:
    """ValueError for p that is no probability."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _of_integers(x: Any) -> RuntimeError:
    return RuntimeError(f"dropout: result type Float can't be cast to {x.dtype}")


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training each element becomes 0 with probability p; the others are divided by 1 − p.

    (Srivastava et al. 2014.)

    >>> dropout(tc.ones(3), p=0.5, training=False)
    tensor([1., 1., 1.])
    """
    if not isinstance(input, Tensor):
        tensors("dropout", input=input)
    _check(p)
    if not training or p == 0:
        return input
    if input._array.dtype.kind not in FLOATING:
        raise _of_integers(input)
    y = ops.dropout(input, p=p, random=random.source().random)
    return input.copy_(y) if inplace else y


def _kept(x: np.ndarray, p: float, channels: bool) -> np.ndarray:
    """1 with probability 1 − p, else 0, for each element of x, or each channel of (N, C, ..)."""
    shape = (*x.shape[:2], *[1] * (x.ndim - 2)) if channels else x.shape
    return (random.source().random(shape) >= p).astype(x.dtype)


def _feature_dropout(input: Any, p: float, training: bool, inplace: bool, single: bool) -> Any:
    """Drop channels of (N, C, ..), or with `single` of (C, ..)."""
    if input._array.ndim + single < 2:
        raise RuntimeError(
            f"Feature dropout requires at least 2 dimensions in the input, got {input._array.shape}"
        )
    if not training or p == 0:
        return input
    if input._array.dtype.kind not in FLOATING:
        raise _of_integers(input)
    mask = _kept(input._array[None] if single else input._array, p, channels=True)
    mask *= mask.dtype.type(1 / (1 - p) if p < 1 else 0)
    y = input * wrap(mask[0] if single else mask)
    return input.copy_(y) if inplace else y


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """In training each channel of (N, C, L) or (C, L) becomes 0 with probability p.

    The other channels are divided by 1 − p. Raises RuntimeError for another number of axes.

    >>> dropout1d(tc.ones(1, 2), training=False)
    tensor([[1., 1.]])
    """
    tensors("dropout1d", input=input)
    _check(p)
    ndim = input._array.ndim
    if ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input: (N, C, L) or (C, L)"
        )
    return _feature_dropout(input, p, training, inplace, ndim == 2)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """In training each channel of (N, C, H, W) becomes 0 with probability p.

    The other channels are divided by 1 − p. Another number of axes is taken for (N, C, ..), with a
    warning.

    >>> dropout2d(tc.ones(1, 1, 1, 2), training=False)
    tensor([[[[1., 1.]]]])
    """
    tensors("dropout2d", input=input)
    _check(p)
    ndim = input._array.ndim
    if ndim != 4:
        warnings.warn(
            f"dropout2d: Received a {ndim}D input, which is taken for (N, C, ..): wanted "
            "(N, C, H, W); dropout1d and dropout are for others",
            stacklevel=2,
        )
    return _feature_dropout(input, p, training, inplace, False)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """In training each channel of (N, C, D, H, W) or (C, D, H, W) becomes 0 with probability p.

    The other channels are divided by 1 − p. Another number of axes is taken for (C, ..), with a
    warning.

    >>> dropout3d(tc.ones(1, 1, 1, 2), training=False)
    tensor([[[[1., 1.]]]])
    """
    tensors("dropout3d", input=input)
    _check(p)
    ndim = input._array.ndim
    if ndim not in (4, 5):
        warnings.warn(
            f"dropout3d: Received a {ndim}-D input to dropout3d: wanted (N, C, D, H, W) or "
            "(C, D, H, W); dropout is for others",
            stacklevel=2,
        )
    return _feature_dropout(input, p, training, inplace, ndim != 5)


LEAST = -SELU_SCALE * SELU_ALPHA  # the limit of SELU at −∞


def _alpha_dropout(
    name: str, input: Any, p: float, training: bool, inplace: bool, channels: bool
) -> Any:
    """Drop elements or channels to SELU's limit; then a x + b restores mean 0 and variance 1.

    (Klambauer et al. 2017, Self-normalizing neural networks, "alpha dropout".)
    """
    tensors(name, input=input)
    _check(p)
    if not training or p == 0:
        return input
    floating(name, input=input)
    kept = _kept(input._array, p, channels)
    a = 0.0 if p == 1 else 1 / math.sqrt((1 - p) * (1 + p * LEAST**2))
    b = (a * LEAST * ((1 - kept) - p)).astype(kept.dtype)
    y = input * wrap(kept * kept.dtype.type(a)) + wrap(b)
    return input.copy_(y) if inplace else y


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Dropout for outputs of `selu`: it keeps their mean 0 and variance 1. (Klambauer et al. 2017.)

    In training each element becomes −1.7581, the limit of SELU at −∞, with probability p; then all
    are scaled and shifted. Raises RuntimeError for another dtype than of floating point.

    >>> alpha_dropout(tc.ones(2))
    tensor([1., 1.])
    """
    return _alpha_dropout("alpha_dropout", input, p, training, inplace, False)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """`alpha_dropout` of whole channels of (N, C, ..).

    >>> feature_alpha_dropout(tc.ones(1, 2))
    tensor([[1., 1.]])
    """
    return _alpha_dropout("feature_alpha_dropout", input, p, training, inplace, True)
