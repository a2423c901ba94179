"""The reducer, on a transport without processes: order, overlap, and what it leaves behind."""

import gc
import math
import threading
import time
import types
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import engine, nn
from tinygrad_cnn.autograd import Function
from tinygrad_cnn.distributed import reducer as reducer_module
from tinygrad_cnn.distributed.groups import ProcessGroup
from tinygrad_cnn.distributed.reducer import Reducer
from tinygrad_cnn.distributed.transport import Transport


class Sleeping(Transport):
    """Two ranks with equal values. A reduction of n bytes takes α + βn seconds; all calls are noted."""

    size = 2

    def __init__(self, latency=0.0, per_byte=0.0):
        self.latency, self.per_byte = latency, per_byte
        self.events, self.called = [], threading.Event()

    def seconds(self, nbytes):
        return self.latency + self.per_byte * nbytes

    def all_reduce(self, x, op):
        self.events.append(x.nbytes)
        self.called.set()
        time.sleep(self.seconds(x.nbytes))
        if op == "SUM":
            x *= 2


class Layer(Function):
    """x · w, whose backward pass calls `during()`."""

    @staticmethod
    def forward(ctx, x, w, during):
        ctx.save_for_backward(x, w)
        ctx.during = during
        return x * w

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        ctx.during()
        return g * w, g * x, None


class Stack(nn.Module):
    def __init__(self, layers, during=lambda: None, width=32):
        super().__init__()
        self.weights = nn.ParameterList([nn.Parameter(tc.ones(width)) for _ in range(layers)])
        self.during = [during] * layers

    def forward(self, x):
        for w, during in zip(self.weights, self.during, strict=True):
            x = Layer.apply(x, w, during)
        return x


def reducer_of(net, transport, each=1, find_unused=False):
    """A reducer with a bucket for each parameter (of `each` bytes at least)."""
    group = ProcessGroup(transport, range(2))
    return Reducer(list(net.named_parameters()), group, each, each, find_unused)


def step(net, reducer, x):
    reducer.arm()
    net(x).sum().backward()
    return reducer


def test_buckets_are_reduced_while_the_backward_pass_runs():
    net, transport = Stack(4), Sleeping()
    seen = []
    net.during[0] = lambda: seen.append(transport.called.wait(10))  # the last one to run
    reducer = step(net, reducer_of(net, transport), tc.ones(32))
    assert seen == [True]
    assert len(transport.events) == 4
    assert [t.parameters for t in reducer.timings()] == [(f"weights.{i}",) for i in (3, 2, 1, 0)]
    for timing in reducer.timings():
        assert reducer.began <= timing.ready <= timing.started <= timing.ended <= reducer.ended


def test_a_step_takes_as_long_as_the_longer_of_computing_and_communicating(monkeypatch):
    """On a clock that computing sets. A reducer that begins at the end of the pass takes the sum."""
    layers, compute = 8, 0.010
    clock = types.SimpleNamespace(now=0.0)

    def during():
        clock.now += compute

    monkeypatch.setattr(
        reducer_module, "time", types.SimpleNamespace(perf_counter=lambda: clock.now)
    )
    for message in (0.002, 0.008, 0.010, 0.015):
        network = Sleeping(latency=message / 2, per_byte=message / 2 / 128)
        net = Stack(layers, during)
        reducer = step(net, reducer_of(net, Sleeping()), tc.ones(32))
        ended = 0.0
        for t in reducer.timings():  # one after the other, each when it is ready
            ended = max(ended, t.ready - reducer.began) + network.seconds(t.nbytes)
        taken = max(ended, reducer.computed - reducer.began)
        bound = max(layers * compute, layers * message) + message
        assert taken <= 1.1 * bound < layers * (compute + message)


@pytest.mark.parametrize("each", [1, 200, 10_000])
def test_gradients_are_averages(each):
    net = Stack(5)
    group = Sleeping()
    step(net, reducer_of(net, group, each), tc.arange(32.0))
    assert len(group.events) == math.ceil(5 / math.ceil(each / 128))
    for w in net.weights:  # the other rank has the same
        assert w.grad.tolist() == list(range(32))


def test_a_failed_backward_pass_leaves_gradients_and_the_next_one_works():
    net = Stack(3)
    reducer = reducer_of(net, Sleeping())
    reducer.arm()
    y = net(tc.ones(32)).sum()
    handle = net.weights[0].register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        y.backward()
    handle.remove()
    assert all(w.grad is None for w in net.weights)
    step(net, reducer, tc.ones(32))
    assert all(w.grad.tolist() == [1.0] * 32 for w in net.weights)


def test_another_graph_in_between_changes_nothing():
    net = Stack(2)
    reducer = reducer_of(net, Sleeping())
    reducer.arm()
    y = net(tc.ones(32)).sum()
    other = tc.ones(3, requires_grad=True)
    (other * 2).sum().backward()
    assert not reducer.group.transport.events
    y.backward()
    assert len(reducer.group.transport.events) == 2


def test_uses_outside_of_the_module_count():
    net = Stack(1)
    reducer = reducer_of(net, Sleeping())
    before = 3 * net.weights[0].sum()
    reducer.arm()
    (net(tc.ones(32)).sum() + before + 5 * net.weights[0].sum()).backward()
    assert net.weights[0].grad.tolist() == [9.0] * 32


def test_a_root_that_comes_too_late_is_an_error():
    net = Stack(1)
    reducer = reducer_of(net, Sleeping())
    before = 3 * net.weights[0].sum()
    reducer.arm()
    with pytest.raises(RuntimeError, match="ready only once: the gradient of weights.0 grew"):
        tc.autograd.backward([before, net(tc.ones(32)).sum()])


def test_another_thread_is_an_error_and_not_a_wrong_gradient():
    net = Stack(1)
    reducer = step(net, reducer_of(net, Sleeping()), tc.ones(32))
    reducer.arm()
    y = net(tc.ones(32)).sum()
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(y.backward).exception()
    assert isinstance(found, RuntimeError)
    assert "Call backward in the thread that called" in str(found)


def test_checkpointed_parts():
    from tinygrad_cnn.utils.checkpoint import checkpoint

    net = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
    reducer = reducer_of(net, Sleeping())
    x = tc.randn(3, 4)
    reducer.arm()
    net[2](checkpoint(net[:2], x)).sum().backward()
    found = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    net(x).sum().backward()
    for g, p in zip(found, net.parameters(), strict=True):
        assert tc.allclose(g, p.grad)


def test_nothing_keeps_a_reducer_alive_or_observes_after_it():
    net = Stack(2)
    reducer = reducer_of(net, Sleeping())
    step(net, reducer, tc.ones(32))
    assert not engine.observers
    dead = weakref.ref(reducer)
    gc.disable()
    try:
        del reducer
        assert dead() is None
    finally:
        gc.enable()
    net.zero_grad()
    net(tc.ones(32)).sum().backward()  # the hooks of the dead one do nothing
    assert net.weights[0].grad.tolist() == [1.0] * 32


def test_narrow_gradients_of_float16_parameters():
    net = Stack(2).half()
    step(net, reducer_of(net, Sleeping()), tc.ones(32).half())
    assert net.weights[0].grad.dtype == tc.float16
    assert np.all(net.weights[0].grad.numpy() == 1)
