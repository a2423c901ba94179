"""Batch normalisation over the batches of all ranks, for `nn.SyncBatchNorm`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .. import kernels
from ..autograd.function import Function
from ..engine import wrap
from ..engine.dtypes import NARROW
from ..nn.batch_norm import SyncBatchNorm
from .groups import ProcessGroup, is_initialized, member


class _Normalization(Function):
    """y = w x̂ + b with x̂ = (x − μ) r, r = 1 / √(σ² + ε), μ and the biased σ² over all ranks.

    Rank k has n_k elements of a channel, with mean μ_k and variance σ_k². Of all N = Σ n_k elements,
    μ = Σ n_k μ_k / N and σ² = Σ n_k (σ_k² + (μ_k − μ)²) / N.

    The loss of rank k depends on the x of all ranks, through μ and r, and the gradient wanted is that of
    Σ_k L_k. So in x̄ = r (h − Σ h / N − x̂ Σ (h x̂) / N) of h = w ȳ (see `ops.batch_norm`), the sums are
    over the elements of all ranks. w̄ = Σ ȳ x̂ and b̄ = Σ ȳ are those of this rank: gradients of
    parameters are averaged later, all in one way.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Any, weight: Any, bias: Any, eps: float, group: ProcessGroup, found: list[Any]
    ) -> Any:
        narrow = x._array.dtype.char in NARROW
        array = x._array.astype(np.float32) if narrow else x._array
        dims = (0, *range(2, array.ndim))
        column = (1, -1, *[1] * (array.ndim - 2))
        channels, count = array.shape[1], array.size // max(array.shape[1], 1)
        mine = np.zeros(2 * channels + 1)
        mine[-1] = count
        if count:
            mine[:-1] = np.concatenate([v.reshape(-1) for v in kernels.moments(array, dims)])
        parts = _gathered(group, mine)
        counts, means = parts[:, -1:], parts[:, :channels]
        n = float(counts.sum())
        if n <= 1:
            raise ValueError(
                f"Expected more than 1 value per channel when training, got input size {x.shape} on "
                f"each of {group.size()} ranks"
            )
        mean = (counts * means).sum(0) / n
        variance = (counts * (parts[:, channels:-1] + np.square(means - mean))).sum(0) / n
        mu, variance = (v.astype(array.dtype).reshape(column) for v in (mean, variance))
        scale = 1 / np.sqrt(variance + array.dtype.type(eps))
        w, b = (_column(p, array.dtype, column) for p in (weight, bias))
        y = kernels.normalize(array, mu, scale, w, b)
        ctx.save_for_backward(x, weight)
        ctx.rest = mu, scale, n, dims, column, group, bias is not None
        found += wrap(mu), wrap(variance), n
        return wrap(y.astype(x._array.dtype, copy=False))

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, weight = ctx.saved_tensors
        if grad.requires_grad:
            raise NotImplementedError("SyncBatchNorm has no second derivatives across ranks")
        mu, scale, n, dims, column, group, biased = ctx.rest
        dtype = x._array.dtype
        array, g = (t._array.astype(mu.dtype, copy=False) for t in (x, grad))
        w = _column(weight, mu.dtype, column)
        S, T = kernels.moments_with(g, array, mu, dims)
        both = np.stack([S, T] if w is None else [w * S, w * T])
        group.run(partial(_sum, group, both))
        s, t = both / mu.dtype.type(n)
        x_bar = kernels.normalize_input(g, array, mu, scale, w, s, t * (scale * scale))
        of_weight = (
            None if weight is None else wrap((T * scale).reshape(-1).astype(weight._array.dtype))
        )
        of_bias = wrap(S.reshape(-1).astype(dtype)) if biased else None
        return wrap(x_bar.astype(dtype, copy=False)), of_weight, of_bias, None, None, None


def _column(parameter: Any, dtype: Any, column: Any) -> Any:
    if parameter is None:
        return None
    return parameter._array.astype(dtype, copy=False).reshape(column)


def _gathered(group: ProcessGroup, mine: Any) -> Any:
    parts = np.empty((group.size(), mine.size))

    def call() -> None:
        group.transport.agree("SyncBatchNorm", mine.size)
        group.transport.all_gather(mine, parts)

    group.run(call)
    return parts


def _sum(group: ProcessGroup, both: Any) -> None:
    group.transport.agree("SyncBatchNorm", both.shape)
    group.transport.all_reduce(both, "SUM")


def over_ranks(process_group: Any) -> Callable[..., Any] | None:
    """The normalisation over the ranks of a group; None without a group, or with one rank."""
    if not is_initialized():
        return None
    group = member(process_group)
    if group.size() == 1:
        return None

    def normalize(x: Any, weight: Any, bias: Any, eps: float) -> tuple[Any, ...]:
        found: list[Any] = []
        y = _Normalization.apply(x, weight, bias, eps, group, found)
        return y, *found

    return normalize


SyncBatchNorm.over_ranks = staticmethod(over_ranks)
