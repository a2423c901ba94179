"""L-BFGS: state that is saved and loaded, dtypes, layouts and failures. The grid has the numbers."""

import copy

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.optim import LBFGS
from tinygrad_cnn.optim.line_search import Point, strong_wolfe


def problem(dtype=tc.float64):
    a = tc.tensor([[3.0, -2.0], [0.5, 1.0]], dtype=dtype, requires_grad=True)
    b = tc.tensor([1.5], dtype=dtype, requires_grad=True)

    def loss():
        return ((a - 1) ** 4).sum() + ((a * b).sum() - 2) ** 2

    return (a, b), loss


def closure_of(optimizer, loss):
    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    return closure


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("dtype", [tc.float32, tc.float64])
def test_the_loss_falls(search, dtype):
    params, loss = problem(dtype)
    optimizer = LBFGS(params, lr=0.5, line_search_fn=search)
    losses = [optimizer.step(closure_of(optimizer, loss)).item() for _ in range(4)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 1e-2 * losses[0]
    assert all(p.dtype == dtype and p._version > 0 for p in params)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_a_loaded_state_continues(search):
    params, loss = problem()
    optimizer = LBFGS(params, lr=0.3, max_iter=3, history_size=4, line_search_fn=search)
    for _ in range(2):
        optimizer.step(closure_of(optimizer, loss))
    others, other_loss = problem()
    with tc.no_grad():
        for p, q in zip(others, params, strict=True):
            p.copy_(q)
    other = LBFGS(others, lr=0.3, max_iter=3, history_size=4, line_search_fn=search)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for _ in range(3):
        first = optimizer.step(closure_of(optimizer, loss))
        assert other.step(closure_of(other, other_loss)).item() == first.item()
    for p, q in zip(params, others, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


def test_parameters_that_are_views_of_other_layouts():
    base = tc.zeros(3, 2)
    x = base.t().detach().requires_grad_()
    optimizer = LBFGS([x], line_search_fn="strong_wolfe")
    wanted = tc.arange(6.0).reshape(2, 3)
    optimizer.step(closure_of(optimizer, lambda: ((x - wanted) ** 2).sum()))
    np.testing.assert_allclose(base.numpy().T, wanted.numpy(), atol=1e-4)


def test_parameters_without_a_gradient_stay():
    x, unused = tc.ones(2, requires_grad=True), tc.ones(3, requires_grad=True)
    optimizer = LBFGS([x, unused])
    optimizer.step(closure_of(optimizer, lambda: (x**2).sum()))
    assert unused.tolist() == [1.0, 1.0, 1.0]
    assert abs(x.detach().numpy()).max() < 1e-3


def test_at_a_minimum_nothing_moves():
    x = tc.zeros(2, requires_grad=True)
    optimizer = LBFGS([x])
    assert optimizer.step(closure_of(optimizer, lambda: (x**2).sum())).item() == 0
    assert optimizer.state_dict()["state"][0] == {"func_evals": 1, "n_iter": 0}


def test_a_closure_that_raises_in_the_line_search_leaves_the_start():
    x = tc.ones(2, requires_grad=True)
    optimizer = LBFGS([x], line_search_fn="strong_wolfe")
    calls = []

    def closure():
        calls.append(x.tolist())
        if len(calls) == 2:
            raise KeyError("stop")
        optimizer.zero_grad()
        loss = (x**2).sum()
        loss.backward()
        return loss

    with pytest.raises(KeyError):
        optimizer.step(closure)
    assert x.tolist() == [1.0, 1.0]
    assert calls[1] != calls[0]


@pytest.mark.parametrize("slope", [1.0, -3.0])
def test_a_loss_that_is_a_line_goes_on_falling(slope):
    x = tc.tensor([1.0, 2.0], dtype=tc.float64, requires_grad=True)
    optimizer = LBFGS([x], line_search_fn="strong_wolfe", max_iter=5)
    losses = [
        optimizer.step(closure_of(optimizer, lambda: (slope * x).sum())).item() for _ in range(3)
    ]
    assert np.isfinite(losses).all()
    assert losses[0] > losses[1] > losses[2]


def test_errors():
    x = tc.ones(1, requires_grad=True)
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        LBFGS([x], line_search_fn="armijo").step(lambda: x)
    with pytest.raises(ValueError, match="parameter groups"):
        LBFGS([{"params": [x]}, {"params": [tc.ones(1, requires_grad=True)]}])
    with pytest.raises(ValueError, match="learning rate"):
        LBFGS([x], lr=-0.1)
    with pytest.raises(TypeError, match=r"LBFGS.step\(\) missing 1 required"):
        LBFGS([x]).step()


@pytest.mark.parametrize("first", [1e-6, 0.1, 1.0, 50.0])
@pytest.mark.parametrize("power", [2, 4])
def test_the_line_search_satisfies_the_wolfe_conditions(first, power):
    d = np.array([1.0])

    def at(t):
        x = -3 + t
        return Point(
            t, abs(x) ** power + np.cos(x), np.array([power * x ** (power - 1) - np.sin(x)]), d
        )

    start = at(0.0)
    found, calls = strong_wolfe(at, first, start, 1.0, 25)
    assert found.loss <= start.loss + 1e-4 * found.t * start.slope
    assert abs(found.slope) <= 0.9 * abs(start.slope)
    assert calls <= 26
