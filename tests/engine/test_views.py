"""Views of a base that is written: their nodes are made when they are read."""

import copy
import pickle

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import engine


def family():
    """A base that an op made, and two views of it, all written."""
    x = tc.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 1.0
    views = y[:2], y[1:]
    y.mul_(10.0)
    return x, y, views


def test_an_outdated_view_is_a_tensor_like_any_other():
    x, _, (v, w) = family()
    assert isinstance(v, tc.Tensor)
    assert type(v).__name__ == "Tensor"
    assert type(v).__module__ == tc.Tensor.__module__
    assert (v.requires_grad, v.is_leaf) == (True, False)
    assert type(v) is tc.Tensor
    (v * w).sum().backward()
    assert x.grad.tolist() == [200.0, 400.0, 200.0]


@pytest.mark.parametrize("use", [copy.copy, copy.deepcopy, pickle.dumps])
def test_an_outdated_view_refuses_copies_as_all_that_ops_made(use):
    _, _, (v, _) = family()
    with pytest.raises(RuntimeError, match="graph"):
        use(v)


@pytest.mark.parametrize("change", ["detach_", "data"])
def test_outdated_views_stay_on_the_graph_that_their_base_leaves(change):
    x, y, (v, _) = family()
    if change == "data":
        y.data = tc.zeros(3)
    else:
        y.detach_()
    v.sum().backward()
    assert x.grad.tolist() == [10.0, 10.0, 0.0]


def test_retain_grad_of_a_view_moves_along():
    x = tc.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1.0
    v = y[:1]
    v.retain_grad()
    for _ in range(3):
        y.mul_(10.0)
    (v * 2.0).sum().backward()
    assert v.grad.tolist() == [2.0]
    assert v.retains_grad
    assert x.grad.tolist() == [2000.0, 0.0]


def test_views_that_die_are_forgotten():
    _, y, views = family()
    assert len(y._outdated) == 2
    del views
    assert not y._outdated


def test_a_view_whose_data_is_assigned_writes_to_its_base_no_longer():
    x = tc.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1.0
    v = y[:1]
    v.data = tc.tensor([5.0])
    v.mul_(3.0)
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    assert v.tolist() == [15.0]


def test_long_paths_leave_out_steps_that_cancel():
    y = tc.arange(6.0).reshape(2, 3).requires_grad_() * 1.0
    v = y
    for _ in range(50):
        v = v.t()[None].squeeze(0).t()[...]
    assert len(engine.steps(v)) < 30
    v = v[:, 1:]
    for _ in range(50):
        v = v.t()
    v.mul_(10.0)
    w = v[0]
    w.add_(1.0)
    np.testing.assert_array_equal(y.detach(), [[0.0, 11.0, 21.0], [3.0, 40.0, 50.0]])
    np.testing.assert_array_equal(engine.replay(y._array, engine.steps(w)), w._array)
