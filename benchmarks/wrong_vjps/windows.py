"""Convolution and pooling, and twenty ways to get their vjps wrong.

Windows are gathered and scattered tap by tap, by positions taken modulo the size: so a wrong stride
gives wrong numbers and no IndexError.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinygrad_cnn.testing import Call, conv2d_configs
from tinygrad_cnn.testing.values import separated

from .rule import change, one_zeroed, rule, scaled, some_zeroed, stale, wrong


def taps(planes: Any, kernel: Any, outputs: Any, stride: Any, dilation: Any = (1, 1)) -> Any:
    """(i, j, where): the places in (.., H, W) that tap (i, j) of every window looks at."""
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            rows = (i * dilation[0] + stride[0] * np.arange(outputs[0])) % planes[0]
            columns = (j * dilation[1] + stride[1] * np.arange(outputs[1])) % planes[1]
            yield i, j, (..., rows[:, None], columns)


# --- Convolution --------------------------------------------------------------------------------


def padded(x: Any, padding: Any, groups: int) -> Any:
    """(N, G, C, H, W), with a border of zeros."""
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])


def conv2d(x: Any, w: Any, *, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
    """y[n,f,p,q] = Σ x[n,c,sp+di,sq+dj] w[f,c,i,j]"""
    v = padded(x, padding, groups)
    kernel, planes = w.shape[2:], v.shape[3:]
    outputs = [
        (n - d * (k - 1) - 1) // s + 1
        for n, d, k, s in zip(planes, dilation, kernel, stride, strict=True)
    ]
    w = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])  # (G, F, C, I, J)
    y = np.zeros((x.shape[0], *w.shape[:2], *outputs), x.dtype)
    for i, j, where in taps(planes, kernel, outputs, stride, dilation):
        y += np.einsum("ngcpq,gfc->ngfpq", v[where], w[..., i, j])
    return y.reshape(x.shape[0], y.shape[1] * y.shape[2], *outputs)


def conv2d_vjp(
    g: Any, x: Any, w: Any, *, stride: Any, padding: Any, dilation: Any, groups: Any,
    flip: bool = False, shift: tuple[int, int] = (0, 0),
) -> tuple[Any, Any]:  # fmt: skip
    """The adjoints in x and in w; `flip` and `shift` are for the mutants."""
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
    top, left = (a + b for a, b in zip((padding[0][0], padding[1][0]), shift, strict=True))
    dv = np.roll(dv, (-top, -left), (2, 3))[:, :, : x.shape[2], : x.shape[3]]
    return np.ascontiguousarray(dv), dw.reshape(shape)


@st.composite
def convolutions(draw: st.DrawFn) -> Call:
    """Rectangular, strided, dilated, grouped and padded."""
    config = draw(conv2d_configs())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return Call(tuple(separated(rng, config.x_shape, config.w_shape)), config.attributes)


PLAIN = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
SQUARE = tuple(separated(np.random.default_rng(0), (2, 2, 4, 4), (2, 2, 3, 3)))
CONV = rule(conv2d, conv2d_vjp, Call(SQUARE, PLAIN), convolutions())


def backward(**changes: Any) -> Any:
    """A vjp that computes x̄ and w̄ with other attributes, where `changes` has some."""

    def vjp(g: Any, x: Any, w: Any, **attributes: Any) -> tuple[Any, Any]:
        found = list(conv2d_vjp(g, x, w, **attributes))
        for k, change_ in enumerate((changes.get("x"), changes.get("w"))):
            if change_:
                found[k] = conv2d_vjp(g, x, w, **change_(attributes))[k]
        return tuple(found)

    return vjp


def swapped_stride(a: Any) -> Any:
    return a | {"stride": a["stride"][::-1]}


def no_dilation(a: Any) -> Any:
    return a | {"dilation": (1, 1)}


wrong(CONV, "x: swapped strides")(backward(x=swapped_stride))
wrong(CONV, "w: swapped strides")(backward(w=swapped_stride))
wrong(CONV, "x: ignored dilation")(backward(x=no_dilation))
wrong(CONV, "w: ignored dilation")(backward(w=no_dilation))
wrong(CONV, "x: swapped paddings")(backward(x=lambda a: a | {"padding": a["padding"][::-1]}))
wrong(CONV, "x: kernel flipped")(backward(x=lambda a: a | {"flip": True}))
wrong(CONV, "x: stride ignored in both axes")(backward(x=lambda a: a | {"stride": (1, 1)}))
change(CONV, "w: 0.05 % too large", 1, scaled)
change(CONV, "x: last element zeroed", 0, one_zeroed)
change(CONV, "x: 5 % of elements zeroed", 0, some_zeroed)


# --- Pooling ------------------------------------------------------------------------------------


def sizes(x: Any, kernel: Any, stride: Any) -> list[int]:
    """[P, Q]"""
    return [(n - k) // s + 1 for n, k, s in zip(x.shape[2:], kernel, stride, strict=True)]


def max_pool2d(x: Any, *, kernel: Any, stride: Any) -> Any:
    """y[o] = the largest x in window o"""
    return windows_of(x, kernel, stride).max(0)


def windows_of(x: Any, kernel: Any, stride: Any) -> Any:
    """(taps, N, C, P, Q)"""
    found = taps(x.shape[2:], kernel, sizes(x, kernel, stride), stride)
    return np.stack([x[where] for _, _, where in found])


def spread(x: Any, kernel: Any, stride: Any, shares: Any, add: bool = True) -> tuple[Any]:
    """Σ over the windows of their shares (taps, N, C, P, Q), at the places of x."""
    dx = np.zeros_like(x)
    places = taps(x.shape[2:], kernel, shares.shape[-2:], stride)
    for (_, _, where), share in zip(places, shares, strict=True):
        dx[where] = dx[where] + share if add else np.where(share != 0, share, dx[where])
    return (dx,)


def chosen(g: Any, x: Any, kernel: Any, stride: Any) -> Any:
    """g at the first of the largest of each window, else 0: (taps, N, C, P, Q)."""
    windows = windows_of(x, kernel, stride)
    return g * (np.arange(len(windows)).reshape(-1, 1, 1, 1, 1) == windows.argmax(0))


def max_pool2d_vjp(g: Any, x: Any, *, kernel: Any, stride: Any) -> tuple[Any]:
    """x̄[m] = Σ ȳ[o] over the windows o whose first maximum is m"""
    return spread(x, kernel, stride, chosen(g, x, kernel, stride))


@st.composite
def poolings(draw: st.DrawFn) -> Call:
    """Rectangular windows that overlap, touch or leave gaps."""
    numbers = st.integers(1, 3)
    kernel, stride = draw(st.tuples(numbers, numbers)), draw(st.tuples(numbers, numbers))
    more = draw(st.tuples(st.integers(0, 4), st.integers(0, 4)))
    plane = [k + m for k, m in zip(kernel, more, strict=True)]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
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
def tie_doubled(g: Any, x: Any, *, kernel: Any, stride: Any) -> tuple[Any]:
    windows = windows_of(x, kernel, stride)
    return spread(x, kernel, stride, g * (windows == windows.max(0)))


@wrong(MAX, "swapped strides")
def max_swapped(g: Any, x: Any, *, kernel: Any, stride: Any) -> tuple[Any]:
    return spread(x, kernel, stride[::-1], chosen(g, x, kernel, stride))


@wrong(MAX, "overlapping windows overwrite each other")
def max_overwritten(g: Any, x: Any, *, kernel: Any, stride: Any) -> tuple[Any]:
    return spread(x, kernel, stride, chosen(g, x, kernel, stride), add=False)


@wrong(MAX, "row and column of a position from the wrong side of the kernel")
def wrong_divmod(g: Any, x: Any, *, kernel: Any, stride: Any) -> tuple[Any]:
    shares = chosen(g, x, kernel, stride)
    order = [divmod(t, kernel[0]) for t in range(len(shares))]  # right: kernel[1]
    taken = np.zeros_like(shares)
    for t, (i, j) in enumerate(order):
        taken[(i * kernel[1] + j) % len(shares)] += shares[t]
    return spread(x, kernel, stride, taken)


change(MAX, "0.05 % too large", 0, scaled)
stale(MAX, "stale positions of an earlier call of the same shape")


def avg_pool2d(x: Any, *, kernel: Any, stride: Any) -> Any:
    """y[o] = mean of window o"""
    return windows_of(x, kernel, stride).mean(0)


def avg_shares(g: Any, kernel: Any, divisor: int) -> Any:
    """g / divisor for every tap: (taps, N, C, P, Q)."""
    return np.broadcast_to(g / g.dtype.type(divisor), (kernel[0] * kernel[1], *g.shape))


def avg_pool2d_vjp(g: Any, x: Any, *, kernel: Any, stride: Any) -> tuple[Any]:
    """x̄[m] = Σ ȳ[o] / (I · J) over the windows o that m lies in"""
    return spread(x, kernel, stride, avg_shares(g, kernel, kernel[0] * kernel[1]))


AVG = rule(avg_pool2d, avg_pool2d_vjp, Call(IMAGE, WINDOWS), poolings())


@wrong(AVG, "k² for kh · kw")
def square_divisor(g: Any, x: Any, *, kernel: Any, stride: Any) -> tuple[Any]:
    return spread(x, kernel, stride, avg_shares(g, kernel, kernel[0] ** 2))


@wrong(AVG, "sum for mean")
def sum_for_mean(g: Any, x: Any, *, kernel: Any, stride: Any) -> tuple[Any]:
    return spread(x, kernel, stride, avg_shares(g, kernel, 1))


@wrong(AVG, "swapped strides")
def avg_swapped(g: Any, x: Any, *, kernel: Any, stride: Any) -> tuple[Any]:
    shares = avg_shares(g, kernel, kernel[0] * kernel[1])
    return spread(x, kernel, stride[::-1], shares)


@wrong(AVG, "overlapping windows overwrite each other")
def avg_overwritten(g: Any, x: Any, *, kernel: Any, stride: Any) -> tuple[Any]:
    shares = avg_shares(g, kernel, kernel[0] * kernel[1])
    return spread(x, kernel, stride, shares, add=False)
