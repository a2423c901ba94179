"""Batch norm in evaluation is a scale and a shift: folded into the layer before it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from ...engine import wrap
from ..parameter import Parameter

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A copy of `conv` that computes bn(conv(x)); both must be in evaluation mode (RuntimeError).

    `transpose` says that the output channels are axis 1 of the weight.

    >>> import tinygrad_cnn as tc
    >>> conv, bn, x = tc.nn.Conv2d(2, 3, 3).eval(), tc.nn.BatchNorm2d(3).eval(), tc.ones(1, 2, 4, 4)
    >>> bn(conv(x)).allclose(fuse_conv_bn_eval(conv, bn)(x), atol=1e-6)
    True
    """
    if conv.training or bn.training:
        raise RuntimeError("Fusion only for eval! Call eval() on both modules before.")
    if bn.running_mean is None or bn.running_var is None:
        raise RuntimeError("Fusion needs running_mean and running_var: bn does not track them")
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias,
        transpose,
    )  # fmt: skip
    return fused


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A copy of `linear` that computes bn(linear(x)); as `fuse_conv_bn_eval`."""
    return fuse_conv_bn_eval(linear, bn)


def fuse_conv_bn_weights(
    conv_w: Any, conv_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """s w and s (b − μ) + β with s = γ / √(σ² + eps), as Parameters."""
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
    linear_w: Any, linear_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any
) -> tuple[Parameter, Parameter]:
    """`fuse_conv_bn_weights` of a Linear."""
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
