"""Diagonals and triangles: against NumPy, both derivatives, and errors."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp

from .moves import X, check_move


@pytest.mark.parametrize(
    ("fn", "formula", "view"),
    [
        (lambda x: x.diagonal(1, 1, 2), lambda a: a.diagonal(1, 1, 2), True),
        (lambda x: x.diagonal(-1, 2, 0), lambda a: a.diagonal(-1, 2, 0), True),
        (lambda x: x.tril(1), lambda a: np.tril(a, 1), False),
        (lambda x: x.triu(), np.triu, False),
        (lambda x: tc.triu(x, diagonal=-1), lambda a: np.triu(a, -1), False),
        (lambda x: x[:, 0].diag(), lambda a: np.diag(a[:, 0]), False),
        (lambda x: x[0, 0].diag(-1), lambda a: np.diag(a[0, 0], -1), False),
        (lambda x: x[0].diag_embed(), lambda a: np.stack([np.diag(row) for row in a[0]]), False),
        (lambda x: tc.diag_embed(x[0], 1, dim1=0, dim2=-1),
         lambda a: np.stack([np.diag(row, 1) for row in a[0]], 1), False),
    ],
)  # fmt: skip
def test_against_numpy(fn, formula, view):
    check_move(fn, formula, view)


def test_a_write_through_a_diagonal_differentiates():
    def fn(x, u):
        y = x * 1.0
        y.diagonal().mul_(u)
        return y

    check_vjp(fn, X, X[:, 0].copy())
    check_second_order(fn, X, X[:, 0].copy())


def test_triangle_indices():
    rows, columns = tc.tril_indices(3, 4, -1)
    assert rows.tolist() == [1, 2, 2]
    assert columns.tolist() == [0, 0, 1]
    assert tc.triu_indices(2, 2).tolist() == [[0, 0, 1], [0, 1, 1]]
    assert tc.tril_indices(0, 3).shape == (2, 0)
    assert tc.triu_indices(2, 2, dtype=tc.int32, device="cpu").dtype == tc.int32


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.diagonal(0, 1, 1), RuntimeError, "cannot be identical"),
        (lambda x: x.diagonal(1.5), TypeError, "'offset' must be int, not float"),
        (lambda x: x[None].diag(), RuntimeError, "Supports 1D or 2D tensors. Got 3D"),
        (lambda x: x.diag_embed(0, 0, -3), RuntimeError, "cannot be identical"),
        (lambda x: x[0].tril(), RuntimeError, "at least 2 dimensions"),
        (lambda x: x.triu(1.5), TypeError, "'diagonal' must be int, not float"),
        (lambda x: tc.tril_indices(2.5, 3), TypeError, "'row' must be int, not float"),
        (lambda x: tc.tril_indices(2, -3), RuntimeError, "col must be non-negative"),
        (
            lambda x: tc.triu_indices(2, 2, dtype=tc.float32),
            NotImplementedError,
            "for torch.float32",
        ),
        (
            lambda x: tc.triu_indices(2, 2, requires_grad=True),
            RuntimeError,
            "Only Tensors of float",
        ),
        (lambda x: tc.triu_indices(2, 2, device="cuda"), RuntimeError, "'cuda' is not available"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.tensor(X))
