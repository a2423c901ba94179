"""Linear maps along an axis: the matrices, and only their nonzero entries are used."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tinygrad_cnn import ops
from tinygrad_cnn.ops import sparse
from tinygrad_cnn.testing import check_op


def dense(matrix):
    full = np.zeros(matrix.shape)
    np.add.at(full, (matrix.rows, matrix.cells), matrix.weights)
    return full


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 8), st.integers(0, 2**32))
def test_products_along_every_axis(m, n, entries, seed):
    rng = np.random.default_rng(seed)
    entries = entries if m and n else 0
    matrix = sparse.SparseMatrix(
        (m, n), rng.integers(0, max(m, 1), entries), rng.integers(0, max(n, 1), entries),
        rng.normal(size=entries),
    )  # fmt: skip
    np.testing.assert_array_equal(dense(matrix.T), dense(matrix).T)
    for dim in range(3):
        x = rng.normal(size=[n if axis == dim else 2 + axis for axis in range(3)])
        y = ops.resample(x, dim=dim, matrix=matrix)
        wanted = np.moveaxis(np.tensordot(dense(matrix), x, (1, dim)), 0, dim)
        np.testing.assert_allclose(y, wanted, atol=1e-12)


def test_forward_is_the_definition():
    check_op(
        "resample",
        reference=lambda x, dim, matrix: np.moveaxis(
            np.tensordot(dense(matrix), x, (1, dim)), 0, dim
        ),
    )


def test_what_has_no_entry_is_not_read():
    x = np.array([np.nan, 1.0, 2.0, 3.0])
    y = ops.resample(x, dim=0, matrix=sparse.averaging(4, 2))
    np.testing.assert_array_equal(y, [np.nan, 2.5])


def test_the_memory_order_stays():
    x = np.zeros((2, 5, 6, 3), np.float32).transpose(0, 3, 1, 2)
    y = ops.resample(x, dim=2, matrix=sparse.averaging(5, 4))
    assert y.shape == (2, 3, 4, 6)
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous
    assert y.dtype == np.float32


MATRICES = [  # each row by hand
    (sparse.windows(4, 2, 1, 1, 2),
     [[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0],
      [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]),
    (sparse.averaging(3, 2), [[0.5, 0.5, 0], [0, 0.5, 0.5]]),
    (sparse.padded(3, 2, 1, "reflect"),
     [[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]]),
    (sparse.padded(2, 1, 2, "replicate"), [[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]]),
    (sparse.padded(3, 1, -1, "circular"), [[0, 1, 0], [1, 0, 0], [0, 1, 0]]),
    (sparse.neighbours(3, 2), [[1, 0, 0], [1, 1, 0], [0, 1, 1]]),
    (sparse.nearest(3, 2, 1.5, False, np.float32), [[1, 0, 0], [0, 1, 0]]),
    (sparse.nearest(3, 2, 1.5, True, np.float32), [[1, 0, 0], [0, 0, 1]]),
    (sparse.linear(2, 4, 0.5, False), [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]]),
    (sparse.linear(2, 3, 0.5, True), [[1, 0], [0.5, 0.5], [0, 1]]),
    (sparse.cubic(4, 1, 4.0, False), [[-0.09375, 0.59375, 0.59375, -0.09375]]),
]  # fmt: skip


@pytest.mark.parametrize(("matrix", "wanted"), MATRICES)
def test_matrices_by_hand(matrix, wanted):
    np.testing.assert_allclose(dense(matrix), wanted, atol=1e-12)
