"""Broadcasting and repetition: against NumPy, both derivatives, and errors."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_vjp

from .moves import X, check_move


@pytest.mark.parametrize(
    ("fn", "formula"),
    [
        (lambda x: tc.tile(x, (2,)), lambda a: np.tile(a, 2)),
        (lambda x: tc.tile(x, (2, 1, 1, 2)), lambda a: np.tile(a, (2, 1, 1, 2))),
        (lambda x: tc.repeat_interleave(x, 2), lambda a: np.repeat(a, 2)),
        (lambda x: x.repeat_interleave(2, 1), lambda a: np.repeat(a, 2, 1)),
        (lambda x: tc.repeat_interleave(x, tc.tensor([2, 0, 1]), dim=1),
         lambda a: np.repeat(a, [2, 0, 1], 1)),
        (lambda x: tc.repeat_interleave(x, tc.tensor(3, dtype=tc.int32), -1, output_size=12),
         lambda a: np.repeat(a, 3, -1)),
    ],
)  # fmt: skip
def test_copies(fn, formula):
    check_move(fn, formula, view=False)


def test_broadcasting():
    x = tc.tensor(X)
    y = tc.broadcast_to(x, (2, 3, 4))
    assert np.shares_memory(y.numpy(), x.numpy())
    np.testing.assert_array_equal(y.numpy(), np.broadcast_to(X, (2, 3, 4)))
    check_vjp(lambda x: tc.broadcast_to(x, (2, 3, 4)), X)
    a, b = tc.broadcast_tensors(x[:, :1], x[0])
    assert a.shape == b.shape == (3, 4)
    assert tc.broadcast_tensors() == ()


def test_counts_alone_repeat_their_indices():
    counts = tc.tensor([1, 0, 2])
    assert tc.repeat_interleave(counts).tolist() == [0, 2, 2]
    assert tc.repeat_interleave(repeats=counts, output_size=3).tolist() == [0, 2, 2]
    assert tc.repeat_interleave(tc.zeros(0, dtype=tc.int64)).shape == (0,)


def test_a_tensor_without_axes_is_repeated_as_a_vector():
    assert tc.repeat_interleave(tc.tensor(5.0), 2).tolist() == [5.0, 5.0]
    assert tc.tensor(5.0).repeat_interleave(2, dim=0).tolist() == [5.0, 5.0]
    assert tc.tile(tc.tensor(5.0), (2,)).tolist() == [5.0, 5.0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: tc.broadcast_to(x, 4), TypeError, "'size' must be tuple of ints, not int"),
        (lambda x: tc.broadcast_to(x, (2, 4)), RuntimeError, "broadcast_to: .* cannot be expanded"),
        (lambda x: tc.broadcast_to(x, (-1, 3, 4)), RuntimeError, "cannot be expanded"),
        (lambda x: tc.broadcast_tensors(x, x[0, :3]), RuntimeError,
         r"shapes \(3, 4\) and \(3,\) do not broadcast"),
        (lambda x: tc.broadcast_tensors(x, 2), TypeError,
         "expected Tensor as element 1 in argument 0, but got int"),
        (lambda x: tc.tile(x, 2), TypeError, "'dims' must be tuple of ints, not int"),
        (lambda x: tc.tile(x, (-1,)), RuntimeError, "negative dimension"),
        (lambda x: tc.repeat_interleave(x, 1.5, 0), TypeError, "received an invalid combination"),
        (lambda x: tc.repeat_interleave(x, tc.tensor([1.0, 2.0, 3.0]), 0), NotImplementedError,
         "not implemented for torch.float32"),
        (lambda x: tc.repeat_interleave(x, tc.tensor([1, 2]), 0), RuntimeError,
         r"repeats.size\(0\) = 2 and input.size\(0\) = 3"),
        (lambda x: tc.repeat_interleave(x, tc.tensor([[1, 2, 3]]), 0), RuntimeError,
         "must be 0-dim or 1-dim"),
        (lambda x: tc.repeat_interleave(x, -1), RuntimeError, "can not be negative"),
        (lambda x: tc.repeat_interleave(x, 2, 0, output_size=5), RuntimeError,
         "Invalid output_size, expected 6 but got 5"),
        (lambda x: tc.repeat_interleave(tc.tensor([[1]])), RuntimeError, "1D vector"),
        (lambda x: tc.repeat_interleave(), TypeError, 'missing .* "repeats"'),
        (lambda x: x.repeat_interleave(), TypeError, "received an invalid combination"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.tensor(X))
