"""Pooling, and its adjoints. Window (p, q) covers x[s p + d i, t q + e j], i < I, j < J, padded."""

from __future__ import annotations

from .. import kernels
from ..engine import op
from .precision import in_float32

__all__ = [
    "avg_pool2d", "avg_pool2d_input", "max_pool2d", "max_pool2d_gather", "max_pool2d_positions",
    "max_pool2d_scatter",
]  # fmt: skip


@op(residuals=("taps",), returns=("taps",))
def max_pool2d(x, *, kernel_size, stride, padding, dilation, output_size):
    """y[n, c, p, q] = the maximum of its window, and the tap i J + j where it stands.

    x̄[m] = Σ ȳ[o] over the windows o whose *first* maximum, in row-major order, is m: of tied
    maxima one gets the whole gradient. Padding is −∞. A window of padding only (tap I J) passes none.
    """
    return kernels.max_pool2d(x, kernel_size, stride, padding, dilation, output_size)


@op
def max_pool2d_scatter(u, taps, *, x_shape, kernel_size, stride, padding, dilation):
    """y = 0 of `x_shape`, but for += u[o] at the tap of each window o        ū = ȳ at the taps"""
    return kernels.max_pool2d_scatter(u, taps, x_shape, kernel_size, stride, padding, dilation)


@op
def max_pool2d_gather(x, taps, *, kernel_size, stride, padding, dilation):
    """y[o] = x at the tap of window o        x̄ = ȳ scattered to the taps"""
    return kernels.max_pool2d_gather(x, taps, kernel_size, stride, padding, dilation)


def max_pool2d_positions(taps, *, x_shape, kernel_size, stride, padding, dilation):
    """The taps of `max_pool2d`, an array, as positions in the plane of x, h W + w; −1 for tap I J."""
    return kernels.max_pool2d_positions(taps, x_shape, kernel_size, stride, padding, dilation)


def max_pool2d_x(g, taps, x_shape, kernel_size, stride, padding, dilation):
    return max_pool2d_scatter(
        g,
        taps,
        x_shape=x_shape,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
    )


def max_pool2d_scatter_u(g, taps, kernel_size, stride, padding, dilation):
    return max_pool2d_gather(
        g, taps, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation
    )


max_pool2d.defvjp(x=max_pool2d_x)
max_pool2d_gather.defvjp(x=max_pool2d_x)
max_pool2d_scatter.defvjp(u=max_pool2d_scatter_u)


@op
@in_float32
def avg_pool2d(x, *, kernel_size, stride, padding, output_size, divisor):
    """y[n, c, p, q] = Σ of its window / divisor, a number or an array (P, Q).

    x̄ = ȳ / divisor for every cell of a window, added where windows overlap.
    """
    return kernels.avg_pool2d(x, kernel_size, stride, padding, output_size, divisor)


@op
@in_float32
def avg_pool2d_input(u, *, x_shape, kernel_size, stride, padding, divisor):
    """y = the x̄ of an avg_pool2d whose output has the cotangent u        ū = avg_pool2d(ȳ)"""
    return kernels.avg_pool2d_input(u, x_shape, kernel_size, stride, padding, divisor)


def avg_pool2d_x(g, x_shape, kernel_size, stride, padding, divisor):
    return avg_pool2d_input(
        g, x_shape=x_shape, kernel_size=kernel_size, stride=stride, padding=padding, divisor=divisor
    )


def avg_pool2d_input_u(g, u_shape, kernel_size, stride, padding, divisor):
    return avg_pool2d(
        g,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        output_size=u_shape[2:],
        divisor=divisor,
    )


avg_pool2d.defvjp(x=avg_pool2d_x)
avg_pool2d_input.defvjp(u=avg_pool2d_input_u)
