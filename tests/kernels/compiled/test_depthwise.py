"""Depthwise convolutions in Numba against NumPy."""

import numpy as np
from hypothesis import given, strategies as st

from tinygrad_cnn import kernels

from .cases import FLOATS, arrays, channels_last, near_where_finite

compiled, vectorized = kernels.load("compiled"), kernels.load("vectorized")


@st.composite
def depthwise_layers(draw):
    """Channels that fill vectors or parts of one; windows inside x and across its borders."""
    kernel = draw(st.sampled_from([(3, 3), (3, 3), (3, 3), (5, 5), (1, 1), (2, 3), (4, 1), (7, 7)]))
    strides = st.integers(1, 3)
    stride, dilation = (draw(st.tuples(strides, strides)) for _ in "sd")
    if draw(st.booleans()):
        stride, dilation = (draw(st.integers(1, 2)),) * 2, (1, 1)
    padding = tuple(draw(st.tuples(*[st.integers(0, 3)] * 2)) for _ in "hw")
    plane = [
        max(draw(st.integers(1, 20)), d * (k - 1) + 1 - sum(pad))
        for d, k, pad in zip(dilation, kernel, padding, strict=True)
    ]
    C = draw(st.sampled_from([2, 16, 33, 48]))
    return (draw(st.integers(1, 3)), C, *plane), (C, 1, *kernel), (stride, padding, dilation, C)


@given(
    depthwise_layers(), st.sampled_from(FLOATS), st.integers(0, 2**32), st.booleans(),
    st.booleans(), st.sampled_from([None, None, "x", "w", "g"]), st.sampled_from([np.inf, np.nan]),
)  # fmt: skip
def test_depthwise_reads_x_where_it_lies(case, dtype, seed, last, last_g, where, value):
    """Channels innermost or not; an infinity or NaN anywhere spreads as with zeros around x."""
    x_shape, w_shape, how = case
    x, w, bias = arrays(seed, x_shape, w_shape, (w_shape[0],), dtype=dtype)
    with np.errstate(all="ignore"):
        (g,) = arrays(seed + 1, vectorized.conv2d(x, w, None, *how).shape, dtype=dtype)
        if where:
            array = {"x": x, "w": w, "g": g}[where]
            array.flat[seed % array.size] = value
        cases = [("conv2d", (x, w, bias)), ("conv2d_input", (g, w, x_shape)),
                 ("conv2d_weight", (g, x, w_shape))]  # fmt: skip
        for name, (a, b, third) in cases:
            expected = getattr(vectorized, name)(a, b, third, *how)
            flags = (last_g if a is g else last, last)
            a, b = (
                channels_last(v) if flag and v is not w else v
                for v, flag in zip((a, b), flags, strict=True)
            )
            near_where_finite(getattr(compiled, name)(a, b, third, *how), expected)
