"""Tensors in shared memory: what one process writes, the others see."""

import gc
import os
import pickle
from multiprocessing import reduction

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.multiprocessing as mp
from tinygrad_cnn import nn, optim
from tinygrad_cnn.sharing import memory_of


def write(index, x, part):
    assert x.is_shared()
    x[index] = index + 10.0
    part.add_(1.0)


@pytest.mark.parametrize(
    "method", [m for m in ("fork", "spawn") if m in mp.get_all_start_methods()]
)
def test_processes_write_into_one_memory(method):
    x = tc.zeros(2, 3).share_memory_()
    part = x.t()[1:]
    processes = 1 if method == "spawn" else 2  # spawned ones import everything again
    mp.spawn(write, (x, part), nprocs=processes, start_method=method)
    wanted = np.array([[10.0] * 3, [11.0] * 3])[:processes]
    more = x.numpy()[:processes] - wanted
    assert (more[:, 0] == 0).all()
    assert (more[:, 1:] >= 0).all()  # += of two processes may miss one
    assert x.numpy()[:, 1:].max() > 10.5


def hogwild(index, net, x, y):
    """Train the shared parameters without locks (Niu et al. 2011)."""
    tc.kernels.use("vectorized")  # Numba takes a second to load
    optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.5)
    for _ in range(100):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x[index::2]), y[index::2])
        loss.backward()
        optimizer.step()


def test_hogwild_training_of_two_processes():
    tc.manual_seed(0)
    x = tc.randn(64, 3)
    y = x @ tc.tensor([[1.0], [-2.0], [0.5]]) + 3.0
    net = nn.Linear(3, 1)
    assert net.share_memory() is net
    assert all(p.is_shared() and p.requires_grad for p in net.parameters())
    method = "fork" if "fork" in mp.get_all_start_methods() else "spawn"
    mp.spawn(hogwild, (net, x, y), nprocs=2, start_method=method)
    assert np.allclose(net.weight.detach().numpy(), [[1.0, -2.0, 0.5]], atol=0.05)
    assert abs(net.bias.item() - 3.0) < 0.05


def test_layouts_dtypes_and_views_travel():
    x = tc.arange(24).reshape(2, 3, 4).share_memory_()
    pickler = reduction.ForkingPickler
    for y in (x, x.t() if x.dim() == 2 else x.permute(2, 0, 1), x[1, ::2, 1:]):
        copy = pickle.loads(pickler.dumps(y))
        assert tc.equal(copy, y)
        copy[...] = -copy
        assert tc.equal(copy, y)  # one memory
        copy[...] = -copy
    parameter = nn.Parameter(tc.ones(0, 2)).share_memory_()
    copy = pickle.loads(pickler.dumps(parameter))
    assert (type(copy), copy.shape, copy.requires_grad) == (nn.Parameter, (0, 2), True)
    plain = pickle.loads(pickler.dumps(tc.ones(2)))
    assert not plain.is_shared()


def test_the_file_goes_with_the_last_tensor():
    x = tc.ones(3).share_memory_()
    assert x.share_memory_() is x
    path = memory_of(x._array).path
    view = x[1:]
    del x
    gc.collect()
    assert os.path.exists(path)
    assert view.is_shared()
    assert view.tolist() == [1.0, 1.0]
    del view
    gc.collect()
    assert not os.path.exists(path)


def test_gradients_and_hooks_work_on_shared_leaves():
    w = tc.ones(2, requires_grad=True).share_memory_()
    (w * 3).sum().backward()
    with tc.no_grad():
        w -= w.grad
    assert w.is_shared()
    assert w.tolist() == [-2.0, -2.0]
