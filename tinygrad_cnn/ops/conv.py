"""Convolution, and its two adjoints, which are ops too: so it differentiates any number of times.

With N images, C channels, F filters of I × J, outputs P × Q, strides s, t, dilations d, e, and x
padded with zeros (one group; with more, f and c run over one group at a time):

    y[n, f, p, q] = Σ_cij x[n, c, s p + d i, t q + e j] w[f, c, i, j] + b[f]

It is linear in x and in w. From ⟨ȳ, dy⟩, collecting the factors of dx[n, c, h, k] and of dw:

    x̄[n, c, h, k] = Σ_fijpq ȳ[n, f, p, q] w[f, c, i, j]   over  s p + d i = h,  t q + e j = k
    w̄[f, c, i, j] = Σ_npq ȳ[n, f, p, q] x[n, c, s p + d i, t q + e j]
    b̄[f]          = Σ_npq ȳ[n, f, p, q]

x̄ is `conv2d_input(ȳ, w)` and w̄ `conv2d_weight(ȳ, x)`. Both are bilinear in turn, and the three
functions ⟨conv2d(x, w), u⟩ = ⟨x, conv2d_input(u, w)⟩ = ⟨w, conv2d_weight(u, x)⟩ are one trilinear
form of (x, w, u): the vjp of any of them is found among them.
"""

from __future__ import annotations

from .. import kernels
from ..op import op


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


def conv2d_x(g, w, x_shape, stride, padding, dilation, groups):
    return conv2d_input(
        g, w, x_shape=x_shape, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


def conv2d_w(g, x, w_shape, stride, padding, dilation, groups):
    return conv2d_weight(
        g, x, w_shape=w_shape, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


def conv2d_input_u(g, w, stride, padding, dilation, groups):
    return conv2d(g, w, stride=stride, padding=padding, dilation=dilation, groups=groups)


def conv2d_input_w(g, u, w_shape, stride, padding, dilation, groups):
    return conv2d_w(u, g, w_shape, stride, padding, dilation, groups)


def conv2d_weight_u(g, x, stride, padding, dilation, groups):
    return conv2d(x, g, stride=stride, padding=padding, dilation=dilation, groups=groups)


def conv2d_weight_x(g, u, x_shape, stride, padding, dilation, groups):
    return conv2d_x(u, g, x_shape, stride, padding, dilation, groups)


conv2d.defvjp(x=conv2d_x, w=conv2d_w, b=lambda g: g.sum(axis=(0, 2, 3)))
conv2d_input.defvjp(u=conv2d_input_u, w=conv2d_input_w)
conv2d_weight.defvjp(u=conv2d_weight_u, x=conv2d_weight_x)
