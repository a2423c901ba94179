"""Softmax and running sums as functions and methods."""

import numpy as np
import pytest

import tinygrad_cnn as tc

X = tc.tensor([[1.0, 2.0], [3.0, 5.0]])


def test_softmax_and_its_logarithm():
    for dim in (0, 1, -1):
        wanted = np.exp(X.numpy()) / np.exp(X.numpy()).sum(dim, keepdims=True)
        for y in (tc.softmax(X, dim), X.softmax(dim=dim), tc.softmax(input=X, axis=dim)):
            np.testing.assert_allclose(y.numpy(), wanted, rtol=1e-6)
        np.testing.assert_allclose(X.log_softmax(dim).numpy(), np.log(wanted), rtol=1e-5)
    assert (
        tc.softmax(X, 0, tc.float64).dtype == X.log_softmax(0, dtype=tc.float64).dtype == tc.float64
    )


def test_running_sums_and_products():
    assert tc.cumsum(X, dim=0).tolist() == X.cumsum(axis=0).tolist() == [[1.0, 2.0], [4.0, 7.0]]
    assert tc.cumprod(X, 1).tolist() == [[1.0, 2.0], [3.0, 15.0]]
    assert tc.cumsum(tc.tensor([True, True]), 0).dtype == tc.int64
    assert tc.cumprod(tc.tensor([1, 2]), 0, dtype=tc.float32).dtype == tc.float32
    scalar = tc.tensor(2.0)
    assert tc.cumsum(scalar, 0) is not scalar
    assert tc.cumsum(scalar, 0).item() == 2.0
    assert X.clone().cumsum_(axis=1).tolist() == [[1.0, 3.0], [3.0, 8.0]]
    with pytest.raises(
        TypeError, match=r'cumsum\(\) missing 1 required positional arguments: "dim"'
    ):
        tc.cumsum(X)
