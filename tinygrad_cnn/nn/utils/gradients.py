"""Clipping of gradients in place, and parameters as one vector."""

from __future__ import annotations

import math
import types
import warnings
from collections.abc import Iterable
from functools import partial
from typing import TypeAlias

import numpy as np

from ... import functions, kernels
from ...atomic import Change, quiet, together
from ...engine import mark_written, wrap
from ...tensor import Tensor
from ..init import deprecated_alias

__all__ = [
    "clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm",
    "parameters_to_vector", "vector_to_parameters",
]  # fmt: skip


Tensors: TypeAlias = Tensor | Iterable[Tensor]


def _gradients(parameters: Tensors) -> list[np.ndarray]:
    """The gradients of the parameters; a warning for a generator that has none left."""
    several = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    if not several and isinstance(parameters, types.GeneratorType):
        warnings.warn(
            "`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=3
        )
    return [p.grad._array for p in several if p.grad is not None]


def _norm(array: np.ndarray, order: float) -> float:
    if order == math.inf:
        return float(np.abs(array).max(initial=0))
    if order == -math.inf:
        return float(np.abs(array).min(initial=math.inf))
    if order == 0:
        return float(np.count_nonzero(array))
    flat = array.ravel(order="K")
    if flat.dtype.itemsize < 4:
        flat = flat.astype(np.float32)  # the squares of float16 lose digits
    with quiet():
        if order == 2:
            with kernels.all_blas_threads():
                square = float(np.dot(flat, flat))
            if (
                1e-30 < square < math.inf
            ):  # otherwise a square may be outside the range of the dtype
                return math.sqrt(square)
        return float((np.abs(flat.astype(np.float64)) ** order).sum() ** (1 / order))


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients in place by min(1, max_norm / (norm + 1e-6)).

    The norm is the `norm_type`-norm of all gradients as one vector. Parameters without a gradient
    are skipped. Returns the norm before the scaling, a 0-d Tensor of the dtype of the gradients. With
    `error_if_nonfinite` a norm that is NaN or infinite in that dtype raises RuntimeError, and nothing
    is scaled. Without it, a norm that only overflows the dtype still scales by its exact value.
    Warns for a generator that is used up. `foreach` has no effect here.

    >>> x = tc.zeros(2, requires_grad=True)
    >>> (x * tc.tensor([3.0, 4.0])).sum().backward()
    >>> clip_grad_norm_(x, max_norm=1.0)
    tensor(5.)
    """
    gradients = _gradients(parameters)
    exact, total = _total("gradients from `parameters`", gradients, norm_type, error_if_nonfinite)
    _scale(gradients, max_norm, exact)
    return wrap(total)


clip_grad_norm = deprecated_alias("nn.utils", clip_grad_norm_)


def get_total_norm(
    tensors: Tensors,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The `norm_type`-norm of a Tensor, or of several as one vector: a 0-d Tensor.

    With `error_if_nonfinite` a norm that is NaN or infinite raises RuntimeError.

    >>> get_total_norm([tc.tensor([3.0]), tc.tensor([[4.0]])])
    tensor(5.)
    """
    arrays = [t._array for t in ([tensors] if isinstance(tensors, Tensor) else tensors)]
    return wrap(_total("`tensors`", arrays, norm_type, error_if_nonfinite)[1])


def clip_grads_with_norm_(
    parameters: Tensors,
    max_norm: float,
    total_norm: Tensor | float,
    foreach: bool | None = None,
) -> None:
    """Scale all gradients in place by min(1, max_norm / (total_norm + 1e-6)).

    >>> x = tc.zeros(1, requires_grad=True)
    >>> (3 * x).sum().backward()
    >>> clip_grads_with_norm_(x, max_norm=1.0, total_norm=6.0)
    >>> x.grad
    tensor([0.5000])
    """
    _scale(_gradients(parameters), max_norm, float(total_norm))


def _total(
    what: str, arrays: list[np.ndarray], norm_type: float, error_if_nonfinite: bool
) -> tuple[float, np.ndarray]:
    """The norm in double precision, and in the dtype of the arrays, where it may be infinite."""
    order = float(norm_type)
    exact = _norm(np.array([_norm(a, order) for a in arrays]), order) if arrays else 0.0
    with quiet():
        total = np.asarray(exact, np.result_type(*arrays) if arrays else np.float32)
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {order} for {what} is non-finite, so it cannot be clipped. To "
            "disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return exact, total


def _scale(gradients: list[np.ndarray], max_norm: float, total: float) -> None:
    scale = float(max_norm) / (total + 1e-6)
    if not scale >= 1:  # nan scales too, as in PyTorch
        _change(gradients, [(np.multiply, scale)])


def _change(gradients: list[np.ndarray], operations: Iterable[tuple[np.ufunc, float]]) -> None:
    """Apply each ufunc to all gradients and a number, in place: to none if an interrupt comes first."""
    changes: list[Change] = []
    for g in gradients:
        mark_written(g)
        for ufunc, number in operations:  # of an array no conversion can fail
            changes.append(partial(ufunc, g, np.array(number, g.dtype), out=g))
    with quiet():
        together(changes)


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Clamp each element of the gradients between −clip_value and clip_value, in place.

    >>> x = tc.zeros(2, requires_grad=True)
    >>> (x * tc.tensor([-3.0, 0.5])).sum().backward()
    >>> clip_grad_value_(x, 1.0)
    >>> x.grad
    tensor([-1.0000,  0.5000])
    """
    bounds = (np.maximum, -float(clip_value)), (np.minimum, float(clip_value))
    _change(_gradients(parameters), bounds)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of the parameters in one vector. Gradients pass through.

    Raises ValueError where there are no parameters.

    >>> parameters_to_vector([tc.ones(2, 1), tc.zeros(1)])
    tensor([1., 1., 0.])
    """
    flat = [functions.reshape(p, (-1,)) for p in parameters]
    if not flat:
        raise ValueError("parameters_to_vector: expected a non-empty list of Tensors")
    return functions.cat(flat)


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copy the elements of a vector into the parameters, in place: `parameters_to_vector` undone.

    Raises TypeError for a vector that is not a Tensor, ValueError where it has not as many elements
    as the parameters. Nothing is copied then.

    >>> x = tc.zeros(2, 1)
    >>> vector_to_parameters(tc.tensor([1.0, 2.0]), [x])
    >>> x.tolist()
    [[1.0], [2.0]]
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
