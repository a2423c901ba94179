"""Weight norm, spectral norm, parametrizations and fusion."""

import copy
import pickle

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import nn
from tinygrad_cnn.nn import utils
from tinygrad_cnn.nn.utils import parametrizations, parametrize


def old_weight_norm(module, **how):
    with pytest.warns(FutureWarning, match="weight_norm` is deprecated"):
        return utils.weight_norm(module, **how)


def layers():
    return [(nn.Linear(3, 4), tc.randn(5, 3)), (nn.Conv2d(3, 4, 2), tc.randn(2, 3, 4, 4))]


@pytest.mark.parametrize("dim", [0, 1, None])
@pytest.mark.parametrize("norm", [old_weight_norm, parametrizations.weight_norm])
def test_weight_norm_computes_the_same_from_lengths_and_directions(dim, norm):
    for layer, x in layers():
        y = layer(x)
        norm(layer, dim=dim)
        assert layer(x).allclose(y, atol=1e-6)
        at = (lambda p: p.ndim == 0) if dim is None else (lambda p: p.ndim != 1)
        lengths = next(filter(at, layer.parameters()))
        layer(x).sum().backward()
        assert all(p.grad is not None for p in layer.parameters())
        with tc.no_grad():
            lengths *= 2.0
        assert (layer(x) - layer.bias.reshape(-1, *[1] * (x.ndim - 2))).allclose(
            2 * (y - layer.bias.reshape(-1, *[1] * (x.ndim - 2))), atol=1e-5
        )


def test_names_of_weight_norm_and_taking_it_away():
    layer, x = layers()[0]
    y = layer(x)
    old_weight_norm(layer)
    assert list(layer.state_dict()) == ["bias", "weight_g", "weight_v"]
    assert layer.weight_g.shape == (4, 1)
    with pytest.raises(RuntimeError, match="Cannot register two weight_norm hooks"):
        old_weight_norm(layer)
    utils.remove_weight_norm(layer)
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    assert layer(x).allclose(y, atol=1e-6)
    with pytest.raises(ValueError, match="weight_norm of 'weight' not found in Linear"):
        utils.remove_weight_norm(layer)
    with pytest.raises(AttributeError, match="no parameter 'scale'"):
        old_weight_norm(layer, name="scale")


@pytest.mark.parametrize("norm", [utils.spectral_norm, parametrizations.spectral_norm])
def test_spectral_norm_makes_the_largest_singular_value_one(norm):
    for layer, x in layers():
        norm(layer, n_power_iterations=60)
        layer(x).sum().backward()
        assert np.linalg.norm(layer.weight.detach().numpy().reshape(4, -1), 2) == pytest.approx(
            1, rel=1e-3
        )
        before = {k: v.numpy().copy() for k, v in layer.eval().state_dict().items()}
        layer(x)
        after = layer.state_dict()
        assert all(np.array_equal(after[k].numpy(), before[k]) for k in before)


def test_names_of_spectral_norm_and_taking_it_away():
    layer, x = layers()[1]
    utils.spectral_norm(layer)
    assert list(layer.state_dict()) == ["bias", "weight_orig", "weight_u", "weight_v"]
    y = layer.eval()(x)
    assert utils.remove_spectral_norm(layer)(x).allclose(y, atol=1e-6)
    with pytest.raises(ValueError, match="spectral_norm of 'weight' not found"):
        utils.remove_spectral_norm(layer)
    with pytest.raises(ValueError, match="Expected n_power_iterations to be positive"):
        utils.spectral_norm(layer, n_power_iterations=0)
    assert list(parametrizations.spectral_norm(layer).state_dict()) == [
        "bias", "parametrizations.weight.original", "parametrizations.weight.0._u",
        "parametrizations.weight.0._v",
    ]  # fmt: skip


class Symmetric(nn.Module):
    def forward(self, x):
        return (x + x.T) / 2


def test_parametrizations_chain_copy_and_go():
    layer, x = nn.Linear(3, 3), tc.randn(2, 3)
    original = layer.weight
    parametrize.register_parametrization(layer, "weight", Symmetric())
    parametrize.register_parametrization(layer, "bias", nn.Tanh())
    parametrize.register_parametrization(layer, "weight", nn.Sigmoid())
    assert layer.parametrizations.weight.original is original
    assert layer.weight.allclose(((original + original.T) / 2).sigmoid())
    assert isinstance(layer, nn.Linear)
    assert repr(layer).startswith("ParametrizedLinear(\n  in_features=3")
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert twin(x).equal(layer(x))
        with tc.no_grad():
            twin.parametrizations.weight.original.zero_()
        assert not twin(x).equal(layer(x))
    y = layer(x)
    y.sum().backward()
    assert original.grad is not None
    assert parametrize.is_parametrized(layer, "bias")
    parametrize.remove_parametrizations(layer, "weight")
    parametrize.remove_parametrizations(layer, "bias", leave_parametrized=False)
    assert type(layer) is nn.Linear
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    assert not parametrize.is_parametrized(layer)
    assert layer.weight.allclose(((original + original.T) / 2).sigmoid())


def test_errors_of_parametrizations_change_nothing():
    layer = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="does not have a parameter with name 'x'"):
        parametrize.register_parametrization(layer, "x", nn.Tanh())
    with pytest.raises(ValueError, match="may not change the shape or dtype"):
        parametrize.register_parametrization(layer, "weight", nn.Flatten(0))
    with pytest.raises(ValueError, match="does not have a parametrization on weight"):
        parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear
    assert list(layer.state_dict()) == ["weight", "bias"]
    with pytest.raises(
        ValueError,
        match=r"it is torch.float32 torch.Size\(\[2, 2\]\), got torch.float32 torch.Size",
    ):
        parametrize.ParametrizationList([nn.Flatten(0)], layer.weight)
    made = parametrize.ParametrizationList([nn.Flatten(0)], layer.weight, unsafe=True)
    assert made().shape == (4,)


@pytest.mark.parametrize("bias", [True, False])
def test_fusion_is_the_same_function(bias):
    pairs = [
        (
            nn.Conv2d(2, 3, 2, bias=bias),
            nn.BatchNorm2d(3),
            tc.randn(4, 2, 5, 5),
            utils.fuse_conv_bn_eval,
        ),
        (nn.Linear(2, 3, bias=bias), nn.BatchNorm1d(3), tc.randn(6, 2), utils.fuse_linear_bn_eval),
    ]
    for layer, norm, x, fuse in pairs:
        norm(layer(x) * 3 + 1)
        nn.init.uniform_(norm.weight)
        with pytest.raises(RuntimeError, match="Fusion only for eval"):
            fuse(layer, norm)
        fused = fuse(layer.eval(), norm.eval())
        assert fused(x).allclose(norm(layer(x)), atol=1e-5)
        assert fused.weight is not layer.weight


def test_total_norms_and_clipping_by_them():
    p = nn.Parameter(tc.zeros(2))
    p.grad = tc.tensor([3.0, 4.0])
    assert utils.get_total_norm([p.grad, tc.zeros(1)]).item() == 5
    assert utils.get_total_norm([p.grad, tc.zeros(1)], 0.0).item() == 1
    utils.clip_grads_with_norm_(p, 1.0, tc.tensor(10.0))
    assert p.grad.tolist() == pytest.approx([0.3, 0.4])
    with pytest.raises(RuntimeError, match="is non-finite, so it cannot be clipped"):
        utils.get_total_norm(tc.tensor([np.inf]), error_if_nonfinite=True)
    with pytest.warns(FutureWarning, match="clip_grad_norm` is now deprecated"):
        assert utils.clip_grad_norm(p, 1.0).item() == pytest.approx(0.5)
    with pytest.warns(FutureWarning, match="nn.init.constant` is now deprecated"):
        assert nn.init.constant(tc.zeros(2), 3.0).tolist() == [3, 3]
