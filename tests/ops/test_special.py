"""erf and its inverse: against Python's erf to the last places, at the ends, and in float32."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn import ops


@given(st.floats(-7, 7) | st.floats(-1e-300, 1e-300) | st.floats(-1e-3, 1e-3))
def test_erf_to_four_units_in_the_last_place(x):
    assert ops.erf(np.array(x)) == pytest.approx(math.erf(x), rel=9e-16, abs=0)


@given(st.floats(-7, 7, width=32))
def test_erf_in_float32(x):
    y = ops.erf(np.array(x, np.float32))
    assert y.dtype == np.float32
    assert float(y) == pytest.approx(math.erf(x), rel=4e-7, abs=1e-44)


@given(st.floats(-1, 1, exclude_min=True, exclude_max=True))
def test_erfinv_inverts(x):
    y = float(ops.erfinv(np.array(x)))
    # d erf = 2/√π e^−y² dy: the effect of rounding y and erf
    assert math.erf(y) == pytest.approx(x, rel=4e-15, abs=0)


def test_the_ends():
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 6.0, 1e300])
    y = ops.erf(x)
    assert y.tolist()[:4] == [0.0, 0.0, 1.0, -1.0]
    assert np.signbit(y[1])
    assert np.isnan(y[4])
    assert y.tolist()[5:] == [1.0, 1.0]
    y = ops.erfinv(np.array([0.0, 1.0, -1.0, 1.5, np.nan]))
    assert y.tolist()[:3] == [0.0, np.inf, -np.inf]
    assert np.isnan(y[3:]).all()


def test_shapes_and_integers():
    assert ops.erf(np.zeros((2, 0))).shape == (2, 0)
    assert ops.erf(np.array(0.5)).shape == ()
    assert tc.erf(tc.tensor([0, 1])).dtype == tc.float32
    assert tc.erfinv(tc.tensor(0.5, dtype=tc.float16)).dtype == tc.float16
