"""Interpolation, windows as columns, and shuffles of channels."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.testing import check_second_order, check_vjp, conv2d_configs
from tinygrad_cnn.testing.values import signed

RNG = np.random.default_rng(0)
MODES = {
    1: ["nearest", "nearest-exact", "area", "linear"],
    2: ["nearest", "nearest-exact", "area", "bilinear", "bicubic"],
    3: ["nearest", "nearest-exact", "area", "trilinear"],
}
EVERY = [(n, mode) for n, modes in MODES.items() for mode in modes]

# PyTorch 2.13's results for the cells 0, 1, 4, 9.
RAMP = tc.tensor([[[0.0, 1.0, 4.0, 9.0]]], dtype=tc.float64)
BY_PYTORCH = [
    ({"size": 7, "mode": "nearest"}, [0, 0, 1, 1, 4, 4, 9]),
    ({"size": 3, "mode": "nearest-exact"}, [0, 4, 9]),
    ({"size": 3, "mode": "area"}, [0.5, 2.5, 6.5]),
    ({"size": 6, "mode": "linear"}, [0.0, 0.5, 1.5, 3.5, 6.5, 9.0]),
    ({"size": 6, "mode": "linear", "align_corners": True}, [0.0, 0.6, 1.6, 3.4, 6.0, 9.0]),
    ({"scale_factor": 1.4, "mode": "linear"}, [0.0, 0.5714285714, 1.8571428571, 4.0, 7.5714285714]),
    ({"scale_factor": 1.4, "mode": "linear", "recompute_scale_factor": True},
     [0.0, 0.7, 2.5, 5.5, 9.0]),
]  # fmt: skip


@pytest.mark.parametrize(("how", "wanted"), BY_PYTORCH)
def test_values_by_pytorch(how, wanted):
    np.testing.assert_allclose(F.interpolate(RAMP, **how).numpy(), [[wanted]], atol=1e-9)


def test_bicubic_by_pytorch():
    x = tc.tensor([[[[0.0, 1.0, 4.0, 9.0]]]], dtype=tc.float64)
    y = F.interpolate(x, size=(1, 6), mode="bicubic")
    wanted = [-0.0868055556, 0.21875, 1.4305555556, 3.1527777778, 6.78125, 9.4340277778]
    np.testing.assert_allclose(y.numpy(), [[[wanted]]], atol=1e-9)


@pytest.mark.parametrize(("n", "mode"), EVERY)
def test_what_holds_for_every_mode(n, mode):
    plane = (4, 3, 5)[:n]
    x = RNG.normal(size=(2, 2, *plane))
    even = F.interpolate(tc.full((1, 1, *plane), 2.5), size=(7, 2, 6)[:n], mode=mode)
    np.testing.assert_allclose(even.numpy(), 2.5, rtol=1e-6)  # weights that sum to 1
    same = F.interpolate(tc.tensor(x), size=plane, mode=mode)
    np.testing.assert_allclose(same.numpy(), x, atol=1e-12)
    resize = lambda x: F.interpolate(x, size=(6, 2, 3)[:n], mode=mode)  # noqa: E731
    check_vjp(resize, x, directions=1)
    check_second_order(lambda x: resize(x * x), x, directions=1)
    y = F.interpolate(tc.randn(0, 2, *plane, requires_grad=True), scale_factor=2.0, mode=mode)
    assert y.shape == (0, 2, *(2 * m for m in plane))
    assert y.dtype == tc.float32
    if not mode.startswith(("nearest", "area")):
        corners = F.interpolate(tc.tensor(x), size=(6, 2, 3)[:n], mode=mode, align_corners=True)
        for end in (0, -1):
            at = (slice(None), slice(None), *[end] * n)
            np.testing.assert_allclose(corners[at].numpy(), x[at], atol=1e-12)


def test_doubling_repeats_cells_and_older_names():
    x = RNG.normal(size=(2, 3, 4, 5))
    y = F.interpolate(tc.tensor(x), scale_factor=(2, 3))
    np.testing.assert_array_equal(y.numpy(), x.repeat(2, 2).repeat(3, 3))
    assert F.upsample_nearest(tc.tensor(x), scale_factor=(2, 3)).equal(y)
    assert F.upsample(tc.tensor(x), (8, 15)).equal(y)
    wanted = F.interpolate(tc.tensor(x), size=(7, 3), mode="bilinear", align_corners=True)
    assert F.upsample_bilinear(tc.tensor(x), (7, 3)).equal(wanted)


# --- Windows ------------------------------------------------------------------------------------


@given(conv2d_configs(symmetric=True), st.integers(0, 2**32))
def test_a_convolution_is_a_product_with_the_windows(config, seed):
    rng = np.random.default_rng(seed)
    n, c = max(config.x_shape[0], 1), config.x_shape[1]
    x = tc.tensor(signed(rng, (n, *config.x_shape[1:])))
    w = tc.tensor(signed(rng, (2, c, *config.w_shape[2:])))
    padding = tuple(before for before, _ in config.padding)
    columns = F.unfold(x, config.w_shape[2:], config.dilation, padding, config.stride)
    y = F.conv2d(x, w, None, config.stride, padding, config.dilation)
    assert columns.shape == (n, c * w[0, 0].numel(), y[0, 0].numel())
    assert (w.reshape(2, -1) @ columns).reshape(*y.shape).allclose(y, atol=1e-9)
    assert F.unfold(x[0], config.w_shape[2:], config.dilation, padding, config.stride).equal(
        columns[0]
    )
    u = tc.tensor(signed(rng, columns.shape))  # ⟨unfold x, u⟩ = ⟨x, fold u⟩
    back = F.fold(u, x.shape[2:], config.w_shape[2:], config.dilation, padding, config.stride)
    assert back.shape == x.shape
    assert (columns * u).sum().allclose((x * back).sum(), atol=1e-9)


def test_derivatives_of_windows():
    x = RNG.normal(size=(2, 3, 4, 5))
    check_vjp(lambda x: F.unfold(x, (2, 3), padding=1, stride=2), x)
    check_second_order(lambda x: F.unfold(x * x, (2, 3), padding=1, stride=2), x)
    columns = RNG.normal(size=(2, 8, 6))
    check_vjp(lambda u: F.fold(u, (3, 4), 2), columns)
    check_second_order(lambda u: F.fold(u * u, (3, 4), 2), columns)


# --- Channels -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lead", [(), (2,), (2, 1)])
@pytest.mark.parametrize("r", [1, 2, 3])
def test_pixel_shuffle_and_its_inverse(lead, r):
    x = tc.tensor(RNG.normal(size=(*lead, 2 * r * r, 3, 4)))
    y = F.pixel_shuffle(x, r)
    assert y.shape == (*lead, 2, 3 * r, 4 * r)
    for c, h, w in np.ndindex(2, 3 * r, 4 * r):
        source = x[..., c * r * r + h % r * r + w % r, h // r, w // r]
        assert y[..., c, h, w].equal(source)
    assert F.pixel_unshuffle(y, r).equal(x)


def test_channel_shuffle_deals_channels_out():
    x = tc.arange(6.0).reshape(1, 6, 1, 1)
    assert F.channel_shuffle(x, 2).reshape(-1).tolist() == [0, 3, 1, 4, 2, 5]
    assert F.channel_shuffle(F.channel_shuffle(x, 2), 3).equal(x)


X = tc.zeros(1, 4, 4, 4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.interpolate(X), ValueError, "either size or scale_factor should be defined"),
        (lambda: F.interpolate(X, 2, 2), ValueError, "only one of size or scale_factor"),
        (lambda: F.interpolate(X, (2, 2, 2)), ValueError,
         "Input and output size must have the same number of spatial dimensions"),
        (lambda: F.interpolate(X, scale_factor=(2,)), ValueError,
         "Input and scale_factor must have the same number"),
        (lambda: F.interpolate(X, 2.5), TypeError, "expected size to be one of int"),
        (lambda: F.interpolate(X, 2, mode="linear"), NotImplementedError,
         "Got 4D input, but linear mode needs 3D input"),
        (lambda: F.interpolate(X, 2, mode="cubic"), NotImplementedError, "got cubic"),
        (lambda: F.interpolate(X, 2, align_corners=True), ValueError,
         "align_corners option can only be set with the interpolating modes"),
        (lambda: F.interpolate(X, 2, recompute_scale_factor=True), ValueError,
         "recompute_scale_factor is not meaningful with an explicit size"),
        (lambda: F.interpolate(X, 2, mode="bilinear", antialias=True), NotImplementedError,
         "antialias"),
        (lambda: F.interpolate(X, 0), RuntimeError,
         "Input and output sizes should be greater than 0"),
        (lambda: F.unfold(X, 5), RuntimeError, "sliding blocks must be at least one"),
        (lambda: F.unfold(X[0, 0], 2), RuntimeError, "Expected 3D or 4D"),
        (lambda: F.fold(X[0], 4, 2), RuntimeError,
         "dimension 2 to match the number of sliding blocks, 3 \\* 3"),
        (lambda: F.fold(X[0][:, :3], 4, 2), RuntimeError, "dimension 1 to be divisible"),
        (lambda: F.fold(X, 4, 2), RuntimeError, "Expected 2D or 3D"),
        (lambda: F.pixel_shuffle(X, 3), RuntimeError, "channels to be divisible"),
        (lambda: F.pixel_unshuffle(X, 3), RuntimeError, "height and width to be divisible"),
        (lambda: F.pixel_shuffle(X, 0), RuntimeError, "expects a positive factor"),
        (lambda: F.pixel_shuffle(X[0, 0], 2), RuntimeError, "at least 3 dimensions"),
        (lambda: F.channel_shuffle(X, 3), RuntimeError, "must be divisible by groups"),
        (lambda: F.channel_shuffle(X, 0), RuntimeError, "must be positive"),
        (lambda: F.channel_shuffle(X[0, 0], 2), RuntimeError, "> 2 dims"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_pictures_of_bytes(mode, axes):
    x = tc.arange(2 * 4**axes).reshape(1, 2, *(4,) * axes).to(tc.uint8)
    for size in (2, 7):
        y = F.interpolate(x, size=size, mode=mode)
        assert y.dtype == tc.uint8
        assert tc.equal(y.float(), F.interpolate(x.float(), size=size, mode=mode))


# --- Bytes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("bilinear", [[20, 30, 43, 57, 70, 80], [140, 150, 163, 177, 190, 200]]),
        ("bicubic", [[15, 23, 39, 51, 67, 77], [143, 153, 169, 181, 197, 207]]),
    ],
)
def test_bytes_by_pytorch(mode, wanted):
    x = (tc.arange(12).reshape(1, 1, 3, 4) * 20).byte()
    assert F.interpolate(x, size=(2, 6), mode=mode).tolist() == [[wanted]]


@given(st.sampled_from(["bilinear", "bicubic"]), st.booleans(), st.integers(0, 2**32))
def test_bytes_are_those_of_the_resized_numbers(mode, align_corners, seed):
    """Each of the two axes rounds to the next byte, and cuts off below 0 and above 255."""
    rng = np.random.default_rng(seed)
    h, w = rng.integers(1, 9, 2)
    x = tc.tensor(rng.integers(0, 256, (2, 3, h, w)).astype(np.uint8))
    how = {"size": tuple(map(int, rng.integers(1, 9, 2))), "mode": mode}
    y = F.interpolate(x, **how, align_corners=align_corners)
    assert y.dtype == tc.uint8
    rows = F.interpolate(
        x.double(), size=(h, how["size"][1]), mode=mode, align_corners=align_corners
    )
    exact = F.interpolate(
        rows.clamp(0, 255), size=how["size"], mode=mode, align_corners=align_corners
    ).clamp(0, 255)
    limit = 1.03 if mode == "bilinear" else 1.5  # 0.5 an axis, times the sum of |weights|
    assert (y.double() - exact).abs().max() <= limit


@pytest.mark.parametrize(("n", "mode"), [(1, "linear"), (2, "bilinear"), (3, "trilinear")])
def test_an_axis_that_keeps_its_size_is_left_alone(n, mode):
    """A scale of 1.1 leaves 5 cells 5: they are not moved by the step of 1/1.1."""
    x = tc.randn(1, 1, *(5,) * n)
    assert F.interpolate(x, scale_factor=1.1, mode=mode).equal(x)
