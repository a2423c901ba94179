"""Layers of integers, against those of float64: exact, of the same dtype, wrapping around."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F

DTYPES = [tc.int64, tc.int32, tc.int16, tc.int8, tc.uint8]
AVG = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
LP = {1: F.lp_pool1d, 2: F.lp_pool2d, 3: F.lp_pool3d}
CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def drawn(rng, dtype, *shape):
    low = 0 if dtype == tc.uint8 else -3
    return tc.tensor(rng.integers(low, 4, shape)).to(dtype)


def equal_to_float64(fn, *xs):
    """fn of integers is fn of float64, in their dtype."""
    y = fn(*xs)
    wanted = fn(*(None if x is None else x.double() for x in xs))
    dtype = xs[0].dtype
    assert y.dtype == xs[0].dtype
    assert not y.requires_grad
    np.testing.assert_array_equal(y.numpy(), wanted.trunc().long().numpy().astype(dtype))


@given(st.integers(1, 3), st.sampled_from(DTYPES), st.integers(0, 2**32))
def test_convolutions(n, dtype, seed):
    rng = np.random.default_rng(seed)
    groups = int(rng.integers(1, 3))
    kernel, stride, dilation = rng.integers(1, 4, (3, n))
    padding = rng.integers(0, 3, n)
    plane = dilation * (kernel - 1) + 1 + rng.integers(0, 3, n)
    x = drawn(rng, dtype, *[2] * int(rng.integers(0, 2)), 2 * groups, *plane)
    w, b = drawn(rng, dtype, 3 * groups, 2, *kernel), drawn(rng, dtype, 3 * groups)
    settings = {
        "stride": tuple(stride.tolist()), "padding": tuple(padding.tolist()),
        "dilation": tuple(dilation.tolist()), "groups": groups,
    }  # fmt: skip
    for bias in (None, b):
        equal_to_float64(lambda *xs: CONV[n](*xs, **settings), x, w, bias)
    equal_to_float64(lambda *xs: CONV[n](*xs, padding="same", groups=groups), x, w)

    u, w = drawn(rng, tc.int64, 2, 2 * groups, *plane), drawn(rng, tc.int64, 2 * groups, 3, *kernel)
    settings["padding"] = tuple(np.minimum(padding, dilation * (kernel - 1) // 2).tolist())
    settings["output_padding"] = tuple(
        (rng.integers(0, 3, n) % np.maximum(stride, dilation)).tolist()
    )
    for bias in (None, b.long()):
        equal_to_float64(lambda *xs: TRANSPOSED[n](*xs, **settings), u, w, bias)


@given(st.integers(1, 3), st.booleans(), st.booleans(), st.integers(0, 2**32))
def test_average_pooling_rounds_towards_zero(n, ceil, padded, seed):
    rng = np.random.default_rng(seed)
    kernel, stride = rng.integers(1, 4, (2, n))
    padding = rng.integers(0, kernel // 2 + 1)
    x = tc.tensor(rng.integers(-50, 50, (2, 3, *(kernel + rng.integers(0, 3, n)))))
    settings = [tuple(v.tolist()) for v in (kernel, stride, padding)]
    # float64 rounds a whole mean down at times: a sum over 27 is 1/27 away from the next
    nudged = lambda y: y if y.dtype == tc.int64 else y + y.sign() * 1e-9  # noqa: E731
    equal_to_float64(lambda v: nudged(AVG[n](v, *settings, ceil, padded)), x)
    if n > 1:
        for divisor in (3, -2):
            equal_to_float64(lambda v, d=divisor: nudged(AVG[n](v, *settings, ceil, padded, d)), x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_linear_and_bilinear(dtype):
    rng = np.random.default_rng(0)
    x, w, b = (drawn(rng, dtype, *shape) for shape in [(2, 4, 3), (5, 3), (5,)])
    equal_to_float64(F.linear, x, w)
    equal_to_float64(F.linear, x, w, b)
    equal_to_float64(F.linear, x[0, 0], w, b)
    equal_to_float64(F.linear, x, w[0])
    equal_to_float64(F.bilinear, x, x[..., :2], drawn(rng, dtype, 5, 3, 2), b)


def test_integers_that_no_float_holds():
    n = 2**53 + 1
    assert F.conv1d(tc.tensor([[n, 1]]), tc.ones(1, 1, 2).long()).tolist() == [[n + 1]]
    assert F.conv_transpose1d(tc.tensor([[n]]), tc.ones(1, 1, 2).long()).tolist() == [[n, n]]
    assert F.linear(tc.tensor([n, 1]), tc.tensor([[1, 1]])).tolist() == [n + 1]
    assert F.avg_pool1d(tc.tensor([[n, n]]), 2).tolist() == [[n]]
    wraps = tc.tensor([[200, 100]], dtype=tc.uint8)
    assert F.conv1d(wraps, tc.ones(1, 1, 2, dtype=tc.uint8)).tolist() == [[44]]


@pytest.mark.parametrize("dtype", [*DTYPES, tc.bool])
def test_what_integers_do_not_have(dtype):
    x, w = tc.ones(1, 2, 4, 4).to(dtype), tc.ones(2, 2, 2, 2).to(dtype)
    calls = [
        lambda: F.adaptive_avg_pool2d(x, 2),
        lambda: F.batch_norm(x, None, None, training=True),
        lambda: F.layer_norm(x, (4,)),
    ]
    if dtype != tc.int64:
        calls += [lambda: F.avg_pool2d(x, 2), lambda: F.conv_transpose2d(x, w)]
    if dtype == tc.bool:
        calls += [
            lambda: F.conv2d(x, w),
            lambda: F.linear(x, x[0, 0]),
            lambda: F.max_pool2d(x, 2),
            lambda: F.adaptive_max_pool2d(x, 2),
        ]
    for call in calls:
        with pytest.raises(NotImplementedError):
            call()
    for call in (lambda: F.conv2d(x, w.float()), lambda: F.linear(tc.ones(2, 4), x[0, 0])):
        with pytest.raises(RuntimeError, match="one floating-point dtype"):
            call()


@pytest.mark.parametrize("dtype", [*DTYPES, tc.bool])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_lp_pooling_of_integers_is_of_floating_point(n, dtype):
    x = tc.ones(1, 2, *[4] * n).to(dtype)
    assert LP[n](x, 2, 2).equal(LP[n](x.float(), 2, 2))


def test_a_vector_as_the_weight_of_linear():
    x, w = tc.randn(2, 3, 4, requires_grad=True), tc.randn(4, requires_grad=True)
    y = F.linear(x, w, tc.tensor(2.0))
    assert y.shape == (2, 3)
    np.testing.assert_allclose(y.detach().numpy(), (x @ w + 2.0).detach().numpy(), rtol=1e-5)
    y.sum().backward()
    assert w.grad.shape == (4,)
