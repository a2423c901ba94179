"""Adaptive pooling against plain loops over its windows."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

ADAPTIVE_MAX = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}
ADAPTIVE_AVG = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
CASES = st.tuples(st.integers(1, 3), st.integers(0, 2**32))


@given(CASES)
def test_adaptive_pooling_by_its_windows(case):
    n, seed = case
    rng = np.random.default_rng(seed)
    plane, wanted = rng.integers(1, 8, n).tolist(), rng.integers(1, 8, n).tolist()
    x = rng.integers(-2, 3, (2, 2, *plane)).astype(np.float64)
    t = tc.tensor(x, requires_grad=True)
    mean = ADAPTIVE_AVG[n](t, wanted)
    y, where = ADAPTIVE_MAX[n](t, wanted, return_indices=True)
    assert mean.shape == y.shape == where.shape == (2, 2, *wanted)
    expected = np.zeros_like(x)
    for window in np.ndindex(*wanted):
        part = [slice(o * a // m, -(-(o + 1) * a // m))
                for o, a, m in zip(window, plane, wanted, strict=True)]  # fmt: skip
        both = (slice(None), slice(None))
        values = x[(*both, *part)]
        np.testing.assert_allclose(mean[(*both, *window)].detach().numpy(),
                                   values.reshape(2, 2, -1).mean(-1), atol=1e-12)  # fmt: skip
        for lead in np.ndindex(2, 2):
            best = np.unravel_index(values[lead].argmax(), values[lead].shape)
            cell = tuple(int(b) + s.start for b, s in zip(best, part, strict=True))
            assert where[(*lead, *window)].item() == np.ravel_multi_index(cell, plane)
            assert y[(*lead, *window)].item() == x[(*lead, *cell)]
            expected[(*lead, *cell)] += 1
    y.sum().backward()
    np.testing.assert_array_equal(t.grad.numpy(), expected)
    assert ADAPTIVE_MAX[n](tc.tensor(x[0]), wanted).equal(y[0])
    assert ADAPTIVE_AVG[n](tc.tensor(x[0]), wanted).allclose(mean[0])


@pytest.mark.parametrize("n", [1, 2, 3])
def test_derivatives(n):
    (x,) = separated(np.random.default_rng(n), (2, 2, *(5, 4, 3)[:n]), low=0.2, high=2.0)
    for f in (lambda x: ADAPTIVE_AVG[n](x, 2), lambda x: ADAPTIVE_MAX[n](x, 2)):
        check_vjp(f, x, directions=1)
        check_second_order(lambda x, f=f: f(x * x), x, directions=1)


def test_a_nan_stays_in_its_windows():
    x = tc.ones(1, 1, 5)
    x[0, 0, 0] = float("nan")
    assert np.isnan(F.adaptive_avg_pool1d(x, 3).numpy()).tolist() == [[[True, False, False]]]
    y, where = F.adaptive_max_pool1d(x, 3, return_indices=True)
    assert np.isnan(y.numpy()).tolist() == [[[True, False, False]]]
    assert where.tolist() == [[[0, 1, 3]]]


def test_none_keeps_the_size_of_an_axis():
    x = tc.randn(2, 3, 4, 5)
    for pool in (F.adaptive_avg_pool2d, F.adaptive_max_pool2d):
        assert pool(x, (None, 2)).shape == (2, 3, 4, 2)
        assert pool(x, None).equal(x)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_empty_batches(n):
    x = tc.zeros(0, 3, *(5, 6, 4)[:n], requires_grad=True)
    for y in (ADAPTIVE_AVG[n](x, 3), ADAPTIVE_MAX[n](x, 3)):
        assert y.shape[:2] == (0, 3)
        y.sum().backward()
        assert x.grad.shape == x.shape


X = tc.ones(1, 2, 4, 4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.adaptive_avg_pool2d(X, (1, 2, 3)), RuntimeError,
         "output_size must be an integer or two"),
        (lambda: F.adaptive_max_pool2d(X, -1), RuntimeError, "output_size must be non-negative"),
        (lambda: F.adaptive_max_pool2d(tc.ones(1, 0, 0), 2), RuntimeError,
         "Expected input to have non-zero size for non-batch dimensions"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_an_empty_channel_axis(n):
    """PyTorch refuses it, but for means along one or two axes."""
    x = tc.ones(2, 0, *[4] * n)
    refuse = [f"adaptive_max_pool{n}d"] + ["adaptive_avg_pool3d"] * (n == 3)
    for name in refuse:
        with pytest.raises(RuntimeError, match="non-zero size for non-batch dimensions"):
            getattr(F, name)(x, 2)
    if n < 3:
        assert getattr(F, f"adaptive_avg_pool{n}d")(x, 2).shape == (2, 0, *[2] * n)
        assert getattr(F, f"adaptive_avg_pool{n}d")(x, 3).shape == (2, 0, *[3] * n)
