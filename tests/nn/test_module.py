"""Module: modes, dtypes, calls, copies and text."""

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import nn

from .nets import Net


def test_train_eval_apply_and_requires_grad():
    net, seen = Net(), []
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    assert net.train() is net
    assert all(m.training for m in net.modules())
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "ReLU", "Linear", "Net"]
    assert net.requires_grad_(False) is net
    assert not any(p.requires_grad for p in net.parameters())


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(set_to_none):
    net = Net()
    net(tc.ones(2, 3)).sum().backward()
    held = net.first.weight.grad
    net.zero_grad(set_to_none)
    if set_to_none:
        assert all(p.grad is None for p in net.parameters())
    else:
        assert net.first.weight.grad is held
        assert all((p.grad == 0).all() for p in net.parameters())
    assert nn.Linear(1, 1).zero_grad(False) is None  # no gradients: nothing to do


def test_zero_grad_of_a_recorded_gradient_leaves_its_graph_alone():
    p = nn.Parameter(tc.tensor([2.0]))
    (p**3).sum().backward(create_graph=True)
    recorded = p.grad
    net = nn.Module()
    net.p = p
    net.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0]
    assert recorded.tolist() == [12.0]
    (second,) = tc.autograd.grad(recorded, p)
    assert second.tolist() == [12.0]


@pytest.mark.parametrize("how", [
    lambda m: m.double(), lambda m: m.to(tc.float64), lambda m: m.to("cpu", tc.float64),
    lambda m: m.to(dtype=tc.float64), lambda m: m.to(tc.zeros(1, dtype=tc.float64)),
    lambda m: m.to(tensor=tc.zeros(1, dtype=tc.float64)),
])  # fmt: skip
def test_to_changes_floating_tensors_in_place(how):
    net = nn.Sequential(Net(), nn.BatchNorm1d(2))
    parameters = list(net.parameters())
    net(tc.ones(2, 3)).sum().backward()
    assert how(net) is net
    assert list(map(id, net.parameters())) == list(map(id, parameters))
    assert all(p.dtype == p.grad.dtype == tc.float64 for p in parameters)
    assert net[0].offset.dtype == net[1].running_var.dtype == tc.float64
    assert net[1].num_batches_tracked.dtype == tc.int64
    net(tc.ones(2, 3, dtype=tc.float64)).sum().backward()
    assert net[0].scale.grad.dtype == tc.float64
    assert net.half()[0].scale.dtype == tc.float16
    assert net.float()[0].scale.dtype == tc.float32
    assert net.cpu().to("cpu") is net


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_equal_and_apart(twin):
    net = nn.Sequential(Net(), nn.BatchNorm1d(2))
    other = twin(net)
    assert str(other) == str(net)
    assert other[0].again is other[0].first
    assert isinstance(other[0].scale, nn.Parameter)
    for (name, a), (same, b) in zip(net.state_dict().items(), other.state_dict().items(),
                                     strict=True):  # fmt: skip
        assert name == same
        assert a.equal(b)
        assert not np.shares_memory(a.numpy(), b.numpy())
    other(tc.ones(2, 3)).sum().backward()
    assert net[0].scale.grad is None
    assert other[0]._not_persistent == {"scratch"}


def test_a_tower_of_modules_needs_no_deep_stack():
    tower = nn.Module()
    for _ in range(3000):
        above = nn.Module()
        above.below = tower
        tower = above
    assert sum(1 for _ in tower.modules()) == 3001
    tower.eval()
    assert len(tower.state_dict()) == 0
    while "below" in tower._modules:  # or the interpreter frees it recursively
        tower = tower._modules.pop("below")


def test_a_module_is_freed_without_the_garbage_collector():
    gc.disable()
    try:
        net = nn.Sequential(Net(), nn.ReLU())
        net(tc.ones(2, 3)).sum().backward()
        gone = weakref.ref(net[0])
        del net
        assert gone() is None
    finally:
        gc.enable()


def test_the_representation_is_indented_as_pytorchs():
    class Lines(nn.Module):
        def extra_repr(self):
            return "a=1\nb=2"

    assert repr(Lines()) == "Lines(\n  a=1\n  b=2\n)"
    outer = Lines()
    outer.inner = nn.Sequential(nn.ReLU(), Lines())
    outer.none = None
    assert repr(outer) == (
        "Lines(\n"
        "  a=1\n"
        "  b=2\n"
        "  (inner): Sequential(\n"
        "    (0): ReLU()\n"
        "    (1): Lines(\n"
        "      a=1\n"
        "      b=2\n"
        "    )\n"
        "  )\n"
        ")"
    )


def test_threads_may_call_one_module():
    net, x = nn.Sequential(nn.Linear(3, 3), nn.ReLU()), tc.randn(5, 3)
    wanted, found = net(x), []
    threads = [threading.Thread(target=lambda: found.append(net(x))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(y.equal(wanted) for y in found)


def test_the_rest_of_the_surface():
    net = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh()))
    net.set_submodule("1.0", nn.Sigmoid())
    assert isinstance(net[1][0], nn.Sigmoid)
    net.set_submodule("new", nn.ReLU())
    assert len(net) == 3
    for target, module, error in [
        ("", net, ValueError),
        ("0", 3, ValueError),
        ("a.b", net, AttributeError),
    ]:
        with pytest.raises(error):
            net.set_submodule(target, module)
    with pytest.raises(AttributeError, match="has no attribute `other`"):
        net.set_submodule("other", nn.ReLU(), strict=True)
    layer = nn.Linear(1, 1)
    twice = nn.Sequential(layer, layer)
    assert len(list(twice.modules())) == 2
    assert len(list(twice.modules(remove_duplicate=False))) == 3
    assert layer.type(tc.float64).weight.dtype == tc.float64
    assert layer.share_memory() is layer
    assert layer.weight.is_shared()
    with pytest.raises(RuntimeError, match="device 'cuda' is not available"):
        layer.cuda()
