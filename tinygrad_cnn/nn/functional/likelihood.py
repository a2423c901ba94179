"""Losses that are negative log-likelihoods: of bits, distributions, counts and numbers."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ... import functions, ops
from ...engine import wrap
from ...engine.dtypes import FLOATING, get_default_dtype
from ...functions.arguments import in_floats, not_a_tensor, optional_tensors, tensors
from ...tensor import Tensor
from .check import check_kind, one_floating_dtype
from .reduction import check_reduction, legacy_reduction, reduced

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "gaussian_nll_loss", "kl_div",
    "poisson_nll_loss",
]  # fmt: skip


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """−t ln p − (1 − t) ln (1 − p) for probabilities p and targets t in [0, 1], times the weight.

    Each logarithm is at least −100. Input and target have one shape and one floating-point dtype;
    the weight broadcasts. `reduction` is "mean", "sum" or "none". Raises ValueError for shapes that
    differ, RuntimeError for dtypes that differ and for p or t outside [0, 1].

    >>> binary_cross_entropy(tc.tensor([0.5, 0.0]), tc.tensor([1.0, 1.0]), reduction="none")
    tensor([  0.6931, 100.0000])
    """
    reduction = legacy_reduction(reduction, size_average, reduce)
    tensors("binary_cross_entropy", input=input, target=target)
    optional_tensors("binary_cross_entropy", 3, weight=weight)
    p, t = input._array, target._array
    if p.shape != t.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    if p.size and not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError("all elements of input should be between 0 and 1")
    if t.size and not ((t >= 0) & (t <= 1)).all():
        raise RuntimeError("all elements of target should be between 0 and 1")
    one_floating_dtype("binary_cross_entropy", input=input, target=target)
    loss = ops.binary_cross_entropy(input, target)
    return reduced(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean", pos_weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """`binary_cross_entropy` of sigmoid(x): (1 − t) x + (1 + (w − 1) t) ln(1 + e⁻ˣ).

    x is the input, of any shape, t the target of that shape, and w `pos_weight`, which broadcasts
    and is 1 by default. It does not overflow. Raises ValueError for shapes that differ.

    >>> binary_cross_entropy_with_logits(tc.tensor([0.0]), tc.tensor([1.0]))
    tensor(0.6931)
    """
    name = "binary_cross_entropy_with_logits"
    reduction = legacy_reduction(reduction, size_average, reduce)
    tensors(name, input=input, target=target)
    optional_tensors(name, 3, weight=weight)
    optional_tensors(name, 7, pos_weight=pos_weight)
    if input._array.shape != target._array.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        )
    check_kind(name, input)
    factor = ops.logsigmoid(input)
    if pos_weight is not None:
        factor = factor * ((pos_weight - 1) * target + 1.0)
    loss = (1.0 - target) * input - factor
    return reduced(loss if weight is None else loss * weight, reduction)


def kl_div(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", log_target: bool = False,
) -> Tensor:  # fmt: skip
    """t (ln t − input) for log-probabilities and probabilities t: the Kullback-Leibler divergence.

    It is 0 where t is 0. With `log_target` the target is ln t. `reduction` is "batchmean", which
    divides the sum by the length of axis 0 and so gives the mean divergence of a batch; "mean",
    which divides by the number of elements, and warns; "sum" or "none".

    >>> kl_div(tc.tensor([[0.5, 0.5]]).log(), tc.tensor([[0.0, 1.0]]), reduction="batchmean")
    tensor(0.6931)
    """
    tensors("kl_div", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(reduction, size_average, reduce)
    elif reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math "
            "definition.",
            stacklevel=2,
        )
    if log_target:
        loss = ops.exp(target) * (target - input)
    else:
        t = ops.where(target._array == 0, 1.0, target)
        loss = t * ops.log(t) - target * input
    if reduction == "batchmean":
        shape = input._array.shape
        return loss.sum() / shape[0] if shape else loss.sum()
    return reduced(loss, reduction)


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False,
    size_average: bool | None = None, eps: float = 1e-8, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """λ − t ln λ for counts t of a Poisson distribution of mean λ.

    λ is exp(input), or without `log_input` input + eps. `full` adds Stirling's approximation of
    ln t!, which is t ln t − t + ln(2πt) / 2, where t > 1. `reduction` is "mean", "sum" or "none".

    >>> poisson_nll_loss(tc.tensor([0.0]), tc.tensor([3.0]))
    tensor(1.)
    """
    reduction = legacy_reduction(reduction, size_average, reduce)
    tensors("poisson_nll_loss", input=input, target=target)
    if log_input:
        loss = ops.exp(input) - target * input
    else:
        loss = input - target * ops.log(input + eps)
    if full:
        over = target._array > 1
        t = ops.where(over, target, 1.0)
        log = ops.log(t)
        loss = loss + ops.keep(t * log - t + 0.5 * log + 0.5 * math.log(2 * math.pi), over)
    return reduced(loss, reduction)


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """(ln v + (input − target)² / v) / 2 for a normal distribution of variance v = max(var, eps).

    `full` adds ln(2π) / 2. `var` is a number, or has the shape of the input, or one value for each
    row of it. Its gradient passes where var is raised to eps. `reduction` is "mean", "sum" or
    "none". Raises ValueError for a negative var and for a var of another shape.

    >>> gaussian_nll_loss(tc.tensor([1.0]), tc.tensor([3.0]), 1.0)
    tensor(2.)
    """
    tensors("gaussian_nll_loss", input=input, target=target)
    shape = input._array.shape
    v: Any = var
    if isinstance(var, (int, float)):
        dtype = input._array.dtype
        v = wrap(np.full(shape, var, dtype if dtype.kind in FLOATING else get_default_dtype()))
    elif not isinstance(var, Tensor):
        raise not_a_tensor("gaussian_nll_loss", "var", var, 3)
    if (v._array < 0).any():
        raise ValueError("var has negative entry/entries")
    given = v._array.shape
    if given != shape:
        if given == shape[:-1]:
            v = functions.unsqueeze(v, -1)
        elif (
            len(given) != len(shape)
            or sum(n for m, n in zip(shape, given, strict=True) if m != n) != 1
        ):
            raise ValueError(f"var is of incorrect size: {given}, for an input of {shape}")
    check_reduction(reduction)
    (v,) = in_floats(v)
    v = v + wrap(np.maximum(v._array, v._array.dtype.type(eps)) - v._array)
    loss = 0.5 * (ops.log(v) + ops.square(input - target) / v)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)
