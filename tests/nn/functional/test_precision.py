"""Functions of float16 round once: they give float32's results, rounded."""

import pickle

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 4, 6)) * 300  # its squares overflow float16
Y = RNG.normal(size=(2, 4, 6)) * 300
FUNCTIONS = {
    "local_response_norm": lambda x, y: F.local_response_norm(x, 3, alpha=0.1),
    "cosine_similarity": F.cosine_similarity,
    "pairwise_distance": F.pairwise_distance,
    "normalize": lambda x, y: F.normalize(x),
    "scaled_dot_product_attention": lambda x, y: F.scaled_dot_product_attention(x, x, y),
    "multilabel_soft_margin_loss": lambda x, y: F.multilabel_soft_margin_loss(x, (y > 0).to(x)),
    "batch_norm in evaluation": lambda x, y: F.batch_norm(
        x, tc.full((4,), 7.0).to(x), tc.full((4,), 6e4).to(x)
    ),
    "batch_norm": lambda x, y: F.batch_norm(x, None, None, training=True),
    "layer_norm": lambda x, y: F.layer_norm(x, (6,)),
    "rms_norm": lambda x, y: F.rms_norm(x, (6,), eps=1e-5),
    "group_norm": lambda x, y: F.group_norm(x, 2),
    "instance_norm": lambda x, y: F.instance_norm(x),
    "lp_pool1d": lambda x, y: F.lp_pool1d(x, 2.0, 2),
    "mse_loss": lambda x, y: F.mse_loss(x / 300, y / 300),
}


def half_and_single(name):
    a = tc.tensor(X).half()  # the same numbers in both runs
    b = tc.tensor(Y).half()
    results = []
    for convert in (lambda x: x, lambda x: x.float()):
        x, y = convert(a).detach().requires_grad_(), convert(b)
        z = FUNCTIONS[name](x, y)
        z.sum().backward()
        results.append((z.detach(), x.grad))
    return results


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float16_is_float32_rounded(name):
    (half, gradient), (single, wanted) = half_and_single(name)
    assert half.dtype == gradient.dtype == tc.float16
    assert single.isfinite().all()
    np.testing.assert_allclose(half.float(), single, rtol=1e-3, atol=6e-8)
    scale = float(wanted.abs().max())  # what cancels in the gradient is lost to rounding
    np.testing.assert_allclose(gradient.float(), wanted, rtol=2e-3, atol=1e-3 * scale + 6e-8)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, w, b: F.batch_norm(x, tc.zeros(4), tc.ones(4), w, b),
        lambda x, w, b: F.batch_norm(x, tc.zeros(4), tc.ones(4), w, b, training=True),
        lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
        lambda x, w, b: F.instance_norm(x, weight=w, bias=b),
        lambda x, w, b: F.group_norm(x, 2, w, b),
        lambda x, w, b: F.layer_norm(x.mT, (4,), w, b),
        lambda x, w, b: F.rms_norm(x.mT, (4,), w),
    ],
)
def test_weights_may_stay_float32_beside_float16(function):
    """Mixed precision: parameters and statistics are float32, and the output is as the input."""
    x = tc.tensor(X).half().requires_grad_()
    w, b = tc.rand(4, requires_grad=True), tc.rand(4, requires_grad=True)
    y = function(x, w, b)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == tc.float16
    assert w.grad.dtype == tc.float32
    wanted = function(x.detach().float(), w, b)
    np.testing.assert_allclose(y.detach().float(), wanted.detach(), rtol=1e-3, atol=1e-3)


def test_running_statistics_have_the_dtype_of_the_input():
    x = tc.rand(3, 2)
    with pytest.raises(
        RuntimeError, match="batch_norm: expected running_var of the dtype of input"
    ):
        F.batch_norm(x, tc.zeros(2), tc.ones(2, dtype=tc.float64))
    with pytest.raises(RuntimeError, match="expected running_mean .* float32, got int64"):
        F.batch_norm(x, tc.zeros(2, dtype=tc.int64), tc.ones(2), training=True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arrays_that_were_pickled_are_computed_alike(name):
    """NumPy gives them a dtype that equals float16 and is another object."""
    x, y = (tc.tensor(pickle.loads(pickle.dumps(v.astype(np.float16)))) for v in (X, Y))
    assert x.numpy().dtype is not np.dtype(np.float16)
    assert FUNCTIONS[name](x, y).equal(half_and_single(name)[0][0])
    sums = tc.tensor(pickle.loads(pickle.dumps(np.ones(70_000, np.float16))))
    assert sums.mean() == 1
