"""Sums and means without NaN, against NumPy; both derivatives; dtypes."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp

from .moves import X

HOLES = np.where(X > 1, np.nan, X)


@pytest.mark.parametrize("dim", [None, 0, -1, (0, 1)])
@pytest.mark.parametrize("keepdim", [False, True])
def test_both_are_numpys(dim, keepdim):
    x = tc.tensor(HOLES)
    given = tc.nansum(x, dim, keepdim), tc.nanmean(x, dim, keepdim)
    wanted = np.nansum(HOLES, dim, keepdims=keepdim), np.nanmean(HOLES, dim, keepdims=keepdim)
    for a, b in zip(given, wanted, strict=True):
        np.testing.assert_allclose(a.numpy(), b, rtol=1e-12)


@pytest.mark.parametrize("fn", [tc.nansum, tc.nanmean])
def test_both_derivatives(fn):
    check_vjp(lambda x: fn(x, 1), X)
    check_second_order(lambda x: fn(x * x, 0), X)


def test_nan_has_the_gradient_0():
    x = tc.tensor([1.0, float("nan"), 3.0], requires_grad=True)
    (x.nansum() + x.nanmean()).backward()
    assert x.grad.tolist() == [1.5, 0.0, 1.5]


def test_of_nothing():
    nan = tc.tensor([float("nan")])
    assert tc.nansum(nan).item() == 0.0
    assert tc.nanmean(nan).isnan().item()
    assert tc.nansum(tc.zeros(0)).item() == 0.0
    assert tc.nanmean(tc.zeros(0, 2), 0).isnan().all()


def test_dtypes():
    assert tc.nansum(tc.ones(2, dtype=tc.bool)).dtype == tc.int64
    assert tc.nansum(tc.ones(2), dtype=tc.float64).dtype == tc.float64
    assert tc.nanmean(tc.ones(2), dtype=tc.float64).dtype == tc.float64
    half = tc.ones(5000).half()
    assert tc.nansum(half).item() == 5000.0  # summed in float32
    with pytest.raises(RuntimeError, match="floating point"):
        tc.nanmean(tc.arange(3))
