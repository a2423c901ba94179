"""Workloads, networks and the LeNets of other libraries compute the right numbers."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from benchmarks import lenets, networks, workloads
from benchmarks.contestants import CONTESTANTS


def three_losses(run):
    return [float(run()) for _ in range(3)]


@pytest.mark.parametrize("name", ["jax", "autograd", "mygrad"])
def test_lenets_train_alike(name):
    for module in CONTESTANTS[name].needs:
        pytest.importorskip(module)
    ours = three_losses(workloads.training_step(tc, "lenet", (3, 1, 28, 28)))
    theirs = three_losses(getattr(lenets, f"with_{name}")((3, 1, 28, 28)))
    np.testing.assert_allclose(theirs, ours, rtol=2e-6)
    assert ours[0] != ours[1]


def test_parameters_of_lenet_are_in_one_order():
    assert [tuple(p.shape) for p in networks.lenet(tc).parameters()] == lenets.SHAPES


@pytest.mark.parametrize(
    "model, options",
    [
        ("resnet", {"width": 4, "blocks": 1}),
        ("vgg", {"width": 2}),
        ("densenet", {"growth": 2, "layers": 1}),
        ("mobilenet", {"width": 4}),
        ("plain", {"depth": 3, "width": 4}),
    ],
)
def test_networks_take_images_of_32(model, options):
    run = workloads.training_step(tc, model, (2, 3, 32, 32), options, channels_last=True)
    losses = three_losses(run)
    assert np.isfinite(losses).all()
    assert len(set(losses)) == 3


def test_depth_is_the_number_of_convolutions():
    net = networks.plain(tc, depth=5)
    assert sum(isinstance(m, tc.nn.Conv2d) for m in net.modules()) == 5


def test_checkpointed_networks_compute_the_same():
    losses = []
    for checkpointed in (False, True):
        options = {"width": 2, "blocks": 1, "checkpointed": checkpointed}
        step = workloads.training_step(tc, "resnet", (2, 3, 32, 32), options)
        losses.append([float(step().detach()) for _ in range(3)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_chain_is_that_long_and_its_derivative():
    assert float(workloads.chain(tc, length=10, size=4)()) == pytest.approx(4 * 1.0001**5)


def test_a_step_is_three_products_a_layer_but_for_the_first():
    a, b, c = 784 * 256, 256 * 128, 128 * 10
    assert workloads.step_cost("mlp", (16, 784)) == (2 * 16 * (2 * a + 3 * b + 3 * c), 0)


def test_a_layer_and_an_optimizer_run_alone():
    assert np.isfinite(float(workloads.layer(tc, "BatchNorm2d", (3,), (2, 3, 4, 4))()))
    step = workloads.optimizer_step(tc, "SGD", (4, 2), {"lr": 0.1, "momentum": 0.9})
    assert float(step().detach()) == pytest.approx(0.9)
    assert float(workloads.cross_entropy(tc, 4, 3)()) > 0


def test_recurrent_layers_run_alone():
    runs = [workloads.recurrent_layer(tc, name, 3, 2, 4) for name in ("RNN", "LSTM", "GRU")]
    found = [float(run().detach()) for run in runs]
    assert np.isfinite(found).all()
    assert found == [float(run().detach()) for run in runs]
