"""Convolution and its two adjoints. These are ops too, so any order of derivative exists.

With N images, C channels, F filters of I × J, outputs P × Q, strides s, t, dilations d, e, and x
padded with zeros (one group; with more, f and c run over one group at a time):

    y[n, f, p, q] = Σ_cij x[n, c, s p + d i, t q + e j] w[f, c, i, j] + b[f]

It is linear in x and in w. From ⟨ȳ, dy⟩, collecting the factors of dx[n, c, h, k] and of dw:

    x̄[n, c, h, k] = Σ_fijpq ȳ[n, f, p, q] w[f, c, i, j]   over  s p + d i = h,  t q + e j = k
    w̄[f, c, i, j] = Σ_npq ȳ[n, f, p, q] x[n, c, s p + d i, t q + e j]
    b̄[f]          = Σ_npq ȳ[n, f, p, q]

x̄ is `conv2d_input(ȳ, w)` and w̄ `conv2d_weight(ȳ, x)`. Both are bilinear in turn, and the three
functions ⟨conv2d(x, w), u⟩ = ⟨x, conv2d_input(u, w)⟩ = ⟨w, conv2d_weight(u, x)⟩ are one trilinear
form of (x, w, u): the vjps of each are the other two. The same holds with a third axis of depth D:
conv3d is the sum, over the taps along depth, of 2D convolutions of frames.

A transposed convolution of u by w is `conv2d_input(u, w)`; the caller chooses `x_shape`.
"""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..engine import op
from . import reduce
from .precision import in_float32

__all__ = ["conv2d", "conv2d_input", "conv2d_weight", "conv3d", "conv3d_input", "conv3d_weight"]


@op
def conv2d(x, w, b=None, *, stride, padding, dilation, groups):
    """y = x ⋆ w + b: x (N, C, H, W), w (F, C/groups, I, J), b (F,) → (N, F, P, Q).

    `padding` is ((top, bottom), (left, right)). x̄ = conv2d_input(ȳ, w), w̄ = conv2d_weight(ȳ, x),
    b̄ = Σ_npq ȳ.
    """
    return kernels.conv2d(x, w, b, stride, padding, dilation, groups)


@op
def conv2d_input(u, w, *, x_shape, stride, padding, dilation, groups):
    """y = the x̄ of a conv2d whose output has the cotangent u; also its transpose.

    ū = conv2d(ȳ, w)        w̄ = conv2d_weight(u, ȳ)
    """
    return kernels.conv2d_input(u, w, x_shape, stride, padding, dilation, groups)


@op
def conv2d_weight(u, x, *, w_shape, stride, padding, dilation, groups):
    """y = the w̄ of a conv2d of x whose output has the cotangent u.

    ū = conv2d(x, ȳ)        x̄ = conv2d_input(u, ȳ)
    """
    return kernels.conv2d_weight(u, x, w_shape, stride, padding, dilation, groups)


def _trilinear(conv, of_input, of_weight):
    """Register the vjps of the three ops of one trilinear form: each is one of the other two."""

    def conv_x(g, w, x_shape, stride, padding, dilation, groups):
        return of_input(
            g, w, x_shape=x_shape, stride=stride, padding=padding, dilation=dilation, groups=groups
        )

    def conv_w(g, x, w_shape, stride, padding, dilation, groups):
        return of_weight(
            g, x, w_shape=w_shape, stride=stride, padding=padding, dilation=dilation, groups=groups
        )

    def of_input_u(g, w, stride, padding, dilation, groups):
        return conv(g, w, stride=stride, padding=padding, dilation=dilation, groups=groups)

    def of_input_w(g, u, w_shape, stride, padding, dilation, groups):
        return conv_w(u, g, w_shape, stride, padding, dilation, groups)

    def of_weight_u(g, x, stride, padding, dilation, groups):
        return conv(x, g, stride=stride, padding=padding, dilation=dilation, groups=groups)

    def of_weight_x(g, u, x_shape, stride, padding, dilation, groups):
        return conv_x(u, g, x_shape, stride, padding, dilation, groups)

    conv.defvjp(x=conv_x, w=conv_w, b=lambda g: reduce.sum(g, dim=(0, *range(2, len(g.shape)))))
    of_input.defvjp(u=of_input_u, w=of_input_w)
    of_weight.defvjp(u=of_weight_u, x=of_weight_x)


_trilinear(conv2d, conv2d_input, conv2d_weight)


# --- Three axes ---------------------------------------------------------------------------------


@op
@in_float32
def conv3d(x, w, b=None, *, stride, padding, dilation, groups):
    """y = x ⋆ w + b: x (N, C, D, H, W), w (F, C/groups, K, I, J), b (F,) → (N, F, O, P, Q).

    `padding` has a pair for each axis. y[:, :, o] = Σ_k x[:, :, s o + d k] ⋆ w[:, :, k] + b, of
    frames. The gradients are as in conv2d, with one more axis.
    """
    sizes = kernels.output_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    y = _volume((x.shape[0], w.shape[0], *sizes), x, w)
    for k, windows, cells in _depth(x, w.shape, y, stride, padding, dilation):
        part = kernels.conv2d(
            _frames(x[:, :, cells]), w[:, :, k], None,
            stride[1:], padding[1:], dilation[1:], groups,
        )  # fmt: skip
        y[:, :, windows] += _stacked(part, x[:, :, cells])
    if b is not None:
        y += b[:, None, None, None]
    return y


@op
@in_float32
def conv3d_input(u, w, *, x_shape, stride, padding, dilation, groups):
    """y = the x̄ of a conv3d whose output has the cotangent u; also its transpose.

    ū = conv3d(ȳ, w)        w̄ = conv3d_weight(u, ȳ)
    """
    x = _volume(x_shape, u, w)
    for k, windows, cells in _depth(x, w.shape, u, stride, padding, dilation):
        frames = _frames(u[:, :, windows])
        part = kernels.conv2d_input(
            frames, w[:, :, k], (len(frames), x_shape[1], *x_shape[3:]),
            stride[1:], padding[1:], dilation[1:], groups,
        )  # fmt: skip
        x[:, :, cells] += _stacked(part, u[:, :, windows])
    return x


@op
@in_float32
def conv3d_weight(u, x, *, w_shape, stride, padding, dilation, groups):
    """y = the w̄ of a conv3d of x whose output has the cotangent u.

    ū = conv3d(x, ȳ)        x̄ = conv3d_input(u, ȳ)
    """
    w = np.zeros(w_shape, np.result_type(u, x))
    for k, windows, cells in _depth(x, w_shape, u, stride, padding, dilation):
        w[:, :, k] = kernels.conv2d_weight(
            _frames(u[:, :, windows]), _frames(x[:, :, cells]), (*w_shape[:2], *w_shape[3:]),
            stride[1:], padding[1:], dilation[1:], groups,
        )  # fmt: skip
    return w


_trilinear(conv3d, conv3d_input, conv3d_weight)


def _depth(x, w_shape, y, stride, padding, dilation):
    """(k, windows, cells) for each tap k along depth that lies in x: in which windows, at which cells."""
    axis = x.shape[2], w_shape[2], stride[0], padding[0], dilation[0], y.shape[2]
    taps = kernels.tap_slices(*axis)
    return [(k, windows, cells) for k, (windows, cells) in enumerate(taps) if cells.stop]


def _frames(x):
    """(N, C, D, H, W) as (N·D, C, H, W)."""
    return x.swapaxes(1, 2).reshape(-1, x.shape[1], *x.shape[3:])


def _stacked(frames, like):
    """(N·D, C, H, W) as (N, C, D, H, W), with the N and D of `like`."""
    return frames.reshape(len(like), like.shape[2], *frames.shape[1:]).swapaxes(1, 2)


def _volume(shape, *operands):
    """Zeros (N, C, D, H, W) with the channels innermost in memory, the order that kernels prefer."""
    n, c, *sizes = shape
    return np.zeros((n, *sizes, c), np.result_type(*operands)).transpose(0, 4, 1, 2, 3)
