"""Averages of models: names, copies, checkpoints, schedules. The grid has the numbers."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import nn, optim
from tinygrad_cnn.optim.swa_utils import (
    SWALR,
    AveragedModel,
    get_ema_multi_avg_fn,
    update_bn,
)


def test_the_average_is_a_copy_of_its_own():
    model = nn.Linear(2, 1)
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.5))
    averaged.update_parameters(model)
    first = model.weight.detach().clone()
    with tc.no_grad():
        model.weight += 1
    assert (averaged.module.weight == first).all()
    averaged.update_parameters(model)
    np.testing.assert_allclose(
        averaged.module.weight.detach().numpy(), first.numpy() + 0.5, rtol=1e-6
    )
    assert averaged.module.weight.requires_grad
    assert averaged.n_averaged.item() == 2
    x = tc.ones(1, 2)
    assert averaged(x).tolist() == averaged.module(x).tolist()


def test_a_checkpoint_continues_the_average():
    model = nn.Linear(2, 1)
    averaged, other = AveragedModel(model), AveragedModel(nn.Linear(2, 1))
    for _ in range(3):
        averaged.update_parameters(model)
        with tc.no_grad():
            model.weight += 1
    other.load_state_dict(averaged.state_dict())
    for a in (averaged, other):
        a.update_parameters(model)
    assert (averaged.module.weight == other.module.weight).all()
    assert other.n_averaged.item() == 4


def test_a_schedule_that_is_saved_continues():
    def make():
        optimizer = optim.SGD([tc.zeros(1, requires_grad=True)], lr=1.0)
        return optimizer, SWALR(optimizer, 0.1, anneal_epochs=4)

    (optimizer, scheduler), (other, loaded) = make(), make()

    def epochs(o, s, n):
        for _ in range(n):
            o.step()
            s.step()
        return s.get_last_lr()

    epochs(optimizer, scheduler, 2)
    other.load_state_dict(optimizer.state_dict())
    loaded.load_state_dict(scheduler.state_dict())
    assert epochs(optimizer, scheduler, 1) == epochs(other, loaded, 1)
    assert epochs(other, loaded, 3) == [0.1]


def test_update_bn_restores_what_it_changes_also_after_an_error():
    model = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 1)).eval()
    with pytest.raises((RuntimeError, ValueError)):
        update_bn([tc.ones(3, 2), tc.ones(3, 5)], model)
    assert (model.training, model[0].momentum) == (False, 0.1)
    plain = nn.Linear(2, 1)
    update_bn([], plain)
    update_bn(iter([tc.ones(4, 2) * 3]), model)
    assert model[0].running_mean.tolist() == [3.0, 3.0]
