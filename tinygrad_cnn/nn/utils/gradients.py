"""Gradients clipped in place, and parameters as one vector."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ... import functions
from ...engine import mark_written, wrap
from ...tensor import Tensor
from ..init import deprecated_alias

__all__ = [
    "clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm",
    "parameters_to_vector", "vector_to_parameters",
]  # fmt: skip


def _gradients(parameters: Any) -> list[np.ndarray]:
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [p.grad._array for p in parameters if p.grad is not None]


def _norm(array: np.ndarray, order: float) -> float:
    if order == math.inf:
        return float(np.abs(array).max(initial=0))
    if order == 0:
        return float(np.count_nonzero(array))
    flat = array.ravel(order="K")
    with np.errstate(over="ignore", invalid="ignore"):
        if order == 2:
            square = float(np.dot(flat, flat))
            if 1e-30 < square < math.inf:  # else squares may be lost to a type of few exponents
                return math.sqrt(square)
        return float((np.abs(flat.astype(np.float64)) ** order).sum() ** (1 / order))


def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Any:
    """Scale all gradients by min(1, max_norm / (norm + 1e-6)), norm being that of all of them.

    `parameters` is a Tensor or several; those without gradient are skipped. Returns the norm from
    before, a 0-d Tensor. Raises RuntimeError for a norm that is not finite, if so asked; nothing is
    scaled then. `foreach` is accepted and means nothing here.

    >>> import tinygrad_cnn as tc
    >>> x = tc.zeros(2, requires_grad=True)
    >>> (x * tc.tensor([3.0, 4.0])).sum().backward()
    >>> clip_grad_norm_(x, max_norm=1.0)
    tensor(5.)
    """
    gradients = _gradients(parameters)
    total = _total("gradients from `parameters`", gradients, norm_type, error_if_nonfinite)
    _scale(gradients, max_norm, float(total))
    return wrap(total)


clip_grad_norm = deprecated_alias("nn.utils", clip_grad_norm_)


def get_total_norm(
    tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Any:  # fmt: skip
    """The norm of a Tensor, or of several as one vector: a 0-d Tensor.

    Raises RuntimeError for a norm that is not finite, if so asked.

    >>> import tinygrad_cnn as tc
    >>> get_total_norm([tc.tensor([3.0]), tc.tensor([[4.0]])])
    tensor(5.)
    """
    arrays = [t._array for t in ([tensors] if isinstance(tensors, Tensor) else tensors)]
    return wrap(_total("`tensors`", arrays, norm_type, error_if_nonfinite))


def clip_grads_with_norm_(
    parameters: Any, max_norm: float, total_norm: Any, foreach: bool | None = None
) -> None:
    """Scale all gradients by min(1, max_norm / (total_norm + 1e-6)), in place."""
    _scale(_gradients(parameters), max_norm, float(total_norm))


def _total(
    what: str, arrays: list[np.ndarray], norm_type: float, error_if_nonfinite: bool
) -> np.ndarray:
    order = float(norm_type)
    total = _norm(np.array([_norm(a, order) for a in arrays]), order)
    if error_if_nonfinite and not math.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {order} for {what} is non-finite, so it cannot be clipped. To "
            "disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return np.asarray(total, np.result_type(*arrays) if arrays else np.float32)


def _scale(gradients: list[np.ndarray], max_norm: float, total: float) -> None:
    scale = float(max_norm) / (total + 1e-6)
    if not scale >= 1:  # nan scales too, as in PyTorch
        for g in gradients:
            g *= scale
            mark_written(g)


def clip_grad_value_(parameters: Any, clip_value: float, foreach: bool | None = None) -> None:
    """Clamp each element of the gradients between -clip_value and clip_value, in place."""
    for g in _gradients(parameters):
        np.clip(g, -float(clip_value), float(clip_value), out=g)
        mark_written(g)


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """All elements of the parameters in one vector (differentiable).

    >>> import tinygrad_cnn as tc
    >>> parameters_to_vector([tc.ones(2, 1), tc.zeros(1)])
    tensor([1., 1., 0.])
    """
    flat = [p.reshape(-1) for p in parameters]
    if not flat:
        raise ValueError("parameters_to_vector: expected a non-empty list of Tensors")
    return functions.cat(flat)


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Copy the elements of a vector (as of `parameters_to_vector`) into the parameters.

    Raises TypeError for what is no Tensor, ValueError for another number of elements than the
    parameters have; nothing is copied then.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected a Tensor, but got: {type(vec).__name__}")
    parameters = list(parameters)
    total = sum(p.numel() for p in parameters)
    if vec.shape != (total,):
        raise ValueError(
            f"vector_to_parameters: the parameters have {total} elements, got a Tensor of shape "
            f"{tuple(vec.shape)}"
        )
    begin = 0
    for p in parameters:
        end = begin + p.numel()
        p._array[...] = vec._array[begin:end].reshape(p.shape)
        mark_written(p._array)
        begin = end
