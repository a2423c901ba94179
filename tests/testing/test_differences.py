"""Differences are accurate, and the Taylor slope tells right from wrong."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import numerical_jvp, taylor_slope
from tinygrad_cnn.testing.values import signed

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4))


def test_differences_are_exact_to_nine_digits():
    v = signed(RNG, X.shape)
    assert numerical_jvp(tc.sin, [X], [v]) == pytest.approx(np.cos(X) * v, rel=1e-9)
    both = numerical_jvp(lambda x, w: (x * w, x + w), [X, X + 1], [v, None])
    assert both[0] == pytest.approx(v * (X + 1), rel=1e-9)
    assert both[1] == pytest.approx(v, rel=1e-9)


def test_taylor_slopes():
    v = signed(RNG, X.shape)
    assert taylor_slope(tc.sin, [X], [v], np.cos(X) * v) == pytest.approx(2, abs=0.1)
    assert taylor_slope(tc.sin, [X], [v], np.cos(X) * v * 1.0005) == pytest.approx(1, abs=0.1)
    assert taylor_slope(lambda x: x * 3.0, [X], [v], 3 * v) == np.inf


def test_a_direction_has_the_shape_of_its_input():
    with pytest.raises(ValueError, match=r"a direction has shape \(2,\), its input \(3, 4\)"):
        numerical_jvp(tc.exp, [X], [np.ones(2)])
