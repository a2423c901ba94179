"""Tensors with at least some axes, and columns: against NumPy; views, types, derivatives."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_vjp

from .moves import X

SHAPES = [(), (3,), (0,), (2, 3), (2, 3, 4), (1, 2, 3, 4)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_shapes_are_numpys(shape, n):
    given = getattr(tc, f"atleast_{n}d")(tc.ones(shape))
    assert given.shape == getattr(np, f"atleast_{n}d")(np.ones(shape)).shape


def test_they_are_views_or_the_tensor_itself():
    x = tc.ones(3)
    assert tc.atleast_1d(x) is x
    tc.atleast_3d(x).mul_(2)
    assert x.tolist() == [2.0, 2.0, 2.0]
    check_vjp(tc.atleast_3d, X)


def test_several_are_a_tuple():
    x, y = tc.tensor(1.0), tc.ones(2)
    assert [t.shape for t in tc.atleast_2d(x, y)] == [(1, 1), (1, 2)]
    assert [t.shape for t in tc.atleast_2d([x, y])] == [(1, 1), (1, 2)]
    assert isinstance(tc.atleast_1d((x,)), tuple)
    assert tc.atleast_1d() == ()
    with pytest.raises(TypeError, match=r"atleast_1d\(\) received an invalid combination"):
        tc.atleast_1d(3.0)


def test_columns_are_numpys():
    parts = [X, X[:, 0], X[:, :2]]
    got = tc.column_stack([tc.tensor(p) for p in parts])
    np.testing.assert_array_equal(got.numpy(), np.column_stack(parts))
    assert tc.column_stack([tc.tensor(1), tc.tensor(2.0)]).tolist() == [[1.0, 2.0]]
    check_vjp(lambda x: tc.column_stack([x, x[:, 1]]), X)
