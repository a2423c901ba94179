"""The functions of the oracle that are not methods of Tensor."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ...values import Array
from .elementwise import elementwise, method
from .tape import float64
from .tensor import Part, Result, Tensor, make


def tensor(values: ArrayLike, dtype: DTypeLike = float64, requires_grad: bool = False) -> Tensor:
    """A new tensor of numbers."""
    y = Tensor(np.array(values, dtype))
    return y.requires_grad_() if requires_grad else y


def where(condition: Array, a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a where the condition holds, else b."""
    slopes = (lambda a, b, y: condition, "c"), (lambda a, b, y: ~condition, "c")
    first = a if isinstance(a, Tensor) else "a number"
    return make(elementwise(lambda a, b: np.where(condition, a, b), slopes, (a, b), first))


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors joined along an axis."""
    y = np.concatenate([x.array for x in tensors], dim)
    parts = []
    for k, x in enumerate(tensors):
        marks = [np.full(t.shape, -1) for t in tensors]
        marks[k] = np.arange(x.array.size).reshape(x.shape)
        cells = np.concatenate(marks, dim).ravel()
        matrix = np.zeros((cells.size, x.array.size))
        matrix[np.flatnonzero(cells >= 0), cells[cells >= 0]] = 1.0
        parts.append(Part(x, functools.partial(np.asarray, matrix)))
    return make(Result(y, parts))


def maximum(a: Tensor, b: Tensor) -> Tensor:
    """The larger of each two elements, which are never equal."""
    return method("maximum", False)(a, b)


def minimum(a: Tensor, b: Tensor) -> Tensor:
    """The smaller of each two elements, which are never equal."""
    return method("minimum", False)(a, b)


def checkpoint(
    function: Callable[..., Tensor], *args: Tensor, use_reentrant: bool = False
) -> Tensor:
    """The function itself: a checkpoint changes memory and time alone."""
    return function(*args)
