"""Picking and putting: against NumPy, both derivatives, order and ties, and errors."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

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


# --- Between brackets -----------------------------------------------------------------------------


READS = {
    "indices": ([2, 0], lambda x, i: x[i] * tc.tensor(W)),
    "a mask": (MASK, lambda x, i: x[i] ** 2),
    "indices assigned": ([2, 0], lambda x, i: assigned(x, i)),
    "index_select": ([2, 0], lambda x, i: x.index_select(0, i) * tc.tensor(W)),
    "masked_select": (MASK, lambda x, i: x.masked_select(i) ** 2),
    "scatter": ([[1], [3], [0]], lambda x, i: x.scatter(1, i, x[:, :1] * 3.0) ** 2),
    "scatter_add": ([[1], [3], [0]], lambda x, i: x.scatter_add(1, i, x[:, :1] * 3.0) ** 2),
    "index_add": ([2, 0], lambda x, i: x.index_add(0, i, x[:2] * 3.0) ** 2),
    "take": ([5, 1], lambda x, i: x.take(i) ** 2),
    "masked_scatter": (MASK, lambda x, i: x.masked_scatter(i, x * 3.0) ** 2),
    "max_unpool1d": (
        [[4, 2, 0, 5], [1, 0, 7, 6], [3, 2, 1, 0]],
        lambda x, i: tc.nn.functional.max_unpool1d(x, i, 2) ** 2,
    ),
}


def assigned(x, i):
    y = x * 1.0
    y[i] = x[:2] * 3.0
    return y**2


@pytest.mark.parametrize("name", READS)
def test_a_write_to_an_index_changes_no_gradient(name):
    """The graph holds a copy of it."""
    index, read = READS[name]
    gradients = []
    for write in (False, True):
        x = tc.tensor(X, requires_grad=True)
        i = tc.tensor(index)
        y = read(x, i)
        if write:
            i.fill_(0)
        y.sum().backward()
        gradients.append(x.grad.numpy())
    np.testing.assert_array_equal(*gradients)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (tc.tensor([True, False]), "The shape of the mask [2] at index 0 does not match the shape of "
         "the indexed tensor [3, 4] at index 0"),
        ((slice(None), tc.tensor([True, False])), "The shape of the mask [2] at index 0 does not "
         "match the shape of the indexed tensor [3, 4] at index 1"),
        ((..., tc.ones(4, 4).bool()), "The shape of the mask [4, 4] at index 0"),
        ((tc.tensor([0, 1]), tc.tensor([0, 1, 2])), "shape mismatch: indexing tensors could not be "
         "broadcast together with shapes [2], [3]"),
        (3, "index 3 is out of bounds for dimension 0 with size 3"),
        ((None, ..., -5), "index -5 is out of bounds for dimension 1 with size 4"),
        ((0, tc.tensor([4])), "index 4 is out of bounds for dimension 1 with size 4"),
        ((0, 0, 0), "too many indices for tensor of dimension 2"),
        (tc.tensor([0.5]), "tensors used as indices must be long, int, byte or bool tensors"),
    ],
)  # fmt: skip
def test_errors_of_an_index(index, message):
    x = tc.tensor(X)
    for attempt in (lambda: x[index], lambda: x.__setitem__(index, 0.0)):
        with pytest.raises(IndexError) as error:
            attempt()
        assert str(error.value).startswith(message)
    assert x.tolist() == X.tolist()


@pytest.mark.parametrize(
    ("index", "shape", "message"),
    [
        (0, (3,), "The expanded size of the tensor (4) must match the existing size (3) at "
         "non-singleton dimension 0.  Target sizes: [4].  Tensor sizes: [3]"),
        (slice(None), (2, 4), "The expanded size of the tensor (3) must match the existing size (2) "
         "at non-singleton dimension 0.  Target sizes: [3, 4].  Tensor sizes: [2, 4]"),
        (0, (2, 4), "shape mismatch: value tensor of shape [2, 4] cannot be broadcast"),
        ([0, 1], (3, 4), "shape mismatch: value tensor of shape [3, 4] cannot be broadcast to "
         "indexing result of shape [2, 4]"),
    ],
)  # fmt: skip
def test_errors_of_a_value(index, shape, message):
    x = tc.tensor(X)
    with pytest.raises(RuntimeError) as error:
        x[index] = tc.ones(*shape)
    assert str(error.value).startswith(message)
