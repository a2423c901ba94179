"""Pooling of both sets against plain loops over every index, and against its adjoints."""

import numpy as np
import pytest
from hypothesis import given

from .loops import arrays, close, links, loops_max_pool2d, pools

pytestmark = pytest.mark.usefixtures("in_blocks")


@given(pools())
def test_max_pooling_is_the_loops(k, case):
    x, how, size = case
    kernel, *rest = how
    y, taps = k.max_pool2d(x, *how, size)
    positions = k.max_pool2d_positions(taps, x.shape, *how)
    y_, positions_ = loops_max_pool2d(x, kernel, size, *rest)
    np.testing.assert_array_equal(y, y_)
    np.testing.assert_array_equal(positions, positions_)
    g = arrays(0, y.shape)
    dx = np.zeros(x.shape)
    for n, c, p, q in np.argwhere(positions_ >= 0):
        dx[n, c, positions_[n, c, p, q] // x.shape[3], positions_[n, c, p, q] % x.shape[3]] += g[
            n, c, p, q
        ]
    close(k.max_pool2d_scatter(g, taps, x.shape, *how), dx)
    u = arrays(1, x.shape)
    close(np.vdot(k.max_pool2d_gather(u, taps, *how), g), np.vdot(u, dx))


@given(pools())
def test_average_pooling_is_the_loops(k, case):
    x, (kernel, stride, padding, _), size = case
    x = np.nan_to_num(x)
    y = np.zeros((*x.shape[:2], *size))
    for _, _, p, q, h, w in links(x.shape, kernel, size, stride, padding, (1, 1)):
        y[:, :, p, q] += x[:, :, h, w]
    divisor = 1.0 + np.arange(size[0] * size[1]).reshape(size)
    how = kernel, stride, padding
    close(k.avg_pool2d(x, *how, size, 3), y / 3)
    actual = k.avg_pool2d(x, *how, size, divisor)
    close(actual, y / divisor)
    g = arrays(0, y.shape)
    dx = k.avg_pool2d_input(g, x.shape, *how, divisor)
    assert dx.shape == x.shape
    close(np.vdot(actual, g), np.vdot(x, dx))


def test_a_gradient_that_repeats_numbers_over_the_plane(k):
    """The gradient of a mean over the plane. Dividing it by an array changes its layout."""
    g, divisor = (
        np.broadcast_to(arrays(0, (2, 3, 1, 1)), (2, 3, 4, 5)),
        1.0 + np.arange(20).reshape(4, 5),
    )
    dx = k.avg_pool2d_input(g, (2, 3, 8, 10), (2, 2), (2, 2), ((0, 0), (0, 0)), divisor)
    close(dx, (g / divisor).repeat(2, 2).repeat(2, 3))


def test_ceil_mode_windows_reach_past_the_end(k):
    x, how = np.arange(25.0).reshape(1, 1, 5, 5), ((2, 2), (2, 2), ((0, 1), (0, 1)), (1, 1))
    y, taps = k.max_pool2d(x, *how, (3, 3))
    assert y[0, 0].tolist() == [[6, 8, 9], [16, 18, 19], [21, 23, 24]]
    assert np.array_equal(k.max_pool2d_positions(taps, x.shape, *how), y)


def test_a_window_of_padding_alone(k):
    x, how = np.ones((1, 1, 1, 2)), ((2, 2), (1, 1), ((1, 1), (1, 1)), (2, 2))
    y, taps = k.max_pool2d(x, *how, (1, 2))
    assert np.isneginf(y).all()
    assert (k.max_pool2d_positions(taps, x.shape, *how) == -1).all()
    assert not k.max_pool2d_scatter(np.ones(y.shape), taps, x.shape, *how).any()
    assert not k.max_pool2d_gather(x, taps, *how).any()


def test_an_infinite_gradient_stays_where_it_belongs(k):
    x, how = np.eye(2)[None, None], ((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
    _, taps = k.max_pool2d(x, *how, (1, 1))
    dx = k.max_pool2d_scatter(np.full((1, 1, 1, 1), np.inf), taps, x.shape, *how)
    assert dx[0, 0].tolist() == [[np.inf, 0], [0, 0]]


def test_more_taps_than_a_byte_counts(k):
    x, how = arrays(0, (2, 3, 20, 20)), ((17, 19), (1, 1), ((0, 0), (0, 0)), (1, 1))
    _, taps = k.max_pool2d(x, *how, (4, 2))
    positions = k.max_pool2d_positions(taps, x.shape, *how)
    assert np.array_equal(positions, loops_max_pool2d(x, how[0], (4, 2), *how[1:])[1])


def test_integers_have_a_maximum_too(k):
    x, how = -np.arange(16).reshape(1, 1, 4, 4), ((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
    y, taps = k.max_pool2d(x, *how, (2, 2))
    assert y.dtype == x.dtype
    assert y[0, 0].tolist() == [[0, -2], [-8, -10]]
    assert not taps.any()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_pooling_keeps_the_dtype(k, dtype):
    x, pad = np.ones((2, 3, 4, 4), dtype), ((0, 0), (0, 0))
    how = (2, 2), (2, 2), pad, (1, 1)
    y, taps = k.max_pool2d(x, *how, (2, 2))
    assert y.dtype == dtype
    assert taps.dtype == np.uint8
    assert k.max_pool2d_scatter(y, taps, x.shape, *how).dtype == dtype
    assert k.max_pool2d_gather(x, taps, *how).dtype == dtype
    y = k.avg_pool2d(x, (2, 2), (2, 2), pad, (2, 2), 4)
    assert y.dtype == dtype
    assert k.avg_pool2d_input(y, x.shape, (2, 2), (2, 2), pad, 4).dtype == dtype
