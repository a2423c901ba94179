"""Convolution and pooling, with twenty wrong vjps.

Windows are gathered and scattered tap by tap. Positions are taken modulo the size, so a wrong
stride gives wrong numbers and not an IndexError.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ...calls import Call
from ...configs import conv2d_configs
from ...strategies import generators
from ...values import Array, Padding, Shape, separated
from ..attributes import ValueChange, reversed_pair
from ..changes import every_twentieth_zeroed, scaled, zeroed
from .rule import Vjp, change, rule, stale, wrong


def taps(
    planes: Shape, kernel: Shape, outputs: Shape, stride: Shape, dilation: Shape = (1, 1)
) -> Iterator[tuple[int, int, tuple[Any, ...]]]:
    """(i, j, where): the places in (.., H, W) that tap (i, j) reads, over all windows."""
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            rows = (i * dilation[0] + stride[0] * np.arange(outputs[0])) % planes[0]
            columns = (j * dilation[1] + stride[1] * np.arange(outputs[1])) % planes[1]
            yield i, j, (..., rows[:, None], columns)


# --- Convolution --------------------------------------------------------------------------------


def padded(x: Array, padding: Padding, groups: int) -> Array:
    """x as (N, G, C, H, W), with a border of zeros."""
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])


def conv2d(
    x: Array, w: Array, *, stride: Shape, padding: Padding, dilation: Shape, groups: int
) -> Array:
    """y[n,f,p,q] = Σ x[n,c,sp+di,sq+dj] w[f,c,i,j]"""
    v = padded(x, padding, groups)
    kernel, planes = w.shape[2:], v.shape[3:]
    outputs = tuple(
        (n - d * (k - 1) - 1) // s + 1
        for n, d, k, s in zip(planes, dilation, kernel, stride, strict=True)
    )
    w = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])  # (G, F, C, I, J)
    y = np.zeros((x.shape[0], *w.shape[:2], *outputs), x.dtype)
    for i, j, where in taps(planes, kernel, outputs, stride, dilation):
        y += np.einsum("ngcpq,gfc->ngfpq", v[where], w[..., i, j])
    return y.reshape(x.shape[0], y.shape[1] * y.shape[2], *outputs)


def conv2d_vjp(
    g: Array, x: Array, w: Array, *, stride: Shape, padding: Padding, dilation: Shape, groups: int,
    flip: bool = False,
) -> tuple[Array, Array]:  # fmt: skip
    """The adjoints for x and w. A wrong vjp sets `flip`."""
    v = padded(x, padding, groups)
    kernel, planes = w.shape[2:], v.shape[3:]
    shape, w = w.shape, w.reshape(groups, w.shape[0] // groups, *w.shape[1:])
    g = g.reshape(g.shape[0], groups, g.shape[1] // groups, *g.shape[2:])
    dv, dw = np.zeros_like(v), np.zeros_like(w)
    for i, j, where in taps(planes, kernel, g.shape[3:], stride, dilation):
        tap = w[..., -1 - i, -1 - j] if flip else w[..., i, j]
        dv[where] += np.einsum("ngfpq,gfc->ngcpq", g, tap)
        dw[..., i, j] = np.einsum("ngfpq,ngcpq->gfc", g, v[where])
    dv = dv.reshape(x.shape[0], x.shape[1], *planes)
    (top, _), (left, _) = padding
    dv = np.roll(dv, (-top, -left), (2, 3))[:, :, : x.shape[2], : x.shape[3]]
    return np.ascontiguousarray(dv), dw.reshape(shape)


@st.composite
def convolutions(draw: st.DrawFn) -> Call:
    """Rectangular, strided, dilated, grouped and padded."""
    config = draw(conv2d_configs())
    rng = draw(generators())
    return Call(tuple(separated(rng, config.x_shape, config.w_shape)), config.attributes)


PLAIN = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
SQUARE = tuple(separated(np.random.default_rng(0), (2, 2, 4, 4), (2, 2, 3, 3)))
CONV = rule(conv2d, conv2d_vjp, Call(SQUARE, PLAIN), convolutions())


def wrong_attribute(input: str, attribute: str, change: ValueChange) -> Vjp:
    """The right vjp, but the gradient of `input`, x or w, is computed with a changed attribute."""

    def vjp(g: Array, x: Array, w: Array, **attributes: Any) -> tuple[Array, ...]:
        found = dict(zip("xw", conv2d_vjp(g, x, w, **attributes), strict=True))
        changed = {**attributes, attribute: change(attributes.get(attribute))}
        found[input] = dict(zip("xw", conv2d_vjp(g, x, w, **changed), strict=True))[input]
        return found["x"], found["w"]

    return vjp


def ones(value: Shape) -> Shape:
    """A stride or a dilation of 1."""
    return (1, 1)


wrong(CONV, "x: swapped strides")(wrong_attribute("x", "stride", reversed_pair))
wrong(CONV, "w: swapped strides")(wrong_attribute("w", "stride", reversed_pair))
wrong(CONV, "x: ignored dilation")(wrong_attribute("x", "dilation", ones))
wrong(CONV, "w: ignored dilation")(wrong_attribute("w", "dilation", ones))
wrong(CONV, "x: swapped paddings")(wrong_attribute("x", "padding", reversed_pair))
wrong(CONV, "x: kernel flipped")(wrong_attribute("x", "flip", lambda flip: True))
wrong(CONV, "x: stride ignored in both axes")(wrong_attribute("x", "stride", ones))
change(CONV, "w: 0.05 % too large", 1, scaled)
change(CONV, "x: last element zeroed", 0, zeroed(-1))
change(CONV, "x: 5 % of elements zeroed", 0, every_twentieth_zeroed)


# --- Pooling ------------------------------------------------------------------------------------


def sizes(x: Array, kernel: Shape, stride: Shape) -> Shape:
    """(P, Q)"""
    return tuple((n - k) // s + 1 for n, k, s in zip(x.shape[2:], kernel, stride, strict=True))


def max_pool2d(x: Array, *, kernel: Shape, stride: Shape) -> Array:
    """y[o] = the largest x in window o"""
    return np.asarray(windows_of(x, kernel, stride).max(0))


def windows_of(x: Array, kernel: Shape, stride: Shape) -> Array:
    """(taps, N, C, P, Q)"""
    found = taps(x.shape[2:], kernel, sizes(x, kernel, stride), stride)
    return np.stack([x[where] for _, _, where in found])


def spread(x: Array, kernel: Shape, stride: Shape, shares: Array, add: bool = True) -> tuple[Array]:
    """Adds the shares (taps, N, C, P, Q) of all windows at their places in x.

    Without `add`, a share replaces the sum before it.
    """
    dx = np.zeros_like(x)
    places = taps(x.shape[2:], kernel, shares.shape[-2:], stride)
    for (_, _, where), share in zip(places, shares, strict=True):
        dx[where] = dx[where] + share if add else np.where(share != 0, share, dx[where])
    return (dx,)


def chosen(g: Array, x: Array, kernel: Shape, stride: Shape) -> Array:
    """g at the first maximum of each window, else 0: (taps, N, C, P, Q)."""
    windows = windows_of(x, kernel, stride)
    return g * (np.arange(len(windows)).reshape(-1, 1, 1, 1, 1) == windows.argmax(0))


def max_pool2d_vjp(g: Array, x: Array, *, kernel: Shape, stride: Shape) -> tuple[Array]:
    """x̄[m] = Σ ȳ[o] over the windows o whose first maximum is m"""
    return spread(x, kernel, stride, chosen(g, x, kernel, stride))


@st.composite
def poolings(draw: st.DrawFn) -> Call:
    """Rectangular windows that overlap, touch or leave gaps."""
    numbers = st.integers(1, 3)
    kernel, stride = draw(st.tuples(numbers, numbers)), draw(st.tuples(numbers, numbers))
    more = draw(st.tuples(st.integers(0, 4), st.integers(0, 4)))
    plane = [k + m for k, m in zip(kernel, more, strict=True)]
    rng = draw(generators())
    x = separated(rng, (draw(st.integers(1, 2)), draw(st.integers(1, 2)), *plane))
    return Call(tuple(x), {"kernel": kernel, "stride": stride})


WINDOWS = {"kernel": (2, 2), "stride": (2, 2)}
IMAGE = SQUARE[:1]
TIED = Call((np.array([[[[1.0, 3.0], [3.0, 0.0]]]]),), WINDOWS)
MAX = rule(
    max_pool2d, max_pool2d_vjp, Call(IMAGE, WINDOWS), poolings(),
    [(TIED, np.array([[[[0.0, 1.0], [0.0, 0.0]]]]))],
)  # fmt: skip


@wrong(MAX, "tie paid in full to every maximum")
def tie_doubled(g: Array, x: Array, *, kernel: Shape, stride: Shape) -> tuple[Array]:
    windows = windows_of(x, kernel, stride)
    return spread(x, kernel, stride, g * (windows == windows.max(0)))


@wrong(MAX, "swapped strides")
def max_swapped(g: Array, x: Array, *, kernel: Shape, stride: Shape) -> tuple[Array]:
    return spread(x, kernel, stride[::-1], chosen(g, x, kernel, stride))


@wrong(MAX, "overlapping windows overwrite each other")
def max_overwritten(g: Array, x: Array, *, kernel: Shape, stride: Shape) -> tuple[Array]:
    return spread(x, kernel, stride, chosen(g, x, kernel, stride), add=False)


@wrong(MAX, "row and column of a position from the wrong side of the kernel")
def wrong_divmod(g: Array, x: Array, *, kernel: Shape, stride: Shape) -> tuple[Array]:
    shares = chosen(g, x, kernel, stride)
    order = [divmod(t, kernel[0]) for t in range(len(shares))]  # right: kernel[1]
    taken = np.zeros_like(shares)
    for t, (i, j) in enumerate(order):
        taken[(i * kernel[1] + j) % len(shares)] += shares[t]
    return spread(x, kernel, stride, taken)


change(MAX, "0.05 % too large", 0, scaled)
stale(MAX, "stale positions of an earlier call of the same shape")


def avg_pool2d(x: Array, *, kernel: Shape, stride: Shape) -> Array:
    """y[o] = mean of window o"""
    return np.asarray(windows_of(x, kernel, stride).mean(0))


def avg_shares(g: Array, kernel: Shape, divisor: int) -> Array:
    """g / divisor for every tap: (taps, N, C, P, Q)."""
    return np.broadcast_to(g / g.dtype.type(divisor), (kernel[0] * kernel[1], *g.shape))


def avg_pool2d_vjp(g: Array, x: Array, *, kernel: Shape, stride: Shape) -> tuple[Array]:
    """x̄[m] = Σ ȳ[o] / (I · J) over the windows o that contain m"""
    return spread(x, kernel, stride, avg_shares(g, kernel, kernel[0] * kernel[1]))


AVG = rule(avg_pool2d, avg_pool2d_vjp, Call(IMAGE, WINDOWS), poolings())


@wrong(AVG, "k² for kh · kw")
def square_divisor(g: Array, x: Array, *, kernel: Shape, stride: Shape) -> tuple[Array]:
    return spread(x, kernel, stride, avg_shares(g, kernel, kernel[0] ** 2))


@wrong(AVG, "sum for mean")
def sum_for_mean(g: Array, x: Array, *, kernel: Shape, stride: Shape) -> tuple[Array]:
    return spread(x, kernel, stride, avg_shares(g, kernel, 1))


@wrong(AVG, "swapped strides")
def avg_swapped(g: Array, x: Array, *, kernel: Shape, stride: Shape) -> tuple[Array]:
    shares = avg_shares(g, kernel, kernel[0] * kernel[1])
    return spread(x, kernel, stride[::-1], shares)


@wrong(AVG, "overlapping windows overwrite each other")
def avg_overwritten(g: Array, x: Array, *, kernel: Shape, stride: Shape) -> tuple[Array]:
    shares = avg_shares(g, kernel, kernel[0] * kernel[1])
    return spread(x, kernel, stride, shares, add=False)
