"""The common checks of functions that only move elements."""

import numpy as np

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

X, B = separated(np.random.default_rng(0), (3, 4), (2, 3, 4))


def check_move(fn, formula, view):
    """`fn` of a Tensor (2, 3, 4) is NumPy's `formula`, has both derivatives, and is a view or a copy."""
    np.testing.assert_array_equal(fn(tc.tensor(B)).numpy(), formula(B))
    check_vjp(fn, B)
    check_second_order(fn, B)
    x = tc.tensor(B)
    fn(x).mul_(2.0)
    assert np.array_equal(x.numpy(), B) is not view
