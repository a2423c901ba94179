"""Inputs and comparisons that the tests of the compiled set share."""

import numpy as np
from hypothesis import strategies as st

FLOATS = [np.float32, np.float64]


SAME = (1, 1), ((1, 1), (1, 1)), (1, 1), 1  # stride, padding, dilation, groups


def arrays(seed, *shapes, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def near(actual, expected, bits=2.0**10):
    """Equal up to `bits` units in the last place of the largest element."""
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    bound = bits * np.finfo(expected.dtype).eps * np.abs(expected).max(initial=0)
    assert np.abs(actual - expected).max(initial=0) <= bound


def near_where_finite(actual, expected):
    """Like `near`, and the same elements are infinite or NaN."""
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.isfinite(actual), finite)
    near(np.where(finite, actual, 0), np.where(finite, expected, 0))


def channels_last(x):
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def innermost(x):
    """The same images, innermost in memory."""
    return np.ascontiguousarray(x.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2)


@st.composite
def convolutions(draw):
    """Shapes with more and fewer channels than a vector has lanes, for all algorithms."""
    kernel = draw(st.sampled_from([(1, 1), (3, 3), (3, 3), (5, 5), (2, 3), (4, 1), (7, 7)]))
    groups, c, f = draw(
        st.sampled_from(
            [(1, 3, 20), (1, 17, 33), (1, 40, 16), (1, 1, 6), (1, 16, 5), (2, 9, 17), (33, 1, 1)]
        )
    )
    stride, dilation = (draw(st.tuples(*[st.integers(1, 2)] * 2)) for _ in "sd")
    if draw(st.booleans()):
        stride = dilation = (1, 1)
    padding = tuple(draw(st.tuples(*[st.integers(0, 3)] * 2)) for _ in "hw")
    plane = [
        max(draw(st.integers(1, 14)), d * (k - 1) + 1 - sum(pad))
        for d, k, pad in zip(dilation, kernel, padding, strict=True)
    ]
    shape = (draw(st.integers(1, 9)), groups * c, *plane)
    return shape, (groups * f, c, *kernel), (stride, padding, dilation, groups)
