"""Functions of one Tensor against NumPy: values, both derivatives, float32."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

(X,) = separated(np.random.default_rng(0), (3, 4), avoid=[0.0, 1.0])
CASES = [
    (lambda x: x.std(1), lambda x: x.std(1, ddof=1)),
    (tc.square, np.square),
    (lambda x: tc.rsqrt(x * x), lambda x: 1 / np.abs(x)),
]


@pytest.mark.parametrize(("fn", "formula"), CASES)
def test_forward_and_both_derivatives(fn, formula):
    np.testing.assert_allclose(fn(tc.tensor(X)).numpy(), formula(X), rtol=1e-12, atol=1e-14)
    check_vjp(fn, X)
    check_second_order(fn, X)


@pytest.mark.parametrize(("fn", "formula"), CASES)
def test_float32_stays(fn, formula):
    x = tc.tensor(X.astype(np.float32), requires_grad=True)
    y = fn(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == tc.float32
