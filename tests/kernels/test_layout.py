"""Which arrays are dense, and in which axis order."""

import numpy as np

from tinygrad_cnn.kernels.layout import common_axes


def test_dense_arrays_have_an_axis_order():
    x = np.zeros((2, 3, 4, 5))
    assert common_axes(x) == [0, 1, 2, 3]
    assert common_axes(x.transpose(0, 2, 3, 1)) == [0, 3, 1, 2]
    assert common_axes(np.zeros((2, 1, 4))) == [0, 2]  # an axis of length 1 has no order
    assert common_axes(np.zeros(())) == []


def test_gaps_and_other_layouts_have_none():
    x = np.zeros((2, 3, 4, 5))
    assert common_axes(x[:, :2]) is None
    assert common_axes(x[..., ::-1]) is None
    assert common_axes(np.broadcast_to(x[:1], x.shape)) is None
    assert common_axes(x, np.asfortranarray(x)) is None
    assert common_axes(x, np.zeros((3, 2, 4, 5))) is None
    assert common_axes(x, x + 1) == [0, 1, 2, 3]
