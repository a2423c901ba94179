"""Convolution and pooling by plain loops over every index, and strategies for their inputs."""

from itertools import product

import numpy as np
from hypothesis import strategies as st


def links(x_shape, kernel, size, stride, padding, dilation):
    """(i, j, p, q, h, w) for every tap of every window that is inside x."""
    (H, W), (I, J), (P, Q) = x_shape[2:], kernel, size
    for i, j, p, q in product(range(I), range(J), range(P), range(Q)):
        h = p * stride[0] + i * dilation[0] - padding[0][0]
        w = q * stride[1] + j * dilation[1] - padding[1][0]
        if 0 <= h < H and 0 <= w < W:
            yield i, j, p, q, h, w


def loops_conv2d(x, w, size, stride, padding, dilation, groups, g=None):
    """conv2d by its definition and, given g, both of its adjoints."""
    F, c, I, J = w.shape
    y = np.zeros((len(x), F, *size), x.dtype)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i, j, p, q, h, v in links(x.shape, (I, J), size, stride, padding, dilation):
        for f in range(F):
            k = slice(f // (F // groups) * c, f // (F // groups) * c + c)
            y[:, f, p, q] += x[:, k, h, v] @ w[f, :, i, j]
            if g is not None:
                dx[:, k, h, v] += g[:, f, p, q, None] * w[f, :, i, j]
                dw[f, :, i, j] += g[:, f, p, q] @ x[:, k, h, v]
    return y, dx, dw


def loops_max_pool2d(x, kernel, size, stride, padding, dilation):
    N, C, _, W = x.shape
    y = np.full((N, C, *size), -np.inf, x.dtype)
    positions = np.full(y.shape, -1)
    for _, _, p, q, h, w in links(x.shape, kernel, size, stride, padding, dilation):
        for n, c in product(range(N), range(C)):
            new, old, first = x[n, c, h, w], y[n, c, p, q], positions[n, c, p, q] == -1
            if first or new > old or (np.isnan(new) and not np.isnan(old)):
                y[n, c, p, q], positions[n, c, p, q] = new, h * W + w
    return y, positions


def arrays(seed, shape, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def strided(x, how):
    """The same numbers with other strides."""
    if how == "transposed":
        return np.ascontiguousarray(x.T).T
    if how == "reversed":
        return np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    if how == "gaps":
        wide = np.full((*x.shape[:-1], 2 * x.shape[-1]), np.nan, x.dtype)
        wide[..., ::2] = x
        x = wide[..., ::2]
    elif how == "channels_last":
        x = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    elif how == "batch_last":
        x = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0)
    x.flags.writeable = False
    return x


STRIDES = ["plain", "transposed", "reversed", "gaps", "channels_last", "batch_last"]


@st.composite
def axis(draw, max_kernel=4, most_padding=None):
    """(length, kernel, stride, (before, after), dilation, output) with at least one window."""
    kernel, stride = draw(st.integers(1, max_kernel)), draw(st.integers(1, 4))
    dilation = draw(st.integers(1, 3))
    most = 3 if most_padding is None else most_padding(kernel)
    before, after = draw(st.integers(0, most)), draw(st.integers(0, most))
    span = dilation * (kernel - 1) + 1
    length = draw(st.integers(max(1, span - before - after), span + 7))
    output = (length + before + after - span) // stride + 1
    return length, kernel, stride, (before, after), dilation, output


@st.composite
def convolutions(draw):
    (H, I, sh, ph, dh, P), (W, J, sw, pw, dw, Q) = draw(axis()), draw(axis())
    G = draw(st.sampled_from([1, 1, 2, 3]))
    c, f = draw(st.sampled_from([(1, 1), (1, 2), (2, 1), (3, 2), (2, 3), (9, 8)]))
    N = draw(st.sampled_from([0, 1, 2, 3, 17]))
    seed = draw(st.integers(0, 2**32))
    x, w = arrays(seed, (N, G * c, H, W)), arrays(seed + 1, (G * f, c, I, J))
    g = arrays(seed + 2, (N, G * f, P, Q))
    x, w, g = (strided(a, draw(st.sampled_from(STRIDES))) for a in (x, w, g))
    bias = draw(st.sampled_from([None, arrays(seed + 3, G * f)]))
    return x, w, g, bias, ((sh, sw), (ph, pw), (dh, dw), G)


@st.composite
def pools(draw):
    (H, I, sh, ph, dh, P), (W, J, sw, pw, dw, Q) = (
        draw(axis(3, lambda kernel: kernel // 2)) for _ in "HW"
    )
    shape = draw(st.sampled_from([(0, 2), (1, 1), (2, 3), (17, 2)]))
    x = arrays(draw(st.integers(0, 2**32)), (*shape, H, W))
    if draw(st.booleans()):
        x = np.round(x)  # ties
    if draw(st.booleans()):
        x[x > 1] = np.nan
    return (
        strided(x, draw(st.sampled_from(STRIDES))),
        ((I, J), (sh, sw), (ph, pw), (dh, dw)),
        (P, Q),
    )


def close(actual, expected, rtol=1e-9):
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * 10)
