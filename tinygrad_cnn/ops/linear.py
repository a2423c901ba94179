"""Matrix products."""

from __future__ import annotations

from .. import kernels
from ..op import op
from .shape import sum_to


@op
def matmul(a, b):
    """y[.., i, k] = Σⱼ a[.., i, j] b[.., j, k], with the leading axes broadcast.

    ⟨ȳ, da b⟩ = ⟨ȳ bᵀ, da⟩, so ā = ȳ bᵀ and likewise b̄ = aᵀ ȳ, summed over what was broadcast.
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
    f, d = weight.shape
    y = kernels.matmul(x.reshape(-1, d), weight.T)  # (.., D) (D, F)
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], f)


def linear_x(g, weight, x_shape, weight_shape):
    return matmul(g.reshape((-1, weight_shape[0])), weight).reshape(x_shape)  # (.., F) (F, D)


def linear_weight(g, x, weight_shape):
    f, d = weight_shape
    return matmul(g.reshape((-1, f)).swapaxes(0, 1), x.reshape((-1, d)))  # (F, ..) (.., D)


def linear_bias(g, bias_shape):
    return sum_to(g, shape=bias_shape)


linear.defvjp(x=linear_x, weight=linear_weight, bias=linear_bias)
