"""Picking and putting: against NumPy, both derivatives, order and ties, and errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

X, Y, W = separated(np.random.default_rng(0), (3, 4), (3, 4), (2, 4))
(B,) = separated(np.random.default_rng(1), (2, 3, 4))
MASK = np.random.default_rng(0).random((3, 4)) < 0.5
ROWS, COLUMNS = tc.tensor([2, 0]), tc.tensor([[3, 0], [1, 1], [0, 2]])


@pytest.mark.parametrize(
    "fn",
    [
        lambda x, y, w: x.scatter(1, COLUMNS, y),
        lambda x, y, w: x.scatter(1, COLUMNS, 2.5) * y,
        lambda x, y, w: x.scatter_add(1, COLUMNS, y),
        lambda x, y, w: x.scatter_add(0, tc.zeros(3, 4, dtype=tc.int64), y),
        lambda x, y, w: x.index_add(0, ROWS, w, alpha=-2.0),
        lambda x, y, w: x.index_copy(0, ROWS, w),
        lambda x, y, w: x.index_fill(1, tc.tensor([1, 3]), 0.5),
        lambda x, y, w: x.index_select(1, tc.tensor([3, 3, 0])),
        lambda x, y, w: x.take(tc.tensor([[0, -1], [5, 5]])),
        lambda x, y, w: x.take_along_dim(x.argsort(1), 1),
        lambda x, y, w: x.masked_fill(tc.tensor(MASK), y[0, 0]),
        lambda x, y, w: x.masked_select(tc.tensor(MASK)),
        lambda x, y, w: x.masked_scatter(tc.tensor(MASK), y),
        lambda x, y, w: x.sort(0, descending=True).values,
        lambda x, y, w: x.topk(2).values,
        lambda x, y, w: x.median(1).values,
        lambda x, y, w: x.median(),
    ],
)
def test_both_derivatives(fn):
    check_vjp(fn, X, Y, W)
    check_second_order(fn, X, Y, W)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, -1]), st.booleans())
def test_sort_and_topk_with_ties_and_nan(seed, dim, descending):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 4, (4, 5)).astype(float)
    a[rng.random(a.shape) < 0.2] = np.nan
    x = tc.tensor(a)
    values, indices = x.sort(dim, descending=descending)
    line = np.where(np.isnan(a), 100, a)  # NaN is the largest
    wanted = np.argsort(-line if descending else line, axis=dim, kind="stable")
    np.testing.assert_array_equal(indices.numpy(), wanted)
    np.testing.assert_array_equal(values.numpy(), np.take_along_axis(a, wanted, dim))
    top = x.topk(3, dim, largest=descending)
    np.testing.assert_array_equal(top.indices.numpy(), np.take(wanted, range(3), dim))


def test_integers_beside_arrays_only_take_their_axis_away():
    x, k = tc.tensor(B), tc.tensor([2, 0])
    np.testing.assert_array_equal(x[0, :, k].numpy(), B[0][:, [2, 0]])
    np.testing.assert_array_equal(x[:, k, 1].numpy(), B[:, :, 1][:, [2, 0]])
    np.testing.assert_array_equal(x[tc.tensor(1), ..., k].numpy(), B[1][..., [2, 0]])
    np.testing.assert_array_equal(x[None, 0, :, k].numpy(), B[None, 0][:, :, [2, 0]])
    x[0, :, k] = 9.0
    assert (x[0, :, k] == 9.0).all()
    assert (x == 9.0).sum().item() == 6

    def write(x, y):
        z = x * 1.0
        z[0, :, k] = y[:, :2]
        return z

    check_vjp(write, B, X)


def test_median_takes_the_lower_and_nan_wins():
    assert tc.tensor([4.0, 1.0, 3.0, 2.0]).median().item() == 2.0
    assert tc.tensor([4.0, float("nan"), 3.0]).median(0).indices.item() == 1
    x = tc.tensor([2.0, 2.0, 5.0], requires_grad=True)
    x.median().backward()
    assert x.grad.tolist() == [0.5, 0.5, 0.0]


def test_nan_takes_the_gradient_of_a_maximum_that_is_nan():
    x = tc.tensor([1.0, float("nan"), 2.0], requires_grad=True)
    x.max().backward()
    assert x.grad.tolist() == [0.0, 1.0, 0.0]


def test_counting():
    x = tc.tensor([[0, 3], [3, 1]])
    assert x.count_nonzero().item() == 3
    assert x.nonzero().tolist() == [[0, 1], [1, 0], [1, 1]]
    assert [i.tolist() for i in tc.where(x)] == [[0, 1, 1], [1, 0, 1]]
    assert tc.bincount(x.flatten(), minlength=5).tolist() == [1, 1, 0, 2, 0]
    values, inverse, counts = x.unique(return_inverse=True, return_counts=True)
    assert values.tolist() == [0, 1, 3]
    assert inverse.tolist() == [[0, 2], [2, 1]]
    assert counts.tolist() == [1, 1, 2]
    assert tc.histc(tc.tensor([0.0, 1.0, 1.0, 4.0]), 2).tolist() == [3.0, 1.0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.topk(5), RuntimeError, "k out of range"),
        (lambda x: x.index_select(0, tc.tensor([3])), IndexError, "index out of range in self"),
        (lambda x: x.index_select(0, tc.tensor([0.5])), RuntimeError, "int32/int64 for index"),
        (lambda x: x.masked_fill(tc.ones(3, 4), 0), RuntimeError, "boolean masks"),
        (lambda x: x.masked_fill(tc.tensor(MASK), tc.ones(4)), RuntimeError, "0-dimensional value"),
        (lambda x: x.long().masked_fill(tc.tensor(MASK), float("inf")), RuntimeError, "overflow"),
        (lambda x: x.scatter(1, COLUMNS, x.float()), RuntimeError, "self.dtype to be equal to src"),
        (lambda x: x.scatter(1, COLUMNS + 4, x), RuntimeError, "out of bounds for dimension 1"),
        (lambda x: x.index_add(0, ROWS, x), RuntimeError, "same slice shapes"),
        (lambda x: x.take(tc.tensor([12])), IndexError, "out of range"),
        (lambda x: x.masked_scatter(tc.tensor(MASK), x[0, :1]), RuntimeError, "Number of elements"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.tensor(X))
