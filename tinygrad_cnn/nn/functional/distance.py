"""Norms along an axis, distances and angles between vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import ops
from ...engine import wrap
from ...functions.arguments import axis
from .check import tensors

__all__ = ["cosine_similarity", "normalize", "pairwise_distance", "pdist"]


def _norm(x: Any, p: float, dim: int) -> Any:
    """‖x‖ₚ = (Σ |x|ᵖ)^(1/p) along dim, which stays with length 1; where it is 0, so is its gradient.

    p = ∞ is the largest |x|, −∞ the smallest, 0 how many are not 0.
    """
    if p == 2:
        return ops.norm(x, dim=dim, keepdim=True)
    size = ops.abs(x)
    if math.isinf(p):
        if not x._array.shape[dim]:
            raise RuntimeError(
                f"cannot compute the {p} norm on the dimension {dim} because this dimension is empty"
            )
        return (ops.amax if p > 0 else ops.amin)(size, dim=dim, keepdim=True)
    if p == 0:
        return ops.sum(wrap((x._array != 0).astype(x._array.dtype)), dim=dim, keepdim=True)
    if p == 1:
        return ops.sum(size, dim=dim, keepdim=True)
    zero = size._array == 0
    if p < 1:  # the slope of |x|ᵖ is infinite at 0
        size = ops.where(zero, 1.0, size)
    powers = ops.pow(size, p)
    if p < 1:
        powers = ops.keep(powers, ~zero)
    total = ops.sum(powers, dim=dim, keepdim=True)
    none = total._array == 0
    return ops.keep(ops.pow(ops.where(none, 1.0, total), 1 / p), ~none)


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Any:
    """input / max(‖input‖ₚ, eps) along dim."""
    tensors("normalize", input=input)
    if out is not None:
        raise NotImplementedError("normalize: out= is not there: assign what it returns")
    d = axis("normalize", input._array.ndim, dim)
    return input / ops.clamp(_norm(input, p, d), min=eps, max=None)


def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    """‖x1 − x2 + eps‖ₚ along the last axis; x1 and x2 broadcast."""
    tensors("pairwise_distance", x1=x1, x2=x2)
    d = x1 - x2 + eps
    norm = _norm(d if d._array.ndim else d.reshape(1), p, -1)
    return norm if keepdim else norm.squeeze(-1)


def pdist(input: Any, p: float = 2.0) -> Any:
    """‖xᵢ − xⱼ‖ₚ for each pair of rows i < j of the input (N, M)."""
    tensors("pdist", input=input)
    if input._array.ndim != 2:
        raise RuntimeError(
            f"pdist only supports 2D tensors, got: {input._array.ndim}D, shape {input._array.shape}"
        )
    i, j = np.triu_indices(len(input._array), 1)
    d = ops.getitem(input, index=(i,)) - ops.getitem(input, index=(j,))
    return _norm(d, p, -1).squeeze(-1)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """x1 · x2 / (max(‖x1‖, eps) max(‖x2‖, eps)) along dim; x1 and x2 broadcast.

    The gradient passes where a norm is raised to eps.

    >>> import tinygrad_cnn as tc
    >>> cosine_similarity(tc.tensor([[1.0, 0.0]]), tc.tensor([[1.0, 1.0]]))
    tensor([0.7071])
    """
    tensors("cosine_similarity", x1=x1, x2=x2)
    if x1._array.dtype.kind != "f" and x2._array.dtype.kind != "f":
        raise RuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {x1._array.dtype}"
        )
    a, b = _broadcast("cosine_similarity", x1, x2)
    d = axis("cosine_similarity", a._array.ndim, dim)

    def unit(x: Any) -> Any:
        norm = ops.norm(x, dim=d, keepdim=True)
        n = norm._array
        return x / (norm + wrap(np.maximum(n, n.dtype.type(eps)) - n))

    return ops.sum(unit(a) * unit(b), dim=d if a._array.ndim else None)


def _broadcast(name: str, a: Any, b: Any) -> tuple[Any, Any]:
    """Both expanded to the shape that they broadcast to."""
    shapes = a._array.shape, b._array.shape
    if shapes[0] == shapes[1]:
        return a, b
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise RuntimeError(
            f"{name}: the size of one tensor must match that of the other at each axis, or be 1; got "
            f"{shapes[0]} and {shapes[1]}"
        ) from None
    return ops.expand(a, shape=shape), ops.expand(b, shape=shape)
