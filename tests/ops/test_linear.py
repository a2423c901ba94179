"""Matrix products: against NumPy, with vectors and batches, and errors."""

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.testing import check_op, check_second_order, check_vjp

RNG = np.random.default_rng(0)


def linear(x, weight, bias=0.0):
    return np.einsum("...d,fd->...f", x, weight) + bias


def test_forward_is_numpys():
    check_op("linear", reference=linear)
    check_op("matmul", reference=np.matmul)


@pytest.mark.parametrize(
    ("a", "b"),
    [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)),
     ((5, 2, 3), (3,)), ((3,), (5, 3, 4)), ((5, 1, 2, 3), (6, 3, 4)), ((0, 3), (3, 2)),
     ((2, 0), (0, 3))],
)  # fmt: skip
def test_matmul_by_numpys_rules(a, b):
    x, w = RNG.normal(size=a), RNG.normal(size=b)
    np.testing.assert_allclose((tc.tensor(x) @ tc.tensor(w)).numpy(), x @ w, rtol=1e-12)
    check_vjp(lambda x, w: x @ w, x, w)
    check_second_order(lambda x, w: x @ w, x, w)


@pytest.mark.parametrize("shape", [(4,), (2, 4), (3, 2, 4), (0, 4)])
def test_linear_takes_any_axes_in_front(shape):
    x, w, b = RNG.normal(size=shape), RNG.normal(size=(5, 4)), RNG.normal(size=5)
    np.testing.assert_allclose(
        F.linear(tc.tensor(x), tc.tensor(w), tc.tensor(b)).numpy(), x @ w.T + b, rtol=1e-12
    )
    check_vjp(F.linear, x, w, b)
    check_second_order(F.linear, x, w, b)


def test_a_weight_without_bias_and_with_one():
    x, w = tc.ones(2, 3), tc.ones(4, 3)
    assert F.linear(x, w).tolist() == [[3.0] * 4] * 2
    assert F.linear(x, w, tc.ones(4)).tolist() == [[4.0] * 4] * 2


def test_transposed_operands():
    a, b = tc.randn(4, 3), tc.randn(4, 5)
    np.testing.assert_allclose((a.T @ b).numpy(), a.numpy().T @ b.numpy(), rtol=1e-5, atol=1e-6)
    assert (a.mT @ b).shape == (3, 5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tc.ones(2, 3) @ tc.ones(2, 3),
         r"mat1 and mat2 shapes cannot be multiplied \(\(2, 3\) and \(2, 3\)\)"),
        (lambda: tc.ones(2, 3) @ tc.ones(2), "mat1 and mat2 shapes cannot be multiplied"),
        (lambda: tc.ones(3) @ tc.ones(2), "shapes cannot be multiplied"),
        (lambda: tc.ones(2, 4, 3) @ tc.ones(3, 3, 2), r"leading axes of .* do not broadcast"),
        (lambda: tc.tensor(1.0) @ tc.ones(2), "both arguments need at least 1 axis"),
        (lambda: tc.ones(2, 3) @ tc.ones(3, 2).double(),
         "expected both to have the same dtype, but got torch.float32 and torch.float64"),
        (lambda: F.linear(tc.ones(2, 3), tc.ones(4, 2)),
         r"linear: mat1 and mat2 shapes cannot be multiplied: wanted input \(.., D\), weight "
         r"\(F, D\) and bias \(F,\), got \(2, 3\), \(4, 2\) and None"),
        (lambda: F.linear(tc.ones(2, 3), tc.ones(4, 3), tc.ones(5)), r"linear: .*\(5,\)"),
        (lambda: F.linear(tc.ones(2, 3), tc.ones(4, 3).double()),
         "linear: expected all tensors to have one floating-point dtype, got input torch.float32, weight "
         "torch.float64"),
        (lambda: F.linear(tc.ones(2, 3).bool(), tc.ones(4, 3).bool()), "floating-point dtype"),
        (lambda: F.linear(tc.tensor(1.0), tc.ones(4, 3)), "cannot be multiplied"),
    ],
)  # fmt: skip
def test_errors(call, message):
    with pytest.raises(RuntimeError, match=message):
        call()


def test_operands_that_are_no_tensors():
    assert (tc.ones(2, 2) @ np.ones((2, 2))).dtype == tc.float64  # NumPy's product, as in PyTorch
    with pytest.raises(TypeError):
        tc.ones(2, 2) @ 2.0
