"""Linear algebra: `out`, dtypes, matrices that have no inverse. The recorded grid has the values."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import linalg

A = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 5.0]])
SINGULAR = [[1.0, 2.0], [2.0, 4.0]]


@pytest.mark.parametrize("dtype", [tc.float32, tc.float64])
def test_factors_multiply_to_the_matrix(dtype):
    a = tc.tensor(A, dtype=dtype)
    factor = linalg.cholesky(a)
    values, vectors = linalg.eigh(a)
    q, r = linalg.qr(a)
    for y in (factor @ factor.T, vectors @ tc.diag(values) @ vectors.T, q @ r,
              linalg.inv(linalg.inv(a)), linalg.pinv(linalg.pinv(a))):  # fmt: skip
        assert y.dtype == dtype
        np.testing.assert_allclose(y.numpy(), A, rtol=1e-5)


def test_small_singular_values_keep_their_digits():
    a = tc.tensor(np.diag([1.0, 1e-9, 3.0]))
    np.testing.assert_allclose(linalg.svdvals(a).numpy(), [3.0, 1.0, 1e-9], rtol=1e-6)
    assert linalg.matrix_norm(a, -2).item() == pytest.approx(1e-9, rel=1e-6)


def test_the_gradient_of_a_determinant_of_0_is_the_cofactors():
    a = tc.tensor(SINGULAR, dtype=tc.float64, requires_grad=True)
    linalg.det(a).backward()
    np.testing.assert_allclose(a.grad.numpy(), [[4.0, -2.0], [-2.0, 1.0]], atol=1e-12)
    zeros = tc.zeros(3, 3, requires_grad=True)
    tc.det(zeros).backward()
    assert not zeros.grad.numpy().any()


@pytest.mark.parametrize("call", [
    lambda a: linalg.inv(a), lambda a: a.inverse(), lambda a: linalg.solve(a, tc.ones(2)),
    lambda a: linalg.cholesky(a), lambda a: linalg.slogdet(a)[1].backward(),
    lambda a: tc.autograd.grad(linalg.det(a), a, create_graph=True)[0].sum().backward(),
])  # fmt: skip
def test_a_singular_matrix_is_a_linalg_error(call):
    a = tc.tensor(SINGULAR, requires_grad=True)
    with pytest.raises(linalg.LinAlgError):
        call(a)
    assert issubclass(linalg.LinAlgError, RuntimeError)
    assert a.grad is None


def test_errors_name_the_element_of_the_batch():
    good, bad = tc.eye(2), tc.tensor(SINGULAR)
    with pytest.raises(
        linalg.LinAlgError, match=r"^linalg.inv: \(Batch element 2\): the inversion"
    ):
        linalg.inv(tc.stack([good, good, bad]))
    with pytest.raises(linalg.LinAlgError, match=r"\(Batch element 1\): The solver failed"):
        linalg.solve(tc.stack([good, bad]), tc.ones(2, 2, 1))
    with pytest.raises(linalg.LinAlgError, match=r"\(Batch element 3\): .*not positive-definite"):
        linalg.cholesky(tc.stack([good, good, good, -good]).reshape(2, 2, 2, 2))


def test_factorizations_read_one_triangle_and_their_gradient_is_that_of_a_symmetric_matrix():
    garbage = np.triu(np.full((3, 3), np.nan), 1)
    lower = tc.tensor(np.tril(A) + garbage, requires_grad=True)
    whole = tc.tensor(A, requires_grad=True)
    for f in (linalg.cholesky, linalg.eigvalsh):
        assert np.allclose(f(lower).detach().numpy(), f(whole).detach().numpy())
    half = tc.tensor(np.tril(A) + np.triu(np.ones((3, 3)), 1), requires_grad=True)
    u = tc.tensor(np.arange(9.0).reshape(3, 3))
    for x in (half, whole):
        (linalg.cholesky(x) * u).sum().backward()
    np.testing.assert_allclose(half.grad.numpy(), whole.grad.numpy())
    upper = tc.tensor(np.triu(A) + garbage.T)
    assert np.allclose(linalg.cholesky(upper, upper=True).numpy(), np.linalg.cholesky(A).T)


def test_equal_eigenvalues_have_a_gradient_where_the_function_has_one():
    a = tc.eye(3, requires_grad=True)
    values, vectors = linalg.eigh(a)
    (vectors @ tc.diag(values) @ vectors.T).sum().backward()
    assert np.isfinite(a.grad.numpy()).all()
    (g,) = tc.autograd.grad(linalg.eigvalsh(a).sum(), a)
    np.testing.assert_allclose(g.numpy(), np.eye(3), atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_elements_that_are_not_finite(bad):
    a = np.stack([np.eye(4), np.eye(4)])
    a[1, 2, 2] = bad
    for f in (linalg.eigh, linalg.eigvalsh, linalg.svdvals, linalg.pinv):
        with pytest.raises(linalg.LinAlgError, match=r"\(Batch element 1\): .*non-finite values"):
            f(tc.tensor(a))
    with pytest.raises(linalg.LinAlgError, match=r"\(Batch element 1\): .*not positive-definite"):
        linalg.cholesky(tc.tensor(a))
    for f in (linalg.inv, linalg.qr, linalg.slogdet, lambda x: linalg.solve(x, x)):
        f(tc.tensor(a))
    x = tc.tensor(a, requires_grad=True)
    linalg.det(x).sum().backward()
    np.testing.assert_allclose(x.grad[0].numpy(), np.eye(4), atol=1e-12)
    assert np.isnan(x.grad[1].numpy()).all()


def test_out_and_no_grad():
    a = tc.tensor(A, requires_grad=True)
    with tc.no_grad():
        y = tc.empty(0, dtype=tc.float64)
        assert linalg.inv(a, out=y) is y
        both = (tc.empty(0, dtype=tc.float64), tc.empty(0, dtype=tc.float64))
        assert linalg.eigh(a, out=both).eigenvalues is both[0]
        assert linalg.qr(a).Q.grad_fn is None
    np.testing.assert_allclose(y.numpy(), np.linalg.inv(A))
    z = tc.empty(())
    assert linalg.vector_norm(tc.ones(2, 3), out=z) is z
    np.testing.assert_allclose(z.item(), 6**0.5)


def test_float16():
    half = tc.tensor([300.0, 400.0], dtype=tc.float16)
    assert linalg.vector_norm(half).item() == 500.0
    assert linalg.matrix_norm(half.reshape(1, 2)).dtype == tc.float16
    for f in (linalg.inv, linalg.det, linalg.cholesky, linalg.eigh, linalg.qr, linalg.svdvals,
              linalg.pinv, linalg.slogdet, tc.logdet):  # fmt: skip
        with pytest.raises(RuntimeError, match="Low precision dtypes not supported"):
            f(tc.eye(2, dtype=tc.float16))


def test_results_print_as_pytorchs():
    text = repr(linalg.qr(tc.eye(1)))
    assert text.startswith("torch.return_types.linalg_qr(\nQ=tensor(")
    assert repr(tc.slogdet(tc.eye(1))).startswith("torch.return_types.slogdet(\nsign=")
    assert repr(linalg.eigh(tc.eye(1))).startswith("torch.return_types.linalg_eigh(\neigenvalues=")


def test_errors_that_have_no_counterpart():
    with pytest.raises(NotImplementedError, match="atol must be a number"):
        linalg.pinv(tc.eye(2), atol=tc.ones(1))
    with pytest.raises(RuntimeError, match="only supported on CUDA"):
        linalg.svdvals(tc.eye(2), driver="gesvd")
