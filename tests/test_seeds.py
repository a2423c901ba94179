"""The loops and worked examples of the four texts behind the project, as oracles.

The texts use the layout (m, n_H, n_W, n_C) with filters (f_H, f_W, C_in, C_out), we use NCHW and
OIHW. If the loops of a text are wrong, the test shows the mistake and checks the right result.
"""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.testing import conv2d_configs, pool2d_configs
from tinygrad_cnn.testing.values import separated, signed

CLOSE = {"rtol": 1e-9, "atol": 1e-9}


def nchw(a):
    """(m, H, W, C) → (m, C, H, W)"""
    return np.ascontiguousarray(a.transpose(0, 3, 1, 2))


def nhwc(a):
    return a.transpose(0, 2, 3, 1)


def oihw(w):
    """(I, J, C, F) → (F, C, I, J)"""
    return np.ascontiguousarray(w.transpose(3, 2, 0, 1))


def ijcf(w):
    return w.transpose(2, 3, 1, 0)


def leaf(array):
    return tc.tensor(array, requires_grad=True)


# --- Convolution by loops -----------------------------------------------------------------------


def zero_pad(a, pad):
    (top, bottom), (left, right) = pad
    return np.pad(a, ((0, 0), (top, bottom), (left, right), (0, 0)))


def unpad(a, pad):
    """The inverse of `zero_pad`; a slice [pad:-pad] would be empty for pad = 0."""
    (top, bottom), (left, right) = pad
    return a[:, top : a.shape[1] - bottom, left : a.shape[2] - right]


def slices(h, w, window, stride, dilation):
    """Rows and columns of the window of output (h, w)."""
    (i, j), (s, t), (d, e) = window, stride, dilation
    return slice(h * s, h * s + d * (i - 1) + 1, d), slice(w * t, w * t + e * (j - 1) + 1, e)


def conv_forward(a, w, b, stride, pad, dilation=(1, 1), groups=1):
    a_pad = zero_pad(a, pad)
    i, j, c, f = w.shape
    sizes = [
        (n - d * (k - 1) - 1) // s + 1
        for n, d, k, s in zip(a_pad.shape[1:3], dilation, (i, j), stride, strict=True)
    ]
    z = np.zeros((a.shape[0], *sizes, f))
    for m, h, v, k in np.ndindex(z.shape):
        rows, columns = slices(h, v, (i, j), stride, dilation)
        first = k // (f // groups) * c
        a_slice = a_pad[m, rows, columns, first : first + c]
        z[m, h, v, k] = np.sum(a_slice * w[:, :, :, k]) + b[k]
    return z


def conv_backward(dz, a, w, stride, pad, dilation=(1, 1), groups=1):
    """dA += W_c dZ_hw,  dW_c += a_slice dZ_hw,  db_c += dZ_hw"""
    a_pad = zero_pad(a, pad)
    da_pad, dw, db = np.zeros_like(a_pad), np.zeros_like(w), np.zeros(w.shape[3])
    i, j, c, f = w.shape
    for m, h, v, k in np.ndindex(dz.shape):
        rows, columns = slices(h, v, (i, j), stride, dilation)
        first = k // (f // groups) * c
        of_group = slice(first, first + c)
        da_pad[m, rows, columns, of_group] += w[:, :, :, k] * dz[m, h, v, k]
        dw[:, :, :, k] += a_pad[m, rows, columns, of_group] * dz[m, h, v, k]
        db[k] += dz[m, h, v, k]
    return unpad(da_pad, pad), dw, db


def our_convolution(a, w, b, dz=None, **how):
    """Z and all gradients of conv2d for the cotangent dZ (by default Z), in the texts' layout."""
    x, weight, bias = leaf(nchw(a)), leaf(oihw(w)), leaf(b)
    z = F.conv2d(x, weight, bias, **how)
    z.backward(z.detach() if dz is None else tc.tensor(nchw(dz)))
    return (
        nhwc(z.detach().numpy()), nhwc(x.grad.numpy()), ijcf(weight.grad.numpy()),
        bias.grad.numpy(),
    )  # fmt: skip


@given(conv2d_configs(symmetric=True), st.integers(0, 2**32 - 1))
def test_convolution_is_what_loops_compute(config, seed):
    rng = np.random.default_rng(seed)
    a = nhwc(signed(rng, config.x_shape))
    w = ijcf(signed(rng, config.w_shape))
    b = signed(rng, config.w_shape[:1])
    loops = config.stride, config.padding, config.dilation, config.groups
    z = conv_forward(a, w, b, *loops)
    dz = signed(rng, z.shape)
    ours = our_convolution(
        a, w, b, dz, stride=config.stride, dilation=config.dilation, groups=config.groups,
        padding=(config.padding[0][0], config.padding[1][0]),
    )  # fmt: skip
    for mine, theirs in zip(ours, (z, *conv_backward(dz, a, w, *loops)), strict=True):
        np.testing.assert_allclose(mine, theirs, **CLOSE)


@pytest.mark.parametrize("stride", [1, 2])
def test_the_configuration_of_the_texts(stride):
    random = np.random.RandomState(1)  # as np.random.seed(1)
    a, w, b = random.randn(10, 4, 4, 3), random.randn(2, 2, 3, 8), random.randn(1, 1, 1, 8)
    pad = ((2, 2), (2, 2))
    z = conv_forward(a, w, b.ravel(), (stride, stride), pad)
    assert z.shape == (10, 7, 7, 8) if stride == 1 else (10, 4, 4, 8)
    wanted = (z, *conv_backward(z, a, w, (stride, stride), pad))
    ours = our_convolution(a, w, b.ravel(), stride=stride, padding=2)
    for mine, theirs in zip(ours, wanted, strict=True):
        np.testing.assert_allclose(mine, theirs, **CLOSE)


def test_a_backward_loop_that_forgets_the_stride_is_wrong():
    """The loops of one text begin each window at h, not at stride · h: right only for stride 1."""
    rng = np.random.default_rng(0)
    a, w, b = signed(rng, (1, 5, 5, 2)), signed(rng, (3, 3, 2, 2)), np.zeros(2)
    none = ((0, 0), (0, 0))
    _, da, dw, _ = our_convolution(a, w, b, stride=2)
    z = conv_forward(a, w, b, (2, 2), none)
    right, wrong = conv_backward(z, a, w, (2, 2), none), conv_backward(z, a, w, (1, 1), none)
    np.testing.assert_allclose(da, right[0], **CLOSE)
    np.testing.assert_allclose(dw, right[1], **CLOSE)
    assert not np.allclose(da, wrong[0])
    assert not np.allclose(dw, wrong[1])


def test_without_padding_the_whole_input_gets_its_gradient():
    """One text crops dA by [pad:-pad], which is empty for pad = 0."""
    rng = np.random.default_rng(0)
    a, w = signed(rng, (2, 4, 4, 3)), signed(rng, (2, 2, 3, 8))
    assert np.zeros(4)[0:-0].size == 0
    _, da, _, _ = our_convolution(a, w, np.zeros(8), stride=1, padding=0)
    assert da.shape == a.shape
    assert np.all(da != 0)


# --- The worked example: 5 × 5 input, 3 × 3 filter, stride 2, no padding --------------------------

A = np.arange(1.0, 26.0) + np.sin(np.arange(25.0))  # a₁ .. a₂₅, without a simple pattern
W = np.cos(np.arange(1.0, 10.0))  # w₁ .. w₉
SEEN = {  # the indices of the a that w₁ .. w₉ multiply in each z
    "z1": (1, 2, 3, 6, 7, 8, 11, 12, 13),
    "z2": (3, 4, 5, 8, 9, 10, 13, 14, 15),
    "z3": (11, 12, 13, 16, 17, 18, 21, 22, 23),
    "z4": (13, 14, 15, 18, 19, 20, 23, 24, 25),
}


@pytest.fixture
def example():
    """The network of the text: z flattened, one linear output ŷ, and a squared loss."""
    x, w = leaf(A.reshape(1, 1, 5, 5)), leaf(W.reshape(1, 1, 3, 3))
    z = F.conv2d(x, w, stride=2)
    z.retain_grad()
    y_hat = F.linear(z.flatten(1), tc.tensor([[0.5, -1.0, 2.0, 0.25]], dtype=tc.float64))
    loss = ((y_hat - 3.0) ** 2).sum()
    loss.backward()
    return x, w, z


@pytest.mark.parametrize("name", SEEN)
def test_worked_example_forward_of(example, name):
    z = example[2].detach().numpy().ravel()
    wanted = sum(w * A[k - 1] for w, k in zip(W, SEEN[name], strict=True))
    assert z[list(SEEN).index(name)] == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("i", range(1, 10))
def test_worked_example_gradient_of_w(example, i):
    """∂L/∂wᵢ = Σₖ ∂zₖ/∂wᵢ ∂L/∂zₖ, and ∂zₖ/∂wᵢ is the a that wᵢ multiplies in zₖ."""
    _, w, z = example
    dz = z.grad.numpy().ravel()
    wanted = sum(A[SEEN[name][i - 1] - 1] * dz[k] for k, name in enumerate(SEEN))
    assert w.grad.numpy().ravel()[i - 1] == pytest.approx(wanted, rel=1e-12)


def dilated(dz, stride):
    """dZ with stride − 1 zeros between its elements."""
    n, c, p, q = dz.shape
    wide = np.zeros((n, c, (p - 1) * stride + 1, (q - 1) * stride + 1))
    wide[:, :, ::stride, ::stride] = dz
    return wide


def test_the_weight_gradient_is_a_convolution_with_the_dilated_output_gradient(example):
    x, w, z = example
    found = F.conv2d(x.detach(), tc.tensor(dilated(z.grad.numpy(), 2)), stride=1)
    np.testing.assert_allclose(w.grad.numpy(), found.numpy(), **CLOSE)


def test_the_input_gradient_is_the_full_convolution_with_the_flipped_filter(example):
    x, w, z = example
    flipped = tc.tensor(w.detach().numpy()[:, :, ::-1, ::-1].copy())
    full = F.conv2d(tc.tensor(dilated(z.grad.numpy(), 2)), flipped, padding=2)
    np.testing.assert_allclose(x.grad.numpy(), full.numpy(), **CLOSE)


def test_the_updated_weights(example):
    """new_w = w − α ∂L/∂w"""
    _, w, _ = example
    alpha, before, gradient = 0.01, w.detach().numpy().copy(), w.grad.numpy().copy()
    with tc.no_grad():
        w -= alpha * w.grad
    np.testing.assert_array_equal(w.detach().numpy(), before - alpha * gradient)
    assert w.requires_grad
    assert w.is_leaf


# --- Pooling ------------------------------------------------------------------------------------


def pool_loops(a, dz, config, mode, padded=True):
    """The output and dA for dZ, over (m, H, W, C). The first maximum of a window gets its dZ."""
    (i, j), output = config.kernel_size, config.output_size
    z = np.zeros((a.shape[0], *output, a.shape[3]))
    da = np.zeros_like(a)
    for m, p, q, c in np.ndindex(z.shape):
        cells, count = [], 0
        for u, v in np.ndindex(i, j):
            h = p * config.stride[0] + u * config.dilation[0] - config.padding[0]
            w = q * config.stride[1] + v * config.dilation[1] - config.padding[1]
            inside = 0 <= h < a.shape[1] and 0 <= w < a.shape[2]
            in_padding = h < a.shape[1] + config.padding[0] and w < a.shape[2] + config.padding[1]
            count += inside or (padded and in_padding)
            if inside:
                cells.append((h, w))
        values = [a[m, h, w, c] for h, w in cells]
        if mode == "max":
            z[m, p, q, c] = max(values, default=-np.inf)
            if cells:
                h, w = cells[int(np.argmax(values))]
                da[m, h, w, c] += dz[m, p, q, c]
        else:
            z[m, p, q, c] = sum(values) / count
            for h, w in cells:
                da[m, h, w, c] += dz[m, p, q, c] / count
    return z, da


@given(pool2d_configs(), st.integers(0, 2**32 - 1))
def test_max_pooling_is_what_loops_compute(config, seed):
    rng = np.random.default_rng(seed)
    (x,) = separated(rng, config.x_shape)
    x = leaf(x)
    z = F.max_pool2d(
        x, config.kernel_size, config.stride, config.padding, config.dilation, config.ceil_mode
    )
    dz = signed(rng, z.shape)
    z.backward(tc.tensor(dz))
    wanted, da = pool_loops(nhwc(x.detach().numpy()), nhwc(dz), config, "max")
    np.testing.assert_array_equal(nhwc(z.detach().numpy()), wanted)
    np.testing.assert_allclose(nhwc(x.grad.numpy()), da, **CLOSE)


@given(pool2d_configs(dilated=False), st.integers(0, 2**32 - 1), st.booleans())
def test_average_pooling_is_what_loops_compute(config, seed, count_include_pad):
    rng = np.random.default_rng(seed)
    x = leaf(signed(rng, config.x_shape))
    z = F.avg_pool2d(
        x, config.kernel_size, config.stride, config.padding, config.ceil_mode, count_include_pad
    )
    dz = signed(rng, z.shape)
    z.backward(tc.tensor(dz))
    wanted, da = pool_loops(nhwc(x.detach().numpy()), nhwc(dz), config, "mean", count_include_pad)
    np.testing.assert_allclose(nhwc(z.detach().numpy()), wanted, **CLOSE)
    np.testing.assert_allclose(nhwc(x.grad.numpy()), da, **CLOSE)


def test_the_mask_of_a_window():
    x = leaf([[[[1.0, 3.0], [4.0, 2.0]]]])
    F.max_pool2d(x, 2).sum().backward()
    assert x.grad.tolist() == [[[[0.0, 0.0], [1.0, 0.0]]]]


def test_of_tied_maxima_the_first_takes_all():
    """A mask x == max(x), as in the texts, gives dZ to every tied maximum: too large a sum."""
    x = np.array([[3.0, 1.0], [3.0, 3.0]])
    assert (x == x.max()).sum() == 3
    t = leaf(x.reshape(1, 1, 2, 2))
    F.max_pool2d(t, 2).sum().backward()
    assert t.grad.tolist() == [[[[1.0, 0.0], [0.0, 0.0]]]]


def test_a_max_pooling_mask_by_closeness_is_wrong():
    """Another text compares with np.isclose, so elements near the maximum get dZ too."""
    x = np.array([[1.0, 1.0 + 1e-9], [0.0, 0.0]])
    assert np.isclose(x, x.max()).sum() == 2
    t = leaf(x.reshape(1, 1, 2, 2))
    F.max_pool2d(t, 2).sum().backward()
    assert t.grad.tolist() == [[[[0.0, 1.0], [0.0, 0.0]]]]


def test_average_pooling_shares_in_quarters():
    x = leaf(np.arange(4.0).reshape(1, 1, 2, 2))
    y = F.avg_pool2d(x, 2)
    assert y.item() == (0 + 1 + 2 + 3) / 4
    y.backward(tc.ones(1, 1, 1, 1, dtype=tc.float64))
    assert x.grad.tolist() == [[[[0.25, 0.25], [0.25, 0.25]]]]


def test_averaging_patches_takes_the_two_axes_of_the_patch():
    """A text averages (m, H/2, 2, W/2, 2, C) over axis 3, which is W/2. Axes 2 and 4 are right."""
    x = np.random.default_rng(0).normal(size=(2, 4, 6, 3))
    patches = x.reshape(2, 2, 2, 3, 2, 3)
    ours = nhwc(F.avg_pool2d(tc.tensor(nchw(x)), 2).numpy())
    np.testing.assert_allclose(ours, patches.mean(axis=(2, 4)), **CLOSE)


@pytest.mark.parametrize(
    ("height", "width", "pool", "stride"),
    [(4, 4, (2, 2), 2), (5, 7, (2, 3), 2), (6, 5, (3, 1), 3), (7, 9, (3, 3), 1)],
)
def test_the_output_size_formula(height, width, pool, stride):
    """(Height − Pool_Height) / Stride + 1, rounded down."""
    y = F.max_pool2d(tc.zeros(1, 1, height, width), pool, stride)
    assert y.shape[2:] == ((height - pool[0]) // stride + 1, (width - pool[1]) // stride + 1)


def test_the_output_size_formula_of_the_example():
    assert F.max_pool2d(tc.zeros(1, 1, 4, 4), 2).shape == (1, 1, 2, 2)
    assert F.conv2d(tc.zeros(1, 1, 5, 5), tc.zeros(1, 1, 3, 3), stride=2).shape == (1, 1, 2, 2)


# --- ReLU, fully connected, softmax --------------------------------------------------------------


def test_relu_and_its_derivative():
    x = leaf([-2.0, 0.0, 3.0])
    y = tc.relu(x)
    y.sum().backward()
    assert y.tolist() == [0.0, 0.0, 3.0]
    assert x.grad.tolist() == [0.0, 0.0, 1.0]


def test_the_fully_connected_backward():
    """With examples in columns, and the cost a mean over m examples:

    dZ = dA ⊙ g'(Z)    dW = dZ Aᵀ / m    db = Σ dZ / m    dA_prev = Wᵀ dZ
    """
    rng = np.random.default_rng(0)
    m = 7
    a, w, b = (rng.normal(size=shape) for shape in ((4, m), (3, 4), (3, 1)))
    da = rng.normal(size=(3, m))
    z = w @ a + b
    dz = da * (z > 0)

    x, weight, bias = leaf(a.T), leaf(w), leaf(b.ravel())
    out = tc.relu(F.linear(x, weight, bias))
    (out * tc.tensor(da.T)).sum(1).mean().backward()
    np.testing.assert_allclose(weight.grad.numpy(), dz @ a.T / m, **CLOSE)
    np.testing.assert_allclose(bias.grad.numpy(), dz.sum(1) / m, **CLOSE)
    np.testing.assert_allclose(x.grad.numpy().T, w.T @ dz / m, **CLOSE)


def test_softmax_with_cross_entropy_gives_p_minus_one_hot():
    logits = np.random.default_rng(0).normal(size=(5, 3))
    labels = np.array([0, 2, 1, 1, 0])
    x = leaf(logits)
    F.cross_entropy(x, tc.tensor(labels)).backward()
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(x.grad.numpy(), (p - np.eye(3)[labels]) / 5, **CLOSE)
