"""check_module on every layer and loss of nn: each public name has a case."""

import inspect

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import nn
from tinygrad_cnn.testing import GradientError, check_module, check_vjp
from tinygrad_cnn.testing.report import recording
from tinygrad_cnn.testing.values import separated

RNG = np.random.default_rng(0)


def values(*shape, avoid=(0.0,)):
    """An array without ties and away from kinks."""
    return separated(RNG, shape, avoid=avoid)[0]


def probabilities(*shape):
    return RNG.uniform(0.1, 0.9, shape)


IMAGES, ROWS = values(2, 4, 6, 5), values(3, 4)
LINES, VOLUMES = values(2, 4, 6), values(1, 4, 4, 3, 2)
OF = {1: LINES, 2: IMAGES, 3: VOLUMES}  # by the number of spatial axes
LABELS = np.array([1, 0, 3])
SIGNS = np.array([1, -1, 1])


class Net(nn.Module):
    """A network with a branch, a shared layer and a buffer."""

    def __init__(self):
        super().__init__()
        self.layer1 = nn.Sequential(nn.Conv2d(4, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3))
        self.shared = nn.Linear(3, 3)
        self.register_buffer("scale", tc.tensor([1.0, 2.0, -1.0]))

    def forward(self, x):
        y = nn.functional.relu(self.layer1(x)).mean((2, 3))
        return self.shared(self.shared(y) * self.scale) + y


class First(nn.Module):
    """A module that returns the first output of another."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, *inputs):
        return self.module(*inputs)[0]


def of_space(name, *arguments, axes=(1, 2, 3), **settings):
    """The cases of the layers of that name for one to three spatial axes."""
    return {
        f"{name}{n}d": [(getattr(nn, f"{name}{n}d")(*arguments, **settings), [OF[n]])] for n in axes
    }


POOLED = {n: (np.arange(x.size // 2).reshape(*x.shape[:2], -1) % (x[0, 0].size // 2) * 2).reshape(
    *x.shape[:2], x.shape[2] // 2, *x.shape[3:]) for n, x in OF.items()}  # fmt: skip

CASES = {  # name: (module, inputs) ...
    **of_space("AdaptiveAvgPool", 2), **of_space("AdaptiveMaxPool", 2),
    "AdaptiveAvgPool2d": [(nn.AdaptiveAvgPool2d((2, 3)), [IMAGES])],
    "AdaptiveMaxPool2d": [(nn.AdaptiveMaxPool2d((4, 3)), [IMAGES])],
    "AlphaDropout": [(nn.AlphaDropout(0.4), [ROWS]), (nn.AlphaDropout().eval(), [ROWS])],
    **of_space("AvgPool", 2, 1, padding=1),
    "AvgPool2d": [(nn.AvgPool2d((2, 3), stride=(1, 2), padding=1), [IMAGES])],
    "BCELoss": [(nn.BCELoss(reduction=r), [probabilities(3, 4), probabilities(3, 4)])
                for r in ("mean", "none")],
    "BCEWithLogitsLoss": [
        (nn.BCEWithLogitsLoss(pos_weight=tc.tensor([1.0, 2.0, 0.5, 3.0])),
         [ROWS, probabilities(3, 4)]),
    ],
    "Bilinear": [(nn.Bilinear(4, 3, 2), [ROWS, values(3, 3)])],
    "BatchNorm1d": [(nn.BatchNorm1d(4), [ROWS]), (nn.BatchNorm1d(4).eval(), [values(2, 4, 3)])],
    "BatchNorm2d": [
        (nn.BatchNorm2d(4), [IMAGES]),
        (nn.BatchNorm2d(4).eval(), [IMAGES]),
        (nn.BatchNorm2d(4, affine=False, track_running_stats=False), [IMAGES]),
    ],
    "CELU": [(nn.CELU(0.7), [ROWS])],
    "BatchNorm3d": [(nn.BatchNorm3d(4), [VOLUMES]), (nn.BatchNorm3d(4).eval(), [VOLUMES])],
    "ChannelShuffle": [(nn.ChannelShuffle(2), [IMAGES])],
    **of_space("CircularPad", 1), **of_space("ConstantPad", 1, 2.5),
    "Conv1d": [
        (nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2), [LINES]),
        (nn.Conv1d(4, 2, 3, padding=2, padding_mode="circular"), [LINES[0]]),
    ],
    "Conv3d": [
        (nn.Conv3d(4, 2, (3, 2, 1), padding=1, stride=(1, 2, 1)), [VOLUMES]),
        (nn.Conv3d(4, 2, 2, padding="same", padding_mode="replicate"), [VOLUMES[0]]),
    ],
    **of_space("ConvTranspose", 4, 6, 3, stride=2, padding=1, output_padding=1, groups=2),
    "Conv2d": [
        (nn.Conv2d(4, 6, (3, 2), stride=(1, 2), padding=(1, 0), dilation=(2, 1), groups=2),
         [IMAGES]),
        (nn.Conv2d(4, 2, 3, padding="same", bias=False), [IMAGES[0]]),
        (nn.Conv2d(4, 2, 3, padding=(1, 2), padding_mode="reflect"), [IMAGES]),
    ],
    "CosineEmbeddingLoss": [(nn.CosineEmbeddingLoss(0.1), [ROWS, values(3, 4), SIGNS])],
    "CosineSimilarity": [(nn.CosineSimilarity(), [ROWS, values(3, 4)])],
    "CrossEntropyLoss": [
        (nn.CrossEntropyLoss(weight=tc.tensor([1.0, 2.0, 0.5, 3.0]), label_smoothing=0.1),
         [ROWS, LABELS]),
        (nn.CrossEntropyLoss(reduction="sum"), [ROWS, probabilities(3, 4)]),
    ],
    "Dropout": [(nn.Dropout(0.4), [ROWS]), (nn.Dropout(0.4).eval(), [ROWS])],
    "ELU": [(nn.ELU(0.7), [ROWS]), (nn.ELU(inplace=True), [ROWS])],
    "Embedding": [(nn.Embedding(4, 2), [LABELS])],
    "Flatten": [(nn.Flatten(), [IMAGES])],
    "GELU": [(nn.GELU(a), [ROWS]) for a in ("none", "tanh")],
    "GLU": [(nn.GLU(), [ROWS])],
    "GaussianNLLLoss": [(nn.GaussianNLLLoss(full=True), [ROWS, values(3, 4), probabilities(3, 1)])],
    "Hardshrink": [(nn.Hardshrink(), [values(3, 4, avoid=[-0.5, 0.5])])],
    "Hardsigmoid": [(nn.Hardsigmoid(), [ROWS])],
    "Hardswish": [(nn.Hardswish(), [ROWS])],
    "Hardtanh": [(nn.Hardtanh(-0.5, 0.7), [values(3, 4, avoid=[-0.5, 0.7])])],
    "HingeEmbeddingLoss": [(nn.HingeEmbeddingLoss(), [ROWS[:, 0], SIGNS])],
    "HuberLoss": [(nn.HuberLoss(delta=0.01), np.split(values(6, 4), 2))],
    **of_space("Dropout", 0.4),
    "FeatureAlphaDropout": [(nn.FeatureAlphaDropout(0.4), [IMAGES])],
    "Fold": [(nn.Fold((3, 4), 2), [values(2, 8, 6)])],
    "GroupNorm": [(nn.GroupNorm(2, 4), [IMAGES]), (nn.GroupNorm(1, 4, affine=False), [ROWS])],
    **of_space("InstanceNorm", 4),
    "InstanceNorm2d": [
        (nn.InstanceNorm2d(4, affine=True, track_running_stats=True), [IMAGES]),
        (nn.InstanceNorm2d(4, affine=True, track_running_stats=True).eval(), [IMAGES]),
        (nn.InstanceNorm2d(4), [IMAGES[0]]),
    ],
    "GRU": [(First(nn.GRU(4, 3, bidirectional=True)), [values(2, 2, 4)])],
    "GRUCell": [(nn.GRUCell(4, 3), [ROWS])],
    "Identity": [(nn.Identity(), [ROWS])],
    "KLDivLoss": [
        (nn.KLDivLoss(reduction="batchmean"), [ROWS, probabilities(3, 4)]),
        (nn.KLDivLoss(reduction="sum", log_target=True), [ROWS, values(3, 4)]),
    ],
    "L1Loss": [(nn.L1Loss(), np.split(values(6, 4), 2))],
    **of_space("LPPool", 4, 2),
    "LayerNorm": [
        (nn.LayerNorm((6, 5)), [IMAGES]), (nn.LayerNorm(4, bias=False), [ROWS]),
        (nn.LayerNorm(4, elementwise_affine=False), [ROWS]),
    ],
    "LeakyReLU": [(nn.LeakyReLU(0.2), [ROWS])],
    "Linear": [(nn.Linear(4, 3), [ROWS]), (nn.Linear(4, 3, bias=False), [ROWS[0]])],
    "LogSigmoid": [(nn.LogSigmoid(), [ROWS])],
    "LogSoftmax": [(nn.LogSoftmax(1), [ROWS])],
    "MSELoss": [(nn.MSELoss(), [ROWS, values(3, 4)])],
    "MarginRankingLoss": [(nn.MarginRankingLoss(), [ROWS[:, 0], ROWS[:, 1], SIGNS])],
    "LocalResponseNorm": [(nn.LocalResponseNorm(3, alpha=0.5, k=2.0), [IMAGES])],
    **of_space("MaxPool", 2, 1),
    **{f"MaxUnpool{n}d": [(getattr(nn, f"MaxUnpool{n}d")((2,) + (1,) * (n - 1)),
                           [values(*POOLED[n].shape), POOLED[n]])] for n in OF},
    "MaxPool2d": [(nn.MaxPool2d((3, 2), stride=(1, 2), padding=1, ceil_mode=True), [IMAGES])],
    "Mish": [(nn.Mish(), [ROWS])],
    "Module": [(Net(), [IMAGES]), (Net().eval(), [IMAGES])],
    "ModuleDict": [],
    "ModuleList": [],
    "MultiLabelMarginLoss": [(nn.MultiLabelMarginLoss(), [ROWS, np.array([[1, 3, -1, 0], [-1] * 4, [2, 0, 1, -1]])])],
    "MultiLabelSoftMarginLoss": [(nn.MultiLabelSoftMarginLoss(), [ROWS, probabilities(3, 4)])],
    "MultiMarginLoss": [(nn.MultiMarginLoss(p), [ROWS, LABELS]) for p in (1, 2)],
    "LSTM": [
        (First(nn.LSTM(4, 3, 2, batch_first=True)), [values(2, 3, 4)]),
        (First(nn.LSTM(4, 3, proj_size=2)), [values(3, 2, 4)]),
    ],
    "LSTMCell": [(First(nn.LSTMCell(4, 3)), [ROWS])],
    "MultiheadAttention": [
        (First(nn.MultiheadAttention(4, 2, batch_first=True)), [values(2, 3, 4)] * 3),
        (First(nn.MultiheadAttention(4, 2, kdim=3, vdim=5, add_bias_kv=True, add_zero_attn=True)),
         [values(2, 2, 4), values(3, 2, 3), values(3, 2, 5)]),
    ],
    "NLLLoss": [(nn.NLLLoss(ignore_index=0), [ROWS, LABELS])],
    "PReLU": [(nn.PReLU(), [ROWS]), (nn.PReLU(4), [IMAGES])],
    "PairwiseDistance": [(nn.PairwiseDistance(p), [ROWS, values(3, 4)]) for p in (2.0, 1.0, 3.0)],
    "Parameter": [],
    "ParameterDict": [],
    "ParameterList": [],
    "PoissonNLLLoss": [(nn.PoissonNLLLoss(full=True), [ROWS, 5 * probabilities(3, 4)])],
    "RReLU": [(nn.RReLU(), [ROWS]), (nn.RReLU().eval(), [ROWS])],
    "PixelShuffle": [(nn.PixelShuffle(2), [IMAGES])],
    "PixelUnshuffle": [(nn.PixelUnshuffle(2), [values(2, 3, 4, 6)])],
    "RMSNorm": [(nn.RMSNorm(4), [ROWS]), (nn.RMSNorm((6, 5), 0.1), [IMAGES])],
    **of_space("ReflectionPad", 1), **of_space("ReplicationPad", 2),
    "ReLU": [(nn.ReLU(), [ROWS]), (nn.ReLU(inplace=True), [ROWS])],
    "ReLU6": [(nn.ReLU6(), [ROWS])],
    "SELU": [(nn.SELU(), [ROWS])],
    "Sequential": [
        (nn.Sequential(nn.Conv2d(4, 3, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(36, 2)),
         [IMAGES]),
    ],
    "SiLU": [(nn.SiLU(), [ROWS])],
    "Sigmoid": [(nn.Sigmoid(), [ROWS])],
    "SmoothL1Loss": [(nn.SmoothL1Loss(beta=0.01), np.split(values(6, 4), 2))],
    "SoftMarginLoss": [(nn.SoftMarginLoss(), [ROWS[:, 0], SIGNS])],
    "Softmax": [(nn.Softmax(0), [ROWS])],
    "Softmax2d": [(nn.Softmax2d(), [IMAGES])],
    "Softmin": [(nn.Softmin(0), [ROWS])],
    "Softplus": [(nn.Softplus(2.0, 3.0), [values(3, 4, avoid=[1.5])])],
    "Softshrink": [(nn.Softshrink(), [values(3, 4, avoid=[-0.5, 0.5])])],
    "Softsign": [(nn.Softsign(), [ROWS])],
    "Tanh": [(nn.Tanh(), [ROWS])],
    "Tanhshrink": [(nn.Tanhshrink(), [ROWS])],
    "Threshold": [(nn.Threshold(0.5, -1.0), [values(3, 4, avoid=[0.5])])],
    "TripletMarginLoss": [(nn.TripletMarginLoss(swap=True), [ROWS, values(3, 4), values(3, 4)])],
    "TripletMarginWithDistanceLoss": [(nn.TripletMarginWithDistanceLoss(), [ROWS, values(3, 4), values(3, 4)])],
    "SyncBatchNorm": [(nn.SyncBatchNorm(4).eval(), [IMAGES])],
    "Transformer": [
        (nn.Transformer(4, 2, 1, 1, 6, dropout=0.0), [values(3, 2, 4), values(2, 2, 4)]),
    ],
    "TransformerDecoder": [
        (nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 6, dropout=0.0), 1),
         [values(2, 2, 4), values(3, 2, 4)]),
    ],
    "TransformerDecoderLayer": [
        (nn.TransformerDecoderLayer(4, 2, 6, dropout=0.0, norm_first=True),
         [values(2, 2, 4), values(3, 2, 4)]),
    ],
    "TransformerEncoder": [
        (nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0), 1),
         [values(2, 2, 4)]),
    ],
    "TransformerEncoderLayer": [
        (nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, activation="gelu"), [values(2, 2, 4)]),
    ],
    "Unflatten": [(nn.Unflatten(1, (2, 2)), [ROWS])],
    "Unfold": [(nn.Unfold((2, 3), padding=1, stride=2), [IMAGES])],
    "RNN": [(First(nn.RNN(4, 3)), [values(2, 2, 4)])],
    "RNNBase": [],
    "RNNCell": [(nn.RNNCell(4, 3), [ROWS])],
    "RNNCellBase": [],
    "DataParallel": [(nn.DataParallel(nn.Linear(4, 2)), [ROWS])],
    "UninitializedBuffer": [],
    "UninitializedParameter": [],
    "Upsample": [
        (nn.Upsample(scale_factor=1.5, mode="bilinear"), [IMAGES]),
        (nn.Upsample((4, 8), mode="bicubic", align_corners=True), [IMAGES]),
        (nn.Upsample(7), [LINES]), (nn.Upsample(5, mode="trilinear"), [VOLUMES]),
    ],
    "UpsamplingBilinear2d": [(nn.UpsamplingBilinear2d((7, 9)), [IMAGES])],
    "UpsamplingNearest2d": [(nn.UpsamplingNearest2d(scale_factor=2), [IMAGES])],
    **of_space("ZeroPad", (1, 2), axes=(1,)), **of_space("ZeroPad", 1, axes=(2, 3)),
}  # fmt: skip

WITHOUT = {  # no forward
    "ModuleDict", "ModuleList", "Parameter", "ParameterDict", "ParameterList", "RNNBase",
    "RNNCellBase", "UninitializedBuffer", "UninitializedParameter",
}  # fmt: skip
PUBLIC = {
    name
    for name in dir(nn)
    if inspect.isclass(getattr(nn, name)) and not name.startswith(("_", "Lazy"))
}  # a lazy layer becomes one of them in its first call


def test_every_public_class_of_nn_has_a_case():
    assert set(CASES) == PUBLIC
    assert {name for name, cases in CASES.items() if not cases} == WITHOUT
    for name, cases in CASES.items():
        for module, _ in cases:
            inner = module.module if isinstance(module, First) else module
            assert isinstance(inner, getattr(nn, name))


@pytest.mark.parametrize("name", sorted(set(CASES) - WITHOUT))
def test_every_layer_and_loss(name):
    for module, inputs in CASES[name]:
        before = {k: v.numpy().copy() for k, v in module.state_dict().items()}
        given, training = [x.copy() for x in inputs], module.training
        state = tc.get_rng_state()
        check_module(module, *inputs)
        after = module.state_dict()
        assert list(after) == list(before)
        assert all(np.array_equal(after[k].numpy(), before[k]) for k in before)
        assert all(p.grad is None and p.dtype == tc.float32 for p in module.parameters())
        assert all(np.array_equal(x, y) for x, y in zip(inputs, given, strict=True))
        assert module.training == training
        assert np.array_equal(tc.get_rng_state(), state)


def test_a_network_with_thousands_of_kinks_is_no_false_alarm():
    tc.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3, padding=1),
        nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 49, 10),
    )  # fmt: skip
    check_module(net, np.random.default_rng(1).normal(size=(2, 1, 28, 28)), directions=1)


# --- The failure names a wrong gradient ----------------------------------------------------------


class Scale(nn.Module):
    """A layer of the user. `off` is the relative error of the gradient of its weight."""

    def __init__(self, off=0.0):
        super().__init__()
        self.weight = nn.Parameter(tc.tensor([1.0, -2.0, 0.5, 3.0]))
        self.off = off

    def forward(self, x):
        weight = self.weight * (1 + self.off) - self.weight.detach() * self.off
        return x * weight


def test_a_wrong_module_fails_and_the_parameter_is_named():
    check_module(Scale(), ROWS)
    for seed in range(20):
        with pytest.raises(GradientError, match=r"^Scale in weight \(4,\): vjp wrong") as caught:
            check_module(Scale(0.0005), ROWS, seed=seed)
    assert caught.value.op == "Scale"
    net = nn.Sequential()
    net.add_module("layer1", nn.Sequential(Scale(), nn.Tanh(), Scale(0.01)))
    with pytest.raises(GradientError, match=r"^Sequential in layer1.2.weight \(4,\): vjp wrong"):
        check_module(net, ROWS)


def test_a_module_whose_input_gets_a_wrong_gradient():
    class Detached(nn.Module):
        def forward(self, x):
            return x * x.detach()

    with pytest.raises(GradientError, match="^Detached in input 0"):
        check_module(Detached(), ROWS)


def test_parameters_that_require_no_grad_are_left_out():
    module = Scale(0.5)
    module.weight.requires_grad_(False)
    check_module(module, ROWS)


def test_an_exception_leaves_the_module_as_it_was():
    class Fails(Scale):
        def forward(self, x):
            raise ArithmeticError("on purpose")

    module = Fails()
    weight, state = module.weight, tc.get_rng_state()
    with pytest.raises(ArithmeticError):
        check_module(module, ROWS)
    assert module.weight is weight
    assert np.array_equal(tc.get_rng_state(), state)


def test_bad_input():
    class Returns(nn.Module):
        def __init__(self, made):
            super().__init__()
            self.made = made

        def forward(self, x):
            return self.made(x)

    rng = np.random.default_rng(0)
    with pytest.raises(TypeError, match="wanted a Module, got function"):
        check_module(tc.relu, ROWS)
    with pytest.raises(TypeError, match="must return a Tensor"):
        check_module(Returns(lambda x: None), ROWS)
    with pytest.raises(TypeError, match="no Tensor of floating point"):
        check_module(Returns(lambda x: x.argmax()), ROWS)
    with pytest.raises(ValueError, match="no output requires grad"):
        check_module(Returns(lambda x: x.detach()), ROWS)
    with pytest.raises(ValueError, match="no input of floating point"):
        check_module(Returns(lambda x: x), np.arange(3))
    with pytest.raises(GradientError, match="not deterministic"):
        check_module(Returns(lambda x: x * rng.normal()), ROWS)


def test_a_gradient_that_is_only_rounding_has_a_small_error_in_the_report():
    """A bias before a batch norm: rounding over rounding was reported as an error of 0.84."""
    for norm in (nn.BatchNorm2d(2), nn.InstanceNorm2d(2)):
        net = nn.Sequential(nn.Conv2d(1, 2, 3), norm, nn.ReLU())
        with recording() as recorder:
            check_module(net, np.random.default_rng(0).normal(size=(2, 1, 5, 4)))
            check_vjp(lambda b: (b + 7.0) - b, np.ones(2) / 3)
        for check in recorder.checks.values():
            assert 0 <= check.errors.get(1, 0.0) <= 1e-6
            assert check.verdict is None
