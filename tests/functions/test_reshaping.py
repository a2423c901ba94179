"""Shapes and orders of axes: against NumPy, views, both derivatives, and errors."""

import numpy as np
import pytest

import tinygrad_cnn as tc

from .moves import X, check_move


@pytest.mark.parametrize(
    ("fn", "formula"),
    [
        (lambda x: tc.reshape(x, (4, -1)), lambda a: a.reshape(4, 6)),
        (lambda x: tc.flatten(x, 1), lambda a: a.reshape(2, 12)),
        (lambda x: tc.flatten(x, -3, 1), lambda a: a.reshape(6, 4)),
        (lambda x: x.ravel(), np.ravel),
        (lambda x: x.unflatten(2, (2, -1)), lambda a: a.reshape(2, 3, 2, 2)),
        (lambda x: tc.squeeze(x[:, :1]), lambda a: a[:, 0]),
        (lambda x: tc.squeeze(x[:1, :1], (1, 2)), lambda a: a[:1, 0]),
        (lambda x: x.unsqueeze(-2), lambda a: a[:, :, None]),
        (lambda x: tc.permute(x, (2, 0, 1)), lambda a: a.transpose(2, 0, 1)),
        (lambda x: x.transpose(-1, 0), lambda a: a.swapaxes(2, 0)),
        (lambda x: x.swapaxes(0, 1), lambda a: a.swapaxes(0, 1)),
        (lambda x: tc.swapdims(x, dim0=0, dim1=1), lambda a: a.swapaxes(0, 1)),
        (lambda x: x[0].t(), lambda a: a[0].T),
        (lambda x: x.movedim(0, 2), lambda a: np.moveaxis(a, 0, 2)),
        (lambda x: x.moveaxis((0, 1), (1, 2)), lambda a: np.moveaxis(a, (0, 1), (1, 2))),
        (lambda x: x.mT, lambda a: a.swapaxes(1, 2)),
    ],
)
def test_against_numpy_and_a_view(fn, formula):
    check_move(fn, formula, view=True)


def test_a_reshape_of_permuted_memory_is_a_copy():
    check_move(
        lambda x: tc.reshape(x.mT, (2, 12)), lambda a: a.swapaxes(1, 2).reshape(2, 12), False
    )


def test_tensors_without_axes_or_elements():
    x = tc.tensor(1.0)
    assert tc.flatten(x).shape == x.ravel().shape == x.unflatten(0, (1,)).shape == (1,)
    assert x.unflatten(0, (1, 1)).shape == (1, 1)
    assert x.squeeze().shape == x.squeeze(0).shape == x.transpose(0, -1).shape == x.t().shape == ()
    empty = tc.zeros(2, 0, 3)
    assert empty.ravel().shape == (0,)
    assert empty.flatten(1).shape == (2, 0)
    assert tc.reshape(empty, (3, -1)).shape == (3, 0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: tc.reshape(x, 12), TypeError,
         r"reshape\(\): argument 'shape' must be tuple of ints, not int"),
        (lambda x: tc.reshape(x, (2, 6.0)), TypeError,
         "must be tuple of ints, but found element of type float at pos 1"),
        (lambda x: tc.reshape(x, 2, 6), TypeError, "takes 2 positional arguments but 3 were given"),
        (lambda x: tc.reshape(x, (-1, -1)), RuntimeError, "only one dimension can be inferred"),
        (lambda x: tc.reshape(x, (3, -2)), RuntimeError,
         r"invalid shape dimension -2 at index 1 of shape \[3, -2\]"),
        (lambda x: tc.reshape(x[:0], (0, -1)), RuntimeError,
         r"cannot reshape tensor of 0 elements into shape \[0, -1\].* ambiguous"),
        (lambda x: tc.reshape(x, (0, -1)), RuntimeError, "is invalid for input of size 12"),
        (lambda x: x.unflatten(1, (3, -1)), RuntimeError, "don't multiply up to the size"),
        (lambda x: x.unflatten(1, (-2, -2)), RuntimeError, "don't multiply up to the size"),
        (lambda x: x.unflatten(1, (0, -1)), RuntimeError, "don't multiply up to the size"),
        (lambda x: x[:0].unflatten(0, (0, -1)), RuntimeError, "don't multiply up to the size"),
        (lambda x: x.unflatten(1, ()), RuntimeError, "sizes must be non-empty"),
        (lambda x: x.unflatten(1, 4), TypeError, "'sizes' must be tuple of ints, not int"),
        (lambda x: tc.permute(x, 0), TypeError, "'dims' must be tuple of ints, not int"),
        (lambda x: tc.squeeze(x, (0, 0)), RuntimeError, "appears multiple times"),
        (lambda x: tc.unsqueeze(x, True), TypeError, "unsqueeze: dim must be an integer"),
        (lambda x: x.movedim((0, 1), (1,)), RuntimeError,
         "Invalid source or destination dims"),
        (lambda x: tc.movedim(2.0, 0, 1), TypeError, "received an invalid combination"),
        (lambda x: x[0].mT, RuntimeError, "only supported on matrices .* Got 1-D tensor"),
        (lambda x: x[None].T, RuntimeError, r"expects a tensor with <= 2 dimensions"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.tensor(X))
