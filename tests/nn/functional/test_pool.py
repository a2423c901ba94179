"""Max, average and LP pooling along one to three axes, against plain loops."""

import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
LP = {1: F.lp_pool1d, 2: F.lp_pool2d, 3: F.lp_pool3d}
CASES = st.tuples(st.integers(1, 3), st.integers(0, 2**32))


def pooling(rng, n):
    """x with few values, so with ties, and settings."""
    kernel, stride = rng.integers(1, 4, n), rng.integers(1, 4, n)
    padding, dilation = rng.integers(0, kernel // 2 + 1), rng.integers(1, 3, n)
    dilation = np.where(padding > 0, 1, dilation)  # no window that contains only padding
    plane = dilation * (kernel - 1) + 1 + rng.integers(0, 4, n)
    x = rng.integers(-2, 3, (2, 2, *plane)).astype(np.float64)
    return x, *(tuple(v.tolist()) for v in (kernel, stride, padding, dilation))


def cells_of(window, plane, kernel, stride, padding, dilation):
    """The cells of a window, in row-major order."""
    starts = [o * s - p for o, s, p in zip(window, stride, padding, strict=True)]
    taps = itertools.product(*map(range, kernel))
    cells = [
        tuple(a + t * d for a, t, d in zip(starts, tap, dilation, strict=True)) for tap in taps
    ]
    return [c for c in cells if all(0 <= k < m for k, m in zip(c, plane, strict=True))]


@given(CASES, st.booleans())
def test_max_pooling_takes_the_first_maximum(case, ceil_mode):
    n, seed = case
    x, *how = pooling(np.random.default_rng(seed), n)
    t = tc.tensor(x, requires_grad=True)
    y, where = MAX[n](t, *how, ceil_mode=ceil_mode, return_indices=True)
    wanted, plane = np.zeros_like(x), x.shape[2:]
    for window in np.ndindex(y.shape[2:]):
        cells = cells_of(window, plane, *how)
        for lead in np.ndindex(x.shape[:2]):
            best = max(cells, key=lambda c: x[(*lead, *c)])
            assert y[(*lead, *window)].item() == x[(*lead, *best)]
            assert where[(*lead, *window)].item() == np.ravel_multi_index(best, plane)
            wanted[(*lead, *best)] += 1
    y.sum().backward()
    np.testing.assert_array_equal(t.grad.numpy(), wanted)
    single, at = MAX[n](tc.tensor(x[0]), *how, ceil_mode=ceil_mode, return_indices=True)
    assert single.equal(y[0])
    assert at.equal(where[0])


@given(CASES, st.booleans(), st.booleans())
def test_average_pooling_counts_cells(case, ceil_mode, padded):
    n, seed = case
    x, kernel, stride, padding, _ = pooling(np.random.default_rng(seed), n)
    y = AVG[n](tc.tensor(x), kernel, stride, padding, ceil_mode, padded)
    low = padding if padded else (0,) * n
    for window in np.ndindex(y.shape[2:]):
        cells = cells_of(window, x.shape[2:], kernel, stride, padding, (1,) * n)
        count = 1
        for o, k, s, p, m, lo in zip(
            window, kernel, stride, padding, x.shape[2:], low, strict=True
        ):
            count *= min(o * s - p + k, m + lo) - max(o * s - p, -lo)
        total = sum(x[(slice(None), slice(None), *c)] for c in cells)
        np.testing.assert_allclose(y[(slice(None), slice(None), *window)].numpy(), total / count,
                                   rtol=1e-12, atol=1e-12)  # fmt: skip
    if n > 1:
        three = AVG[n](tc.tensor(x), kernel, stride, padding, ceil_mode, divisor_override=3)
        one = AVG[n](tc.tensor(x), kernel, stride, padding, ceil_mode, divisor_override=1)
        assert (three * 3.0).allclose(one)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_derivatives(n):
    (x,) = separated(np.random.default_rng(n), (2, 2, *(5, 4, 3)[:n]), low=0.2, high=2.0)
    for f in (
        lambda x: MAX[n](x, 2, 1), lambda x: AVG[n](x, 2, 1, 1), lambda x: LP[n](x, 3, 2),
    ):  # fmt: skip
        check_vjp(f, x, directions=1)
        check_second_order(lambda x, f=f: f(x * x), x, directions=1)


def test_power_average_pooling():
    x = tc.tensor([[[3.0, 4.0, 0.0, 0.0]]])
    assert F.lp_pool1d(x, 2, 2).tolist() == [[[5.0, 0.0]]]
    assert F.lp_pool1d(x, 1, 2).tolist() == [[[7.0, 0.0]]]
    assert F.lp_pool1d(-x, float("inf"), 2).tolist() == [[[4.0, 0.0]]]


@pytest.mark.parametrize("p", [1.0, 1.5, 2, 3, float("inf")])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_window_of_zeros_passes_no_gradient(n, p):
    x = tc.zeros(1, 2, *[4] * n)
    x[:, 0, :2] = 1.0
    x.requires_grad_()
    LP[n](x, p, 2).sum().backward()
    assert x.grad.isfinite().all()
    assert not x.grad[:, 1].any()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_empty_batches(n):
    x = tc.zeros(0, 3, *(5, 6, 4)[:n], requires_grad=True)
    for y in (MAX[n](x, 2), AVG[n](x, 2)):
        assert y.shape[:2] == (0, 3)
        y.sum().backward()
        assert x.grad.shape == x.shape


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("lead", [(2, 0), (0, 0), (0,)])
def test_an_empty_channel_axis_is_refused(n, lead):
    x = tc.ones(*lead, *[4] * n)
    for pool in (lambda: MAX[n](x, 2), lambda: AVG[n](x, 2), lambda: LP[n](x, 2, 2)):
        with pytest.raises(RuntimeError, match="at least one channel"):
            pool()


@pytest.mark.parametrize("pool", ["avg", "max"])
def test_an_empty_stride_is_the_kernel(pool):
    call = getattr(F, f"{pool}_pool2d")
    for stride in ((), []):
        assert call(X, (2, 2), stride).equal(call(X, (2, 2)))


X = tc.ones(1, 2, 4, 4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.max_pool1d(X, 2), RuntimeError, r"max_pool1d: expected 2D \(unbatched\) or 3D"),
        (lambda: F.avg_pool3d(X, (2, 2)), RuntimeError,
         r"avg_pool3d: kernel_size must be an integer or three, got \(2, 2\)"),
        (lambda: F.avg_pool2d(X.int(), 2, 2), NotImplementedError, "floating-point dtype"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
