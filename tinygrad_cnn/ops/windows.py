"""Windows along one axis, as a view, and the sum of windows that is its adjoint."""

from __future__ import annotations

import numpy as np

from ..engine import op
from .precision import in_float32

__all__ = ["fold_windows", "windows"]


def _count(n, size, step):
    return (n - size) // step + 1


@op(view=True)
def windows(x, *, dim, size, step):
    """y[.., i, .., k] = x[.., i · step + k, ..]: the windows that fit into the axis `dim`.

    Their numbers i are in that axis, and their places k in a new axis, the last. Windows that overlap
    share memory.

    x̄[.., h, ..] = Σ ȳ[.., i, .., k] over the windows with i · step + k = h: `fold_windows` of ȳ.
    """
    n, stride = x.shape[dim], x.strides[dim]
    shape = (*x.shape[:dim], _count(n, size, step), *x.shape[dim + 1 :], size)
    strides = (*x.strides[:dim], stride * step, *x.strides[dim + 1 :], stride)
    return np.lib.stride_tricks.as_strided(x, shape, strides)


@op
@in_float32
def fold_windows(u, *, dim, step, shape):
    """y = 0 of `shape`, then y[.., i · step + k, ..] += u[.., i, .., k]: the adjoint of `windows`.

    ū = the windows of ȳ.
    """
    count, size = u.shape[dim], u.shape[-1]
    y = np.zeros(shape, u.dtype)
    lead = (slice(None),) * dim
    if size <= count:  # place by place: the windows of one place do not overlap
        for k in range(size):
            y[(*lead, slice(k, k + (count - 1) * step + 1, step))] += u[..., k]
    else:
        for i in range(count):
            y[(*lead, slice(i * step, i * step + size))] += np.moveaxis(u[(*lead, i)], -1, dim)
    return y


windows.defvjp(x=lambda g, dim, step, x_shape: fold_windows(g, dim=dim, step=step, shape=x_shape))
fold_windows.defvjp(
    u=lambda g, dim, step, u_shape: windows(g, dim=dim, size=u_shape[-1], step=step)
)
