"""Convolutions on vectors of images against NumPy."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tinygrad_cnn import kernels
from tinygrad_cnn.kernels.compiled import batched

from .cases import FLOATS, arrays, innermost, near

compiled, vectorized = kernels.load("compiled"), kernels.load("vectorized")


@st.composite
def batches(draw):
    """Few channels and filters; fewer and more images than a vector has lanes."""
    kernel = draw(st.tuples(*[st.integers(1, 7)] * 2))
    c, f = draw(st.sampled_from([(1, 6), (6, 16), (1, 1), (3, 5), (2, 13)]))
    stride, dilation = (draw(st.tuples(*[st.integers(1, 3)] * 2)) for _ in "sd")
    padding = tuple(draw(st.tuples(*[st.integers(0, 3)] * 2)) for _ in "hw")
    plane = [
        max(draw(st.integers(1, 9)), d * (k - 1) + 1 - sum(pad))
        for d, k, pad in zip(dilation, kernel, padding, strict=True)
    ]
    n = draw(st.sampled_from([16, 17, 31, 32, 64, 70, 128]))
    return (n, c, *plane), (f, c, *kernel), (stride, padding, dilation, 1)


@given(batches(), st.sampled_from(FLOATS), st.integers(0, 2**32), st.booleans(), st.booleans())
def test_vectors_of_images_give_what_numpy_gives(case, dtype, seed, last, last_g):
    x_shape, w_shape, how = case
    x, w, bias = arrays(seed, x_shape, w_shape, w_shape[:1], dtype=dtype)
    x = innermost(x) if last else x
    y = vectorized.conv2d(x, w, bias, *how)
    (g,) = arrays(seed + 1, y.shape, dtype=dtype)
    g = innermost(g) if last_g else g
    near(batched.conv2d(x, w, bias, *how), y)
    near(batched.conv2d_input(g, w, x_shape, *how), vectorized.conv2d_input(g, w, x_shape, *how))
    dw = batched.conv2d_weight(g, x, w_shape, *how)
    near(dw, vectorized.conv2d_weight(g, x, w_shape, *how))
    assert dw.flags.c_contiguous


@pytest.mark.parametrize("where", ["x", "w", "g"])
def test_vectors_of_images_have_the_infinities_of_numpy(where):
    x, w = arrays(0, (17, 1, 6, 6), (3, 1, 3, 3))
    how = (1, 1), ((1, 1), (2, 0)), (1, 1), 1
    g = vectorized.conv2d(x, w, None, *how)
    {"x": x, "w": w, "g": g}[where][0, 0, 0, 0] = np.inf
    for name, arguments in (
        ("", (x, w, None)),
        ("_input", (g, w, x.shape)),
        ("_weight", (g, x, w.shape)),
    ):
        with np.errstate(all="ignore"):
            actual, expected = (
                getattr(k, "conv2d" + name)(*arguments, *how) for k in (compiled, vectorized)
            )
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)
