"""The matrices of resizing, padding and windows, by hand."""

import numpy as np
import pytest

from tinygrad_cnn.nn.functional import matrices


def dense(matrix):
    full = np.zeros(matrix.shape)
    np.add.at(full, (matrix.rows, matrix.cells), matrix.weights)
    return full


MATRICES = [  # each row by hand
    (matrices.windows(4, 2, 1, 1, 2),
     [[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0],
      [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]),
    (matrices.averaging(3, 2), [[0.5, 0.5, 0], [0, 0.5, 0.5]]),
    (matrices.padded(3, 2, 1, "reflect"),
     [[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]]),
    (matrices.padded(2, 1, 2, "replicate"), [[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]]),
    (matrices.padded(3, 1, -1, "circular"), [[0, 1, 0], [1, 0, 0], [0, 1, 0]]),
    (matrices.neighbours(3, 2), [[1, 0, 0], [1, 1, 0], [0, 1, 1]]),
    (matrices.nearest(3, 2, 1.5, False, np.float32), [[1, 0, 0], [0, 1, 0]]),
    (matrices.nearest(3, 2, 1.5, True, np.float32), [[1, 0, 0], [0, 0, 1]]),
    (matrices.linear(2, 4, 0.5, False), [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]]),
    (matrices.linear(2, 3, 0.5, True), [[1, 0], [0.5, 0.5], [0, 1]]),
    (matrices.cubic(4, 1, 4.0, False), [[-0.09375, 0.59375, 0.59375, -0.09375]]),
]  # fmt: skip


@pytest.mark.parametrize(("matrix", "wanted"), MATRICES)
def test_matrices_by_hand(matrix, wanted):
    np.testing.assert_allclose(dense(matrix), wanted, atol=1e-12)
