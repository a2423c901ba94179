"""Lookup of rows in a table. Each op is linear, and its vjp is its adjoint."""

from __future__ import annotations

import numpy as np

from ..engine import op
from .precision import SUMMED_IN

__all__ = ["embedding", "embedding_rows"]


@op
def embedding(weight, index):
    """y[.., :] = weight[index[..], :]        w̄[k, :] = Σ ȳ[.., :] over the places whose index is k"""
    return weight.take(index, axis=0)


@op
def embedding_rows(u, index, *, rows):
    """y[k, :] = Σ u[.., :] over the places whose index is k, for k < rows: adjoint of embedding."""
    y = np.zeros((rows, u.shape[-1]), u.dtype)
    if not index.size:
        return y
    order = index.ravel().argsort(kind="stable")
    found = index.ravel()[order]
    starts = np.flatnonzero(np.diff(found, prepend=-1))  # where the next index begins
    sums = SUMMED_IN.get(u.dtype.char)
    y[found[starts]] = np.add.reduceat(u.reshape(-1, u.shape[-1])[order], starts, 0, sums)
    return y


embedding.defvjp(
    weight=lambda g, index, weight_shape: embedding_rows(g, index, rows=weight_shape[0])
)
embedding_rows.defvjp(u=lambda g, index: embedding(g, index))
