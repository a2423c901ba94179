"""Flipped, rotated and rolled Tensors: against NumPy, both derivatives, and errors."""

import numpy as np
import pytest

import tinygrad_cnn as tc

from .moves import X, check_move


@pytest.mark.parametrize(
    ("fn", "formula"),
    [
        (lambda x: tc.flip(x, (0, -1)), lambda a: np.flip(a, (0, 2))),
        (lambda x: x.fliplr(), np.fliplr),
        (lambda x: x.flipud(), np.flipud),
        (lambda x: x.roll((1, -2), (1, 2)), lambda a: np.roll(a, (1, -2), (1, 2))),
        (lambda x: x.roll(shifts=1, dims=-1), lambda a: np.roll(a, 1, -1)),
        (lambda x: x.roll(5), lambda a: np.roll(a, 5)),
        (lambda x: x.roll(5, ()), lambda a: np.roll(a, 5)),
        (lambda x: x.roll(5, None), lambda a: np.roll(a, 5)),
        (lambda x: x.rot90(1, (1, 2)), lambda a: np.rot90(a, 1, (1, 2))),
        (lambda x: x.rot90(-2, (0, 1)), lambda a: np.rot90(a, -2, (0, 1))),
        (lambda x: tc.rot90(x, 3), lambda a: np.rot90(a, 3)),
        (lambda x: tc.rot90(x, 4, [0, 2]), np.copy),
    ],
)
def test_against_numpy_and_a_copy(fn, formula):
    check_move(fn, formula, view=False)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: tc.flip(x, 0), TypeError, "'dims' must be tuple of ints, not int"),
        (lambda x: tc.flip(x, (0, 0)), RuntimeError, "appears multiple times"),
        (lambda x: x[0].fliplr(), RuntimeError, "Input must be >= 2-d"),
        (lambda x: x.rot90(1.5), TypeError, "'k' must be int, not float"),
        (lambda x: x.rot90(1, 0), TypeError, "'dims' must be tuple of ints, not int"),
        (lambda x: x.rot90(1, (0,)), RuntimeError, "expected total rotation dims == 2"),
        (lambda x: x.rot90(1, (0, -2)), RuntimeError, "expected rotation dims to be different"),
        (lambda x: x[0].rot90(), RuntimeError, "expected total dims >= 2"),
        (lambda x: x.roll(()), RuntimeError, "`shifts` required"),
        (lambda x: x.roll(1.5), TypeError, "'shifts' must be tuple of ints, not float"),
        (lambda x: x.roll((1, 1)), RuntimeError, "must align. shifts: 2, dims:0"),
        (lambda x: x.roll((1, 1), 0), RuntimeError, "must align. shifts: 2, dims:1"),
        (lambda x: x.sum().roll(1, 0), IndexError, "tensor has no dimensions"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.tensor(X))
