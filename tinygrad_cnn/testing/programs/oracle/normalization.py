"""Normalisation in the oracle: ops that have a composite in the engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...values import Array
from .tensor import Part, Read, Result, Tensor, make


def _normalized(x: Tensor, axes: Sequence[int], eps: float, centered: bool = True) -> Tensor:
    """(x − μ) / √(σ² + eps) over axes; without μ if not `centered`.

    With d = x − μ and s = √(Σ d² / n + eps), the Jacobian within a group of n elements is
    (1 − 1/n) / s − d dᵀ / (n s³).
    """
    array = x.array.copy()
    moved = np.moveaxis(np.arange(array.size).reshape(array.shape), axes, range(-len(axes), 0))
    n = int(np.prod([array.shape[k] for k in axes]))
    groups = moved.reshape(-1, n)

    def spread(values: Array, group: Array) -> tuple[Array, Array]:
        d = values.ravel()[group]
        d = d - d.mean() if centered else d
        return d, np.sqrt((d * d).mean() + eps)

    def jacobian(values: Array) -> Array:
        matrix = np.zeros((array.size, array.size), values.dtype)
        own = np.eye(n) - centered / n
        for group in groups:
            d, s = spread(values, group)
            matrix[np.ix_(group, group)] = own / s - np.outer(d, d) / (n * s**3)
        return matrix

    y = np.empty(array.size)
    for group in groups:
        d, s = spread(array, group)
        y[group] = d / s
    return make(Result(y.reshape(array.shape), [Part(x, jacobian, (Read(x, array, x),))]))


def layer_norm(x: Tensor, shape: Sequence[int], weight: Tensor | None = None) -> Tensor:
    """Over the last axes."""
    y = _normalized(x, range(len(x.shape) - len(shape), len(x.shape)), 1e-5)
    return y if weight is None else y * weight  # type: ignore[operator]


def rms_norm(
    x: Tensor, shape: Sequence[int], weight: Tensor | None = None, eps: float = 0.0
) -> Tensor:
    """By the root of the mean square over the last axes."""
    y = _normalized(x, range(len(x.shape) - len(shape), len(x.shape)), eps, centered=False)
    return y if weight is None else y * weight  # type: ignore[operator]


def instance_norm(x: Tensor) -> Tensor:
    """Over all axes behind the channels."""
    return _normalized(x, range(2, len(x.shape)), 1e-5)


def batch_norm(
    x: Tensor, mean: None, variance: None, weight: None, bias: None, training: bool
) -> Tensor:
    """Over all axes but the channels, with the statistics of the batch."""
    return _normalized(x, [k for k in range(len(x.shape)) if k != 1], 1e-5)
