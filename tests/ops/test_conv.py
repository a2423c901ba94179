"""conv2d and its adjoints against their definition, and the errors of nn.functional.conv2d."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import ops
from tinygrad_cnn.testing import check_op, check_vjp, conv2d_configs
from tinygrad_cnn.testing.values import signed


def windows(x_shape, w_shape, output, stride, padding, dilation):
    """(i, j, p, q, h, k): tap (i, j) of window (p, q) is at the cell (h, k)."""
    for i, j, p, q in np.ndindex(*w_shape[2:], *output):
        h = p * stride[0] + i * dilation[0] - padding[0][0]
        k = q * stride[1] + j * dilation[1] - padding[1][0]
        if 0 <= h < x_shape[2] and 0 <= k < x_shape[3]:
            yield i, j, p, q, h, k


def output_of(x_shape, w_shape, stride, padding, dilation):
    return [
        (n + sum(pad) - d * (k - 1) - 1) // s + 1
        for n, k, s, pad, d in zip(x_shape[2:], w_shape[2:], stride, padding, dilation, strict=True)
    ]


def of_group(f, w_shape, groups):
    first = f // (w_shape[0] // groups) * w_shape[1]
    return slice(first, first + w_shape[1])


def conv2d(x, w, b=None, *, stride, padding, dilation, groups):
    output = output_of(x.shape, w.shape, stride, padding, dilation)
    y = np.zeros((x.shape[0], w.shape[0], *output))
    for i, j, p, q, h, k in windows(x.shape, w.shape, output, stride, padding, dilation):
        for f in range(w.shape[0]):
            y[:, f, p, q] += x[:, of_group(f, w.shape, groups), h, k] @ w[f, :, i, j]
    return y if b is None else y + b[:, None, None]


def conv2d_input(u, w, *, x_shape, stride, padding, dilation, groups):
    x = np.zeros(x_shape)
    for i, j, p, q, h, k in windows(x_shape, w.shape, u.shape[2:], stride, padding, dilation):
        for f in range(w.shape[0]):
            x[:, of_group(f, w.shape, groups), h, k] += u[:, f, p, q, None] * w[f, :, i, j]
    return x


def conv2d_weight(u, x, *, w_shape, stride, padding, dilation, groups):
    w = np.zeros(w_shape)
    for i, j, p, q, h, k in windows(x.shape, w_shape, u.shape[2:], stride, padding, dilation):
        for f in range(w_shape[0]):
            w[f, :, i, j] += u[:, f, p, q] @ x[:, of_group(f, w_shape, groups), h, k]
    return w


@pytest.mark.parametrize("reference", [conv2d, conv2d_input, conv2d_weight])
def test_forward_is_the_definition(reference):
    check_op(reference.__name__, reference=reference)


@given(conv2d_configs(), st.integers(0, 2**32 - 1))
def test_the_three_are_one_trilinear_form(config, seed):
    rng = np.random.default_rng(seed)
    x, w = signed(rng, config.x_shape), signed(rng, config.w_shape)
    u, how = signed(rng, config.output_shape), config.attributes
    forms = [
        np.sum(u * ops.conv2d(x, w, **how)),
        np.sum(x * ops.conv2d_input(u, w, x_shape=x.shape, **how)),
        np.sum(w * ops.conv2d_weight(u, x, w_shape=w.shape, **how)),
    ]
    np.testing.assert_allclose(forms, forms[0], rtol=1e-12, atol=1e-10)


# --- nn.functional ------------------------------------------------------------------------------


def ones(*shape):
    return tc.ones(*shape)


@pytest.mark.parametrize(
    ("kernel", "dilation", "padding"),
    [((3, 3), 1, ((1, 1), (1, 1))), ((2, 4), 1, ((0, 1), (1, 2))),
     ((2, 3), (2, 3), ((1, 1), (3, 3)))],
)  # fmt: skip
def test_padding_same_puts_the_odd_cell_right_and_bottom(kernel, dilation, padding):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 3, 6, 7)), rng.normal(size=(4, 3, *kernel))
    y = F.conv2d(tc.tensor(x), tc.tensor(w), padding="same", dilation=dilation)
    pair = dilation if isinstance(dilation, tuple) else (dilation, dilation)
    wanted = conv2d(x, w, stride=(1, 1), padding=padding, dilation=pair, groups=1)
    assert y.shape == (2, 4, 6, 7)
    np.testing.assert_allclose(y.numpy(), wanted, rtol=1e-12, atol=1e-12)


def test_padding_valid_is_none():
    x, w = tc.randn(1, 2, 5, 6), tc.randn(3, 2, 2, 3)
    assert tc.equal(F.conv2d(x, w, padding="valid"), F.conv2d(x, w))


def test_an_image_without_batch_axis():
    x, w, b = tc.randn(2, 5, 6), tc.randn(3, 2, 2, 3), tc.randn(3)
    single = F.conv2d(x, w, b, stride=2)
    assert single.shape == (3, 2, 2)
    assert tc.equal(single, F.conv2d(x.unsqueeze(0), w, b, stride=2)[0])
    check_vjp(lambda x, w: F.conv2d(x, w, stride=2), x.double().numpy(), w.double().numpy())


def test_an_empty_batch():
    x = tc.zeros(0, 2, 5, 6).requires_grad_()
    w = tc.ones(3, 2, 2, 3).requires_grad_()
    y = F.conv2d(x, w)
    assert y.shape == (0, 3, 4, 4)
    y.sum().backward()
    assert x.grad.shape == (0, 2, 5, 6)
    assert w.grad.tolist() == np.zeros((3, 2, 2, 3)).tolist()


def test_float32_stays_and_nan_spreads_no_further_than_its_windows():
    x = tc.ones(1, 1, 4, 4)
    x[0, 0, 0, 0] = float("nan")
    y = F.conv2d(x, tc.ones(1, 1, 2, 2))
    assert y.dtype == tc.float32
    assert np.isnan(y.numpy()).sum() == 1


def test_the_images_get_no_gradient_that_nobody_asked_for():
    x, w = tc.randn(1, 1, 4, 4), tc.randn(1, 1, 2, 2).requires_grad_()
    ran = []

    class Log(tc.Observer):
        def vjp_ran(self, node, g, gradients):
            ran.append((node.op.name, [v is not None for v in gradients]))

    with tc.observe(Log()):
        F.conv2d(x, w).sum().backward()
    assert ran[-1] == ("conv2d", [False, True, False])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((ones(1, 3, 8, 8), ones(2, 4, 3, 3)), RuntimeError,
         r"conv2d: x has 3 channels, weight expects 4 "
         r"\(x \(1, 3, 8, 8\), weight \(2, 4, 3, 3\), groups 1\)"),
        ((ones(1, 4, 8, 8), ones(2, 4, 3, 3), None, 1, 0, 1, 2), RuntimeError,
         "x has 4 channels, weight expects 8"),
        ((ones(1, 4, 8, 8), ones(3, 2, 3, 3), None, 1, 0, 1, 2), RuntimeError,
         "3 filters cannot be split into groups"),
        ((ones(1, 4, 8, 8), ones(3, 2, 3, 3), None, 1, 0, 1, 0), RuntimeError, "groups"),
        ((ones(8, 8), ones(2, 4, 3, 3)), RuntimeError,
         r"expected 3D \(unbatched\) or 4D \(batched\) input, got shape \(8, 8\)"),
        ((ones(1, 3, 8, 8), ones(2, 3, 3)), RuntimeError, "weight must have 4 axes"),
        ((ones(1, 3, 8, 8), ones(2, 3, 3, 3), ones(3)), RuntimeError,
         r"bias has shape \(3,\), wanted \(2,\)"),
        ((ones(1, 3, 2, 8), ones(2, 3, 3, 3)), RuntimeError,
         r"Kernel size can't be greater than actual input size: the input is 2 \+ padding 0, the "
         "kernel spans 3"),
        ((ones(1, 3, 4, 4), ones(2, 3, 3, 3), None, 1, 0, 2), RuntimeError, "the kernel spans 5"),
        ((ones(1, 3, 8, 8), ones(2, 3, 3, 3), None, 0), RuntimeError,
         "stride must be greater than zero, got 0"),
        ((ones(1, 3, 8, 8), ones(2, 3, 3, 3), None, (1, -1)), RuntimeError,
         "stride must be greater than zero"),
        ((ones(1, 3, 8, 8), ones(2, 3, 3, 3), None, 1.5), TypeError,
         "stride must be an integer or two, got 1.5"),
        ((ones(1, 3, 8, 8), ones(2, 3, 3, 3), None, (1, 2, 3)), RuntimeError, "an integer or two"),
        ((ones(1, 3, 8, 8), ones(2, 3, 3, 3), None, 1, -1), RuntimeError,
         "padding must be non-negative, got -1"),
        ((ones(1, 3, 8, 8), ones(2, 3, 3, 3), None, 1, "full"), RuntimeError,
         "Invalid padding string: 'full': conv2d takes 'valid', 'same' or integers"),
        ((ones(1, 3, 8, 8), ones(2, 3, 3, 3), None, 2, "same"), RuntimeError,
         "padding='same' is not supported for strided convolutions"),
        ((ones(1, 3, 8, 8), ones(2, 3, 3, 3), None, 1, 0, 0), RuntimeError,
         "dilation must be greater than zero"),
        ((ones(1, 3, 8, 8), ones(2, 3, 3, 3).double()), RuntimeError,
         "one floating-point dtype, got input torch.float32, weight torch.float64"),
        ((ones(1, 3, 8, 8).bool(), ones(2, 3, 3, 3).bool()), NotImplementedError,
         "one floating-point dtype, got input torch.bool, weight torch.bool"),
        ((np.ones((1, 3, 8, 8)), ones(2, 3, 3, 3)), TypeError,
         r"conv2d\(\): argument 'input' \(position 1\) must be Tensor, not numpy.ndarray"),
        ((ones(1, 3, 8, 8), np.ones((2, 3, 3, 3), np.float32)), TypeError,
         r"conv2d\(\): argument 'weight' \(position 2\) must be Tensor, not numpy.ndarray"),
    ],
)  # fmt: skip
def test_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        F.conv2d(*arguments)
