"""Selection by index and mask: against NumPy, both derivatives, and errors."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp

from .moves import B, X

MASK = np.random.default_rng(0).random((3, 4)) < 0.5
COLUMNS = tc.tensor([[3, 0], [1, 1], [0, 2]])


@pytest.mark.parametrize(
    ("fn", "formula"),
    [
        (lambda x: x.gather(1, COLUMNS), lambda a: np.take_along_axis(a, COLUMNS.numpy(), 1)),
        (lambda x: tc.gather(x, axis=0, index=tc.tensor([[2, 1]]), sparse_grad=True),
         lambda a: a[[[2, 1]], [[0, 1]]]),
        (lambda x: tc.gather(x, 1, tc.zeros(0, dtype=tc.int64)), lambda a: a[0, :0]),
        (lambda x: x.index_select(1, tc.tensor([3, 3, 0])), lambda a: a[:, [3, 3, 0]]),
        (lambda x: x.take(tc.tensor([[0, -1], [5, 5]])), lambda a: a.take([[0, -1], [5, 5]])),
        (lambda x: x.take_along_dim(x.argsort(1), 1), lambda a: np.sort(a, 1)),
        (lambda x: tc.take_along_dim(x, tc.tensor([[-1, 0]]), dim=1), lambda a: a[:, [-1, 0]]),
        (lambda x: tc.take_along_dim(x[:1], tc.tensor([[1], [2]]), dim=1),
         lambda a: a[0, [[1], [2]]]),
        (lambda x: tc.take_along_dim(x, tc.tensor([[5, 0]])), lambda a: a.take([5, 0])),
        (lambda x: x.masked_select(tc.tensor(MASK)), lambda a: a[MASK]),
        (lambda x: tc.masked_select(x, mask=tc.tensor(MASK[0])), lambda a: a[:, MASK[0]].ravel()),
    ],
)  # fmt: skip
def test_against_numpy_and_both_derivatives(fn, formula):
    np.testing.assert_array_equal(fn(tc.tensor(X)).numpy(), formula(X))
    check_vjp(fn, X)
    check_second_order(fn, X)


def test_a_tensor_without_axes_is_indexed_as_a_vector():
    x = tc.tensor(5.0)
    assert x.gather(0, tc.tensor([0, 0])).tolist() == [5.0, 5.0]
    assert x.take_along_dim(tc.tensor(0), 0).item() == 5.0
    assert x.index_select(0, tc.tensor(0)).item() == 5.0
    assert x.take(tc.tensor([-1])).tolist() == [5.0]
    assert x.masked_select(tc.tensor(True)).tolist() == [5.0]


def test_nonzero():
    x = tc.tensor([[0, 3], [3, 1]])
    assert x.nonzero().tolist() == x.argwhere().tolist() == [[0, 1], [1, 0], [1, 1]]
    assert [i.tolist() for i in x.nonzero(as_tuple=True)] == [[0, 1, 1], [1, 0, 1]]
    assert [i.tolist() for i in tc.where(x)] == [[0, 1, 1], [1, 0, 1]]
    assert tc.tensor(1.0).nonzero().shape == (1, 0)
    out = tc.zeros(0, dtype=tc.int64)
    assert tc.nonzero(x, out=out) is out
    assert out.shape == (3, 2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.gather(1, COLUMNS + 4), RuntimeError, "out of bounds for dimension 1 with size 4"),
        (lambda x: x.gather(1, COLUMNS[0]), RuntimeError, "same number of dimensions as input"),
        (lambda x: x.gather(1, tc.zeros(4, 1).long()), RuntimeError,
         r"Expected index \[4, 1\] to be no larger than self \[3, 4\] apart from dimension 1"),
        (lambda x: tc.gather(x, 1, [[0]]), TypeError,
         r"gather\(\): argument 'index' \(position 3\) must be Tensor, not list"),
        (lambda x: x.index_select(0, tc.tensor([3])), IndexError, "index out of range in self"),
        (lambda x: x.index_select(0, tc.tensor([-1])), IndexError, "index out of range in self"),
        (lambda x: x.index_select(0, tc.tensor([0.5])), RuntimeError, "int32/int64 for index"),
        (lambda x: x.index_select(0, tc.tensor([[0]])), IndexError, "supposed to be a vector"),
        (lambda x: x.index_select(0, [0]), TypeError, r"'index' \(position 2\) must be Tensor"),
        (lambda x: x.sum().index_select(0, tc.tensor([0, 0])), RuntimeError, "can have only 1 value"),
        (lambda x: x.take(tc.tensor([12])), IndexError, "out of range: tried to access index 12"),
        (lambda x: x.take(tc.tensor([-13])), IndexError, "out of range: tried to access index -13"),
        (lambda x: x.take(tc.tensor([0.0])), RuntimeError, "Expected a long tensor for index"),
        (lambda x: tc.take(x, 0), TypeError, r"'index' \(position 2\) must be Tensor, not int"),
        (lambda x: x.take_along_dim(COLUMNS[0], 1), RuntimeError, "same number of dimensions"),
        (lambda x: x.take_along_dim(COLUMNS[:2], 1), RuntimeError, "do not broadcast"),
        (lambda x: x.take_along_dim(COLUMNS + 4, 1), RuntimeError, "out of bounds"),
        (lambda x: x.take_along_dim(tc.tensor([12])), RuntimeError, "out of bounds"),
        (lambda x: x.take_along_dim(x, 1), RuntimeError, "dtype of indices should be Long"),
        (lambda x: x.masked_select(tc.tensor(MASK[:2])), RuntimeError, "do not broadcast"),
        (lambda x: x.masked_select(x), RuntimeError, "only supports boolean masks"),
        (lambda x: tc.masked_select(x, True), TypeError, r"'mask' \(position 2\) must be Tensor"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.tensor(X))


# --- The graph saves a copy of the index ----------------------------------------------------------


W = B[0, :2]
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
    """The graph saves a copy of it."""
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
