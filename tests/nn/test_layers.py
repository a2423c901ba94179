"""Layers: equal to their functions, their parameters, and their text as in PyTorch."""

import inspect
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn

seeds = st.integers(0, 2**32)

# Printed by PyTorch 2.13.
TEXT = [
    (lambda: nn.Conv2d(1, 6, 5, padding=2),
     "Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))"),
    (lambda: nn.Conv2d(1, 6, (5, 3)), "Conv2d(1, 6, kernel_size=(5, 3), stride=(1, 1))"),
    (lambda: nn.Conv2d(2, 4, 3, padding="same", padding_mode="reflect", groups=2, bias=False,
                       dilation=2),
     "Conv2d(2, 4, kernel_size=(3, 3), stride=(1, 1), padding=same, dilation=(2, 2), groups=2, "
     "bias=False, padding_mode=reflect)"),
    (lambda: nn.Linear(3, 4, bias=False), "Linear(in_features=3, out_features=4, bias=False)"),
    (lambda: nn.BatchNorm2d(4), "BatchNorm2d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, "
     "track_running_stats=True)"),
    (lambda: nn.BatchNorm1d(3, affine=False), "BatchNorm1d(3, eps=1e-05, momentum=0.1, "
     "affine=False, bias=False, track_running_stats=True)"),
    (lambda: nn.Dropout(), "Dropout(p=0.5, inplace=False)"),
    (lambda: nn.MaxPool2d(2),
     "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"),
    (lambda: nn.MaxPool2d((2, 3), padding=1, ceil_mode=True),
     "MaxPool2d(kernel_size=(2, 3), stride=(2, 3), padding=1, dilation=1, ceil_mode=True)"),
    (lambda: nn.AvgPool2d(2), "AvgPool2d(kernel_size=2, stride=2, padding=0)"),
    (lambda: nn.AdaptiveAvgPool2d((2, None)), "AdaptiveAvgPool2d(output_size=(2, None))"),
    (lambda: nn.Flatten(), "Flatten(start_dim=1, end_dim=-1)"),
    (lambda: nn.Unflatten(1, (2, 3)), "Unflatten(dim=1, unflattened_size=(2, 3))"),
    (lambda: nn.Identity(3, a=4), "Identity()"),
    (lambda: nn.Conv1d(2, 4, 3, stride=2),
     "Conv1d(2, 4, kernel_size=(3,), stride=(2,))"),
    (lambda: nn.Conv3d(2, 4, 3, padding=(1, 0, 1)),
     "Conv3d(2, 4, kernel_size=(3, 3, 3), stride=(1, 1, 1), padding=(1, 0, 1))"),
    (lambda: nn.ConvTranspose1d(2, 4, 3),
     "ConvTranspose1d(2, 4, kernel_size=(3,), stride=(1,))"),
    (lambda: nn.ConvTranspose2d(4, 6, 3, 2, padding=1, output_padding=1, groups=2, dilation=2, bias=False),
     "ConvTranspose2d(4, 6, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), dilation=(2, "
     "2), output_padding=(1, 1), groups=2, bias=False)"),
    (lambda: nn.ConvTranspose3d(2, 4, (1, 2, 3)),
     "ConvTranspose3d(2, 4, kernel_size=(1, 2, 3), stride=(1, 1, 1))"),
    (lambda: nn.MaxPool1d(2),
     "MaxPool1d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"),
    (lambda: nn.MaxPool3d((1, 2, 2), 1),
     "MaxPool3d(kernel_size=(1, 2, 2), stride=1, padding=0, dilation=1, ceil_mode=False)"),
    (lambda: nn.MaxUnpool2d(2),
     "MaxUnpool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))"),
    (lambda: nn.MaxUnpool1d(3, 2, 1),
     "MaxUnpool1d(kernel_size=(3,), stride=(2,), padding=(1,))"),
    (lambda: nn.AvgPool1d(2, 1, 1),
     "AvgPool1d(kernel_size=(2,), stride=(1,), padding=(1,))"),
    (lambda: nn.AvgPool3d(2),
     "AvgPool3d(kernel_size=2, stride=2, padding=0)"),
    (lambda: nn.LPPool2d(2, 3),
     "LPPool2d(norm_type=2, kernel_size=3, stride=None, ceil_mode=False)"),
    (lambda: nn.AdaptiveAvgPool1d(3),
     "AdaptiveAvgPool1d(output_size=3)"),
    (lambda: nn.AdaptiveMaxPool2d((5, None)),
     "AdaptiveMaxPool2d(output_size=(5, None))"),
    (lambda: nn.BatchNorm3d(4, momentum=None),
     "BatchNorm3d(4, eps=1e-05, momentum=None, affine=True, bias=True, "
     "track_running_stats=True)"),
    (lambda: nn.InstanceNorm2d(4),
     "InstanceNorm2d(4, eps=1e-05, momentum=0.1, affine=False, bias=False, "
     "track_running_stats=False)"),
    (lambda: nn.InstanceNorm1d(4, affine=True),
     "InstanceNorm1d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, "
     "track_running_stats=False)"),
    (lambda: nn.LayerNorm((3, 4)),
     "LayerNorm((3, 4), eps=1e-05, elementwise_affine=True, bias=True)"),
    (lambda: nn.LayerNorm(4, bias=False),
     "LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=False)"),
    (lambda: nn.RMSNorm(4),
     "RMSNorm((4,), eps=None, elementwise_affine=True)"),
    (lambda: nn.GroupNorm(2, 4),
     "GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)"),
    (lambda: nn.LocalResponseNorm(5),
     "LocalResponseNorm(5, alpha=0.0001, beta=0.75, k=1.0)"),
    (lambda: nn.Dropout2d(0.2),
     "Dropout2d(p=0.2, inplace=False)"),
    (lambda: nn.AlphaDropout(0.3, True),
     "AlphaDropout(p=0.3, inplace=True)"),
    (lambda: nn.ZeroPad2d(1),
     "ZeroPad2d((1, 1, 1, 1))"),
    (lambda: nn.ConstantPad1d((1, 2), 3.5),
     "ConstantPad1d(padding=(1, 2), value=3.5)"),
    (lambda: nn.ReflectionPad2d((1, 2, 3, 4)),
     "ReflectionPad2d((1, 2, 3, 4))"),
    (lambda: nn.ReplicationPad3d(1),
     "ReplicationPad3d((1, 1, 1, 1, 1, 1))"),
    (lambda: nn.CircularPad1d(2),
     "CircularPad1d((2, 2))"),
    (lambda: nn.Upsample(scale_factor=2, mode="bilinear"),
     "Upsample(scale_factor=2.0, mode='bilinear')"),
    (lambda: nn.Upsample((4, 5)),
     "Upsample(size=(4, 5), mode='nearest')"),
    (lambda: nn.UpsamplingNearest2d(scale_factor=2),
     "UpsamplingNearest2d(scale_factor=2.0, mode='nearest')"),
    (lambda: nn.UpsamplingBilinear2d(7),
     "UpsamplingBilinear2d(size=7, mode='bilinear')"),
    (lambda: nn.PixelShuffle(2),
     "PixelShuffle(upscale_factor=2)"),
    (lambda: nn.PixelUnshuffle(3),
     "PixelUnshuffle(downscale_factor=3)"),
    (lambda: nn.ChannelShuffle(2),
     "ChannelShuffle(groups=2)"),
    (lambda: nn.Unfold(2, padding=1),
     "Unfold(kernel_size=2, dilation=1, padding=1, stride=1)"),
    (lambda: nn.Fold((4, 5), 2),
     "Fold(output_size=(4, 5), kernel_size=2, dilation=1, padding=0, stride=1)"),
    (lambda: nn.ReLU(), "ReLU()"),
    (lambda: nn.ReLU(True), "ReLU(inplace=True)"),
    (lambda: nn.LeakyReLU(0.2, True), "LeakyReLU(negative_slope=0.2, inplace=True)"),
    (lambda: nn.LeakyReLU(), "LeakyReLU(negative_slope=0.01)"),
    (lambda: nn.Sigmoid(), "Sigmoid()"),
    (lambda: nn.Tanh(), "Tanh()"),
    (lambda: nn.SiLU(), "SiLU()"),
    (lambda: nn.Softmax(1), "Softmax(dim=1)"),
    (lambda: nn.LogSoftmax(dim=-1), "LogSoftmax(dim=-1)"),
    (lambda: nn.CrossEntropyLoss(), "CrossEntropyLoss()"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "text"), TEXT)
def test_text_is_pytorchs(make, text):
    layer = make()
    assert repr(layer) == text
    assert repr(pickle.loads(pickle.dumps(layer))) == text


# --- Parameters and their initial values ----------------------------------------------------------


@given(seeds, st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3),
       st.integers(1, 3), st.booleans())  # fmt: skip
def test_conv2d_shapes_bounds_and_values(seed, groups, per_group, out, kh, kw, bias):
    tc.manual_seed(seed)
    conv = nn.Conv2d(groups * per_group, groups * out, (kh, kw), groups=groups, bias=bias)
    assert conv.weight.shape == (groups * out, per_group, kh, kw)
    bound = 1 / math.sqrt(per_group * kh * kw)
    for p in conv.parameters():
        assert p.requires_grad
        assert p.dtype == tc.float32
        assert p.abs().max() <= bound * 1.000001
    assert (conv.bias is not None) == bias
    again = conv.weight.clone()
    tc.manual_seed(seed)
    conv.reset_parameters()
    assert conv.weight.equal(again), "the values are a function of the seed"
    x = tc.randn(2, groups * per_group, kh + 1, kw + 2)
    assert conv(x).equal(F.conv2d(x, conv.weight, conv.bias, groups=groups))


@given(seeds, st.integers(1, 40), st.integers(1, 40))
def test_linear_shapes_bounds_and_values(seed, d, f):
    tc.manual_seed(seed)
    layer = nn.Linear(d, f, dtype=tc.float64)
    assert layer.weight.shape == (f, d)
    assert layer.bias.shape == (f,)
    assert layer.weight.dtype == tc.float64
    for p in layer.parameters():
        assert p.abs().max() <= 1 / math.sqrt(d)
    x = tc.randn(3, d, dtype=tc.float64)
    np.testing.assert_allclose(
        layer(x).detach().numpy(),
        x.numpy() @ layer.weight.detach().numpy().T + layer.bias.detach().numpy(),
    )


def test_first_values_fill_their_range():
    layer = nn.Linear(100, 200)
    w = layer.weight.detach().numpy()
    assert w.std() == pytest.approx(0.1 / math.sqrt(3), rel=0.02)
    assert abs(w.mean()) < 0.002
    assert layer.bias.detach().numpy().std() == pytest.approx(0.1 / math.sqrt(3), rel=0.2)


@pytest.mark.parametrize(("mode", "name"), [("reflect", "reflect"), ("replicate", "edge"),
                                            ("circular", "wrap")])  # fmt: skip
def test_conv2d_pads_by_its_mode(mode, name, monkeypatch):
    def pad(x, widths, mode):
        assert mode == padding_mode
        left, right, top, bottom = widths
        around = ((0, 0), (0, 0), (top, bottom), (left, right))
        return tc.from_numpy(np.pad(x.numpy(), around, name))

    padding_mode = mode
    monkeypatch.setattr(F, "pad", pad)
    conv, x = nn.Conv2d(1, 2, (3, 2), padding=(1, 2), padding_mode=mode), tc.randn(1, 1, 4, 5)
    wanted = F.conv2d(pad(x, (2, 2, 1, 1), mode), conv.weight, conv.bias)
    assert conv(x).equal(wanted)
    same = nn.Conv2d(1, 2, (3, 2), padding="same", padding_mode=mode)
    wanted = F.conv2d(pad(x, (0, 1, 1, 1), mode), same.weight, same.bias)
    assert same(x).equal(wanted)


@given(seeds, st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.integers(1, 2),
       st.integers(0, 2), st.integers(0, 2), st.integers(1, 2))  # fmt: skip
def test_conv2d_passes_its_settings_on(seed, kh, kw, sh, sw, ph, pw, dilation):
    tc.manual_seed(seed)
    conv = nn.Conv2d(2, 3, (kh, kw), (sh, sw), (ph, pw), dilation)
    x = tc.randn(2, 7, 8)
    wanted = F.conv2d(x, conv.weight, conv.bias, (sh, sw), (ph, pw), dilation)
    assert conv(x).equal(wanted)
    same = nn.Conv2d(2, 3, (kh, kw), padding="same", dilation=dilation)
    assert same(x).shape == (3, 7, 8)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=0), ValueError, "groups must be a positive integer"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, "in_channels must be divisible"),
        (lambda: nn.Conv2d(4, 3, 3, groups=2), ValueError, "out_channels must be divisible"),
        (lambda: nn.Conv2d(3, 4, 3, padding="x"), ValueError, "Invalid padding string 'x'"),
        (lambda: nn.Conv2d(3, 4, 3, padding="same", stride=2), ValueError,
         "padding='same' is not supported for strided convolutions"),
        (lambda: nn.Conv2d(3, 4, 3, padding_mode="x"), ValueError,
         "padding_mode must be one of .*, but got padding_mode='x'"),
        (lambda: nn.Conv2d(3, 4, (3, 3, 3)), ValueError, "kernel_size must be an integer or two"),
        (lambda: nn.Conv2d(3, 4, 3)(tc.ones(1, 2, 5, 5)), RuntimeError,
         r"x has 2 channels, weight expects 3"),
        (lambda: nn.Linear(3, 4)(tc.ones(1, 2)), RuntimeError, "cannot be multiplied"),
        (lambda: nn.BatchNorm2d(3)(tc.ones(2, 3)), ValueError, r"expected 4D input \(got 2D"),
        (lambda: nn.BatchNorm1d(3)(tc.ones(2)), ValueError, r"expected 2D or 3D input \(got 1D"),
        (lambda: nn.BatchNorm1d(3)(tc.ones(1, 3)), ValueError, "more than 1 value per channel"),
        (lambda: nn.Conv1d(3, 4, (3, 3)), ValueError, "Conv1d: kernel_size must be an integer, got"),
        (lambda: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"), ValueError,
         'Only "zeros" padding mode is supported for ConvTranspose2d'),
        (lambda: nn.ConvTranspose2d(3, 4, 3, padding="same"), TypeError, "padding must be integers"),
        (lambda: nn.ConvTranspose1d(3, 4, 3)(tc.ones(1, 3, 5), output_size=(9,)), ValueError,
         r"requested an output size of \[9\], but valid sizes range from \[7\] to \[7\]"),
        (lambda: nn.ConvTranspose2d(3, 4, 3)(tc.ones(1, 3, 5, 5), (9,)), ValueError,
         "ConvTranspose2D: for 4D input, output_size must have 2 or 4 elements"),
        (lambda: nn.BatchNorm3d(3)(tc.ones(2, 3, 1)), ValueError, r"expected 5D input \(got 3D"),
        (lambda: nn.InstanceNorm1d(3, affine=True)(tc.ones(2, 4, 5)), ValueError,
         r"expected input's size at dim=1 to match num_features \(3\), but got: 4"),
        (lambda: nn.InstanceNorm2d(3)(tc.ones(2, 3)), ValueError,
         r"expected 3D or 4D input \(got 2D"),
        (lambda: nn.GroupNorm(2, 3), ValueError, "must be divisible by num_groups"),
        (lambda: nn.LayerNorm(3)(tc.ones(2, 4)), RuntimeError, r"Given normalized_shape=\[3\]"),
        (lambda: nn.Dropout2d(-1), ValueError, "between 0 and 1, but got -1"),
        (lambda: nn.PixelShuffle(), TypeError,
         r"^PixelShuffle.__init__\(\) missing 1 required positional argument: 'upscale_factor'$"),
        (lambda: nn.Dropout(2), ValueError, "between 0 and 1, but got 2"),
        (lambda: nn.ReLU(1, 2), TypeError,
         r"^ReLU.__init__\(\) takes from 1 to 2 positional arguments but 3 were given$"),
        (lambda: nn.MaxPool2d(), TypeError,
         r"^MaxPool2d.__init__\(\) missing 1 required positional argument: 'kernel_size'$"),
        (lambda: nn.AvgPool2d(2, x=3), TypeError,
         r"^AvgPool2d.__init__\(\) got an unexpected keyword argument 'x'$"),
        (lambda: nn.Tanh(3), TypeError,
         r"^Tanh.__init__\(\) takes 1 positional argument but 2 were given$"),
        (lambda: nn.Linear(1, 1, device="cuda"), RuntimeError, "cuda"),
    ],
)  # fmt: skip
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()


# --- Batch norm -----------------------------------------------------------------------------------


@given(seeds, st.integers(2, 5), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3),
       st.sampled_from([0.1, 0.7, None]))  # fmt: skip
def test_batch_norm_follows_its_batches(seed, n, c, h, w, momentum):
    rng = np.random.default_rng(seed)
    bn = nn.BatchNorm2d(c, momentum=momentum).double()
    mean, variance = np.zeros(c), np.ones(c)
    for t in range(1, 4):
        x = rng.standard_normal((n, c, h, w)) * 3 + 1
        y = bn(tc.from_numpy(x)).detach().numpy()
        mu, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
        column = (1, c, 1, 1)
        np.testing.assert_allclose(
            y, (x - mu.reshape(column)) / np.sqrt(var.reshape(column) + 1e-5), atol=1e-9
        )
        rate, m = momentum or 1 / t, n * h * w
        mean += rate * (mu - mean)
        variance += rate * (var * m / (m - 1) - variance)
    np.testing.assert_allclose(bn.running_mean.numpy(), mean)
    np.testing.assert_allclose(bn.running_var.numpy(), variance)
    assert bn.num_batches_tracked.item() == 3
    bn.eval()
    np.testing.assert_allclose(
        bn(tc.from_numpy(x)).detach().numpy(),
        (x - mean.reshape(column)) / np.sqrt(variance.reshape(column) + 1e-5),
        atol=1e-9,
    )
    assert bn.num_batches_tracked.item() == 3
    bn.reset_parameters()
    assert bn.num_batches_tracked.item() == 0
    assert bn.running_var.tolist() == [1.0] * c


def test_batch_norm_without_running_values_uses_the_batch_in_evaluation_too():
    bn = nn.BatchNorm1d(2, track_running_stats=False).eval()
    assert bn.running_mean is None
    assert list(bn.state_dict()) == ["weight", "bias"]
    y = bn(tc.tensor([[1.0, 2.0], [3.0, 6.0]]))
    assert y.allclose(tc.tensor([[-1.0, -1.0], [1.0, 1.0]]), atol=1e-4)
    bn = nn.BatchNorm1d(2)
    assert list(bn.state_dict()) == ["weight", "bias", "running_mean", "running_var",
                                     "num_batches_tracked"]  # fmt: skip
    assert nn.BatchNorm1d(2, bias=False).bias is None
    assert nn.BatchNorm1d(2)(tc.randn(3, 2, 4)).shape == (3, 2, 4)


def test_instance_norm_keeps_running_values_only_if_asked():
    assert list(nn.InstanceNorm2d(3).state_dict()) == []
    norm = nn.InstanceNorm1d(2, affine=True, track_running_stats=True)
    assert list(norm.state_dict()) == ["weight", "bias", "running_mean", "running_var",
                                       "num_batches_tracked"]  # fmt: skip
    x = tc.randn(4, 2, 9) + 3.0
    norm(x)
    assert norm.running_mean.allclose(0.1 * x.mean((0, 2)), atol=1e-5)
    assert not norm.eval()(x).allclose(norm.train()(x))
    assert norm(x[0]).equal(norm(x[:1])[0])
    with pytest.warns(UserWarning, match="does not match num_features"):
        nn.InstanceNorm1d(3)(x)


def test_transposed_convolution_to_a_size():
    up = nn.ConvTranspose2d(3, 4, 3, stride=(2, 3), padding=1)
    assert up.weight.shape == (3, 4, 3, 3)
    x = tc.randn(2, 3, 5, 4)
    for size in ((9, 10), (10, 12)):
        y = up(x, output_size=size)
        assert y.shape == (2, 4, *size)
        assert up(x, output_size=[2, 4, *size]).equal(y)
        assert up(x[0], output_size=[4, *size]).shape == (4, *size)
    bound = 1 / math.sqrt(4 * 9)
    assert 0.9 * bound < up.weight.abs().max() <= bound


# --- A function and its settings ------------------------------------------------------------------


def test_dropout_is_off_in_evaluation_and_a_function_of_the_seed():
    layer, x = nn.Dropout(0.25), tc.ones(1000)
    assert layer.eval()(x).equal(x)
    layer.train()
    tc.manual_seed(3)
    y = layer(x)
    assert sorted(set(y.tolist())) == [0.0, pytest.approx(4 / 3)]
    assert 180 < (y == 0).sum().item() < 320
    tc.manual_seed(3)
    assert layer(x).equal(y)
    assert nn.Dropout(1.0)(x).equal(tc.zeros(1000))


def test_pooling_layers():
    x = tc.arange(16, dtype=tc.float32).reshape(1, 1, 4, 4)
    assert nn.MaxPool2d(2)(x).tolist() == [[[[5, 7], [13, 15]]]]
    assert nn.MaxPool2d(2, stride=(1, 2))(x).shape == (1, 1, 3, 2)
    y, where = nn.MaxPool2d(2, return_indices=True)(x)
    assert where.tolist() == y.tolist()
    assert nn.AvgPool2d(2)(x).tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]
    assert nn.AvgPool2d(2, divisor_override=1)(x).tolist() == [[[[10, 18], [42, 50]]]]
    assert nn.AdaptiveAvgPool2d(1)(x).tolist() == [[[[7.5]]]]
    assert nn.AdaptiveAvgPool2d((None, 2))(x).shape == (1, 1, 4, 2)
    assert nn.Flatten()(x).shape == (1, 16)
    assert nn.Flatten(0, 2)(x).shape == (4, 4)
    assert nn.Unflatten(-1, (2, 2))(x).shape == (1, 1, 4, 2, 2)
    assert nn.Identity()(x) is x


def test_activations_and_settings_that_change_later():
    x = tc.tensor([-1.0, 0.0, 2.0])
    assert nn.ReLU()(x).tolist() == [0, 0, 2]
    leaky = nn.LeakyReLU(0.5)
    assert leaky(x).tolist() == [-0.5, 0, 2]
    leaky.negative_slope = 0.25
    assert leaky(x).tolist() == [-0.25, 0, 2]
    for layer, f in [(nn.Sigmoid(), lambda v: 1 / (1 + np.exp(-v))), (nn.Tanh(), np.tanh),
                     (nn.SiLU(), lambda v: v / (1 + np.exp(-v)))]:  # fmt: skip
        np.testing.assert_allclose(layer(x).numpy(), f(x.numpy()), rtol=1e-6)
    assert nn.Softmax(0)(x).sum().item() == pytest.approx(1)
    assert nn.LogSoftmax(0)(x).allclose(nn.Softmax(0)(x).log())


def test_relu_in_place_writes_to_its_input():
    layer, x = nn.ReLU(inplace=True), tc.tensor([-1.0, 2.0])
    assert layer(x) is x
    assert x.tolist() == [0.0, 2.0]
    layer.inplace = False
    assert layer(x) is not x
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        nn.ReLU(True)(tc.ones(1, requires_grad=True))


def test_signatures_are_those_of_the_table():
    leaky = "(negative_slope: 'float' = 0.01, inplace: 'bool' = False)"
    assert str(inspect.signature(nn.LeakyReLU)) == leaky
    assert str(inspect.signature(nn.ReLU)) == "(inplace: 'bool' = False)"
    assert str(inspect.signature(nn.ReLU())) == "(*args: 'Any', **kwargs: 'Any') -> 'Any'"
    assert list(inspect.signature(nn.UpsamplingNearest2d).parameters) == ["size", "scale_factor"]
    assert list(inspect.signature(nn.ConstantPad3d).parameters) == ["padding", "value"]
    assert list(inspect.signature(nn.MaxPool2d).parameters) == [
        "kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode",
    ]  # fmt: skip


def test_gradients_reach_all_of_a_small_cnn():
    net = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(12, 5), nn.Dropout(0.2), nn.Linear(5, 2),
    )  # fmt: skip
    net(tc.randn(6, 1, 4, 4)).square().sum().backward()
    for name, p in net.named_parameters():
        assert p.grad is not None, name
        assert p.grad.shape == p.shape
        assert p.grad.dtype == tc.float32
