"""Labels as vectors (`embedding`, `one_hot`), and the bilinear map of pairs of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...engine import mark_written, wrap
from .check import floating, tensors

__all__ = ["bilinear", "embedding", "one_hot"]


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """Labels (..) of int64 as rows (.., num_classes) of int64 with a 1 at the label.

    Without `num_classes` there are as many as the largest label asks for. Raises RuntimeError for
    labels of another type, below 0, or not below num_classes.

    >>> import tinygrad_cnn as tc
    >>> one_hot(tc.tensor([2, 0]), 3)
    tensor([[0, 0, 1],
            [1, 0, 0]])
    """
    tensors("one_hot", tensor=tensor)
    labels = tensor._array
    if labels.dtype != np.int64:
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type LongTensor, got {labels.dtype}"
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
    input: Any, weight: Any, padding_idx: int | None = None, max_norm: float | None = None,
    norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Any:  # fmt: skip
    """The rows of weight (V, D) that the integers of input (..) number: (.., D).

    The row `padding_idx` gets no gradient. With `max_norm` the rows taken are first, in place,
    scaled down to at most that `norm_type`-norm. `scale_grad_by_freq` divides a row's gradient by
    how often it was taken. Gradients are dense.

    Raises IndexError for numbers outside [0, V), RuntimeError for input that is not of integers,
    ValueError for a padding_idx that is no row, NotImplementedError for `sparse`.

    >>> import tinygrad_cnn as tc
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
            f"Long, Int; but got {index.dtype} instead"
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
        y = ops.clone(y)  # hooks on what is returned see the gradient before
    if padding_idx is not None and y.requires_grad:
        y = ops.where((index == padding_idx)[..., None], table[padding_idx], y)
    return y


def _shorten(table: np.ndarray, rows: np.ndarray, max_norm: float, p: float) -> None:
    """Scale rows of the table down to at most a p-norm, in place."""
    norms = np.linalg.norm(table[rows], p, axis=1, keepdims=True)
    scale = np.where(norms > max_norm, max_norm / (norms + 1e-7), 1)
    table[rows] *= scale.astype(table.dtype)
    mark_written(table)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """y[.., k] = Σᵢⱼ x1[.., i] weight[k, i, j] x2[.., j] + bias[k]."""
    floating("bilinear", input1=input1, input2=input2, weight=weight, bias=bias)
    a, b, w = (x._array.shape for x in (input1, input2, weight))
    if len(w) != 3 or a[:-1] != b[:-1] or a[-1:] != w[1:2] or b[-1:] != w[2:]:
        raise RuntimeError(
            f"bilinear(): input1 {a} and input2 {b} must be alike but for the last axis, which must "
            f"have the sizes that weight {w} has at axes 1 and 2"
        )
    if bias is not None and bias._array.shape != w[:1]:
        raise RuntimeError(f"bilinear(): bias size {bias._array.shape}, expected {w[:1]}")
    matrix = weight.permute(1, 0, 2).reshape((w[1], w[0] * w[2]))  # (I, K J)
    left = ops.matmul(input1.reshape((-1, w[1])), matrix).reshape((-1, w[0], w[2]))  # (N, K, J)
    y = ops.matmul(left, input2.reshape((-1, w[2], 1))).reshape((*a[:-1], w[0]))
    return y if bias is None else y + bias
