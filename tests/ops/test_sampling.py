"""Sampling and its adjoint: exact cases, places far away and undefined, memory order, dtypes."""

import numpy as np
import pytest

from tinygrad_cnn import ops
from tinygrad_cnn.testing import check_adjoint

RNG = np.random.default_rng(0)
IMAGE = RNG.standard_normal((2, 3, 4, 5))
PLACES = RNG.uniform(-2, 6, (2, 6, 2))
OUTSIDE = ["zeros", "border", "centres", "edges"]
TAPS = ["nearest", "linear", "cubic"]


def sample(x, u, taps="linear", outside="zeros", orders=None):
    return ops.sample(x, u, taps=taps, outside=outside, orders=orders or (0,) * u.shape[-1])


@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("taps", TAPS)
def test_the_values_at_the_cells_are_those_of_the_cells(taps, outside):
    u = np.stack(np.meshgrid(np.arange(4.0), np.arange(5.0), indexing="ij"), -1)
    y = sample(IMAGE, np.stack([u, u]), taps, outside)
    np.testing.assert_allclose(y, IMAGE, atol=1e-14)


@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("taps", TAPS)
@pytest.mark.parametrize("orders", [(0, 0), (1, 0), (0, 2)])
def test_splat_is_the_adjoint(taps, outside, orders):
    check_adjoint(lambda x: sample(x, PLACES, taps, outside, orders), IMAGE)


@pytest.mark.parametrize("taps", TAPS)
def test_places_far_outside(taps):
    u = np.array([[[1e9, 2.0], [-1e9, 2.0], [1e300, 1e300]]])
    x = IMAGE[:1]
    assert not sample(x, u, taps).any()
    border = sample(x, u[:, :2], taps, "border")
    np.testing.assert_array_equal(border[..., 0], x[:, :, -1, 2])
    np.testing.assert_array_equal(border[..., 1], x[:, :, 0, 2])


@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("taps", TAPS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_places_that_are_no_numbers_read_nothing_outside_of_the_image(taps, outside, value):
    u = np.full((1, 2, 2), value)
    sample(IMAGE[:1], u, taps, outside)
    v = np.ones((1, 3, 2))
    y = ops.splat(v, u, sizes=(4, 5), taps=taps, outside=outside, orders=(0, 0))
    assert y.shape == (1, 3, 4, 5)


def test_cells_outside_are_not_read():
    """An infinity in the last cell does not spread to places outside, which weigh it with 0."""
    x = np.zeros((1, 1, 1, 3))
    x[..., -1] = np.inf
    y = sample(x, np.array([[[0.0, 0.5], [0.0, 7.0]]]))
    assert y.tolist() == [[[0.0, 0.0]]]


def test_mirrors():
    x = np.arange(3.0).reshape(1, 1, 3)
    u = np.arange(-4.0, 8.0).reshape(1, -1, 1)
    centres = sample(x, u, "nearest", "centres").ravel()
    assert centres.tolist() == [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1]
    edges = sample(x, u, "nearest", "edges").ravel()
    assert edges.tolist() == [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtypes_and_strides(dtype):
    x = IMAGE.astype(dtype)
    y = sample(x, PLACES.astype(dtype), "cubic", "border")
    assert y.dtype == dtype
    turned = np.asfortranarray(x)[:, :, ::-1][:, :, ::-1]
    np.testing.assert_array_equal(sample(turned, PLACES.astype(dtype), "cubic", "border"), y)


def test_of_nothing():
    assert sample(IMAGE[:0], PLACES[:0]).shape == (0, 3, 6)
    assert sample(IMAGE, PLACES[:, :0]).shape == (2, 3, 0)
    assert sample(IMAGE[:, :0], PLACES).shape == (2, 0, 6)
    v = np.zeros((2, 3, 0))
    y = ops.splat(v, PLACES[:, :0], sizes=(4, 5), taps="linear", outside="zeros", orders=(0, 0))
    assert y.shape == (2, 3, 4, 5)
