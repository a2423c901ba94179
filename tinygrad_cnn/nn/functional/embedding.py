"""Labels as vectors (`embedding`, `one_hot`), and the bilinear map of pairs of vectors."""

from __future__ import annotations

import math

import numpy as np

from ... import functions, ops
from ...dtypes import shown
from ...engine import mark_written, wrap
from ...functions.arguments import optional_tensors, tensors
from ...functions.public import numpys_names
from ...tensor import Tensor
from . import integer
from .check import one_dtype

__all__ = ["bilinear", "embedding", "one_hot"]


@numpys_names
def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """Labels (..) of int64 as rows (.., num_classes) of int64, with 1 at the label, else 0.

    `num_classes` is by default the largest label + 1. Raises RuntimeError for labels of another
    dtype, below 0, or not below num_classes.

    >>> one_hot(tc.tensor([2, 0]), 3)
    tensor([[0, 0, 1],
            [1, 0, 0]])
    """
    tensors("one_hot", input=input)
    labels = input._array
    if labels.dtype != np.int64:
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type LongTensor, got {shown(labels.dtype)}"
        )
    if not labels.size and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if labels.size and labels.min() < 0:
        raise RuntimeError(f"Class values must be non-negative, got {labels.min()}")
    if num_classes == -1:
        num_classes = int(labels.max()) + 1
    elif num_classes < 1:
        raise RuntimeError(f"num_classes should be positive, got {num_classes}")
    elif labels.size and labels.max() >= num_classes:
        raise RuntimeError(
            f"Class values must be smaller than num_classes ({num_classes}), got {labels.max()}"
        )
    y = np.zeros((*labels.shape, num_classes), np.int64)
    np.put_along_axis(y, labels[..., None], 1, -1)
    return wrap(y)


def embedding(
    input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None,
    norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:  # fmt: skip
    """The rows of weight (V, D) whose numbers are the integers of input (..): (.., D).

    - `padding_idx`: a row that gets no gradient.
    - `max_norm`: rows of a larger `norm_type`-norm are first scaled down to it, in place.
    - `scale_grad_by_freq`: the gradient of a row is divided by the number of times it was taken.

    Gradients are dense. Raises IndexError for numbers outside [0, V), RuntimeError for input that
    is not of integers, ValueError for a padding_idx that is no row, NotImplementedError for
    `sparse`.

    >>> embedding(tc.tensor([1, 0]), tc.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [1., 2.]])
    """
    tensors("embedding", input=input, weight=weight)
    index, table = input._array, weight._array
    if sparse:
        raise NotImplementedError("embedding: no sparse gradients; sparse=False gives dense ones")
    if index.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got {shown(index.dtype)} instead"
        )
    if table.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, got shape {table.shape}")
    if padding_idx is not None:
        if not -len(table) <= padding_idx < len(table):
            raise ValueError(f"Padding_idx must be within num_embeddings, {len(table)}")
        padding_idx %= len(table)
    if index.size and (index.min() < 0 or index.max() >= len(table)):
        wrong = index.min() if index.min() < 0 else index.max()
        raise IndexError(f"index out of range in self: {wrong}, of {len(table)} embeddings")
    if max_norm is not None:
        _shorten(table, np.unique(index), max_norm, norm_type)
    y = ops.embedding(weight, input)
    if scale_grad_by_freq and y.requires_grad:
        share = wrap((1 / np.bincount(index.ravel())[index])[..., None].astype(table.dtype))
        y.register_hook(lambda g: g * share)
        y = ops.clone(y)  # so that hooks on the result see the gradient before it is divided
    if padding_idx is not None and y.requires_grad:
        y = ops.where((index == padding_idx)[..., None], table[padding_idx], y)
    return y


def _shorten(table: np.ndarray, rows: np.ndarray, max_norm: float, p: float) -> None:
    """Scale rows of the table down to at most a p-norm, in place."""
    wide = np.promote_types(table.dtype, np.float32)
    norms = np.linalg.norm(table[rows].astype(wide), p, axis=1, keepdims=True)
    scale = np.where(norms > max_norm, max_norm / (norms + 1e-7), 1)
    table[rows] = table[rows] * scale
    mark_written(table)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y[.., k] = Σᵢⱼ x1[.., i] weight[k, i, j] x2[.., j] + bias[k].

    x1 is (.., I), x2 (.., J), weight (K, I, J), bias (K,) and the result (.., K). Raises
    RuntimeError for shapes that do not fit, and unless all have one dtype, not of bools.

    >>> bilinear(tc.tensor([2.0]), tc.tensor([3.0]), tc.tensor([[[5.0]]]))
    tensor([30.])
    """
    tensors("bilinear", input1=input1, input2=input2, weight=weight)
    optional_tensors("bilinear", 4, bias=bias)
    one_dtype("bilinear", integer.ALL, input1=input1, input2=input2, weight=weight, bias=bias)
    a, b, w = (x._array.shape for x in (input1, input2, weight))
    if len(w) != 3 or a[:-1] != b[:-1] or a[-1:] != w[1:2] or b[-1:] != w[2:]:
        raise RuntimeError(
            f"bilinear(): input1 {a} and input2 {b} must be alike but for the last axis, which "
            f"must have the sizes that weight {w} has at axes 1 and 2"
        )
    if bias is not None and bias._array.shape != w[:1]:
        raise RuntimeError(f"bilinear(): bias size {bias._array.shape}, expected {w[:1]}")
    matrix = functions.reshape(ops.permute(weight, dims=(1, 0, 2)), (w[1], w[0] * w[2]))  # (I, K J)
    n = math.prod(a[:-1])
    rows = functions.reshape(input1, (n, w[1]))
    left = functions.reshape(ops.matmul(rows, matrix), (n, w[0], w[2]))  # (N, K, J)
    y = ops.matmul(left, functions.reshape(input2, (n, w[2], 1)))  # (N, K, 1)
    y = functions.reshape(y, (*a[:-1], w[0]))
    return y if bias is None else ops.add(y, bias)
