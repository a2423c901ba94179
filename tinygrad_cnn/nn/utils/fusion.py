"""Fusion of batch norm, in evaluation a scale and a shift, into the layer before it."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import numpy as np

from ...engine import wrap
from ...tensor import Tensor
from ..batch_norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from ..module import Module
from ..parameter import Parameter

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]

M = TypeVar("M", bound=Module)


def fuse_conv_bn_eval(
    conv: M, bn: BatchNorm1d | BatchNorm2d | BatchNorm3d, transpose: bool = False
) -> M:
    """A copy of `conv` that computes bn(conv(x)).

    `transpose` is for a transposed convolution, whose output channels are axis 1 of the weight.
    Raises RuntimeError where a module is in training mode, or bn has no running estimates.

    >>> conv, bn = tc.nn.Conv2d(2, 3, 3).eval(), tc.nn.BatchNorm2d(3).eval()
    >>> x = tc.ones(1, 2, 4, 4)
    >>> bn(conv(x)).allclose(fuse_conv_bn_eval(conv, bn)(x), atol=1e-6)
    True
    """
    if conv.training or bn.training:
        raise RuntimeError("Fusion only for eval! Call eval() on both modules before.")
    if bn.running_mean is None or bn.running_var is None:
        raise RuntimeError("Fusion needs running_mean and running_var: bn does not track them")
    fused: Any = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias,
        transpose,
    )  # fmt: skip
    return fused


def fuse_linear_bn_eval(linear: M, bn: BatchNorm1d | BatchNorm2d | BatchNorm3d) -> M:
    """A copy of `linear` that computes bn(linear(x)). Raises as `fuse_conv_bn_eval`.

    >>> linear, bn = tc.nn.Linear(2, 3).eval(), tc.nn.BatchNorm1d(3).eval()
    >>> bn(linear(tc.ones(1, 2))).allclose(fuse_linear_bn_eval(linear, bn)(tc.ones(1, 2)))
    True
    """
    return fuse_conv_bn_eval(linear, bn)


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """The fused weight s w and bias s (b − μ) + β, with s = γ / √(σ² + eps).

    w and b are those of the convolution, μ, σ², γ and β those of the batch norm.

    >>> one = tc.ones(1)
    >>> w, b = fuse_conv_bn_weights(tc.ones(1, 1, 1, 1), None, one, one, 0.0, 2 * one, None)
    >>> w.item(), b.item()
    (2.0, -2.0)
    """
    w, mu, variance = (x._array for x in (conv_w, bn_rm, bn_rv))
    scale = 1 / np.sqrt(variance + variance.dtype.type(bn_eps))
    scale = scale if bn_w is None else scale * bn_w._array
    bias = scale * ((0 if conv_b is None else conv_b._array) - mu)
    bias = bias if bn_b is None else bias + bn_b._array
    along = [1] * w.ndim
    along[1 if transpose else 0] = -1
    needs = [conv_w.requires_grad, conv_b is not None and conv_b.requires_grad]
    arrays = ((w * scale.reshape(along)).astype(w.dtype), bias.astype(w.dtype))
    weight, shift = (Parameter(wrap(a), n) for a, n in zip(arrays, needs, strict=True))
    return weight, shift


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """`fuse_conv_bn_weights` for the weight of a Linear.

    >>> one = tc.ones(1)
    >>> w, b = fuse_linear_bn_weights(tc.ones(1, 1), None, one, one, 0.0, 2 * one, None)
    >>> w.item(), b.item()
    (2.0, -2.0)
    """
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
