"""Convolutions of one and three axes, and transposed ones, against plain loops and each other."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.ours.conv import conv, conv_input
from tinygrad_cnn.testing.values import signed

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


@st.composite
def configs(draw):
    """Shapes of x and w, and settings, for one to three spatial axes."""
    n = draw(st.integers(1, 3))
    each = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(n))  # noqa: E731
    taps, stride, dilation, padding = each(1, 3), each(1, 3), each(1, 2), each(0, 2)
    plane = tuple(
        max(1, d * (k - 1) + 1 - 2 * p) + m
        for k, d, p, m in zip(taps, dilation, padding, each(0, 3), strict=True)
    )
    groups, c, f = (draw(st.integers(1, 2)) for _ in range(3))
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return (draw(st.integers(1, 2)), groups * c, *plane), (groups * f, c, *taps), how


def pairs(how):
    return {**how, "padding": tuple((p, p) for p in how["padding"])}


@given(configs(), st.integers(0, 2**32))
def test_convolution_is_the_definition(config, seed):
    x_shape, w_shape, how = config
    rng, n = np.random.default_rng(seed), len(x_shape) - 2
    x, w, b = signed(rng, x_shape), signed(rng, w_shape), signed(rng, w_shape[:1])
    y = CONV[n](*map(tc.tensor, (x, w, b)), **how)
    np.testing.assert_allclose(y.numpy(), conv(x, w, b, **pairs(how)), rtol=1e-12, atol=1e-12)
    single = CONV[n](*map(tc.tensor, (x[0], w, b)), **how)
    np.testing.assert_allclose(single.numpy(), y.numpy()[0], rtol=1e-12, atol=1e-12)


@given(configs(), st.integers(0, 2**32), st.data())
def test_transposed_convolution_is_the_gradient_of_one(config, seed, data):
    x_shape, w_shape, how = config
    n = len(x_shape) - 2
    rng = np.random.default_rng(seed)
    u_shape = (x_shape[0], w_shape[0], *x_shape[2:])  # any plane works
    more = tuple(
        data.draw(st.integers(0, max(s, d) - 1))
        for s, d in zip(how["stride"], how["dilation"], strict=True)
    )
    axes = zip(u_shape[2:], w_shape[2:], how["stride"], how["padding"], how["dilation"], more,
               strict=True)  # fmt: skip
    plane = [(m - 1) * s - 2 * p + d * (k - 1) + 1 + o for m, k, s, p, d, o in axes]
    u, w, b = signed(rng, u_shape), signed(rng, w_shape), signed(rng, x_shape[1:2])
    given = [tc.tensor(v) for v in (u, w, b)]
    if min(plane) < 1:
        with pytest.raises(RuntimeError, match="is too small"):
            TRANSPOSED[n](*given, output_padding=more, **how)
        return
    y = TRANSPOSED[n](*given, output_padding=more, **how)
    wanted = conv_input(u, w, x_shape=(x_shape[0], x_shape[1], *plane), **pairs(how))
    wanted += b.reshape(-1, *[1] * n)
    np.testing.assert_allclose(y.numpy(), wanted, rtol=1e-12, atol=1e-12)
    single = TRANSPOSED[n](given[0][0], *given[1:], output_padding=more, **how)
    np.testing.assert_allclose(single.numpy(), wanted[0], rtol=1e-12, atol=1e-12)


@settings(max_examples=10)
@given(configs(), st.integers(0, 2**32), st.booleans())
def test_derivatives(config, seed, transposed):
    x_shape, w_shape, how = config
    rng, n = np.random.default_rng(seed), len(x_shape) - 2
    if transposed:
        x_shape = (x_shape[0], w_shape[0], *(m + 3 for m in x_shape[2:]))  # room for the padding
    function = (TRANSPOSED if transposed else CONV)[n]
    filters = w_shape[1] * how["groups"] if transposed else w_shape[0]
    xs = [signed(rng, shape) for shape in (x_shape, w_shape, (filters,))]
    check_vjp(lambda x, w, b: function(x, w, b, **how), *xs, directions=1)
    check_second_order(lambda x, w, b: function(x, w, b, **how), *xs, directions=1)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_same_padding_keeps_the_size(n):
    x = tc.randn(2, 3, *(5, 6, 4)[:n])
    for taps in (1, 2, 3, 4):
        w = tc.randn(2, 3, *(taps, 3, 2)[:n])
        y = CONV[n](x, w, padding="same", dilation=2)
        assert y.shape == (2, 2, *x.shape[2:])
        before = [d // 2 for d in (2 * (k - 1) for k in w.shape[2:])]
        behind = [2 * (k - 1) - b for k, b in zip(w.shape[2:], before, strict=True)]
        around = [p for pair in zip(before[::-1], behind[::-1], strict=True) for p in pair]
        assert y.allclose(CONV[n](F.pad(x, around), w, dilation=2), atol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_empty_batches_and_float32(n):
    plane = (5, 6, 4)[:n]
    for functions, shape in ((CONV, (2, 3)), (TRANSPOSED, (3, 2))):
        w = tc.randn(*shape, *[2] * n, requires_grad=True)
        x = tc.zeros(0, 3, *plane, requires_grad=True)
        y = functions[n](x, w, tc.ones(2), stride=2)
        assert y.shape[:2] == (0, 2)
        y.sum().backward()
        assert x.grad.shape == x.shape
        assert w.grad.abs().sum().item() == 0
        y = functions[n](tc.randn(1, 3, *plane, requires_grad=True), w, stride=2)
        assert y.dtype == tc.float32


def test_a_wide_output_padding_has_right_gradients():
    x, w = (signed(np.random.default_rng(0), (1, 2, 3)) for _ in range(2))
    up = lambda x, w: F.conv_transpose1d(x, w, dilation=3, output_padding=2)  # noqa: E731
    w = w.reshape(2, 1, 3)
    assert up(tc.tensor(x), tc.tensor(w)).shape == (1, 1, 11)
    check_vjp(up, x, w)
    check_second_order(up, x, w)


def test_conv3d_saves_its_input_and_weight_alone():
    x, w = tc.randn(1, 2, 4, 4, 4, requires_grad=True), tc.randn(3, 2, 3, 3, 3, requires_grad=True)
    node = F.conv3d(x, w)._node
    assert {id(array) for array in node.saved} == {id(x._array), id(w._array)}


X1, X2 = tc.ones(1, 4, 8), tc.ones(1, 4, 8, 8)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.conv1d(X1, tc.ones(2, 3, 3)), RuntimeError,
         "conv1d: x has 4 channels, weight expects 3"),
        (lambda: F.conv1d(X2, tc.ones(2, 4, 3)), RuntimeError,
         r"conv1d: expected 2D \(unbatched\) or 3D \(batched\) input"),
        (lambda: F.conv1d(X1, tc.ones(2, 4, 3), stride=(1, 1)), RuntimeError,
         r"conv1d: stride must be an integer, got \(1, 1\)"),
        (lambda: F.conv3d(X2[None], tc.ones(2, 1, 3, 3)), RuntimeError, "weight must have 5 axes"),
        (lambda: F.conv3d(X2[None], tc.ones(2, 1, 9, 3, 3)), RuntimeError,
         "Kernel size can't be greater than actual input size: the input is 4"),
        (lambda: F.conv_transpose2d(X2, tc.ones(3, 2, 3, 3)), RuntimeError,
         "conv_transpose2d: x has 4 channels, weight expects 3"),
        (lambda: F.conv_transpose2d(X2, tc.ones(4, 2, 3, 3), groups=3), RuntimeError,
         "4 channels cannot be split into groups"),
        (lambda: F.conv_transpose2d(X2, tc.ones(4, 2, 3, 3), tc.ones(3)), RuntimeError,
         r"bias has shape \(3,\), wanted \(2,\)"),
        (lambda: F.conv_transpose2d(X2, tc.ones(4, 2, 3, 3), output_padding=1), RuntimeError,
         "output padding must be smaller than either stride or dilation"),
        (lambda: F.conv_transpose2d(X2, tc.ones(4, 2, 3, 3), padding="same"), TypeError,
         "padding must be an integer or two, got 'same'"),
        (lambda: F.conv_transpose1d(X1, tc.ones(4, 2, 3), padding=9), RuntimeError,
         r"the calculated output size \(-8,\) is too small"),
        (lambda: F.conv_transpose1d(X1.double(), tc.ones(4, 2, 3)), RuntimeError, "one floating"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
