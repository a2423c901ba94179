"""Matrix products."""

from __future__ import annotations

import math

from .. import kernels
from ..engine import op
from ..engine.dtypes import NARROW
from .precision import rounded
from .shape import sum_to

__all__ = ["contract", "linear", "matmul"]


@op
def matmul(a, b):
    """y[.., i, k] = Σⱼ a[.., i, j] b[.., j, k], with the leading axes broadcast.

    ⟨ȳ, da b⟩ = ⟨ȳ bᵀ, da⟩, so ā = ȳ bᵀ, and likewise b̄ = aᵀ ȳ, summed over broadcast axes.
    """
    return kernels.matmul(a, b)


def matmul_a(g, b, a_shape):
    return sum_to(matmul(g, b.swapaxes(-1, -2)), shape=a_shape)


def matmul_b(g, a, b_shape):
    return sum_to(matmul(a.swapaxes(-1, -2), g), shape=b_shape)


matmul.defvjp(a=matmul_a, b=matmul_b)


@op
def linear(x, weight, bias=None):
    """y[.., f] = Σ_d x[.., d] weight[f, d] + bias[f]

    x̄ = ȳ W        W̄[f, d] = Σ ȳ[.., f] x[.., d]        b̄[f] = Σ ȳ[.., f]
    """
    if bias is not None and x.dtype.char in NARROW:  # rounded once
        return rounded(linear.op.forward, (x, weight, bias), {})
    f, d = weight.shape
    y = kernels.matmul(x.reshape(math.prod(x.shape[:-1]), d), weight.T)  # (.., D) (D, F)
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], f)


def linear_x(g, weight, x_shape, weight_shape):
    n, f = math.prod(x_shape[:-1]), weight_shape[0]
    return matmul(g.reshape((n, f)), weight).reshape(x_shape)  # (.., F) (F, D)


def linear_weight(g, x, weight_shape):
    (f, d), n = weight_shape, math.prod(g.shape[:-1])
    return matmul(g.reshape((n, f)).swapaxes(0, 1), x.reshape((n, d)))  # (F, ..) (.., D)


def linear_bias(g, bias_shape):
    return sum_to(g, shape=bias_shape)


linear.defvjp(x=linear_x, weight=linear_weight, bias=linear_bias)


@op
def contract(a, b, *, of_a, of_b, of_y):
    """y[of_y] = Σ a[of_a] b[of_b] over the labels that y lacks: einsum of two, by one matmul.

    `of_a`, `of_b` and `of_y` are strings with a letter for each axis, none twice; each letter is in
    two of the three at least. As ⟨ȳ, y⟩ = Σ ȳ[of_y] a[of_a] b[of_b] over all labels, the same form
    in ȳ, a and b, each gradient is the contraction of the other two: ā[of_a] = Σ ȳ[of_y] b[of_b].
    """
    size = dict(zip(of_a, a.shape, strict=True)) | dict(zip(of_b, b.shape, strict=True))
    batch = [k for k in of_y if k in of_a and k in of_b]
    rows = [k for k in of_y if k not in of_b]
    columns = [k for k in of_y if k not in of_a]
    summed = [k for k in of_a if k not in of_y]

    def as_matrices(x, labels, *groups):
        shape = [size[k] for k in batch] + [math.prod(size[k] for k in group) for group in groups]
        order = [labels.index(k) for k in (*batch, *groups[0], *groups[1])]
        return x.transpose(order).reshape(shape)

    a, b = as_matrices(a, of_a, rows, summed), as_matrices(b, of_b, summed, columns)
    y = kernels.matmul(a, b) if summed else a * b  # (batch.., rows, columns)
    order = [*batch, *rows, *columns]
    return y.reshape([size[k] for k in order]).transpose([order.index(k) for k in of_y])


contract.defvjp(
    a=lambda g, b, of_a, of_b, of_y: contract(g, b, of_a=of_y, of_b=of_b, of_y=of_a),
    b=lambda g, a, of_a, of_b, of_y: contract(a, g, of_a=of_a, of_b=of_y, of_y=of_b),
)
