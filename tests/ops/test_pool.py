"""Pooling against its definition, its ties and empty windows, and the errors of nn.functional."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.testing import (
    check_kink,
    check_op,
    check_second_order,
    check_vjp,
    pool2d_configs,
)
from tinygrad_cnn.testing.values import separated, signed


def taps_of(x_shape, kernel_size, stride, padding, dilation, output_size):
    """(o, tap, cell): the tap with that number of window o = (p, q) is at the cell (h, k)."""
    j = kernel_size[1]
    for p, q, a, b in np.ndindex(*output_size, *kernel_size):
        h = p * stride[0] + a * dilation[0] - padding[0][0]
        k = q * stride[1] + b * dilation[1] - padding[1][0]
        if 0 <= h < x_shape[2] and 0 <= k < x_shape[3]:
            yield (..., p, q), a * j + b, (..., h, k)


def max_pool2d(x, *, output_size, **how):
    y = np.full((*x.shape[:2], *output_size), -np.inf)
    for window, _, cell in taps_of(x.shape, output_size=output_size, **how):
        y[window] = np.maximum(y[window], x[cell])
    return y


def max_pool2d_gather(x, taps, **how):
    y = np.zeros(taps.shape)
    for window, tap, cell in taps_of(x.shape, output_size=taps.shape[2:], **how):
        y[window] += np.where(taps[window] == tap, x[cell], 0)
    return y


def max_pool2d_scatter(u, taps, *, x_shape, **how):
    x = np.zeros(x_shape)
    for window, tap, cell in taps_of(x_shape, output_size=taps.shape[2:], **how):
        x[cell] += np.where(taps[window] == tap, u[window], 0)
    return x


def avg_pool2d(x, *, output_size, divisor, **how):
    y = np.zeros((*x.shape[:2], *output_size))
    for window, _, cell in taps_of(x.shape, dilation=(1, 1), output_size=output_size, **how):
        y[window] += x[cell]
    return y / divisor


def avg_pool2d_input(u, *, x_shape, divisor, **how):
    x, share = np.zeros(x_shape), u / divisor
    for window, _, cell in taps_of(x_shape, dilation=(1, 1), output_size=u.shape[2:], **how):
        x[cell] += share[window]
    return x


@pytest.mark.parametrize(
    "reference", [max_pool2d, max_pool2d_gather, max_pool2d_scatter, avg_pool2d, avg_pool2d_input]
)
def test_forward_is_the_definition(reference):
    check_op(reference.__name__, reference=reference)


# --- Max pooling --------------------------------------------------------------------------------


@given(pool2d_configs(), st.integers(0, 2**32 - 1))
def test_indices_are_flat_positions_of_the_maxima(config, seed):
    (x,) = separated(np.random.default_rng(seed), config.x_shape)
    y, where = F.max_pool2d(
        tc.tensor(x), config.kernel_size, config.stride, config.padding, config.dilation,
        config.ceil_mode, return_indices=True,
    )  # fmt: skip
    assert where.dtype == tc.int64
    assert where.shape == y.shape == (*config.x_shape[:2], *config.output_size)
    for n, c, p, q in np.ndindex(where.shape):
        at = where[n, c, p, q].item()  # -1: a window that contains only padding
        assert y[n, c, p, q].item() == (x[n, c].flat[at] if at >= 0 else -np.inf)


@pytest.mark.parametrize(
    ("window", "gradient"),
    [
        ([[1.0, 3.0], [4.0, 2.0]], [[0, 0], [1, 0]]),
        ([[3.0, 3.0], [3.0, 3.0]], [[1, 0], [0, 0]]),
        ([[1.0, 3.0], [3.0, 2.0]], [[0, 1], [0, 0]]),
        ([[0.0, -0.0], [-1.0, 0.0]], [[1, 0], [0, 0]]),
        ([[-np.inf, -np.inf], [-np.inf, -np.inf]], [[1, 0], [0, 0]]),
        ([[np.inf, 1.0], [np.inf, 2.0]], [[1, 0], [0, 0]]),
        ([[1.0, np.nan], [2.0, np.nan]], [[0, 1], [0, 0]]),
        ([[np.inf, 1.0], [np.nan, 2.0]], [[0, 0], [1, 0]]),
    ],
)
def test_the_first_maximum_in_row_major_order_takes_all(window, gradient):
    x = tc.tensor(np.array(window).reshape(1, 1, 2, 2), requires_grad=True)
    y, where = F.max_pool2d(x, 2, return_indices=True)
    y.sum().backward()
    assert x.grad.tolist() == [[gradient]]
    assert where.item() == np.argmax(gradient)


def test_the_tie_of_two_maxima_is_a_convention_between_the_slopes():
    check_kink(lambda x: F.max_pool2d(x, 2), [[[[5.0, 1.0], [5.0, 5.0]]]], [[[[1, 0], [0, 0]]]])


def test_overlapping_windows_add_up():
    x = tc.tensor([[[[1.0, 9.0, 2.0], [3.0, 4.0, 5.0]]]], requires_grad=True)
    F.max_pool2d(x, 2, stride=1).sum().backward()
    assert x.grad.tolist() == [[[[0.0, 2.0, 0.0], [0.0, 0.0, 0.0]]]]


def test_a_window_of_padding_alone_is_minus_infinity_and_passes_nothing():
    x = tc.tensor(np.full((1, 1, 1, 1), 7.0), requires_grad=True)
    y, where = F.max_pool2d(x, 2, stride=1, padding=1, dilation=2, return_indices=True)
    assert y.tolist() == [[[[-np.inf]]]]
    assert where.tolist() == [[[[-1]]]]
    y.sum().backward()
    assert x.grad.tolist() == [[[[0.0]]]]


def test_nan_is_passed_on():
    x = tc.zeros(1, 1, 2, 4)
    x[0, 0, 1, 0] = float("nan")
    y = F.max_pool2d(x, 2)
    assert np.isnan(y.numpy()).tolist() == [[[[True, False]]]]


def test_ceil_mode_drops_a_window_that_would_start_in_the_padding():
    x = tc.arange(5.0).reshape(1, 1, 1, 5)
    assert F.max_pool2d(x, (1, 2), 2, ceil_mode=True).tolist() == [[[[1.0, 3.0, 4.0]]]]
    assert F.max_pool2d(x, (1, 2), 2).tolist() == [[[[1.0, 3.0]]]]
    assert F.max_pool2d(x, (1, 2), (1, 4), (0, 1), ceil_mode=True).shape == (1, 1, 1, 2)
    assert F.max_pool2d(x, (1, 2), (1, 6), (0, 1), ceil_mode=True).shape == (1, 1, 1, 1)


def test_stride_is_the_kernel_unless_told():
    x = tc.randn(2, 3, 6, 6)
    assert F.max_pool2d(x, (2, 3)).shape == F.avg_pool2d(x, (2, 3)).shape == (2, 3, 3, 2)
    assert F.max_pool2d(x, 2, stride=[]).shape == (2, 3, 3, 3)


def test_integers_pool_too():
    x = tc.tensor([[[[1, 3], [4, 2]]]])
    y = F.max_pool2d(x, 2)
    assert y.tolist() == [[[[4]]]]
    assert y.dtype == tc.int64


# --- Average pooling ----------------------------------------------------------------------------


def test_what_average_pooling_divides_by():
    x = tc.ones(1, 1, 3, 3)
    padded = F.avg_pool2d(x, 2, padding=1)
    assert padded.tolist() == [[[[0.25, 0.5], [0.5, 1.0]]]]
    bare = F.avg_pool2d(x, 2, padding=1, count_include_pad=False)
    assert bare.tolist() == [[[[1.0, 1.0], [1.0, 1.0]]]]
    over = F.avg_pool2d(x, 2, ceil_mode=True)  # the overhang of ceil_mode is never counted
    assert over.tolist() == [[[[1.0, 1.0], [1.0, 1.0]]]]
    by_three = F.avg_pool2d(x, 2, padding=1, count_include_pad=False, divisor_override=3)
    np.testing.assert_allclose(by_three.numpy(), [[[[1 / 3, 2 / 3], [2 / 3, 4 / 3]]]], rtol=1e-6)


@pytest.mark.parametrize("size", [1, 2, (3, 2), (5, 7), (7, 9), (None, 3), 5])
def test_adaptive_average_pooling_is_the_mean_of_its_windows(size):
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 7))
    p, q = size if isinstance(size, tuple) else (size, size)
    p = 5 if p is None else p
    wanted = np.array(
        [[x[:, :, i * 5 // p : -(-(i + 1) * 5 // p), j * 7 // q : -(-(j + 1) * 7 // q)].mean((2, 3))
          for j in range(q)] for i in range(p)]
    )  # fmt: skip
    y = F.adaptive_avg_pool2d(tc.tensor(x), size)
    np.testing.assert_allclose(y.numpy(), wanted.transpose(2, 3, 0, 1), rtol=1e-12, atol=1e-12)
    check_vjp(lambda x: F.adaptive_avg_pool2d(x, size), x, directions=1)


# --- All of them --------------------------------------------------------------------------------

POOLS = [
    lambda x: F.max_pool2d(x, (2, 3), (1, 2), (1, 1)),
    lambda x: F.avg_pool2d(x, (2, 3), (1, 2), (1, 1)),
    lambda x: F.adaptive_avg_pool2d(x, (2, 3)),
]


@pytest.mark.parametrize("pool", POOLS)
def test_images_without_batch_axis_and_empty_batches(pool):
    x = tc.randn(3, 5, 6)
    assert tc.equal(pool(x), pool(x.unsqueeze(0))[0])
    empty = tc.zeros(0, 3, 5, 6).requires_grad_()
    y = pool(empty)
    assert y.shape == (0, *pool(x).shape)
    y.sum().backward()
    assert empty.grad.shape == (0, 3, 5, 6)


@pytest.mark.parametrize("pool", POOLS)
def test_derivatives_through_nn_functional(pool):
    (x,) = separated(np.random.default_rng(0), (2, 2, 4, 5))
    check_vjp(pool, x)
    check_second_order(lambda x: pool(x * x), x)


@pytest.mark.parametrize("pool", POOLS)
def test_float32_stays(pool):
    x = tc.tensor(signed(np.random.default_rng(0), (1, 2, 4, 5), np.float32), requires_grad=True)
    y = pool(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == tc.float32


X = tc.ones(1, 2, 4, 5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.max_pool2d(X, 2, padding=2), RuntimeError,
         "pad should be at most half of effective kernel size, but got padding=2, kernel_size=2"),
        (lambda: F.avg_pool2d(X, (2, 4), padding=(2, 1)), RuntimeError,
         "pad should be at most half"),
        (lambda: F.max_pool2d(X, 0), RuntimeError, "kernel_size must be greater than zero, got 0"),
        (lambda: F.max_pool2d(X, 2, 0), RuntimeError, "stride must be greater than zero"),
        (lambda: F.max_pool2d(X, 2, dilation=0), RuntimeError,
         "dilation must be greater than zero"),
        (lambda: F.max_pool2d(X, 2, padding=-1), RuntimeError, "padding must be non-negative"),
        (lambda: F.max_pool2d(X, 2.0), TypeError, "kernel_size must be an integer or two, got 2.0"),
        (lambda: F.max_pool2d(X, (2, 2, 2)), RuntimeError, "kernel_size must be an integer or two"),
        (lambda: F.max_pool2d(X, (5, 2)), RuntimeError,
         r"input of shape \(1, 2, 4, 5\) with kernel_size=\(5, 2\), .* output size is too small"),
        (lambda: F.max_pool2d(tc.ones(4, 5), 2), RuntimeError,
         r"expected 3D \(unbatched\) or 4D \(batched\) input, got shape \(4, 5\)"),
        (lambda: F.max_pool2d(np.ones((1, 1, 2, 2)), 2), TypeError,
         r"max_pool2d\(\): argument 'input' \(position 1\) must be Tensor, not numpy.ndarray"),
        (lambda: F.avg_pool2d(X, 2, divisor_override=0), RuntimeError, "divisor must be not zero"),
        (lambda: F.avg_pool2d(X.int(), 2), RuntimeError, "floating-point dtype, got input torch.int32"),
        (lambda: F.adaptive_avg_pool2d(X.long(), 2), RuntimeError, "floating-point dtype"),
        (lambda: F.adaptive_avg_pool2d(X, (1, -1)), RuntimeError,
         "output_size must be non-negative"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
