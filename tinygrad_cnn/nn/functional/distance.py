"""Norms along an axis, distances and angles between vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import functions, ops
from ...engine import wrap
from ...engine.dtypes import FLOATING
from ...functions.arguments import axis, in_floats, tensors
from ...functions.public import numpys_names
from ...functions.reduction import p_norm
from ...tensor import Tensor
from .precision import in_float32

__all__ = ["cosine_similarity", "normalize", "pairwise_distance", "pdist"]


def normalize(
    input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """input / max(‖input‖ₚ, eps), with the norm along dim: vectors of p-norm 1. Same shape.

    A vector of zeros stays. `out` is a Tensor to write the result to, outside autograd. Raises
    IndexError for an axis that does not exist.

    >>> normalize(tc.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    tensors("normalize", input=input)
    if input._array.dtype.kind not in FLOATING:
        raise RuntimeError(
            f"normalize: Expected a floating point dtype as input. Got {input.dtype}"
        )
    d = axis("normalize", input._array.ndim, dim)
    size = ops.clamp(p_norm("normalize", input, p, (d,), True), min=eps, max=None)
    return ops.div(input, size) if out is None else functions.div(input, size, out=out)


@numpys_names
def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """‖x1 − x2 + eps‖ₚ along the last axis, which `keepdim` keeps with length 1.

    x1 and x2 are (.., D), and broadcast.

    >>> pairwise_distance(tc.tensor([[0.0, 0.0]]), tc.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """
    tensors("pairwise_distance", x1=x1, x2=x2)
    d = ops.add(ops.sub(x1, x2), eps)
    d = d if d._array.ndim else functions.reshape(d, (1,))
    return p_norm("pairwise_distance", d, p, (d._array.ndim - 1,), keepdim)


@numpys_names
def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """‖xᵢ − xⱼ‖ₚ for each pair of rows i < j of the input (N, M): (N (N − 1) / 2,).

    Raises RuntimeError for an input that is no matrix or of integers, and for p < 0.

    >>> pdist(tc.tensor([[0.0], [1.0], [3.0]]))
    tensor([1., 3., 2.])
    """
    tensors("pdist", input=input)
    if input._array.dtype.kind not in FLOATING:
        raise RuntimeError(f"pdist only supports floating-point dtypes, got {input.dtype}")
    if not p >= 0:
        raise RuntimeError(f"pdist only supports non-negative p values, got {p}")
    if input._array.ndim != 2:
        raise RuntimeError(
            f"pdist only supports 2D tensors, got: {input._array.ndim}D, shape {input._array.shape}"
        )
    i, j = np.triu_indices(len(input._array), 1)
    d = ops.sub(ops.getitem(input, index=(i,)), ops.getitem(input, index=(j,)))
    return p_norm("pdist", d, p, (1,), False)


@numpys_names
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 · x2 / (max(‖x1‖, eps) max(‖x2‖, eps)), with products and norms along dim, without dim.

    x1 and x2 broadcast. The gradient passes where a norm is raised to eps. Raises RuntimeError for
    shapes that do not broadcast, and for integers.

    >>> cosine_similarity(tc.tensor([[1.0, 0.0]]), tc.tensor([[1.0, 1.0]]))
    tensor([0.7071])
    """
    tensors("cosine_similarity", x1=x1, x2=x2)
    if not eps >= 0:
        raise RuntimeError(f"cosine_similarity: eps must be non-negative, got {eps}")
    if x1._array.dtype.kind not in FLOATING and x2._array.dtype.kind not in FLOATING:
        raise RuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {x1.dtype}"
        )
    a, b = in_floats(x1, x2)
    dtype = np.promote_types(a._array.dtype, b._array.dtype)
    a, b = (x if x._array.dtype == dtype else ops.cast(x, dtype=dtype) for x in (a, b))
    a, b = _broadcast("cosine_similarity", a, b)
    return _cosine(a, b, axis("cosine_similarity", a._array.ndim, dim), eps)


@in_float32
def _cosine(a: Any, b: Any, d: int, eps: float) -> Any:
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
            f"{name}: the size of one tensor must match that of the other at each axis, or be 1; "
            f"got {shapes[0]} and {shapes[1]}"
        ) from None
    return ops.expand(a, shape=shape), ops.expand(b, shape=shape)
