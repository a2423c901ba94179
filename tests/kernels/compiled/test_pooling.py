"""Special cases of pooling in Numba."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tinygrad_cnn import kernels

from .cases import FLOATS, arrays, innermost, near

compiled, vectorized = kernels.load("compiled"), kernels.load("vectorized")


@pytest.mark.parametrize("plane", [(6, 6), (7, 8), (5, 1)])
@pytest.mark.parametrize("stride", [(2, 2), (2, 3), (4, 2)])
@pytest.mark.parametrize("padding", [((0, 0), (0, 0)), ((1, 1), (0, 1))])
def test_windows_apart_leave_no_cell_unwritten(plane, stride, padding):
    (x,) = arrays(0, (2, 20, *plane))
    x = x.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)
    spans = zip(plane, stride, padding, strict=True)
    size = tuple((n + sum(pad) - 1) // s + 1 for n, s, pad in spans)  # the last exceeds x
    how = (2, 2), stride, padding, (1, 1)
    y, taps = compiled.max_pool2d(x, *how, size)
    for _ in range(3):  # in memory that was used before
        dx = compiled.max_pool2d_scatter(y, taps, x.shape, *how)
        np.testing.assert_array_equal(dx, vectorized.max_pool2d_scatter(y, taps, x.shape, *how))
        dx[...] = np.nan


@given(st.integers(0, 2**32), st.sampled_from(FLOATS), st.tuples(*[st.integers(1, 3)] * 4))
def test_pooling_takes_images_for_channels(seed, dtype, windows):
    (x,) = arrays(seed, (18, 3 if seed % 2 else 20, 7, 8), dtype=dtype)
    x = innermost(np.round(x))  # ties
    kernel, stride = windows[:2], windows[2:]
    size = tuple((n - k) // s + 1 for n, k, s in zip(x.shape[2:], kernel, stride, strict=True))
    how = kernel, stride, ((0, 0), (0, 0))
    y, taps = compiled.max_pool2d(x, *how, (1, 1), size)
    for actual, expected in zip(
        (y, taps), vectorized.max_pool2d(x, *how, (1, 1), size), strict=True
    ):
        np.testing.assert_array_equal(actual, expected)
        assert actual.strides[0] == actual.itemsize
    near(
        compiled.max_pool2d_scatter(y, taps, x.shape, *how, (1, 1)),
        vectorized.max_pool2d_scatter(y, taps, x.shape, *how, (1, 1)),
    )
    near(compiled.avg_pool2d(x, *how, size, 3), vectorized.avg_pool2d(x, *how, size, 3))
    near(
        compiled.avg_pool2d_input(y, x.shape, *how, 3),
        vectorized.avg_pool2d_input(y, x.shape, *how, 3),
    )


def test_pooling_where_images_and_channels_step_alike():
    """Overlapping strides: swapping the two axes changes nothing, and must not recurse."""
    (numbers,) = arrays(0, (200,))
    x = np.lib.stride_tricks.as_strided(numbers, (17, 20, 4, 4), (4, 4, 160, 40))
    how = (2, 2), (2, 2), ((0, 0), (0, 0))
    y, _ = compiled.max_pool2d(x, *how, (1, 1), (2, 2))
    np.testing.assert_array_equal(y, vectorized.max_pool2d(x, *how, (1, 1), (2, 2))[0])
    g = x[..., :2, :2]
    near(compiled.avg_pool2d(x, *how, (2, 2), 4), vectorized.avg_pool2d(x, *how, (2, 2), 4))
    near(
        compiled.avg_pool2d_input(g, x.shape, *how, 4),
        vectorized.avg_pool2d_input(g, x.shape, *how, 4),
    )
