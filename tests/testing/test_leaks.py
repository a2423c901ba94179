"""assert_no_leak counts and lists leaked objects. A freed or replaced object is no leak."""

import gc

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import nn, optim
from tinygrad_cnn.testing import assert_no_leak

X = tc.ones(2, 3, requires_grad=True)


def test_graphs_are_freed_with_backward_and_without():
    assert_no_leak(lambda: (X * X).exp().sum())
    assert_no_leak(lambda: (X * X).exp().sum().backward())
    assert_no_leak(lambda: (X * X).sum().backward(retain_graph=True))
    assert_no_leak(lambda: tc.autograd.grad((X**3.0).sum(), X, create_graph=True))


def views_and_writes():
    y = X * 2.0
    row = y[0]
    row.mul_(3.0)
    y.retain_grad()
    y.register_hook(lambda g: g * 2.0)
    y.view(6).sum().backward()


def an_error():
    y = X.exp()
    y.add_(1.0)
    with pytest.raises(RuntimeError):
        y.sum().backward()


@pytest.mark.parametrize("fn", [views_and_writes, an_error])
def test_views_writes_hooks_and_errors(fn):
    assert_no_leak(fn)


def test_a_step_of_training():
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(8, 3),
    )  # fmt: skip
    steps = optim.Adam(net.parameters())
    images = tc.tensor(np.random.default_rng(0).normal(size=(4, 1, 6, 6)), dtype=tc.float32)

    def step():
        steps.zero_grad()
        nn.functional.cross_entropy(net(images), tc.tensor([0, 1, 2, 0])).backward()
        steps.step()

    assert_no_leak(step)


def test_what_replaces_another_is_no_leak():
    kept = {}
    assert_no_leak(lambda: kept.update(loss=(X * X).sum()))


def test_a_first_call_may_keep_something():
    kept = []
    assert_no_leak(lambda: kept or kept.append(tc.ones(3)))


# --- Leaks ----------------------------------------------------------------------------------------


def test_what_stays_is_listed_by_type_and_shape():
    kept = []

    def leak():
        kept.append((X * 2.0).sum())

    with pytest.raises(AssertionError) as caught:
        assert_no_leak(leak, calls=2)
    assert str(caught.value).split("\n") == [
        "after 2 calls of leak there are 6 tensors and nodes more than before:",
        "  2 × Tensor () float32",
        "  2 × node mul (2, 3) float32",
        "  2 × node sum () float32",
    ]


def test_a_cycle_is_a_leak():
    def cycle():
        y = X * 2.0
        y.register_hook(lambda g: y)

    with pytest.raises(AssertionError, match=r"3 × Tensor \(2, 3\) float32"):
        assert_no_leak(cycle)


def test_a_tensor_alone_is_a_leak():
    kept = []
    with pytest.raises(AssertionError, match=r"1 × Tensor \(7,\) int64"):
        assert_no_leak(lambda: kept.append(tc.zeros(7, dtype=tc.int64)), calls=1)
    with pytest.raises(
        AssertionError, match=r"1 × leaf \(7,\) float32\n  1 × Parameter \(7,\)|1 × P"
    ):
        assert_no_leak(lambda: kept.append(nn.Parameter(tc.zeros(7))), calls=1)


# --- The collector, bad input ---------------------------------------------------------------------


def test_the_collector_is_as_it_was():
    seen = []
    assert gc.isenabled()
    assert_no_leak(lambda: seen.append(gc.isenabled()))
    assert not any(seen)
    assert gc.isenabled()

    def fails():
        raise ArithmeticError("on purpose")

    with pytest.raises(ArithmeticError):
        assert_no_leak(fails)
    assert gc.isenabled()
    gc.disable()
    try:
        assert_no_leak(lambda: None)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_bad_input():
    with pytest.raises(TypeError, match="wanted a function, got Tensor"):
        assert_no_leak(X)
    with pytest.raises(ValueError, match="at least 1"):
        assert_no_leak(lambda: None, calls=0)
