"""Differences and windows, against NumPy; views, writes, and both derivatives."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp

from .moves import B, X


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 9])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_diff_is_numpys(n, dim):
    got = tc.diff(tc.tensor(X), n, dim).numpy()
    wanted = np.diff(X, min(n, X.shape[dim]), dim)
    np.testing.assert_allclose(got, wanted, atol=1e-12)
    assert got.shape == wanted.shape


def test_diff_joins_first():
    x = tc.tensor(X)
    got = x.diff(prepend=x[:, :1], append=x[:, :2])
    wanted = np.diff(X, prepend=X[:, :1], append=X[:, :2])
    np.testing.assert_allclose(got.numpy(), wanted, atol=1e-12)
    assert tc.diff(tc.tensor([True, True, False])).tolist() == [False, True]
    assert tc.diff(tc.tensor([1, 2]), prepend=tc.tensor([0.5])).dtype == tc.float32


def test_diff_of_order_0_is_a_copy():
    x = tc.ones(3)
    tc.diff(x, 0).mul_(2)
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_both_derivatives():
    check_vjp(lambda x: x.diff(2, 0), X)
    check_vjp(lambda x: x.unfold(1, 2, 1), B)
    check_vjp(lambda x: x.unfold(2, 3, 2).unfold(0, 2, 1), B)
    check_second_order(lambda x: x.unfold(2, 3, 1) ** 2, B)


@pytest.mark.parametrize(("size", "step"), [(1, 1), (2, 1), (3, 1), (2, 2), (1, 3), (4, 1), (0, 2)])
def test_unfold_is_numpys_sliding_window(size, step):
    got = tc.tensor(B).unfold(2, size, step)
    if size:
        windows = np.lib.stride_tricks.sliding_window_view(B, size, 2)[:, :, ::step]
        np.testing.assert_array_equal(got.numpy(), windows)
    else:
        assert got.shape == (2, 3, 3, 0)


def test_windows_are_a_view():
    x = tc.arange(4.0)
    windows = x.unfold(0, 2, 2)
    windows[1, 0] = 9.0
    assert x.tolist() == [0.0, 1.0, 9.0, 3.0]
    x[0] = 7.0
    assert windows[0, 0].item() == 7.0
    assert windows.stride() == (2, 1)


def test_a_recorded_write_to_windows_reaches_the_base():
    p = tc.ones(5, requires_grad=True)
    x = p * 2
    x.unfold(0, 2, 2).mul_(tc.tensor([[3.0, 1.0], [1.0, 5.0]]))
    x.sum().backward()
    assert p.grad.tolist() == [6.0, 2.0, 2.0, 10.0, 2.0]


def test_a_write_to_windows_that_overlap_is_refused():
    x = tc.arange(4.0)
    with pytest.raises(RuntimeError, match="single memory location"):
        x.unfold(0, 2, 1).add_(1)
    assert x.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_of_a_tensor_without_axes():
    x = tc.tensor(3.0)
    assert x.unfold(0, 1, 1).tolist() == [3.0]
    assert x.unfold(0, 0, 5).shape == (0,)
