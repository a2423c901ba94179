"""Matrix products of both sets against sums."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tinygrad_cnn.kernels import threads, tuning

pytestmark = pytest.mark.usefixtures("in_blocks")


@given(
    st.tuples(*[st.sampled_from([0, 1, 2, 7, 8, 20, 64, 65])] * 3),
    st.sampled_from(["", "a", "b", "ab"]),
    st.sampled_from([np.float64, np.float32, np.float16, np.int64]),
    st.integers(0, 2**32),
)
def test_products_are_sums_however_their_factors_lie(k, sizes, turned, dtype, seed):
    m, inner, n = sizes
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(-9, 9, shape).astype(dtype) for shape in ((m, inner), (inner, n)))
    a = np.asfortranarray(a) if "a" in turned else a
    b = np.asfortranarray(b) if "b" in turned else b
    y = k.matmul(a, b)
    np.testing.assert_array_equal(y, (a[:, :, None] * b).sum(1))
    assert y.dtype == dtype
    assert y.flags.c_contiguous


@pytest.mark.parametrize(
    ("a", "b"),
    [((300, 260), (260, 240)), ((24, 900), (900, 900)), ((40, 900), (900, 40)),
     ((2000, 1), (1, 900)), ((3, 200, 200), (200, 160)), ((4, 120, 200), (4, 200, 180)),
     ((4, 120, 200), (1, 200, 180)), ((1, 900), (900, 20000)), ((20000,), (20000, 900)),
     ((2000, 900), (900,)), ((200, 300), (5, 300, 200)), ((0, 9), (9, 9))],
)  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_a_product_on_threads_is_the_product(k, a, b, turned, monkeypatch):
    monkeypatch.setattr(threads, "get_num_threads", lambda: 3)
    monkeypatch.setattr(tuning, "SHARED_PRODUCT_MULTIPLY_ADDS", 1 << 20)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(a), rng.standard_normal(b)
    if turned and b.ndim > 1:  # few rows and columns: BLAS would transpose both products
        b = np.ascontiguousarray(np.swapaxes(b, -1, -2)).swapaxes(-1, -2)
    np.testing.assert_allclose(k.matmul(a, b), a @ b, rtol=1e-10, atol=1e-10)
