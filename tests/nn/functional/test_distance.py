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
