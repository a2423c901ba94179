"""Convolutions of both sets against plain loops over every index, and against their adjoints."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from .loops import arrays, close, convolutions, loops_conv2d

pytestmark = pytest.mark.usefixtures("in_blocks")


@given(convolutions())
def test_convolution_and_its_adjoints_are_the_loops(k, case):
    x, w, g, bias, how = case
    y, dx, dw = loops_conv2d(x, w, g.shape[2:], *how, g)
    close(k.conv2d(x, w, None, *how), y)
    if bias is not None:
        close(k.conv2d(x, w, bias, *how), y + bias[:, None, None])
    close(k.conv2d_input(g, w, x.shape, *how), dx)
    weight = k.conv2d_weight(g, x, w.shape, *how)
    close(weight, dw)
    assert weight.flags.c_contiguous


@given(convolutions())
def test_adjoints(k, case):
    x, w, g, _, how = case
    y = k.conv2d(x, w, None, *how)
    close(np.vdot(y, g), np.vdot(x, k.conv2d_input(g, w, x.shape, *how)))
    close(np.vdot(y, g), np.vdot(w, k.conv2d_weight(g, x, w.shape, *how)))


@given(convolutions(), st.sampled_from([np.float16, np.float32]))
@settings(max_examples=30)
def test_lower_precision_stays_itself(k, case, dtype):
    x, w, g, _, how = case
    y, dx, dw = loops_conv2d(x, w, g.shape[2:], *how, g)
    x, w, g = x.astype(dtype), w.astype(dtype), g.astype(dtype)
    rtol = 100 * np.finfo(dtype).eps
    for actual, expected in (
        (k.conv2d(x, w, None, *how), y),
        (k.conv2d_input(g, w, x.shape, *how), dx),
        (k.conv2d_weight(g, x, w.shape, *how), dw),
    ):
        assert actual.dtype == dtype
        close(actual, expected, rtol)


SHAPES = [  # x, w, stride, padding, groups: sizes that take every path on real blocks
    ((20, 3, 30, 31), (6, 3, 5, 5), 1, 2, 1),
    ((20, 3, 24, 25), (16, 3, 5, 5), 1, 0, 1),
    ((5, 32, 40, 40), (40, 32, 3, 3), 1, 1, 1),
    ((5, 32, 40, 40), (40, 32, 3, 3), 2, 1, 1),
    ((40, 64, 8, 7), (128, 64, 3, 3), 1, 1, 1),
    ((5, 48, 31, 33), (48, 48, 5, 5), 1, 2, 1),
    ((3, 64, 60, 60), (64, 64, 1, 1), 1, 0, 1),
    ((3, 64, 60, 60), (64, 1, 3, 3), 1, 1, 64),
    ((20, 64, 30, 30), (64, 1, 3, 3), 2, 1, 64),
    ((3, 64, 60, 60), (64, 4, 3, 3), 1, 1, 16),
]


@pytest.mark.parametrize(("x_shape", "w_shape", "stride", "padding", "groups"), SHAPES)
def test_large_convolutions_are_adjoint_and_equal_to_the_bit(
    k, x_shape, w_shape, stride, padding, groups
):
    how = (stride, stride), ((padding, padding),) * 2, (1, 1), groups
    x, w = arrays(1, x_shape, np.float32), arrays(2, w_shape, np.float32)
    y = k.conv2d(x, w, None, *how)
    n, f, p, q = (size // 2 for size in y.shape)
    h, v = p * stride - padding, q * stride - padding
    c = f // (w_shape[0] // groups) * w_shape[1]
    window = x[n, c : c + w_shape[1], h : h + w_shape[2], v : v + w_shape[3]]
    close(y[n, f, p, q], np.sum(window * w[f]), 1e-4)
    g = arrays(3, y.shape, np.float32)
    dx = k.conv2d_input(g, w, x_shape, *how)
    dw = k.conv2d_weight(g, x, w_shape, *how)
    inner = np.vdot(y.astype(np.float64), g)
    scale = np.linalg.norm(y) * np.linalg.norm(g)
    assert abs(inner - np.vdot(x.astype(np.float64), dx)) < 1e-6 * scale
    assert abs(inner - np.vdot(w.astype(np.float64), dw)) < 1e-6 * scale
    for _ in range(3):
        assert np.array_equal(y, k.conv2d(x, w, None, *how))
        assert np.array_equal(dx, k.conv2d_input(g, w, x_shape, *how))
        assert np.array_equal(dw, k.conv2d_weight(g, x, w_shape, *how))


def test_zero_strides(k):
    how = (1, 1), ((1, 1), (1, 1)), (1, 1), 1
    x = np.broadcast_to(2.0, (2, 3, 5, 4))
    w, g = np.broadcast_to(3.0, (2, 3, 3, 3)), np.broadcast_to(1.0, (2, 2, 5, 4))
    y, dx, dw = loops_conv2d(x, w, (5, 4), *how, g)
    close(k.conv2d(x, w, np.broadcast_to(0.0, 2), *how), y)
    close(k.conv2d_input(g, w, x.shape, *how), dx)
    close(k.conv2d_weight(g, x, w.shape, *how), dw)


def test_no_channels(k):
    how = (1, 1), ((1, 1), (1, 1)), (1, 1), 1
    x, w, g = np.ones((2, 0, 4, 4)), np.ones((3, 0, 3, 3)), np.ones((2, 3, 4, 4))
    assert np.array_equal(k.conv2d(x, w, np.arange(3.0), *how)[1, :, 2, 2], np.arange(3.0))
    assert k.conv2d_input(g, w, x.shape, *how).shape == x.shape
    assert k.conv2d_weight(g, x, w.shape, *how).shape == w.shape
