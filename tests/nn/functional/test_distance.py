"""Norms, distances and angles against NumPy: values, both derivatives, kinks, errors."""

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

(X,) = separated(np.random.default_rng(0), (3, 4), avoid=[0.0, 1.0])
CASES = [
    (F.normalize, lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)),
    (lambda x: F.normalize(x, p=3.0, dim=0), lambda x: x / np.linalg.norm(x, 3, 0, keepdims=True)),
]


@pytest.mark.parametrize(("fn", "formula"), CASES)
def test_forward_and_both_derivatives(fn, formula):
    np.testing.assert_allclose(fn(tc.tensor(X)).numpy(), formula(X), rtol=1e-12, atol=1e-14)
    check_vjp(fn, X)
    check_second_order(fn, X)


@pytest.mark.parametrize(("fn", "formula"), CASES)
def test_float32_stays(fn, formula):
    x = tc.tensor(X.astype(np.float32), requires_grad=True)
    y = fn(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == tc.float32


def test_normalize_is_smooth_where_an_element_is_zero():
    x = np.array([[0.0, 1.0, -2.0]])
    check_vjp(F.normalize, x)
    check_second_order(F.normalize, x)


def test_normalize_leaves_zeros_alone():
    x = tc.zeros(1, 3).requires_grad_()
    y = F.normalize(x)
    assert y.tolist() == [[0.0] * 3]
    y.sum().backward()  # the slope of the norm at 0 is taken as 0, which leaves 1 / eps
    np.testing.assert_allclose(x.grad.numpy(), 1e12, rtol=1e-5)


def test_p_norms():
    for p in (0.5, 1.0, 1.5, 2.0, 3.0, np.inf, -np.inf, 0.0):
        wanted = np.linalg.norm(X - X[::-1] + 1e-6, p, axis=1)
        found = F.pairwise_distance(tc.tensor(X), tc.tensor(X[::-1].copy()), p)
        np.testing.assert_allclose(found.numpy(), wanted)
        if p in (1.0, 1.5, 3.0, np.inf):
            check_vjp(lambda a, p=p: F.normalize(a, p), X)
    rows = F.pdist(tc.tensor(X))
    assert rows.shape == (3,)
    assert rows[1].item() == pytest.approx(np.linalg.norm(X[0] - X[2]))
    assert F.pairwise_distance(tc.ones(2), tc.zeros(2), keepdim=True).shape == (1,)
    with pytest.raises(RuntimeError, match="inf norm"):
        F.normalize(tc.ones(2, 0), np.inf)
    with pytest.raises(RuntimeError, match="pdist only supports 2D tensors"):
        F.pdist(tc.ones(2))


def test_normalize_writes_to_out():
    x, out = tc.tensor(X), tc.zeros(3, 4, dtype=tc.float64)
    assert F.normalize(x, out=out) is out
    assert out.equal(F.normalize(x))
    with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
        F.normalize(x.requires_grad_(), out=out)


def test_cosine_similarity():
    check_vjp(F.cosine_similarity, X, X[::-1].copy())
    check_second_order(F.cosine_similarity, X, X[::-1].copy())
    x = tc.tensor(X)
    assert F.cosine_similarity(x, -x, dim=0).tolist() == pytest.approx([-1] * 4)
    assert F.cosine_similarity(x, tc.zeros(4).double()).tolist() == [0] * 3
    assert F.cosine_similarity(x[:, None], x, dim=-1).shape == (3, 3)
    with pytest.raises(RuntimeError, match="cosine_similarity: the size of one tensor must match"):
        F.cosine_similarity(x, x[:2])
    with pytest.raises(RuntimeError, match="expected common dtype to be floating point"):
        F.cosine_similarity(tc.ones(1, 2).long(), tc.ones(1, 2).long())


# --- Norms at zeros -----------------------------------------------------------------------------

ORDERS = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, np.inf, -np.inf, -1.0]
AT_ZERO = {
    "norm": lambda x, p: x.norm(p, dim=1),
    "norm of all": lambda x, p: x.norm(p),
    "pairwise_distance": lambda x, p: F.pairwise_distance(x, x.detach(), p, eps=0.0),
    "pdist": lambda x, p: F.pdist(x, max(p, 0.0)),
    "std": lambda x, p: x.std(1),
    "clamped": lambda x, p: x.norm(p, dim=1).clamp(min=1e-3),
}


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("name", AT_ZERO)
def test_a_norm_of_zeros_has_the_gradient_zero(name, p):
    for power in (1.0, 0.5):  # the slope of a root is infinite at 0
        if power < 1 and p in (1.0, np.inf, -np.inf):  # which is NaN for |x|, as in PyTorch
            continue
        x = tc.tensor(np.array([[0.0, -0.0, 0.0]] * 2), requires_grad=True)
        (g,) = tc.autograd.grad((AT_ZERO[name](x, p) ** power).sum(), x, create_graph=True)
        assert g.tolist() == [[0.0] * 3] * 2
        if g.requires_grad:
            (second,) = tc.autograd.grad(g.sum(), x, allow_unused=True)
            assert second is None or second.tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("p", ORDERS)
def test_a_norm_with_some_zeros_has_the_gradient_zero_there(p):
    x = tc.tensor(np.array([[0.0, 3.0, -4.0]]), requires_grad=True)
    x.norm(p, dim=1).sum().backward()
    assert x.grad.isfinite().all()
    assert x.grad[0, 0] == 0


def test_similarity_to_zeros_has_a_finite_gradient():
    x, zeros = tc.tensor(X, requires_grad=True), tc.zeros(3, 4).double().requires_grad_()
    F.cosine_similarity(x, zeros).sum().backward()
    assert x.grad.tolist() == [[0.0] * 4] * 3
    assert zeros.grad.isfinite().all()


@pytest.mark.parametrize("p", [p for p in ORDERS if p and p != 2])
def test_powers_in_a_norm_do_not_overflow(p):
    x = tc.tensor([1e20, 2e20], requires_grad=True)
    y = x.norm(p)
    y.backward()
    np.testing.assert_allclose(y.item(), np.linalg.norm([1e20, 2e20], p), rtol=1e-6)
    wanted = tc.tensor([1.0, 2.0], requires_grad=True)
    wanted.norm(p).backward()
    np.testing.assert_allclose(x.grad.numpy(), wanted.grad.numpy(), rtol=1e-6)


@pytest.mark.parametrize("p", [np.inf, -np.inf, -1.0])
def test_norms_of_nothing_that_have_no_value(p):
    for call in (lambda x: x.norm(p), lambda x: x.norm(p, dim=1), lambda x: F.normalize(x, p)):
        with pytest.raises(RuntimeError, match=f"the {p} norm on the dimension 1"):
            call(tc.ones(2, 0))
    assert tc.ones(2, 0).norm(p, dim=0).shape == (0,)


def test_pdist_refuses_a_negative_order():
    with pytest.raises(RuntimeError, match="only supports non-negative p"):
        F.pdist(tc.ones(2, 2), -1.0)
