"""Windows and their sum: adjoint to each other, for any strides."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tinygrad_cnn import ops
from tinygrad_cnn.testing import check_adjoint


@given(st.integers(1, 9), st.data(), st.integers(1, 4), st.sampled_from([0, 1, 2]))
def test_they_are_adjoint(n, data, step, dim):
    size = data.draw(st.integers(1, n))
    shape = [2, 3, 2]
    shape[dim] = n
    x = np.random.default_rng(0).standard_normal(shape)
    check_adjoint(lambda x: ops.windows(x, dim=dim, size=size, step=step), x)


@pytest.mark.parametrize(("size", "step"), [(2, 1), (5, 1), (5, 3), (1, 2)])
def test_both_loops_give_the_same(size, step):
    """Few large windows are added one by one, many small ones place by place."""
    count = 3
    u = np.random.default_rng(0).standard_normal((2, count, size))
    n = (count - 1) * step + size
    y = ops.fold_windows(u, dim=1, step=step, shape=(2, n))
    wanted = np.zeros((2, n))
    for i in range(count):
        wanted[:, i * step : i * step + size] += u[:, i]
    np.testing.assert_allclose(y, wanted, rtol=1e-12)


def test_float16_is_summed_in_float32():
    u = np.full((1, 4000, 4000), 1, np.float16)[:, :, :2]
    y = ops.fold_windows(u, dim=1, step=1, shape=(1, 4001))
    assert y.dtype == np.float16
    many = np.full((3000, 1), 1.0, np.float16)
    assert ops.fold_windows(many.T[:, :, None], dim=1, step=1, shape=(1, 3000)).sum() == 3000
