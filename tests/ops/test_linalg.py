"""Linear algebra: references on larger matrices, and the rank of the pseudoinverse."""

import numpy as np
import pytest

from tinygrad_cnn import ops
from tinygrad_cnn.testing import check_second_order, check_vjp

RNG = np.random.default_rng(0)
BATCH = RNG.normal(size=(2, 6, 6)) + 6 * np.eye(6)


@pytest.mark.parametrize("name", ["inv", "det", "cofactors", "slogdet", "cholesky", "qr"])
def test_larger_matrices(name):
    def first(x):
        y = getattr(ops, name)(x)
        return y[0] if isinstance(y, tuple) else y

    a = BATCH / 4 if name in ("det", "cofactors") else BATCH
    check_vjp(first, a)
    check_second_order(first, a)


def test_eigenvectors_up_to_their_signs():
    def squares(x):
        return ops.square(ops.eigh(x))

    check_vjp(squares, BATCH)
    check_second_order(squares, BATCH)


def test_singular_values_below_the_tolerance_are_0():
    u, _, v = np.linalg.svd(RNG.normal(size=(4, 3)), full_matrices=False)
    a = (u * [5.0, 2.0, 1e-3]) @ v
    wanted = (v.T[:, :2] / [5.0, 2.0]) @ u.T[:2]
    for tolerance in ({"atol": 1e-2, "rtol": 0.0}, {"atol": 0.0, "rtol": 1e-2}):
        np.testing.assert_allclose(ops.pinv(a, **tolerance), wanted, atol=1e-12)
    assert np.abs(ops.pinv(a, atol=1e-4, rtol=0.0)).max() > 100
    assert ops.pinv(a, atol=9.0, rtol=0.0).max() == 0


def test_cofactors_of_singular_matrices():
    a = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 1.0]])
    minors = [[np.delete(np.delete(a, i, 0), j, 1) for j in range(3)] for i in range(3)]
    wanted = [[(-1) ** (i + j) * np.linalg.det(minors[i][j]) for j in range(3)] for i in range(3)]
    np.testing.assert_allclose(ops.cofactors(a), wanted, atol=1e-12)
