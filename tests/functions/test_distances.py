"""Distances against plain formulas, in both ways of computing them; derivatives and the kink."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

A, B = separated(np.random.default_rng(1), (2, 4, 3), (2, 5, 3))
MODES = [
    "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
]  # fmt: skip


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 2.0, 3.0, float("inf")])
def test_cdist_is_the_norm_of_the_difference(p):
    wanted = np.zeros((2, 4, 5))
    for place in np.ndindex(wanted.shape):
        n, i, j = place
        gap = np.abs(A[n, i] - B[n, j])
        if p == 0:
            wanted[place] = (gap != 0).sum()
        else:
            wanted[place] = gap.max() if np.isinf(p) else (gap**p).sum() ** (1 / p)
    np.testing.assert_allclose(tc.cdist(tc.tensor(A), tc.tensor(B), p).numpy(), wanted, rtol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_both_derivatives(mode):
    check_vjp(lambda a, b: tc.cdist(a, b, compute_mode=mode), A, B)
    check_second_order(lambda a, b: tc.cdist(a, b, compute_mode=mode), A, B)


def test_many_points_go_through_a_product():
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((40, 6)), rng.standard_normal((30, 6))
    fast = tc.cdist(tc.tensor(a), tc.tensor(b))
    slow = tc.cdist(tc.tensor(a), tc.tensor(b), compute_mode=MODES[2])
    np.testing.assert_allclose(fast.numpy(), slow.numpy(), rtol=1e-12)
    check_vjp(tc.cdist, a, b)


def test_equal_points_have_the_gradient_0():
    x = tc.tensor([[1.0, 2.0], [1.0, 2.0]], requires_grad=True)
    tc.cdist(x, x).sum().backward()
    assert x.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    many = tc.ones(30, 2, requires_grad=True)
    tc.cdist(many, many).sum().backward()
    assert not many.grad.isnan().any()


def test_batches_broadcast():
    assert tc.cdist(tc.ones(2, 1, 4, 3), tc.ones(5, 6, 3)).shape == (2, 5, 4, 6)
    assert tc.cdist(tc.ones(0, 3), tc.ones(4, 3)).shape == (0, 4)
    assert tc.cdist(tc.ones(2, 0), tc.ones(4, 0)).tolist() == [[0.0] * 4] * 2


def test_dist_is_the_norm_of_the_difference():
    x, y = tc.tensor(A), tc.tensor(B[:, :4])
    for p in (1, 2, 3.5, float("inf")):
        assert tc.dist(x, y, p).item() == pytest.approx((x - y).norm(p).item())
    check_vjp(lambda a, b: a.dist(b, 3), A, B[:, :4])
    assert tc.dist(tc.ones(2), tc.ones(2)).item() == 0.0


def test_float16_is_computed_in_float32():
    x = tc.full((1, 400), 1.0).half()
    assert tc.cdist(x, -x).item() == 40.0
    assert tc.cdist(x, -x).dtype == tc.float16
