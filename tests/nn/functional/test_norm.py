"""Layer, group, instance, RMS and local response norm: definitions, running values, errors."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.testing import check_second_order, check_vjp

RNG = np.random.default_rng(0)


def normal(x, axes, eps=1e-5):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


@given(st.integers(1, 3), st.integers(0, 2**32))
def test_layer_norm_is_over_the_last_axes(k, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rng.integers(1, 5, 4))
    last, axes = x.shape[-k:], tuple(range(4 - k, 4))
    w, b = rng.normal(size=last), rng.normal(size=last)
    y = F.layer_norm(*(tc.tensor(v) if i != 1 else last for i, v in enumerate((x, 0, w, b))))
    np.testing.assert_allclose(y.numpy(), normal(x, axes) * w + b, rtol=1e-9, atol=1e-9)
    y = F.rms_norm(tc.tensor(x), last, tc.tensor(w), eps=0.1)
    wanted = x / np.sqrt((x * x).mean(axes, keepdims=True) + 0.1) * w
    np.testing.assert_allclose(y.numpy(), wanted, rtol=1e-9, atol=1e-9)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), st.integers(0, 2**32))
def test_group_and_instance_norm(groups, per_group, places, seed):
    rng = np.random.default_rng(seed)
    c = groups * per_group
    x = rng.normal(size=(2, c, *rng.integers(2, 5, places)))
    w, b = rng.normal(size=c), rng.normal(size=c)
    column = (c, *[1] * places)
    split = x.reshape(2, groups, -1)
    wanted = normal(split, 2).reshape(x.shape) * w.reshape(column) + b.reshape(column)
    y = F.group_norm(tc.tensor(x), groups, tc.tensor(w), tc.tensor(b))
    np.testing.assert_allclose(y.numpy(), wanted, rtol=1e-9, atol=1e-9)
    if places:
        wanted = normal(x, tuple(range(2, x.ndim))) * w.reshape(column) + b.reshape(column)
        y = F.instance_norm(tc.tensor(x), weight=tc.tensor(w), bias=tc.tensor(b))
        np.testing.assert_allclose(y.numpy(), wanted, rtol=1e-9, atol=1e-9)


def test_instance_norm_moves_running_values_by_the_mean_over_the_images():
    x = RNG.normal(size=(3, 2, 5)) * 2 + 1
    mean, var = tc.zeros(2, dtype=tc.float64), tc.ones(2, dtype=tc.float64)
    F.instance_norm(tc.tensor(x), mean, var, momentum=0.3)
    np.testing.assert_allclose(mean.numpy(), 0.3 * x.mean(2).mean(0))
    np.testing.assert_allclose(var.numpy(), 0.7 + 0.3 * x.var(2, ddof=1).mean(0))
    y = F.instance_norm(tc.tensor(x), mean, var, use_input_stats=False)
    wanted = (x - mean.numpy()[:, None]) / np.sqrt(var.numpy()[:, None] + 1e-5)
    np.testing.assert_allclose(y.numpy(), wanted)


@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_local_response_norm_sums_over_channels_around(size):
    x = RNG.normal(size=(2, 5, 3))
    y = F.local_response_norm(tc.tensor(x), size, alpha=0.5, beta=0.6, k=2.0)
    for c in range(5):
        low, high = max(c - size // 2, 0), c + (size - 1) // 2 + 1
        around = 2.0 + 0.5 / size * (x[:, low:high] ** 2).sum(1)
        np.testing.assert_allclose(y.numpy()[:, c], x[:, c] / around**0.6)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, w: F.layer_norm(x, (4, 3), w, w),
        lambda x, w: F.rms_norm(x, (4, 3), w),
        lambda x, w: F.group_norm(x, 2, w[:, 0], w[:, 1]),
        lambda x, w: F.instance_norm(x, None, None, w[:, 0], w[:, 1]),
        lambda x, w: F.local_response_norm(x * w, 3, 0.5),
    ],
)
def test_derivatives(f):
    x, w = RNG.normal(size=(2, 4, 3)), RNG.normal(size=(4, 3))
    check_vjp(f, x, w)
    check_second_order(f, x, w)


def test_empty_batches_and_float32():
    for f in (
        lambda x: F.layer_norm(x, (3,)), lambda x: F.group_norm(x, 2), F.instance_norm,
        lambda x: F.rms_norm(x, (3,)), lambda x: F.local_response_norm(x, 2),
    ):  # fmt: skip
        for n in (0, 2):
            x = tc.randn(n, 4, 3, requires_grad=True)
            y = f(x)
            y.sum().backward()
            assert y.shape == x.grad.shape == x.shape
            assert y.dtype == x.grad.dtype == tc.float32


X = tc.zeros(2, 4, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.layer_norm(X, (4,)), RuntimeError,
         r"Given normalized_shape=\[4\], expected input with shape \(.., 4\), but got input of size"),
        (lambda: F.layer_norm(X, (3,), tc.ones(4)), RuntimeError,
         "Expected weight to be of same shape as normalized_shape"),
        (lambda: F.layer_norm(X, ()), RuntimeError, "at least 1-dimensional"),
        (lambda: F.layer_norm(X.long(), (3,)), RuntimeError, "floating"),
        (lambda: F.group_norm(X, 3), RuntimeError,
         "Expected number of channels in input to be divisible by num_groups"),
        (lambda: F.group_norm(tc.zeros(3), 1), RuntimeError, "Expected at least 2 dimensions"),
        (lambda: F.group_norm(tc.zeros(1, 2), 2), ValueError,
         "Expected more than 1 value per channel when training"),
        (lambda: F.group_norm(X, 2, tc.ones(3)), RuntimeError, "weight should contain 4 elements"),
        (lambda: F.instance_norm(tc.zeros(2, 4, 1)), ValueError,
         "Expected more than 1 spatial element when training"),
        (lambda: F.instance_norm(X, tc.zeros(3)), RuntimeError, "running_mean should contain 4"),
        (lambda: F.local_response_norm(tc.zeros(2, 4), 2), ValueError,
         r"Expected 3D or higher dimensionality input \(got 2"),
        (lambda: F.local_response_norm(X, 0), RuntimeError, "size must be greater than zero"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("eps", [0.0, -0.0, 0, -1e-5])
def test_batch_norm_refuses_an_eps_that_does_not_protect(eps):
    x, mean, var = tc.randn(4, 3), tc.zeros(3), tc.ones(3)
    before = mean.clone()
    for call in (
        lambda: F.batch_norm(x, mean, var, training=True, eps=eps),
        lambda: F.batch_norm(x, None, None, training=True, eps=eps),
        lambda: tc.nn.BatchNorm1d(3, eps=eps)(x),
    ):
        with pytest.raises(ValueError, match="eps must be positive during training, but got"):
            call()
    assert mean.equal(before)
    if eps < 0:
        with pytest.raises(ValueError, match="eps must be non-negative, but got -1e-05"):
            F.batch_norm(x, mean, var, eps=eps)
    else:
        assert F.batch_norm(x, mean, var, eps=eps).equal(x)


@pytest.mark.parametrize("dtype", [tc.float16, tc.bfloat16, tc.float32, tc.float64], ids=str)
def test_the_default_eps_of_rms_norm_is_that_of_the_dtype_that_computes(dtype):
    if dtype is tc.bfloat16:
        pytest.importorskip("ml_dtypes")
    y = F.rms_norm(tc.full((4,), 0.01, dtype=dtype), (4,))
    assert y.dtype is dtype
    assert y.tolist() == pytest.approx([1.0] * 4, rel=2e-3)
