"""Dropout."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ... import ops, random
from ...engine import wrap
from .check import floating, tensors

__all__ = [
    "alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout",
]  # fmt: skip


def _check(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training each element is 0 with probability p, else divided by 1 − p."""
    _check(p)
    if not training or p == 0:
        return input
    y = ops.dropout(input, p=p, random=random.source().random)
    return input.copy_(y) if inplace else y


def _kept(x: np.ndarray, p: float, channels: bool) -> np.ndarray:
    """1 with probability 1 − p, else 0: for each element of x, or each channel of (N, C, ..)."""
    shape = (*x.shape[:2], *[1] * (x.ndim - 2)) if channels else x.shape
    return (random.source().random(shape) >= p).astype(x.dtype)


def _feature_dropout(input: Any, p: float, training: bool, inplace: bool, single: bool) -> Any:
    if input._array.ndim + single < 2:
        raise RuntimeError(
            f"Feature dropout requires at least 2 dimensions in the input, got {input._array.shape}"
        )
    if not training or p == 0:
        return input
    mask = _kept(input._array[None] if single else input._array, p, channels=True)
    mask *= mask.dtype.type(1 / (1 - p) if p < 1 else 0)
    y = input * wrap(mask[0] if single else mask)
    return input.copy_(y) if inplace else y


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training each channel of (N, C, L) or (C, L) is 0 with probability p, else over 1 − p."""
    _check(p)
    tensors("dropout1d", input=input)
    ndim = input._array.ndim
    if ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input: (N, C, L) or (C, L)"
        )
    return _feature_dropout(input, p, training, inplace, ndim == 2)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training each channel of (N, C, H, W) is 0 with probability p, else divided by 1 − p.

    Of another number of axes the first two are N and C too, with a warning.
    """
    _check(p)
    tensors("dropout2d", input=input)
    ndim = input._array.ndim
    if ndim != 4:
        warnings.warn(
            f"dropout2d: Received a {ndim}D input, which is taken for (N, C, ..): wanted "
            "(N, C, H, W); dropout1d and dropout are for others",
            stacklevel=2,
        )
    return _feature_dropout(input, p, training, inplace, False)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training each channel of (N, C, D, H, W) or (C, D, H, W) is 0 with probability p, else
    divided by 1 − p. Warns of another number of axes.
    """
    _check(p)
    tensors("dropout3d", input=input)
    ndim = input._array.ndim
    if ndim not in (4, 5):
        warnings.warn(
            f"dropout3d: Received a {ndim}-D input to dropout3d: wanted (N, C, D, H, W) or "
            "(C, D, H, W); dropout is for others",
            stacklevel=2,
        )
    return _feature_dropout(input, p, training, inplace, ndim != 5)


_LEAST = -1.7580993408473766  # of SELU, −λ α: what it tends to at −∞


def _alpha_dropout(input: Any, p: float, training: bool, inplace: bool, channels: bool) -> Any:
    """What is dropped becomes SELU's least value; then all a x + b, for mean 0 and variance 1.

    (Klambauer et al. 2017, Self-normalizing neural networks, "alpha dropout".)
    """
    _check(p)
    floating("alpha_dropout", input=input)
    if not training or p == 0:
        return input
    kept = _kept(input._array, p, channels)
    a = 0.0 if p == 1 else 1 / math.sqrt((1 - p) * (1 + p * _LEAST**2))
    b = (a * _LEAST * ((1 - kept) - p)).astype(kept.dtype)
    y = input * wrap(kept * kept.dtype.type(a)) + wrap(b)
    return input.copy_(y) if inplace else y


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout that keeps the mean 0 and the variance 1 of what SELU makes."""
    return _alpha_dropout(input, p, training, inplace, False)


def feature_alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    """`alpha_dropout` of whole channels of (N, C, ..)."""
    return _alpha_dropout(input, p, training, inplace, True)
