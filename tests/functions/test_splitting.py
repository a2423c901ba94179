"""Parts along an axis: against NumPy, views, both derivatives, and errors."""

import pytest

import tinygrad_cnn as tc

from .moves import X, check_move


@pytest.mark.parametrize(
    ("fn", "formula"),
    [
        (lambda x: x.narrow(1, -2, 2), lambda a: a[:, 1:]),
        (lambda x: tc.narrow(x, 2, tc.tensor(1), length=2), lambda a: a[..., 1:3]),
        (lambda x: x.select(2, -1), lambda a: a[..., -1]),
        (lambda x: x.unbind(1)[2], lambda a: a[:, 2]),
        (lambda x: x.chunk(2, 2)[1], lambda a: a[..., 2:]),
        (lambda x: tc.split(x, [1, 2], 1)[1], lambda a: a[:, 1:]),
        (lambda x: tc.split(x, 2, -1)[0], lambda a: a[..., :2]),
    ],
)
def test_against_numpy_and_a_view(fn, formula):
    check_move(fn, formula, view=True)


def test_chunks_and_splits_of_odd_sizes():
    x = tc.arange(7)
    assert [len(c) for c in x.chunk(3)] == [3, 3, 1]
    assert [len(c) for c in x.chunk(9)] == [1] * 7
    assert [len(c) for c in tc.split(x, 4)] == [4, 3]
    assert [len(c) for c in tc.zeros(0).chunk(2)] == [0, 0]
    assert [len(c) for c in tc.split(tc.zeros(0), 2)] == [0]
    assert tc.split(tc.zeros(0), []) == ()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.narrow(1, 3, 2), RuntimeError, r"start \(3\) \+ length \(2\) exceeds"),
        (lambda x: x.narrow(1, 5, 0), IndexError, "start out of range"),
        (lambda x: x.narrow(1, 0, -1), RuntimeError, "length must be non-negative"),
        (lambda x: x.narrow(1, 0.5, 1), TypeError, "received an invalid combination"),
        (lambda x: x.narrow(1, tc.tensor([1]), 1), RuntimeError, "0-dim integral Tensor"),
        (lambda x: x.narrow(1, tc.tensor(1.0), 1), RuntimeError, "0-dim integral Tensor"),
        (lambda x: x.narrow(1, 0, "a"), TypeError, "'length' must be int, not str"),
        (lambda x: x.sum().narrow(0, 0, 1), RuntimeError, "cannot be applied to a 0-dim tensor"),
        (lambda x: x.select(1, 4), IndexError, "index 4 out of range"),
        (lambda x: x.select(1, 1.5), TypeError, "'index' must be int, not float"),
        (lambda x: x.sum().unbind(), IndexError, "tensor has no dimensions"),
        (lambda x: tc.split(x, [1, 1]), RuntimeError, "split_sizes to sum exactly to 3"),
        (lambda x: tc.split(x, [-1, 4]), RuntimeError, "only non-negative entries"),
        (lambda x: tc.split(x, 0), RuntimeError, "split_size can only be 0 if dimension size is 0"),
        (lambda x: tc.split(x, -1), RuntimeError, "split_size be non-negative"),
        (lambda x: tc.split(x, 1.5), TypeError, "must be tuple of ints, not float"),
        (lambda x: tc.split(x.sum(), 1), RuntimeError, "at least a 1-dimensional tensor"),
        (
            lambda x: tc.split([1.0], 1),
            TypeError,
            r"'tensor' \(position 1\) must be Tensor, not list",
        ),
        (lambda x: x.chunk(0), RuntimeError, "greater than 0"),
        (lambda x: x.chunk(1.5), TypeError, "'chunks' must be int, not float"),
        (lambda x: x.sum().chunk(1), RuntimeError, "at least a 1-dimensional tensor"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.tensor(X))
