"""Products by panels, and the sizes that use them."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tinygrad_cnn import kernels
from tinygrad_cnn.kernels import threads
from tinygrad_cnn.kernels.compiled import matmul as products, tuning

from .cases import FLOATS, arrays, near, near_where_finite

compiled = kernels.load("compiled")


@st.composite
def matrices(draw):
    """Two matrices to multiply: rows or columns contiguous, some of them views of larger ones."""
    M, K, N = (draw(st.integers(1, 70)) for _ in "mkn")
    dtype, rng = draw(st.sampled_from(FLOATS)), np.random.default_rng(draw(st.integers(0, 9)))

    def matrix(shape):
        turned, gap = draw(st.booleans()), draw(st.integers(0, 3))
        rows, columns = shape[::-1] if turned else shape
        x = rng.standard_normal((rows, columns + gap)).astype(dtype)[:, :columns]
        return x.T if turned else x

    return matrix((M, K)), matrix((K, N))


@given(matrices())
def test_a_product_by_panels(given):
    a, b = given
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tuning, "SHARED_MULTIPLY_ADDS", 0)
        patch.setattr(threads, "get_num_threads", lambda: 3)
        y = products.by_panels(a, b)
        assert y.flags.c_contiguous
        near(y, a @ b)
        patch.setattr(threads, "get_num_threads", lambda: 1)
        np.testing.assert_array_equal(products.by_panels(a, b), y)  # the same bits


def test_an_infinity_meets_only_its_own_row_and_column():
    a, b = arrays(0, (40, 50), (50, 33))
    a[3, 7], b[9, 32] = np.inf, np.nan
    with np.errstate(invalid="ignore"):
        near_where_finite(products.by_panels(a, b), a @ b)


@pytest.mark.parametrize(
    ("a", "b", "ours"),
    [((64, 784), (784, 256), True), ((7, 784), (784, 256), False), ((64, 784), (784,), False),
     ((64, 3000), (3000, 64), False), ((8, 8), (8, 8), False), ((2, 64, 300), (2, 300, 64), False)],
)  # fmt: skip
def test_which_products_are_by_panels(a, b, ours, monkeypatch):
    calls = []
    monkeypatch.setattr(products, "by_panels", lambda a, b: calls.append(a) or a @ b)
    compiled.matmul(np.ones(a, np.float32), np.ones(b, np.float32))
    compiled.matmul(np.ones(a, np.int32), np.ones(b, np.int32))
    assert len(calls) == ours
    strided = np.ones((*a[:-1], 2 * a[-1]), np.float32)[..., ::2]
    compiled.matmul(strided, np.ones(b, np.float32))
    assert len(calls) == ours
