"""Linear maps along an axis: nothing but the entries of the matrix is touched."""

import numpy as np
from hypothesis import given, strategies as st

from tinygrad_cnn import ops
from tinygrad_cnn.nn.functional import matrices
from tinygrad_cnn.testing import check_op


def dense(matrix):
    full = np.zeros(matrix.shape)
    np.add.at(full, (matrix.rows, matrix.cells), matrix.weights)
    return full


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 8), st.integers(0, 2**32))
def test_products_along_every_axis(m, n, entries, seed):
    rng = np.random.default_rng(seed)
    entries = entries if m and n else 0
    matrix = ops.SparseMatrix(
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
    y = ops.resample(x, dim=0, matrix=matrices.averaging(4, 2))
    np.testing.assert_array_equal(y, [np.nan, 2.5])


def test_the_memory_order_stays():
    x = np.zeros((2, 5, 6, 3), np.float32).transpose(0, 3, 1, 2)
    y = ops.resample(x, dim=2, matrix=matrices.averaging(5, 4))
    assert y.shape == (2, 3, 4, 6)
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous
    assert y.dtype == np.float32
