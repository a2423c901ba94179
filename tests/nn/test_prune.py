"""Pruning: random masks, training with a mask, failures that change nothing. The grid has the rest."""

import copy

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import nn, optim
from tinygrad_cnn.nn.utils import prune


def test_random_masks_take_the_documented_draws():
    layer = nn.Linear(5, 4)
    tc.manual_seed(1)
    prune.random_unstructured(layer, "weight", 0.35)
    draws = tc.Generator().manual_seed(1).numpy.random((4, 5), np.float32)
    wanted = np.ones(20)
    wanted[np.argsort(-draws.ravel())[:7]] = 0
    np.testing.assert_array_equal(layer.weight_mask.numpy().ravel(), wanted)
    conv = nn.Conv2d(3, 6, 2)
    tc.manual_seed(1)
    prune.random_structured(conv, "weight", 2, dim=0)
    draws = tc.Generator().manual_seed(1).numpy.random(6, np.float32)
    pruned = np.argsort(draws)[:2]
    channels = conv.weight_mask.numpy().reshape(6, -1)
    assert not channels[pruned].any()
    assert channels.sum() == 4 * 12


def test_training_leaves_pruned_elements_0():
    tc.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4, 2))
    prune.ln_structured(model[0], "weight", 2, n=2, dim=0)
    prune.global_unstructured(
        [(model[0], "weight"), (model[2], "weight")], prune.L1Unstructured, amount=0.5
    )
    optimizer = optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    masks = [model[k].weight_mask.numpy().copy() for k in (0, 2)]
    before = model[2].weight_orig.detach().clone()
    for _ in range(3):
        optimizer.zero_grad()
        model(tc.randn(5, 1, 3, 3)).square().sum().backward()
        optimizer.step()
    model(tc.zeros(1, 1, 3, 3))
    assert (before != model[2].weight_orig).any()
    for k, mask in zip((0, 2), masks, strict=True):
        assert not model[k].weight.detach().numpy()[mask == 0].any()
        parameter = model[k].weight_orig
        prune.remove(model[k], "weight")
        assert model[k].weight is parameter  # the optimizer's
        assert not model[k].weight.detach().numpy()[mask == 0].any()
    assert not prune.is_pruned(model)


def test_a_state_loads_into_a_pruned_module():
    layers = [prune.l1_unstructured(nn.Linear(3, 2), "weight", 2) for _ in range(2)]
    layers[1].load_state_dict(layers[0].state_dict())
    x = tc.ones(1, 3)
    assert layers[0](x).tolist() == layers[1](x).tolist()


@pytest.mark.parametrize("call", [
    lambda layer: prune.custom_from_mask(layer, "weight", tc.ones(3)),
    lambda layer: prune.l1_unstructured(layer, "weight", 100),
    lambda layer: prune.ln_structured(layer, "bias", 1, 2, 0),
    lambda layer: prune.l1_unstructured(layer, "in_features", 1),
    lambda layer: prune.remove(layer, "weight"),
])  # fmt: skip
def test_a_failure_changes_nothing(call):
    layer = nn.Linear(3, 2)
    before = copy.deepcopy(layer.state_dict())
    with pytest.raises((ValueError, AttributeError)):
        call(layer)
    assert list(layer.state_dict()) == list(before)
    assert not prune.is_pruned(layer)
    layer.weight = nn.Parameter(tc.zeros(2, 3))


def test_methods_of_ones_own():
    class Half(prune.BasePruningMethod):
        PRUNING_TYPE = "unstructured"

        def compute_mask(self, t, default_mask):
            mask = default_mask.clone()
            mask.view(-1)[::2] = 0
            return mask

    layer = nn.Linear(4, 2)
    for left in (4, 2, 1):
        Half.apply(layer, "weight")
        assert layer.weight_mask.sum().item() == left

    class Odd(Half):
        PRUNING_TYPE = "other"

    with pytest.raises(ValueError, match="Unrecognized PRUNING_TYPE other"):
        Odd.apply(layer, "weight")
    with pytest.raises(TypeError, match="is not a BasePruningMethod"):
        prune.PruningContainer(3)
    hook = Half.apply(layer, "weight")
    assert isinstance(hook, prune.PruningContainer)
    assert [type(m) for m in hook] == [Half] * len(hook)
    assert hook[-1] is list(hook)[-1]


def test_under_no_grad_the_next_call_has_gradients():
    layer = nn.Linear(2, 1)
    with tc.no_grad():
        prune.identity(layer, "weight")
    layer(tc.ones(1, 2)).sum().backward()
    assert layer.weight_orig.grad.tolist() == [[1.0, 1.0]]
