"""Products of vectors and matrices: against NumPy, both derivatives, and errors."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

X, Y, Z, M, B = separated(np.random.default_rng(0), (3, 4), (3, 4), (3, 4), (4, 5), (2, 3, 4))
V, U, S = separated(np.random.default_rng(1), (4,), (3,), (4, 4))


PRODUCTS = [
    (tc.mm, np.matmul, (X, M)),
    (tc.bmm, np.matmul, (B, B.swapaxes(1, 2))),
    (tc.mv, np.matmul, (X, V)),
    (tc.dot, np.dot, (V, V[::-1].copy())),
    (tc.outer, np.outer, (U, V)),
    (tc.kron, np.kron, (X, U)),
    (tc.trace, np.trace, (X,)),
    (lambda a, b: tc.cross(a, b, dim=0), lambda a, b: np.cross(a, b, axis=0), (X, Y)),
    (lambda a, b: tc.cross(a, b, dim=-1), lambda a, b: np.cross(a, b), (X.T.copy(), Y.T[:1].copy())),
    (tc.matmul, np.matmul, (B, V)),
    (tc.matmul, np.matmul, (U, B)),
    (lambda a, b: tc.dot(a, tensor=b), np.dot, (V, V[::-1].copy())),
    (lambda a, b: tc.vdot(a, other=b), np.vdot, (V, V[::-1].copy())),
    (lambda a, b: tc.ger(a, vec2=b), np.outer, (U, V)),
    (lambda c, a, b: tc.addmv(c, mat=a, vec=b, beta=2), lambda c, a, b: 2 * c + a @ b, (U, X, V)),
    (lambda c, a, b: tc.addmm(c, a, b, beta=0.5, alpha=2),
     lambda c, a, b: 0.5 * c + 2 * a @ b, (V[:3], X, X.T.copy())),
    (lambda c, a, b: tc.baddbmm(c, a, b), lambda c, a, b: c + a @ b,
     (U, B, B.swapaxes(1, 2).copy())),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "formula", "arrays"), PRODUCTS)
def test_products_and_both_derivatives(fn, formula, arrays):
    found = fn(*(tc.tensor(a) for a in arrays))
    np.testing.assert_allclose(found.numpy(), formula(*arrays), rtol=1e-12)
    check_vjp(fn, *arrays)
    check_second_order(fn, *arrays)


def test_a_trace_of_integers_is_of_int64():
    assert tc.trace(tc.ones(2, 2, dtype=tc.uint8)).dtype == tc.int64


def test_beta_zero_does_not_pass_nan_on():
    y = tc.addmm(tc.full((3,), float("nan")), tc.ones(3, 4), tc.ones(4, 3), beta=0)
    assert y.tolist() == [[4.0] * 3] * 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tc.mm(tc.ones(2, 3), tc.ones(2, 3)), RuntimeError, "shapes cannot be multiplied"),
        (lambda: tc.mm(tc.ones(2, 3), tc.ones(3)), RuntimeError, "mat2 must be a matrix"),
        (lambda: tc.mm(tc.ones(3), tc.ones(3, 2)), RuntimeError, "self must be a matrix"),
        (lambda: tc.mm(tc.ones(2, 3), 2.0), TypeError, r"'mat2' \(position 2\) must be Tensor"),
        (lambda: tc.mm(tc.ones(2, 2), tc.ones(2, 2), out_dtype=tc.float32), TypeError, "out_dtype"),
        (lambda: tc.bmm(tc.ones(2, 3, 4), tc.ones(3, 4, 5)), RuntimeError,
         r"Expected size for first two dimensions of batch2 tensor to be: \[2, 4\] but got: \[3, 4\]"),
        (lambda: tc.bmm(tc.ones(2, 3), tc.ones(3, 4, 5)), RuntimeError, "batch1 must be a 3D tensor"),
        (lambda: tc.mv(tc.ones(2, 3), tc.ones(2, 3)), RuntimeError, "matrix @ vector expected"),
        (lambda: tc.dot(tc.ones(2), tc.ones(3)), RuntimeError, "cannot be multiplied"),
        (lambda: tc.dot(tc.ones(2, 2), tc.ones(3)), RuntimeError, "1D tensors expected"),
        (lambda: tc.outer(tc.ones(2, 2), tc.ones(3)), RuntimeError, "Expected 1-D argument self"),
        (lambda: tc.outer(tc.ones(2), tc.ones(())), RuntimeError, "Expected 1-D argument vec2"),
        (lambda: tc.cross(tc.ones(2), tc.ones(2)), RuntimeError, "no dimension of size 3"),
        (lambda: tc.cross(tc.ones(2, 3), tc.ones(3)), RuntimeError, "same number of dimensions"),
        (lambda: tc.cross(tc.ones(3), tc.ones(3).double()), RuntimeError, "expected scalar type"),
        (lambda: tc.cross(tc.ones(2, 3), tc.ones(4, 3)), RuntimeError, "do not broadcast"),
        (lambda: tc.cross(tc.ones(()), tc.ones(()), 0), RuntimeError, "must have length 3"),
        (lambda: tc.trace(tc.ones(2)), RuntimeError, "expected a matrix"),
        (lambda: tc.kron(tc.ones(2), 2.0), TypeError, "'other' .* must be Tensor, not float"),
        (lambda: tc.matmul(tc.ones(2), [1.0]), TypeError, r"'other' \(position 2\) must be Tensor"),
        (lambda: tc.addmm(tc.ones(3), tc.ones(2, 3), tc.ones(3, 2)), RuntimeError,
         "do not broadcast"),
        (lambda: tc.baddbmm(tc.ones(5, 1, 1, 1), tc.ones(2, 1, 3), tc.ones(2, 3, 1)), RuntimeError,
         "does not broadcast to"),
        (lambda: tc.addmm(tc.ones(2).double(), tc.ones(2, 3), tc.ones(3, 2)), RuntimeError,
         "self and mat2 must have the same dtype"),
        (lambda: tc.addmv(1.0, tc.ones(2, 3), tc.ones(3)), TypeError, "'input' .* must be Tensor"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("beta, alpha", [(0.5, 1), (1.9, 2.7), (-1.5, 0.5), (0, 1)])
def test_integers_take_the_integer_parts_of_factors(beta, alpha):
    x, m = tc.tensor([7, 8]), tc.tensor([[1, 2], [3, 4]])
    b, a = int(beta), int(alpha)
    cases = [
        (tc.addmm(x, m, m, beta=beta, alpha=alpha), b * x + a * (m @ m)),
        (tc.addmv(x, m, x, beta=beta, alpha=alpha), b * x + a * (m @ x)),
        (
            tc.baddbmm(m[None], m[None], m[None], beta=beta, alpha=alpha),
            (b * m + a * (m @ m))[None],
        ),
    ]
    for given, wanted in cases:
        assert given.dtype == tc.int64
        assert tc.equal(given, wanted)
